"""What the model writes, and how it relates to what it has learnt from."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import PredictParams


def predict(params: "PredictParams", inputs: "Inputs", out: Path) -> None:
    """Write what the model draws and, of an adversarial one, what to compare it with.

    generated.csv: the draws of the last fit, each described; likelihood.csv: what the generator
    wrote of the same noise before its adversarial training; rejection.csv: other draws, those that
    the critic accepts; draws.json: of each file, how many were drawn and how many are valid.
    """
    from pipelines.core.artifacts import write_csv, write_json
    from pipelines.training.reproducible import prepare_torch

    from ..train.reading import fits_of
    from .files import DRAWS, GENERATED, LIKELIHOOD, REJECTION
    from .tables import accepted, generated, written_before

    prepare_torch()
    fits = list(fits_of(inputs.train))
    tables = {GENERATED: generated(fits[-1], params, inputs)}
    if "likelihood" in fits[:-1]:
        tables[LIKELIHOOD] = written_before("likelihood", params, inputs)
    if params.rejection and fits[-1] == "adversarial":
        tables[REJECTION] = accepted(fits[-1], params, inputs)
    for name, (table, _) in tables.items():
        write_csv(out / name, table)
    write_json(out / DRAWS, {name: note for name, (_, note) in tables.items()})
