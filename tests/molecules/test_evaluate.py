"""The stage on a small prepared set: its tables, and sets that have nothing to score."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator
from rdkit.DataStructs import BulkTanimotoSimilarity, TanimotoSimilarity
from scipy.stats import binomtest, wasserstein_distance

from domains.molecules.evaluate import evaluate, standing
from domains.molecules.evaluate.drawn import baselines
from domains.molecules.evaluate.kl import kl_score, profile
from domains.molecules.evaluate.molecules import describe
from domains.molecules.evaluate.params import EvaluateParams
from domains.molecules.evaluate.published import METRICS
from domains.molecules.prepare.arrays import write_splits
from domains.molecules.prepare.files import MOSES_TITLE
from domains.molecules.prepare.yardsticks import convert
from pipelines.core.artifacts import read_csv, read_json, write_csv, write_json
from pipelines.core.contract import check_outputs
from pipelines.core.runner import Inputs

Scored = Callable[..., tuple[pd.DataFrame, dict[str, float], Path]]
MORGAN = GetMorganGenerator(radius=2, fpSize=1024)


def molecules(rings: list[str]) -> list[str]:
    ends = [
        "C",
        "CC",
        "CO",
        "N",
        "F",
        "Cl",
        "C#N",
        "OC",
        "C(=O)N",
        "S(C)(=O)=O",
        "C1CC1",
        "NC(C)=O",
    ]
    texts = [f"{ring}{end}" for ring in rings for end in ends]
    return [Chem.MolToSmiles(Chem.MolFromSmiles(text)) for text in texts]


SPLITS = {
    "train": molecules(["c1ccccc1", "c1ccncc1CNC(=O)", "C1CCNCC1", "c1ccc2ccccc2c1"]),
    "validation": molecules(["c1ccsc1"]),
    "test": molecules(["c1cccnc1", "c1ccc2[nH]ccc2c1", "c1ccc(-c2ccccc2)cc1"]),
    "test_scaffolds": molecules(["c1ccc2occc2c1", "O=C(Nc1ccccc1)c1ccccc1"]),
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("inputs") / "prepare"
    out.mkdir()
    convert(out)
    write_splits(out, SPLITS)
    write_json(out / "card.json", {"title": MOSES_TITLE})
    return out


@pytest.fixture(scope="module", autouse=True)
def cache(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that an earlier run has kept is read again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCISTAGE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def scored(prepared: Path, tmp_path: Path) -> Scored:
    """Score a list of SMILES as the model's."""

    def run(smiles: list[str], **others: list[str]) -> tuple[pd.DataFrame, dict[str, float], Path]:
        predict, out = tmp_path / "predict", tmp_path / "evaluate"
        for name, texts in {"generated": smiles, **others}.items():
            write_csv(predict / f"{name}.csv", pd.DataFrame({"smiles": texts}))
        note = {"seed": 0, "drawn": 50, "valid": 40, "acceptance": 0.5, "temperature": 1.0}
        noted = {"rejection.csv": note} if "rejection" in others else {}
        write_json(predict / "draws.json", noted)
        out.mkdir()
        inputs = Inputs(*[prepared.parent / "prepare"] * 2, predict, out, out)
        evaluate(EvaluateParams(seed=3), inputs, out)
        scores = read_csv(out / "scores.csv")
        return scores, read_json(out / "metrics.json"), out

    return run


def of(scores: pd.DataFrame, row: str) -> pd.DataFrame:
    return scores[scores["row"] == row].set_index("metric")


def test_every_set_has_every_score_with_its_interval_and_its_n(scored: Scored) -> None:
    smiles = [*molecules(["c1ccccc1C", "C1CCOC1", "c1ccc2ccccc2c1"]), "C((", ""]
    accepted = smiles[:12]
    scores, metrics, out = scored(smiles, likelihood=smiles[::-1], rejection=accepted)
    check_outputs("evaluate", out, "molecules/evaluate")
    ours = scores[scores["source"] == "this run"]
    rows = ["model", "likelihood", "model, rejection", "ngram", "brics"]
    compared = [f"model - {name}" for name in ("likelihood", "ngram", "brics")]
    assert list(dict.fromkeys(ours["row"])) == [*rows, "floor, training molecules", *compared]
    model = of(scores, "model")
    assert set(METRICS) <= set(model.index)
    assert len(model) == 20
    assert model.loc["validity", "value"] == pytest.approx(36 / 38, rel=1e-5)
    assert model.loc["validity", "n"] == 38
    assert model.loc[["unique_1k", "unique_10k", "fcd_test", "filters"], "n"].tolist() == [36] * 4
    assert (model["low"] <= model["value"]).all()
    assert (model["high"] >= model["value"]).all()
    assert model.loc["novelty", "value"] == pytest.approx(23 / 36, rel=1e-5)
    # 12 of naphthalene, and ethylbenzene, which is methyltoluene
    assert "novelty" not in of(scores, "floor, training molecules").index
    rejection = of(scores, "model, rejection")
    assert rejection.loc["acceptance", "value"] == 0.5 and "validity" not in rejection.index
    assert metrics["fcd_test"] == pytest.approx(model.loc["fcd_test", "value"], rel=1e-5)
    assert len(metrics) == 8
    assert of(scores, "CharRNN").loc["fcd_test", "value"] == 0.0732
    curve = read_csv(out / "curves" / "logp.csv")
    width = curve.iloc[1, 0] - curve.iloc[0, 0]
    assert (curve.iloc[:, 1:].sum() * width <= 1 + 1e-4).all()
    assert {"density_model", "density_test", "density_floor_training_molecules"} <= set(
        curve.columns
    )
    assert read_json(out / "baselines.json")["ngram"]["context"] in range(2, 8)


def test_a_set_is_at_no_distance_from_itself(scored: Scored) -> None:
    scores, _, _ = scored(SPLITS["test"], likelihood=SPLITS["test_scaffolds"])
    names = ("fcd", "snn", "frag", "scaf")
    for row, own, other in (
        ("model", "test", "test_scaffolds"), ("likelihood", "test_scaffolds", "test")
    ):  # fmt: skip
        found = of(scores, row)["value"]
        assert found[[f"{name}_{own}" for name in names]].tolist() == pytest.approx(
            [0, 1, 1, 1], abs=1e-4
        )
        fcd, *similar = found[[f"{name}_{other}" for name in names]]
        assert fcd > 1
        assert max(similar) < 0.95
    w1 = ["logp_w1", "sa_w1", "qed_w1", "weight_w1"]
    assert of(scores, "model").loc[w1, "value"].tolist() == [0] * 4
    expected = wasserstein_distance(weights("test_scaffolds"), weights("test"))
    assert of(scores, "likelihood")["value"]["weight_w1"] == pytest.approx(expected, rel=1e-4)


def weights(split: str) -> list[float]:
    return [Descriptors.MolWt(Chem.MolFromSmiles(smiles)) for smiles in SPLITS[split]]


def test_floor_and_baselines_are_of_training_molecules(scored: Scored, prepared: Path) -> None:
    scores, _, _ = scored(SPLITS["test"] * 2)
    floor = of(scores, "floor, training molecules")
    assert floor.loc["validity", "n"] == len(SPLITS["train"])
    expected = wasserstein_distance(weights("train"), weights("test"))
    assert floor["value"]["weight_w1"] == pytest.approx(expected, rel=1e-4)
    rows, rules = baselines(prepared, 200, 3)
    for written in rows.values():
        assert "s" not in "".join(written)  # all molecules of validation have one
        assert set(SPLITS["train"]) & set(written)
    assert rules["ngram"]["validation_nats_per_token"] > 1


def test_neither_training_nor_validation_molecules_are_new(scored: Scored) -> None:
    known = SPLITS["train"][:3] + SPLITS["validation"][:4]
    scores, _, _ = scored(known + SPLITS["test"][:5])
    assert of(scores, "model")["value"]["novelty"] == pytest.approx(5 / 12, rel=1e-5)


def test_diversity_of_two_molecules(scored: Scored) -> None:
    pair = SPLITS["test"][:2]
    prints = [MORGAN.GetFingerprint(Chem.MolFromSmiles(smiles)) for smiles in pair]
    s = TanimotoSimilarity(*prints)
    found = of(scored(pair)[0], "model")["value"]
    assert found["int_div_1"] == pytest.approx(1 - (1 + s) / 2, rel=1e-5)
    assert found["int_div_2"] == pytest.approx(1 - ((1 + s**2) / 2) ** 0.5, rel=1e-5)


def test_the_kl_score_is_that_of_the_training_molecules_seen_from_ours(scored: Scored) -> None:
    smiles = SPLITS["test"][::2]
    sets = describe({"ours": smiles, "training": SPLITS["train"]}, parts=("descriptors",))
    ours, training = (profile(found, "cpu") for found in sets.values())
    expected = kl_score(ours, training).value
    assert abs(expected - kl_score(training, ours).value) > 0.01
    found = of(scored(smiles)[0], "model")["value"]["kl_score"]
    assert found == pytest.approx(expected, rel=1e-4)


def test_intervals_are_a_jackknifes(scored: Scored) -> None:
    smiles = SPLITS["test"][::2] + SPLITS["test_scaffolds"][::3]
    model = of(scored([*smiles, "C(("])[0], "model")
    ours, test = (
        [MORGAN.GetFingerprint(Chem.MolFromSmiles(s)) for s in texts]
        for texts in (smiles, SPLITS["test"])
    )
    own = np.array([BulkTanimotoSimilarity(one, ours) for one in ours])
    near = np.array([max(BulkTanimotoSimilarity(one, test)) for one in ours])
    weight = np.array([Descriptors.MolWt(Chem.MolFromSmiles(s)) for s in smiles])
    scores = {
        "snn_test": lambda kept: near[kept].mean(),
        "int_div_1": lambda kept: 1 - own[np.ix_(kept, kept)].mean(),
        "int_div_2": lambda kept: 1 - np.sqrt((own[np.ix_(kept, kept)] ** 2).mean(1)).mean(),
        "weight_w1": lambda kept: wasserstein_distance(weight[kept], weights("test")),
    }
    every = np.arange(n := len(smiles))
    for name, score in scores.items():
        error = np.std([score(np.delete(every, k)) for k in every]) * (n - 1) ** 0.5
        assert model["value"][name] == pytest.approx(score(every), rel=1e-4)
        half = model["high"][name] - model["value"][name]
        assert half / 1.96 == pytest.approx(error, rel=0.1), name
    for name, hits, count in (
        ("validity", n, n + 1), ("filters", round(model["value"]["filters"] * n), n)
    ):  # fmt: skip
        expected = binomtest(hits, count).proportion_ci(method="wilson")
        assert model.loc[name, ["low", "high"]].tolist() == pytest.approx(
            [expected.low, expected.high], rel=1e-4
        )


def test_the_difference_of_two_sets_has_an_interval_of_both(scored: Scored) -> None:
    ours = molecules(["c1ccccc1C", "C1CCOC1"])
    scores, _, _ = scored([*ours, "C(("], likelihood=[*ours, "C((", "", "xyz"])
    a, b, difference = (
        of(scores, row).loc["validity"] for row in ("model", "likelihood", "model - likelihood")
    )
    assert difference["value"] == pytest.approx(a["value"] - b["value"], rel=1e-4)
    low = np.hypot(a["value"] - a["low"], b["high"] - b["value"])
    high = np.hypot(a["high"] - a["value"], b["value"] - b["low"])
    assert difference["value"] - difference["low"] == pytest.approx(low, rel=1e-3)
    assert difference["high"] - difference["value"] == pytest.approx(high, rel=1e-3)


@pytest.mark.parametrize("smiles", [["C((", "", "xyz"], ["C(("] * 300])
def test_of_invalid_molecules_only_their_share_is_known(scored: Scored, smiles: list[str]) -> None:
    scores, metrics, out = scored(smiles)
    check_outputs("evaluate", out, "molecules/evaluate")
    assert metrics == {"validity": 0.0}
    model = of(scores, "model").drop(index="validity")
    assert model[["value", "low", "high", "n"]].isna().all(axis=None)
    assert of(scores, "floor, training molecules").loc["fcd_test_scaffolds", "value"] > 0


def test_of_one_molecule_what_can_be_said_is_said(scored: Scored) -> None:
    scores, metrics, _ = scored(["c1ccccc1CC"])
    model = of(scores, "model")
    undefined = {"fcd_test", "fcd_test_scaffolds", "kl_score"}
    undefined |= {"scaf_test", "scaf_test_scaffolds"}  # one ring only
    assert set(model.index[model["value"].isna()]) == undefined
    assert model.loc["int_div_1", "value"] == 0
    assert model.loc["validity", "value"] == 1
    assert "fcd_test" not in metrics
    assert np.isnan(model.loc["snn_test", "low"])


def test_copies_of_one_molecule_are_scored(scored: Scored) -> None:
    scores, metrics, _ = scored(["c1ccc2ccccc2c1C"] * 30)
    model = of(scores, "model")
    assert metrics["unique_10k"] == pytest.approx(1 / 30, rel=1e-4)
    assert metrics["fcd_test"] > of(scores, "floor, training molecules").loc["fcd_test", "value"]
    assert model.loc["int_div_1", "value"] == pytest.approx(0, abs=1e-6)
    assert model.loc["novelty", "n"] == 1


def test_the_same_draws_give_the_same_bytes(scored: Scored, tmp_path: Path) -> None:
    smiles = molecules(["c1ccccc1C", "C1CCOC1"])
    first = {p.name: p.read_bytes() for p in scored(smiles)[2].rglob("*") if p.is_file()}
    (tmp_path / "evaluate").rename(tmp_path / "before")
    again = {p.name: p.read_bytes() for p in scored(smiles)[2].rglob("*") if p.is_file()}
    assert first == again


def test_what_needs_no_model_is_scored_once(
    scored: Scored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCISTAGE_CACHE", str(tmp_path / "cache"))
    first, _, out = scored(molecules(["C1CCOC1"]))
    rules = read_json(out / "baselines.json")
    out.rename(tmp_path / "before")
    monkeypatch.setattr(standing, "baselines", None)
    other, _, out = scored(molecules(["c1ccccc1C"]))
    assert read_json(out / "baselines.json") == rules
    for row in ("ngram", "brics", "floor, training molecules"):
        assert of(first, row).equals(of(other, row))
    assert not of(first, "model").equals(of(other, "model"))
    out.rename(tmp_path / "after")
    with pytest.raises(TypeError):  # fewer molecules: computed again
        scored(molecules(["c1ccccc1C"])[:5])
