"""Explanations: kinds of mistakes, paths, coverage, token weights, and what there may lack."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from rdkit import rdBase
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

from domains.molecules.explain import explain, gallery, memory, objections
from domains.molecules.explain.memory import known_scaffolds, similarity
from domains.molecules.explain.mistakes import KINDS, kind_of
from domains.molecules.explain.objections import ALIKE
from domains.molecules.explain.params import ExplainParams
from domains.molecules.explain.saliency import Judged, agreement, by_token, randomised, weigh
from domains.molecules.explain.sets import Sets, look_at
from domains.molecules.explain.space import coverage, reach
from domains.molecules.prepare.arrays import encode, read_corpus, write_splits
from domains.molecules.train.chemistry import SEEN, parse
from domains.molecules.train.critic import Critic
from domains.molecules.train.generator import Generator
from pipelines.chemistry.properties import properties_of
from pipelines.core.artifacts import write_csv, write_json
from pipelines.core.contract import check_outputs
from pipelines.core.runner import Inputs
from pipelines.training.weights import write_weights

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCNCC1", "c1ccoc1", "C1CCOC1"]
SMILES = [f"{a}{n}C{b}" for a in ("CC", "OC", "NC(=O)") for n in ("C", "N") for b in RINGS]
SMILES += [f"{ring}CN{other.replace('1', '2')}" for ring in RINGS for other in RINGS]
INVALID = ["CC(", "C1CC", "CC(C)(C)(C)C", "c1cccc1", "", "CC)C"]
LONGEST = 30
MORGAN = GetMorganGenerator(radius=2, fpSize=1024)
PARAMS = ExplainParams(molecules=40, mapped=20, pairs=4, judged=6, seed=1)

MISTAKES = [
    ("CC(C)(C)(C)C", "valence"),
    ("O=C=O=C", "valence"),
    ("FC(F)=C(F)(F)F", "valence"),
    ("c1cccc1", "aromaticity"),
    ("c1ccnc1", "aromaticity"),
    ("ccc", "aromaticity"),
    ("C1CCC", "ring closure"),
    ("C%12CCC", "ring closure"),
    ("C11CC", "ring closure"),
    ("C12CC12", "ring closure"),
    ("C1CC(C2)C1", "ring closure"),
    ("CC(C", "parentheses"),
    ("CC)C", "parentheses"),
    ("C1CC(C", "parentheses"),
    ("C" * 31, "no end"),
    ("C(" * 16, "no end"),
    ("", "other"),
    ("C==C", "other"),
    ("(C)C", "other"),
    ("C?C", "other"),
]


@pytest.mark.parametrize(("smiles", "kind"), MISTAKES)
def test_every_mistake_has_its_kind(smiles: str, kind: str) -> None:
    assert kind_of(smiles, longest=LONGEST) == kind
    assert kind in KINDS


@pytest.mark.parametrize("smiles", ["C%10CC%10C1CC1", "C12CC1C2", "C1CC1C1CC1", "C.C", "[13CH4]"])
def test_what_is_right_has_no_mistake(smiles: str) -> None:
    assert parse([smiles]) != [None]
    assert kind_of(smiles, longest=LONGEST) == "other"


def test_coverage_of_known_sets() -> None:
    test = look_at(SMILES)
    assert coverage(reach(test, test)).value == 1
    assert coverage(reach(test, look_at(["ClCCl"]))).value == 0
    half = test[: len(test) // 2]
    covered = coverage(reach(test, half), near=1.0)
    assert covered.value >= len(half) / len(test)
    assert covered.low < covered.value < covered.high


def test_scaffolds_that_are_known() -> None:
    train = look_at(["c1ccccc1CN1CCCCC1", "CCO"])
    others = look_at(["Cc1ccccc1CN1CCCCC1", "c1ccccc1CC1CC1", "CCCO", "not one"])
    assert len(others) == 3
    assert known_scaffolds(others, set(train.scaffolds)).value == 0.5
    assert similarity(train, train).tolist() == [1.0, 1.0]


def test_the_weight_is_on_the_token_that_decides() -> None:
    critic = _critic_against("N", vocabulary := ["", "C", "N", "O"])
    corpus = encode(["CCNCC", "OCCC", "NCCO"], vocabulary)
    tokens = torch.from_numpy(corpus.padded(np.arange(3)).astype(np.int64))
    judged = weigh(critic, tokens, torch.zeros(3, SEEN))
    np.testing.assert_allclose(judged.logit, [-2, 0, -2])
    expected = [[0, 0, -2, 0, 0], [0] * 5, [-2, 0, 0, 0, 0]]
    np.testing.assert_allclose(np.nan_to_num(judged.weight), expected)
    assert np.isnan(judged.weight).tolist() == (tokens == 0).tolist()
    assert by_token(judged, vocabulary)["N"].tolist() == [-2, -2]
    assert agreement(judged, judged) == pytest.approx(1)
    turned = Judged(judged.tokens, judged.seen, judged.logit, -judged.weight)
    assert agreement(judged, turned) == pytest.approx(-1)


def test_the_control_has_the_same_weights_in_another_order() -> None:
    torch.manual_seed(0)
    critic = Critic(tokens=5, channels=4, hidden=8, dropout=0.0)
    other, again = randomised(critic, 1, 2), randomised(critic, 1, 2)
    for a, b, c in zip(*(m.state_dict().values() for m in (critic, other, again)), strict=True):
        assert torch.equal(a.flatten().sort()[0], b.flatten().sort()[0])
        assert torch.equal(b, c)
    assert not torch.equal(critic.embed.weight, other.embed.weight)


def _critic_against(token: str, vocabulary: list[str]) -> Critic:
    """Its logit is −2 if the token occurs, else 0."""
    critic = Critic(len(vocabulary), channels=1, hidden=1, dropout=0.0).eval()
    with torch.no_grad():
        for weights in critic.parameters():
            weights.zero_()
        critic.embed.weight[vocabulary.index(token), 0] = 1
        critic.filters[0].weight[0, 0, 1] = 1
        critic.join[0].weight[0, 0] = 1
        critic.join[3].weight[0, 0] = -2
    return critic


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Folders as the earlier stages leave them: an adversarial model, untrained."""
    folders = [tmp_path / name for name in ("prepare", "train", "predict", "evaluate", "explain")]
    for folder in folders:
        folder.mkdir()
    found = Inputs(*folders)
    splits = {"train": SMILES[:25], "validation": SMILES[25:35]}
    splits |= {"test": SMILES[35:50], "test_scaffolds": SMILES[50:]}
    write_splits(found.prepare, splits)
    _write_model(found)
    _write_draws(found.predict / "generated.csv", [*SMILES[20:45], *SMILES[40:45], *INVALID])
    _write_draws(found.predict / "likelihood.csv", [*SMILES[:20], *INVALID, *INVALID])
    return found


def _write_model(inputs: Inputs, adversarial: bool = True) -> None:
    torch.manual_seed(0)
    vocabulary = read_corpus(inputs.prepare, "train").vocabulary
    made = {"vocabulary": vocabulary, "hidden": 16, "embedding": 8, "layers": 1, "longest": LONGEST}
    critic = {"tokens": len(vocabulary), "channels": 4, "hidden": 8, "dropout": 0.1}
    state = {f"generator.{k}": v for k, v in Generator(**made).state_dict().items()}
    both = state | {f"critic.{k}": v for k, v in Critic(**critic).state_dict().items()}
    fits = {"likelihood": {"generator": made}}
    states = {"likelihood": state}
    if adversarial:
        fits["adversarial"] = {"generator": made, "critic": critic}
        states["adversarial"] = both
    write_weights(inputs.train / "weights.safetensors", states)
    fits_of = {name: {"model": model} for name, model in fits.items()}
    write_json(inputs.train / "model.json", {"fits": fits_of})


def _write_draws(path: Path, smiles: list[str]) -> None:
    with rdBase.BlockLogs():
        mols = parse(smiles)
    valid = [mol is not None for mol in mols]
    canonical = [text if good else "" for text, good in zip(smiles, valid, strict=True)]
    table = pd.DataFrame({"smiles": smiles, "canonical": canonical, "valid": valid})
    table["duplicate"] = table["canonical"].duplicated() & table["valid"]
    table["in_train"] = table["canonical"].isin(SMILES[:25])
    table = table.assign(**properties_of(canonical))
    table["nearest"] = table["canonical"].where(~table["valid"], SMILES[0])
    table["similarity"] = table["valid"].map({True: 0.5, False: np.nan})
    write_csv(path, table)


def _explained(inputs: Inputs, out: Path) -> tuple[list[str], dict[str, object]]:
    out.mkdir()
    explain(PARAMS, inputs, out)
    check_outputs("explain", out, "domains/molecules/explain")
    text = (out / "explain.json").read_text(encoding="utf-8")
    assert " nan" not in text and '"nan' not in text and "[nan" not in text
    content = json.loads(text)
    return [figure["file"] for figure in content["figures"]], content["findings"]


ALWAYS = ["gallery.png", "properties.png", "memory.png", "mistakes.png"]
ALL = [*ALWAYS, "space.png", "interpolation.png", "objections.png"]


def test_all_figures_and_the_same_bytes_again(inputs: Inputs, tmp_path: Path) -> None:
    files, findings = _explained(inputs, tmp_path / "a")
    assert files == ALL
    assert str(findings["training molecules among the valid draws, share"]).startswith("0.1667 [")
    assert str(findings["invalid, share of draws, likelihood alone"]).startswith("0.3750 [")
    _explained(inputs, tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_no_valid_molecule(inputs: Inputs, tmp_path: Path) -> None:
    _write_draws(inputs.predict / "generated.csv", INVALID)
    files, findings = _explained(inputs, tmp_path / "out")
    assert files == [name for name in ALL if name != "objections.png"]
    assert not any("generated" in name for name in findings)


def test_every_molecule_valid(inputs: Inputs, tmp_path: Path) -> None:
    _write_draws(inputs.predict / "generated.csv", SMILES[:1])
    files, findings = _explained(inputs, tmp_path / "out")
    assert files == ALL
    assert "most frequent mistake" not in findings


def test_without_critic_second_test_set_or_likelihood(inputs: Inputs, tmp_path: Path) -> None:
    _write_model(inputs, adversarial=False)
    (inputs.prepare / "test_scaffolds.smi").write_text("")
    (inputs.predict / "likelihood.csv").unlink()
    files, findings = _explained(inputs, tmp_path / "out")
    assert files == [name for name in ALL if name != "objections.png"]
    assert not any("new scaffolds" in name for name in findings)


def test_nothing_held_out(inputs: Inputs, tmp_path: Path) -> None:
    splits = {"train": SMILES, "validation": SMILES[:1], "test": [], "test_scaffolds": []}
    write_splits(inputs.prepare, splits)
    _write_model(inputs)
    files, _ = _explained(inputs, tmp_path / "out")
    assert files == [*ALWAYS, "objections.png"]


def test_the_control_weighs_otherwise_than_the_critic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = list[Judged]()
    monkeypatch.setattr(objections, "_draw", lambda path, smiles, both, *_: shown.extend(both))
    vocabulary = ["", *sorted({*"".join(SMILES)})]
    torch.manual_seed(0)
    critic = Critic(len(vocabulary), channels=8, hidden=16, dropout=0.0).eval()
    draws = pd.DataFrame({"smiles": SMILES, "valid": True})
    sets = Sets(draws, None, *[look_at([])] * 5)
    _, findings = objections.draw_objections(tmp_path, critic, vocabulary, sets, 20, 1)
    assert abs(float(str(findings[ALIKE]).split()[0])) < 0.3  # with itself it would be 1
    assert abs(agreement(*shown)) < 0.3


def test_known_scaffolds_are_those_of_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "save", lambda *_: None)
    rings = ("N1CCCCC1", "N1CCOCC1", "C1CC1", "N1CCCC1")
    first, second, third, fourth = (f"c1ccccc1C{ring}" for ring in rings)
    draws = pd.DataFrame({"valid": [True] * 2, "in_train": [True, False], "similarity": [1, 0.5]})
    known, test, others = map(look_at, ([first, second], [f"O{first}", third], [third, fourth]))
    sets = Sets(draws, None, known, known, test, others, look_at([first, f"N{second}"]))
    _, findings = memory.draw_memory(tmp_path, sets)
    for name, share in (
        ("generated molecules", "1.0000"), ("test molecules", "0.5000"),
        ("test molecules with new scaffolds", "0.0000"),
    ):  # fmt: skip
        found = findings[f"training scaffolds among those of {name}, share"]
        assert str(found).startswith(share)


def test_the_gallery_shows_draws_by_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = list[Figure]()
    monkeypatch.setattr(gallery, "save", lambda figure, path: figures.append(figure))
    monkeypatch.setattr(gallery, "show_molecule", lambda *_: None)
    smiles = ["C" * k for k in range(1, 301)]
    draws = pd.DataFrame({"smiles": smiles, "canonical": smiles, "qed": np.arange(300) / 300})
    draws = draws.assign(valid=True, in_train=False, logp=0.0, similarity=0.5)
    gallery.draw_gallery(tmp_path, Sets(draws, None, *[look_at([])] * 5), 0)
    labels = [axes.get_xlabel() for axes in figures[0].axes]
    shown = [float(label.removeprefix("QED ").split(",")[0]) for label in labels]
    assert len(shown) == 24
    assert np.mean(shown) == pytest.approx(0.5, abs=0.18)  # three standard errors
    assert abs(np.corrcoef(shown, range(24))[0, 1]) < 0.6
