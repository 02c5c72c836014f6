"""Which molecules are kept, each once, with the labels of all its rows; why other rows are not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.chemistry.standardise import Standardised

from .labels import Label
from .params import TargetColumn
from .tables import Listed

NO_LABEL = "no label"
CONFLICT = "labels of the same molecule that contradict each other"
AGREEING = 0.25  # standard deviations of a target, between values of one molecule


@dataclass(frozen=True)
class Merged:
    """Molecules, each once, and an account of all rows.

    table: smiles, count and a column for each target, NaN where not measured; left_out: row,
    smiles, reason; changes: kept rows that standardising changed, by kind; merged: rows beyond the
    first of their molecules; conflicts: labels dropped from molecules that have others; unread:
    labels dropped from rows that have others, by target and what is wrong with them.
    """

    table: pd.DataFrame
    left_out: pd.DataFrame
    changes: dict[str, int]
    merged: int
    conflicts: dict[str, int]
    unread: dict[tuple[str, str], int]


def merge(
    listed: Listed,
    forms: Sequence[Standardised],
    labels: dict[str, list[Label]],
    targets: Sequence[TargetColumn],
) -> Merged:
    """Molecules in the order in which the table first names them.

    Classes must be equal; the mean is taken of values that differ by at most AGREEING.
    """
    reasons = [_reason(k, listed, forms, labels) for k in range(len(listed))]
    rows: dict[str, list[int]] = defaultdict(list)
    for k, (form, reason) in enumerate(zip(forms, reasons, strict=True)):
        if reason is None:
            rows[str(form.smiles)].append(k)
    given = np.array([[label for label, _ in labels[t.name]] for t in targets]).T
    usable = given[[k for k, reason in enumerate(reasons) if reason is None]]
    most = _tolerances(usable, targets)
    kept, conflicts = [], Counter[str]()
    for smiles, places in rows.items():
        values, clashing = _together(given[places], most)
        if np.isnan(values).all():
            for k in places:
                reasons[k] = CONFLICT
        else:
            conflicts.update(targets[k].name for k in np.flatnonzero(clashing).tolist())
            kept.append((smiles, len(places), *values))
    table = pd.DataFrame(kept, columns=["smiles", "count", *(t.name for t in targets)])
    used = [form for form, reason in zip(forms, reasons, strict=True) if reason is None]
    return Merged(
        table=table,
        left_out=_left_out(listed, reasons),
        changes=dict(Counter(change for form in used for change in form.changes)),
        merged=len(used) - len(table),
        conflicts=dict(conflicts),
        unread=_unread(labels, reasons),
    )


def _unread(
    labels: dict[str, list[Label]], reasons: Sequence[str | None]
) -> dict[tuple[str, str], int]:
    """What is wrong with labels of rows that are used, or whose other labels contradict others."""
    return dict(
        Counter(
            (name, problem)
            for name, column in labels.items()
            for (_, problem), reason in zip(column, reasons, strict=True)
            if problem and reason in (None, CONFLICT)
        )
    )


def _reason(
    k: int, listed: Listed, forms: Sequence[Standardised], labels: dict[str, list[Label]]
) -> str | None:
    """Why row k cannot be used; a row with some label is used for that."""
    unreadable = listed.problems[k] or forms[k].reason
    if unreadable:
        return unreadable
    row = [column[k] for column in labels.values()]
    if any(label == label for label, _ in row):
        return None
    return next((problem for _, problem in row if problem), NO_LABEL)


def _tolerances(given: NDArray[np.float64], targets: Sequence[TargetColumn]) -> NDArray[np.float64]:
    """(T,) how much labels of one molecule may differ."""
    spread = [np.nanstd(given[:, k]) if len(given) else 0.0 for k in range(len(targets))]
    return np.array(
        [AGREEING * sd if t.kind == "value" else 0.0 for t, sd in zip(targets, spread, strict=True)]
    )


def _together(
    labels: NDArray[np.float64], most: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(T,) labels of one molecule from those of its rows (r, T), and whether they clash."""
    measured = ~np.isnan(labels)
    low = np.where(measured, labels, np.inf).min(axis=0)
    high = np.where(measured, labels, -np.inf).max(axis=0)
    clashing = high - low > most
    number = measured.sum(axis=0)
    mean = np.where(measured, labels, 0.0).sum(axis=0) / np.maximum(number, 1)
    return np.where(clashing | (number == 0), np.nan, mean), clashing


def _left_out(listed: Listed, reasons: Sequence[str | None]) -> pd.DataFrame:
    rows = [
        (number, text, reason)
        for number, text, reason in zip(
            listed.numbers, listed.columns["smiles"], reasons, strict=True
        )
        if reason is not None
    ]
    return pd.DataFrame(rows, columns=["row", "smiles", "reason"])
