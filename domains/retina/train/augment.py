"""Random changes of a photograph; without `turn` and `zoom` vessels keep their calibre.

These two are for photographs whose scale nobody knows. Else an eye is mirrored, shifted by whole
pixels, its colours are multiplied, and it is put out of focus, which spreads a vessel's shadow but
keeps its sum. Mirroring makes a left eye a right one: it is drawn by lot for every eye,
so that each is learnt from on both sides, and predictions average both (`reading.answers`). To
turn left eyes over by their label instead would show half as much, and fail where none is given.
Random numbers come from the generator that is handed in, never from the
process: albumentations gives each loader worker the same stream, hence `set_random_state`.
"""

import os
import random

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # its import would look on the network

import albumentations as A
import cv2
import numpy as np

from .params import TrainParams

cv2.setNumThreads(0)  # a loader worker is one thread; the threads belong to the network


class Shift(A.ImageOnlyTransform):
    """Move a photograph by up to `most` whole pixels along each axis; 0 comes in.

    Something of it always stays: a row and a column at least.
    """

    def __init__(self, most: int) -> None:
        super().__init__(p=1.0)
        self.most = most

    def get_params(self) -> dict[str, int]:
        """How far down and to the right."""
        down, right = self.random_generator.integers(-self.most, self.most + 1, 2)
        return {"down": int(down), "right": int(right)}

    def apply(self, img: np.ndarray, down: int, right: int, **_: object) -> np.ndarray:
        """Of an image (H, W, C)."""
        height, width = img.shape[:2]
        down, right = (max(1 - n, min(by, n - 1)) for n, by in ((height, down), (width, right)))
        moved = np.zeros_like(img)
        moved[max(down, 0) : height + down, max(right, 0) : width + right] = img[
            max(-down, 0) : height - down, max(-right, 0) : width - right
        ]
        return moved


def chain(params: TrainParams) -> A.Compose | None:
    """The changes that the parameters ask for; None if they ask for none."""
    steps: list[A.BasicTransform] = []
    if params.mirror:
        steps.append(A.HorizontalFlip(p=0.5))
    if params.upside_down:
        steps.append(A.VerticalFlip(p=0.5))
    if params.colour:
        limits = (1 - params.colour, 1 + params.colour)
        steps.append(A.MultiplicativeNoise(limits, per_channel=True, elementwise=False, p=1.0))
    if params.defocus_px:
        steps.append(A.GaussianBlur(blur_limit=0, sigma_limit=(0.1, params.defocus_px), p=0.5))
    if params.turn or params.zoom:
        scales = (1 - params.zoom, 1 + params.zoom)
        steps.append(A.Affine(scale=scales, rotate=(-params.turn, params.turn), p=1.0))
    if params.shift_px:
        steps.append(Shift(params.shift_px))  # last: what comes in stays 0
    return A.Compose(steps) if steps else None


def augment(steps: A.Compose, rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Apply the chain with this generator's numbers to an image (H, W, 3) uint8."""
    steps.set_random_state(rng, random.Random(int(rng.integers(2**63))))
    return steps(image=image)["image"]
