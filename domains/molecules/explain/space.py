"""Does it cover the chemical space of the held-out molecules, or only a corner of it?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from pipelines.chemistry.fingerprints import morgan
from pipelines.chemistry.nearest import nearest
from pipelines.core.figures import bare, save
from pipelines.statistics.bootstrap import Interval
from pipelines.statistics.wording import spelt
from pipelines.training.precision import computing_device

from ..evaluate.intervals import from_influence, share
from ..train.chemistry import parse
from .drawing import SETS, WIDTH, Entry
from .sets import Molecules, Sets

NEAR = 0.4  # Tanimoto similarity of a molecule that counts as covered
COUNTS = 1024
COMPONENTS = 50
FEWEST = 10  # molecules of each set, below which there is no map


def draw_space(out: Path, sets: Sets, mapped: int, seed: int) -> Entry | None:
    """Write space.png: a map of the sets and how much of the test set is covered.

    None without test molecules, or with so few training molecules that there is nothing to map.
    """
    if len(sets.test) < FEWEST or len(sets.train) < FEWEST:
        return None
    shown = {"train": sets.train, "test": sets.test, "generated": sets.generated}
    places = embed({name: found.smiles[:mapped] for name, found in shown.items()}, seed)
    count = min(len(sets.generated), len(sets.train))
    reached = {
        name: reach(sets.test, found[:count])
        for name, found in (("generated", sets.generated), ("train", sets.train))
        if count
    }
    figure = Figure(figsize=(WIDTH, 3.7), layout="constrained")
    *maps, right = figure.subplots(1, 3, width_ratios=[1, 1, 1.05])
    for axes, name in zip(maps, ("test", "generated"), strict=True):
        _draw_map(axes, places, name)
    _draw_coverage(right, reached)
    save(figure, out / "space.png")
    findings = _findings(reached, count) if count else {}
    entry = {
        "file": "space.png",
        "title": "A map of chemical space",
        "caption": _caption(places, len(sets.test), findings),
    }
    return entry, findings


def embed(sets: dict[str, list[str]], seed: int) -> dict[str, NDArray[np.float32]]:
    """(n, 2) places of the molecules of each set, all in one map; on one thread, to be exact."""
    counts = [
        morgan(COUNTS).GetCountFingerprintAsNumPy(mol)
        for smiles in sets.values()
        for mol in parse(smiles)
    ]
    x = np.log1p(np.array(counts, dtype=np.float32))
    with threadpool_limits(1):
        components = min(COMPONENTS, *x.shape)
        x = PCA(components, svd_solver="covariance_eigh").fit_transform(x)
        perplexity = min(30.0, (len(x) - 1) / 3)
        tsne = TSNE(2, init="pca", perplexity=perplexity, max_iter=500, random_state=seed % 2**32)
        places = tsne.fit_transform(x)
    bounds = np.cumsum([len(smiles) for smiles in sets.values()])[:-1]
    return dict(zip(sets, np.split(places, bounds), strict=True))


def reach(test: Molecules, others: Molecules) -> NDArray[np.float64]:
    """(n,) similarity of each test molecule to the most similar of the others."""
    return nearest(test.bits, others.bits, computing_device())


def coverage(similarities: NDArray[np.float64], near: float = NEAR) -> Interval:
    """Share of molecules with a neighbour at least so similar."""
    return share(int((similarities >= near).sum()), len(similarities))


def difference(reached: dict[str, NDArray[np.float64]], near: float = NEAR) -> Interval:
    """Coverage by the generated less that by the training molecules, of the same molecules."""
    both = (reached["generated"] >= near).astype(float) - (reached["train"] >= near)
    return from_influence(float(both.mean()), both, least=-1.0, most=1.0)


def _draw_map(axes: Axes, places: dict[str, NDArray[np.float32]], name: str) -> None:
    for which, size in (("train", 7), (name, 5)):
        colour = "#C4C4C4" if which == "train" else SETS[which][0]
        axes.scatter(*places[which].T, size, color=colour, linewidths=0, rasterized=True)
    label = {"test": "held-out test molecules", "generated": "generated molecules"}[name]
    axes.set_title(f"{label}\nover training molecules (grey)", fontsize=10)
    every = np.concatenate(list(places.values()))
    middle, half = (every.max(0) + every.min(0)) / 2, 0.53 * np.ptp(every, axis=0)
    axes.set_xlim(middle[0] - half[0], middle[0] + half[0])
    axes.set_ylim(middle[1] - half[1], middle[1] + half[1])
    axes.set_xticks([])
    axes.set_yticks([])


def _draw_coverage(axes: Axes, reached: dict[str, NDArray[np.float64]]) -> None:
    at = np.linspace(0.2, 1, 81)
    for name, values in reached.items():
        found = [coverage(values, t) for t in at]
        colour, style = {"generated": SETS["generated"], "train": ("#000000", "--")}[name]
        label = {"generated": "generated", "train": "as many real ones"}[name]
        axes.plot(at, [100 * f.value for f in found], style, color=colour, label=label)
        bounds = ([100 * f.low for f in found], [100 * f.high for f in found])
        axes.fill_between(at, *bounds, color=colour, alpha=0.2, linewidth=0)
    axes.axvline(NEAR, color="#8A8A8A", linewidth=1, linestyle=":")
    axes.set_xlim(0.2, 1)
    axes.set_ylim(0, 100)
    axes.set_xlabel("Tanimoto similarity, at least")
    axes.set_ylabel("test molecules covered (%)")
    if reached:
        axes.legend(frameon=False, loc="upper right")
    bare(axes)


def _findings(reached: dict[str, NDArray[np.float64]], count: int) -> dict[str, float | int | str]:
    """Shares of the test molecules near the generated and near as many real ones, and less it."""
    name = f"test molecules within Tanimoto {NEAR} of one of {count:,}"
    return {
        f"{name} generated ones": spelt(coverage(reached["generated"]), 3),
        f"{name} training molecules": spelt(coverage(reached["train"]), 3),
        "the former less the latter": spelt(difference(reached), 3),
    }


def _caption(
    places: dict[str, NDArray[np.float32]], tests: int, findings: dict[str, float | int | str]
) -> str:
    counts = ", ".join(f"{len(found):,} {name}" for name, found in places.items())
    caption = (
        "Left and middle: a map of molecules in which neighbours share substructures (t-SNE of "
        f"{COMPONENTS} principal components of log Morgan counts; {counts}; distances between far "
        "groups mean nothing). A region with grey but no coloured points is one that the set "
        "misses. "
    )
    if not findings:
        return caption + "No valid molecule was generated."
    generated, real, _ = findings.values()
    return caption + (
        f"Right: the share of {tests:,} test molecules that have a generated molecule at least as "
        "similar as the number below, and the same for as many real training molecules as were "
        f"generated, with 95 % intervals. At {NEAR} (dotted): {generated} and {real}."
    )
