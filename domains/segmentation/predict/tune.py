"""From probabilities to labels, by a rule that is chosen on validation samples only."""

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from ..prepare.arrays import Format
from .instances import Rule, instances
from .matching import f1, match

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
LEVELS = (4.0, 3.0, 2.0, 1.0)  # px; where validation sees no difference, the fewest seeds


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
    seeds: Sequence[str] = ("core", "distance"),
) -> tuple[Rule, float]:
    """The rule with the highest `score` on these probabilities and masks; of equals the first.

    Instances: where seeds are looked for and how far they must stand out; binary masks: the
    threshold; classes: nothing, the most probable one counts. What has a natural value is not
    tuned, since a validation set of some hundred objects cannot tell: a foreground of more than
    one half, and a minimal area of a tenth of the masks' median object.
    """
    if form.labels == "classes":
        candidates = [Rule(0.5, "none", 0.0, 0)]
    elif form.labels == "binary":
        candidates = [Rule(threshold, "none", 0.0, 0) for threshold in THRESHOLDS]
    else:
        area = round(0.1 * _median_area(masks))
        candidates = [Rule(0.5, *how, area) for how in product(seeds, LEVELS)]
    scored = [(rule, score(maps, masks, form, rule)) for rule in candidates]
    return max(scored, key=lambda pair: pair[1])


def score(
    maps: Sequence[np.ndarray], masks: Sequence[np.ndarray], form: Format, rule: Rule
) -> float:
    """Instances: mean F1 over the IoU thresholds 0.5 … 0.9. Else: mean Dice over the classes."""
    labels = [decide(p, form, rule) for p in maps]
    if form.labels != "instances":
        return _dice(masks, labels, range(1, form.classes))
    counts = [match(mask, said) for mask, said in zip(masks, labels, strict=True)]
    sums = [sum(getattr(c, kind).sum(axis=0) for c in counts) for kind in ("tp", "fp", "fn")]
    return float(f1(*sums).mean())


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
