"""Scores of sets in which a molecule is written more than once."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.DataStructs import BulkTanimotoSimilarity

from domains.molecules.evaluate.scores import compare, score_sets
from domains.molecules.prepare.arrays import write_splits
from domains.molecules.prepare.yardsticks import convert
from tests.molecules.test_evaluate import MORGAN, SPLITS


def test_what_is_drawn_again_counts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCISTAGE_CACHE", str(tmp_path / "cache"))
    convert(tmp_path)
    write_splits(tmp_path, SPLITS)
    known, new = SPLITS["test"][0], SPLITS["test_scaffolds"][0]
    one, *test = (MORGAN.GetFingerprint(Chem.MolFromSmiles(s)) for s in (new, *SPLITS["test"]))
    near = max(BulkTanimotoSimilarity(one, test))
    drawn = {"model": [new, known, new, new]}
    found = score_sets(drawn, compare(tmp_path, 4, seed=3))["model"].scores
    snn = {name: score.value for name, score, _ in found}["snn_test"]
    assert snn == pytest.approx((1 + 3 * near) / 4, rel=1e-5)
