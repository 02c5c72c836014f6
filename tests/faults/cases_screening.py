"""Tables and calls that screening must refuse."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

from domains.screening.prepare.known import B3DB
from tests.faults.cases_tables import tables
from tests.faults.spoil import (
    Case,
    Spoil,
    both,
    grown,
    linked,
    nothing,
    param,
    pipe,
    replaced,
    tampered,
    written,
)

CHECK = "check screening"
TO = "-o out/new.csv"


def apply(name: str, *options: str) -> str:
    return " ".join(["apply screening", f"data/{name}", TO, *options])


def target(old: str, new: str) -> Spoil:
    return replaced("params.yaml", old, new)


def halved(project: Path) -> None:
    """A table that is whole for some thousand rows."""
    lines = "".join(f"{'C' * (k % 40 + 1)}O,{k * k}\n" for k in range(5000))
    content = gzip.compress(f"smiles,id\n{lines}".encode())
    (project / "data/a.csv.gz").write_bytes(content[: 2 * len(content) // 3])


def zip_bomb(project: Path) -> None:
    """An array of gigabytes of zeros in the place of what prepare wrote."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("molecules.npy", bytes(2**22))
    content = stream.getvalue().replace(
        (2**22).to_bytes(4, "little"), (2**31).to_bytes(4, "little")
    )
    (project / "outputs/screening/prepare/fingerprints.npz").write_bytes(content)


CASES = {
    **tables("screening"),
    "a label that is no number": Case(
        both(target("kind: class", "kind: value"), target("positive: yes", "positive: ''")),
        CHECK,
        ("mine.csv: column 'activity' of target active: found 'yes' and no value",),
    ),
    "no such target": Case(
        target("column: activity", "column: '@SUM(1)'"), CHECK, ("no column '@SUM(1)'",)
    ),
    "a library of a bomb": Case(
        both(
            grown("data/l.smi.gz", b"", b"C\n", 2**22),
            param("screening.prepare.library_path", "data/l.smi.gz"),
        ),
        CHECK,
        ("data/l.smi.gz", "a decompression bomb"),
    ),
    "a library that leads back to itself": Case(
        linked("data/library.csv", "library.csv"), CHECK, ("data/library.csv: not found",)
    ),
    "a library without molecules": Case(
        written("data/library.csv", "smiles\n=1+1\n@x\n"),
        CHECK,
        ("library.csv: no usable molecule", "'=1+1': not a SMILES"),
    ),
    "a wheel that was tampered with": Case(
        both(
            param("screening.prepare.source", "b3db"),
            param("screening.prepare.path", None),
            param("screening.prepare.targets", []),
            tampered(B3DB),
        ),
        CHECK,
        (B3DB.file_name, "wrong hash"),
    ),
    "a column that is written": Case(
        written("data/a.csv", "smiles,reason\nCCO,x\n"), apply("a.csv"), ("a.csv: column 'reason'",)
    ),
    "a bomb to apply to": Case(
        grown("data/a.csv.gz", b"smiles\n", b"C\n", 2**22), apply("a.csv.gz"), ("a.csv.gz", "bomb")
    ),
    "a line without an end below good rows": Case(
        written("data/a.csv", "smiles\n" + "CCO\n" * 2500 + "x" * 2**21),
        apply("a.csv"),
        ("a.csv: line 2502: has more than",),
    ),
    "a table that is cut off": Case(
        halved, apply("a.csv.gz"), ("data/a.csv.gz: damaged gzip (", "compress it again")
    ),
    "a pipe to apply to": Case(pipe("data/a.csv"), apply("a.csv"), ("a.csv: is no ordinary file",)),
    "a link to what is read": Case(
        linked("new.csv", "data/library.csv"),
        "apply screening data/library.csv -o new.csv",
        ("new.csv: is what is read",),
    ),
    "a link to itself to write": Case(
        linked("new.csv", "new.csv"),
        "apply screening new.csv -o new.csv",
        ("new.csv: is what is read",),
    ),
    "no such column": Case(
        nothing, apply("library.csv", "--column '=x'"), ("library.csv: no column '=x'",)
    ),
    "an archive": Case(
        written("data/a.csv", b"PK\x03\x04" + b"../evil" * 9),
        apply("a.csv"),
        ("a.csv: an Excel or",),
    ),
    "an array bomb": Case(
        zip_bomb, apply("library.csv"), ("prepare/fingerprints.npz: grows to 2.1e+09 bytes",)
    ),
    "arrays that were not written": Case(
        linked("outputs/screening/prepare/fingerprints.npz", "nowhere"),
        apply("library.csv"),
        ("prepare/fingerprints.npz: not found",),
    ),
}
