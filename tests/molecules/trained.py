"""Small generators with random weights and what they might have learnt from, as stages leave it."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import torch
from rdkit import Chem

from domains.molecules.prepare.arrays import read_corpus, write_splits
from domains.molecules.train.critic import Critic
from domains.molecules.train.generator import Generator
from pipelines.core.artifacts import write_json
from pipelines.core.runner import Inputs
from pipelines.training.weights import write_weights

LONGEST = 9
CRITIC = {"channels": 4, "hidden": 8, "dropout": 0.1}


def chains(least: int, most: int) -> list[str]:
    """Canonical SMILES of all chains of so many C, N and O, and of three double bonds."""
    texts = ["".join(t) for n in range(least, most + 1) for t in product("CNO", repeat=n)]
    found = [Chem.CanonSmiles(text) for text in [*texts, "C=C", "C=O", "C=N"]]
    return list(dict.fromkeys(found))


def folders(path: Path) -> Inputs:
    """A path for each stage's folder, of which `prepare` is written."""
    names = ("prepare", "train", "predict", "evaluate", "explain")
    inputs = Inputs(*[path / "outputs" / "molecules" / name for name in names])
    for name in names:
        getattr(inputs, name).mkdir(parents=True)
    splits = {name: chains(5, 5) for name in ("validation", "test", "test_scaffolds")}
    write_splits(inputs.prepare, {"train": chains(2, 4), **splits})
    return inputs


def write_fits(
    inputs: Inputs,
    seeds: dict[str, int],
    critic: bool = False,
    goals: list[dict[str, Any]] | None = None,
) -> None:
    """Fits of the train stage, each a generator from a seed; the last one perhaps with a critic."""
    vocabulary = read_corpus(inputs.prepare, "train").vocabulary
    fits: dict[str, Any] = {}
    weights: dict[str, dict[str, torch.Tensor]] = {}
    for name, seed in seeds.items():
        torch.manual_seed(seed)
        size = {"hidden": 16, "embedding": 8, "layers": 1, "longest": LONGEST}
        parts = {"generator": {"vocabulary": vocabulary, **size}}
        modules: dict[str, torch.nn.Module] = {"generator": Generator(**parts["generator"])}
        if critic and name == list(seeds)[-1]:
            parts |= {"critic": {"tokens": len(vocabulary), **CRITIC}, "goals": goals or []}
            modules["critic"] = Critic(**parts["critic"])
        fits[name] = {"model": parts}
        weights[name] = {
            f"{part}.{key}": tensor
            for part, module in modules.items()
            for key, tensor in module.state_dict().items()
        }
    write_weights(inputs.train / "weights.safetensors", weights)
    write_json(inputs.train / "model.json", {"fits": fits})
