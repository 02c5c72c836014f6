"""Mistakes of tables: each is one clear line, or a row that is counted with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domains.screening.prepare import labels, loading, merging, standard
from domains.screening.prepare.card import card
from domains.screening.prepare.check import check
from domains.screening.prepare.params import PrepareParams, TargetColumn
from pipelines.chemistry import standardise, tables
from pipelines.core.errors import UserError
from tests.chemistry.test_tables import sd_record
from tests.screening.made import KNOWN

CLASS = {"name": "active", "column": "activity", "kind": "class", "unit": "", "positive": "yes"}
VALUE = {"name": "affinity", "column": "pKi", "kind": "value", "unit": "log10(M)", "positive": ""}


def own(table: Path, target: dict[str, str] = CLASS, **changes: Any) -> PrepareParams:
    values: dict[str, Any] = {
        "source": "csv",
        "path": str(table),
        "column": None,
        "targets": [{**target, "better": "high"}],
        "split": "random",
        "shares": [0.6, 0.2, 0.2],
        "library": "none",
        "library_path": None,
        "library_column": None,
        "max_atoms": 100,
        "seed": 0,
    }
    return PrepareParams.model_validate({**values, **changes})


def table_of(target: dict[str, str], *further: str) -> str:
    """Sixty good rows and these, with a column of either kind of label."""
    values = [f"{k / 10}" if target is VALUE else ("yes", "no")[k % 2] for k in range(len(KNOWN))]
    rows = [f"{text},{value}" for text, value in zip(KNOWN, values, strict=True)]
    return "\n".join([f"smiles,{target['column']}", *rows, *further, ""])


PEPTIDE = "NCC(=O)" * 125 + "O"  # 501 heavy atoms
ROWS = [
    ("unparsable", CLASS, "C1CC,yes", standardise.SYNTAX),
    ("empty", CLASS, ",yes", standardise.EMPTY),
    ("radical", CLASS, "C[CH2],yes", standard.RADICAL),
    ("metal", CLASS, "CC[Hg]Cl,no", standard.METAL),
    ("500-atom peptide", CLASS, f"{PEPTIDE},yes", "more than 100 heavy atoms"),
    ("salt only", CLASS, "[Na+].[Cl-],no", standardise.INORGANIC),
    ("no label", CLASS, "CCCCCCF,", merging.NO_LABEL),
    ("NaN", VALUE, "CCCCCCF,NaN", merging.NO_LABEL),
    ("infinite", VALUE, "CCCCCCF,-inf", "affinity is not finite"),
    ("text for a number", VALUE, "CCCCCCF,seven", "affinity is no number"),
    ("a bound", VALUE, "CCCCCCF,>7", "affinity is only known to be above or below a number"),
    (
        "a decimal comma",
        VALUE,
        'CCCCCCF,"0,7"',
        "affinity is no number; write numbers with a point",
    ),
    ("a third class", CLASS, "CCCCCCF,perhaps", "active is neither yes nor no"),
    ("another number of fields", CLASS, "CCCCCCF,yes,1", tables.RAGGED),
    ("an open quotation mark", CLASS, '"CCCCCCF,yes', tables.QUOTATION),
]


@pytest.mark.parametrize(
    ("target", "row", "reason"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_a_bad_row_is_counted_with_its_reason(
    target: dict[str, str], row: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.csv"
    path.write_text(table_of(target, row))
    check(own(path, target))
    loaded = loading.load(own(path, target))
    assert len(loaded.molecules) == len(KNOWN)
    assert loaded.merged.left_out["row"].tolist() == [len(KNOWN) + 2]
    assert loaded.merged.left_out["reason"].tolist() == [reason]


@pytest.mark.parametrize(("target", "other"), [(CLASS, "no"), (VALUE, "9.5")])
def test_rows_of_one_molecule_that_contradict_each_other(
    target: dict[str, str], other: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.csv"
    path.write_text(table_of(target, f"OC(=O)c1ccccc1OC(C)=O,{other}"))  # KNOWN[0] spelt anew
    loaded = loading.load(own(path, target))
    assert len(loaded.molecules) == len(KNOWN) - 1
    assert loaded.merged.left_out["row"].tolist() == [2, len(KNOWN) + 2]
    assert set(loaded.merged.left_out["reason"]) == {merging.CONFLICT}


def test_rows_of_one_molecule_that_agree_are_one(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(table_of(VALUE, "[Na+].[O-]C(=O)c1ccccc1OC(C)=O,0.2", "CCO,"))
    loaded = loading.load(own(path, VALUE))
    aspirin = loaded.molecules[loaded.molecules["smiles"] == "CC(=O)Oc1ccccc1C(=O)O"]
    assert aspirin["affinity"].tolist() == [pytest.approx(0.1)] and aspirin["count"].tolist() == [2]
    assert loaded.merged.merged == 1
    assert loaded.merged.changes == {standardise.SALT: 1, standardise.CHARGE: 1}


WHOLE = [
    ("constant label", VALUE, "smiles,pKi\nCC,1.0\nCCC,1\n", r"'1\.0' everywhere; nothing can be"),
    ("no class but missing ones", CLASS, "smiles,activity\nCC,yes\nCCC,none\n", "but for 1 field"),
    (
        "two negative classes",
        CLASS,
        "smiles,activity\nC,yes\nCC,no\nCCC,no\nCCCC,open\nCCCCC,open\n",
        r"2 labels besides 3 cannot be used: 'open' \(2\); beside 'yes' there is one class",
    ),
    (
        "many decimal commas",
        VALUE,
        'smiles,pKi\nC,5\nCC,6\nCCC,"5,5"\nCCCC,"6,5"\n',
        r"2 labels besides 2 .*'5,5' \(1\), '6,5' \(1\); write numbers with a point",
    ),
    (
        "bounds",
        VALUE,
        "smiles,pKi\nC,5\nCC,6\nCCC,>9\nCCCC,>9\n",
        r"'>9' \(2\); write numbers, also for what is only known to be above",
    ),
    ("one class only", CLASS, "smiles,activity\nCC,yes\nCCC,yes\n", r"found 'yes' everywhere"),
    ("no positive class", CLASS, "smiles,activity\nCC,no\nC,0\n", r"not the positive class 'yes'"),
    ("missing column", CLASS, "smiles,Activity\nCC,yes\n", r"did you mean 'Activity'\?"),
    ("column of text", VALUE, "smiles,pKi\nCC,high\nC,low\n", r"found 'high' and no value; name"),
    ("commas", VALUE, "smiles;pKi\nCC;1,5\nC;2,5\n", r"found '1,5' .*; write numbers with a point"),
    ("wrong separator", CLASS, "smiles|activity\nCC|yes\n", r"parted by '\|'"),
    ("no SMILES", CLASS, "smiles,activity\nethane,yes\nx,no\n", r"'ethane': not a SMILES\)"),
    ("empty", CLASS, "", r"is empty"),
    ("header only", CLASS, "smiles,activity\n", r"a header and no rows"),
]


@pytest.mark.parametrize(
    ("target", "text", "message"), [w[1:] for w in WHOLE], ids=[w[0] for w in WHOLE]
)
@pytest.mark.parametrize("run", [check, loading.load], ids=["check", "load"])
def test_one_line_that_says_how_to_mend_it(
    run: Any, target: dict[str, str], text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        run(own(path, target))
    assert "own.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_too_few_molecules_are_told_with_the_commonest_reason(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("smiles,activity\nCC,yes\nCCC,no\n" + "C[CH2],no\n" * 20)
    with pytest.raises(UserError, match=r"2 different usable .*20 of 22 rows .*row 4, 'C\[CH2\]'"):
        loading.load(own(path))


def test_a_byte_order_mark_and_a_semicolon_change_nothing(tmp_path: Path) -> None:
    path, windows = tmp_path / "own.csv", tmp_path / "windows.csv"
    path.write_text(table_of(CLASS))
    text = table_of(CLASS).replace(",", ";").replace("\n", "\r\n")
    windows.write_bytes(b"\xef\xbb\xbf" + text.encode())
    pd.testing.assert_frame_equal(
        loading.load(own(path)).molecules, loading.load(own(windows)).molecules
    )


def test_a_broken_record_of_an_sd_file_is_counted(tmp_path: Path) -> None:
    records = [
        sd_record(text, f"m{k}", {"activity": ("yes", "no")[k % 2]}) for k, text in enumerate(KNOWN)
    ]
    records[4] = records[4].replace(" C ", " Zz")
    path = tmp_path / "own.sdf"
    path.write_text("".join(records))
    loaded = loading.load(own(path))
    assert len(loaded.molecules) == len(KNOWN) - 1
    assert loaded.merged.left_out.to_numpy().tolist() == [[5, "", tables.RECORD]]


def test_of_several_targets_a_label_may_be_missing_or_wrong(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    rows = [f"{text},{('yes', 'no')[k % 2]},{k}" for k, text in enumerate(KNOWN)]
    rows[0], rows[1], rows[2] = f"{KNOWN[0]},,3", f"{KNOWN[1]},no,?", f"{KNOWN[2]},,inf"
    path.write_text("\n".join(["smiles,activity,pKi", *rows, f"{KNOWN[5]},yes,5", ""]))
    both = [{**CLASS, "better": "high"}, {**VALUE, "better": "low"}]
    params = own(path, targets=both)
    loaded = loading.load(params)
    assert loaded.merged.left_out["reason"].tolist() == ["affinity is not finite"]
    assert loaded.merged.conflicts == {"active": 1}
    assert loaded.merged.unread == {("affinity", "affinity is no number"): 1}
    [unread] = [one for one in card(params, loaded)["excluded"] if "no number" in one["why"]]
    assert unread == {"what": "labels of affinity", "why": "affinity is no number", "count": 1}
    table = loaded.molecules.set_index("smiles")
    assert np.isnan(table.loc["CC(=O)Oc1ccccc1C(=O)O", "active"])
    assert np.isnan(table.loc["CC(=O)Nc1ccc(O)cc1", "affinity"])


def test_rows_of_one_molecule_that_measured_different_targets(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    rows = [f"{text},{('yes', 'no')[k % 2]},{k}" for k, text in enumerate(KNOWN)]
    rows[0] = f"{KNOWN[0]},yes,"
    path.write_text("\n".join(["smiles,activity,pKi", *rows, f"{KNOWN[0]},,7", ""]))
    both = [{**CLASS, "better": "high"}, {**VALUE, "better": "low"}]
    found = loading.load(own(path, targets=both)).molecules
    assert found[found["count"] == 2][["active", "affinity"]].to_numpy().tolist() == [[1, 7]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positive": ""}, "name the class of active"),
        ({"name": "active_score"}, "which later tables use"),
        ({"name": "split"}, "which later tables use"),
        ({"kind": "value"}, "is a value, leave ''"),
    ],
)
def test_targets_that_cannot_be(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TargetColumn.model_validate({**CLASS, "better": "high", **changes})


def test_numbers_of_a_class_may_be_written_in_two_ways() -> None:
    target = TargetColumn.model_validate({**CLASS, "positive": "1", "better": "high"})
    found = labels.read_labels(["1", "0", "1.0", "0.0", "", "NA"], target, "own.csv")
    assert [label for label, _ in found[:4]] == [1, 0, 1, 0]
    assert all(np.isnan(label) and problem is None for label, problem in found[4:])


@pytest.mark.parametrize(("positive", "other"), [("+", "-"), ("none", "some"), ("-", "+")])
def test_a_class_may_be_called_like_a_missing_value(positive: str, other: str) -> None:
    target = TargetColumn.model_validate({**CLASS, "positive": positive, "better": "high"})
    found = labels.read_labels([positive, other, "", "NA"], target, "own.csv")
    assert [label for label, _ in found[:2]] == [1, 0] and np.isnan(found[2][0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"library_column": "x"}, "library_column: found 'x'; only library table takes it"),
        ({"source": "b3db", "path": None, "targets": [], "column": "x"}, "column: found 'x'"),
    ],
)
def test_a_column_that_would_be_ignored(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        own(Path("own.csv"), **changes)
