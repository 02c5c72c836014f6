"""One image of 1024² through the same network: overlap-tile against MONAI's sliding window."""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from segmentation_data import dice, samples, stored_format
from side_by_side import Bar, Variant, in_turn, measure, record, table

from domains.segmentation.predict.network import Segmentation
from domains.segmentation.predict.params import PredictParams
from domains.segmentation.prepare.intensity import normalise
from domains.segmentation.train.unet import UNet
from pipelines.core.artifacts import read_json
from pipelines.core.params import load_params
from pipelines.training.weights import read_weights

EDGE = 1024
TRAINED = Path("outputs/segmentation/train")
F32, BF16 = "ours: overlap-tile", "ours: overlap-tile, bf16"
MONAI = "MONAI: sliding window"
BARS = (Bar(F32, f"{MONAI} 512", 1.4), Bar(BF16, f"{MONAI} 512", 3.0))

Segment = Callable[[np.ndarray], np.ndarray]


def run(arguments: argparse.Namespace) -> None:
    """Measure speeds, then Dice on the test images, print and record."""
    variants = list(_variants())
    speeds = measure(variants, 2 if arguments.quick else 5, "images / CPU-s")
    ratios = [speeds.ratio(bar) for bar in BARS]
    print(table(speeds.rows()), table(ratios), sep="\n")
    shown = {F32, BF16, f"{MONAI} 512", f"{MONAI} 256"}
    scores = in_turn([(_quality, variant) for variant in variants if variant.name in shown])
    print(table(scores))
    if not arguments.quick:
        settings = {"edge_px": EDGE, "threads": 1, "views": 1, "overlap": 0.5}
        content = {"settings": settings, "speeds": speeds.rows(), "ratios": ratios}
        record("segmentation_inference", {**content, "dice": scores})


def _variants() -> Iterator[Variant]:
    yield Variant(F32, _work, ("ours", 0, False, True))
    yield Variant(BF16, _work, ("ours", 0, True, True))
    for window in (512, 256):
        name = f"{MONAI} {window}"
        yield Variant(name, _work, ("monai", window, False, False))
        yield Variant(f"{name}, channels_last", _work, ("monai", window, False, True))
        yield Variant(f"{name}, channels_last, bf16", _work, ("monai", window, True, True))


def _work(*settings: Any) -> Callable[[], int]:
    segment, image = _segment(*settings), _picture()

    def work() -> int:
        segment(image)
        return 1

    return work


def _quality(variant: Variant) -> dict[str, Any]:
    """Foreground Dice on the test images."""
    segment = _segment(*variant.arguments)
    form = stored_format()
    pairs = []
    for sample in samples("test"):
        said = segment(normalise(sample.image, form)).argmax(axis=0)
        pairs.append((said, sample.mask))
    return {"variant": variant.name, "dice": dice(pairs)}


def _segment(kind: str, window: int, half: bool, last: bool) -> Segment:
    """(H, W, C) normalised image → (K, H, W) probabilities."""
    net = _trained().eval()
    if last:
        net = net.to(memory_format=torch.channels_last)
    if kind == "monai":
        return _sliding(net, window, half)
    os.environ["SCISTAGE_PRECISION"] = "bf16-mixed" if half else "32-true"
    params = load_params("segmentation", "predict")
    assert isinstance(params, PredictParams)
    form = stored_format()
    return Segmentation(net, form, params.tile_px, params.margin_px, views=1).of_normalised


def _sliding(net: UNet, window: int, half: bool) -> Segment:
    """As MONAI's tutorials call it: overlap 0.5 with Gaussian weights."""
    from monai.inferers import sliding_window_inference

    def segment(image: np.ndarray) -> np.ndarray:
        tensor = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = sliding_window_inference(
                tensor, (window, window), 1, net, overlap=0.5, mode="gaussian"
            )
        return logits[0].float().softmax(dim=0).numpy()

    return segment


def _trained() -> UNet:
    """The network of the train stage's artifacts, also of an earlier version's."""
    arguments = read_json(TRAINED / "model.json")["fits"]["unet"]["model"]["network"]
    net = UNet(**{"padding": "same", **arguments})
    state = read_weights(TRAINED / "weights.safetensors", "unet")
    net.load_state_dict({key.removeprefix("network."): value for key, value in state.items()})
    return net


def _picture() -> np.ndarray:
    """(1024, 1024, 1) float32 on the scale 0 … 1."""
    return np.random.default_rng(0).random((EDGE, EDGE, 1), dtype=np.float32)
