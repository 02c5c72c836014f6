"""What lies behind the vessels: pigment, choroid, macula and optic disc, as light reflected."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .cohort import Eye
from .vessels import FOVEA

# Reflected light in red, green and blue of the display, before the camera.
_GROUND = np.array([0.80, 0.41, 0.22], dtype=np.float32)
_RIM = np.array([0.96, 0.66, 0.39], dtype=np.float32)
_CUP = np.array([0.99, 0.84, 0.60], dtype=np.float32)
_MELANIN = np.array([0.22, 0.34, 0.36], dtype=np.float32)  # absorption for a deviation of pigment
_CHOROID = np.array([0.22, 0.30, 0.20], dtype=np.float32)  # contrast of tessellation
_MACULA = np.array([0.24, 0.50, 0.60], dtype=np.float32)
HAZE = np.array([0.62, 0.50, 0.40], dtype=np.float32)  # light scattered by the lens
_PER_MM = (np.float32(1.0), np.float32(3.3))  # grain of the choroid, along and across


@dataclass(frozen=True)
class Disc:
    """The optic disc, an ellipse at the origin: half axes in mm, tilt in radians."""

    half_width: float
    half_height: float
    tilt: float
    crescent: float

    def distance(self, x: np.ndarray, y: np.ndarray, size: float = 1.0) -> np.ndarray:
        """0 in the centre, 1 on the edge of the disc made `size` times as large."""
        cos, sin = np.float32(np.cos(self.tilt)), np.float32(np.sin(self.tilt))
        across = (x * cos + y * sin) / np.float32(self.half_width * size)
        along = (y * cos - x * sin) / np.float32(self.half_height * size)
        return np.sqrt(across**2 + along**2)


def draw_disc(rng: np.random.Generator) -> Disc:
    """Its shape, which no factor acts on: 1.7 ± .15 mm high, a little narrower."""
    normal = rng.standard_normal(4)
    height = 0.86 + 0.07 * normal[0]
    return Disc(
        half_width=float(height * (0.90 + 0.04 * normal[1])),
        half_height=float(height),
        tilt=float(0.2 * normal[2]),
        crescent=float(max(normal[3] - 0.3, 0.0)),
    )


def ground(rng: np.random.Generator, eye: Eye, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, n, 3) float32 light from the fundus without vessels and disc; x, y: mm."""
    fovea = np.sqrt((x - np.float32(FOVEA[0])) ** 2 + (y - np.float32(FOVEA[1])) ** 2)
    macula = np.exp(-((fovea / 0.95) ** 2)) + 0.45 * np.exp(-((fovea / 0.28) ** 2))
    contrast = _logistic(0.75 * eye.anatomy["tessellation"])
    mesh = _choroid(rng, x, y) * (1 - 0.75 * np.exp(-((fovea / 1.3) ** 2)))
    cloud = _noise(rng, x, y, 1.3) * 0.05
    dark = [
        _MELANIN[c] * (eye.camera.pigment * 0.55 + 0.3)
        + _MACULA[c] * macula
        - _CHOROID[c] * np.float32(contrast) * mesh
        + cloud
        for c in range(3)
    ]
    return _GROUND * np.exp(-np.stack(dark, axis=-1)).astype(np.float32)


def add_disc(light: np.ndarray, eye: Eye, disc: Disc, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The light with the optic disc over it: rim, cup, and a crescent on the temporal side."""
    edge = disc.distance(x, y)
    ratio = np.clip(eye.anatomy["cup_disc"], 0.05, 0.9)
    cup = disc.distance(x - np.float32(0.05), y, ratio)
    temporal = np.clip(x / np.float32(disc.half_width), -1, 1)
    rim = _RIM * (0.93 + 0.07 * temporal)[..., None]
    inside = _soft(1 - cup, 0.22)[..., None]
    colour = rim + (_CUP - rim) * inside
    melanin = np.exp(-_MELANIN * np.float32(0.25 * eye.camera.pigment))
    # The scleral crescent is pale, the ring of pigment dark, the thick nerve fibres around bright.
    outer = disc.distance(x - np.float32(0.10 * disc.crescent), y, 1.06)
    pale = 0.5 * min(disc.crescent, 1.0) * _soft(1 - outer, 0.05)[..., None]
    ring = 0.10 * np.exp(-(((edge - 1.13) / 0.10) ** 2))[..., None]
    glow = 1 + 0.22 * np.exp(-(((edge - 1) / 1.1) ** 2))[..., None]
    light = light * glow * (1 - ring) * (1 - pale) + _RIM * np.float32([0.95, 0.95, 0.9]) * pale
    cover = _soft(1 - edge, 0.09)[..., None]
    return light + (colour * melanin - light) * cover


def _soft(inward: np.ndarray, width: float) -> np.ndarray:
    """From 0 outside to 1 inside, over `width` on either side of an edge."""
    t = np.clip(inward / np.float32(2 * width) + np.float32(0.5), 0, 1)
    return t * t * (3 - 2 * t)


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def _noise(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, scale: float) -> np.ndarray:
    """Smooth standard noise, its features `scale` mm apart."""
    coarse = rng.standard_normal((24, 24)).astype(np.float32)
    coarse = cv2.GaussianBlur(coarse, (0, 0), 1.0)
    coarse /= coarse.std()
    step = np.float32(scale / 2)
    return cv2.remap(
        coarse, (x - 1.75) / step + 12, y / step + 12, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP
    )


def _choroid(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Large vessels of the choroid, bright against the pigment between them; spread about 1.

    The zero lines of smooth noise form a web; the noise is longer than wide, along the direction
    that leads away from the macula, put together from four directions.
    """
    u, v = x - np.float32(3.2), y - np.float32(0.2)
    turn = 2 * np.arctan2(v, u)
    web, weights = np.zeros_like(x), np.zeros_like(x)
    for number in range(4):
        angle = number * np.pi / 4
        weight = (1 + np.cos(turn - np.float32(2 * angle))) ** 3
        texture = rng.standard_normal((48, 48)).astype(np.float32)
        along = (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) * _PER_MM[0]
        across = (y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle))) * _PER_MM[1]
        noise = cv2.remap(
            texture, along + 24, across + 24, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP
        )
        web += weight * noise
        weights += weight**2
    web /= np.sqrt(weights)
    wide = np.float32(0.42) * np.exp(np.float32(0.35) * _noise(rng, x, y, 1.5))
    return 2.0 * np.exp(-((web / wide) ** 2)) - 1.05
