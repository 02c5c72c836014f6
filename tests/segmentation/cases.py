"""Small pictures whose right answer is known, shared by the tests of segmentation."""

import numpy as np

from domains.segmentation.prepare.arrays import Format, Sample
from domains.segmentation.prepare.params import PrepareParams
from domains.segmentation.train.params import TrainParams


def form(labels: str = "instances", classes: int = 2, channels: int = 1) -> Format:
    return Format(labels, classes, channels, None, 0.0, 100.0, None, 0.0, 2)


def discs(shape: tuple[int, int], *circles: tuple[float, float, float]) -> np.ndarray:
    """Label image of circles (y, x, radius); a later one covers an earlier one."""
    y, x = np.indices(shape)
    mask = np.zeros(shape, dtype=np.int32)
    for k, (cy, cx, radius) in enumerate(circles, start=1):
        mask[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = k
    return mask


def sample(mask: np.ndarray, name: str = "one", split: str = "test", blocks: int = 1) -> Sample:
    noise = np.random.default_rng(0).normal(0, 5, mask.shape)
    image = (100 + 100 * (mask > 0) + noise).astype(np.float32)[..., None]
    return Sample(name, name, split, image, mask, blocks)


def train_params(**changes: object) -> TrainParams:
    values: dict[str, object] = {
        "base": 4,
        "depth": 2,
        "dropout": 0.0,
        "batch_norm": True,
        "padding": "same",
        "loss": "cross_entropy",
        "border_px": 2.0,
        "w0": 10.0,
        "sigma_px": 5.0,
        "class_balance": 0.0,
        "window_px": 32,
        "on_objects": 0.0,
        "rotate_deg": 45.0,
        "scale": 1.2,
        "shear_deg": 0.0,
        "elastic_px": 3.0,
        "intensity": 0.3,
        "noise": 0.05,
        "epochs": 1,
        "windows": 6,
        "batch_size": 2,
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "gradient_clip": 1.0,
        "seed": 0,
    }
    return TrainParams(**{**values, **changes})


def params(path, **changes) -> PrepareParams:
    values = {
        "source": "folder",
        "frames": [0],
        "border_px": 48,
        "gap_px": 60,
        "gap_slices": 1,
        "blocks": 1,
        "path": path and str(path),
        "labels": "instances",
        "classes": 2,
        "slice_axis": 2,
        "pixel_size_um": None,
        "shares": [0.5, 0.25, 0.25],
        "low_percentile": 0.0,
        "high_percentile": 100.0,
        "intensity_range": None,
        "compression": 0.0,
        "seed": 0,
    }
    return PrepareParams(**{**values, **changes})


def groups(path, lines, header="file,group"):
    (path / "groups.csv").write_text("\n".join([header, *lines]) + "\n")
