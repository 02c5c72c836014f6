"""`scistage apply molecules`: new molecules, any that are like those learnt from or near one.

The table has a row for each draw: the SMILES as written and in RDKit's spelling, whether it is
valid, repeats a row above or is a training molecule, QED, synthetic accessibility, logP and weight
(Da), and with --like the similarity to it (Tanimoto; Morgan fingerprints, radius 2, 1024 bits).
What is written and not valid may begin with - or =: import the column as text in a spreadsheet.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from pipelines.core.runner import Inputs

    from ..train.writer import Writer

MOST = 1_000_000
NEAR = 0.4  # similarity from which molecules are told of as near
SPREAD = 0.1  # of MOSES-like molecules, a third to a half of the draws are the molecule itself


def add_options(parser: argparse.ArgumentParser) -> None:
    """--n, --seed, --like and --spread."""
    parser.epilog = 'example: scistage apply molecules --like "CC(=O)Nc1ccc(O)cc1" -o new.csv'
    parser.add_argument(
        "--n", type=_count, default=1000, help=f"molecules to draw, up to {MOST:,} (default 1000)"
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, help="another number, other molecules (default 0)"
    )
    parser.add_argument("--like", metavar="SMILES", help="a molecule to stay near to")
    parser.add_argument(
        "--spread",
        type=_share,
        help="share of its noise that is drawn anew: 0, the molecule itself, to 1, any "
        f"(default {SPREAD})",
    )


def generate(inputs: "Inputs", options: argparse.Namespace, out: Path) -> None:
    """Write the columns of `described.describe`, and like_similarity with --like.

    At the temperature at which `predict` drew; near a molecule at 1, of which its noise is known.
    Raises UserError for a molecule that the model cannot write.
    """
    if options.like is None and options.spread is not None:
        raise UserError("--spread: is how far from a molecule; give one with --like SMILES")
    import pandas as pd

    from pipelines.core.artifacts import write_csv
    from pipelines.training.reproducible import prepare_torch

    from ..prepare.arrays import read_smiles
    from ..train.reading import fits_of, read_writer
    from .described import describe, fingerprints, tanimoto
    from .files import drawn_at
    from .writing import near, noise_of, write

    prepare_torch()
    writer = read_writer(inputs.train, list(fits_of(inputs.train))[-1])
    noise, temperature = noise_of(writer, options.n, options.seed), drawn_at(inputs.predict)
    if options.like is not None:
        like, start = _found(options.like, writer)
        spread = SPREAD if options.spread is None else options.spread
        noise, temperature = near(start, noise, spread, options.seed), 1.0
    smiles = write(writer, noise, options.n, temperature)
    table, bits = describe(smiles, set(read_smiles(inputs.prepare, "train")))
    if options.like is not None:
        similarity = pd.Series(tanimoto(bits, fingerprints([like])))
        table["like_similarity"] = similarity.where(table["valid"])
        others = table[table["valid"] & ~table["duplicate"] & (table["canonical"] != like)]
        near_by = int((others["like_similarity"] >= NEAR).sum())
        print(f"{len(others)} other molecules, {near_by} with a similarity of {NEAR} or more")
    write_csv(out, table)


def _found(text: str, writer: "Writer") -> tuple[str, "Tensor"]:
    """A molecule in the form of those learnt from, and its noise (1, size); prints what differs."""
    import torch

    from pipelines.chemistry.standardise import standardise
    from pipelines.training.precision import computing_device

    from ..train.texts import spell

    found = standardise(text)
    if found.smiles is None:
        raise UserError(f"--like: found {text!r}: {found.reason}; give the SMILES of a molecule")
    if found.changes:
        print(f"--like: {', '.join(found.changes)}: {found.smiles}")
    tokens = torch.tensor([[*_tokens(found.smiles, writer), 0]], device=computing_device())
    noise = writer.encode(tokens)
    again = spell(writer.write(noise).cpu().numpy(), writer.vocabulary)[0]
    if again != found.smiles:
        print(f"--like: the model writes it as {again or 'nothing'}")
    return found.smiles, noise


def _tokens(smiles: str, writer: "Writer") -> list[int]:
    from ..prepare.tokens import tokenize

    try:
        tokens = tokenize(smiles)
    except ValueError as error:
        raise UserError(f"--like: found {error}; give a smaller molecule") from None
    for token in tokens:
        if token not in writer.vocabulary:
            raise UserError(
                f"--like: found {smiles}: the model has learnt from no molecule with {token!r}; "
                "give one of the elements, charges and stereochemistry of the training molecules"
            )
    if len(tokens) > writer.longest:
        raise UserError(
            f"--like: found {smiles}, {len(tokens)} tokens; the model writes at most "
            f"{writer.longest}: give a smaller molecule"
        )
    return [writer.vocabulary.index(token) for token in tokens]


def _count(text: str) -> int:
    return _whole(text, 1, MOST)


def _seed(text: str) -> int:
    return _whole(text, 0, 2**63 - 1)


def _whole(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or len(text) > len(str(most)) or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; give a whole number from {least} to {most:,}"
        )
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; give a number from 0 to 1")
    return value
