"""scores.csv as a reader needs it: what each row is, and the headline numbers compared.

What kind of row it is follows from its name and source: `model` and names that begin with it are
this run's model and its variants; `model - otsu` is the paired difference of the two; what begins
with the word `bayes`, `oracle`, `floor` or `ceiling` is a bound, not a competitor; another row of
this run is a baseline; a row with a source other than "this run" is a published result.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.core.artifacts import read_csv, read_json
from pipelines.core.contract import kind_of
from pipelines.report.formatting import DASH, decimals, direction, interval, label, number

KINDS = {
    "model": "This run: model",
    "baseline": "This run: baselines",
    "difference": "This run: differences",
    "bound": "Bounds",
    "published": "Published",
}
OUTCOMES = {
    "better": "better than the best baseline",
    "unclear": "no clear difference from the best baseline",
    "worse": "worse than the best baseline",
    "untested": "not tested against the best baseline",
    "unranked": "beside its baselines",
    "alone": "no baseline",
}
MOST = 6  # headline metrics


@dataclass(frozen=True)
class Score:
    """One line of scores.csv; None where the file is empty. `low`, `high`: 95 % interval.

    `places` are the decimals to print, the same for all of this run's scores on a metric.
    """

    row: str
    metric: str
    group: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    source: str
    places: int | None = None

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return kind_of(self.row, self.source)

    @property
    def name(self) -> str:
        """The row's name in words."""
        return label(self.row.replace(" - ", " − "))

    @property
    def text(self) -> str:
        """The value with the digits that the model's interval deserves."""
        return number(self.value, self.places, self.kind == "difference")

    @property
    def interval(self) -> str:
        """`[low, high]` or a dash."""
        return interval(self.low, self.high, self.places, self.kind == "difference")


def read_scores(path: Path) -> list[Score]:
    """The lines of scores.csv, in order."""
    table = read_csv(path)
    scores = [
        Score(
            row=str(line["row"]),
            metric=str(line["metric"]),
            group=_text(line["group"]) or "all",
            value=_float(line["value"]),
            low=_float(line["low"]),
            high=_float(line["high"]),
            n=None if (n := _float(line["n"])) is None else int(n),
            source=_text(line["source"]),
        )
        for line in table.to_dict("records")
    ]
    places: dict[str, int | None] = {}
    for score in scores:
        if score.row == "model" and score.group == "all":
            places[score.metric] = decimals(score.low, score.high)
    return [_with_places(score, places.get(score.metric)) for score in scores]


def _with_places(score: Score, places: int | None) -> Score:
    """A published score keeps the digits of its source; this run's follow the model's interval.

    A difference has those of its own interval if that is narrower, and as many more as show on
    which side of zero it lies.
    """
    own = decimals(score.low, score.high)
    if places is None or score.kind == "published":
        places = own
    elif score.kind == "difference":
        places = max(places, own or 0)
    if places is not None and score.kind == "difference" and score.low is not None:
        nearest = min(abs(score.low), abs(score.high or 0.0))
        while score.low * (score.high or 0.0) > 0 and round(nearest, places) == 0 and places < 6:
            places += 1
    return replace(score, places=places)


def _float(value: object) -> float | None:
    found = float(str(value)) if value not in (None, "") else math.nan
    return found if math.isfinite(found) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Comparison:
    """A baseline or bound beside the model; `difference` is the paired one, model minus it."""

    score: Score
    difference: Score | None
    best: bool


@dataclass(frozen=True)
class Headline:
    """The model's score on one metric and what it is compared with on the same data."""

    model: Score
    unit: str
    baselines: list[Comparison]
    bounds: list[Comparison]

    @property
    def metric(self) -> str:
        """The metric's name in words."""
        return label(self.model.metric)

    @property
    def direction(self) -> int:
        """+1: more is better; -1: less is better; 0: unknown."""
        return direction(self.model.metric)

    @property
    def best(self) -> Comparison | None:
        """The strongest baseline, if the metric's direction is known."""
        return next((item for item in self.baselines if item.best), None)

    @property
    def outcome(self) -> str:
        """A key of OUTCOMES, from the paired interval of the difference to the best baseline."""
        if not self.baselines:
            return "alone"
        if self.best is None:
            return "unranked"
        difference = self.best.difference
        if difference is None or difference.low is None or difference.high is None:
            return "untested"
        if difference.low <= 0 <= difference.high:
            return "unclear"
        return "better" if difference.low * self.direction > 0 else "worse"

    @property
    def beats_bayes(self) -> bool:
        """The model's whole interval lies beyond a Bayes-optimal score: a leak or a bug."""
        edge = self.model.low if self.direction > 0 else self.model.high
        return edge is not None and any(
            (edge - bound.score.value) * self.direction > 0
            for bound in self.bounds
            if bound.score.value is not None and bound.score.row.lower().startswith("bayes")
        )


def headlines(
    scores: list[Score], wanted: list[str], units: dict[str, str], evaluate: Path
) -> list[Headline]:
    """The headlines of those of `wanted` of which the model has a score, most important first.

    Data of one's own may have other targets than those that `wanted` was written for: if there is
    none, the first of metrics.json; if that is empty, of all that the model was scored by.

    Args:
        scores: of scores.csv in the folder `evaluate`.
        wanted: names of metrics.
        units: of the metrics that have one.
        evaluate: folder of that stage.
    """
    known = dict.fromkeys(s.metric for s in scores if s.kind == "model" and s.group == "all")
    names = [name for name in wanted if name in known]
    names = names or [*(read_json(evaluate / "metrics.json") or known)][:MOST]
    items = (headline(scores, name, units.get(name, "")) for name in names)
    return [item for item in items if item is not None]


def headline(scores: list[Score], metric: str, unit: str) -> Headline | None:
    """The headline of `metric` over the whole test set, or None if the model has no such score."""
    here = [score for score in scores if score.metric == metric and score.group == "all"]
    model = next((s for s in here if s.row == "model"), None) or next(
        (s for s in here if s.kind == "model"), None
    )
    if model is None:
        return None
    differences = {score.row: score for score in here if score.kind == "difference"}
    baselines = [score for score in here if score.kind == "baseline"]
    ranked = [score for score in baselines if score.value is not None]
    sign = direction(metric)
    best = max(ranked, key=lambda s: sign * (s.value or 0.0)) if ranked and sign else None

    def compare(score: Score) -> Comparison:
        return Comparison(score, differences.get(f"{model.row} - {score.row}"), score is best)

    bounds = [compare(score) for score in here if score.kind == "bound"]
    return Headline(model, unit, [compare(score) for score in baselines], bounds)


def verdict(headlines: list[Headline]) -> str:
    """One line: the first metric, then how the model does on each headline metric."""
    first = headlines[0]
    unit = f" {first.unit}" if first.unit else ""
    opening = f"{first.metric} {first.model.text}{unit}"
    if first.model.interval != DASH:
        opening += f" {first.model.interval}"
    parts = []
    for outcome, words in OUTCOMES.items():
        names = [label(h.model.metric, capital=False) for h in headlines if h.outcome == outcome]
        if names:
            parts.append(f"{words} on {_enumerate(names)}")
    sentence = "; ".join(parts)
    return f"{opening}. {sentence[:1].upper()}{sentence[1:]}."


def _enumerate(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
