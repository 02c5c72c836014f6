"""Molecules: a generative adversarial network that writes SMILES."""
