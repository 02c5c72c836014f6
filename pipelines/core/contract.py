"""The contract between stages: what each reads, what each must leave, checked before publishing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.core.artifacts import holds_objects, read_csv, read_json
from pipelines.core.errors import UserError

SCORE_COLUMNS = ["row", "metric", "group", "value", "low", "high", "n", "source"]
CARD_KEYS = (
    "title",
    "description",
    "synthetic",
    "source",
    "splits",
    "excluded",
    "intervals",
    "notes",
)
THIS_RUN = "this run"
# In a table of `prepare` with a column `split`: these hold what no two splits may share.
UNIT_COLUMNS = ("group", "patient")
PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt")
_BOUND = re.compile(r"(bayes|oracle|floor|ceiling)(?![a-z])")  # not bayesian_ridge
# Tested, for intervals: samples drawn from four groups cover at most 87.5 % whatever is done.
FEWEST_GROUPS = 5


@dataclass(frozen=True)
class Stage:
    """One stage: the stages whose outputs it reads, and the files it must write."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    @property
    def writes_no_other(self) -> bool:
        """Whether dvc.yaml lists its files one by one, so that it would lose what is not listed."""
        return self.name in ("train", "evaluate")


STAGES = {
    stage.name: stage
    for stage in (
        Stage("prepare", reads=(), writes=("card.json", "preview.png")),
        Stage(
            "train", reads=("prepare",), writes=("weights.safetensors", "model.json", "history.csv")
        ),
        Stage("predict", reads=("prepare", "train"), writes=()),
        Stage(
            "evaluate",
            reads=("prepare", "predict"),
            writes=("metrics.json", "scores.csv", "baselines.json", "curves"),
        ),
        Stage("explain", reads=("prepare", "train", "predict"), writes=("explain.json",)),
        Stage("report", reads=("prepare", "train", "evaluate", "explain"), writes=("index.html",)),
    )
}


def check_outputs(stage: str, folder: Path, owner: str) -> None:
    """Check that a stage left what the contract asks for.

    Args:
        stage: name of the stage.
        folder: what it wrote.
        owner: who wrote it, for the message, such as `domains/retina/evaluate`.

    Raises:
        UserError: a file is missing or breaks its format.
    """
    for name in STAGES[stage].writes:
        if not (folder / name).exists():
            raise UserError(f"{owner}: did not write {name}, which the contract asks for")
    if not any(folder.iterdir()):
        raise UserError(f"{owner}: wrote nothing")
    others = sorted({path.name for path in folder.iterdir()} - {*STAGES[stage].writes})
    if others and STAGES[stage].writes_no_other:
        raise UserError(
            f"{owner}: wrote {others[0]}, which dvc.yaml does not list and would lose; write it in "
            "another stage, or as one of curves"
        )
    check = _CHECKS.get(stage)
    problem = _find_objects(folder) or (check(folder) if check else None)
    if problem:
        raise UserError(f"{owner}: {problem}")


def kind_of(row: str, source: str) -> str:
    """What a row of scores.csv is: model, difference, bound, baseline or published.

    >>> kind_of("model - otsu", THIS_RUN), kind_of("bayes_optimal", THIS_RUN), kind_of("x", "Yu")
    ('difference', 'bound', 'published')
    """
    name = row.lower()
    if source not in ("", THIS_RUN):
        return "published"
    if " - " in name:
        return "difference"
    if name.startswith("model"):
        return "model"
    return "bound" if _BOUND.match(name) else "baseline"


def read_card(prepare: Path) -> dict[str, Any]:
    """The data card that `prepare` left.

    Raises:
        UserError: it is not what the contract asks for, as where an earlier version wrote it.
    """
    problem = _check_card(prepare)
    if problem:
        raise UserError(f"{prepare}: {problem}; run `scistage repro`")
    return _mapping(prepare / "card.json")


def _mapping(path: Path) -> dict[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise UserError(f"{path}: found {type(value).__name__}; a mapping is needed")
    return value


def _find_objects(folder: Path) -> str | None:
    for path in sorted(folder.rglob("*")):
        if path.suffix in PICKLES or (path.suffix in (".npy", ".npz") and holds_objects(path)):
            return f"{path.name}: is a pickle, which can run code; write numbers, texts or tables"
    return None


def _check_prepare(folder: Path) -> str | None:
    return _check_card(folder) or _check_splits(folder)


def _check_splits(folder: Path) -> str | None:
    """Of every table with a column `split` and a unit: no unit is in two splits."""
    for path in sorted(folder.glob("*.csv")):
        table = read_csv(path, text=UNIT_COLUMNS)
        for column in UNIT_COLUMNS if "split" in table else ():
            splits = table.groupby(column)["split"].nunique() if column in table else {}
            shared = [unit for unit, count in splits.items() if count > 1]
            if shared:
                return (
                    f"{path.name}: {column} {shared[0]!r} is in several splits; keep it in one, or "
                    "give the column another name"
                )
    return None


def _check_card(folder: Path) -> str | None:
    card = _mapping(folder / "card.json")
    missing = [key for key in CARD_KEYS if key not in card]
    if missing:
        return f"card.json: key {missing[0]!r} is missing"
    for key in ("title", "description", "intervals"):
        if not isinstance(card[key], str):
            return f"card.json: {key}: found {card[key]!r}; a text is needed"
    if not isinstance(card["synthetic"], bool):
        return f"card.json: synthetic: found {card['synthetic']!r}; true or false is needed"
    if not isinstance(card["notes"], list) or not all(isinstance(n, str) for n in card["notes"]):
        return f"card.json: notes: found {card['notes']!r}; a list of texts is needed"
    if not isinstance(card["splits"], dict) or not isinstance(card["source"], dict):
        return "card.json: splits and source: mappings are needed"
    absent = [split for split in ("train", "validation", "test") if split not in card["splits"]]
    if absent:
        return f"card.json: splits: {absent[0]!r} is missing"
    for split, counts in card["splits"].items():
        if not isinstance(counts, dict) or not counts or not all(map(_is_number, counts.values())):
            return f"card.json: splits.{split}: found {counts!r}; a mapping of counts is needed"
    excluded = card["excluded"]
    if not _are_mappings(excluded, "what", "why", "count") or not all(
        _is_number(one["count"]) for one in excluded
    ):
        return "card.json: excluded: a list of mappings of what, why and count is needed"
    units = card.get("units", {})
    if not isinstance(units, dict) or not all(isinstance(u, str) for u in units.values()):
        return f"card.json: units: found {units!r}; a mapping of metric to unit is needed"
    files = card["source"].get("files")
    if not isinstance(files, dict):
        return "card.json: source.files: a mapping of file name to SHA-256 is needed"
    return None


def _are_mappings(value: object, *keys: str) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and all(one.get(key) not in (None, "") for key in keys)
        for one in value
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_history(folder: Path) -> str | None:
    columns = list(read_csv(folder / "history.csv").columns)
    return None if columns[:2] == ["fit", "epoch"] else f"history.csv: columns are {columns}"


def _check_scores(folder: Path) -> str | None:
    scores = read_csv(folder / "scores.csv")
    if list(scores.columns) != SCORE_COLUMNS:
        return f"scores.csv: columns are {list(scores.columns)}, not {SCORE_COLUMNS}"
    named = zip(scores["row"], scores["source"].fillna(""), strict=True)
    kinds = [kind_of(str(row), str(source)) for row, source in named]
    compared = set(scores["metric"][[kind == "baseline" for kind in kinds]])
    model = scores[(scores["row"] == "model") & (scores["group"] == "all")]
    table = dict(zip(model["metric"], model["value"], strict=True))
    for name, value in _mapping(folder / "metrics.json").items():
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            return f"metrics.json: {name}: found {value!r}; a finite number is needed"
        if not math.isclose(table.get(name, math.nan), value, rel_tol=1e-4, abs_tol=1e-9):
            return f"metrics.json: {name}: {value} is not the model's row of scores.csv"
        if name not in compared:
            return f"scores.csv: {name}: no baseline; score at least one on the same split"
    return None


def _check_explain(folder: Path) -> str | None:
    content = _mapping(folder / "explain.json")
    if not content.get("figures") or not isinstance(content.get("findings"), dict):
        return "explain.json: at least one figure, and findings, are needed"
    for figure in content["figures"]:
        if not _are_mappings([figure], "file", "title", "caption"):
            return f"explain.json: a figure lacks file, title or caption: {figure}"
        if Path(figure["file"]).name != figure["file"] or not (folder / figure["file"]).is_file():
            return f"explain.json: figure {figure['file']} was not written"
    return None


_CHECKS: dict[str, Callable[[Path], str | None]] = {
    "prepare": _check_prepare,
    "train": _check_history,
    "evaluate": _check_scores,
    "explain": _check_explain,
}
