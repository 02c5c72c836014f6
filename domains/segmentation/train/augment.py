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

CONTROL = 3  # points along an edge of the elastic grid, as in the paper


class RandomWindow(A.DualTransform):
    """A window cut out, rotated, scaled, sheared and elastically deformed by one interpolation.

    The deformation is the one of Ronneberger et al. 2015, section 3.1: displacements drawn from a
    Gaussian (deviation `elastic_px`) on a 3×3 grid over the window, interpolated bicubically.
    What lies outside the image is mirrored. Interpolation is linear in images, nearest in masks.
    Without any of these changes the window is an exact crop.

    size: edge of the square window, px; rotate_deg: largest angle; scale: largest factor of
    magnification or reduction, e.g. 1.2; shear_deg: largest angle by which a vertical line leans;
    on_objects: share of the windows whose middle lies on an object, if 1000 random places find one.
    """

    def __init__(
        self,
        size: int,
        rotate_deg: float,
        scale: float,
        elastic_px: float,
        shear_deg: float = 0.0,
        on_objects: float = 0.0,
    ) -> None:
        super().__init__(p=1.0)
        self.size = size
        self.rotate_deg = rotate_deg
        self.scale = scale
        self.elastic_px = elastic_px
        self.shear_deg = shear_deg
        self.on_objects = on_objects
        # Both coordinates are bilinear in these functions of a pixel's row and column: the splines
        # of the three control points, 1, and the distance from the middle. A product of matrices
        # is ten times as fast as adding an affine map to an enlarged grid.
        splines = cv2.resize(np.eye(CONTROL), (CONTROL, size), interpolation=cv2.INTER_CUBIC)
        ones, distance = np.ones(size), np.arange(size) - (size - 1) / 2
        self.basis = np.column_stack([splines, ones, distance]).astype(np.float32)

    def get_params_dependent_on_data(self, params: dict, data: dict) -> dict:
        """The part of the image that is needed, and in it the source (y, x) of each pixel."""
        rng = self.random_generator
        matrix = self._affine(rng)
        corner = self._corner(rng, params["shape"], data)
        grid = rng.normal(0, self.elastic_px, (2, CONTROL, CONTROL))
        half = (self.size - 1) / 2
        # Cubic weights overshoot by less than 1.4 along an edge, by less than 2 over the grid.
        reach = half * np.abs(matrix).sum(axis=1) + 2 * np.abs(grid).max(axis=(1, 2))
        start = np.maximum(np.floor(corner + half - reach).astype(int) - 1, 0)
        end = np.ceil(corner + half + reach).astype(int) + 2
        terms = np.zeros((2, CONTROL + 2, CONTROL + 2))
        terms[:, :CONTROL, :CONTROL] = grid
        terms[:, -2, -2] = corner + half - start
        terms[:, -1, -2], terms[:, -2, -1] = matrix.T
        y, x = self.basis @ terms.astype(np.float32) @ self.basis.T
        part = tuple(slice(*ends) for ends in zip(start, end, strict=True))
        return {"part": part, "y": y, "x": x}

    def apply(
        self, img: np.ndarray, part: tuple[slice, slice], y: np.ndarray, x: np.ndarray, **_: object
    ) -> np.ndarray:
        """The window of an image (H, W, C)."""
        return _remap(img[part], y, x, cv2.INTER_LINEAR)

    def apply_to_mask(
        self, mask: np.ndarray, part: tuple[slice, slice], y: np.ndarray, x: np.ndarray, **_: object
    ) -> np.ndarray:
        """The window of a mask (H, W)."""
        return _remap(mask[part], y, x, cv2.INTER_NEAREST)

    def _corner(self, rng: np.random.Generator, shape: tuple[int, ...], data: dict) -> np.ndarray:
        """(y, x) of a window within the image; along an edge that is too short it is centred."""
        free = np.array(shape[:2]) - self.size
        corner = rng.integers(np.maximum(free, 0) + 1)
        if self.on_objects and rng.random() < self.on_objects:
            places = rng.integers(0, shape[:2], (1000, 2))
            found = places[data["mask"][places[:, 0], places[:, 1]] > 0]
            if len(found):
                corner = np.clip(found[0] - self.size // 2, 0, np.maximum(free, 0))
        return np.where(free > 0, corner, free // 2)

    def _affine(self, rng: np.random.Generator) -> np.ndarray:
        """(2, 2) matrix from (y, x) in the window to (y, x) in the image, about the middle."""
        angle = np.deg2rad(rng.uniform(-self.rotate_deg, self.rotate_deg))
        zoom = np.exp(rng.uniform(-1, 1) * np.log(self.scale))
        lean = np.tan(np.deg2rad(rng.uniform(-self.shear_deg, self.shear_deg)))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return turn @ np.array([[1.0, 0.0], [lean, 1.0]]) / zoom


def chain(
    size: int,
    rotate_deg: float,
    scale: float,
    elastic_px: float,
    intensity: float,
    noise: float,
    shear_deg: float = 0.0,
    on_objects: float = 0.0,
) -> A.Compose:
    """Window, flips and quarter turns, brightness, contrast, gamma and noise.

    intensity: relative strength of the brightness, contrast and gamma changes; noise: largest
    deviation of the Gaussian noise on the scale 0 … 1 of the intensities; 0 switches them off.
    """
    steps: list[A.BasicTransform] = [
        RandomWindow(size, rotate_deg, scale, elastic_px, shear_deg, on_objects),
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


def _remap(part: np.ndarray, y: np.ndarray, x: np.ndarray, interpolation: int) -> np.ndarray:
    """Sample the part at (y, x). OpenCV takes at most 32,767 px along an edge, hence parts;
    mirroring stays at the image's own edges, since a part holds every pixel that is asked for."""
    values = cv2.remap(part, x, y, interpolation, None, cv2.BORDER_REFLECT)
    return values.reshape(*y.shape, *part.shape[2:])
