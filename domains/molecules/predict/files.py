"""Names of the files that `predict` writes, and what it notes of them."""

from pathlib import Path
from typing import Any

from pipelines.core.artifacts import read_json

GENERATED = "generated.csv"
LIKELIHOOD = "likelihood.csv"
REJECTION = "rejection.csv"
DRAWS = "draws.json"


def note(fit: str, seed: int, temperature: float, drawn: int, valid: int) -> dict[str, Any]:
    """What draws.json says of one file: whose draws, how many, and how many of them are valid."""
    return {
        "fit": fit, "seed": seed, "temperature": temperature, "drawn": drawn, "valid": valid
    }  # fmt: skip


def drawn_at(folder: Path) -> float:
    """The temperature of `generated.csv`."""
    return read_json(folder / DRAWS)[GENERATED]["temperature"]
