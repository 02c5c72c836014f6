"""Splitting a table's molecules so that no molecule, stereoisomer or held-out scaffold crosses."""

from collections import defaultdict
from collections.abc import Sequence

from pipelines.chemistry.kinship import Kinship
from pipelines.core.errors import UserError

from .arrays import SPLITS
from .subset import in_hash_order

LEAST = 20  # molecules, stereoisomers counted as one


def enough(kin: Sequence[Kinship], shares: Sequence[float]) -> bool:
    """Whether `split` cannot fail, whatever further molecules there are."""
    scaffolds = {one.scaffold for one in kin} - {""}
    return len({one.flat for one in kin}) >= LEAST and (shares[3] == 0 or len(scaffolds) > 1)


def split(
    smiles: Sequence[str], kin: Sequence[Kinship], shares: Sequence[float], seed: int
) -> dict[str, list[str]]:
    """Name of each split to its molecules, which depend on the set of molecules and the seed only.

    First whole scaffolds are set aside for test_scaffolds; of the others, stereoisomers
    together, some are drawn for test, for validation, and the rest for train.

    Raises:
        UserError: too few molecules, or too few scaffolds.
    """
    families: dict[str, list[str]] = defaultdict(list)
    scaffold_of = {one.flat: one.scaffold for one in kin}
    for text, one in zip(smiles, kin, strict=True):
        families[one.flat].append(text)
    if len(families) < LEAST:
        raise UserError(
            f"{len(families)} different usable molecule(s), stereoisomers counted as one; at "
            f"least {LEAST} are needed"
        )
    apart = _held_out(scaffold_of, shares[3] / sum(shares), seed) if shares[3] else set()
    order = in_hash_order(sorted(families), seed)
    rest = [flat for flat in order if scaffold_of[flat] not in apart]
    # Each split has at least one, also of few molecules and a small share.
    test, validation = (max(1, round(shares[k] / sum(shares[:3]) * len(rest))) for k in (2, 1))
    parts = {
        "train": rest[test + validation :],
        "validation": rest[test : test + validation],
        "test": rest[:test],
        "test_scaffolds": [flat for flat in order if scaffold_of[flat] in apart],
    }
    return {name: [s for flat in parts[name] for s in sorted(families[flat])] for name in SPLITS}


def _held_out(scaffold_of: dict[str, str], share: float, seed: int) -> set[str]:
    """Scaffolds in the order of their hashes, as many as fit into the share, at least one."""
    sizes: dict[str, int] = defaultdict(int)
    for scaffold in scaffold_of.values():
        sizes[scaffold] += 1
    sizes.pop("", None)
    total = len(scaffold_of)
    chosen: set[str] = set()
    room = share * total
    for scaffold in in_hash_order(sorted(sizes), seed):
        if sizes[scaffold] <= room:
            chosen.add(scaffold)
            room -= sizes[scaffold]
    if chosen:
        return chosen
    smallest = min(sorted(sizes), key=lambda s: sizes[s], default="")
    if not smallest or sizes[smallest] > total / 2:
        raise UserError(
            f"{len(sizes)} ring scaffold(s) in {total} molecules, too few to hold some out; set "
            "the last of prepare.shares to 0"
        )
    return {smallest}
