"""The vessels of a fundus: arcades, branches and twigs, in mm, the optic disc at the origin.

A left eye as it is photographed: the fovea is to the right (+x, temporal), y points down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .effects import TORTUOSITY

FOVEA = np.array([4.4, 0.35])  # mm
# Control points (mm) of the six main vessels of a kind: the four arcades, two macular vessels.
_ROOTS = np.array(
    [
        [[-0.10, -0.10], [0.05, -1.75], [1.90, -3.05], [6.20, -2.35]],
        [[-0.10, 0.10], [0.05, 1.75], [1.90, 3.15], [6.20, 2.75]],
        [[-0.15, -0.10], [-0.25, -1.00], [-0.90, -1.90], [-2.30, -3.40]],
        [[-0.15, 0.10], [-0.25, 1.00], [-0.90, 1.90], [-2.30, 3.40]],
        [[0.00, -0.08], [0.80, -0.60], [2.00, -1.15], [3.70, -0.75]],
        [[0.00, 0.08], [0.80, 0.60], [2.00, 1.35], [3.70, 1.15]],
    ]
)
_SHARES = np.array([1.0, 1.0, 0.82, 0.82, 0.55, 0.55])  # relative calibre of the six
_COMBINED = {"artery": 0.88, "vein": 0.95}  # Knudtson et al. 2003
_MAIN, _SIDE, _TWIG = 49, 15, 9  # points on a path
_SIDES, _TWIGS = 8, 3  # candidates for a branch on each path


@dataclass(frozen=True)
class Paths:
    """Vessels of one order.

    points: (v, p, 2) mm along each centreline; widths: (v, p) µm; 0: not there.
    """

    points: np.ndarray
    widths: np.ndarray


def equivalent(widths: np.ndarray, kind: str) -> float:
    """Central retinal equivalent (CRAE, CRVE) of six calibres, in their unit.

    The widest is paired with the narrowest, w = c √(w1² + w2²), until one is left: Knudtson et
    al. 2003, Current Eye Research 27:143, doi 10.1076/ceyr.27.3.143.16049.
    """
    left = sorted(float(w) for w in widths)
    while len(left) > 1:
        pairs = [(left[k], left[-1 - k]) for k in range(len(left) // 2)]
        middle = [left[len(left) // 2]] if len(left) % 2 else []
        left = sorted([_COMBINED[kind] * np.hypot(a, b) for a, b in pairs] + middle)
    return left[0]


def grow(
    rng: np.random.Generator,
    kind: str,
    calibre_um: float,
    tortuosity: float,
    fractal_dimension: float,
    course: np.ndarray,
) -> list[Paths]:
    """Main vessels, their branches, and the branches' twigs.

    calibre_um: CRAE or CRVE; course: (6, 4, 2) deviations of the arcades that an artery and its
    vein have in common, mm. At each branching the cubes of the calibres add up (Murray 1926).
    """
    own = rng.normal(0, 1, (6, 4, 2)) * np.array([0.05, 0.13, 0.17, 0.25])[:, None]
    shares = _SHARES * np.exp(rng.normal(0, 0.10, 6))
    roots = shares * max(calibre_um, 40.0) / equivalent(shares, kind)
    points = _wind(rng, _bezier(_ROOTS + course + own, _MAIN), tortuosity)
    # Fewer branches where the tree is less complex; each candidate fades in by itself.
    density = 0.62 + 0.10 * (fractal_dimension - 1.399) / 0.038
    main, side = _branch(
        rng, points, roots, density, _Order(_SIDES, _SIDE, (0.9, 2.3), (0.35, 0.62))
    )
    side = Paths(_wind(rng, side.points, tortuosity), side.widths)
    side, twig = _branch(
        rng,
        side.points,
        side.widths[:, 0],
        density,
        _Order(_TWIGS, _TWIG, (0.35, 1.0), (0.5, 0.75)),
    )
    twig = Paths(_wind(rng, twig.points, tortuosity), twig.widths)
    return [Paths(p.points, p.widths * _spared(p.points)) for p in (main, side, twig)]


@dataclass(frozen=True)
class _Order:
    """Branches of one order: candidates on each path, points on each branch, range of its length
    (mm) and of its calibre relative to the vessel it leaves."""

    candidates: int
    points: int
    length: tuple[float, float]
    calibre: tuple[float, float]


def _branch(
    rng: np.random.Generator, points: np.ndarray, start: np.ndarray, density: float, order: _Order
) -> tuple[Paths, Paths]:
    """The paths with their calibres after each branching, and the branches."""
    count, length = points.shape[:2]
    shape = (count, order.candidates)
    places = (np.arange(order.candidates) + rng.uniform(0.15, 0.85, shape)) / order.candidates
    index = np.clip((places * 0.86 + 0.10) * (length - 1), 1, length - 2).astype(int)
    side = np.where((np.arange(order.candidates) + rng.integers(0, 2, (count, 1))) % 2, 1.0, -1.0)
    present = np.clip((density - rng.random(shape)) / 0.2 + 0.5, 0, 1)
    present = np.where(start[:, None] > 0, present, 0.0)
    ratio = rng.uniform(*order.calibre, shape) * np.cbrt(present)
    # (count, length, candidates): how much of a branching lies behind a point
    behind = np.clip((np.arange(length)[None, :, None] - index[:, None]) / 2.0, 0, 1)
    cubes = np.prod(1 - behind * (ratio**3)[:, None], axis=2)
    widths = start[:, None] * np.cbrt(cubes)
    before = np.take_along_axis(widths, index, axis=1)
    angle = side * rng.uniform(0.6, 1.15, shape)
    bend = -side * rng.uniform(0.0, 0.9, shape) + rng.normal(0, 0.25, shape)
    reach = rng.uniform(*order.length, shape) * (0.4 + 0.6 * present)
    base = np.take_along_axis(points, index[..., None], axis=1)
    ahead = np.take_along_axis(points, index[..., None] + 1, axis=1) - base
    heading = np.arctan2(ahead[..., 1], ahead[..., 0]) + angle
    turns = heading[..., None] + bend[..., None] * np.array([0.0, 0.5, 1.0])
    steps = np.stack([np.cos(turns), np.sin(turns)], axis=-1) * reach[..., None, None] / 3
    control = np.concatenate(
        [base[..., None, :], base[..., None, :] + steps.cumsum(axis=2)], axis=2
    )
    taper = np.linspace(1.0, 0.72, order.points)
    new = (before * ratio).reshape(-1, 1) * taper
    paths = _bezier(control.reshape(-1, 4, 2), order.points)
    return Paths(points, widths), Paths(paths, np.where(present.reshape(-1, 1) > 0.02, new, 0.0))


def _bezier(control: np.ndarray, count: int) -> np.ndarray:
    """(v, count, 2) points on cubic Bézier curves of control points (v, 4, 2)."""
    t = np.linspace(0, 1, count)[:, None]
    basis = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    return np.einsum("pc,vcx->vpx", basis, control)


def _wind(rng: np.random.Generator, points: np.ndarray, tortuosity: float) -> np.ndarray:
    """Windings across the course: two sines, whose mean square slope is twice the tortuosity,
    since an arc over its chord exceeds 1 by half of that."""
    count = len(points)
    waves = rng.uniform([0.9, 1.7], [1.6, 3.0], (count, 2))
    phases = rng.uniform(0, 2 * np.pi, (count, 2))
    along = np.diff(points, axis=1)
    arc = np.zeros(points.shape[:2])
    np.cumsum(np.hypot(along[..., 0], along[..., 1]), axis=1, out=arc[:, 1:])
    cycles = 2 * np.pi / waves[:, None]
    size = np.sqrt(2 * max(tortuosity, 0.05 * TORTUOSITY)) / cycles
    offset = (size * np.sin(cycles * arc[..., None] + phases[:, None])).sum(axis=2)
    offset = (offset - offset[:, :1]) * (1 - np.exp(-arc / 0.4))
    return points + offset[..., None] * normals(points)


def normals(points: np.ndarray) -> np.ndarray:
    """(v, p, 2) unit vectors across the paths."""
    along = np.empty_like(points)
    along[:, 1:-1] = points[:, 2:] - points[:, :-2]
    along[:, 0], along[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    along /= np.maximum(np.hypot(along[..., 0], along[..., 1]), 1e-9)[..., None]
    return np.stack([-along[..., 1], along[..., 0]], axis=-1)


def _spared(points: np.ndarray) -> np.ndarray:
    """0 in the avascular zone around the fovea, 1 outside."""
    distance = np.hypot(*np.moveaxis(points - FOVEA, -1, 0))
    return np.clip((distance - 0.25) / 0.3, 0, 1)
