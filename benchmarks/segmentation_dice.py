"""What the networks have learnt after equal CPU seconds: HeLa nuclei, float32, one thread."""

import argparse
import time
from typing import Any

import numpy as np
import torch
from segmentation_data import dice, samples, stored_format
from segmentation_networks import BASIC, DYN, OURS, Trainer, network
from side_by_side import in_turn, record, set_threads, table
from torch import nn

from domains.segmentation.prepare.intensity import normalise
from domains.segmentation.train.params import TrainParams
from domains.segmentation.train.windows import Prepared, RandomWindows, balance_of
from pipelines.core.params import load_params
from pipelines.training.memory import keep_memory

RATES = {OURS: (0.004,), BASIC: (0.004, 0.001), DYN: (0.004, 0.001)}  # peak of the schedule
WARM_UP = 0.3  # of the time, as in OneCycleLR


def run(arguments: argparse.Namespace) -> None:
    """Train each network in a process of its own, one after another; print and record."""
    seconds = 20.0 if arguments.quick else arguments.seconds
    jobs = [
        (_train, name, rate, seed, seconds)
        for seed in range(arguments.seeds)
        for name, rates in RATES.items()
        for rate in rates
    ]
    rows = in_turn(jobs)
    best = {name: max(_mean(rows, name, rate) for rate in RATES[name]) for name in RATES}
    summary = [{"network": n, "test Dice, mean, best rate": v} for n, v in best.items()]
    print(table(rows), table(summary), sep="\n")
    if not arguments.quick:
        settings = {"cpu_seconds": seconds, "threads": 1, "precision": "float32"}
        record("segmentation_dice", {"settings": settings, "runs": rows, "best": best})


def _mean(rows: list[dict[str, Any]], name: str, rate: float) -> float:
    found = [row["test"] for row in rows if row["network"] == name and row["rate"] == rate]
    return float(np.mean(found))


def _train(name: str, rate: float, seed: int, seconds: float) -> dict[str, Any]:
    """Train on the stage's own windows, loss and optimiser until the time is spent.

    The schedule is the one-cycle one, over CPU time: a faster network sees more windows of the
    same stream, and every one of them at a rate that has come down at the end.
    """
    set_threads(1)
    if name == OURS:
        keep_memory()
    windows, batch = _windows(seed)
    torch.manual_seed(seed)
    net = network(name, stored_format().outputs)
    trainer = Trainer(net, rate, half=False, last=name == OURS, clip=1.0)
    start, step = time.process_time(), 0
    while (used := (time.process_time() - start) / seconds) < 1:
        for group in trainer.optimizer.param_groups:
            group["lr"] = rate * _one_cycle(used)
        items = [windows[0, step * batch + k] for k in range(batch)]
        trainer.step(tuple(torch.stack(parts) for parts in zip(*items, strict=True)))
        step += 1
    scores = {split: _score(net, split) for split in ("validation", "test")}
    return {"network": name, "rate": rate, "seed": seed, "windows": step * batch} | scores


def _windows(seed: int) -> tuple[RandomWindows, int]:
    params = load_params("segmentation", "train")
    assert isinstance(params, TrainParams)
    params = params.model_copy(update={"seed": seed})
    form, learnt = stored_format(), samples("train")
    balance = balance_of(learnt, form, params)
    return RandomWindows(Prepared(learnt, form, params, balance), params), params.batch_size


def _one_cycle(used: float) -> float:
    """Share of the peak rate: 1/25 up to 1 and down to 0 by half cosines (as OneCycleLR)."""
    if used < WARM_UP:
        return 0.04 + 0.96 * (1 - np.cos(np.pi * used / WARM_UP)) / 2
    return (1 + np.cos(np.pi * (used - WARM_UP) / (1 - WARM_UP))) / 2


def _score(net: nn.Module, split: str) -> float:
    """Foreground Dice; the same sliding windows, as large as those learnt from, for all."""
    from monai.inferers import sliding_window_inference

    form, params = stored_format(), load_params("segmentation", "train")
    assert isinstance(params, TrainParams)
    edge = (params.window_px, params.window_px)
    net.eval()
    pairs = []
    for sample in samples(split):
        image = torch.from_numpy(normalise(sample.image, form)).movedim(2, 0)[None]
        with torch.inference_mode():
            logits = sliding_window_inference(image, edge, 1, net, overlap=0.5, mode="gaussian")
        pairs.append((logits[0].argmax(dim=0).numpy(), sample.mask))
    return dice(pairs)
