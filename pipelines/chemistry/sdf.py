"""Records of an SD file: the structure as SMILES, its title, and the data fields.

Format: Dalby et al. 1992, Journal of Chemical Information and Computer Sciences 32:244.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from rdkit import Chem, rdBase

from pipelines.core.errors import UserError

from .tables import RECORD, Row, Table, require_few

_TAG = re.compile(r">.*?<([^<>]+)>")
_END = "M  END"  # of a structure
_ENDS = (_END, "M  V30 END")
_BREAK = "$$$$"
_LONGEST = 100_000  # lines of a record


def read_sdf(path: Path, lines: Callable[[], Iterator[str]]) -> Table:
    """The table of all records; lines: reads the file from its start, which is done twice.

    A data field called smiles gives way to the structure itself.

    Raises:
        UserError: no record of a molecule in it.
    """
    names = {"smiles": None, "name": None}
    structures = False
    for line in lines():
        structures = structures or line.startswith(_ENDS)
        tag = _TAG.match(line)
        if tag and tag[1].lower() != "smiles":
            names[tag[1]] = None
            require_few(path, len(names))
    if not structures:
        raise UserError(
            f"{path}: no record of a molecule in it; write the SD file again, or end its name in "
            ".smi if it holds SMILES"
        )
    return Table(list(names), _rows(path, lines(), list(names)))


def _rows(path: Path, lines: Iterator[str], names: list[str]) -> Iterator[Row]:
    for number, record in enumerate(_records(path, lines), 1):
        ends = [k for k, line in enumerate(record) if line.startswith(_END)]
        end = ends[0] if ends else len(record)
        smiles = None
        if len(ends) < 2:  # else a $$$$ is missing, and the data may be another structure's
            smiles = _smiles("\n".join([*record[: end + 1], ""]))
        found = {"name": record[0].strip(), **_data(record[end + 1 :]), "smiles": smiles or ""}
        fields = [found.get(name, "") for name in names]
        yield Row(number, fields, RECORD if smiles is None else None)


def _smiles(block: str) -> str | None:
    """Of a structure; None if RDKit cannot read it."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromMolBlock(block)
        return None if mol is None else Chem.MolToSmiles(mol)


def _records(path: Path, lines: Iterator[str]) -> Iterator[list[str]]:
    record: list[str] = []
    for number, line in enumerate(lines, 1):
        if line.rstrip() == _BREAK:
            yield record or [""]
            record = []
        elif len(record) == _LONGEST:
            raise UserError(
                f"{path}: line {number}: the record has more than {_LONGEST:,} lines; end each "
                f"with {_BREAK}"
            )
        else:
            record.append(line.rstrip("\r\n"))
    if any(line.strip() for line in record):  # the last one, not closed
        yield record


def _data(lines: list[str]) -> dict[str, str]:
    """Values by name; one of several lines keeps them."""
    found: dict[str, str] = {}
    name = None
    for line in lines:
        tag = _TAG.match(line)
        if tag:
            name = tag[1]
            found[name] = ""
        elif name and line.strip():
            found[name] = f"{found[name]}\n{line}" if found[name] else line
        else:
            name = None
    return found
