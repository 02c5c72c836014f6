"""Tables of every format give the same molecules, and what is left out is told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from domains.molecules.prepare import table
from domains.molecules.prepare.check import check
from pipelines.chemistry import standardise, tables
from pipelines.core.artifacts import read_json
from pipelines.core.errors import UserError
from tests.molecules.test_mistakes_in_tables import GOOD, lines, own, sd_file

FORMATS: dict[str, bytes] = {
    "a.csv": lines(*[f'"{s}",x' for s in GOOD], header="SMILES,name"),
    "semicolons.csv": lines(*[f"1,5;{s}" for s in GOOD], header="dose;Smiles"),
    "windows.csv": b"\xef\xbb\xbf" + lines(*GOOD).replace(b"\n", b"\r\n"),
    "one.csv": lines(*GOOD, header="structure"),
    "like.csv": lines(*[f"{k},{s}" for k, s in enumerate(GOOD)], header="id,canonical_smiles"),
    "a.tsv": lines(*[f"x\t{s}" for s in GOOD], header="name\tsmiles"),
    "a.smi": lines(*[f"{s} name {k}" for k, s in enumerate(GOOD)], header=None),
    "header.smi": lines(*[f"{s}\tname" for s in GOOD], header="SMILES\tName"),
    "a.CSV.gz": gzip.compress(lines(*GOOD)),
    "a.smi.gz": gzip.compress(lines(*GOOD, header=None)),
    "a.sdf": sd_file(GOOD),
    "a.sdf.gz": gzip.compress(sd_file(GOOD)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_molecules(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FORMATS[name])
    loaded = table.load(own(tmp_path / name))
    assert loaded.rows is not None and loaded.rows.empty
    assert loaded.splits == _expected(tmp_path)


def _expected(folder: Path) -> dict[str, list[str]]:
    (folder / "expected.smi").write_bytes(lines(*GOOD[::-1], header=None))
    return table.load(own(folder / "expected.smi")).splits


def test_a_damaged_record_of_an_sd_file_is_a_counted_row(tmp_path: Path) -> None:
    records = sd_file(GOOD).split(b"$$$$\n")
    records[3] = records[3].replace(b" C ", b" Zz")
    (tmp_path / "a.sdf").write_bytes(b"$$$$\n".join(records))
    loaded = table.load(own(tmp_path / "a.sdf"))
    assert loaded.rows is not None
    assert loaded.rows.to_numpy().tolist() == [[4, "", tables.RECORD]]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    frame = pd.DataFrame({"id": range(len(GOOD) + 1), "Smiles": [*GOOD, None]})
    frame.to_parquet(path)
    loaded = table.load(own(path))
    assert loaded.splits == _expected(tmp_path)
    assert loaded.rows is not None
    assert loaded.rows.to_numpy().tolist() == [[len(GOOD) + 1, "", standardise.EMPTY]]
    with pytest.raises(UserError, match=r"column 'id' holds int64 and no text; name another"):
        check(own(path, column="id"))
    path.write_bytes(b"smiles\n")
    with pytest.raises(UserError, match=r"a\.parquet: not a Parquet file"):
        check(own(path))


def test_without_a_share_no_scaffold_is_held_out(tmp_path: Path) -> None:
    path = tmp_path / "own.smi"
    path.write_bytes(lines(*["C" * n for n in range(1, 40)], header=None))
    loaded = table.load(own(path, shares=[0.7, 0.1, 0.2, 0.0]))
    sizes = {name: len(texts) for name, texts in loaded.splits.items()}
    assert sizes == {"train": 27, "validation": 4, "test": 8, "test_scaffolds": 0}


def test_the_stage_on_a_table(tmp_path: Path) -> None:
    from domains.molecules.prepare import prepare
    from pipelines.core.runner import inputs_of

    path, out = tmp_path / "own.csv", tmp_path / "out"
    path.write_bytes(lines(*GOOD, "nonsense"))
    out.mkdir()
    prepare(own(path, shares=[0.6, 0.2, 0.2, 0.0]), inputs_of("molecules"), out)
    assert (out / "excluded.csv").read_text() == "row,smiles,reason\n68,nonsense,not a SMILES\n"
    assert (out / "test_scaffolds.smi").read_text() == ""
    card = read_json(out / "card.json")
    assert card["source"]["files"] == check(own(path))
    assert str(tmp_path) not in (out / "card.json").read_text()
