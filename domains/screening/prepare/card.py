"""The data card: what the data are, whence, how they are split, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.data.sources import source_card

from .arrays import SPLITS
from .clusters import SIMILAR
from .known import DATASETS, LIBRARIES
from .loading import Loaded
from .merging import AGREEING
from .params import PrepareParams, TargetColumn
from .tables import files

_SPLIT = {
    "scaffold": "All molecules of one Bemis-Murcko scaffold are in one split; one without a ring "
    "stands for itself.",
    "cluster": "All molecules of one Butina cluster (Tanimoto similarity of at least "
    f"{SIMILAR} to its centre; Morgan, radius 2) are in one split; members of different clusters "
    "may be more similar than that.",
    "random": "Molecules are drawn at random: the test holds close relatives of what is learnt "
    "from.",
}
_DRAWN = {
    "scaffold": "scaffolds with all their molecules",
    "cluster": "clusters with all their molecules",
    "random": "molecules with all their forms",
}
_IN_UNIT = ("rmse", "mae")  # metrics of evaluate that have the target's unit
_WIDE = 1000.0  # largest value by smallest
_OWN = "as stated by its owner"
_FORMS = (
    "Stereoisomers, tautomers and charged forms of one molecule, which share the first block of "
    "the InChIKey, are in one split."
)


def card(params: PrepareParams, loaded: Loaded) -> dict[str, Any]:
    """JSON-ready card, as the contract asks for, with `max_atoms` for later stages."""
    return {
        **_about(params, loaded),
        "splits": {split: _counts(loaded, split) for split in SPLITS},
        "excluded": _excluded(loaded),
        "intervals": f"n counts molecules; the bootstrap draws {_DRAWN[params.split]}.",
        "units": _units(loaded.targets),
        "notes": _notes(params, loaded),
        "max_atoms": params.max_atoms,
    }


def _about(params: PrepareParams, loaded: Loaded) -> dict[str, Any]:
    known = DATASETS.get(params.source)
    if known:
        return {
            "title": known.title,
            "description": known.description,
            "synthetic": False,
            "source": {**source_card(known.source), "files": files(params)},
        }
    name = Path(params.path or "").name
    return {
        "title": f"Measurements of {name}",
        "description": f"{len(loaded.molecules)} different molecules of your own.",
        "synthetic": False,
        "source": {
            "name": f"table {name}",
            "licence": _OWN,
            "citation": "none",
            "files": files(params),
        },
    }


def _counts(loaded: Loaded, split: str) -> dict[str, int]:
    part = loaded.molecules[loaded.molecules["split"] == split]
    groups = part["group"].value_counts()
    counts = {"molecules": len(part), "groups": len(groups)}
    counts["molecules of the largest group"] = int(groups.iloc[0])
    for target in loaded.targets:
        labels = part[target.name]
        counts[f"{target.name} measured"] = int(labels.notna().sum())
        if target.kind == "class":
            counts[f"{target.name} = {target.positive}"] = int((labels == 1).sum())
    return counts


def _units(targets: Sequence[TargetColumn]) -> dict[str, str]:
    return {
        f"{target.name}_{metric}" if len(targets) > 1 else metric: target.unit
        for target in targets
        if target.unit
        for metric in _IN_UNIT
    }


def _excluded(loaded: Loaded) -> list[dict[str, Any]]:
    parts = (
        ("rows", loaded.merged.left_out["reason"]),
        ("rows of the library", loaded.library.loc[loaded.library["reason"] != "", "reason"]),
    )
    found = []
    for what, reasons in parts:
        counts = sorted(reasons.value_counts().items(), key=lambda item: (-item[1], item[0]))
        found += [{"what": what, "why": why, "count": int(count)} for why, count in counts]
    for name, count in sorted(loaded.merged.conflicts.items()):
        why = "contradict each other in a molecule that keeps other labels"
        found.append({"what": f"labels of {name}", "why": why, "count": count})
    for (name, why), count in sorted(loaded.merged.unread.items()):
        found.append({"what": f"labels of {name}", "why": why, "count": count})
    return found


def _notes(params: PrepareParams, loaded: Loaded) -> list[str]:
    known = DATASETS.get(params.source)
    changed = ", ".join(f"{name}: {count}" for name, count in loaded.merged.changes.items())
    return [
        *(known.notes if known else ()),
        f"{_SPLIT[params.split]} {_FORMS}",
        "Without common counterions, largest organic fragment, neutral where that is possible "
        "(anions get a proton, also beside a charge that stays: an inner salt becomes a cation), "
        "oxides and ylides of sulphur and phosphorus with double bonds, isotopes cleared, "
        f"stereochemistry kept, tautomers as written. Rows changed: {changed or 'none'}.",
        f"{loaded.merged.merged} rows repeat a molecule and are merged with it: "
        + " ".join(_merging(target) for target in loaded.targets),
        *_spans(loaded),
        _library(params, loaded),
    ]


def _spans(loaded: Loaded) -> list[str]:
    """Targets over orders of magnitude, whose few large values the squared error is all about."""
    found = []
    for target in loaded.targets:
        labels = loaded.molecules[target.name].dropna()
        if target.kind == "value" and labels.min() > 0 and labels.max() >= _WIDE * labels.min():
            ratio = labels.max() / labels.min()
            found.append(
                f"{target.name}: the largest value is {ratio:.1e} times the smallest; it is learnt "
                "as it is given, so that the largest count most and intervals reach below zero. "
                "Give its logarithm (of an IC50 in mol/l, pIC50 = −log10) unless that is wanted."
            )
    return found


def _merging(target: TargetColumn) -> str:
    if target.kind == "class":
        return f"{target.name}: labels must be equal."
    return f"{target.name}: the mean of values within {AGREEING} standard deviations of all."


def _library(params: PrepareParams, loaded: Loaded) -> str:
    if params.library == "none":
        return "No library is ranked."
    known = LIBRARIES.get(params.library)
    usable = int((loaded.library["reason"] == "").sum())
    learnt = int(loaded.library["learnt"].sum())
    name = known.source.title if known else f"table {Path(params.library_path or '').name}"
    by = (
        f"{known.source.citation}; licence: {known.source.licence}" if known else f"licence: {_OWN}"
    )
    return (
        f"Library to rank: {name} ({by}): {usable} molecules, {learnt} of them measured here, "
        f"be it in another form; {loaded.repeated} rows that repeat one are left out."
    )
