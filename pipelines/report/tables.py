"""scores.csv as tables of few columns, so that they fit on paper and on a telephone."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from pipelines.core.contract import THIS_RUN
from pipelines.report.formatting import DASH, label, number
from pipelines.report.scores import KINDS, Score

_COLUMNS_PER_TABLE = 5


@dataclass(frozen=True)
class TableRow:
    """A row of a table of scores: `cells` has one score, or None, per metric of the table."""

    name: str
    note: str
    n: str
    cells: list[Score | None]


@dataclass(frozen=True)
class Section:
    """Rows under a heading; `note` is what the notes of all of them say."""

    heading: str
    note: str
    rows: list[TableRow]


@dataclass(frozen=True)
class Table:
    """Scores under at most five metrics."""

    metrics: list[str]
    sections: list[Section]


def score_tables(scores: list[Score], first: list[str]) -> list[Table]:
    """All scores over the whole test set, the metrics of `first` in front."""
    return _tables(
        [score for score in scores if score.group == "all"],
        first,
        section=lambda score: KINDS[score.kind],
        sections=list(KINDS.values()),
        row=lambda score: score.name,
    )


def subgroup_tables(scores: list[Score], first: list[str]) -> list[Table]:
    """Scores of classes and subgroups under the whole's: a section per group or per row.

    A section per group if several rows have subgroup scores, so that they can be compared;
    if only the model has, one section with a line per group.
    """
    split = {(score.row, score.metric) for score in scores if score.group != "all"}
    parts = [score for score in scores if (score.row, score.metric) in split]
    parts.sort(key=lambda score: score.group != "all")
    names = list(dict.fromkeys(score.name for score in parts))
    groups = list(dict.fromkeys(label(score.group) for score in parts))
    if len(names) == 1:
        return _tables(parts, first, lambda s: s.name, names, lambda s: label(s.group))
    return _tables(parts, first, lambda s: label(s.group), groups, lambda s: s.name)


def _tables(
    scores: list[Score],
    first: list[str],
    section: Callable[[Score], str],
    sections: list[str],
    row: Callable[[Score], str],
) -> list[Table]:
    metrics = sorted(
        dict.fromkeys(score.metric for score in scores),
        key=lambda metric: first.index(metric) if metric in first else len(first),
    )
    count = math.ceil(len(metrics) / _COLUMNS_PER_TABLE)
    width = math.ceil(len(metrics) / count) if count else 1
    tables = []
    for start in range(0, len(metrics), width):
        chosen = metrics[start : start + width]
        filled = []
        for heading in sections:
            here = [s for s in scores if section(s) == heading and s.metric in chosen]
            rows = dict.fromkeys(row(score) for score in here)
            if rows:
                lines = [_row(name, [s for s in here if row(s) == name], chosen) for name in rows]
                filled.append(_section(heading, lines))
        tables.append(Table(chosen, filled))
    return tables


def _section(heading: str, rows: list[TableRow]) -> Section:
    """A note that all rows have is said once."""
    shared = rows[0].note if len({row.note for row in rows}) == 1 and len(rows) > 1 else ""
    return Section(heading, shared, [replace(row, note="") for row in rows] if shared else rows)


def _row(name: str, scores: list[Score], metrics: list[str]) -> TableRow:
    sources = dict.fromkeys(s.source for s in scores if s.source not in ("", THIS_RUN))
    counts = dict.fromkeys(number(s.n) for s in scores if s.n is not None)
    by_metric = {score.metric: score for score in scores}
    cells = [by_metric.get(metric) for metric in metrics]
    return TableRow(name, "; ".join(sources), " / ".join(counts) or DASH, cells)
