"""An account of a table's rows: which molecules are kept, and why every other row is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.chemistry.kinship import Kinship
from pipelines.chemistry.standardise import UNWRITABLE, Standardised
from pipelines.core.errors import UserError

from .arrays import MOST_TOKENS
from .holdout import split
from .params import PrepareParams
from .reading import Entry
from .tokens import tokenize

if TYPE_CHECKING:
    import pandas as pd

DUPLICATE = "the same molecule as an earlier row"
RARE = f"a token that is not among the {MOST_TOKENS - 1} commonest"
_SHOWN = 40  # characters of a row in a message


class Account:
    """Rows taken up so far.

    kept: canonical SMILES → (row, SMILES as written), each molecule once; left_out: (row, SMILES
    as written, reason); changes: number of kept molecules that standardising changed, by kind.
    """

    def __init__(self, params: PrepareParams) -> None:
        self.params = params
        self.kept: dict[str, tuple[int, str]] = {}
        self.left_out: list[tuple[int, str, str]] = []
        self.changes: Counter[str] = Counter()

    def add(self, entries: Iterable[Entry], forms: Iterable[Standardised]) -> None:
        """Take up rows in the file's order, with what they were standardised to."""
        for (row, text, problem), form in zip(entries, forms, strict=True):
            reason = problem or form.reason or self._reason(form.smiles or "")
            if reason:
                # To every reader of a table a bare carriage return is the end of a line.
                self.left_out.append((row, text.replace("\r", " "), reason))
            else:
                self.kept[form.smiles or ""] = (row, text)
                self.changes.update(form.changes)

    def drop_rare_tokens(self) -> None:
        """Leave out molecules whose tokens would not fit into a byte's worth of kinds."""
        counts = Counter(chain.from_iterable(map(tokenize, self.kept)))
        if len(counts) < MOST_TOKENS:
            return
        common = set(sorted(counts, key=lambda t: (-counts[t], t))[: MOST_TOKENS - 1])
        for smiles in [s for s in self.kept if not common.issuperset(tokenize(s))]:
            self.left_out.append((*self.kept.pop(smiles), RARE))

    def split(self, kin: Sequence[Kinship]) -> dict[str, list[str]]:
        """The kept molecules in four splits; kin: of each of them.

        Raises UserError, with what became of the rows, if they are too few.
        """
        try:
            return split(list(self.kept), kin, self.params.shares, self.params.seed)
        except UserError as error:
            raise UserError(f"{Path(self.params.path or '')}: {error}{self._blame()}") from None

    def reasons(self) -> dict[str, int]:
        """Number of rows left out for each reason, the commonest first."""
        counts = Counter(reason for _, _, reason in self.left_out)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def rows(self) -> pd.DataFrame:
        """The rows left out, in the file's order."""
        import pandas as pd

        return pd.DataFrame(sorted(self.left_out), columns=["row", "smiles", "reason"])

    def _reason(self, smiles: str) -> str | None:
        if smiles in self.kept:
            return DUPLICATE
        try:
            count = len(tokenize(smiles))
        except ValueError:
            return UNWRITABLE
        most = self.params.max_tokens
        return f"more than {most} tokens" if count > most else None

    def _blame(self) -> str:
        if not self.left_out:
            return "" if self.kept else " (there is no row below the header)"
        most = next(iter(self.reasons()))
        row, text = next((row, text) for row, text, reason in self.left_out if reason == most)
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        total = len(self.left_out) + len(self.kept)
        return f" ({len(self.left_out)} of {total} rows left out; row {row}, {shown!r}: {most})"
