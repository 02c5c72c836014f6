"""Explanations with known answers: what is hidden, planted or shuffled is known to the test."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from domains.screening.explain import atoms, carriers, explain, pairs
from domains.screening.explain.attribution import attributed, masked, neighbourhoods
from domains.screening.explain.carriers import Found, contrast, sums_of
from domains.screening.explain.control import randomised
from domains.screening.explain.drawing import Effect
from domains.screening.explain.known import Group, known_groups, matched
from domains.screening.explain.params import ExplainParams
from domains.screening.explain.planted import GROUPS, planted
from domains.screening.explain.subject import read_subject
from domains.screening.prepare.arrays import Graphs
from domains.screening.prepare.featurise import featurise
from domains.screening.prepare.known import DATASETS
from domains.screening.train.reading import Ensemble
from pipelines.core.artifacts import read_csv, read_json, write_csv, write_json
from pipelines.core.contract import check_outputs
from pipelines.core.runner import Inputs
from pipelines.statistics.bootstrap import Interval
from tests.screening.chain import ACTIVE, LOGS, has_nitro, molecules, prepared, trained

SMILES = molecules()
PARAMS = ExplainParams(molecules=12, seed=0)
NITRO = Group("nitro", "C[N+](=O)[O-]", 1)
NITROGEN = 2  # code of the element


def nitrogens(graphs: Graphs, which: np.ndarray) -> np.ndarray:
    """A network that counts the nitrogen atoms it sees."""
    seen = np.concatenate([[0], np.cumsum(graphs.atoms[:, 0] == NITROGEN)])
    return np.diff(seen[graphs.atom_offsets]).astype(float)


def test_what_is_hidden_is_the_neighbourhood_and_nothing_else() -> None:
    graphs = featurise(["CCN", "O", "c1ccccc1C"])
    masks = [neighbourhoods(graphs, k) for k in range(3)]
    assert masks[0].astype(int).tolist() == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
    copies = masked(graphs, masks)
    assert len(copies) == 3 + 1 + 7
    assert (copies.atoms[:3, 0] == [0, 0, NITROGEN]).all()
    # The bond between a hidden and a seen atom is hidden, too; the skeleton stays.
    assert (copies.bonds[:2] == 0).all() and (copies.ends[:2] == graphs.ends[:2]).all()
    seen = copies.take([4 + 6])  # toluene without its methyl and the carbon that bears it
    hidden = (seen.atoms == 0).all(axis=1)
    assert hidden.sum() == 2 and not (seen.atoms[~hidden] == 0).any()
    assert (seen.bonds == 0).all(axis=1).sum() == 3


def test_attribution_finds_the_atoms_that_are_counted() -> None:
    graphs = featurise(["CCN", "NCCCN", "CCCC", "O"])
    found = attributed(nitrogens, graphs)
    expected = [[0, 1 / 3, 1 / 2], [1 / 2, 1 / 3, 0, 1 / 3, 1 / 2], [0, 0, 0, 0], [0]]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other)


def test_attribution_is_the_same_however_molecules_are_batched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graphs = featurise(SMILES[:20])
    together = attributed(nitrogens, graphs)
    monkeypatch.setattr("domains.screening.explain.attribution._COPIES", 25)
    for one, other in zip(together, attributed(nitrogens, graphs), strict=True):
        np.testing.assert_array_equal(one, other)


def test_attribution_of_no_molecule_is_none() -> None:
    assert attributed(nitrogens, featurise([])) == []


def test_a_contrast_that_is_known() -> None:
    inside = [np.array([1, 0, 0, 0], dtype=bool)] * 6
    where = pd.Series(list("aabbcc"))

    def found(weights: list[float]) -> float:
        return float(contrast(*sums_of([np.array(weights)] * 6, inside, where)))

    assert found([5.0, 1.0, 2.0, 3.0]) == 3 and found([-5.0, -1.0, -2.0, -3.0]) == -3
    assert found([1.0, 1.0, 1.0, 1.0]) == 0
    # As large inside, but half of it speaks for and half against: the size is no direction.
    assert found([0.0, 9.0, -9.0, 0.0]) == 0


@pytest.mark.parametrize(
    ("sign", "model", "controls", "holds"),
    [
        (1, (0.5, 0.2, 0.8), [0.1, -0.4, 0.3], True),
        (1, (0.5, 0.2, 0.8), [0.0, 0.0, 0.6], False),  # one control goes further
        (1, (0.5, 0.2, 0.8), [0.0, 0.0, -0.6], False),
        (1, (0.5, -0.1, 0.8), [0.0, 0.0, 0.1], False),
        (-1, (0.5, 0.2, 0.8), [0.0, 0.0, 0.1], False),  # large, in the wrong direction
        (-1, (-0.5, -0.8, -0.2), [0.0, 0.0, 0.1], True),
    ],
)
def test_a_known_group_is_seen_only_beyond_all_controls(
    sign: int, model: tuple[float, float, float], controls: list[float], holds: bool
) -> None:
    effect = Effect(Interval(*model), controls)
    assert Found(Group("any", "C", sign), 9, 9, 0, effect).holds is holds


@pytest.mark.parametrize(
    ("name", "smiles", "atoms"),
    [
        ("beta-lactam", "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O", 5),
        ("quinolone", "O=C(O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O", 11),
        ("sulfonamide", "Cc1cc(NS(=O)(=O)c2ccc(N)cc2)no1", 11),
        ("nitro-heterocycle", "Cc1ncc([N+](=O)[O-])n1CCO", 8),
    ],
)
def test_antibiotics_are_found_and_others_not(name: str, smiles: str, atoms: int) -> None:
    groups = {group.name: group for group in known_groups(DATASETS["ecoli"].title)}
    assert matched(Chem.MolFromSmiles(smiles), groups.pop(name)).sum() == atoms
    assert not any(matched(Chem.MolFromSmiles(smiles), group).any() for group in groups.values())


def test_groups_are_known_of_the_data_they_are_meant_for() -> None:
    known = {name for name, data in DATASETS.items() if known_groups(data.title)}
    assert known == {"b3db", "logbb", "ecoli"}


def test_planted_groups_sit_on_the_same_carbon() -> None:
    given = ["Cc1ccccc1", "CCC", "O=C(Cl)Cl", "N[C@@H](Cc1c[nH]cn1)C(=O)O"]
    kept, made = planted(given, 0)
    assert kept.tolist() == [0, 1, 3]
    for k, row in enumerate(kept):
        mol = Chem.MolFromSmiles(given[row])
        for name, fragment in GROUPS.items():
            other = Chem.MolFromSmiles(made[name][k])
            added = other.GetNumHeavyAtoms() - mol.GetNumHeavyAtoms()
            assert added == Chem.MolFromSmiles(fragment).GetNumHeavyAtoms()
            assert other.HasSubstructMatch(mol)
            assert not any(atom.GetNumRadicalElectrons() for atom in other.GetAtoms())
        swapped = made["fluorine"][k].replace("F", "Cl")
        assert Chem.CanonSmiles(swapped) == Chem.CanonSmiles(made["chlorine"][k])
    assert CalcMolFormula(Chem.MolFromSmiles(made["hydroxyl"][0])) == "C7H8O"


def test_the_control_has_the_same_weights_in_another_order() -> None:
    torch.manual_seed(0)
    network = torch.nn.Linear(8, 8)
    other, again = randomised(network, 1, 2), randomised(network, 1, 2)
    for a, b, c in zip(*(m.parameters() for m in (network, other, again)), strict=True):
        assert torch.equal(a.flatten().sort()[0], b.flatten().sort()[0])
        assert torch.equal(b, c) and not torch.equal(a, b)


@pytest.fixture(scope="module")
def nitro(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """A network that has learnt to find nitro groups."""
    inputs = prepared(tmp_path_factory.mktemp("nitro"), SMILES, {ACTIVE: has_nitro(SMILES)})
    return trained(inputs, epochs=6)


def test_what_was_learnt_is_highlighted_and_the_control_is_not(nitro: Inputs) -> None:
    subject = read_subject(nitro, 0)
    mols = [Chem.MolFromSmiles(smiles) for smiles in subject.table["smiles"]]
    found = carriers._of_group(subject, NITRO, mols, 40, 0)
    assert found is not None and found.positive == found.carriers == 40
    assert found.holds and len(found.effect.controls) == 5
    assert found.effect.model.low > 1.5 * max(map(abs, found.effect.controls))
    other = carriers._of_group(subject, NITRO._replace(sign=-1), mols, 40, 0)
    assert other is not None and not other.holds


def test_what_was_not_measured_is_no_negative(nitro: Inputs) -> None:
    subject = read_subject(nitro, 0)
    mols = [Chem.MolFromSmiles(smiles) for smiles in subject.table["smiles"]]
    row = subject.said.index[0]
    said, table = subject.said.copy(), subject.table.copy()
    said.loc[row, "active"] = table["active"] = np.nan
    unknown = replace(subject, said=said, table=table)
    assert atoms._told(unknown, row).endswith(", not measured")
    assert not atoms._told(subject, row).endswith("measured")
    found = carriers._of_group(unknown, NITRO, mols, 6, 0)
    assert found is not None and (found.positive, found.unknown) == (0, 6)
    assert "6 not measured" in carriers._counted(found, unknown)


@pytest.mark.parametrize("count", [0, 1, 4, 6])
def test_few_test_molecules_are_drawn_as_they_are(
    nitro: Inputs, tmp_path: Path, count: int
) -> None:
    subject = read_subject(nitro, 0)
    few = subject.said[subject.said["split"] == "test"][:count]
    entry = atoms.draw_atoms(tmp_path, replace(subject, said=few))
    assert (entry is not None) == (tmp_path / "atoms.png").is_file() == (count > 0)


def test_matched_pairs_show_each_control(nitro: Inputs) -> None:
    subject = read_subject(nitro, 0)
    rows = subject.said.index.to_numpy()[:20]
    kept, made = planted(subject.table["smiles"].iloc[rows].tolist(), 0)
    found = pairs._changes(subject, rows[kept], {"nitro": made["nitro"]}, 0)["nitro"]
    assert len(set(found.controls)) == 5
    assert found.model.low > 0


def test_matched_pairs_of_few_groups_are_not_shown(nitro: Inputs, tmp_path: Path) -> None:
    subject = read_subject(nitro, 0)
    few = subject.table.assign(group=[str(k % 4) for k in range(len(subject.table))])
    assert pairs.draw_pairs(tmp_path, replace(subject, table=few), 40, 0) is None
    assert not list(tmp_path.iterdir())


def test_the_picture_shows_the_extremes(nitro: Inputs) -> None:
    subject = read_subject(nitro, 0)
    high, low = atoms.extremes(subject)
    test = subject.said[subject.said["split"] == "test"]
    assert test.loc[high[0], "active_score"] == test["active_score"].max()
    assert test.loc[low[0], "active_score"] == test["active_score"].min()
    assert not set(high) & set(low) and len(high) == len(low) == 4
    # One group has the highest and nearly the lowest score: the lowest is another's.
    order = test.sort_values("active_score").index
    said = subject.said.copy()
    said.loc[[order[1], order[0], order[2]], "group"] = "many"
    _, low = atoms.extremes(replace(subject, said=said))
    assert low[0] == order[0] and not set(low) & {order[1], order[2]}
    for row in (*high, *low):  # the lines of predictions are those of the molecules
        assert subject.said.loc[row, "smiles"] == subject.table["smiles"].iloc[row]


def explained(inputs: Inputs, out: Path) -> tuple[list[str], dict[str, object]]:
    out.mkdir()
    explain(PARAMS, inputs, out)
    check_outputs("explain", out, "domains/screening/explain")
    assert "nan" not in (out / "explain.json").read_text()
    content = read_json(out / "explain.json")
    assert all("randomised" in f["caption"] for f in content["figures"] if f["file"] != "hits.png")
    return [figure["file"] for figure in content["figures"]], content["findings"]


def ranked_inside(inputs: Inputs, out: Path, inside: list[bool]) -> Path:
    """The predictions, with these molecules of the ranking inside the domain."""
    shutil.copytree(inputs.predict, out)
    ranking = read_csv(out / "ranking.csv")
    write_csv(out / "ranking.csv", ranking.assign(inside=inside[: len(ranking)]))
    return out


def test_all_figures_and_the_same_bytes_again(nitro: Inputs, tmp_path: Path) -> None:
    card = read_json(nitro.prepare / "card.json")
    write_json(nitro.prepare / "card.json", {"title": DATASETS["b3db"].title})
    inputs = replace(nitro, predict=ranked_inside(nitro, tmp_path / "predict", [True] * 3))
    try:
        files, findings = explained(inputs, tmp_path / "a")
        explained(inputs, tmp_path / "b")
    finally:
        write_json(nitro.prepare / "card.json", card)
    assert files == ["hits.png", "atoms.png", "known_groups.png", "matched_pairs.png"]
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    assert findings["library molecules that were not measured"] == 3


def test_known_groups_are_drawn_with_their_counts(
    nitro: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = Group("ether", "COC", 1)
    monkeypatch.setattr(carriers, "known_groups", lambda title: (NITRO, never))
    entry, findings = carriers.draw_carriers(tmp_path, read_subject(nitro, 0), 10, 0)
    assert (tmp_path / "known_groups.png").is_file()
    assert "nitro" in entry["caption"] and len(findings) == 6
    assert "No molecule" not in entry["caption"]


def test_values_without_a_library_and_joined_descriptors(tmp_path: Path) -> None:
    logs = np.array([len(text) / 10 for text in SMILES])
    labels = {LOGS: logs, ACTIVE: has_nitro(SMILES)}
    inputs = trained(
        prepared(tmp_path, SMILES, labels, library=False), join="descriptors", epochs=1, members=1
    )
    files, findings = explained(inputs, tmp_path / "out")
    assert files == ["atoms.png", "matched_pairs.png"]
    assert any("log mol/L" in name for name in findings)
    assert isinstance(read_subject(inputs, 0).ensemble, Ensemble)
