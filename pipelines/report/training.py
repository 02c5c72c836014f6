"""What train has written, for the page: each fit's course and what was built."""

import json
from dataclasses import dataclass
from pathlib import Path

from pipelines.core.artifacts import read_csv, read_json
from pipelines.report.charts import history_charts
from pipelines.report.figures import Figure
from pipelines.report.formatting import DASH, label, number, plain


@dataclass(frozen=True)
class FitSummary:
    """One fit; `settings` are (name, value) of its model, `charts` its history."""

    name: str
    epochs: str
    selected: str
    monitor: str
    value: str
    weights: str
    settings: list[tuple[str, str]]
    charts: list[Figure]


def read_fits(folder: Path) -> list[FitSummary]:
    """The fits of model.json in order, each with its part of history.csv."""
    history = read_csv(folder / "history.csv")
    counts = _weight_counts(folder / "weights.safetensors")
    fits = []
    for name, fit in read_json(folder / "model.json")["fits"].items():
        own = history[history["fit"].astype(str) == name] if "fit" in history else history
        monitor = str(fit.get("monitor") or "")
        # Files count epochs from 0, readers from 1.
        selected = fit["selected_epoch"] + 1 if "selected_epoch" in fit else None
        own = own.assign(epoch=own["epoch"] + 1)
        charts = [Figure(png, alt) for png, alt in history_charts(own, monitor, selected)]
        fits.append(
            FitSummary(
                name=label(name),
                epochs=number(len(own)),
                selected=number(selected),
                monitor=label(monitor) or DASH,
                value=number(fit.get("value")),
                weights=number(counts.get(name)),
                settings=_flat(fit.get("model") or {}),
                charts=charts,
            )
        )
    return fits


def _flat(settings: dict[str, object], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in settings.items():
        name = f"{prefix}{label(key, capital=not prefix)}"
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{name}: ")
        else:
            rows.append((name, plain(value)))
    return rows


def _weight_counts(path: Path) -> dict[str, int]:
    """Numbers stored per fit, running statistics included, from the safetensors header alone.

    The header is eight bytes of length, little-endian, then JSON: {tensor: {shape, …}}.
    """
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    counts: dict[str, int] = {}
    for key, tensor in header.items():
        if key != "__metadata__":
            size = 1
            for length in tensor["shape"]:
                size *= length
            fit = key.split("/", 1)[0]
            counts[fit] = counts.get(fit, 0) + size
    return counts
