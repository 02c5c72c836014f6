"""Runs one stage of one domain: parameters, inputs, the function, the contract, publishing."""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import platform
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.core.contract import STAGES, check_outputs
from pipelines.core.environment import Environment, prepare_process
from pipelines.core.errors import UserError
from pipelines.core.params import Params, load_params
from pipelines.core.processes import GRACE, processes, rank, started_together
from pipelines.core.project import OUTPUTS, WORK
from pipelines.core.stagefile import dependencies, digest


@dataclass(frozen=True)
class Inputs:
    """The published folders of the earlier stages of one domain."""

    prepare: Path
    train: Path
    predict: Path
    evaluate: Path
    explain: Path


@dataclass(frozen=True, repr=False)
class DeclaredInputs(Inputs):
    """Those folders, of which a stage gets only what dvc.yaml says that it reads."""

    stage: str  # as domains/<domain>/<stage>

    def __getattribute__(self, name: str) -> Any:
        if name in STAGES:
            stage = object.__getattribute__(self, "stage")
            reads = STAGES[Path(stage).name].reads
            if name not in reads:
                raise UserError(
                    f"{stage}: reads inputs.{name}, which dvc.yaml does not list for it: results "
                    f"would grow stale; it may read {', '.join(reads) or 'none'}"
                )
        return object.__getattribute__(self, name)


def inputs_of(domain: str) -> Inputs:
    """The published folders of a domain, whether they exist yet or not."""
    return Inputs(**_folders(domain))


def _folders(domain: str) -> dict[str, Path]:
    names = ("prepare", "train", "predict", "evaluate", "explain")
    return {name: OUTPUTS / domain / name for name in names}


def run_stage(stage: str, domain: str) -> None:
    """Run a stage; what it published before is replaced only if it succeeds.

    Raises:
        UserError: a parameter, an input or an output is wrong.
    """
    die_with_parent()
    settings = prepare_process()
    params = load_params(domain, stage)
    inputs = DeclaredInputs(**_folders(domain), stage=f"domains/{domain}/{stage}")
    require_outputs(domain, STAGES[stage].reads)
    if stage == "train" and settings.devices * settings.num_nodes > 1 and not started_together():
        return _train_together(domain, settings)
    started = time.time()
    if rank() > 0:  # it helps process 0, which alone writes
        with _failing_in_turn():
            return _call(stage, domain, params, inputs, WORK / domain / f"{stage}.partial")
    lock = WORK / domain / f"{stage}.lock"
    with alone(lock, f"{stage} of {domain}"), _partial_folder(domain, stage) as partial:
        with _failing_in_turn():
            _call(stage, domain, params, inputs, partial)
        check_outputs(stage, partial, f"domains/{domain}/{stage}")
        publish(partial, OUTPUTS / domain / stage)
    if stage == "report":  # also where DVC alone is used
        _load("pipelines.report.overview", "refresh")()
    if not started_together():  # others may still be reading them
        _discard_checkpoints(domain, stage)
    _write_record(_record(domain, stage), settings, time.time() - started)


def require_outputs(domain: str, stages: tuple[str, ...]) -> None:
    """Raise UserError unless these stages of the domain have left what the contract asks for."""
    for stage in stages:
        folder = OUTPUTS / domain / stage
        missing = [n for n in STAGES[stage].writes if not (folder / n).exists()]
        if missing or not folder.is_dir():
            what = folder / missing[0] if missing else folder
            raise UserError(f"{what}: not found; run `scistage repro {domain}` first")


def publish(partial: Path, target: Path) -> None:
    """Put a finished folder in the place of the published one.

    Raises:
        UserError: something that is no folder is in the way.
    """
    if target.exists() and not target.is_dir():
        raise UserError(f"{target}: is a file where an output folder belongs; move it away")
    target.parent.mkdir(parents=True, exist_ok=True)
    old = partial.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.replace(old)
    partial.replace(target)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path`, which the kernel frees when this process ends, however it ends.

    Raises:
        UserError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{what} is running in another process; wait for it") from None
        yield


def die_with_parent() -> None:
    """Have the kernel end this process when what started it ends: no orphan writes late."""
    if "DVC_STAGE" in os.environ or started_together():
        parent = os.getppid()
        set_death_signal()
        if os.getppid() != parent:  # it died before the kernel knew
            os.kill(os.getpid(), signal.SIGKILL)


def set_death_signal() -> None:
    """prctl(PR_SET_PDEATHSIG, SIGKILL), which Linux has: see man 2 prctl."""
    import ctypes

    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _call(stage: str, domain: str, params: Params, inputs: Inputs, out: Path) -> None:
    if stage == "report":
        _load("pipelines.report", stage)(params, inputs, out)
    elif stage == "train":
        fits = _load(f"domains.{domain}.{stage}", stage)(params, inputs)
        work = WORK / domain / "train" / _identity(domain, params)
        _load("pipelines.training.stage", stage)(fits, out, work, label=domain)
    else:
        _load(f"domains.{domain}.{stage}", stage)(params, inputs, out)


def _train_together(domain: str, settings: Environment) -> None:
    """Start this machine's processes; what they leave to resume goes once it is published.

    Machines end in any order: only where process 0 is does its record tell that it has published.
    """
    before = _written(_record(domain, "train"))
    _load("pipelines.training.launch", "launch")(domain, settings)
    if _written(_record(domain, "train")) != before:
        _discard_checkpoints(domain, "train")


def _load(module: str, name: str) -> Callable[..., Any]:
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        raise UserError(f"{module}: has no function {name!r}; a stage is one function") from None


def _identity(domain: str, params: Params) -> str:
    """Names a training: the same parameters, inputs, code and machine settings, or another one."""
    settings = prepare_process()
    how = (settings.accelerator, settings.precision, settings.portable, settings.threads)
    machine = (*how, processes())
    return digest(dependencies(domain, "train"), params.model_dump_json(), repr(machine))[:16]


@contextmanager
def _failing_in_turn() -> Iterator[None]:
    """Of processes that fail together let one say why: torchrun ends the others as they wait."""
    try:
        yield
    except Exception as error:
        if started_together():  # the first process last, if what failed is not what all would tell
            time.sleep(GRACE * ((rank() > 0) + (not isinstance(error, UserError))) + rank())
        raise


@contextmanager
def _partial_folder(domain: str, stage: str) -> Iterator[Path]:
    folder = WORK / domain / f"{stage}.partial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _discard_checkpoints(domain: str, stage: str) -> None:
    if stage == "train":
        shutil.rmtree(WORK / domain / "train", ignore_errors=True)


def _record(domain: str, stage: str) -> Path:
    return WORK / domain / f"{stage}.run.json"


def _written(path: Path) -> int:
    """When, in nanoseconds; 0 for never."""
    return path.stat().st_mtime_ns if path.exists() else 0


def _gpu(settings: Environment) -> str | None:
    """Its name, if this process could have used one: only torch does."""
    torch = sys.modules.get("torch") if settings.accelerator != "cpu" else None
    return torch.cuda.get_device_name() if torch and torch.cuda.is_available() else None


def _write_record(path: Path, settings: Environment, seconds: float) -> None:
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    record = {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(sum(u.ru_utime + u.ru_stime for u in used), 2),
        "peak_memory_mib": round(max(u.ru_maxrss for u in used) / 1024),
        "host": platform.node(),
        "gpu": _gpu(settings),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "settings": {key: str(value) for key, value in vars(settings).items()},
    }
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
