"""The files of predictions: label images, probabilities, and the rule between them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

from pipelines.core.artifacts import read_json

from ..prepare.arrays import Sample
from .instances import Rule

PROBABILITIES = "probabilities.npy"
RULE = "postprocess.json"


def write_labels(path: Path, labels: np.ndarray) -> None:
    """Write (H, W) labels as a compressed 16-bit TIFF, 32-bit above 65,535 objects."""
    kind = np.uint16 if labels.max(initial=0) < 2**16 else np.uint32
    options = {"compression": "zlib", "metadata": None, "software": False}
    tifffile.imwrite(path, labels.astype(kind), photometric="minisblack", **options)


def read_labels(folder: Path, sample: Sample) -> np.ndarray:
    """(H, W) int32 labels that `predict` wrote for a sample."""
    labels = tifffile.imread(folder / f"{sample.split}_{sample.name}.tif")
    return np.asarray(labels, dtype=np.int32)


def read_probabilities(folder: Path, samples: Sequence[Sample]) -> list[np.ndarray]:
    """(K, H, W) float32 for each sample; give all validation and test samples, in order."""
    flat = np.load(folder / PROBABILITIES, mmap_mode="r")
    ends = np.cumsum([s.mask.size for s in samples])
    if ends[-1] != flat.shape[1]:
        raise ValueError(f"{PROBABILITIES}: {flat.shape[1]} pixels, the samples have {ends[-1]}")
    parts = np.split(flat, ends[:-1], axis=1)
    shaped = zip(parts, samples, strict=True)
    return [p.reshape(len(p), *s.mask.shape).astype(np.float32) for p, s in shaped]


def read_rule(folder: Path) -> Rule:
    """The rule that `predict` chose."""
    return Rule(**read_json(folder / RULE)["rule"])
