"""From a prepare folder and parameters to data and network: what the fits begin with."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from pipelines.core.artifacts import read_json
from pipelines.core.errors import UserError
from pipelines.core.randomness import seed_everything

from ..prepare.arrays import Eyes, read_anatomy, read_eyes
from .dataset import EyeBatches, standardised
from .network import EyeNetwork, frozen_parts
from .params import TrainParams

IMAGENET = "imagenet.safetensors"


def describe(folder: Path, params: TrainParams) -> dict[str, Any]:
    """The arguments of `EyeNetwork`, with the scale of each target among the training eyes.

    Raises UserError for a target that no training eye has, or all have alike.
    """
    eyes = read_eyes(folder, ("train",))
    mean, sd = [], []
    for target in eyes.targets:
        values = eyes.table.loc[eyes.table["usable"], target.name]
        value = target.kind == "value"
        least = 2 if value else 1  # a small training set may hold no smoker
        if values.nunique() < least:
            raise UserError(
                f"{folder / 'eyes.csv'}: {target.name}: found {values.nunique()} different values "
                f"among the usable training eyes; at least {least} are needed: give more data, "
                "or take the target out"
            )
        mean.append(float(f"{values.mean():.6g}") if value else 0.0)  # as model.json keeps them
        sd.append(float(f"{values.std():.6g}") if value else 1.0)
    return {
        "targets": [vars(target) for target in eyes.targets],
        "mean": mean,
        "sd": sd,
        "anatomy": features(folder) if params.auxiliary else [],
        "backbone": params.backbone,
        "width": params.width,
        "look": params.look,
        "maps": params.maps,
        "dropout": params.dropout,
        "mirror": params.mirror,
        "size": eyes.images.shape[1],
    }


def target_weights(params: TrainParams, about: dict[str, Any]) -> Tensor:
    """(T,) factors of the targets' losses; UserError for a weight of no target."""
    names = [target["name"] for target in about["targets"]]
    weights = torch.ones(len(names))
    for one in params.weights:
        if one.target not in names:
            raise UserError(
                f"params.yaml: retina.train.weights: found {one.target!r}; the targets are "
                f"{', '.join(names)}"
            )
        weights[names.index(one.target)] = one.weight
    return weights


def features(folder: Path) -> list[str]:
    """The anatomy that a cohort's effects act on, without nuisances; none where it is unknown."""
    if read_anatomy(folder) is None:
        return []
    return sorted(read_json(folder / "effects.json")["slopes"])


def data_of(
    folder: Path, params: TrainParams, about: dict[str, Any]
) -> tuple[EyeBatches, EyeBatches]:
    """The usable training eyes, augmented, and the usable validation eyes as they are."""
    table = read_anatomy(folder, ("train",))
    scale = table[about["anatomy"]].agg(["mean", "std"]) if about["anatomy"] else None

    def batches(split: str, how: TrainParams | None) -> EyeBatches:
        eyes = read_eyes(folder, (split,))
        rows = np.flatnonzero(eyes.table["usable"])
        if not len(rows):
            raise UserError(f"{folder / 'eyes.csv'}: no usable eye is in the split {split}")
        names = [target["name"] for target in about["targets"]]
        truth = standardised(eyes.table[names].iloc[rows], about["mean"], about["sd"])
        anatomy = np.zeros((len(rows), 0), dtype=np.float32)
        if scale is not None:
            known = read_anatomy(folder, (split,))
            assert known is not None
            values = known[about["anatomy"]].iloc[rows]
            anatomy = standardised(values, scale.loc["mean"], scale.loc["std"].replace(0, 1))
        return EyeBatches(_taken(eyes, rows), truth, anatomy, how)

    return batches("train", params), batches("validation", None)


def network_of(folder: Path, params: TrainParams, about: dict[str, Any]) -> EyeNetwork:
    """A fresh network; with ImageNet's weights where `prepare` has left them."""
    seed_everything(params.seed)
    network = EyeNetwork(**about)
    if params.backbone == "efficientnet_lite0":
        published = folder / IMAGENET
        if published.is_file():
            network.backbone.load_published(load_file(published))
        elif params.freeze != "none" and not params.pretext.epochs:
            raise UserError(
                f"params.yaml: retina.train.freeze: found {params.freeze!r}, but there is nothing "
                "learnt to keep: set retina.prepare.pretrained to true, or freeze to none"
            )
    return network


def freeze(network: EyeNetwork, params: TrainParams) -> None:
    """Keep what the parameters say."""
    network.freeze(frozen_parts(params.freeze, network))


def _taken(eyes: Eyes, rows: np.ndarray) -> np.ndarray:
    return np.asarray(eyes.images)[rows] if len(rows) < len(eyes) else np.array(eyes.images)
