"""`scistage export segmentation`: class probabilities of an image's tile."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from pipelines.core.artifacts import read_json

from ..prepare.arrays import Format, read_samples
from ..prepare.intensity import normalise
from .files import RULE
from .network import Segmentation, load
from .tiles import STEP, assembled, tiled

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

SAMPLES = 3  # test images that are compared, of each one tile at most


class Views(nn.Module):
    """`tiles.averaged`, of operators that ONNX has: a quarter turn is a transposition and a flip.

    Shape: (N, C, H, W) → (N, K, H − 2 s, W − 2 s) class probabilities, s as `UNet` has it.
    """

    def __init__(self, network: nn.Module, views: int) -> None:
        super().__init__()
        self.network, self.views = network, views

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """The mean over the views."""
        total = torch.zeros(())
        for view in range(self.views):
            seen = _turned(images if view < 4 else images.flip(3), view % 4)
            back = _turned(self.network(seen).softmax(dim=1), -view % 4)
            total = total + (back if view < 4 else back.flip(3))
        return (total / self.views,)


def _turned(images: Tensor, quarters: int) -> Tensor:
    """As torch.rot90 over the last two axes."""
    if quarters == 2:
        return images.flip(2).flip(3)
    if quarters == 1:
        return images.flip(3).transpose(2, 3)
    return images.transpose(2, 3).flip(3) if quarters == 3 else images


def graph(inputs: "Inputs") -> dict[str, Any]:
    """What `scistage export` writes."""
    model, settings = _model(inputs), read_json(inputs.predict / RULE)
    form, lost = model.form, model.network.shrink
    edge = model.network.fits(STEP)
    after = [f"{side} - {2 * lost}" if lost else side for side in "HW"]
    return {
        "network": Views(model.network, model.views),
        "example": {"image": torch.zeros(1, form.channels, edge, edge)},
        "inputs": {
            "image": {
                "shape": ["N", form.channels, "H", "W"],
                "meaning": "tiles of images, intensities on the scale 0 to 1 as `intensity` says",
            }
        },
        "outputs": {
            "probabilities": {
                "shape": ["N", form.outputs, *after],
                "meaning": f"probabilities of the classes {', '.join(_classes(form))}, which sum "
                f"to 1; mean over views of the tile as it is, turned and mirrored: {model.views}",
            }
        },
        "preprocessing": {
            **_preprocessing(model),
            "temperature": settings["temperature"],
            "rule": settings["rule"],
        },
        "limits": _limits(form),
    }


def _preprocessing(model: Segmentation) -> dict[str, Any]:
    form, lost = model.form, model.network.shrink
    return {
        "classes": _classes(form),
        "channels": form.channels,
        "pixel_size_um": form.pixel_size_um,
        "intensity": {
            "low_percentile": form.low,
            "high_percentile": form.high,
            "range": form.intensity_range,
            "compression": form.compression,
        },
        "tiles": {
            "tile_px": model.tile_px,
            "margin_px": max(model.margin_px, lost),
            "step_px": STEP,
            "lost_px": lost,
            "pooling_px": 2**model.network.depth,
        },
    }


def compare(
    inputs: "Inputs", run: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Test images, in the tiles of `predict`, each cut to the size of one."""
    model = _model(inputs)

    def network(window: Tensor) -> Tensor:
        return torch.from_numpy(run({"image": window.numpy()})["probabilities"])

    margin = max(model.margin_px, model.network.shrink)
    for sample in islice(read_samples(inputs.prepare, "test"), SAMPLES):
        image = normalise(sample.image, model.form)[: model.tile_px, : model.tile_px]
        tiles = tiled(network, image, model.tile_px, margin, model.network.fits)
        yield "probabilities", assembled(tiles, image.shape), model.of_normalised(image)


def _model(inputs: "Inputs") -> Segmentation:
    return load(inputs.train, **read_json(inputs.predict / RULE)["tiles"])


def _classes(form: Format) -> list[str]:
    if form.labels == "instances":
        return ["background", "interior", "inner border"]
    if form.labels == "binary":
        return ["background", "foreground"]
    return [f"class {k}" if k else "background" for k in range(form.outputs)]


def _limits(form: Format) -> list[str]:
    size = f" Learnt at {form.pixel_size_um} µm a pixel." if form.pixel_size_um else ""
    limits = [
        "It has learnt from images of the kind named under Data: of other stains, microscopes, "
        f"scanners and magnifications nothing is known.{size}",
        "`model.onnx` gives probabilities. How they become the labels that are scored is named in "
        "`preprocessing.json` (`rule`) and done by `scistage apply segmentation`.",
    ]
    if form.intensity_range is None:
        limits.append(
            "The scale of intensities comes from the percentiles of a whole image: give run.py the "
            "image, not a piece of it."
        )
    return limits
