"""Vessels as filled ribbons on a canvas finer than the picture: optical depth and masks.

A vessel is a cylinder of blood: its optical depth at a distance d from the centreline is that of
the chord, κ·2·√(r² − d²). Nested ribbons of constant value approximate it; their values are band
means, so that the depth across a vessel adds up to that of the cylinder. Ribbons are painted in
the order of their values, which leaves the deepest where vessels of a kind overlap.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .vessels import Paths, normals

FINE = 4  # canvas pixels along a picture's pixel
FULL_UM = 220.0  # calibre that a canvas value of 255 stands for
_SHIFT = 8  # fractional bits of a corner's coordinates
_EDGES = ((1.0, 0.88, 0.70, 0.42), (1.0, 0.80, 0.45), (1.0, 0.6))  # by order, of the half width
_PIECE = 8  # a main vessel is drawn in pieces of so many steps, each of its own depth
# OpenCV fills a polygon together with its outline: half a canvas pixel more on either side.
_OUTLINE = 0.5


def paint(canvas: np.ndarray, orders: Sequence[Paths], scale: float, origin: np.ndarray) -> None:
    """Paint optical depth, as the calibre (µm) whose centre is as deep, FULL_UM at 255.

    canvas: (n, n) uint8, zeros; scale: canvas pixels per mm; origin: (2,) mm, its centre.
    """
    ribbons = []
    for edges, paths in zip(_EDGES, orders, strict=True):
        pieces = _pieces(_visible(paths, canvas.shape[0] / scale / 2, origin))
        if len(pieces.points):
            depth = pieces.widths.mean(axis=1)
            for edge, mean in zip(edges, _band_means(edges), strict=True):
                corners = _corners(pieces, edge, scale, origin, canvas.shape[0])
                ribbons += zip(255 / FULL_UM * depth * mean, corners, strict=True)
    for value, corners in sorted(ribbons, key=lambda ribbon: ribbon[0]):
        cv2.fillPoly(canvas, [corners], min(round(float(value)), 255), cv2.LINE_8, _SHIFT)


def paint_stripe(
    canvas: np.ndarray,
    orders: Sequence[Paths],
    scale: float,
    origin: np.ndarray,
    share: float,
    least_um: float,
) -> None:
    """Paint the middle `share` of vessels wider than `least_um`, values as in `paint`."""
    for paths in orders:
        pieces = _pieces(_visible(paths, canvas.shape[0] / scale / 2, origin))
        depth = pieces.widths.mean(axis=1)
        corners = _corners(pieces, share, scale, origin, canvas.shape[0])
        for value, ribbon in zip(depth, corners, strict=True):
            if value > least_um:
                level = min(round(255 / FULL_UM * float(value)), 255)
                cv2.fillPoly(canvas, [ribbon], level, cv2.LINE_8, _SHIFT)


def paint_centreline(
    canvas: np.ndarray, orders: Sequence[Paths], scale: float, origin: np.ndarray
) -> None:
    """Paint lines one pixel wide with 1."""
    for paths in orders:
        seen = _visible(paths, canvas.shape[0] / scale / 2, origin)
        places = ((seen.points - origin) * scale + canvas.shape[0] / 2 - 0.5) * 2**_SHIFT
        for line in np.rint(places).astype(np.int32):
            cv2.polylines(canvas, [line], False, 1, 1, cv2.LINE_8, _SHIFT)


def _visible(paths: Paths, half: float, origin: np.ndarray) -> Paths:
    """Paths that are there and touch the field."""
    inside = np.hypot(*np.moveaxis(paths.points - origin, -1, 0)).min(axis=1) < half
    kept = inside & (paths.widths.max(axis=1) > 0)
    return Paths(paths.points[kept], paths.widths[kept])


def _pieces(paths: Paths) -> Paths:
    """Long paths cut into pieces that share their ends."""
    length = paths.widths.shape[1]
    if length <= 2 * _PIECE:
        return paths
    index = np.arange(0, length - _PIECE, _PIECE)[:, None] + np.arange(_PIECE + 1)
    points = paths.points[:, index].reshape(-1, _PIECE + 1, 2)
    return Paths(points, paths.widths[:, index].reshape(-1, _PIECE + 1))


def _corners(paths: Paths, edge: float, scale: float, origin: np.ndarray, size: int) -> np.ndarray:
    """(v, 2p, 2) int32 outlines of the ribbons, in fractions of a canvas pixel."""
    half = edge * paths.widths * (scale / 2000) - _OUTLINE
    across = normals(paths.points) * np.maximum(half, 0.0)[..., None]
    places = (paths.points - origin) * scale + size / 2 - 0.5
    outline = np.concatenate([places + across, (places - across)[:, ::-1]], axis=1)
    return np.rint(outline * 2**_SHIFT).astype(np.int32)


def _band_means(edges: Sequence[float]) -> np.ndarray:
    """Mean of the chord √(1 − x²) between each edge and the next inner one, the last to 0."""
    x = np.array([*edges, 0.0])
    area = (x * np.sqrt(1 - x**2) + np.arcsin(x)) / 2
    return np.diff(area) / np.diff(x)
