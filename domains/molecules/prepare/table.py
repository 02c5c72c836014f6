"""Your own molecules: a file with SMILES, standardised, without duplicates, split by hash."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.chemistry.kinship import Kinship, kinships
from pipelines.chemistry.standardise import Standardised, standardise
from pipelines.chemistry.tables import suffix_of
from pipelines.core.parallel import in_parallel
from pipelines.data.sources import sha256_of

from .account import Account
from .holdout import enough
from .loaded import Excluded, Loaded
from .params import PrepareParams
from .reading import read_entries

_AT_ONCE = 500  # rows that `check` looks at before it asks whether they are enough


def load(params: PrepareParams) -> Loaded:
    """All usable molecules of the file, each once, in four splits.

    Raises UserError for a file that cannot be read or holds too few molecules.
    """
    entries = list(read_entries(Path(params.path or ""), params.column))
    account = Account(params)
    account.add(entries, in_parallel(_standardised, [text for _, text, _ in entries]))
    account.drop_rare_tokens()
    whole = account.split(list(in_parallel(kinships, list(account.kept))))
    limits = {
        "train": params.train_size,
        "validation": params.validation_size,
        "test": params.test_size,
        "test_scaffolds": params.test_size,
    }
    excluded = [Excluded("rows", why, count) for why, count in account.reasons().items()]
    for name, limit in limits.items():
        if limit is not None and len(whole[name]) > limit:
            key = "test_size" if name.startswith("test") else f"{name}_size"
            why = f"beyond {key}: {limit}"
            excluded.append(Excluded(f"molecules of {name}", why, len(whole[name]) - limit))
    splits = {name: texts[: limits[name]] for name, texts in whole.items()}
    return Loaded(splits, excluded, dict(account.changes), account.rows())


def check(params: PrepareParams) -> None:
    """Read the file, and look at as many molecules as show that `load` will succeed."""
    path = Path(params.path or "")
    entries = read_entries(path, params.column)
    account = Account(params)
    kin: list[Kinship] = []
    while chunk := list(islice(entries, _AT_ONCE)):
        known = len(account.kept)
        account.add(chunk, _standardised([text for _, text, _ in chunk]))
        kin += kinships(list(account.kept)[known:])
        if enough(kin, params.shares):
            break
    else:
        account.split(kin)
    if suffix_of(path) != ".sdf":  # whose records are slow to read, and are never refused
        for _ in entries:
            pass


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of the file, by its name."""
    path = Path(params.path or "")
    return {path.name: sha256_of(path)}


def about(params: PrepareParams, loaded: Loaded) -> dict[str, Any]:
    """The card's description of the data."""
    name = Path(params.path or "").name
    count = sum(map(len, loaded.splits.values()))
    apart = len(loaded.splits["test_scaffolds"])
    held_out = (
        f"The {apart} molecules of test_scaffolds have Bemis–Murcko scaffolds that no molecule "
        "of another split has."
        if apart
        else "No scaffolds are held out: the last of shares is 0, and test_scaffolds is empty."
    )
    return {
        "title": f"Molecules of {name}",
        "description": f"{count} different molecules of your own, standardised and split by hash.",
        "synthetic": False,
        "source": {
            "name": f"table {name}",
            "licence": "as stated by its owner",
            "citation": "none",
            "files": files(params),
        },
        "notes": [
            held_out,
            "Test and validation are drawn at random, so that they hold close relatives of what is "
            "learnt from; stereoisomers are in one split.",
            "Largest organic fragment, neutral where that is possible, isotopes and atom numbers "
            "cleared, stereochemistry kept, tautomers as written; canonical SMILES of RDKit.",
        ],
    }


def _standardised(texts: Sequence[str]) -> list[Standardised]:
    return [standardise(text) for text in texts]
