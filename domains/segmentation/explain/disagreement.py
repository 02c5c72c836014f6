"""Is the network unsure where it is wrong? What its answers to turned and mirrored images tell."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score

from pipelines.core.figures import bare, save

from ..predict.calibrate import two_sided
from ..predict.network import Segmentation
from ..prepare.arrays import Format, Sample
from ..prepare.intensity import normalise
from ..prepare.preview import BLUE, ORANGE, show_image
from .examples import EDGE_PX, fullest

VIEWS = 8
BINS = 10


def views_of(model: Segmentation, image: np.ndarray) -> np.ndarray:
    """(8, K, H, W) probabilities of the four quarter turns of an image and of its mirror image,
    each turned back; image: (H, W, C), normalised."""
    single = replace(model, views=1)
    answers = []
    for view in range(VIEWS):
        turned = np.rot90(image if view < 4 else image[:, ::-1], view % 4)
        back = np.rot90(single.of_normalised(turned), -(view % 4), (1, 2))
        answers.append(back if view < 4 else back[:, :, ::-1])
    return np.stack(answers)


def disagreement(answers: np.ndarray, form: Format) -> tuple[np.ndarray, np.ndarray]:
    """Of (V, K, H, W) probabilities the mean (K', H, W) and the views' deviation (H, W).

    K' is 2 (background, foreground) unless the masks are classes. The deviation is
    √(½ Σ_k var_v p_k), the standard deviation of the foreground's probability if K' is 2.
    """
    answers = np.stack([two_sided(answer, form) for answer in answers])
    return answers.mean(axis=0), np.sqrt(answers.var(axis=0).sum(axis=0) / 2)


def draw_disagreement(
    out: Path, samples: Sequence[Sample], model: Segmentation, control: Segmentation
) -> tuple[dict[str, str], dict[str, Any]]:
    """Write disagreement.png; return its entry and how well the views' deviation finds errors."""
    form = model.form
    found = {
        "model": [_compare(s, model) for s in samples],
        "randomised weights": [_compare(s, control) for s in samples[:1]],
    }
    pixels = {name: _pixels(maps, samples) for name, maps in found.items()}
    areas = {name: _area(wrong, spread) for name, (wrong, spread, _) in pixels.items()}
    wrong, _, doubt = pixels["model"]
    _draw(out / "disagreement.png", samples[0], found["model"][0], pixels, areas, form)
    caption = (
        f"Eight answers for each of {len(samples)} test image(s), turned by quarters and "
        "mirrored. Left: pixels where their mean is wrong; middle: by how much the eight differ; "
        "right: how often a pixel is wrong (logarithmic, never is not drawn), in ten groups of "
        "equal size from the least to the most disputed. AUC: how well the difference tells "
        "wrong pixels from right ones, 0.5 is chance. Control: the network with its weights "
        "shuffled, on one test image."
    )
    entry = {
        "file": "disagreement.png",
        "title": "Unsure where it is wrong?",
        "caption": caption,
    }
    findings = {
        "error found by disagreement of views, AUC": areas["model"],
        "error found by disagreement of views, AUC, randomised weights": areas[
            "randomised weights"
        ],
        "error found by the mean's own doubt, AUC": _area(wrong, doubt),
    }
    return entry, {name: value for name, value in findings.items() if np.isfinite(value)}


def _compare(sample: Sample, model: Segmentation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of one image (H, W): whether the mean is wrong, the views' deviation, 1 − confidence."""
    mean, spread = disagreement(views_of(model, normalise(sample.image, model.form)), model.form)
    truth = sample.mask if model.form.labels == "classes" else np.minimum(sample.mask, 1)
    return mean.argmax(axis=0) != truth, spread, 1 - mean.max(axis=0)


def _pixels(
    maps: Sequence[tuple[np.ndarray, ...]], samples: Sequence[Sample]
) -> tuple[np.ndarray, ...]:
    """The annotated pixels of all images in a row, of each kind of map."""
    kinds = zip(*maps, strict=True)
    known = [s.mask >= 0 for s in samples[: len(maps)]]
    return tuple(np.concatenate([m[k] for m, k in zip(kind, known, strict=True)]) for kind in kinds)


def _area(wrong: np.ndarray, doubt: np.ndarray) -> float:
    """Area under the ROC curve; NaN where nothing or everything is wrong."""
    return float(roc_auc_score(wrong, doubt)) if 0 < wrong.sum() < wrong.size else float("nan")


def _draw(
    path: Path,
    sample: Sample,
    maps: tuple[np.ndarray, ...],
    pixels: dict[str, tuple[np.ndarray, ...]],
    areas: dict[str, float],
    form: Format,
) -> None:
    figure = Figure(figsize=(12, 3.9), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1.13, 1.1])
    wrong, spread, _ = maps
    window = fullest(sample.mask, EDGE_PX)
    show_image(left, sample.image, form)
    shown = np.ma.masked_where(~(wrong & (sample.mask >= 0)), np.ones(wrong.shape))
    left.imshow(shown, cmap="autumn", vmin=0, vmax=1.5, interpolation="nearest")
    left.set_title(f"wrong pixels, test {sample.name}", fontsize=9)
    picture = middle.imshow(spread, cmap="viridis", vmin=0, vmax=0.25)
    figure.colorbar(picture, ax=middle, extend="max", label="standard deviation of eight answers")
    middle.set_title("disagreement", fontsize=9)
    for axes in (left, middle):
        axes.set_xlim(window[1].start, window[1].stop)
        axes.set_ylim(window[0].stop, window[0].start)
        axes.set_axis_off()
    _curves(right, pixels, areas)
    save(figure, path)


def _curves(axes: Axes, pixels: dict[str, tuple[np.ndarray, ...]], areas: dict[str, float]) -> None:
    """Share of wrong pixels in groups of equal size, by disagreement."""
    for (name, (wrong, spread, _)), colour in zip(pixels.items(), (BLUE, ORANGE), strict=True):
        groups = np.array_split(wrong[np.argsort(spread, kind="stable")], BINS)
        shares = [group.mean() for group in groups]
        label = f"{name}, AUC {areas[name]:.2f}"
        axes.plot(np.arange(1, BINS + 1), shares, "o-", color=colour, label=label)
    axes.set_xlabel("tenth of the pixels, by disagreement")
    axes.set_ylabel("share of pixels that are wrong")
    axes.set_xticks(range(1, BINS + 1))
    axes.set_yscale("log")
    axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    bare(axes)
