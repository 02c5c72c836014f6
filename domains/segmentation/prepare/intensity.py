"""One intensity scale for all images: percentiles, then a logarithm-like compression."""

import numpy as np

from .arrays import Format


def normalise(image: np.ndarray, form: Format) -> np.ndarray:
    """Intensities of one image on the scale 0 … 1, each channel by itself.

    The percentiles `low` and `high` of the image go to 0 and 1 and what lies outside is clipped;
    then x → arsinh(k x) / arsinh(k) with k = `compression` (0: linear), which is linear near the
    background's noise and logarithmic for bright objects, so that dim nuclei are seen at all.
    A constant image becomes 0.

    image: (H, W, C) of any real type; returns (H, W, C) float32.
    """
    values = np.asarray(image, dtype=np.float32)
    low, high = np.percentile(values, (form.low, form.high), axis=(0, 1))
    scale = np.where(high > low, high - low, 1.0)
    values = np.clip((values - low) / scale, 0.0, 1.0)
    if form.compression > 0:
        values = np.arcsinh(form.compression * values) / np.arcsinh(form.compression)
    return values.astype(np.float32)
