"""What the benchmarks count and compare: splits, ranks, intervals, and results kept in slices."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domains.screening.evaluate.baselines import Molecules, _forest
from domains.screening.prepare.arrays import read_graphs, read_molecules, read_targets
from domains.screening.prepare.featurise import counts, featurise
from pipelines.chemistry.kinship import kinships
from pipelines.core.errors import UserError
from tests.screening.made import KNOWN, made_prepare
from tests.workspace import ROOT

SEEDS = range(5)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Imports a module of benchmarks/, which are scripts that stand beside one another."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module


@pytest.fixture
def molecules(bench: Any, tmp_path: Path) -> Any:
    folder = made_prepare(tmp_path / "all")
    table = read_molecules(folder)
    [target] = read_targets(folder)
    return bench("screening_data").Known(folder, table, target, kinships(table["smiles"].tolist()))


@pytest.mark.parametrize("shares", [(0.7, 0.1, 0.2), (0.8, 0.2)])
def test_scaffolds_are_never_parted(molecules: Any, tmp_path: Path, shares: Any) -> None:
    given = set()
    for seed in SEEDS:
        split = molecules.split(tmp_path / str(seed), "scaffold", shares, seed)
        together = split["scaffold"].where(split["scaffold"] != "", split["group"])
        assert split.groupby(together)["split"].nunique().max() == 1
        assert split["split"].nunique() == len(shares)
        given.add(tuple(split["split"]))
    assert len(given) == len(SEEDS)


def test_a_split_changes_nothing_else(molecules: Any, tmp_path: Path) -> None:
    before = (molecules.folder / "molecules.csv").read_bytes()
    split = molecules.split(tmp_path / "split", "random", (0.6, 0.2, 0.2), 3)
    assert (molecules.folder / "molecules.csv").read_bytes() == before
    kept = ["smiles", "scaffold", molecules.target.name]
    pd.testing.assert_frame_equal(split[kept], molecules.table[kept])
    graphs = read_graphs(tmp_path / "split", "graphs")
    assert np.array_equal(graphs.atoms, featurise(split["smiles"].tolist()).atoms)


def test_members_never_learn_what_is_tested(molecules: Any, tmp_path: Path) -> None:
    tested = molecules.tested(0.2, 0, "scaffold")
    assert 0.1 < tested.mean() <= 0.25
    scaffolds = molecules.table["scaffold"]
    assert not set(scaffolds[tested]) & set(scaffolds[~tested]) - {""}
    checked = []
    for seed in SEEDS:
        split = molecules.split(tmp_path / str(seed), "scaffold", (0.9, 0.1), seed, tested)["split"]
        assert ((split == "test") == tested).all()
        checked.append(frozenset(np.flatnonzero(split == "validation")))
    assert len(set(checked)) == len(SEEDS) and all(checked)


def test_interval_of_a_mean(bench: Any) -> None:
    summary = bench("screening_records").summary
    found = summary([1.0, 2.0, 3.0], ratio=0.0)
    assert (found["mean"], found["sd"], found["n"]) == (2.0, 1.0, 3)
    assert found["high"] - 2 == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)  # Student's t
    shared = summary([1.0, 2.0, 3.0], ratio=0.25)
    assert 2 - shared["low"] == pytest.approx(4.302653 * np.sqrt(1 / 3 + 0.25), rel=1e-6)


def test_finished_results_are_not_computed_again(bench: Any, tmp_path: Path) -> None:
    journal, calls = bench("screening_records").Journal, []

    def run() -> dict[str, Any]:
        calls.append(1)
        return {"auc": len(calls) / 10}

    first = journal(tmp_path, "x", epochs=1).of({"seed": 0}, run)
    with (tmp_path / "screening_x.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"row": {"seed": 1, "auc"')  # killed here
    again = journal(tmp_path, "x", epochs=1)
    assert again.of({"seed": 0}, run) == first
    assert again.of({"seed": 1}, run)["auc"] == 0.2
    assert journal(tmp_path, "x", epochs=2).of({"seed": 0}, run)["auc"] == 0.3
    assert [row["auc"] for row in again.rows()] == [0.1, 0.2]


def test_rank_of_halicin(bench: Any) -> None:
    smiles = ["C", "CC", "CCC", "CCCC"]
    usable = np.array([True, True, False, True, True])
    unlike = np.array([True, False, True, True, True])
    library = bench("screening_halicin").Library(
        smiles, featurise(smiles), counts(smiles), usable, unlike, halicin=3
    )
    assert library.ranks(np.array([1.0, 3.0, 2.0, 0.5])) == {"rank": 2, "rank_dissimilar": 1}
    assert library.ranks(np.array([2.0, 3.0, 2.0, 0.5])) == {"rank": 3, "rank_dissimilar": 2}
    assert library.ranks(np.array([1.0, 2.0, 0.0, 0.5])) == {"rank": 4, "rank_dissimilar": 3}


def test_new_is_what_is_connected_otherwise(bench: Any) -> None:
    new = bench("screening_halicin").new_molecules
    old = ["C[C@H](N)C(=O)O", "OCC", "nonsense"]
    assert new(old, ["CC(N)C(O)=O", "C[C@@H](N)C(=O)O", "CCO", "COC", "CCO.Cl"]) == [
        "COC",
        "CCO.Cl",
    ]


@pytest.mark.parametrize("kind", ["class", "value"])
def test_the_forest_is_that_of_evaluate(bench: Any, molecules: Any, kind: str) -> None:
    forest = bench("screening_ours").forest
    x, truth = counts(KNOWN), pd.Series(np.arange(len(KNOWN)) % 2, dtype=float)
    target = type(molecules.target)("t", kind)
    learnt, asked, nothing = x[:40], x[40:], np.empty((0, 0))
    whole = Molecules(x, nothing, truth[:40].to_numpy(), nothing, nothing)
    expected = _forest(whole, target, trees=500, seed=1)
    assert np.array_equal(forest(learnt, truth[:40], asked, kind, seed=1), expected)


def test_a_long_table_repeats_molecules_under_new_names(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, given = bench("screening_apply"), tmp_path / "b3db.tsv"
    given.write_text("SMILES\tother\nCCO\t1\nCCN\t2\n", encoding="utf-8")

    def fetch(source: Any) -> dict[str, Path]:
        if source.name == "molsets":
            raise UserError("no network")
        return {"B3DB/B3DB_classification.tsv": given}

    monkeypatch.setattr(module, "fetch", fetch)
    assert module.write_table(tmp_path / "long.csv", 5) == "B3DB"
    table = pd.read_csv(tmp_path / "long.csv")
    assert table["smiles"].tolist() == ["CCO", "CCN", "CCO", "CCN", "CCO"]
    assert table["name"].is_unique


def test_chemprop_learns_as_ours_does(bench: Any, molecules: Any, tmp_path: Path) -> None:
    pytest.importorskip("chemprop", exc_type=ImportError)
    bench("side_by_side").set_threads(1)
    folder, speed = tmp_path / "split", bench("screening_speed")
    split = molecules.split(folder, "random", (0.6, 0.2, 0.2), 0)
    size = 3 * int((split["split"] == "train").sum())
    for name in ("ours", "chemprop"):
        one = speed.side(name, folder, "quick", epochs=3, threads=1, seed=0)
        assert one.learn() == one.learn_from_smiles() == size
        assert len(one.predict(KNOWN)) == len(KNOWN)
    one.learn_well()
    said = one.predict(KNOWN)
    assert np.allclose(said, one.predict(KNOWN, "cuik"), atol=1e-5)
