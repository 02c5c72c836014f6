"""Maps of attention, and their shares on vessels, disc and background."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from pandas import Series
from scipy.ndimage import binary_opening

from pipelines.statistics.bootstrap import Interval
from pipelines.statistics.resampling import ratios

from ..predict.attention import BATCH, learnt_attention
from ..train.ensemble import EyeEnsemble

REGIONS = ("large vessels", "small vessels", "disc", "background")
LARGE = 1 / 43  # of the edge: least width of a large vessel, 3 px of 128


def gradient_maps(network: EyeEnsemble, images: np.ndarray, target: int) -> np.ndarray:
    """(n, H, W) float32, summing to 1: by how much each pixel's change would change the reading.

    The squared length of the gradient of the target's mean (or logit) by what the network sees of
    the pixel (Simonyan et al. 2014; squared as Hooker et al. 2019 found best). It is not
    multiplied by the input: vessels are where the input is large, so that the product would lie
    on vessels whatever the network has learnt.
    """
    device = next(network.parameters()).device
    found = []
    for start in range(0, len(images), BATCH):
        batch = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
        with torch.no_grad():
            seen = network.look(batch)
        seen.requires_grad_(True)
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(network.judge(seen).centre[:, target].sum(), seen)
        found.append(gradient.double().square().sum(dim=1).cpu().numpy())
    maps = np.concatenate(found) * (images.max(axis=-1) > 0)
    return (maps / np.maximum(maps.sum(axis=(1, 2), keepdims=True), 1e-300)).astype(np.float32)


def learnt_maps(network: EyeEnsemble, images: np.ndarray, target: int) -> np.ndarray:
    """(n, H, W) float32, summing to 1: the learnt soft attention, brought to the pixels' grid."""
    coarse = learnt_attention(network, images)[:, target]
    size = images.shape[2], images.shape[1]
    maps = np.stack([cv2.resize(m, size, interpolation=cv2.INTER_LINEAR) for m in coarse])
    maps *= images.max(axis=-1) > 0
    return maps / np.maximum(maps.sum(axis=(1, 2), keepdims=True), 1e-30)


def regions(images: np.ndarray, truth: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """(n, H, W) bool each of REGIONS, which part the field of view.

    Large vessels are those in which a square of 3 px of 128 has room: the arcades, whose calibre
    can be seen. The disc is what vessels leave of it.
    """
    field = images.max(axis=-1) > 0
    vessels = truth["vessel"] & field
    edge = max(2, round(LARGE * images.shape[1]))
    large = np.stack([binary_opening(mask, np.ones((edge, edge))) for mask in vessels])
    disc = truth["disc"] & field & ~vessels
    parts = (large, vessels & ~large, disc, field & ~vessels & ~disc)
    return dict(zip(REGIONS, parts, strict=True))


def enrichment(
    maps: np.ndarray, mask: np.ndarray, field: np.ndarray, patient: Series, seed: int
) -> Interval:
    """Share of the attention in `mask` over the mask's share of the field's area; 1 is chance.

    maps: (n, H, W), summing to 1; mask, field: (n, H, W) bool; patient: (n,) whose eye it is, the
    unit of the bootstrap. Both shares are means over the eyes.
    """
    parts = (maps * mask).sum(axis=(1, 2)), mask.sum(axis=(1, 2)) / field.sum(axis=(1, 2))
    sums = [Series(part).groupby(patient.to_numpy(), sort=False).sum().to_numpy() for part in parts]
    return ratios(sums[0][:, None], sums[1][:, None], seed)[0]
