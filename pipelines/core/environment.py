"""What belongs to the machine, not to science: the `SCISTAGE_*` variables, read in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

from pipelines.core.errors import UserError

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)

ACCELERATORS = ("auto", "cpu", "gpu")
PRECISIONS = ("32-true", "bf16-mixed")
STRATEGY, STRATEGIES = "SCISTAGE_STRATEGY", ("ddp",)  # there is one way to train together

# What libraries choose by the processor, held to what any x86-64 since about 2015 has (AVX2, FMA).
PORTABLE = {
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own kernels
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # convolutions
    "MKL_CBWR": "COMPATIBLE",  # matrix products: the one code path for processors of every maker
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy's and SciPy's linear algebra
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENCV_CPU_DISABLE": "AVX512-SKX",
}


@dataclass(frozen=True)
class Environment:
    """The machine's settings, each from the variable of the same name.

    Attributes:
        accelerator: `SCISTAGE_ACCELERATOR`, one of ACCELERATORS.
        precision: `SCISTAGE_PRECISION`, one of PRECISIONS, as Lightning's Trainer names them; None
            leaves it to the network and the machine (`training.precision`).
        portable: `SCISTAGE_PORTABLE`, whether only instructions are used that any x86-64 processor
            since about 2015 has, in float32, so that results do not depend on its generation.
        threads: `SCISTAGE_THREADS`, CPU threads of a process; results depend on it.
        devices: `SCISTAGE_DEVICES`, processes of a training on each machine, on a GPU each where
            there are any; results depend on it.
        num_nodes: `SCISTAGE_NUM_NODES`, machines of a training; results depend on it.
        workers: `SCISTAGE_WORKERS`, loader processes; results do not depend on it.
        cache: `SCISTAGE_CACHE`, where downloads are kept.
        data_mirror: `SCISTAGE_DATA_MIRROR`, folder or URL laid out as `<dataset>/<file>`.
    """

    accelerator: str
    precision: str | None
    portable: bool
    threads: int
    devices: int
    num_nodes: int
    workers: int
    cache: Path
    data_mirror: str | None


def environment() -> Environment:
    """Read the machine's settings.

    Raises:
        UserError: a number is not a whole number, or is too small or too large; a word, or a
            variable that begins with `SCISTAGE_`, is unknown.
    """
    _word(STRATEGY, STRATEGIES)
    known = {STRATEGY, *(f"SCISTAGE_{field.name.upper()}" for field in fields(Environment))}
    others = sorted(n for n in os.environ if n.startswith("SCISTAGE_") and n not in known)
    if others:
        raise UserError(f"{others[0]}: unknown variable; known are {', '.join(sorted(known))}")
    return Environment(
        accelerator=_word("SCISTAGE_ACCELERATOR", ACCELERATORS) or "auto",
        precision=_word("SCISTAGE_PRECISION", PRECISIONS),
        portable=_whole("SCISTAGE_PORTABLE", default=0, least=0, most=1) == 1,
        threads=_whole("SCISTAGE_THREADS", default=2, least=1),
        devices=_whole("SCISTAGE_DEVICES", default=1, least=1),
        num_nodes=_whole("SCISTAGE_NUM_NODES", default=1, least=1),
        workers=_whole("SCISTAGE_WORKERS", default=0, least=0),
        cache=_cache(),
        data_mirror=os.environ.get("SCISTAGE_DATA_MIRROR") or None,
    )


def _cache() -> Path:
    own, shared = os.environ.get("SCISTAGE_CACHE"), os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(own or f"{shared}/scistage").expanduser()
    except RuntimeError:
        raise UserError(
            f"SCISTAGE_CACHE: found {own!r}; there is no such home folder; name one that exists"
        ) from None


def prepare_process() -> Environment:
    """Fix what numerical libraries read when they are imported; call before any of them is."""
    settings = environment()
    for name in THREAD_VARIABLES:
        os.environ[name] = str(settings.threads)
    if settings.portable:
        os.environ.update(PORTABLE)
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # its import looks for news on the network
    os.environ["MPLBACKEND"] = "Agg"
    return settings


def _word(name: str, known: tuple[str, ...]) -> str | None:
    text = os.environ.get(name) or None
    if text not in (None, *known):
        raise UserError(f"{name}: found {text!r}; give {' or '.join(known)}")
    return text


def _whole(name: str, default: int, least: int, most: int | None = None) -> int:
    text = os.environ.get(name)
    if not text:
        return default
    number = int(text) if text.isdecimal() and len(text) < 10 else -1
    if least <= number and (most is None or number <= most):
        return number
    limits = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise UserError(f"{name}: found {text!r}; give a whole number {limits}")
