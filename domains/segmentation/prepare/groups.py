"""What must not be split: the groups of a folder's files, from groups.csv or the files."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_user_csv
from pipelines.core.errors import UserError

from .arrays import SPLITS
from .pairs import Pair

_SPLIT_FOLDERS = {*SPLITS, "training", "val", "valid", "testing"}


def read_groups(folder: Path, names: list[str]) -> tuple[dict[str, str], dict[str, str]] | None:
    """Group of each image, and the split of each group if the file fixes it (else empty).

    names: paths inside images/. None without groups.csv.
    """
    path = folder / "groups.csv"
    if not path.is_file():
        return None
    table = read_user_csv(path, text=("file", "group", "split"))
    if list(table.columns) not in (["file", "group"], ["file", "group", "split"]):
        raise UserError(
            f"{path}: columns {list(table.columns)}; give file,group or file,group,split"
        )
    table = table.apply(lambda column: column.str.strip())
    if (table.isna() | (table == "")).any(axis=None):
        row = int((table.isna() | (table == "")).any(axis=1).argmax())
        raise UserError(f"{path}: line {row + 2} has an empty field; fill it")
    unknown = sorted(set(table["file"]) - set(names))
    if unknown:
        raise UserError(
            f"{path}: {unknown[0]} is not in images/; correct its name or drop the line"
        )
    missing = sorted(set(names) - set(table["file"]))
    if missing:
        raise UserError(
            f"{path}: {missing[0]} of images/ has no line; add one ({len(missing)} lack)"
        )
    twice = table.loc[table["file"].duplicated(), "file"]
    if len(twice):
        raise UserError(f"{path}: {twice.iloc[0]} has two lines; keep one")
    groups = dict(zip(table["file"], table["group"], strict=True))
    return groups, _fixed_splits(path, table) if "split" in table else {}


def default_groups(folder: Path, patients: dict[Pair, str | None]) -> dict[str, str]:
    """Group of each image by its top subfolder, else its patient, else its own stem.

    patients: the DICOM PatientID of each image, None where there is none. Raises UserError if
    that would put a patient into two groups, or all of the images into one.
    """
    groups = {p.file: p.subfolder or patient or p.name for p, patient in patients.items()}
    splits = sorted({name for name in groups.values() if name.lower() in _SPLIT_FOLDERS})
    if len(splits) > 1:
        raise UserError(
            f"{folder}/images: subfolders {' and '.join(splits)} would be drawn as groups are; "
            "name the split of each file in groups.csv with the columns file,group,split"
        )
    ids = {patient for patient in patients.values() if patient}
    if len(ids) == 1 and set(groups.values()) == ids:
        raise UserError(
            f"{folder}/images: all {len(groups)} DICOM files have the PatientID {min(ids)}, one "
            "group; name three or more groups in groups.csv with the columns file,group"
        )
    first: dict[str, Pair] = {}
    for pair, patient in patients.items():
        # One PatientID for everybody is an anonymiser's, and says nothing.
        other = first.setdefault(patient, pair) if patient and len(ids) > 1 else pair
        if groups[other.file] != groups[pair.file]:
            raise UserError(
                f"{pair.image}: PatientID {patient} as {other.file} of another group "
                f"({groups[pair.file]}, {groups[other.file]}); name the groups in groups.csv"
            )
    return groups


def refuse_shared_duplicates(
    images: Iterable[tuple[Pair, list[np.ndarray]]], groups: dict[str, str]
) -> None:
    """The same pixels in two groups could be learnt in one split and asked for in another.

    Planes of one value only, as at the ends of a volume, may be alike.
    """
    seen: dict[str, Pair] = {}
    for pair, planes in images:
        for plane in planes:
            key = hashlib.sha256(repr((plane.shape, plane.dtype)).encode())
            key.update(np.ascontiguousarray(plane))
            other = seen.setdefault(key.hexdigest(), pair)
            here, there = groups[pair.file], groups[other.file]
            if here != there and plane.min() < plane.max():
                raise UserError(
                    f"{pair.image}: the same picture as {other.file} of another group "
                    f"({here}, {there}); drop one or put both in one group"
                )


def _fixed_splits(path: Path, table: pd.DataFrame) -> dict[str, str]:
    wrong = table.loc[~table["split"].isin(SPLITS), "split"]
    if len(wrong):
        raise UserError(f"{path}: split {wrong.iloc[0]!r}; write {', '.join(SPLITS)}")
    for group, splits in table.groupby("group")["split"]:
        if splits.nunique() > 1:
            both = " and ".join(sorted(set(splits)))
            raise UserError(f"{path}: group {group} is in {both}; keep a group in one split")
    for split in SPLITS:
        if split not in set(table["split"]):
            raise UserError(f"{path}: no group in split {split}; give it one")
    return dict(zip(table["group"], table["split"], strict=True))
