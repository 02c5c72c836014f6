"""What can be had without a network: Otsu's threshold, and a random forest on image filters.

Both get the same intensities and the same instance step as the model, and parameters of their
own for it, chosen on the same validation samples.
"""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from skimage.feature import multiscale_basic_features
from skimage.filters import gaussian, threshold_otsu
from sklearn.ensemble import RandomForestClassifier

from pipelines.core.environment import environment

from ..predict.tune import Objective, choose, decide
from ..prepare.arrays import SPLITS, Format, Sample, read_samples
from ..prepare.intensity import normalise
from ..train.targets import class_map
from .params import EvaluateParams

LOCAL_PX = 50.0


def otsu(
    samples: Sequence[Sample], form: Format, local: bool, dark: bool = False
) -> list[np.ndarray]:
    """Maps in the form of class probabilities in which Otsu's threshold (Otsu 1979) is 0.5.

    One threshold for each image, of its normalised, lightly smoothed intensity (grey value of
    colour images); with `local` of the intensity less its Gaussian mean over 50 px, so that a
    dim object in a dark place is found too. Objects are bright, or `dark` on a bright ground.
    Returns (K, H, W) float32 for each sample.
    """
    maps = []
    for sample in samples:
        grey = gaussian(normalise(sample.image, form).mean(axis=-1), 1)
        if local:
            grey = grey - gaussian(grey, LOCAL_PX)
        grey = grey.max() - grey if dark else grey - grey.min()
        threshold = threshold_otsu(grey) if grey.max() > 0 else 1.0
        bright = np.clip(grey / (2 * threshold), 0, 1).astype(np.float32)
        maps.append(np.stack([1 - bright, bright, np.zeros_like(bright)][: form.outputs]))
    return maps


class Forest:
    """A random forest on the filters of `skimage.feature.multiscale_basic_features`.

    Intensity, edges and texture at scales of 1 to 16 px, each class of the network learnt from
    `pixels` annotated training pixels, as many of each class; its probabilities are then brought
    to the shares that the classes have in the training images (Bayes' rule).
    """

    def __init__(self, samples: Sequence[Sample], form: Format, params: EvaluateParams) -> None:
        self.form = form
        rng = np.random.default_rng(params.seed)
        share = -(-params.pixels // len(samples))
        rows, labels, occurring = [], [], np.zeros(form.outputs)
        for sample in samples:
            known = class_map(sample.mask, form, params.border_px).astype(int)
            classes = np.where(sample.mask < 0, -1, known)
            chosen = _balanced(classes.ravel(), share, form.outputs, rng)
            rows.append(self._features(sample)[chosen])
            labels.append(classes.ravel()[chosen])
            occurring += np.bincount(classes[classes >= 0], minlength=form.outputs)
        self.forest = RandomForestClassifier(
            params.trees,
            min_samples_leaf=3,
            random_state=params.seed,
            n_jobs=environment().threads,
        )
        learnt = np.concatenate(labels)
        self.forest.fit(np.concatenate(rows), learnt)
        self.forest.n_jobs = 1  # threads would add up the trees in any order
        self.prior = occurring / np.maximum(np.bincount(learnt, minlength=form.outputs), 1)

    def probabilities(self, samples: Sequence[Sample]) -> list[np.ndarray]:
        """(K, H, W) float32 for each sample; a class never seen in training gets 0."""
        maps = []
        for sample in samples:
            said = self.forest.predict_proba(self._features(sample))
            full = np.zeros((self.form.outputs, len(said)), dtype=np.float32)
            full[self.forest.classes_] = said.T
            full *= self.prior[:, None]  # from the classes' shares in the sample to the real ones
            full /= np.maximum(full.sum(axis=0), 1e-12)
            maps.append(full.reshape(-1, *sample.mask.shape))
        return maps

    def _features(self, sample: Sample) -> np.ndarray:
        image = normalise(sample.image, self.form)
        filters = multiscale_basic_features(
            image, sigma_min=1, sigma_max=16, workers=1, channel_axis=-1
        )
        return filters.reshape(-1, filters.shape[-1])


def baseline_labels(
    folder: Path, form: Format, params: EvaluateParams, objective: Objective
) -> tuple[dict[str, list[np.ndarray]], dict[str, dict[str, object]]]:
    """Labels of the test samples by each baseline, and the rule of each, for the record.

    objective: by which the rules are chosen, the model's own.
    Of Otsu's four variants the one with the best validation score is taken; with more than two
    classes there is none.
    """
    learnt, checked, tested = (read_samples(folder, split) for split in SPLITS)
    masks = [s.mask for s in checked]
    labels: dict[str, list[np.ndarray]] = {}
    rules: dict[str, dict[str, object]] = {}
    if form.labels != "classes":
        variants = []
        for how in product((False, True), repeat=2):
            rule, score = choose(otsu(checked, form, *how), masks, form, objective, ("distance",))
            variants.append((score, how, rule))
        score, (local, dark), rule = max(variants, key=lambda v: v[0])
        name = "otsu_watershed" if form.labels == "instances" else "otsu"
        labels[name] = [decide(m, form, rule) for m in otsu(tested, form, local, dark)]
        rules[name] = {"local": local, "dark": dark, "rule": vars(rule), "validation": score}
    forest = Forest(learnt, form, params)
    rule, score = choose(forest.probabilities(checked), masks, form, objective)
    labels["random_forest"] = [decide(m, form, rule) for m in forest.probabilities(tested)]
    rules["random_forest"] = {"rule": vars(rule), "validation": score}
    return labels, rules


def _balanced(classes: np.ndarray, count: int, kinds: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of about `count` annotated pixels, the same number of each class if there are."""
    chosen = []
    for kind in range(kinds):
        where = np.flatnonzero(classes == kind)
        chosen.append(rng.choice(where, min(len(where), -(-count // kinds)), replace=False))
    return np.concatenate(chosen)
