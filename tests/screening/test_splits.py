"""Nothing is shared between splits; clusters are Butina's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem, DataStructs
from rdkit.ML.Cluster import Butina

from domains.screening.prepare.arrays import SPLITS
from domains.screening.prepare.clusters import SIMILAR, butina
from domains.screening.prepare.featurise import COUNTS
from domains.screening.prepare.known import FREESOLV
from domains.screening.prepare.params import TargetColumn
from domains.screening.prepare.splitting import assign, groups_of, require_enough
from pipelines.chemistry.fingerprints import morgan, packed, stacked
from pipelines.chemistry.kinship import kinships
from pipelines.chemistry.standardise import standardise
from pipelines.core.errors import UserError
from pipelines.data.sources import fetch
from tests.screening.made import KNOWN

SHARES = [0.8, 0.1, 0.1]
KINDS = ("scaffold", "cluster", "random")


@pytest.fixture(scope="module")
def smiles() -> list[str]:
    """Six hundred real molecules, each once, and stereoisomers of some."""
    (path,) = fetch(FREESOLV).values()
    given = pd.read_csv(path)["smiles"].tolist() + KNOWN
    isomers = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CC(N)C(=O)O", "F/C=C/F", "F/C=C\\F"]
    isomers += ["O=c1cc[nH]cc1CCl", "Oc1ccncc1CCl", "CC1=NNC(=O)C1", "Cc1cc(=O)[nH][nH]1"]
    isomers += ["C[N+](C)(C)CC([O-])=O", "C[N+](C)(C)CC(O)=O"]
    forms = [standardise(text).smiles for text in [*given, *isomers]]
    return list(dict.fromkeys(form for form in forms if form))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_no_group_and_no_form_of_a_molecule_crosses(
    smiles: list[str], kind: str, seed: int
) -> None:
    kin = kinships(smiles)
    groups = groups_of(smiles, kin, kind)
    split = assign(groups, SHARES, seed)
    table = pd.DataFrame({"split": split, "group": groups, "flat": [one.flat for one in kin]})
    assert (table.groupby("group")["split"].nunique() == 1).all()
    assert (table.groupby("flat")["split"].nunique() == 1).all()
    keys = [Chem.MolToInchiKey(Chem.MolFromSmiles(text))[:14] for text in smiles]
    assert len(set(keys)) < len({one.flat for one in kin})
    assert (table.groupby(keys)["split"].nunique() == 1).all()
    if kind == "scaffold":
        table["scaffold"] = [one.scaffold for one in kin]
        rings = table[table["scaffold"] != ""]
        assert (rings.groupby("scaffold")["split"].nunique() == 1).all()
    sizes = table["split"].value_counts() / len(table)
    assert [sizes[name] for name in SPLITS] == pytest.approx(SHARES, abs=0.01)


def test_groups_that_share_a_molecule_are_one() -> None:
    forms = ["O=c1cc[nH]cc1CCl", "Oc1ccncc1CCl", "Nc1ccncc1", "c1ccccc1", "CCO"]
    groups = groups_of(forms, kinships(forms), "scaffold")
    assert len({kin.scaffold for kin in kinships(forms[:2])}) == 2
    assert groups[0] == groups[1] == groups[2] and len(set(groups)) == 3
    backwards = groups_of(forms[::-1], kinships(forms[::-1]), "scaffold")
    assert backwards[::-1] == groups


def test_the_largest_scaffolds_are_learnt_from_and_the_seed_chooses_the_others() -> None:
    groups = ["large"] * 30 + [f"small {k}" for k in range(70)]
    first, again, other = (assign(groups, SHARES, seed) for seed in (1, 1, 2))
    assert (first[:30] == "train").all() and (other[:30] == "train").all()
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert (assign(groups[::-1], SHARES, 1)[::-1] == first).all()  # the order of rows does not


@pytest.mark.parametrize("similar", [0.3, SIMILAR, 0.7])
def test_clusters_are_those_of_rdkit(smiles: list[str], similar: float) -> None:
    mols = [Chem.MolFromSmiles(text) for text in smiles[:300]]
    bits = [morgan(COUNTS).GetFingerprint(mol) for mol in mols]
    distances = [
        1 - s
        for k in range(len(bits))
        for s in DataStructs.BulkTanimotoSimilarity(bits[k], bits[:k])
    ]
    expected = Butina.ClusterData(distances, len(bits), 1 - similar + 1e-9, isDistData=True)
    found = butina(stacked([packed(mol, COUNTS) for mol in mols], COUNTS), similar)
    clusters = [set(np.flatnonzero(found == k).tolist()) for k in range(found.max() + 1)]
    assert sorted(map(sorted, clusters)) == sorted(sorted(c) for c in expected)


@pytest.mark.parametrize(
    ("kind", "labels", "message"),
    [
        ("class", [1.0, 1.0, 0.0], r"test: found 1 molecule\(s\) of the rarer class of target t"),
        ("class", [1.0, np.nan, np.nan], r"test: found 0 molecule\(s\) of the rarer class"),
        ("value", [2.5, 2.5, np.nan], r"test: found 1 molecule\(s\) with different values"),
    ],
)
def test_a_split_without_enough_of_a_target_is_refused(
    kind: str, labels: list[float], message: str
) -> None:
    target = TargetColumn.model_validate(
        {"name": "t", "column": "t", "kind": kind, "unit": "", "better": "high"}
        | {"positive": "1" if kind == "class" else ""}
    )
    good = [0.0, 0.0, 1.0, 1.0]
    split = ["train"] * 4 + ["validation"] * 4 + ["test"] * 3
    table = pd.DataFrame({"split": split, "t": [*good, *good, *labels]})
    with pytest.raises(UserError, match=message):
        require_enough(table, [target])
    table.loc[8:, "t"] = [0.0, 1.0, 0.0] if kind == "value" else np.nan
    if kind == "value":
        require_enough(table, [target])
