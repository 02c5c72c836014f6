"""The trained network, rebuilt from the train stage's artifacts, and its settings for images."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipelines.training.precision import autocast, computing_device
from pipelines.training.reproducible import prepare_torch
from pipelines.training.weights import load_weights, model_of

from ..prepare.arrays import Format
from ..prepare.intensity import normalise
from ..train.unet import UNet
from .tiles import Pixels, assembled, averaged, tiled

FIT = "unet"


@dataclass(frozen=True)
class Segmentation:
    """A network with what it takes to run it on an image."""

    network: UNet
    form: Format
    tile_px: int
    margin_px: int
    views: int

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """(H, W, C) image of any real type → (K, H, W) float32 class probabilities."""
        return self.of_normalised(normalise(image, self.form))

    def of_normalised(self, image: np.ndarray) -> np.ndarray:
        """The same for an image (H, W, C) float32 on the scale 0 … 1."""
        return assembled(self.tiles(image), image.shape)

    def tiles(self, image: Pixels) -> Iterator[tuple[slice, slice, np.ndarray]]:
        """The same a tile at a time: rows, columns and their probabilities (K, h, w)."""
        device = next(self.network.parameters()).device

        def logits(window: Tensor) -> Tensor:
            window = window.contiguous(memory_format=torch.channels_last)
            with autocast(device):
                return self.network(window).float()

        def run(window: Tensor) -> Tensor:
            with torch.inference_mode():
                return averaged(logits, self.views)(window.to(device)).cpu()

        margin = max(self.margin_px, self.network.shrink)
        return tiled(run, image, self.tile_px, margin, self.network.fits)


def load(folder: Path, tile_px: int, margin_px: int, views: int) -> Segmentation:
    """Rebuild the network from `weights.safetensors` and `model.json` in the folder.

    Raises UserError if one of them is missing or damaged.
    """
    prepare_torch()
    with model_of(folder, FIT) as model:
        network, form = UNet(**model["network"]), Format(**model["format"])
    load_weights(network, folder, FIT)
    return Segmentation(
        network=network.to(computing_device(), memory_format=torch.channels_last).eval(),
        form=form,
        tile_px=tile_px,
        margin_px=margin_px,
        views=views,
    )
