"""The sets of molecules that are scored: what the model drew, baselines, real ones."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines.core.artifacts import read_csv, read_json
from pipelines.core.randomness import generator

from ..predict.files import DRAWS, GENERATED, LIKELIHOOD, REJECTION
from ..prepare.arrays import read_corpus
from . import combine, ngram

BASELINES = ("ngram", "brics")
VARIANTS = {"likelihood": LIKELIHOOD, "model, rejection": REJECTION}
LEARNT_FILES = ("train.npz", "validation.npz", "vocabulary.json")
_SAMPLE, _NGRAM, _BRICS = 1, 2, 3  # keys of their random draws
_KL = 10_000


def drawn_rows(folder: Path) -> dict[str, list[str]]:
    """SMILES as drawn, "" for nothing, of the model and of those variants that `predict` wrote."""
    files = {"model": GENERATED, **VARIANTS}
    return {
        name: read_csv(folder / file, text=("smiles",))["smiles"].fillna("").tolist()
        for name, file in files.items()
        if name == "model" or (folder / file).is_file()
    }


def draw_counts(folder: Path) -> dict[str, dict[str, Any]]:
    """What `predict` noted of the files: by the row's name, drawn, valid, acceptance, satisfied."""
    noted = read_json(folder / DRAWS)
    files = {"model": GENERATED, **VARIANTS}
    return {name: noted[file] for name, file in files.items() if file in noted}


def training_sample(folder: Path, count: int, seed: int) -> list[str]:
    """So many training molecules by chance, or all: the best that a set of this size can score."""
    return _shuffled(folder, seed)[:count]


def kl_sample(folder: Path, count: int, seed: int) -> list[str]:
    """Training molecules for `kl_score`: others than `training_sample`'s, if there are enough.

    As many as are scored, between 1,000 and 10,000.
    """
    return _shuffled(folder, seed)[-min(max(count, 1000), _KL) :]


def baselines(
    folder: Path, count: int, seed: int
) -> tuple[dict[str, list[str]], dict[str, dict[str, Any]]]:
    """`count` SMILES of each baseline, learnt from the model's training molecules; their settings.

    The n-gram writer's order and smoothing are chosen by the likelihood of validation molecules.
    """
    train, validation = read_corpus(folder, "train"), read_corpus(folder, "validation")
    writer, rule = ngram.fit(train, validation)
    rows = {"ngram": writer.write(count, generator(seed, _NGRAM))}
    parts = combine.fit(_shuffled(folder, seed)[: combine.MOST])
    rows["brics"] = combine.write(parts, count, (seed, _BRICS))
    return rows, {"ngram": rule, "brics": {"fragments": len(parts.smiles)}}


@lru_cache(maxsize=1)  # a million and a half in `full`, needed three times
def _shuffled(folder: Path, seed: int) -> list[str]:
    smiles = read_corpus(folder, "train").smiles()
    order = generator(seed, _SAMPLE).permutation(len(smiles))
    return [smiles[k] for k in order.tolist()]
