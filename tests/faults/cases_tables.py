"""Tables that both domains of molecules must refuse, whatever they look for in them."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.faults.spoil import (
    Case,
    Spoil,
    both,
    folder,
    grown,
    linked,
    nothing,
    param,
    pipe,
    written,
)

HEAD = b"smiles,activity\n"
RECORD = b"\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n>  <activity>\nyes\n\n$$$$\n"
BOMB = "a decompression bomb"


def parquet(table: pa.Table, **how: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **how)
    return stream.getvalue()


def not_text() -> bytes:
    """A Parquet file whose texts are not UTF-8."""
    ends = pa.array([0, 2], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(b"\xff\xfe")])
    return parquet(pa.table({"smiles": text, "activity": ["yes"]}))


def tables(domain: str) -> dict[str, Case]:
    """Of the table that `prepare.path` names."""
    own = _Own(domain)
    return {**_bombs(own), **_texts(own), **_paths(own)}


class _Own:
    """Cases of a table of one's own: this is done, the table is called so, and this is said."""

    def __init__(self, domain: str) -> None:
        self.key, self.check = f"{domain}.prepare.path", f"check {domain}"

    def case(self, name: str, spoil: Spoil, *said: str) -> Case:
        named = Path(name).name.replace("\0", "\\x00")
        return Case(both(spoil, param(self.key, f"data/{name}")), self.check, (named, *said))

    def holds(self, name: str, content: bytes | str, *said: str) -> Case:
        return self.case(name, written(f"data/{name}", content), *said)


def _bombs(own: _Own) -> dict[str, Case]:
    def rows(project: Path) -> None:
        many = pa.array(["C"] * 3_000_000).dictionary_encode()
        (project / "data/a.parquet").write_bytes(parquet(pa.table({"smiles": many})))

    def page(project: Path) -> None:
        long = pa.table({"smiles": ["C" * 2**20] * 100})
        packed = parquet(long, use_dictionary=False, compression="zstd")
        (project / "data/a.parquet").write_bytes(packed)

    file = "data/a.csv.gz"
    return {
        "gzip bomb": own.case("a.csv.gz", grown(file, HEAD, b"C,1\n", 2**22), BOMB),
        "gzip bomb of columns": own.case(
            "a.csv.gz", grown(file, b"smiles", b",", 2**18), "262,145 columns"
        ),
        "Parquet bomb of rows": own.case("a.parquet", rows, "3,000,000 rows", BOMB),
        "Parquet bomb of a page": own.case("a.parquet", page, "100 rows", BOMB),
    }


def _texts(own: _Own) -> dict[str, Case]:
    def labelled(smiles: bytes) -> bytes:
        return HEAD + b"".join(b"%s,%s\n" % (smiles, kind) for kind in (b"yes", b"no"))

    return {
        "a line without an end": own.holds("a.csv", b"x" * 2**21, "line 1: has more than 1,048"),
        "a record without an end": own.holds(
            "a.sdf", RECORD + b"x\n" * 100_001, ": the record has more than 100,000 lines"
        ),
        "Parquet that is not text": own.holds("a.parquet", not_text(), "a damaged Parquet file"),
        "a SMILES of 100,000 atoms": own.holds("a.csv", labelled(b"C" * 10**5), "more than"),
        "a field without an end": own.holds("a.csv", labelled(b"C" * 2 * 10**5), "more than"),
        "a header of control characters": own.holds("a.csv", "\x1b[31m,\x07\n", "\\x1b[31m"),
    }


def _paths(own: _Own) -> dict[str, Case]:
    return {
        "a pipe": own.case("a.csv", pipe("data/a.csv"), "is no ordinary file"),
        "a folder": own.case("a.csv", folder("data/a.csv"), "is a folder"),
        "a link to itself": own.case("a.csv", linked("data/a.csv", "a.csv"), "not found"),
        "a name with a null": own.case("no\0.csv", nothing, "not found"),
        "a name that is too long": own.case("x" * 300 + ".csv", nothing, "File name too long"),
    }
