"""`scistage apply screening`: a score for every molecule of a table of any length.

The table that is written has the rows and columns of the one that is read, in their order, and of
each target the score (a probability, or a value in its unit), its interval and the spread of the
ensemble; the Tanimoto similarity to the nearest training molecule, and whether that is inside the
domain of applicability; the molecule that was scored, without counterions and neutral; or the
reason why a row has no score.

Fields of the table are kept as they are written, also one that a spreadsheet takes for a formula,
because it begins with = + - or @ and is no number: a changed one would be another name or SMILES.
The first such field is told in a warning. What is added is never one.
"""

import argparse
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from pipelines.core.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from pipelines.chemistry.tables import Row, Table
    from pipelines.core.runner import Inputs

    from ..prepare.arrays import Graphs

CHUNK = 2000  # rows that a process works on at a time


class Described(NamedTuple):
    """Rows of a chunk: of each the reason why it is no molecule, or ""; of the others the arrays.

    smiles: of the n in standard form; graphs; bits: (n, 256), see `likeness.bits_of`; joined:
    (n, J), see `joining.joined_of`.
    """

    reasons: list[str]
    smiles: list[str]
    graphs: "Graphs"
    bits: "np.ndarray"
    joined: "np.ndarray"


def add_options(parser: argparse.ArgumentParser) -> None:
    """--column."""
    parser.add_argument(
        "--column", help="name of the column of SMILES (default: the one called smiles)"
    )


def transform(inputs: "Inputs", options: argparse.Namespace, out: Path) -> None:
    """Write the table's rows and what the ensemble says of each; holds a few chunks at a time.

    Prints how many were scored. Raises UserError for a table that cannot be read, or that has a
    column that is to be written.
    """
    import pandas as pd

    from pipelines.chemistry.columns import smiles_column
    from pipelines.chemistry.tables import open_table

    table = open_table(options.table)
    place = smiles_column(options.table, table, options.column, "--column")
    table = replace(table, rows=_warned(options.table, table))
    scorer = Scorer(inputs)
    _refuse_names(options.table, table, scorer.columns)
    header = pd.DataFrame(columns=[*table.names, *scorer.columns])
    with out.open("w", encoding="utf-8", newline="") as file:
        lines = Lines(file)
        header.to_csv(lines, index=False, lineterminator=Lines.end)
        for part in scorer.scored(table, place):
            part.to_csv(
                lines, index=False, header=False, float_format="%.6g", lineterminator=Lines.end
            )
    _tell(options.table, table.names[place], scorer.reasons, scorer.outside)


def _tell(path: Path, column: str, reasons: Counter[str], outside: int) -> None:
    """How many rows were scored, and why the others were not."""
    scored, rows = reasons[""], reasons.total()
    others = ", ".join(f"{n} {what}" for what, n in reasons.most_common() if what)
    if rows and not scored:
        print(
            f"warning: {path}: column {column!r}: no row can be scored; name the column of SMILES "
            "with --column",
            file=sys.stderr,
        )
    said = f"{rows} rows: {scored} scored, {outside} of them outside the domain of applicability"
    print(f"{said}; not scored: {others}" if others else said)


class Lines:
    """A text file whose lines end in "\\n", to be written as if they ended in `end`.

    The CSV writer puts a field in quotation marks that has a character of the line's end in it, and
    every reader takes a bare "\\r" for one.
    """

    end = "\r\n"

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, line: str) -> None:
        """One line, as the CSV writer hands them over."""
        self.file.write(line.removesuffix(self.end) + "\n")


class Scorer:
    """The ensemble with its calibration, and what it has learnt from. `columns` is what it adds."""

    def __init__(self, inputs: "Inputs") -> None:
        from pipelines.core.artifacts import read_json

        from ..prepare.arrays import read_molecules
        from ..train.reading import read_ensemble
        from .calibrate import read_calibration
        from .likeness import read_bits

        self.ensemble = read_ensemble(inputs.train)
        self.calibration = read_calibration(inputs.predict)
        self.max_atoms = read_json(inputs.prepare / "card.json")["max_atoms"]
        training = (read_molecules(inputs.prepare)["split"] == "train").to_numpy()
        self.training = read_bits(inputs.prepare, "molecules")[training]
        names = [target.name for target in self.ensemble.targets]
        said = [f"{n}_{what}" for n in names for what in ("score", "low", "high", "spread")]
        self.columns = [*said, "similarity", "inside", "scored_as", "reason"]
        self.reasons: Counter[str] = Counter()  # why rows were not scored; "": those that were
        self.outside = 0

    def scored(self, table: "Table", place: int) -> "Iterator[pd.DataFrame]":
        """The rows, chunk by chunk. place: of the column of SMILES."""
        import pandas as pd
        from tqdm import tqdm

        from pipelines.core.parallel import each_in_parallel

        waiting: deque[list[Row]] = deque()

        def texts() -> Iterator[list[tuple[str, str]]]:
            for rows in _chunks(table.rows):
                waiting.append(rows)
                yield [(row.fields[place], row.problem or "") for row in rows]

        describe = partial(described, max_atoms=self.max_atoms, join=self.ensemble.join)
        with tqdm(unit=" rows", desc="scoring", disable=None) as progress:
            for chunk in each_in_parallel(describe, texts()):
                rows = waiting.popleft()
                given = pd.DataFrame([row.fields for row in rows], columns=table.names)
                yield pd.concat([given, self.said(chunk)], axis=1)
                progress.update(len(rows))

    def said(self, chunk: Described) -> "pd.DataFrame":
        """`columns` of the rows of a chunk."""
        from .likeness import similarity

        usable = [k for k, reason in enumerate(chunk.reasons) if not reason]
        said = self.ensemble.predict(chunk.graphs, chunk.joined)
        table = self.calibration.answers(said, self.ensemble.targets)
        likeness = similarity(chunk.bits, self.training)
        inside = likeness >= self.calibration.inside
        self.reasons.update(chunk.reasons)
        self.outside += int((~inside).sum())
        table = table.assign(similarity=likeness, inside=inside, scored_as=chunk.smiles)
        table = table.set_axis(usable).reindex(range(len(chunk.reasons)))
        return table.assign(reason=chunk.reasons)


def described(texts: list[tuple[str, str]], max_atoms: int, join: str) -> Described:
    """Standardise and describe SMILES, each with what is wrong with its row."""
    from ..prepare.featurise import counts, featurise
    from ..prepare.standard import standard
    from ..train.joining import joined_of
    from .likeness import bits_of

    forms = standard([text for text, _ in texts], max_atoms)
    reasons = [
        problem or form.reason or "" for (_, problem), form in zip(texts, forms, strict=True)
    ]
    smiles = [form.smiles or "" for form, reason in zip(forms, reasons, strict=True) if not reason]
    graphs, bits = featurise(smiles), bits_of(counts(smiles))
    return Described(reasons, smiles, graphs, bits, joined_of(smiles, join))


def _warned(path: Path, table: "Table") -> "Iterator[Row]":
    """The rows; of the first field that a spreadsheet takes for a formula there is a warning."""
    warned = _warn(path, 1, table.names, table.names)
    for row in table.rows:
        warned = warned or _warn(path, row.number, table.names, row.fields)
        yield row


def _warn(path: Path, number: int, names: list[str], fields: list[str]) -> bool:
    for name, text in zip(names, fields, strict=True):
        if _is_formula(text):
            print(
                f"warning: {path}: row {number}: {name!r}: {text[:40]!r} is a formula to a "
                "spreadsheet; it is kept as it is: import the column as text",
                file=sys.stderr,
            )
            return True
    return False


def _is_formula(text: str) -> bool:
    if len(text) < 2 or text[0] not in "=+-@\t\r":
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False


def _refuse_names(path: Path, table: "Table", columns: list[str]) -> None:
    for name in columns:
        if name in table.names:
            raise UserError(f"{path}: column {name!r}: is one that is written; rename it")


def _chunks(rows: "Iterable[Row]") -> "Iterator[list[Row]]":
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
