"""Molecules as text, graphs and numbers: what every domain of chemistry needs."""
