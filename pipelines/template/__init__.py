"""Concentration of an analyte from an absorption spectrum: a small complete domain."""
