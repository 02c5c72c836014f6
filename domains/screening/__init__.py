"""Screening: learn a measured property from molecular graphs, then rank a library by it."""
