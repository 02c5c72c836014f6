"""Which column of a table holds what is looked for."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from rdkit import Chem, rdBase

from pipelines.core.errors import UserError

from .standardise import LONGEST
from .tables import Table

_SHOWN = 8  # names of columns in a message


def smiles_column(path: Path, table: Table, wanted: str | None, where: str) -> int:
    """Index of the wanted column; if none is named, of the one called smiles or the only one.

    Args:
        path: of the table, for messages.
        table: opened.
        wanted: name of the column, or None.
        where: the parameter that names it.

    Raises:
        UserError: there is no such column, more than one, or one that holds no text.
    """
    names = table.names
    place = (
        _likely(path, names, where) if wanted is None else find_column(path, names, wanted, where)
    )
    kind = table.kinds.get(names[place])
    if kind:
        raise UserError(f"{path}: column {names[place]!r} holds {kind} and no text; name another")
    return place


def find_column(path: Path, names: Sequence[str], wanted: str, where: str) -> int:
    """Index of the column of this name; UserError if there is none, or more than one."""
    count = names.count(wanted)
    if count == 1:
        return names.index(wanted)
    if count:
        raise UserError(f"{path}: {count} columns are called {wanted!r}; rename all but one")
    close = difflib.get_close_matches(wanted, names, n=1, cutoff=0.7)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {_listed(names)}"
    raise UserError(f"{path}: no column {wanted!r} ({where}); {hint}")


def _likely(path: Path, names: Sequence[str], where: str) -> int:
    lower = [name.lower() for name in names]
    for found in (
        [k for k, name in enumerate(lower) if name == "smiles"],
        [k for k, name in enumerate(lower) if "smiles" in name],
        list(range(len(names))) if len(names) == 1 else [],
    ):
        if len(found) > 1:
            both = ", ".join(repr(names[k]) for k in found)
            raise UserError(
                f"{path}: {len(found)} columns could be the SMILES ({both}); name one in {where}, "
                "each column by a name of its own"
            )
        if found:
            _refuse_molecule(path, names[found[0]])
            return found[0]
    raise UserError(f"{path}: no column is called smiles; set {where} to one of {_listed(names)}")


def _refuse_molecule(path: Path, name: str) -> None:
    """A table without a header would lose its first molecule."""
    with rdBase.BlockLogs():
        if 0 < len(name) <= LONGEST and Chem.MolFromSmiles(name) is not None:
            raise UserError(
                f"{path}: the first row, {name!r}, is a molecule and no header; add a header "
                "line 'smiles', or end the name in .smi"
            )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name) for name in names[:_SHOWN]) + more
