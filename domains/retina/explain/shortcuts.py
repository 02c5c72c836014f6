"""Does the camera decide? Photographs changed as another camera would change them, read again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.core.figures import save
from pipelines.statistics.bootstrap import Interval
from pipelines.statistics.resampling import ratios
from pipelines.statistics.wording import signed

from ..train.ensemble import EyeEnsemble
from ..train.reading import answers
from .drawing import CONTROL, Entry, capital, named
from .subject import Subject, deviations

SUSPECT = 0.25  # deviations of the target, from which a change of its reading is told
CUES = ("redder camera", "longer exposure")  # the camera's alone: nothing of the eye is in them
_MOST = 32  # photographs

Change = Callable[[np.ndarray], np.ndarray]
Table = dict[tuple[str, str], Interval]  # target, change


def draw_shortcuts(out: Path, subject: Subject, count: int) -> Entry:
    """Write shortcuts.png: what each change of the camera does to each reading."""
    rows = subject.tested(min(count, _MOST))
    images = np.asarray(subject.eyes.images[rows])
    patient = subject.eyes.table["patient"].iloc[rows]
    found = {
        "network": sensitivity(subject.network, images, patient),
        CONTROL: sensitivity(subject.control, images, patient),
    }
    _draw(out / "shortcuts.png", subject, images[0], found)
    entry = {
        "file": "shortcuts.png",
        "title": "Does the camera decide?",
        "caption": _caption(len(images)),
    }
    return entry, _findings(found["network"])


def _findings(found: Table) -> dict[str, float | int | str]:
    value, target, change = max((abs(v.value), *key) for key, v in found.items() if key[1] in CUES)
    return {
        "shortcuts: readings moved by the camera's colour or exposure": _listed(shortcuts(found)),
        "fragility, no shortcut: readings moved by other changes": _listed(fragile(found)),
        "largest change of a reading by colour or exposure, deviations of the target": value,
        "largest change by colour or exposure is that of": f"{named(target)} by {change}",
    }


def _listed(pairs: list[tuple[str, str]]) -> str:
    return "; ".join(f"{named(target)} moved by {change}" for target, change in pairs) or "none"


def camera_changes() -> dict[str, tuple[Change, Change | None]]:
    """Name to a change and, where there is one, its opposite; images (n, H, W, 3) float32."""
    return {
        "redder camera": (_tinted(1.06, 0.82), _tinted(0.94, 1.18)),
        "longer exposure": (_brighter(1.2), _brighter(1 / 1.2)),
        "defocus": (_defocused, None),
        "larger by 3 %": (_larger(1.03), _larger(1 / 1.03)),
        "mirrored": (lambda images: images[:, :, ::-1], None),
    }


def sensitivity(network: EyeEnsemble, images: np.ndarray, patient: pd.Series) -> Table:
    """Mean change of each reading in deviations of its target, over patients.

    Of a binary target it is the change of the log odds, in deviations of a logistic variable.
    Where a change has an opposite, it is half the difference between the two.
    """
    plain = images.astype(np.float32)
    whole = answers(network, plain)[0]
    spread = deviations(network)
    columns, keys = [], []
    for name, (change, opposite) in camera_changes().items():
        moved = answers(network, _seen(change, plain))[0]
        other = whole if opposite is None else answers(network, _seen(opposite, plain))[0]
        columns.append((moved - other) / spread * (1.0 if opposite is None else 0.5))
        keys += [(target.name, name) for target in network.targets]
    groups = pd.DataFrame(np.concatenate(columns, axis=1)).groupby(patient.to_numpy(), sort=False)
    means = groups.mean().to_numpy()
    return dict(zip(keys, ratios(means, np.ones_like(means), seed=0), strict=True))


def shortcuts(found: Table) -> list[tuple[str, str]]:
    """Targets and CUES that move their readings: what is read there is the camera."""
    return [key for key in _moved(found) if key[1] in CUES]


def fragile(found: Table) -> list[tuple[str, str]]:
    """Targets and other changes that move their readings.

    No shortcut: defocus hides the vessels that a sound reader reads, and a larger picture has
    wider ones; but such readings are to be trusted of photographs like those of training alone.
    """
    return [key for key in _moved(found) if key[1] not in CUES]


def _moved(found: Table) -> list[tuple[str, str]]:
    """Targets and changes whose effect is surely there, and SUSPECT or more."""
    return [
        key
        for key, value in found.items()
        if abs(value.value) >= SUSPECT and not value.low <= 0 <= value.high
    ]


def _seen(change: Change, images: np.ndarray) -> np.ndarray:
    """The changed photographs within the camera's range, black outside the changed field."""
    inside = np.where(images.max(axis=-1, keepdims=True) > 0, np.float32(1), np.float32(0))
    moved = change(inside.repeat(3, axis=-1))[..., :1] > 0.5
    return np.ascontiguousarray(np.clip(change(images), 1, 255) * moved)


def _tinted(red: float, blue: float) -> Change:
    return lambda images: images * np.array([red, 1, blue], dtype=np.float32)


def _brighter(gain: float) -> Change:
    return lambda images: images * np.float32(gain)


def _defocused(images: np.ndarray) -> np.ndarray:
    sd = images.shape[1] / 128
    return np.stack([cv2.GaussianBlur(image, (0, 0), sd) for image in images])


def _larger(factor: float) -> Change:
    def change(images: np.ndarray) -> np.ndarray:
        size = images.shape[1]
        matrix = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), 0, factor)
        flags = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REPLICATE}
        return np.stack([cv2.warpAffine(image, matrix, (size, size), **flags) for image in images])

    return change


def _draw(path: Path, subject: Subject, image: np.ndarray, found: dict[str, Table]) -> None:
    """The changes of one photograph above, the two tables as coloured fields below."""
    changes = camera_changes()
    figure = Figure(figsize=(10, 4.9), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.35])
    plain = image[None].astype(np.float32)
    pictures = {"as it is": plain} | {n: _seen(c, plain) for n, (c, _) in changes.items()}
    for axes, (name, picture) in zip(
        above.subplots(1, len(pictures)), pictures.items(), strict=True
    ):
        axes.imshow(np.rint(picture[0]).astype(np.uint8))
        axes.set_title(name, fontsize=9)
        axes.set_axis_off()
    grid = below.subplots(1, 2, sharey=True)
    for axes, (name, table) in zip(grid, found.items(), strict=True):
        mesh = _draw_table(axes, [t.name for t in subject.targets], list(changes), table)
        axes.set_title(name, fontsize=10)
    below.colorbar(
        mesh, ax=grid, label="change of the reading\n(deviations of the target)", extend="both"
    )
    save(figure, path)


def _draw_table(axes: Axes, targets: list[str], changes: list[str], table: Table):
    values = np.array([[table[t, c].value for c in changes] for t in targets])
    mesh = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    suspects = set(_moved(table))
    for y, target in enumerate(targets):
        for x, change in enumerate(changes):
            strong = (target, change) in suspects
            shade = "white" if abs(values[y, x]) > 0.6 else "black"
            axes.text(
                x,
                y,
                signed(values[y, x], 2),
                ha="center",
                va="center",
                color=shade,
                fontsize=9,
                fontweight="bold" if strong else "normal",
            )
    axes.set_xticks(range(len(changes)), [c.replace(" ", "\n", 1) for c in changes], fontsize=8)
    axes.set_yticks(range(len(targets)), [capital(named(t)) for t in targets])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return mesh


def _caption(count: int) -> str:
    return (
        f"{count} test photographs changed as another camera would change them, and by how much "
        "their readings change on average, in deviations of the target; changes that are sure and "
        f"at least {SUSPECT:g} are bold. A network that has learnt from the camera and not from "
        "the eye (because the old were photographed in another clinic, say) moves with colour and "
        "exposure: a shortcut. To move with defocus is no shortcut but fragility, since it hides "
        "what is to be read; whoever reads calibres must move where the picture is larger. "
        "Control: the same network with randomised (shuffled) weights."
    )
