"""Tables of every format give all rows and columns; one bad row never hides the others."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest
from rdkit import Chem

from pipelines.chemistry.columns import smiles_column
from pipelines.chemistry.tables import (
    ENCODING,
    QUOTATION,
    RAGGED,
    RECORD,
    Row,
    open_table,
)
from pipelines.core.errors import UserError

NAMES = ["smiles", "name", "dose"]
ROWS = [["CCO", "ethanol", "1.5"], ["c1ccccc1", "benzene, pure", ""], ["", 'a "salt"', "nan"]]


def sd_record(smiles: str, name: str, data: dict[str, str]) -> str:
    block = Chem.MolToMolBlock(Chem.MolFromSmiles(smiles)).split("\n", 1)[1]
    fields = "".join(f">  <{key}>\n{value}\n\n" for key, value in data.items())
    return f"{name}\n{block}{fields}$$$$\n"


def separated(mark: str) -> bytes:
    quoted = [
        [f'"{f.replace(chr(34), chr(34) * 2)}"' if " " in f else f for f in row] for row in ROWS
    ]
    return "".join(mark.join(row) + "\n" for row in [NAMES, *quoted]).encode()


TEXTS = {
    "a.csv": separated(","),
    "semicolons.csv": separated(";"),
    "a.tsv": separated("\t"),
    "commas.tsv": separated(","),
    "windows.csv": b"\xef\xbb\xbf" + separated(",").replace(b"\n", b"\r\n"),
    "mac.csv": separated(",").replace(b"\n", b"\r"),
    "a.csv.gz": gzip.compress(separated(",")),
}


@pytest.mark.parametrize("name", TEXTS)
def test_rows_and_columns_of_text(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(TEXTS[name])
    table = open_table(tmp_path / name)
    assert table.names == NAMES
    assert list(table.rows) == [Row(k, row) for k, row in enumerate(ROWS, 2)]


def test_rows_and_columns_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"smiles": ["CCO", None], "n": [1, 2], "x": [0.1, None]}).to_parquet(path)
    table = open_table(path)
    assert (table.names, table.kinds) == (["smiles", "n", "x"], {"n": "int64", "x": "double"})
    assert list(table.rows) == [Row(1, ["CCO", "1", "0.1"]), Row(2, ["", "2", ""])]
    with pytest.raises(UserError, match=r"column 'n' holds int64 and no text"):
        smiles_column(path, table, "n", "column")


def test_rows_of_smi(tmp_path: Path) -> None:
    path = tmp_path / "a.smi"
    path.write_text("SMILES ID\nCCO ethyl alcohol\n\nC\n")
    table = open_table(path)
    assert table.names == ["smiles", "name"]
    assert [row.fields for row in table.rows] == [["CCO", "ethyl alcohol"], ["", ""], ["C", ""]]


@pytest.mark.parametrize("name", ["a.sdf", "a.sdf.gz"])
def test_an_sd_file_gives_its_structures_and_fields(name: str, tmp_path: Path) -> None:
    records = [
        sd_record("OCC", "ethanol", {"SOL": "1.1", "SMILES": "wrong"}),
        sd_record("CCN", "ethylamine", {"note": "two\nlines"}).replace(" C  ", " Zz "),
        sd_record("c1ccccc1", "benzene", {"SOL": "-1.6"}).removesuffix("$$$$\n"),
    ]
    data = "".join(records).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    table = open_table(tmp_path / name)
    assert table.names == ["smiles", "name", "SOL", "note"]
    assert list(table.rows) == [
        Row(1, ["CCO", "ethanol", "1.1", ""]),
        Row(2, ["", "ethylamine", "", "two\nlines"], RECORD),
        Row(3, ["c1ccccc1", "benzene", "-1.6", ""]),
    ]


def test_a_record_that_is_not_closed_does_not_lend_its_label(tmp_path: Path) -> None:
    records = [sd_record(text, text, {"y": text}) for text in ("CO", "CCO", "CCCO")]
    records[0] = records[0].removesuffix("$$$$\n")
    records[2] = records[2].replace(">  <y>\nCCCO", ">  <y>\n$$$$ 5")
    (tmp_path / "a.sdf").write_text("".join(records))
    rows = list(open_table(tmp_path / "a.sdf").rows)
    assert [row.problem for row in rows] == [RECORD, None]
    assert rows[0].fields[0] == ""
    assert rows[1].fields == ["CCCO", "CCCO", "$$$$ 5"]


def test_a_damaged_page_of_parquet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"smiles": [f"{'C' * (k % 50 + 1)}{k}" for k in range(5000)]}).to_parquet(path)
    data = path.read_bytes()
    path.write_bytes(data[:200] + b"\xff" * 200 + data[400:])
    table = open_table(path)
    with pytest.raises(UserError, match=r"a\.parquet: a damaged Parquet file \(.*write it again"):
        list(table.rows)


def test_one_bad_row_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    bad = ['"CC,open', "CCO,1,2", "CCN", "caf\xe9,1", "", '"C"C,1']
    lines = ["smiles,x"]
    for k, line in enumerate(bad):
        lines += [f"{'C' * (k + 1)},{k}", line]
    path.write_bytes("\n".join([*lines, '"CF",\n"C\nl",9', ""]).encode("latin-1"))
    rows = list(open_table(path).rows)
    good = [row.fields for row in rows if row.problem is None and row.fields[0]]
    assert good == [*(["C" * (k + 1), str(k)] for k in range(6)), ["CF", ""], ["C\nl", "9"]]
    problems = {row.number: row.problem for row in rows if row.problem}
    assert problems == {3: QUOTATION, 5: RAGGED, 7: RAGGED, 9: ENCODING, 13: QUOTATION}
    assert all(len(row.fields) == 2 for row in rows)


def test_nothing_of_a_row_with_too_many_fields_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,x\nCCO,1,2,,\nCCN,3\n")
    rows = [Row(2, ["CCO", "1,2,,"], RAGGED), Row(3, ["CCN", "3"])]
    assert list(open_table(path).rows) == rows


def test_a_replacement_character_is_text_like_any_other(tmp_path: Path) -> None:
    for name, head in (("a.csv", "smiles,name\nCCO,"), ("a.smi", "CCO ")):
        path = tmp_path / name
        path.write_bytes(f"{head}caf\ufffd\n".encode())
        [row] = open_table(path).rows
        assert row.fields == ["CCO", "caf\ufffd"] and row.problem is None


def test_a_long_table_is_read_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.csv.gz"
    with gzip.open(path, "wt", compresslevel=1) as stream:
        stream.write("smiles,a,b\n")
        stream.writelines(f"{'C' * (k % 50 + 1)},{k},{k % 7}\n" for k in range(100_000))
    tracemalloc.start()
    count = sum(1 for _ in open_table(path).rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 2_000_000


def test_a_table_that_is_nearly_empty_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "sparse.csv.gz"
    wide = "," * 2000
    rows = [f"C{'N' * (k % 7)}{wide[: k % 1999]}{k}{wide[k % 1999 :]}" for k in range(2000)]
    path.write_bytes(gzip.compress("\n".join([f"smiles{wide}", *rows]).encode()))
    assert path.stat().st_size * 100 < 2000 * 2000  # its one megabyte of commas shrank that much
    assert sum(1 for _ in open_table(path).rows) == 2000


def test_columns_parted_by_something_else_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles|active\nCCO|1\n")
    with pytest.raises(UserError, match=r"parted by '\|'; part them by comma, semicolon or tab"):
        open_table(path)
    with pytest.raises(UserError, match=r"b\.csv: not found; prepare\.path is counted from"):
        open_table(tmp_path / "b.csv", "prepare.path")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", "smiles,y\nCCO,1\n".encode("utf-16-le"), "encoded as UTF-16, or no text; save"),
        ("a.csv", "smiles,y\nCCO,1\n".encode("utf-16"), "encoded as UTF-16; save it as UTF-8"),
        ("a.csv.gz", gzip.compress(b"PK\x03\x04 and more"), "an Excel or ZIP file; save it as CSV"),
        ("a.csv.gz", gzip.compress(b"smiles\nCCO\n")[:-9], "damaged gzip"),
        ("a.csv.gz", b"smiles\nCCO\n", "damaged gzip"),
    ],
)
def test_what_is_no_text_is_told(name: str, data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=message):
        open_table(tmp_path / name)
