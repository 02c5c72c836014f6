"""What a source gives: the molecules of each split, and an account of those left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Excluded:
    """So many of something were left out for one reason."""

    what: str
    why: str
    count: int


@dataclass(frozen=True)
class Loaded:
    """Molecules of a source.

    splits: name of each of the four splits to its canonical SMILES, each once;
    excluded: what is in none of them; changes: how many molecules were changed, by the kind of
    change; rows: for a table, its rows that were left out (row, smiles, reason).
    """

    splits: dict[str, list[str]]
    excluded: list[Excluded]
    changes: dict[str, int] = field(default_factory=dict)
    rows: pd.DataFrame | None = None
