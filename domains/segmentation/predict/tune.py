"""The parameters of the instance step, chosen on validation samples only."""

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from .instances import Rule, instances
from .matching import f1, match

Maps = Sequence[tuple[np.ndarray, np.ndarray]]


def rules(min_areas: Sequence[int], probabilistic: bool) -> list[Rule]:
    """Candidates: thresholds × seeds; Otsu's baseline has no interior probability to seed from."""
    distance = product((0.3, 0.4, 0.5, 0.6, 0.7), ("distance",), (0.5, 1.0, 2.0), min_areas)
    interior = product((0.3, 0.4, 0.5, 0.6, 0.7), ("interior",), (0.5, 0.6, 0.7, 0.8), min_areas)
    return [Rule(*values) for values in (*(interior if probabilistic else ()), *distance)]


def score(maps: Maps, masks: Sequence[np.ndarray], rule: Rule) -> float:
    """Mean F1 over the IoU thresholds 0.5 … 0.9 of (foreground, interior) maps against masks."""
    counts = [match(m, instances(*pair, rule)) for pair, m in zip(maps, masks, strict=True)]
    totals = [sum(getattr(c, kind).sum(axis=0) for c in counts) for kind in ("tp", "fp", "fn")]
    return float(f1(*totals).mean())


def choose(maps: Maps, masks: Sequence[np.ndarray], candidates: Iterable[Rule]) -> tuple[Rule, float]:
    """The rule with the highest score; of equals the first."""
    scored = [(score(maps, masks, rule), rule) for rule in candidates]
    best = max(scored, key=lambda pair: pair[0])
    return best[1], best[0]
