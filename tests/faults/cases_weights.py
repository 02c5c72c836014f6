"""Weights, and descriptions of a model, that are not what was trained."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from pipelines.core.artifacts import read_json, write_json
from tests.faults.spoil import Spoil, cut, folder, written

# The fit and the part of it that `apply` and `predict` read first.
FIRST = {
    "segmentation": ("unet", "network"),
    "molecules": ("adversarial", "generator"),
    "retina": ("member_0", "network"),
    "screening": ("member_0", "network"),
}
Tensors = dict[str, torch.Tensor]


def weights(domain: str) -> dict[str, tuple[Spoil, tuple[str, ...]]]:
    """What is done to the weights or their description, and what a refusal names."""
    return {**_tensors(domain), **_files(domain)}


def _tensors(domain: str) -> dict[str, tuple[Spoil, tuple[str, ...]]]:
    file, (fit, part) = f"outputs/{domain}/train/weights.safetensors", FIRST[domain]

    def one(said: str, change: Callable[[Tensors, str], Any]) -> tuple[Spoil, tuple[str, ...]]:
        """Change the largest tensor."""

        def write(project: Path) -> None:
            tensors = load_file(project / file)
            names = [name for name in tensors if name.startswith(f"{fit}/{part}.")]
            change(tensors, max(names, key=lambda name: tensors[name].numel()))
            (project / file).write_bytes(save(tensors))

        return write, (f"{file}: ", *said.split("…"))

    extra, none = f"{fit}/{part}.x", "is no tensor of the model that model.json describes"
    return {
        "shape": one(f"{fit}/…: found shape (", lambda t, k: t.update({k: t[k][:-1]})),
        "type": one(f"{fit}/…: found torch.float64", lambda t, k: t.update({k: t[k].double()})),
        "missing": one(f"{fit}/…: is missing", lambda t, k: t.pop(k)),
        "extra": one(f"{extra}: {none}", lambda t, k: t.update({extra: t[k].clone()})),
        "another fit": one(
            "other/x: model.json describes no such fit",
            lambda t, k: t.update({"other/x": t[k].clone()}),
        ),
        "NaN": one(f"{fit}/…: holds NaN", lambda t, k: t[k].view(-1)[:1].fill_(torch.nan)),
        "infinite": one(
            f"{fit}/…: holds infinite values", lambda t, k: t[k].view(-1)[:1].fill_(torch.inf)
        ),
    }


def other_training(domain: str) -> tuple[Spoil, tuple[str, ...]]:
    """Good weights of another training than the one that `dvc.lock` knows of."""
    file = f"outputs/{domain}/train/weights.safetensors"

    def write(project: Path) -> None:
        md5 = hashlib.md5((project / file).read_bytes()).hexdigest()
        entry = {"cmd": "train", "outs": [{"path": file, "hash": "md5", "md5": md5}]}
        write_json(project / "dvc.lock", {"stages": {f"train@{domain}": entry}})
        tensors = load_file(project / file)
        moved = {k: t + 0.5 if t.is_floating_point() else t for k, t in tensors.items()}
        (project / file).write_bytes(save(moved))

    return write, (f"{file}: found MD5 ", "dvc.lock records ", f"`scistage repro {domain}`")


def cut_lock(domain: str) -> tuple[Spoil, tuple[str, ...]]:
    """What a kill leaves of `dvc.lock`."""
    text = f"stages:\n  train@{domain}:\n    cmd: train\n    outs:\n    - path: outputs/{domain}\n"
    return written("dvc.lock", text), ("dvc.lock: damaged; run `scistage repro`",)


def _files(domain: str) -> dict[str, tuple[Spoil, tuple[str, ...]]]:
    folder_, fit = f"outputs/{domain}/train", FIRST[domain][0]
    file, model = f"{folder_}/weights.safetensors", f"{folder_}/model.json"
    return {
        "truncated": (cut(file, 5000), (f"{file}: not a safetensors file",)),
        "a folder": (folder(file), (f"{file}: not a safetensors file",)),
        "no JSON": (written(model, b"{\xff"), (f"{model}: not JSON",)),
        "deep JSON": (written(model, "[" * 10**5), (f"{model}: not JSON",)),
        "no fits": (written(model, "[1]"), (f"{model}: fits: found no description of a model",)),
        "other arguments": (_argument(model, fit), (f"{model}: fits.{fit}.model: cannot be",)),
    }


def _argument(model: str, fit: str) -> Spoil:
    """Describe the model by one argument more."""

    def write(project: Path) -> None:
        content = read_json(project / model)
        inner = content["fits"][fit]["model"]
        parts = [inner[name] for name in ("network", "generator") if name in inner]
        (parts or [inner])[0]["x"] = 1
        write_json(project / model, content)

    return write
