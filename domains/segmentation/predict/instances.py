"""From probabilities to numbered objects: the one instance step of the model and the baselines."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.morphology import local_minima, reconstruction
from skimage.segmentation import relabel_sequential, watershed

SMOOTHING_PX = 2.0  # of the interior's probability, before its valleys are looked for


@dataclass(frozen=True)
class Rule:
    """How objects are cut out.

    threshold: of the foreground. seeds, and what `level` says of them:

    - "distance": summits of the smoothed distance to the background, `level` px above their
      surroundings;
    - "core": the same of the distance to what is not interior, so that a border between touching
      objects counts as well as a narrow waist;
    - "valleys": places where the interior is more probable than around them, by `level`; for
      cells of any shape that membranes part.

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
    if rule.seeds == "valleys":
        relief = ndimage.gaussian_filter(1 - interior, SMOOTHING_PX)
    else:
        solid = mask & (interior > 0.5) if rule.seeds == "core" else mask
        relief = -ndimage.gaussian_filter(ndimage.distance_transform_edt(solid), 1)
    markers, count = ndimage.label(mask & _basins(relief, rule.level), np.ones((3, 3)))
    pieces, _ = ndimage.label(mask)
    seedless = mask & ~np.isin(pieces, pieces[markers > 0])
    markers[seedless] = pieces[seedless] + count
    labels = watershed(relief, markers, mask=mask)
    small = np.bincount(labels.ravel()) < rule.min_area
    small[0] = False
    labels[small[labels]] = 0
    return relabel_sequential(labels)[0].astype(np.int32)


def _basins(relief: np.ndarray, depth: float) -> np.ndarray:
    """Where the minima at least `depth` deep lie, each with the ground that is flooded with it.

    skimage's `h_minima` would mark two lowest points of the same height in one basin as two
    minima, and probabilities that are rounded to 1 have many such.
    """
    return local_minima(reconstruction(relief + depth, relief, method="erosion"))
