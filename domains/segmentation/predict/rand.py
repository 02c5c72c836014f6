"""The Rand error: are pixels of one cell kept together, and those of two cells apart?"""

import numpy as np
from scipy import ndimage
from skimage.metrics import adapted_rand_error


def rand_error(truth: np.ndarray, said: np.ndarray, thinned: bool = True) -> float:
    """Adapted Rand error, 1 − F of the foreground-restricted Rand index (0 is perfect).

    Arganda-Carreras et al. 2015 (Frontiers in Neuroanatomy 9:142), their V_Rand: of
    all pairs of pixels inside true cells, F is the harmonic mean of the share of the pairs with one
    predicted label that have one true label, and the reverse. Predicted labels are `grown` first,
    so that neither the place nor the thickness of the predicted membrane counts. Not `thinned`,
    every pixel of the predicted membrane is a segment of its own.

    truth: (H, W), -1 ignored, 0 background or membrane (both left out), k instance; said: (H, W),
    0 background, k instance. Where nothing is predicted, the image is one segment. NaN without
    a true instance.
    """
    inside = truth > 0
    if not inside.any():
        return float("nan")
    with np.errstate(invalid="ignore"):  # instances of one pixel make no pair: NaN
        full = grown(said) if thinned or not said.any() else _with_single_pixels(said)
        return float(adapted_rand_error(truth[inside], full[inside])[0])


def grown(labels: np.ndarray) -> np.ndarray:
    """Give every pixel of background the nearest instance's label; as it is if there is none."""
    empty = labels == 0
    if not empty.any() or empty.all():
        return labels
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    return labels[tuple(nearest)]


def _with_single_pixels(labels: np.ndarray) -> np.ndarray:
    """Give every pixel of background a label of its own."""
    single = np.arange(labels.size).reshape(labels.shape) + int(labels.max()) + 1
    return np.where(labels == 0, single, labels)
