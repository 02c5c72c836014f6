"""From probabilities to numbered objects: the one instance step of the model and the baselines."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.morphology import h_maxima
from skimage.segmentation import relabel_sequential, watershed


@dataclass(frozen=True)
class Rule:
    """How objects are cut out.

    threshold: of the foreground. A seed is a summit of the smoothed distance that stands `level`
    px above its surroundings; seeds: "distance" to the background, or "core", to what is not
    interior, so that a border between touching objects counts as well as a narrow waist.
    min_area: px, smaller objects are dropped.
    """

    threshold: float
    seeds: str
    level: float
    min_area: int


def instances(foreground: np.ndarray, interior: np.ndarray, rule: Rule) -> np.ndarray:
    """Marker-controlled watershed (Beucher & Lantuéjoul 1979; Meyer 1994).

    foreground, interior: (H, W) in 0 … 1. Returns (H, W) int32, 0 background, objects
    1 … N. A piece of foreground too small or too flat for a seed is one
    object.
    """
    mask = foreground > rule.threshold
    solid = mask & (interior > 0.5) if rule.seeds == "core" else mask
    relief = ndimage.gaussian_filter(ndimage.distance_transform_edt(solid), 1)
    markers, count = ndimage.label(mask & (h_maxima(relief, rule.level) > 0), np.ones((3, 3)))
    pieces, _ = ndimage.label(mask)
    seedless = mask & ~np.isin(pieces, pieces[markers > 0])
    markers[seedless] = pieces[seedless] + count
    labels = watershed(-relief, markers, mask=mask)
    small = np.bincount(labels.ravel()) < rule.min_area
    small[0] = False
    labels[small[labels]] = 0
    return relabel_sequential(labels)[0].astype(np.int32)
