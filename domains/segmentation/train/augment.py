"""Windows of a training image under elastic, geometric and intensity changes.

Random numbers come from the generator that is handed in, never from the process: albumentations
gives each loader worker the same stream, and `Compose.set_random_seed` gives each transform of a
chain the same stream (so that a horizontal and a vertical flip always come together); hence
`set_random_state`, with one generator for the whole chain.
"""

import os
import random

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # its import would look on the network

import albumentations as A
import cv2
import numpy as np

cv2.setNumThreads(0)  # a loader worker is one thread; the threads belong to the network

MINIMAL_EDGE = 16


class RandomWindow(A.DualTransform):
    """A window cut out, rotated, scaled and elastically deformed by a single interpolation.

    The deformation is the one of Ronneberger et al. 2015, section 3.1: displacements drawn from a
    Gaussian (deviation `elastic_px`) on a 3×3 grid over the window, interpolated bicubically.
    What lies outside the image is mirrored. Interpolation is linear in images, nearest in masks.

    size: edge of the square window, px; rotate_deg: largest angle; scale: largest factor of
    magnification or reduction, e.g. 1.2.
    """

    def __init__(self, size: int, rotate_deg: float, scale: float, elastic_px: float) -> None:
        super().__init__(p=1.0)
        self.size = size
        self.rotate_deg = rotate_deg
        self.scale = scale
        self.elastic_px = elastic_px

    def get_params_dependent_on_data(self, params: dict, data: dict) -> dict:
        """Source coordinates (y, x) of each pixel of the window."""
        rng = self.random_generator
        angle = np.deg2rad(rng.uniform(-self.rotate_deg, self.rotate_deg))
        zoom = np.exp(rng.uniform(-1, 1) * np.log(self.scale))
        centre = [_centre(rng, edge, self.size) for edge in params["shape"][:2]]
        axis = (np.arange(self.size) - (self.size - 1) / 2) / zoom
        y = np.cos(angle) * axis[:, None] - np.sin(angle) * axis[None, :] + centre[0]
        x = np.sin(angle) * axis[:, None] + np.cos(angle) * axis[None, :] + centre[1]
        if self.elastic_px > 0:
            coarse = rng.normal(0, self.elastic_px, (3, 3, 2))
            field = cv2.resize(coarse, (self.size, self.size), interpolation=cv2.INTER_CUBIC)
            y, x = y + field[..., 0], x + field[..., 1]
        return {"y": y.astype(np.float32), "x": x.astype(np.float32)}

    def apply(self, img: np.ndarray, y: np.ndarray, x: np.ndarray, **_: object) -> np.ndarray:
        """The window of an image (H, W, C)."""
        return _remap(img, y, x, cv2.INTER_LINEAR)

    def apply_to_mask(
        self, mask: np.ndarray, y: np.ndarray, x: np.ndarray, **_: object
    ) -> np.ndarray:
        """The window of a mask (H, W)."""
        return _remap(mask, y, x, cv2.INTER_NEAREST)


def chain(
    size: int, rotate_deg: float, scale: float, elastic_px: float, intensity: float, noise: float
) -> A.Compose:
    """Window, flips and quarter turns, brightness, contrast, gamma and noise.

    intensity: relative strength of the brightness, contrast and gamma changes; noise: largest
    deviation of the Gaussian noise on the scale 0 … 1 of the intensities; 0 switches them off.
    """
    steps: list[A.BasicTransform] = [
        RandomWindow(size, rotate_deg, scale, elastic_px),
        A.SquareSymmetry(p=1.0),
    ]
    if intensity > 0:
        gamma = (100 / (1 + intensity), 100 * (1 + intensity))
        steps.append(A.RandomGamma(gamma_limit=gamma, p=0.5))
        steps.append(A.RandomBrightnessContrast(intensity / 4, intensity, p=0.5))
    if noise > 0:
        steps.append(A.GaussNoise(std_range=(0.0, noise), p=0.5))
    return A.Compose(steps, additional_targets={"weight": "mask"})


def augment(
    steps: A.Compose,
    rng: np.random.Generator,
    image: np.ndarray,
    classes: np.ndarray,
    weight: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Apply the chain with this generator's numbers: image (H, W, C), classes and weight (H, W)."""
    steps.set_random_state(rng, random.Random(int(rng.integers(2**63))))
    result = steps(image=image, mask=classes, weight=weight)
    return result["image"], result["mask"], result["weight"]


def _centre(rng: np.random.Generator, edge: int, size: int) -> float:
    """A centre whose window lies within the edge; the middle if the window is the larger one."""
    free = max(edge - size, 0)
    return (edge - 1) / 2 + rng.uniform(-free / 2, free / 2)


def _remap(array: np.ndarray, y: np.ndarray, x: np.ndarray, interpolation: int) -> np.ndarray:
    """Sample the array at (y, x). Only the part needed is handed to OpenCV, which takes at most
    32,767 px; mirroring stays at the image's own edges, since the part is cut inside them."""
    origin = [max(0, int(c.min()) - MINIMAL_EDGE) for c in (y, x)]
    end = [int(c.max()) + MINIMAL_EDGE for c in (y, x)]
    part = np.ascontiguousarray(array[origin[0] : end[0], origin[1] : end[1]])
    values = cv2.remap(part, x - origin[1], y - origin[0], interpolation, None, cv2.BORDER_REFLECT)
    return values.reshape(*y.shape, *array.shape[2:])
