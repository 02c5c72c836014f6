"""Pairs of image and mask per CPU second: elastic deformation with an affine map, 256²."""

import argparse
import os
from collections.abc import Callable
from typing import Any

from side_by_side import Bar, Variant, measure, record, table

EDGE = 256
PAIRS = 50  # a round
ROTATE_DEG, SCALE, SHEAR_DEG = 45.0, 1.2, 10.0
ELASTIC_PX = 10.0  # Ronneberger et al. 2015

OURS = "ours: RandomWindow"
ALBUMENTATIONS = "albumentations: ElasticTransform, Affine"
MONAI = "MONAI: Rand2DElasticd"
APPROXIMATE, ROUGH = f"{ALBUMENTATIONS}, approximate", f"{ALBUMENTATIONS}, rough (sigma 5)"
BARS = (
    Bar(OURS, ALBUMENTATIONS, 6.0),
    Bar(OURS, APPROXIMATE, 6.0),
    Bar(OURS, ROUGH, 6.0),
    Bar(OURS, MONAI, 10.0),
)


def run(arguments: argparse.Namespace) -> None:
    """Measure, print and record."""
    # Kept memory for all of them, as they would find it beside the training of a network.
    variants = [
        Variant(OURS, ours, keep_memory=True),
        Variant(ALBUMENTATIONS, albumentations, (50.0, False), keep_memory=True),
        Variant(APPROXIMATE, albumentations, (50.0, True), keep_memory=True),
        Variant(ROUGH, albumentations, (5.0, False), keep_memory=True),
        Variant(MONAI, monai, keep_memory=True),
    ]
    speeds = measure(variants, 3 if arguments.quick else 15, "pairs / CPU-s")
    ratios = [speeds.ratio(bar) for bar in BARS]
    print(table(speeds.rows()), table(ratios), sep="\n")
    if not arguments.quick:
        settings = {"edge_px": EDGE, "elastic_px": ELASTIC_PX, "threads": 1}
        record(
            "segmentation_augment",
            {"settings": settings, "speeds": speeds.rows(), "ratios": ratios},
        )


def ours() -> Callable[[], int]:
    """The transform alone in a Compose, as the peer's."""
    import albumentations as A

    from domains.segmentation.train.augment import RandomWindow

    window = RandomWindow(EDGE, ROTATE_DEG, SCALE, ELASTIC_PX, SHEAR_DEG)
    return _calls(A.Compose([window]))


def albumentations(sigma: float, approximate: bool) -> Callable[[], int]:
    """Two transforms, two interpolations. The displacements' deviation is ours.

    White noise from −1 to 1 (deviation 1/√3), blurred by a Gaussian of deviation sigma, has the
    deviation 1 / (√3 · 2 √π sigma); alpha multiplies it.
    """
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations as A

    alpha = ELASTIC_PX * 3**0.5 * 2 * 3.14159265**0.5 * sigma
    return _calls(
        A.Compose(
            [
                A.ElasticTransform(alpha=alpha, sigma=sigma, approximate=approximate, p=1.0),
                A.Affine(
                    rotate=(-ROTATE_DEG, ROTATE_DEG),
                    scale=(1 / SCALE, SCALE),
                    shear=(-SHEAR_DEG, SHEAR_DEG),
                    p=1.0,
                ),
            ]
        )
    )


def monai() -> Callable[[], int]:
    """One field on a coarse grid, one interpolation by torch."""
    import numpy as np
    import torch
    from monai.transforms import Rand2DElasticd

    transform = Rand2DElasticd(
        keys=("image", "label"),
        spacing=(32, 32),  # the finer, the faster it is
        magnitude_range=(ELASTIC_PX, ELASTIC_PX),
        prob=1.0,
        rotate_range=float(np.deg2rad(ROTATE_DEG)),
        shear_range=float(np.tan(np.deg2rad(SHEAR_DEG))),
        scale_range=SCALE - 1,
        mode=("bilinear", "nearest"),
    )
    image, mask = _pair()
    tensors = {
        "image": torch.from_numpy(image).movedim(2, 0),
        "label": torch.from_numpy(mask)[None],
    }

    def work() -> int:
        for _ in range(PAIRS):
            transform(tensors)
        return PAIRS

    return work


def _calls(chain: Any) -> Callable[[], int]:
    image, mask = _pair()

    def work() -> int:
        for _ in range(PAIRS):
            chain(image=image, mask=mask)
        return PAIRS

    return work


def _pair() -> tuple[Any, Any]:
    """(256, 256, 1) float32 and (256, 256) uint8."""
    import numpy as np

    image = np.random.default_rng(0).random((EDGE, EDGE, 1), dtype=np.float32)
    return image, (image[..., 0] > 0.5).astype(np.uint8)
