"""ODIR-5K: photographs with age, sex and findings, from a folder with labels.csv and images/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.core.environment import environment
from pipelines.core.errors import UserError
from pipelines.data.sources import sha256_of

from .arrays import FOUND, Account, Target
from .params import PrepareParams
from .photographs import Listed, check_photographs, write_photographs
from .tables import read_table, require_columns, require_inside

PERSON = [Target("age", "value", "years"), Target("sex", "binary", positive="male")]
# The set's own classes, each with the keywords that a doctor gave an eye that has it.
FINDINGS = {
    "normal": ("normal fundus",),
    "diabetic_retinopathy": ("proliferative", "diabetic retinopathy"),
    "glaucoma": ("glaucoma",),
    "cataract": ("cataract",),
    "macular_degeneration": ("age-related macular degeneration",),
    "hypertensive_retinopathy": ("hypertensive retinopathy",),
    "myopia": ("myopi",),
}
FEWEST = 50  # photographs with a finding, and without; of fewer nothing is learnt
ADULT = 18  # years; the set's miscoded ages are 1
# Findings that say that the photograph shows no fundus, or not enough of it.
UNUSABLE = (
    "no fundus image",
    "low image quality",
    "anterior segment image",
    "image offset",
    "optic disk photographically invisible",
)
_COLUMNS = ("patient_id", "eye", "image", "age", "sex", "keywords")


def write(params: PrepareParams, out: Path) -> Account:
    """Write images.npy, eyes.csv and targets.json; return what was left out."""
    return write_photographs(listed(params), params, out)


def check(params: PrepareParams) -> None:
    """The table, and that every photograph is there."""
    check_photographs(listed(params))


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of labels.csv and of every photograph that is used, by its name in the folder."""
    folder = _folder(params)
    paths = [folder / "labels.csv", *sorted(listed(params).table["path"])]
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}


def about(params: PrepareParams, table: pd.DataFrame) -> dict[str, Any]:
    """The card's description of the data."""
    return {
        "title": "ODIR-5K fundus photographs",
        "description": (
            f"{len(table)} colour fundus photographs of {table['patient'].nunique()} adults with "
            "age, sex and findings, from many cameras. No medical device."
        ),
        "synthetic": False,
        "source": {
            "name": "ODIR-5K, Ocular Disease Intelligent Recognition",
            "licence": "research use, to be cited",
            "citation": "Peking University and Shanggong Medical Technology 2019, ODIR-2019",
            "url": "https://odir2019.grand-challenge.org",
        },
        "notes": [
            "The cameras are many and unlabelled: a colour may stand for a hospital and so for "
            "its patients' age.",
        ],
    }


def listed(params: PrepareParams) -> Listed:
    """The photographs of adults that show a fundus.

    Raises UserError for a folder that is not as it should be.
    """
    folder = _folder(params)
    path = folder / "labels.csv"
    table = read_table(path)
    require_columns(path, table, dict.fromkeys(_COLUMNS, "correct its header"))
    require_inside(path, table, "image")
    ages = pd.to_numeric(table["age"], errors="coerce")
    _require_labels(path, table, ages)
    minor = ages < ADULT
    poor = _mentioned(table, UNUSABLE) & ~minor
    kept = table[~minor & ~poor]
    found = pd.DataFrame(
        {
            "patient": kept["patient_id"],
            "eye": kept["eye"].str.lower(),
            "image": kept["image"],
            "path": [folder / "images" / name for name in kept["image"]],
            "age": ages[kept.index].astype(float),
            "sex": (kept["sex"] == "M").astype(int),
            **{name: _mentioned(kept, texts).astype(int) for name, texts in FINDINGS.items()},
        }
    ).reset_index(drop=True)
    reasons = {
        f"age below {ADULT} years, 1 being a miscoding": minor,
        "keywords: no or poor image": poor,
    }
    excluded = [
        {"what": "photographs", "why": why, "count": int(rows.sum())}
        for why, rows in reasons.items()
    ]
    counts = found[list(FINDINGS)].sum()
    seen = [name for name in FINDINGS if FEWEST <= counts[name] <= len(found) - FEWEST]
    targets = [*PERSON, *(Target(name, "binary", positive=FOUND) for name in seen)]
    return Listed(found, targets, excluded, join_copies=True)


def _mentioned(table: pd.DataFrame, texts: tuple[str, ...]) -> pd.Series:
    """Which rows have one of the texts in their keywords."""
    keywords = table["keywords"].str.lower()
    return pd.concat([keywords.str.contains(text, regex=False) for text in texts], axis=1).any(
        axis=1
    )


def _require_labels(path: Path, table: pd.DataFrame, ages: pd.Series) -> None:
    wrong = table[ages.isna() | ~table["sex"].isin(["M", "F"])]
    if len(wrong):
        row = wrong.iloc[0]
        raise UserError(
            f"{path}: line {row.name + 2}: age {row['age']!r}, sex {row['sex']!r}; a number, and M "
            "or F, are needed"
        )


def _folder(params: PrepareParams) -> Path:
    mirror = environment().data_mirror
    if params.path:
        folder = Path(params.path)
    elif mirror and "://" not in mirror:
        folder = Path(mirror).expanduser() / "odir"
    else:
        raise UserError(
            "path: found null, and SCISTAGE_DATA_MIRROR names no folder; set prepare.path to the "
            "folder with labels.csv and images/"
        )
    if not (folder / "labels.csv").is_file():
        raise UserError(f"{folder}: holds no labels.csv; correct prepare.path")
    return folder
