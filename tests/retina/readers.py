"""Readers of whom it is known what they look at, and a chain with an untrained network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from domains.retina.predict import predict
from domains.retina.predict.params import PredictParams
from domains.retina.prepare.arrays import Target, read_eyes
from domains.retina.prepare.cohort import Cohort, read_cohort
from domains.retina.train.ensemble import EyeEnsemble
from domains.retina.train.network import Answer, EyeNetwork
from pipelines.core.artifacts import write_json
from pipelines.core.runner import Inputs
from pipelines.training.weights import write_weights
from tests.retina.made import made_prepare

SIZE = 48
AGE = Target("age", "value", "years")


class Reader(nn.Module):
    """Says one number of each photograph, 57 + 8 · `what`(pixels (n, 3, H, W), 0 to 1)."""

    mirror = False
    anatomy = ()

    def __init__(self, what: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.what, self.targets = what, [AGE]
        self.some = nn.Parameter(torch.zeros(1))
        self.register_buffer("mean", torch.tensor([57.0]))
        self.register_buffer("sd", torch.tensor([8.0]))

    def look(self, images: Tensor) -> Tensor:
        return images.float().permute(0, 3, 1, 2) / 255

    def judge(self, seen: Tensor) -> Answer:
        value = self.what(seen).reshape(-1, 1) + 0 * self.some
        where = torch.ones(len(seen), 1, 6, 6) / 36
        return Answer(value, torch.zeros_like(value), torch.zeros(len(seen), 0), where)

    def forward(self, images: Tensor) -> Answer:
        return self.judge(self.look(images))


def within(mask: np.ndarray) -> Reader:
    """Reads the mean of the green channel in a mask (H, W)."""
    weight = torch.from_numpy(mask / mask.sum())
    return Reader(lambda seen: (seen[:, 1].double() * weight).sum(dim=(1, 2)).float())


def colour_reader(images: np.ndarray, age: np.ndarray) -> Reader:
    """Age by ridge regression on the logarithms of the mean red over green and blue over green."""

    def features(seen: Tensor) -> Tensor:
        mean = seen.mean(dim=(2, 3)).log()
        return torch.stack([mean[:, 0] - mean[:, 1], mean[:, 2] - mean[:, 1]], dim=1)

    seen = torch.from_numpy(images).float().permute(0, 3, 1, 2) / 255
    x = features(seen).double()
    middle, scale = x.mean(0), x.std(0)
    x = (x - middle) / scale
    y = torch.from_numpy((age - 57) / 8)
    weights = torch.linalg.solve(x.T @ x + 5 * torch.eye(2).double(), x.T @ (y - y.mean()))
    return Reader(lambda s: (((features(s).double() - middle) / scale) @ weights).float())


def about(anatomy: list[str], targets: list[Target]) -> dict[str, Any]:
    """The arguments of a small network."""
    return {
        "targets": [vars(t) for t in targets],
        "mean": [0.0] * len(targets),
        "sd": [1.0] * len(targets),
        "anatomy": anatomy,
        "backbone": "small",
        "width": 4,
        "look": "local_contrast",
        "maps": 1,
        "dropout": 0.0,
        "mirror": False,
        "size": SIZE,
    }


def network_of(anatomy: list[str]) -> EyeEnsemble:
    torch.manual_seed(0)
    return EyeEnsemble([EyeNetwork(**about(anatomy, [AGE]))]).eval()


def chain(folder: Path, cohort: bool, only: str = "") -> Inputs:
    """A finished chain up to predict with an untrained network, of eyes of a cohort or not.

    only: the one target that there is, if not all.
    """
    names = ("prepare", "train", "predict", "evaluate", "explain")
    inputs = Inputs(**{name: folder / name for name in names})
    made_prepare(inputs.prepare, n=24, size=SIZE, cohort=cohort)
    if cohort:
        persons_of_a_cohort(inputs.prepare)
    if only:
        kept = [vars(t) for t in read_eyes(inputs.prepare).targets if t.name == only]
        write_json(inputs.prepare / "targets.json", kept)
    told = about(["crae_um", "tessellation"] if cohort else [], read_eyes(inputs.prepare).targets)
    torch.manual_seed(0)
    state = EyeNetwork(**told).state_dict()
    state = {f"network.{name}": value for name, value in state.items()}
    write_weights(inputs.train / "weights.safetensors", {"member_0": state})
    write_json(inputs.train / "model.json", {"fits": {"member_0": {"model": told}}})
    inputs.predict.mkdir()
    predict(PredictParams(coverage=0.9, abstain=0.0), inputs, inputs.predict)
    return inputs


def persons_of_a_cohort(prepare: Path) -> None:
    """Say that the made-up eyes are those of a cohort, under its names."""
    cohort = Cohort(0, 5.0)
    write_json(prepare / "cohort.json", {"seed": 0, "effect_scale": 5.0, "shortcut": False})
    assert read_cohort(prepare) == cohort
    for name in ("eyes.csv", "bayes.csv"):
        path = prepare / name
        text = path.read_text()
        for k in range(24):
            text = text.replace(f"p{k:04d}", cohort.person(k).name)
        path.write_text(text)
