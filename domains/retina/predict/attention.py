"""Where the network looks: its learnt soft attention, and gradient × input."""

import numpy as np
import torch
import torch.nn.functional as F

from ..train.ensemble import EyeEnsemble

BATCH = 32


def learnt_attention(network: EyeEnsemble, images: np.ndarray) -> np.ndarray:
    """(n, T, h, w) float32, the share of the attention that each place of the grid gets.

    images: (n, H, W, 3) uint8; the grid is the backbone's, 8 or 32 times as coarse.
    """
    device = next(network.parameters()).device
    found = []
    for start in range(0, len(images), BATCH):
        batch = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
        with torch.inference_mode():
            found.append(network(batch).attention.cpu().numpy())
    return np.concatenate(found)


def gradient_attention(
    network: EyeEnsemble, images: np.ndarray, target: int, blur_px: float = 0.0
) -> np.ndarray:
    """(n, H, W) float32, summing to 1 (0 where nothing has an influence): |gradient × input|.

    Of target number `target`'s mean or logit, by what the network sees of each pixel (see
    `intensity`), summed over colours (Shrikumar et al. 2017). blur_px: deviation of a Gaussian
    that smooths it.
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
        weight = (gradient * seen.detach()).sum(dim=1).abs()
        found.append(_shares(_blurred(weight, blur_px)).cpu().numpy())
    return np.concatenate(found)


def _shares(weight: torch.Tensor) -> torch.Tensor:
    return weight / weight.sum(dim=(1, 2), keepdim=True).clamp_min(1e-12)


def _blurred(weight: torch.Tensor, sd: float) -> torch.Tensor:
    if sd <= 0:
        return weight
    half = max(1, round(3 * sd))
    places = torch.arange(-half, half + 1, dtype=torch.float32, device=weight.device)
    kernel = torch.exp(-(places**2) / (2 * sd**2))
    kernel = kernel / kernel.sum()
    maps = weight[:, None]
    maps = F.conv2d(maps, kernel[None, None, :, None], padding=(half, 0))
    return F.conv2d(maps, kernel[None, None, None, :], padding=(0, half))[:, 0]
