"""A photograph of an eye, drawn from its anatomy: sub-pixel exact, the same for the same key."""

from __future__ import annotations

import cv2
import numpy as np

from pipelines.core.randomness import generator

from .cohort import Eye
from .fundus import HAZE, Disc, add_disc, draw_disc, ground
from .ribbons import FINE, FULL_UM, paint, paint_centreline, paint_stripe
from .vessels import Paths, grow

cv2.setNumThreads(0)  # results and speed must not depend on a pool of threads

FIELD_MM = 7.0  # diameter of the field of view at magnification 1
CENTRE_MM = np.array([1.95, 0.12])  # of the field, from the disc towards the fovea
KINDS = ("artery", "vein")
# Absorption of blood in a vessel of 100 µm, for red, green and blue light.
_BLOOD = {"artery": (0.09, 0.52, 0.46), "vein": (0.26, 0.74, 0.56)}
# (3, 256): share of each light that passes, for each canvas value (Beer–Lambert).
_PASSED = {
    kind: np.exp(-np.outer(depths, np.arange(256) * FULL_UM / 255 / 100)).astype(np.float32)
    for kind, depths in _BLOOD.items()
}
_REFLEX, _REFLEX_WIDTH = np.float32(1.3), 0.30
_TREE, _BACK, _PHOTO = range(3)


def render(eye: Eye, size: int) -> np.ndarray:
    """(size, size, 3) uint8 RGB photograph, 0 outside the circular field of view.

    Everything random depends on `eye.key` alone: an eye with another anatomy or camera differs
    from it by that only.
    """
    x, y = _places(eye, size)
    disc = draw_disc(generator(*eye.key, _BACK, 0))
    light = ground(generator(*eye.key, _BACK, 1), eye, x, y)
    light = add_disc(light, eye, disc, x, y)
    fine = size * FINE
    scale, origin = _scale(eye, fine), _origin(eye)
    grown = trees(eye)
    passed = np.ones_like(light)
    for kind, orders in grown.items():
        canvas = np.zeros((fine, fine), dtype=np.uint8)
        paint(canvas, orders, scale, origin)
        passed *= cv2.merge([_averaged(cv2.LUT(canvas, table), size) for table in _PASSED[kind]])
    stripe = np.zeros((fine, fine), dtype=np.uint8)
    paint_stripe(stripe, grown["artery"][:2], scale, origin, _REFLEX_WIDTH, 35.0)
    reflex = _averaged(stripe, size)
    # The wall of an artery mirrors some of the light that its blood would have swallowed.
    share = reflex * np.clip(_REFLEX / 255 * (np.hypot(x, y) - 0.3) / 0.6, 0, _REFLEX / 255)
    passed += (1 - passed) * share[..., None]
    light = light * passed
    return _photograph(eye, light)


def masks(eye: Eye, size: int) -> dict[str, np.ndarray]:
    """Where vessel, artery, vein, centreline and disc are: (size, size) bool each."""
    fine = size * FINE
    scale, origin = _scale(eye, fine), _origin(eye)
    inside = field_of_view(size)
    found = {}
    line = np.zeros((size, size), dtype=np.uint8)
    for kind, orders in trees(eye).items():
        canvas = np.zeros((fine, fine), dtype=np.uint8)
        paint(canvas, orders, scale, origin)
        cover = _averaged((canvas > 0).astype(np.float32), size)
        found[kind] = _turned(eye, cover >= 0.5) & inside
        paint_centreline(line, orders, _scale(eye, size), origin)
    found["vessel"] = found["artery"] | found["vein"]
    found["centreline"] = _turned(eye, line > 0) & inside
    disc: Disc = draw_disc(generator(*eye.key, _BACK, 0))
    found["disc"] = _turned(eye, disc.distance(*_places(eye, size)) <= 1) & inside
    return found


def trees(eye: Eye) -> dict[str, list[Paths]]:
    """Arteries and veins of an eye, as a left one, in mm from the centre of the disc."""
    shared = generator(*eye.key, _TREE).normal(0, 1, (6, 4, 2))
    course = shared * np.array([0.04, 0.16, 0.28, 0.45])[:, None]
    return {
        kind: grow(
            generator(*eye.key, _TREE, number),
            kind,
            eye.anatomy[name],
            eye.anatomy[f"tortuosity_{kind}"],
            eye.anatomy["fractal_dimension"],
            course,
        )
        for number, (kind, name) in enumerate(zip(KINDS, ("crae_um", "crve_um"), strict=True))
    }


def field_of_view(size: int) -> np.ndarray:
    """(size, size) bool, the circle that fills the square."""
    across = (np.arange(size) - (size - 1) / 2) ** 2
    return across[:, None] + across <= (size / 2) ** 2


def _scale(eye: Eye, size: int) -> float:
    """Pixels per mm of a picture that is `size` wide."""
    return size / FIELD_MM * eye.camera.magnification


def _origin(eye: Eye) -> np.ndarray:
    return CENTRE_MM + np.array([eye.camera.shift_x_mm, eye.camera.shift_y_mm])


def _places(eye: Eye, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(size, size) float32 each: mm from the disc of every pixel of a left eye."""
    axis = (np.arange(size) - (size - 1) / 2) / _scale(eye, size)
    x, y = np.meshgrid(axis + _origin(eye)[0], axis + _origin(eye)[1])
    return x.astype(np.float32), y.astype(np.float32)


def _averaged(fine: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)


def _turned(eye: Eye, picture: np.ndarray) -> np.ndarray:
    """A right eye is a left one in the mirror."""
    return picture[:, ::-1] if eye.side == "right" else picture


def _photograph(eye: Eye, light: np.ndarray) -> np.ndarray:
    """Optics, exposure, colour, noise and JPEG of the camera."""
    camera, size = eye.camera, light.shape[0]
    blur = camera.defocus_um / 1000 * _scale(eye, size)
    if blur > 0.25:
        light = cv2.GaussianBlur(light, (0, 0), blur)
    axis = (np.arange(size, dtype=np.float32) - (size - 1) / 2) / (size / 2)
    radius = axis[:, None] ** 2 + axis**2
    shade = camera.gain * (1 - camera.vignette * radius * (0.6 + 0.4 * radius))
    tint = np.exp(np.array([0.03, 0.0, -0.12]) * camera.warmth) * 255
    light = light + (HAZE - light) * np.float32(camera.haze)
    picture = light * shade[..., None].astype(np.float32) * tint.astype(np.float32)
    noise = generator(*eye.key, _PHOTO).standard_normal(picture.shape, dtype=np.float32)
    picture += np.float32(camera.noise) * noise
    grey = np.clip(np.rint(_turned(eye, picture)), 0, 255).astype(np.uint8)
    grey[~field_of_view(size)] = 0
    _, code = cv2.imencode(".jpg", grey[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg])
    seen = cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1].copy()
    seen[~field_of_view(size)] = 0
    return seen
