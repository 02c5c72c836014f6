"""One intensity scale for all images: percentiles, then a logarithm-like compression."""

import numpy as np

from .arrays import Format

ROWS = 1024


def bounds(image: np.ndarray, form: Format) -> tuple[np.ndarray, np.ndarray]:
    """The values (C,) of an image (H, W, C) that become 0 and 1.

    Whole numbers of up to 16 bit are counted and not sorted, a part of the image at a time, so
    that a large image on disk need not be in memory.
    """
    if form.intensity_range is not None:
        low, high = (np.full(image.shape[2], end) for end in form.intensity_range)
        return low, high
    if image.dtype.kind == "u" and image.dtype.itemsize <= 2:
        ends = [_counted_percentiles(image, c, form) for c in range(image.shape[2])]
    else:
        ends = [np.percentile(image[..., c], (form.low, form.high)) for c in range(image.shape[2])]
    return np.array([low for low, _ in ends]), np.array([high for _, high in ends])


def normalise(image: np.ndarray, form: Format) -> np.ndarray:
    """Intensities of one image on the scale 0 … 1, each channel by itself.

    The image's `bounds` go to 0 and 1 and what lies outside is clipped;
    then x → arsinh(k x) / arsinh(k) with k = `compression` (0: linear), which is linear near the
    background's noise and logarithmic for bright objects, so that dim nuclei are seen at all.
    A constant image becomes 0.

    image: (H, W, C) of any real type; returns (H, W, C) float32.
    """
    return rescale(image, *bounds(image, form), form)


def rescale(image: np.ndarray, low: np.ndarray, high: np.ndarray, form: Format) -> np.ndarray:
    """`normalise` for a part of an image whose bounds (C,) are known."""
    # Small differences of large numbers need more than float32 has.
    kind = np.float64 if image.dtype.itemsize > 2 else np.float32
    low, high = low.astype(kind), high.astype(kind)
    scale = np.where(high > low, high - low, 1)
    values = np.clip((np.asarray(image, kind) - low) / scale, 0, 1).astype(np.float32)
    if form.compression > 0:
        values = np.arcsinh(form.compression * values) / np.arcsinh(form.compression)
    return values.astype(np.float32)


def _counted_percentiles(image: np.ndarray, channel: int, form: Format) -> np.ndarray:
    """As np.percentile, interpolated between the two values next to the place asked for."""
    counts = np.zeros(2 ** (8 * image.dtype.itemsize), dtype=np.int64)
    for top in range(0, len(image), ROWS):
        counts += np.bincount(image[top : top + ROWS, :, channel].ravel(), minlength=len(counts))
    up_to = np.cumsum(counts)
    places = np.array([form.low, form.high]) / 100 * (up_to[-1] - 1)
    below, above = (np.searchsorted(up_to, f(places), side="right") for f in (np.floor, np.ceil))
    return below + (above - below) * (places % 1)
