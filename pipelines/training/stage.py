"""The train stage of every domain: runs named fits in order, each resumable and reproducible."""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections.abc import Container, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytorch_lightning as pl
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from pipelines.core.artifacts import json_text, read_csv, read_json, write_csv, write_json
from pipelines.core.errors import UserError
from pipelines.core.processes import by_itself, processes, processes_here, rank, rank_here
from pipelines.training.fit import Fit
from pipelines.training.memory import keep_memory
from pipelines.training.precision import device_name, trainer_precision, uses_gpu
from pipelines.training.progress import MetricsBar, Progress
from pipelines.training.reproducible import prepare_torch
from pipelines.training.sharing import Others, meet
from pipelines.training.weights import read_weights, write_weights

# Games have optimisers that do not move all parameters. For other fits plain `ddp` would not do
# either: it orders gradients anew after its first step, so that sums of three processes and more
# would depend on when a fit was resumed.
DDP = "ddp_find_unused_parameters_true"
BEST, DONE = "best.safetensors", "done.json"
LIGHTNING = ("pytorch_lightning", "lightning_fabric")


def train(fits: Iterator[Fit], out: Path, work: Path, label: str) -> None:
    """Run the fits and export all weights, the models' descriptions and the history.

    Args:
        fits: the domain's generator. It is resumed after each fit, whose module then holds the
            selected weights, so that a later fit can build on an earlier one; not so that of a fit
            with another owner than this process.
        out: folder for `weights.safetensors`, `model.json` and `history.csv`.
        work: folder of this training's checkpoints; names its parameters, inputs and code.
        label: what progress lines begin with.
    """
    prepare_torch()
    keep_memory()
    if not rank():
        print(f"{label}  computes on: {device_name()}", flush=True)
    # One does not resume the other. Machines that train together may have different GPUs.
    kind = device_name() if processes() == 1 else "gpu" if uses_gpu() else "cpu"
    work = work / re.sub(r"\W+", "-", kind).lower()
    for chatty in LIGHTNING:
        logging.getLogger(chatty).setLevel(logging.ERROR)
    work.mkdir(parents=True, exist_ok=True)
    models: dict[str, dict[str, Any]] = {}
    others = Others()
    for fit in fits:
        _require_well_described(fit, models, label)
        models[fit.name] = fit.model
        if fit.owner is None:
            others.join()
        else:
            others.leave()
        if fit.owner in (None, rank()):
            folder = work / fit.name
            with nullcontext() if fit.owner is None else by_itself():
                if not (folder / DONE).exists():
                    _run(fit, folder, f"{label} {fit.name}")
            fit.module.load_state_dict(read_weights(folder / BEST, fit.name))
    others.join()
    if not rank():
        _publish(models, work, out)


def _require_well_described(fit: Fit, before: Container[str], label: str) -> None:
    """UserError for what could not be written or read after all the training."""
    if fit.name in before or not re.fullmatch(r"[A-Za-z][\w.-]*", fit.name):
        raise UserError(
            f"{label}: a fit is called {fit.name!r}; give each a name of its own, of letters, "
            "digits and underscores, a letter first"
        )
    try:
        json_text(fit.model)
    except (TypeError, ValueError, UserError) as error:
        raise UserError(
            f"{label} {fit.name}: Fit.model: {error}; give what JSON can hold"
        ) from None


def _publish(models: dict[str, dict[str, Any]], work: Path, out: Path) -> None:
    """Write what the fits have left, whichever process has trained them."""
    folders = {name: work / name for name in models}
    states = {name: read_weights(folder / BEST, name) for name, folder in folders.items()}
    write_weights(out / "weights.safetensors", states)
    found = {name: {"model": models[name], **read_json(folders[name] / DONE)} for name in models}
    write_json(out / "model.json", {"fits": found})
    write_csv(out / "history.csv", pd.concat(read_csv(f / "history.csv") for f in folders.values()))


def _run(fit: Fit, folder: Path, label: str) -> None:
    fit.data.require_shares()
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "last.ckpt"
    on_terminal = sys.stdout.isatty() and fit.owner is None  # several would share its line
    progress = Progress(fit, checkpoint, label, say_epochs=not on_terminal)
    resume = str(checkpoint) if checkpoint.exists() else None
    with warnings.catch_warnings():
        # Advice on loader workers, logging intervals and batch systems: these are the user's.
        for chatty in LIGHTNING:
            warnings.filterwarnings("ignore", module=chatty)
        trainer = make_trainer(fit, [progress, *([MetricsBar()] if on_terminal else [])])
        try:
            trainer.fit(fit.module, datamodule=fit.data, ckpt_path=resume, weights_only=True)
        except SystemExit:  # how Lightning answers a signal: silently, SIGTERM as if all were well
            raise KeyboardInterrupt from None
    if not rank():
        _keep(fit, progress, folder)
    meet()


def _keep(fit: Fit, progress: Progress, folder: Path) -> None:
    write_weights(folder / BEST, {fit.name: progress.best})
    table = pd.DataFrame(progress.history)
    table.insert(0, "fit", fit.name)
    write_csv(folder / "history.csv", table)
    selected: dict[str, Any] = {
        "monitor": fit.monitor,
        "mode": fit.mode,
        "selected_epoch": progress.best_epoch,
        "value": progress.best_value,
        "epochs": len(progress.history),
    }
    part = folder / f"{DONE}.part"
    write_json(part, selected)
    part.replace(folder / DONE)  # last: its presence says that the fit is finished


def make_trainer(fit: Fit, callbacks: list[pl.Callback]) -> pl.Trainer:
    """Lightning's Trainer with this machine's settings and nothing left to chance."""
    return pl.Trainer(
        accelerator="gpu" if uses_gpu() else "cpu",  # "auto" would find others, such as MPS
        # Without being told, Lightning would ask a batch system which process this is.
        plugins=[TorchElasticEnvironment() if processes() > 1 else LightningEnvironment()],
        devices=[rank_here()] if uses_gpu() and processes() == 1 else processes_here(),
        num_nodes=processes() // processes_here(),
        strategy="auto" if processes() == 1 else DDP,
        precision=cast(Any, trainer_precision(fit.low_precision)),
        max_epochs=fit.epochs,
        gradient_clip_val=fit.gradient_clip,
        deterministic=True,
        benchmark=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        callbacks=callbacks,
        enable_progress_bar=any(isinstance(c, MetricsBar) for c in callbacks),
        enable_checkpointing=True,
        enable_model_summary=False,
        logger=False,
    )
