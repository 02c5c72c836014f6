"""The molecules of the MOSES benchmark, in its own splits; validation is cut from train."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rdkit import Chem, rdBase

from pipelines.core.errors import UserError
from pipelines.core.parallel import in_parallel
from pipelines.data.sources import Wheel, fetch, source_card

from .files import MOSES_TITLE
from .loaded import Excluded, Loaded
from .params import PrepareParams
from .subset import in_hash_order
from .tokens import tokenize
from .yardsticks import FILTERS

_HELD_OUT = ("test", "test_scaffolds")
_MEMBERS = {name: f"moses/dataset/data/{name}.csv.gz" for name in ("train", *_HELD_OUT)}
_SIZE = 1_584_663  # of train

MOSES = Wheel(
    name="molsets",
    version="0.3.1",
    sha256="7f4450e3ebecebe79c3a2a55950c93daddee071120daf64a163d03481e811d34",
    size=51584291,
    files={
        _MEMBERS["train"]: "786f0313aa6b9ba5514df685f885742a70ea8d86f1a4fa48115f7f80a634265c",
        _MEMBERS["test"]: "f896fbf3764f88d94670b9959e5872c600c12152a18233823e820761b7a791b2",
        _MEMBERS["test_scaffolds"]: (
            "adffb2192c1bfe31ab0e13154d4af19a37dc18bdbf3cd7b4491e04405128adde"
        ),
        **FILTERS.files,  # of the same wheel, which is then downloaded once
    },
    title="MOSES, drug-like molecules of ZINC Clean Leads, as shipped with molsets 0.3.1",
    licence="MIT",
    citation=(
        "Polykovskiy et al. 2020, Frontiers in Pharmacology 11:565644, "
        "doi 10.3389/fphar.2020.565644; ZINC: Sterling & Irwin 2015, Journal of Chemical "
        "Information and Modeling 55:2324, doi 10.1021/acs.jcim.5b00559"
    ),
    url="https://github.com/molecularsets/moses",
)


def load(params: PrepareParams) -> Loaded:
    """The benchmark's molecules: train and validation spelt anew, the test sets as given.

    Of the file `train`, in the order of hashes, the first are for validation and the next are
    learnt from.
    """
    paths = fetch(MOSES)
    check(params)
    whole = {name: _read(paths[_MEMBERS[name]]) for name in _HELD_OUT}
    given = _read(paths[_MEMBERS["train"]])
    wanted = None if params.train_size is None else params.validation_size + params.train_size
    chosen = in_hash_order(given, params.seed, wanted)
    excluded = [Excluded("molecules of train", "beyond train_size", len(given) - len(chosen))]
    spelt = list(in_parallel(_spelt_anew, chosen))
    kept = _sorted_out(params, chosen, spelt, set().union(*whole.values()), excluded)
    for name in _HELD_OUT:
        kept[name] = in_hash_order(whole[name], params.seed, params.test_size)
        beyond = len(whole[name]) - len(kept[name])
        excluded.append(Excluded(f"molecules of {name}", "beyond test_size", beyond))
    changed = sum(old != new for old, new in zip(chosen, spelt, strict=True))
    return Loaded(
        splits=kept,
        excluded=[one for one in excluded if one.count],
        changes={"spelt otherwise by RDKit today": changed},
    )


def check(params: PrepareParams) -> None:
    """Fetch the wheel, and see to it that validation leaves something to learn from."""
    fetch(MOSES)
    if 2 * params.validation_size > _SIZE:
        raise UserError(
            f"prepare.validation_size: found {params.validation_size}; it is cut from the "
            f"{_SIZE} molecules of train, give at most half of them"
        )


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of every file that `load` reads."""
    return dict(MOSES.files)


def about(params: PrepareParams, loaded: Loaded) -> dict[str, Any]:
    """The card's description of the data."""
    counts = {name: f"{len(texts):,}" for name, texts in loaded.splits.items()}
    return {
        "title": MOSES_TITLE if params.test_size is None else f"{MOSES_TITLE}, in part",
        "description": (
            f"{counts['train']} of the {_SIZE:,} molecules that the MOSES benchmark gives to learn "
            f"from, {counts['validation']} others of them for validation, and {counts['test']} and "
            f"{counts['test_scaffolds']} molecules of its two test sets."
        ),
        "synthetic": False,
        "source": source_card(MOSES),
        "notes": [
            "Train and validation are chosen by a hash of the SMILES, the same on every machine. "
            "The test sets are MOSES' own and spelt as in its files, because published scores are "
            "computed on them; the scaffolds of test_scaffolds are in neither train nor test. No "
            "molecule is in two splits, however it is spelt.",
            "MOSES holds what its authors' filters let through: 250 to 350 Da, at most 7 rotatable "
            "bonds, XlogP at most 3.5, no charge, no ring above 8 atoms, only C, N, S, O, F, Cl, "
            "Br and H, no stereochemistry. A score says nothing about other molecules.",
        ],
    }


def _read(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode("ascii").split()[1:]  # after the header


def _spelt_anew(texts: Sequence[str]) -> list[str]:
    with rdBase.BlockLogs():
        return [Chem.MolToSmiles(Chem.MolFromSmiles(text)) for text in texts]


def _sorted_out(
    params: PrepareParams,
    given: Sequence[str],
    spelt: Sequence[str],
    held_out: set[str],
    excluded: list[Excluded],
) -> dict[str, list[str]]:
    """Validation and train, each molecule once and in neither test set."""
    kept: dict[str, list[str]] = {"validation": [], "train": []}
    reasons = {
        "same": "the same molecule as another, which the file spells differently",
        "test": "the same molecule as one of the test sets",
        "long": f"more than {params.max_tokens} tokens",
    }
    counts = dict.fromkeys(reasons, 0)
    seen: set[str] = set()
    for place, (old, new) in enumerate(zip(given, spelt, strict=True)):
        if new in seen:
            counts["same"] += 1
        elif old in held_out or new in held_out:
            counts["test"] += 1
        elif _too_long(new, params.max_tokens):
            counts["long"] += 1
        else:
            kept["validation" if place < params.validation_size else "train"].append(new)
        seen.add(new)
    excluded += [Excluded("molecules of train", why, counts[key]) for key, why in reasons.items()]
    return kept


def _too_long(smiles: str, most: int) -> bool:
    return len(smiles) > most and len(tokenize(smiles)) > most  # a token is a character or more
