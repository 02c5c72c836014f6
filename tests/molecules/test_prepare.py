"""Tokens, standardised molecules, subsets, splits and the arrays that hold them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold

from domains.molecules.prepare import moses, prepare, table
from domains.molecules.prepare.arrays import SPLITS, read_corpus, read_smiles
from domains.molecules.prepare.check import check
from domains.molecules.prepare.holdout import split
from domains.molecules.prepare.params import PrepareParams
from domains.molecules.prepare.subset import in_hash_order
from domains.molecules.prepare.tokens import tokenize
from pipelines.chemistry import standardise
from pipelines.chemistry.kinship import kinships
from pipelines.core.errors import UserError
from pipelines.core.parallel import in_parallel
from pipelines.core.runner import inputs_of
from pipelines.data.sources import fetch
from tests.workspace import ROOT

DEFAULTS: dict[str, Any] = {
    "source": "moses",
    "path": None,
    "column": None,
    "train_size": 500,
    "validation_size": 100,
    "test_size": 100,
    "max_tokens": 100,
    "shares": [0.7, 0.1, 0.1, 0.1],
    "seed": 0,
}


def params(**changes: Any) -> PrepareParams:
    return PrepareParams(**{**DEFAULTS, **changes})


@pytest.fixture(scope="module")
def real() -> list[str]:
    """MOSES molecules, as its file of scaffold tests spells them."""
    paths = fetch(moses.MOSES)
    path = paths["moses/dataset/data/test_scaffolds.csv.gz"]
    return gzip.decompress(path.read_bytes()).decode().split()[1:3001]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepare")
    prepare(params(), inputs_of("molecules"), out)
    return out


@pytest.mark.parametrize(
    ("smiles", "tokens"),
    [
        ("CCO", ["C", "C", "O"]),
        ("ClCBr", ["Cl", "C", "Br"]),
        ("C[C@@H](N)C(=O)O", ["C", "[C@@H]", "(", "N", ")", "C", "(", "=", "O", ")", "O"]),
        ("c1cc[nH]c1", ["c", "1", "c", "c", "[nH]", "c", "1"]),
        ("C%12CC%12", ["C", "%12", "C", "C", "%12"]),
        ("F/C=C\\F", ["F", "/", "C", "=", "C", "\\", "F"]),
        ("[13CH3]C#N.[Na+]", ["[13CH3]", "C", "#", "N", ".", "[Na+]"]),
        ("CSi", None),
        ("C!C", None),
        ("C[NH", None),
        ("C C", None),
        ("N->[Fe]", None),
        ("C%1", None),
    ],
)
def test_tokens_of_known_smiles(smiles: str, tokens: list[str] | None) -> None:
    if tokens is None:
        with pytest.raises(ValueError, match="is no part of a SMILES"):
            tokenize(smiles)
    else:
        assert tokenize(smiles) == tokens


def test_tokens_joined_are_the_smiles(real: list[str]) -> None:
    assert all("".join(tokenize(text)) == text for text in real)


@pytest.mark.parametrize(
    ("smiles", "expected", "changes"),
    [
        ("OCC", "CCO", ()),
        (" CCO ", "CCO", ()),
        ("C1=CC=CC=C1", "c1ccccc1", ()),
        ("CC(=O)[O-].[Na+]", "CC(=O)O", (standardise.SALT, standardise.CHARGE)),
        ("CCO.O", "CCO", (standardise.SALT,)),
        ("Cl.CCN", "CCN", (standardise.SALT,)),
        ("[NH3+][C@@H](C)C(=O)[O-]", "C[C@H](N)C(=O)O", (standardise.CHARGE,)),
        ("C[N+](C)(C)C", "C[N+](C)(C)C", ()),  # nothing to take a proton from
        ("C[N+](=O)[O-]", "C[N+](=O)[O-]", ()),  # a nitro group is neutral as a whole
        ("CN(=O)=O", "C[N+](=O)[O-]", ()),
        ("[2H]C(Cl)(Cl)Cl", "ClC(Cl)Cl", (standardise.ISOTOPE,)),
        ("C[C@H]([13CH3])O", "CC(C)O", (standardise.ISOTOPE,)),  # stereo by isotope only
        ("[CH3:1][OH:2]", "CO", (standardise.LABEL,)),
        ("N[C@@H](C)C(=O)O", "C[C@H](N)C(=O)O", ()),
        ("F/C=C/F", "F/C=C/F", ()),
        ("[H]N=C1CCCC1", "N=C1CCCC1", ()),
    ],
)
def test_standard_form(smiles: str, expected: str, changes: tuple[str, ...]) -> None:
    form = standardise.standardise(smiles)
    assert (form.smiles, form.reason, form.changes) == (expected, None, changes)
    assert standardise.standardise(expected).smiles == expected


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("", standardise.EMPTY),
        ("NaN", standardise.EMPTY),
        ("ethanol", standardise.SYNTAX),
        ("C1CC", standardise.SYNTAX),
        ("C(C", standardise.SYNTAX),
        ("3.14", standardise.SYNTAX),
        ("CC>>CO", standardise.SYNTAX),
        ("C(C)(C)(C)(C)C", standardise.CHEMISTRY),
        ("c1cccc1", standardise.CHEMISTRY),
        ("[CH-]1C=CC=C1", standardise.CHEMISTRY),  # uncharged it has an odd number of electrons
        ("CC*", standardise.QUERY),
        ("[Na+].[Cl-]", standardise.INORGANIC),
        ("O", standardise.INORGANIC),
        ("C[NH2]->[Fe]", standardise.UNWRITABLE),
    ],
)
def test_left_out_with_a_reason(
    smiles: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    form = standardise.standardise(smiles)
    assert (form.smiles, form.reason) == (None, reason)
    assert capfd.readouterr().err == ""


def test_real_molecules_stay_as_they_are(real: list[str]) -> None:
    forms = [standardise.standardise(text) for text in real[:500]]
    same = [Chem.CanonSmiles(text) == form.smiles for text, form in zip(real, forms, strict=False)]
    assert all(same)
    assert not any(form.changes for form in forms)


def test_a_subset_does_not_depend_on_the_order(real: list[str]) -> None:
    shuffled = [real[k] for k in np.random.default_rng(1).permutation(len(real))]
    assert in_hash_order(shuffled, 3, 50) == in_hash_order(real, 3, 50)
    assert in_hash_order(real, 4, 50) != in_hash_order(real, 3, 50)
    assert in_hash_order(real, 3, 80)[:50] == in_hash_order(real, 3, 50)
    assert in_hash_order(["C", "CC", "CCC", "CCCC"], 0) == ["C", "CCCC", "CCC", "CC"]


def test_results_do_not_depend_on_the_processes(
    monkeypatch: pytest.MonkeyPatch, real: list[str]
) -> None:
    items, found = real * 3, []
    for threads in ("1", "2"):
        monkeypatch.setenv("SCISTAGE_THREADS", threads)
        found.append(list(in_parallel(_lengths, items)))
    assert found[0] == found[1] == [len(text) for text in items]


def _lengths(texts: list[str]) -> list[int]:
    return [len(text) for text in texts]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_crosses_between_splits(real: list[str], seed: int) -> None:
    smiles = [*real[:400], "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CCCCCC"]
    kin = kinships(smiles)
    parts = split(smiles, kin, [0.6, 0.1, 0.15, 0.15], seed)
    assert sorted(s for name in SPLITS for s in parts[name]) == sorted(smiles)
    assert all(parts.values())
    flat = {name: {_flat(s) for s in parts[name]} for name in SPLITS}
    scaffolds = {name: {_scaffold(s) for s in parts[name]} for name in SPLITS}
    for name in SPLITS[:3]:
        assert not scaffolds["test_scaffolds"] & scaffolds[name]
        assert not any(flat[name] & flat[other] for other in SPLITS if other != name)
    assert "" not in scaffolds["test_scaffolds"]
    assert len(parts["test_scaffolds"]) <= 0.15 * len(smiles)
    backwards = split(smiles[::-1], kin[::-1], [0.6, 0.1, 0.15, 0.15], seed)
    assert backwards == parts


def _flat(smiles: str) -> str:
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False)


def _scaffold(smiles: str) -> str:
    return MurckoScaffold.MurckoScaffoldSmiles(smiles)


def test_the_seed_chooses_which_scaffolds_are_held_out(real: list[str]) -> None:
    some, shares = real[:300], [0.7, 0.1, 0.1, 0.1]
    splits = [split(some, kinships(some), shares, seed) for seed in (0, 1)]
    first, second = ({_scaffold(s) for s in one["test_scaffolds"]} for one in splits)
    assert first != second


def test_stereoisomers_are_of_one_kin_and_stay_together() -> None:
    pairs = [f"C[C{chirality}H](O){'C' * n}N" for n in range(2, 30) for chirality in ("@", "@@")]
    smiles = [Chem.MolToSmiles(Chem.MolFromSmiles(text)) for text in pairs]
    parts = split(smiles, kinships(smiles), [0.6, 0.2, 0.2, 0.0], 0)
    flat = [[_flat(text) for text in part] for part in parts.values()]
    assert all(texts.count(text) == 2 for texts in flat for text in texts)


def test_moses_splits_are_disjoint_and_canonical(written: Path) -> None:
    parts = {name: read_smiles(written, name) for name in SPLITS}
    assert [len(parts[name]) for name in SPLITS] == [500, 100, 100, 100]
    everything = [Chem.CanonSmiles(s) for name in SPLITS for s in parts[name]]
    assert len(set(everything)) == len(everything)
    assert everything[:600] == parts["train"] + parts["validation"]


def test_moses_subsets_are_nested() -> None:
    small, large = (moses.load(params(train_size=n)).splits for n in (50, 80))
    assert large["train"][:50] == small["train"]
    assert large["validation"] == small["validation"]
    assert moses.load(params(seed=1)).splits["train"][:50] != small["train"]


def test_moses_leaves_enough_to_learn_from() -> None:
    with pytest.raises(UserError, match=r"prepare\.validation_size: found 900000; .* at most half"):
        moses.check(params(validation_size=900_000))


def test_what_moses_spells_otherwise_in_its_test_sets_is_not_learnt() -> None:
    given, spelt = ["OCC", "C(C)N", "CCC"], ["CCO", "CCN", "CCC"]
    kept = moses._sorted_out(params(validation_size=1), given, spelt, {"CCO", "C(C)N"}, [])
    assert kept == {"validation": [], "train": ["CCC"]}


def test_a_corpus_is_read_as_it_was_written(written: Path) -> None:
    corpus = read_corpus(written, "train")
    texts = corpus.smiles()
    assert len(corpus) == 500
    assert corpus.vocabulary[0] == ""
    assert corpus.vocabulary[1:] == sorted(corpus.vocabulary[1:])
    assert corpus.lengths.tolist() == [len(tokenize(text)) for text in texts]
    batch = corpus.padded([7, 3, 7])
    assert batch.shape == (3, corpus.lengths[[7, 3]].max())
    assert batch.dtype == np.uint8
    for row, index in zip(batch, (7, 3, 7), strict=True):
        tokens = [corpus.vocabulary[t] for t in row]
        assert "".join(tokens) == texts[index]
        assert not row[corpus.lengths[index] :].any()
    assert corpus.padded([]).shape == (0, 0)


def test_the_same_bytes_again(written: Path, tmp_path: Path) -> None:
    prepare(params(), inputs_of("molecules"), tmp_path)
    files = sorted(path.name for path in written.iterdir())
    assert files == sorted(path.name for path in tmp_path.iterdir())
    for name in files:
        assert (written / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_check_names_the_files_of_the_card(written: Path) -> None:
    card = json.loads((written / "card.json").read_text())
    assert check(params()) == card["source"]["files"]
    total = sum(one["count"] for one in card["excluded"] if one["what"] == "molecules of train")
    assert total + 600 == 1_584_663


def test_check_needs_no_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from domains.molecules.prepare.params import PrepareParams;"
        "assert 'numpy' not in sys.modules;"
        "from domains.molecules.prepare.check import check;"
        f"check(PrepareParams(**{DEFAULTS!r})); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_check_stops_where_enough_is_known(
    real: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.smi").write_text("\n".join(real))
    seen: list[int] = []
    whole = table._standardised
    monkeypatch.setattr(table, "_standardised", lambda t: seen.append(len(t)) or whole(t))
    table.check(params(source="csv", path=str(tmp_path / "own.smi")))
    assert sum(seen) < len(real) / 2
