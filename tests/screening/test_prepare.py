"""The stage as a whole: what it writes, twice the same, and what its library says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domains.screening.prepare import prepare
from domains.screening.prepare.arrays import (
    SPLITS,
    Target,
    read_counts,
    read_descriptors,
    read_graphs,
    read_library,
    read_molecules,
    read_targets,
)
from domains.screening.prepare.check import check
from domains.screening.prepare.featurise import featurise
from domains.screening.prepare.params import PrepareParams
from pipelines.chemistry.nearest import nearest
from pipelines.chemistry.tables import RAGGED
from pipelines.core.artifacts import read_json
from pipelines.core.contract import check_outputs
from pipelines.core.errors import UserError
from pipelines.core.runner import inputs_of
from tests.screening.made import CROSSING, DISTANCE, KNOWN, LIBRARY, made_prepare
from tests.screening.test_mistakes import CLASS, own, table_of
from tests.workspace import ROOT

PRESETS = ROOT / "domains" / "screening" / "presets"
TINY: dict[str, Any] = {
    "path": str(PRESETS / "tiny_molecules.csv"),
    "split": "scaffold",
    "shares": [0.8, 0.1, 0.1],
    "library": "table",
    "library_path": str(PRESETS / "tiny_library.csv"),
}
BBB = {**CLASS, "name": "bbb", "column": "bbb", "positive": "BBB+"}


def tiny(**changes: Any) -> PrepareParams:
    return own(Path(), BBB, **{**TINY, **changes})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepare")
    prepare(tiny(), inputs_of("screening"), out)
    return out


def test_what_is_written_keeps_the_contract(written: Path) -> None:
    check_outputs("prepare", written, "domains/screening/prepare")
    card = read_json(written / "card.json")
    assert card["source"]["files"] == check(tiny())
    assert card["max_atoms"] == 100
    table = read_molecules(written)
    for split in SPLITS:
        part = read_molecules(written, [split])
        assert card["splits"][split]["molecules"] == len(part)
        assert card["splits"][split]["bbb = BBB+"] == part["bbb"].sum()
    assert read_targets(written) == [Target("bbb", "class", "", "BBB+", "high")]
    assert (table.groupby("group")["split"].nunique() == 1).all()


def test_row_k_of_every_file_is_molecule_k(written: Path) -> None:
    table, library = read_molecules(written), read_library(written)
    usable = library[library["reason"] == ""]
    for which, stored, smiles in (
        ("molecules", read_graphs(written, "graphs"), table["smiles"]),
        ("library", read_graphs(written, "library"), usable["smiles"]),
    ):
        assert len(stored) == len(smiles) == len(read_counts(written, which))
        assert len(read_descriptors(written, which)) == len(smiles)
        last = featurise([smiles.iloc[-1]])
        assert np.array_equal(stored.take([len(stored) - 1]).atoms, last.atoms)


def test_no_test_molecule_is_a_twin_of_one_that_is_learnt_from(written: Path) -> None:
    table = read_molecules(written)
    bits = np.packbits(read_counts(written, "molecules") > 0, axis=1)
    held_out = (table["split"] != "train").to_numpy()
    assert nearest(bits[held_out], bits[~held_out]).max() < 1


def test_it_is_written_the_same_again(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCISTAGE_THREADS", "2")
    monkeypatch.setattr("domains.screening.prepare.writing._CHUNK", 20)
    prepare(tiny(), inputs_of("screening"), tmp_path)
    names = sorted(path.name for path in written.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    for name in names:
        assert (written / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_the_library_says_what_is_learnt_and_what_cannot_be_ranked(tmp_path: Path) -> None:
    # Nicotine, the mirror image of which is measured, a tautomer of fluorouracil, and a molecule
    # whose labels contradict each other: not new.
    forms = ["CN1CCC[C@@H]1c1cccnc1", "Oc1ncc(F)c(O)n1", "CCCCCCBr"]
    (tmp_path / "own.csv").write_text(table_of(CLASS, "CCCCCCBr,yes", "CCCCCCBr,no"))
    rows = "\n".join(f"m{k}\t{text}" for k, text in enumerate([*LIBRARY, "NCCCC", "", *forms]))
    rows += '\nm99\tCCO\tragged\n"m100\rnew"\tCCCCCCI'
    (tmp_path / "library.tsv").write_text(f"title\tstructure\n{rows}\n")
    path = str(tmp_path / "library.tsv")
    params = own(
        tmp_path / "own.csv", library="table", library_path=path, library_column="structure"
    )
    (tmp_path / "out").mkdir()
    prepare(params, inputs_of("screening"), tmp_path / "out")
    library = read_library(tmp_path / "out").set_index("name")
    n = len(LIBRARY)
    assert list(library.index) == [
        f"m{k}" for k in (*range(n), *range(n + 1, n + 5), 99, "100 new")
    ]
    assert library.index[library["learnt"]].tolist() == ["m2", *(f"m{n + k}" for k in (2, 3, 4))]
    assert library.loc["m99"].tolist() == ["CCO\tragged", "", RAGGED, False]
    assert library.loc["m4"].tolist() == ["nonsense", "", "not a SMILES", False]
    excluded = read_json(tmp_path / "out" / "card.json")["excluded"]
    assert {"what": "rows of the library", "why": "no SMILES", "count": 1} in excluded
    assert str(tmp_path) not in (tmp_path / "out" / "card.json").read_text()


def test_a_library_without_a_molecule_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(table_of(CLASS))
    (tmp_path / "library.csv").write_text("smiles\nmorphine\n")
    params = own(tmp_path / "own.csv", library="table", library_path=str(tmp_path / "library.csv"))
    with pytest.raises(UserError, match=r"library\.csv: no usable molecule in the first 1 rows"):
        check(params)


def test_a_library_may_have_the_name_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "own.csv").write_text(table_of(CLASS))
    (tmp_path / "other" / "own.csv").write_text("smiles\nCCO\n")
    path = str(tmp_path / "other" / "own.csv")
    found = check(own(tmp_path / "own.csv", library="table", library_path=path))
    assert list(found) == ["own.csv", "library: own.csv"] and len(set(found.values())) == 2


def test_without_a_library_its_files_are_empty(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(table_of(CLASS))
    (tmp_path / "out").mkdir()
    prepare(own(tmp_path / "own.csv"), inputs_of("screening"), tmp_path / "out")
    library = read_library(tmp_path / "out")
    assert list(library) == ["name", "given", "smiles", "reason", "learnt"] and library.empty
    assert len(read_graphs(tmp_path / "out", "library")) == 0
    assert read_counts(tmp_path / "out", "library").shape == (0, 2048)


def test_free_energies_of_the_wheel(tmp_path: Path) -> None:
    params = own(tmp_path, source="freesolv", path=None, targets=[], split="scaffold")
    prepare(params, inputs_of("screening"), tmp_path)
    table = read_molecules(tmp_path)
    assert len(table) == 639  # of 642: three have no carbon
    assert read_targets(tmp_path) == [Target("hydration", "value", "kcal/mol", "", "low")]
    acetone = table.loc[table["smiles"] == "CC(C)=O", "hydration"]
    assert acetone.tolist() == [pytest.approx(-3.80)]


def test_the_made_up_folder_is_what_prepare_writes(written: Path, tmp_path: Path) -> None:
    made = made_prepare(tmp_path, targets=(CROSSING, DISTANCE))
    assert list(read_molecules(made))[:5] == list(read_molecules(written))[:5]
    assert list(read_library(made)) == list(read_library(written))
    assert len(read_molecules(made)) == len(KNOWN)
    assert pd.notna(read_molecules(made)["crossing"]).sum() < len(KNOWN)
