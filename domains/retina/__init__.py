"""Retina: risk factors of a person, read from photographs of the eyes' fundus."""
