"""The data card: what the data are, whence, how they are split, and what was left out."""

import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd

from .arrays import SPLITS, Account, Eyes, Target, of_eyes
from .params import PrepareParams
from .quality import EXPOSURES, LEAST_FIELD, MOST_BLUR
from .sources import source

_MOST_FILES = 200
_IN_UNIT = ("mae", "rmse", "bias", "width")  # metrics of evaluate that have the target's unit


def card(params: PrepareParams, eyes: Eyes, account: Account) -> dict[str, Any]:
    """JSON-ready card, as the contract asks for."""
    about = source(params).about(params, eyes.table)
    weights = []
    files = source(params).files(params)
    if params.pretrained:
        from .weights import LITE0

        files = {**files, **LITE0.files}
        weights = [f"Read for train: {LITE0.title} ({LITE0.licence}; {LITE0.citation})."]
    low, high = EXPOSURES
    return {
        **about,
        "source": {**about["source"], "files": _shortened(files)},
        "splits": {
            split: _counts(eyes.table[eyes.table["split"] == split], eyes.targets)
            for split in SPLITS
        },
        "excluded": [one for one in account.excluded if one["count"]],
        "intervals": "n counts patients, or photographs where each is scored by itself; the "
        "bootstrap draws patients with all their photographs; intervals of the coverage are exact "
        "binomial ones where a patient counts once.",
        "units": {
            f"{target.name}_{metric}": target.unit
            for target in eyes.targets
            if target.unit
            for metric in _IN_UNIT
        },
        "notes": [
            *about["notes"],
            *account.notes,
            *_of_eyes(eyes),
            "Split by patient, both eyes together; the field of view fills the picture.",
            f"Usable: blur at most {MOST_BLUR:g}, exposure {low:g} to {high:g}, field at least "
            f"{LEAST_FIELD:g}; what is not is in the test only, marked.",
            *weights,
        ],
    }


def _of_eyes(eyes: Eyes) -> list[str]:
    people = eyes.table[eyes.table["usable"]].groupby("patient")
    return [
        f"{target.name} is not the same in both eyes of "
        f"{int((people[target.name].nunique() > 1).sum())} patients: it is taken for an eye's, not "
        "a person's, and scored photograph by photograph."
        for target in of_eyes(eyes.table, eyes.targets)
    ]


def _shortened(files: dict[str, str]) -> dict[str, str]:
    """Of a great many files, the SHA-256 of the list of all names and hashes."""
    if len(files) <= _MOST_FILES:
        return files
    text = "".join(f"{digest}  {name}\n" for name, digest in files.items())
    return {f"list of {len(files)} files": hashlib.sha256(text.encode()).hexdigest()}


def _counts(table: pd.DataFrame, targets: Sequence[Target]) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "eyes": len(table),
        "patients": table["patient"].nunique(),
        "unusable": int((~table["usable"]).sum()),
    }
    people = table.groupby("patient")[[target.name for target in targets]].mean()
    for target in targets:
        known = people[target.name].dropna()
        if target.kind == "value" and len(known):
            counts[f"{target.name}_mean"] = known.mean()
            counts[f"{target.name}_sd"] = known.std(ddof=0)
        elif len(known):
            counts[f"{target.name} = {target.positive}"] = int((known > 0).sum())
        if len(known) < len(people):
            counts[f"{target.name}_unknown"] = len(people) - len(known)
    return counts
