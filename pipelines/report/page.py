"""The page's content, section by section."""

import hashlib
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipelines.core.artifacts import read_csv
from pipelines.core.contract import FEWEST_GROUPS, read_card
from pipelines.core.errors import UserError
from pipelines.core.runner import Inputs
from pipelines.report.charts import curve_chart, forest_chart
from pipelines.report.figures import Figure, explained, read_png
from pipelines.report.formatting import DASH, label, plain
from pipelines.report.params import ReportParams
from pipelines.report.scores import (
    OUTCOMES,
    Headline,
    Score,
    headlines,
    read_scores,
    verdict,
)
from pipelines.report.tables import score_tables, subgroup_tables
from pipelines.report.training import FitSummary, read_fits


def build_page(params: ReportParams, inputs: Inputs) -> dict[str, Any]:
    """Everything the template shows, as text, numbers already rounded, and images."""
    card = read_card(inputs.prepare)
    scores = read_scores(inputs.evaluate / "scores.csv")
    units = params.units_with(card)
    opening = headlines(scores, params.headline, units, inputs.evaluate)
    if not opening:
        raise UserError("evaluate/scores.csv: no row 'model' of the group 'all'; write one")
    names = [item.model.metric for item in opening]
    figures, findings = explained(inputs.explain)
    fits = read_fits(inputs.train)
    return {
        "title": params.title,
        "units": units,
        "card": card,
        "source": _source(card["source"]),
        "files": list(card["source"].get("files", {}).items()),
        "splits": _splits(card.get("splits", {})),
        "preview": _preview(inputs.prepare / "preview.png", card["title"]),
        "headlines": opening,
        "verdict": verdict(opening),
        "outcomes": OUTCOMES,
        "fewest": FEWEST_GROUPS,
        "beats_bayes": [h.metric for h in opening if h.beats_bayes],
        "examples": figures[0] if figures else None,
        "figures": figures[1:],
        "findings": [(label(str(name)), plain(value)) for name, value in findings.items()],
        "fits": fits,
        "models": _models(fits),
        "forests": _forests(opening, scores),
        "tables": score_tables(scores, names),
        "subgroups": subgroup_tables(scores, names),
        "curves": _curves(inputs.evaluate / "curves"),
        "weights_hash": _sha256(inputs.train / "weights.safetensors"),
    }


def _source(source: dict[str, Any]) -> list[tuple[str, str | Markup]]:
    """Name, licence, citation and address of the data, those that are given."""
    rows: list[tuple[str, str | Markup]] = [
        (label(key), str(source[key])) for key in ("name", "licence", "citation") if source.get(key)
    ]
    address = str(source.get("url") or "")
    if address.startswith(("https://", "http://")):  # never a `javascript:` link
        rows.append(("Address", Markup('<a href="{0}">{0}</a>').format(address)))
    elif address:
        rows.append(("Address", address))
    return rows


def _models(fits: list[FitSummary]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Settings of each distinct model with the names of the fits that use it."""
    models: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for fit in fits:
        models.setdefault(tuple(fit.settings), []).append(fit.name)
    return [(", ".join(names), list(rows)) for rows, names in models.items() if rows]


def _splits(splits: dict[str, dict[str, object]]) -> dict[str, Any]:
    """Counts as a table: `columns` of names, `rows` of (split, texts)."""
    keys = list(dict.fromkeys(key for counts in splits.values() for key in counts))
    rows = [
        (label(split), [plain(counts[key]) if key in counts else DASH for key in keys])
        for split, counts in splits.items()
    ]
    return {"columns": [label(key) for key in keys], "rows": rows}


def _preview(path: Path, title: str) -> Figure | None:
    if not path.is_file():
        return None
    return Figure(read_png(path, "prepare/preview.png"), f"Samples of the data: {title}")


def _forests(headlines: list[Headline], scores: list[Score]) -> list[Figure]:
    """A chart for each headline metric that there is something to compare with."""
    charts = []
    for item in headlines:
        others = [
            score
            for kind in ("model", "baseline", "published")
            for score in scores
            if score.metric == item.model.metric and score.group == "all" and score.kind == kind
            if score is not item.model
        ]
        known = any(score.value is not None for score in (item.model, *others))
        if known and (others or item.bounds):
            charts.append(Figure(*forest_chart(item, others)))
    return charts


def _curves(folder: Path) -> list[Figure]:
    charts = []
    for path in sorted(folder.glob("*.csv")):
        table = read_csv(path)
        if len(table) and len(table.columns) > 1:
            png, alt = curve_chart(path.stem, table)
            charts.append(Figure(png, alt, caption=f"evaluate/curves/{path.name}"))
    return charts


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def summarise(page: dict[str, Any]) -> dict[str, Any]:
    """The few texts that the overview of all domains shows."""
    numbers = [
        {
            "metric": item.metric,
            "unit": item.unit,
            "value": item.model.text,
            "interval": item.model.interval,
            "baseline": item.best.score.name if item.best else "",
            "baseline_value": item.best.score.text if item.best else "",
            "outcome": OUTCOMES[item.outcome],
        }
        for item in page["headlines"]
    ]
    return {
        "title": page["title"],
        "description": page["card"]["description"],
        "headline": numbers,
    }
