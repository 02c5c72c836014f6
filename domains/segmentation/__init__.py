"""Segmentation: a U-Net for nuclei, classes or foreground in two-dimensional images."""
