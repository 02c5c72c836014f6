"""What can be had without a network: Otsu's threshold, and a random forest on image filters.

Both get the same intensities and the same instance step as the model, and parameters of their
own for it, chosen on the same validation samples.
"""

from collections.abc import Sequence

import numpy as np
from skimage.feature import multiscale_basic_features
from skimage.filters import gaussian, threshold_otsu
from sklearn.ensemble import RandomForestClassifier

from ..prepare.arrays import Format, Sample
from ..prepare.intensity import normalise
from ..train.targets import class_map
from .params import EvaluateParams

LOCAL_PX = 50.0


def otsu(samples: Sequence[Sample], form: Format, local: bool) -> list[np.ndarray]:
    """Foreground maps (H, W) in 0 … 1 in which 0.5 is Otsu's threshold (Otsu 1979).

    One threshold for each image, of its normalised, lightly smoothed intensity (grey value of
    colour images); with `local` of the intensity less its Gaussian mean over 50 px, so that a
    dim object in a dark place is found too.
    """
    maps = []
    for sample in samples:
        grey = gaussian(normalise(sample.image, form).mean(axis=-1), 1)
        if local:
            grey = grey - gaussian(grey, LOCAL_PX)
        grey = grey - grey.min()
        threshold = threshold_otsu(grey) if grey.max() > 0 else 1.0
        maps.append(np.clip(grey / (2 * threshold), 0, 1).astype(np.float32))
    return maps


class Forest:
    """A random forest on the filters of `skimage.feature.multiscale_basic_features`.

    Intensity, edges and texture at scales of 1 to 16 px, each class of the network learnt from
    `pixels` annotated training pixels, as many of each class.
    """

    def __init__(self, samples: Sequence[Sample], form: Format, params: EvaluateParams) -> None:
        self.form = form
        rng = np.random.default_rng(params.seed)
        share = -(-params.pixels // len(samples))
        rows, labels = [], []
        for sample in samples:
            classes = np.where(sample.mask < 0, -1, class_map(sample.mask, form, params.border_px))
            chosen = _balanced(classes.ravel(), share, form.outputs, rng)
            rows.append(self._features(sample)[chosen])
            labels.append(classes.ravel()[chosen])
        self.forest = RandomForestClassifier(
            params.trees,
            min_samples_leaf=3,
            class_weight="balanced_subsample",
            random_state=params.seed,
            n_jobs=params.jobs,
        )
        self.forest.fit(np.concatenate(rows), np.concatenate(labels))

    def probabilities(self, samples: Sequence[Sample]) -> list[np.ndarray]:
        """(K, H, W) float32 for each sample; a class never seen in training gets 0."""
        maps = []
        for sample in samples:
            said = self.forest.predict_proba(self._features(sample))
            full = np.zeros((self.form.outputs, len(said)), dtype=np.float32)
            full[self.forest.classes_] = said.T
            maps.append(full.reshape(-1, *sample.mask.shape))
        return maps

    def _features(self, sample: Sample) -> np.ndarray:
        image = normalise(sample.image, self.form)
        filters = multiscale_basic_features(
            image, sigma_min=1, sigma_max=16, workers=1, channel_axis=-1
        )
        return filters.reshape(-1, filters.shape[-1])


def _balanced(
    classes: np.ndarray, count: int, kinds: int, rng: np.random.Generator
) -> np.ndarray:
    """Indices of about `count` annotated pixels, the same number of each class if there are."""
    chosen = []
    for kind in range(kinds):
        where = np.flatnonzero(classes == kind)
        chosen.append(rng.choice(where, min(len(where), -(-count // kinds)), replace=False))
    return np.concatenate(chosen)
