"""The molecules that the report offers, and what it says of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from domains.screening.explain.hits import draw_hits
from domains.screening.prepare.arrays import Target
from pipelines.core.artifacts import write_csv, write_json

RANKING = pd.DataFrame(
    {
        "name": ["a", "b", "c"],
        "smiles": ["CCO", "CCN", "c1ccccc1"],
        "measured": False,
        "score": [0.9, 0.8, 0.7],
        "low": 0.1,
        "high": 0.95,
        "nearest_active": "CCCl",
        "similarity_active": 0.2,
        "similarity_inactive": 0.3,
        "inside": True,
        "qed": 0.5,
        "alerts": ["", "catechol", ""],
        "rank": [1, 2, 3],
        "rank_new": [1, 2, 3],
        "rank_dissimilar": [1, 2, 3],
    }
)
NITRO = Target("active", "class", "", "nitro")


def ranked(folder: Path, coverage: float = 0.9, **columns: object) -> Path:
    folder.mkdir()
    write_csv(folder / "ranking.csv", RANKING.assign(**columns))
    write_json(folder / "calibration.json", {"coverage": coverage})
    return folder


@pytest.mark.parametrize("inside", [[False, False, True], [False] * 3])
def test_hits_outside_the_domain_are_passed_over(tmp_path: Path, inside: list[bool]) -> None:
    entry = draw_hits(tmp_path, ranked(tmp_path / "predict", inside=inside), NITRO, 4)
    assert (entry is not None) == any(inside)
    if entry is not None:
        assert "The first 1 of 3 dissimilar molecules" in entry[0]["caption"]
        assert "2 before the last are passed over" in entry[0]["caption"]


@pytest.mark.parametrize(
    ("target", "coverage", "known", "brackets"),
    [
        (NITRO, 0.9, "the known actives (nitro)", "the middle 90 % of what 4 networks say"),
        (
            Target("active", "class", "", "nitro", "low"),
            0.975,
            "those known as not nitro",
            "the middle 97.5 % of what 4 networks say",
        ),
        (Target("logp", "value", "", ""), 0.9, "known molecules", "a 90 % prediction interval"),
    ],
)
def test_the_caption_says_what_hits_are_unlike_and_what_the_brackets_are(
    tmp_path: Path, target: Target, coverage: float, known: str, brackets: str
) -> None:
    entry = draw_hits(tmp_path, ranked(tmp_path / "predict", coverage), target, 4)
    assert entry is not None
    assert entry[0]["title"].endswith(f"unlike {known}")
    assert f"to all {known} than" in entry[0]["caption"] and brackets in entry[0]["caption"]
    assert ("the opposite" in entry[0]["caption"]) == (target.kind == "class")
