"""Weights of all fits in one safetensors file, under `<fit>/<name>`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from pipelines.core.artifacts import read_json
from pipelines.core.errors import UserError

WEIGHTS, MODEL = "weights.safetensors", "model.json"


def write_weights(path: Path, fits: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Write the state of each fit; the same tensors give the same bytes."""
    tensors = {
        f"{fit}/{name}": tensor.detach().cpu().contiguous().clone()
        for fit, state in sorted(fits.items())
        for name, tensor in sorted(state.items())
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save(tensors))  # save_file would make a file that only its owner may read


def read_weights(path: Path, fit: str) -> dict[str, Tensor]:
    """The state of one fit, on the CPU.

    Raises:
        UserError: the file is missing or damaged, or has no such fit.
    """
    with _opened(path) as file:
        names = [name for name in file.keys() if name.startswith(f"{fit}/")]  # noqa: SIM118
        state = {name.removeprefix(f"{fit}/"): file.get_tensor(name) for name in names}
    if not state:
        raise UserError(f"{path}: holds no fit {fit!r}; train again")
    return state


def read_models(folder: Path) -> dict[str, dict[str, Any]]:
    """The fits of a train folder in their order, and what `model.json` says each is made of.

    Raises:
        UserError: the file is missing or damaged.
    """
    content = read_json(folder / MODEL)
    try:
        models = {name: dict(fit["model"]) for name, fit in content["fits"].items()}
    except (AttributeError, LookupError, TypeError, ValueError):
        models = {}
    if not models:
        raise UserError(f"{folder / MODEL}: fits: found no description of a model; train again")
    return models


@contextmanager
def model_of(folder: Path, fit: str) -> Iterator[dict[str, Any]]:
    """What a fit's model is made of; the module is built from it inside.

    Raises:
        UserError: there is no such fit, or no module can be built from what is said of it.
    """
    models, path = read_models(folder), folder / MODEL
    if fit not in models:
        raise UserError(f"{path}: fits: found {', '.join(models)}, but not {fit!r}; train again")
    try:
        yield models[fit]
    except UserError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError) as e:
        reason = f"{type(e).__name__}: {e}"
        raise UserError(f"{path}: fits.{fit}.model: cannot be built ({reason})") from None


def load_weights(
    module: nn.Module,
    folder: Path,
    fit: str,
    part: str = "network",
    others: tuple[str, ...] = (),
) -> None:
    """Give a module the tensors `<fit>/<part>.…` of a train folder's weights.

    Args:
        module: built as `model.json` describes it.
        folder: of the train stage.
        fit: name of the fit.
        part: the module's name in the fit.
        others: names of the fit's other parts, which are not looked at.

    Raises:
        UserError: names the first tensor that is missing, is too many, has another shape or type,
            or holds what is no number.
    """
    path, models = folder / WEIGHTS, read_models(folder)
    with _opened(path) as file:
        for name in file.keys():  # noqa: SIM118
            if name.split("/")[0] not in models:
                raise UserError(f"{path}: {name}: {MODEL} describes no such fit; train again")
    learnt = {f"{part}.{name}" for name, _ in module.named_parameters()}
    wanted = {f"{part}.{name}": tensor for name, tensor in module.state_dict().items()}
    found = read_weights(path, fit)
    for name in sorted(found.keys() | wanted.keys()):
        root = name.split(".")[0]
        if root not in others:
            problem = _problem(found.get(name), wanted.get(name), name in learnt)
            if problem:
                mend = (
                    "train again" if root == part else f"train again, or name {root!r} in `others`"
                )
                raise UserError(f"{path}: {fit}/{name}: {problem}; {mend}")
    module.load_state_dict({name.removeprefix(f"{part}."): found[name] for name in wanted})


def _problem(found: Tensor | None, wanted: Tensor | None, learnt: bool) -> str | None:
    if found is None:
        return "is missing"
    if wanted is None:
        return f"is no tensor of the model that {MODEL} describes"
    if found.shape != wanted.shape:
        return f"found shape {tuple(found.shape)}, the model has {tuple(wanted.shape)}"
    if found.dtype != wanted.dtype:
        return f"found {found.dtype}, the model has {wanted.dtype}"
    if found.is_floating_point() and found.isnan().any():
        return "holds NaN"
    # A buffer may: what never changes in training has an infinite scale.
    return "holds infinite values" if learnt and not found.isfinite().all() else None


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run the train stage first") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a safetensors file ({error}); train again") from None
