"""From probabilities to labels, by a rule that is chosen on validation samples only."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from ..prepare.arrays import Format
from .instances import Rule, instances
from .matching import f1, match

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)


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

    Instances: thresholds and seeds with a minimal area of a tenth of the masks' median object,
    then that area. Binary masks: the threshold. Classes: nothing, the most probable class counts.
    """
    if form.labels == "classes":
        rule = Rule(0.5, "none", 0.0, 0)
        return rule, score(maps, masks, form, rule)
    if form.labels == "binary":
        return _best(maps, masks, form, (Rule(t, "none", 0.0, 0) for t in THRESHOLDS))
    areas = np.concatenate(
        [np.bincount(m[m > 0].ravel())[1:] for m in masks if (m > 0).any()] or [[0]]
    )
    typical = float(np.median(areas[areas > 0])) if (areas > 0).any() else 0.0
    levels = (0.5, 1.0, 2.0)
    candidates = [
        Rule(threshold, seed, level, round(0.1 * typical))
        for seed in seeds
        for threshold, level in product(THRESHOLDS, levels)
    ]
    rule, _ = _best(maps, masks, form, candidates)
    sizes = (replace(rule, min_area=round(share * typical)) for share in (0.1, 0, 0.05, 0.2, 0.3))
    return _best(maps, masks, form, sizes)


def score(
    maps: Sequence[np.ndarray], masks: Sequence[np.ndarray], form: Format, rule: Rule
) -> float:
    """Mean Dice over the classes; for instances its mean with the F1 over IoU 0.5 … 0.9.

    Objects alone would not tell one threshold of the foreground from another.
    """
    labels = [decide(p, form, rule) for p in maps]
    if form.labels != "instances":
        return float(np.mean(_dice(masks, labels, range(1, form.classes)) or [1.0]))
    counts = [match(mask, said) for mask, said in zip(masks, labels, strict=True)]
    sums = [sum(getattr(c, kind).sum(axis=0) for c in counts) for kind in ("tp", "fp", "fn")]
    foreground = ([np.minimum(a, 1) for a in side] for side in (masks, labels))
    dice = _dice(*foreground, [1]) or [1.0]
    return float((f1(*sums).mean() + dice[0]) / 2)


def _dice(
    masks: Sequence[np.ndarray], labels: Sequence[np.ndarray], kinds: Iterable[int]
) -> list[float]:
    """Dice of each class that occurs, over the annotated pixels of all samples."""
    found = []
    for kind in kinds:
        pairs = [(m == kind, (s == kind) & (m >= 0)) for m, s in zip(masks, labels, strict=True)]
        total = sum(int(true.sum() + said.sum()) for true, said in pairs)
        if total:
            found.append(2 * sum(int((true & said).sum()) for true, said in pairs) / total)
    return found


def _best(
    maps: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    form: Format,
    candidates: Iterable[Rule],
) -> tuple[Rule, float]:
    scored = [(rule, score(maps, masks, form, rule)) for rule in candidates]
    return max(scored, key=lambda pair: pair[1])
