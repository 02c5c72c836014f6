"""Tables of the user's: each mistake is one line that says how to mend it, or a counted row."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rdkit import Chem

from domains.molecules.prepare import account, table
from domains.molecules.prepare.check import check
from domains.molecules.prepare.params import PrepareParams
from pipelines.chemistry import standardise, tables
from pipelines.core.errors import UserError
from tests.molecules.test_prepare import params

# 60 molecules with rings of six scaffolds, and six without.
GOOD = [
    f"{chain}{ring}"
    for ring in ("c1ccccc1", "C1CCCCC1", "c1ccncc1", "C1CCNCC1", "c1ccsc1", "c1ccc2ccccc2c1")
    for chain in ("C", "CC", "CCC", "CCCC", "O", "CO", "CCO", "N", "CN", "F")
] + ["CCO", "CCCO", "CCN", "CCCN", "CCF", "CCCF"]


def own(path: Path, **changes: Any) -> PrepareParams:
    return params(**{"source": "csv", "path": str(path), "validation_size": 10, **changes})


def lines(*rows: str, header: str | None = "smiles") -> bytes:
    return "".join(f"{row}\n" for row in ([header] if header else []) + list(rows)).encode()


def sd_file(smiles: list[str]) -> bytes:
    blocks = [Chem.MolToMolBlock(Chem.MolFromSmiles(text)) for text in smiles]
    return "".join(f"{block}$$$$\n" for block in blocks).encode()


WHOLE_FILES: dict[str, tuple[str, bytes, dict[str, Any], str]] = {
    "empty file": ("a.csv", b"", {}, r"a\.csv: is empty; give at least one molecule"),
    "blank lines only": ("a.csv", b"\n\n", {}, r"a\.csv: is empty"),
    "header only": ("a.csv", lines(), {}, r"0 different usable .*no row below the header"),
    "header only, .smi": ("a.smi", lines(), {}, r"a header and no rows"),
    "one molecule": ("a.csv", lines("CCO"), {}, r"a\.csv: 1 different usable .* at least 20"),
    "all identical": (
        "a.csv",
        lines(*["CCO", "OCC"] * 50),
        {},
        r"1 different usable .*99 of 100 rows left out; row 3, 'OCC': the same molecule",
    ),
    "all unparsable": (
        "a.csv",
        lines(*[f"ethanol {k}" for k in range(50)]),
        {},
        r"0 different usable .*50 of 50 rows left out; row 2, 'ethanol 0': not a SMILES",
    ),
    "a column of numbers": (
        "a.csv",
        lines(*[f"{text},{k}.5" for k, text in enumerate(GOOD)], header="smiles,weight"),
        {"column": "weight"},
        r"0 different usable .*row 2, '0\.5': not a SMILES",
    ),
    "wrong column": (
        "a.csv",
        lines("CCO,1", header="structure,activity"),
        {"column": "struktur"},
        r"no column 'struktur' \(prepare\.column\); did you mean 'structure'\?",
    ),
    "a column that is nowhere": (
        "a.csv",
        lines("CCO,1", header="structure,activity"),
        {"column": "x"},
        r"no column 'x' \(prepare\.column\); there are 'structure', 'activity'",
    ),
    "no column called smiles": (
        "a.csv",
        lines("CCO,1", header="structure,activity"),
        {},
        r"no column is called smiles; set prepare\.column to one of 'structure', 'activity'",
    ),
    "duplicated column names": (
        "a.csv",
        lines("CCO,CCO", header="smiles,smiles"),
        {},
        r"2 columns could be the SMILES \('smiles', 'smiles'\); name one",
    ),
    "a duplicated name asked for": (
        "a.csv",
        lines("CCO,CCO", header="smi,smi"),
        {"column": "smi"},
        r"2 columns are called 'smi'; rename all but one",
    ),
    "two columns of SMILES": (
        "a.csv",
        lines("CCO,CCO", header="raw_smiles,canonical_smiles"),
        {},
        r"2 columns could be the SMILES \('raw_smiles', 'canonical_smiles'\); name one",
    ),
    "no header": (
        "a.csv",
        lines(*GOOD, header=None),
        {},
        r"the first row, 'Cc1ccccc1', is a molecule and no header; add a header",
    ),
    "a column of a format without": (
        "a.smi",
        lines(*GOOD, header=None),
        {"column": "smiles"},
        r"column: found 'smiles', but \.smi has none; set it to null",
    ),
    "not UTF-8": ("a.csv", lines("CCO") + b"caf\xe9\n", {}, r"line 3: not UTF-8 text; save"),
    "UTF-16": ("a.csv", "smiles\nCCO\n".encode("utf-16"), {}, r"encoded as UTF-16; save it as"),
    "Excel": ("a.xlsx", b"PK\x03\x04", {}, r"a\.xlsx: a spreadsheet; save it as CSV"),
    "Excel as CSV": ("a.csv", b"PK\x03\x04xl", {}, r"an Excel or ZIP file; save it as CSV"),
    "old Excel as CSV": ("a.csv", b"\xd0\xcf\x11\xe0", {}, r"an Excel file; save it as CSV"),
    "gzip without .gz": ("a.csv", gzip.compress(lines(*GOOD)), {}, r"gzip; add \.gz to its name"),
    "damaged gzip": ("a.csv.gz", gzip.compress(lines(*GOOD))[:40], {}, r"damaged gzip"),
    "not gzip": ("a.csv.gz", lines(*GOOD), {}, r"damaged gzip"),
    "unknown suffix": ("a.docx", lines(*GOOD), {}, r"a\.docx: format '\.docx'; give \.csv, \.tsv"),
    "no suffix": ("molecules", lines(*GOOD), {}, r"format 'without a suffix'; give \.csv"),
    "an open quotation mark": ("a.csv", lines(*GOOD, '"CC'), {}, r"line 68: .*quotation marks"),
    "no SD file": (
        "a.sdf",
        lines(*GOOD),
        {},
        r"no record of a molecule in it; write the SD",
    ),
    "Parquet as CSV": ("a.csv", b"PAR1", {}, r"a Parquet file; end its name in \.parquet"),
    "no rings to hold out": (
        "a.smi",
        lines(*["C" * n for n in range(1, 40)], header=None),
        {},
        r"0 ring scaffold\(s\) in 39 molecules, .*the last of prepare\.shares to 0",
    ),
    "one scaffold": (
        "a.smi",
        lines(*["C" * n + "c1ccccc1" for n in range(40)], header=None),
        {},
        r"1 ring scaffold\(s\) in 40 molecules",
    ),
    "stereoisomers only": (
        "a.smi",
        lines(*["F[C@H](Cl)Br", "F[C@@H](Cl)Br"] * 20, header=None),
        {},
        r"1 different usable molecule\(s\), stereoisomers counted as one",
    ),
}


@pytest.mark.parametrize("case", WHOLE_FILES)
@pytest.mark.parametrize("run", [table.load, check], ids=["load", "check"])
def test_one_line_that_says_how_to_mend_it(
    case: str, run: Callable[[PrepareParams], Any], tmp_path: Path
) -> None:
    name, content, changes, message = WHOLE_FILES[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        run(own(tmp_path / name, **changes))
    assert re.search(message, str(caught.value)), caught.value
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("run", [table.load, check], ids=["load", "check"])
def test_a_file_that_is_not_there_and_a_folder(
    run: Callable[[PrepareParams], Any], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"a\.csv: not found; prepare\.path is counted from"):
        run(own(tmp_path / "a.csv"))
    with pytest.raises(UserError, match=r"is a folder; give one file, \.csv, \.tsv"):
        run(own(tmp_path))


ROWS = {
    "": standardise.EMPTY,
    "NaN": standardise.EMPTY,
    "ethanol": standardise.SYNTAX,
    "C1CC": standardise.SYNTAX,
    "C(C)(C)(C)(C)C": standardise.CHEMISTRY,
    "*CC": standardise.QUERY,
    "[Na+].[Cl-]": standardise.INORGANIC,
    "OCC": account.DUPLICATE,
    "[Na+].CC[O-]": account.DUPLICATE,
    "[2H]OCC": account.DUPLICATE,
    "NCC(=O)" * 300 + "O": "more than 100 tokens",
    "CCC,1,2": tables.RAGGED,
}


def test_rows_are_left_out_with_line_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    bad = [text if "," in text or not text else f"{text},0" for text in ROWS]
    path.write_bytes(lines(*[f"{s},1" for s in GOOD], *bad, header="smiles,activity"))
    check(own(path))
    loaded = table.load(own(path))
    assert sum(map(len, loaded.splits.values())) + _beyond(loaded) == len(GOOD)
    assert loaded.rows is not None
    first = len(GOOD) + 2
    assert loaded.rows["row"].tolist() == list(range(first, first + len(ROWS)))
    assert loaded.rows["reason"].tolist() == list(ROWS.values())
    assert loaded.rows["smiles"].tolist()[2] == "ethanol"
    counts = {one.why: one.count for one in loaded.excluded if one.what == "rows"}
    assert counts == {why: list(ROWS.values()).count(why) for why in ROWS.values()}


def _beyond(loaded: Any) -> int:
    return sum(one.count for one in loaded.excluded if one.what != "rows")


def test_salts_isotopes_and_charges_are_mended_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "own.smi"
    mended = ["[Na+].[O-]C(=O)CCCCC", "[13CH3]CCCCCCC", "[NH3+]CCCCCC", "Cl.NCCCCCCCC"]
    path.write_bytes(lines(*GOOD, *mended, header=None))
    loaded = table.load(own(path, max_tokens=50))
    everything = {s for texts in loaded.splits.values() for s in texts}
    assert {"CCCCCC(=O)O", "CCCCCCCC", "CCCCCCN", "CCCCCCCCN"} <= everything
    assert loaded.changes == {
        standardise.SALT: 2,
        standardise.CHARGE: 2,
        standardise.ISOTOPE: 1,
    }


def test_molecules_of_rare_tokens_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "own.smi"
    kinds = [f"C{symbol}C" for symbol in _tokens()]
    path.write_bytes(lines(*GOOD, *kinds, header=None))
    loaded = table.load(own(path, shares=[0.7, 0.1, 0.1, 0.1]))
    counts = {one.why: one.count for one in loaded.excluded}
    assert counts[account.RARE] > 10
    left = {s for texts in loaded.splits.values() for s in texts}
    assert set(GOOD[:5]) & left


def _tokens() -> list[str]:
    """More kinds of bracket atoms than fit into a byte, none of which standardising changes."""
    table_ = Chem.GetPeriodicTable()
    metals = [table_.GetElementSymbol(z) for z in (*range(21, 31), *range(39, 49), *range(57, 81))]
    return [f"[{m}{h}]" for m in metals for h in ("", "H", "H2", "H3", "H4", "H5", "H6")]
