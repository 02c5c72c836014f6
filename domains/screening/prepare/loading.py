"""From tables to molecules in splits, and to the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from pipelines.chemistry.kinship import Kinship, kinships
from pipelines.chemistry.standardise import Standardised
from pipelines.core.errors import UserError
from pipelines.core.parallel import in_parallel

from .arrays import SPLITS
from .labels import Label, read_labels
from .merging import Merged, merge
from .params import PrepareParams, TargetColumn
from .splitting import assign, groups_of, require_enough
from .standard import standard
from .tables import Listed, library, measured, read_library, read_measured

LEAST = 20  # molecules
_LIBRARY = ("name", "given", "smiles", "reason", "learnt")
_SHOWN = 40  # characters of a row in a message


@dataclass(frozen=True)
class Loaded:
    """All that is written.

    molecules, library: tables as in their files; targets; merged: the account of the rows;
    repeated: number of rows of the library that repeat a molecule.
    """

    molecules: pd.DataFrame
    library: pd.DataFrame
    targets: list[TargetColumn]
    merged: Merged
    repeated: int


def load(params: PrepareParams) -> Loaded:
    """Molecules with labels, standardised, merged and split, and the library.

    Raises:
        UserError: a table that cannot be read or holds too few usable molecules.
    """
    place, targets = measured(params)
    listed = read_measured(place, targets)
    labels = labels_of(listed, targets)
    forms = _forms(listed, params)
    merged = merge(listed, forms, labels, targets)
    require_molecules(merged, listed)
    kin = _kin(merged.table["smiles"].tolist())
    molecules = _split(merged.table, kin, params)
    require_enough(molecules, targets)
    tested = _tested(forms, labels[targets[0].name])
    ranked, repeated = _ranked(params, {one.skeleton for one in _kin(tested)})
    return Loaded(molecules, ranked, targets, merged, repeated)


def _tested(forms: Sequence[Standardised], labels: Sequence[Label]) -> list[str]:
    """Molecules with a label, also where their labels contradict each other."""
    pairs = zip(forms, labels, strict=True)
    return sorted({form.smiles for form, (label, _) in pairs if form.smiles and label == label})


def labels_of(listed: Listed, targets: Sequence[TargetColumn]) -> dict[str, list[Label]]:
    """Of each target, the label of each row."""
    return {t.name: read_labels(listed.columns[t.name], t, listed.name) for t in targets}


def require_molecules(merged: Merged, listed: Listed) -> None:
    """UserError, with what became of the rows, if too few molecules are left."""
    if len(merged.table) >= LEAST:
        return
    out = merged.left_out
    blame = ""
    if len(out):
        most = out["reason"].value_counts().index[0]
        row, text, _ = next(out[out["reason"] == most].itertuples(index=False))
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        blame = f" ({len(out)} of {len(listed)} rows left out; row {row}, {shown!r}: {most})"
    raise UserError(
        f"{listed.name}: {len(merged.table)} different usable molecule(s), at least {LEAST} are "
        f"needed{blame}"
    )


def _forms(listed: Listed, params: PrepareParams) -> list[Standardised]:
    return list(
        in_parallel(partial(standard, max_atoms=params.max_atoms), listed.columns["smiles"])
    )


def _kin(smiles: list[str]) -> list[Kinship]:
    return list(in_parallel(kinships, smiles))


def _split(table: pd.DataFrame, kin: list[Kinship], params: PrepareParams) -> pd.DataFrame:
    """The molecules split by split, in each as they were."""
    groups = groups_of(table["smiles"].tolist(), kin, params.split)
    table = table.assign(
        split=assign(groups, params.shares, params.seed),
        scaffold=[one.scaffold for one in kin],
        group=groups,
    )
    first = ["split", "smiles", "scaffold", "group", "count"]
    table = table[first + [name for name in table if name not in first]]
    return table.sort_values("split", key=lambda s: s.map(SPLITS.index), kind="stable")


def _ranked(params: PrepareParams, known: set[str]) -> tuple[pd.DataFrame, int]:
    """The library, each molecule once, and the number of rows that repeat one.

    known: skeletons of molecules that were tested for the first target: no other form of these
    is new.
    """
    place = library(params)
    if place is None:
        return pd.DataFrame({name: [] for name in _LIBRARY}), 0
    listed = read_library(place)
    forms = _forms(listed, params)
    reasons = [
        problem or form.reason or "" for problem, form in zip(listed.problems, forms, strict=True)
    ]
    smiles = [
        "" if reason else str(form.smiles) for form, reason in zip(forms, reasons, strict=True)
    ]
    usable = [text for text in smiles if text]
    skeletons = dict(zip(usable, (one.skeleton for one in _kin(usable)), strict=True))
    table = pd.DataFrame(
        {
            "name": listed.columns.get("name", [""] * len(listed)),
            "given": listed.columns["smiles"],
            "smiles": smiles,
            "reason": reasons,
            "learnt": [skeletons.get(text) in known for text in smiles],
        }
    )
    repeats = (table["smiles"] != "") & table["smiles"].duplicated()
    if (table["reason"] != "").all():
        raise UserError(
            f"{listed.name}: none of {len(listed)} rows is a usable molecule (row "
            f"{listed.numbers[0]}, {table['given'][0][:_SHOWN]!r}: {table['reason'][0]})"
        )
    return table[~repeats].reset_index(drop=True), int(repeats.sum())
