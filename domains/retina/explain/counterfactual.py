"""The same eye with another blood pressure: is it read so?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.core.figures import bare, save
from pipelines.statistics.bootstrap import Interval, interval
from pipelines.statistics.wording import signed, spelt

from ..prepare.cohort import Person, eyes, read_cohort
from ..prepare.render import render
from ..train.ensemble import EyeEnsemble
from ..train.reading import answers
from .drawing import (
    BLUE,
    CONTROL,
    GREY,
    VERMILION,
    Entry,
    named,
    show_photograph,
)
from .subject import Subject, deviations

FACTOR = "systolic"
STEPS = 5


@dataclass(frozen=True)
class Responses:
    """changes: (steps,) of the factor; readings: (persons, steps, targets), both eyes averaged."""

    changes: np.ndarray
    readings: np.ndarray

    def of(self, target: int) -> np.ndarray:
        """(persons, steps) reading less that of the unchanged eyes."""
        read = self.readings[..., target]
        return read - read[:, [len(self.changes) // 2]]


def draw_counterfactual(out: Path, subject: Subject, count: int, largest: float) -> Entry | None:
    """Write counterfactual.png; None for real photographs, or where pressure is no target."""
    cohort = read_cohort(subject.prepare)
    names = [target.name for target in subject.targets]
    if cohort is None or FACTOR not in names:
        return None
    patients = subject.eyes.table.iloc[subject.tested(count)]["patient"].drop_duplicates()
    persons = [cohort.named(name) for name in patients]
    changes = np.linspace(-largest, largest, STEPS)
    size = subject.eyes.images.shape[1]
    pictures = np.stack([drawn(person, changes, size) for person in persons])
    found = {
        "network": Responses(changes, _read(subject.network, pictures)),
        CONTROL: Responses(changes, _read(subject.control, pictures)),
    }
    target = names.index(FACTOR)
    own = {name: slope(r, target) for name, r in found.items()}
    ordered = {name: monotonic(r, target) for name, r in found.items()}
    _draw(out / "counterfactual.png", subject, pictures[0, :, 0], found, target)
    entry = {
        "file": "counterfactual.png",
        "title": "The same eye with another blood pressure",
        "caption": _caption(len(persons), largest, own, ordered),
    }
    return entry, _findings(own, ordered, found["network"], target)


def drawn(person: Person, changes: np.ndarray, size: int) -> np.ndarray:
    """(steps, 2, size, size, 3) uint8: both eyes as they would be with another pressure."""
    factor = person.factors[FACTOR]
    return np.stack(
        [
            [render(eye, size) for eye in eyes(person.with_(**{FACTOR: factor + float(change)}))]
            for change in changes
        ]
    )


def slope(responses: Responses, target: int) -> Interval:
    """Mean over persons of the reading's slope on the change, interval over persons."""
    x = responses.changes - responses.changes.mean()
    slopes = responses.of(target) @ x / (x @ x)
    return interval(lambda s: s.mean(-1), slopes, seed=0)


def monotonic(responses: Responses, target: int) -> float:
    """Share of persons whose reading rises at every step; 1 in 120 by chance for five steps."""
    return float((np.diff(responses.of(target), axis=1) > 0).all(axis=1).mean())


def _read(network: EyeEnsemble, pictures: np.ndarray) -> np.ndarray:
    flat = pictures.reshape(-1, *pictures.shape[-3:])
    centre, _ = answers(network, flat)
    return centre.reshape(*pictures.shape[:3], -1).mean(axis=2)


def _draw(
    path: Path, subject: Subject, eye: np.ndarray, found: dict[str, Responses], target: int
) -> None:
    figure = Figure(figsize=(10, 6.2), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.35])
    grid = above.subplots(1, 5)
    middle = len(eye) // 2
    changes = found["network"].changes
    for axes, k in zip(grid[:3], (0, middle, -1), strict=True):
        show_photograph(axes, eye[k])
        axes.set_title(
            "as it is" if k == middle else f"{_plus(changes[k])} mmHg",
            fontsize=9,
        )
    for axes, k in zip(grid[3:], (0, -1), strict=True):
        change = eye[k].astype(float).mean(axis=-1) - eye[middle].astype(float).mean(axis=-1)
        axes.imshow(change, cmap="RdBu_r", vmin=-20, vmax=20)
        axes.set_title(f"change at {_plus(changes[k])} mmHg", fontsize=9)
        axes.set_axis_off()
    left, right = below.subplots(1, 2, width_ratios=[1.2, 1])
    _draw_lines(left, found, target)
    _draw_others(right, subject, found["network"])
    save(figure, path)


def _draw_lines(axes: Axes, found: dict[str, Responses], target: int) -> None:
    """Every person's line, the mean of all, and the control's mean."""
    changes = found["network"].changes
    for line in found["network"].of(target):
        axes.plot(changes, line, color=BLUE, linewidth=0.6, alpha=0.25)
    for (name, responses), colour, style in zip(
        found.items(), (BLUE, VERMILION), ("o-", "^:"), strict=True
    ):
        mean = responses.of(target).mean(axis=0)
        axes.plot(changes, mean, style, color=colour, linewidth=2.2, label=f"{name}, mean")
    axes.plot(changes, changes, color=GREY, linewidth=0.8, label="read in full")
    reach = 1.15 * np.abs(found["network"].of(target)).max() + 1e-9
    axes.set_ylim(-reach, reach)
    axes.set_xlabel(f"change of the {named(FACTOR)} (mmHg)")
    axes.set_ylabel("change of its reading (mmHg)")
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    bare(axes)


def _draw_others(axes: Axes, subject: Subject, responses: Responses) -> None:
    """Change of every target's reading at the largest change, in deviations of the target."""
    labels, rows = [], []
    spread = deviations(subject.network)
    for k, target in enumerate(subject.targets):
        found = slope(responses, k)
        rows.append([v * responses.changes[-1] / spread[k] for v in found])
        labels.append(named(target))
    places = np.arange(len(rows))
    values = np.array(rows)
    errors = np.nan_to_num(np.stack([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]]))
    colours = [BLUE if t.name == FACTOR else GREY for t in subject.targets]
    axes.barh(places, values[:, 0], 0.6, color=colours)
    axes.errorbar(
        values[:, 0], places, xerr=errors, fmt="none", ecolor="black", elinewidth=1, capsize=2
    )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set_xlabel(
        f"change of each reading at {_plus(responses.changes[-1])} mmHg\n"
        "(in deviations of the target)"
    )
    bare(axes)


def _plus(change: float) -> str:
    return ("+" if change > 0 else "") + signed(change, 0)


def _findings(
    own: dict[str, Interval], ordered: dict[str, float], responses: Responses, target: int
) -> dict[str, float | int | str]:
    mean = responses.of(target).mean(axis=0)
    return {
        "pressure changed by 1 mmHg is read as, mmHg": spelt(own["network"], 3),
        f"pressure changed by 1 mmHg is read as, mmHg, {CONTROL}": spelt(own[CONTROL], 3),
        "mean reading rises with pressure at every step": "yes"
        if (np.diff(mean) > 0).all()
        else "no",
        "persons whose reading rises at every step, share": ordered["network"],
        f"persons whose reading rises at every step, share, {CONTROL}": ordered[CONTROL],
    }


def _caption(
    count: int, largest: float, own: dict[str, Interval], ordered: dict[str, float]
) -> str:
    return (
        f"The eyes of {count} test persons drawn again with the systolic pressure changed by up to "
        f"{largest:g} mmHg and all else, noise included, as it was; above one of them and what "
        "changes in it (red: lighter). Left: the change of the reading, thin a person, thick the "
        f"mean. One mmHg is read as {spelt(own['network'])} mmHg (95 % interval over persons), "
        "1 would be read in full; the reading rises at every step in "
        f"{100 * ordered['network']:.0f} % of the persons. Right: what the same change does to "
        "the readings of the other targets, which share anatomy with pressure. Control: the "
        f"network with randomised (shuffled) weights, {spelt(own[CONTROL], 3)} mmHg, at every step "
        f"in {100 * ordered[CONTROL]:.0f} % (by chance 1 %)."
    )
