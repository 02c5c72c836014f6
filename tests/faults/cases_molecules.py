"""Tables and calls that the domain of molecules must refuse."""

from __future__ import annotations

from domains.molecules.prepare.moses import MOSES
from domains.molecules.prepare.sources import YARDSTICKS
from tests.faults.cases_tables import tables
from tests.faults.spoil import Case, both, nothing, param, tampered, written

CHECK = "check molecules"
TO = "-o out/new.csv"


def like(smiles: str) -> str:
    return f"apply molecules --like '{smiles}' {TO}"


NPZ = "outputs/molecules/prepare/train.npz"
CASES = {
    **tables("molecules"),
    "shares that leave nothing": Case(
        param("molecules.prepare.shares", [1.0, 0.0, 0.0, 0.0]),
        CHECK,
        ("params.yaml:", "molecules.prepare.shares: found [1.0, 0.0, 0.0, 0.0]"),
    ),
    "a goal that is none": Case(
        param("molecules.train.goals", [{"property": "beauty", "low": 1.0}]),
        CHECK,
        ("params.yaml:", "molecules.train.goals.0"),
    ),
    "a formula for a column": Case(
        param("molecules.prepare.column", "=cmd|' /C calc'!A0"),
        CHECK,
        ("data/mine.csv: no column \"=cmd|' /C calc'!A0\"",),
    ),
    "too many digits": Case(
        nothing, f"apply molecules --seed {'9' * 5000} {TO}", ("argument --seed: found '999",)
    ),
    "a SMILES that would end the process": Case(
        nothing, like("C(" * 60_000), ("--like: found 'C(C(", "more than 5000 characters")
    ),
    "a SMILES that is no text": Case(nothing, like("CC\udcff"), ("--like: found 'CC\\udcff'",)),
    "a SMILES of many rings": Case(
        nothing,
        like("C" + "".join(f"%({k})" for k in range(100, 220)) + "CC" * 60),
        ("--like: found ",),
    ),
    "another kind of file to write": Case(
        nothing, "apply molecules --n 5 -o out/new.xlsx", ("out/new.xlsx: a CSV file is written",)
    ),
    "a file to read, of which it takes none": Case(
        nothing, f"apply molecules data/mine.csv {TO}", ("'data/mine.csv' is not understood",)
    ),
    "weights of a metric that were tampered with": Case(
        tampered(YARDSTICKS[0]), CHECK, (YARDSTICKS[0].file_name, "wrong hash")
    ),
    "a wheel that was tampered with": Case(
        both(
            param("molecules.prepare.source", "moses"),
            param("molecules.prepare.path", None),
            tampered(MOSES),
        ),
        CHECK,
        (MOSES.file_name, "wrong hash"),
    ),
    "arrays that are no arrays": Case(
        written(NPZ, "hello"), f"apply molecules --n 5 {TO}", (f"{NPZ}: not the arrays of a stage",)
    ),
}
