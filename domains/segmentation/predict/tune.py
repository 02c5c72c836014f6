"""From probabilities to labels, by a rule that is chosen on validation samples only."""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from ..prepare.arrays import Format
from .instances import Rule, instances
from .matching import f1, match
from .rand import rand_error

Objective = Literal["f1", "rand"]
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
# Where validation sees no difference, the first and so the fewest seeds: px, px, probability.
LEVELS = {
    "core": (4.0, 3.0, 2.0, 1.0),
    "distance": (4.0, 3.0, 2.0, 1.0),
    "valleys": (0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03),
}


def decide(probability: np.ndarray, form: Format, rule: Rule) -> np.ndarray:
    """(K, H, W) probabilities → (H, W) int32 labels: objects, foreground 1, or classes."""
    if form.labels == "instances":
        return instances(1 - probability[0], probability[1], rule)
    if form.labels == "binary":
        return (probability[1] > rule.threshold).astype(np.int32)
    return probability.argmax(axis=0).astype(np.int32)


def choose(
    maps: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    form: Format,
    objective: Objective,
    seeds: Sequence[str] = tuple(LEVELS),
) -> tuple[Rule, float]:
    """The rule with the highest `score` on these probabilities and masks; of equals the first.

    Instances: where seeds are looked for and how far they must stand out; binary masks: the
    threshold; classes: nothing, the most probable one counts. What has a natural value is not
    tuned, since a validation set of some hundred objects cannot tell: a foreground of more than
    one half, and a minimal area of a tenth of the masks' median object. With the objective
    "rand", which does not see where a membrane ends, the threshold is the one of the best Dice.
    """
    if form.labels == "classes":
        candidates = [Rule(0.5, "none", 0.0, 0)]
    elif form.labels == "binary":
        candidates = [Rule(threshold, "none", 0.0, 0) for threshold in THRESHOLDS]
    else:
        threshold = _best_threshold(maps, masks) if objective == "rand" else 0.5
        area = round(0.1 * _median_area(masks))
        candidates = [Rule(threshold, s, level, area) for s in seeds for level in LEVELS[s]]
    scored = [(rule, score(maps, masks, form, rule, objective)) for rule in candidates]
    return max(scored, key=lambda pair: pair[1])


def score(
    maps: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    form: Format,
    rule: Rule,
    objective: Objective,
) -> float:
    """Instances: mean F1 over the IoU thresholds 0.5 … 0.9, or 1 − the mean Rand error.
    Else: mean Dice over the classes."""
    labels = [decide(p, form, rule) for p in maps]
    if form.labels != "instances":
        return _dice(masks, labels, range(1, form.classes))
    pairs = list(zip(masks, labels, strict=True))
    if objective == "rand":
        errors = np.array([rand_error(mask, said) for mask, said in pairs])
        known = np.isfinite(errors)
        return 1 - float(errors[known].mean()) if known.any() else 0.0
    counts = [match(mask, said) for mask, said in pairs]
    sums = [sum(getattr(c, kind).sum(axis=0) for c in counts) for kind in ("tp", "fp", "fn")]
    return float(f1(*sums).mean())


def measure(form: Format, objective: Objective) -> str:
    """The name of `score`."""
    if form.labels != "instances":
        return "mean Dice"
    return "1 - Rand error" if objective == "rand" else "mean F1"


def _best_threshold(maps: Sequence[np.ndarray], masks: Sequence[np.ndarray]) -> float:
    """Of the foreground, by Dice."""
    truth = [np.minimum(mask, 1) for mask in masks]
    found = [(_dice(truth, [(1 - p[0] > t).astype(int) for p in maps], [1]), t) for t in THRESHOLDS]
    return max(found)[1]


def _dice(masks: Sequence[np.ndarray], labels: Sequence[np.ndarray], kinds: Iterable[int]) -> float:
    """Mean Dice of the classes that occur, over the annotated pixels of all samples."""
    found = []
    for kind in kinds:
        pairs = [(m == kind, (s == kind) & (m >= 0)) for m, s in zip(masks, labels, strict=True)]
        total = sum(int(true.sum() + said.sum()) for true, said in pairs)
        if total:
            found.append(2 * sum(int((true & said).sum()) for true, said in pairs) / total)
    return float(np.mean(found)) if found else 1.0


def _median_area(masks: Sequence[np.ndarray]) -> float:
    """Of all objects, px; 0 if there is none."""
    areas = np.concatenate([np.bincount(np.maximum(mask, 0).ravel())[1:] for mask in masks])
    return float(np.median(areas[areas > 0])) if areas.any() else 0.0
