"""Scores of what needs no model: baselines, real molecules. They stay the same for all models of
the same data, so they are computed once on a machine and kept outside the project.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.statistics.bootstrap import Interval

from ..prepare.arrays import HELD_OUT
from ..prepare.files import ALERTS, WEIGHTS
from . import kept
from .drawn import BASELINES, LEARNT_FILES, baselines, training_sample
from .scores import Against, Score, Scored, score_sets

REAL = "floor, training molecules"  # so many real ones score no better
_FILES = (*LEARNT_FILES, *(f"{split}.smi" for split in HELD_OUT), WEIGHTS, ALERTS)


def standing(
    folder: Path, count: int, seed: int, against: Against
) -> tuple[dict[str, Scored], dict[str, Any]]:
    """Scores of `count` training molecules and of as many of each baseline.

    Training molecules are not scored for novelty, of which they have none by definition.

    Returns:
        The sets by their names; the baselines' settings.
    """
    key = ("standing", count, seed)
    path = kept.place(folder, _FILES, against.device, key, kept.SCORING)
    names = (*BASELINES, REAL)
    arrays = kept.read(path, ("text", *names))
    if arrays is None:
        rows, rules = baselines(folder, count, seed)
        scored = score_sets(rows | {REAL: training_sample(folder, count, seed)}, against)
        real = [score for score in scored[REAL].scores if score[0] != "novelty"]
        scored[REAL] = scored[REAL]._replace(scores=real)
        text = json.dumps({"rules": rules, "scores": {k: v.scores for k, v in scored.items()}})
        arrays = {name: found.properties for name, found in scored.items()}
        arrays["text"] = kept.to_bytes(text)
        kept.write(path, arrays)
    known = json.loads(kept.to_text(arrays["text"]))
    scored = {name: Scored(_scores(known["scores"][name]), arrays[name]) for name in names}
    return scored, known["rules"]


def _scores(lines: list[tuple[str, list[float], int]]) -> list[Score]:
    return [(name, Interval(*bounds), n) for name, bounds, n in lines]
