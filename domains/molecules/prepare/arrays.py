"""Molecules of different lengths in one flat array: the domain's common representation.

Tokens of all molecules follow one another; `offsets` holds where each one starts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.core.artifacts import read_arrays, read_json, write_json
from pipelines.core.errors import UserError

from .tokens import tokenize

LEARNT = ("train", "validation")  # as tokens
HELD_OUT = ("test", "test_scaffolds")  # as SMILES
SPLITS = LEARNT + HELD_OUT
MOST_TOKENS = 255  # kinds, so that an index and the padding fit into a byte


@dataclass(frozen=True)
class Corpus:
    """Molecules as token indices.

    tokens: (T,) uint8, all molecules one after another, no end token; offsets: (n + 1,) int64;
    vocabulary: token of each index, where 0 is "" (start, end and padding).
    """

    tokens: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    vocabulary: list[str]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) number of tokens of each molecule."""
        return np.diff(self.offsets)

    def smiles(self) -> list[str]:
        """The n molecules as text."""
        texts, data = self.vocabulary, self.tokens.tobytes()
        bounds = pairwise(self.offsets.tolist())
        return ["".join([texts[t] for t in data[start:end]]) for start, end in bounds]

    def padded(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8]:
        """(len(indices), longest) uint8 tokens of these molecules, zeros after the last."""
        chosen = np.asarray(indices, dtype=np.int64)
        starts, lengths = self.offsets[chosen], self.lengths[chosen]
        columns = np.arange(lengths.max(initial=0))
        inside = columns < lengths[:, None]
        batch = np.zeros(inside.shape, dtype=np.uint8)
        batch[inside] = self.tokens[(starts[:, None] + columns)[inside]]
        return batch


def encode(smiles: Iterable[str], vocabulary: list[str]) -> Corpus:
    """SMILES as indices into a vocabulary that has all their tokens."""
    index = {token: number for number, token in enumerate(vocabulary)}
    rows = [bytes([index[token] for token in tokenize(text)]) for text in smiles]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    return Corpus(np.frombuffer(b"".join(rows), dtype=np.uint8), offsets, vocabulary)


def write_splits(out: Path, splits: Mapping[str, list[str]]) -> None:
    """Write what is learnt from as .npz with vocabulary.json, what is held out as .smi."""
    kinds = set(chain.from_iterable(tokenize(s) for name in LEARNT for s in splits[name]))
    vocabulary = ["", *sorted(kinds)]
    write_json(out / "vocabulary.json", vocabulary)
    for name in LEARNT:
        corpus = encode(splits[name], vocabulary)
        np.savez(out / f"{name}.npz", tokens=corpus.tokens, offsets=corpus.offsets)
    for name in HELD_OUT:
        text = "".join(f"{smiles}\n" for smiles in splits[name])
        (out / f"{name}.smi").write_text(text, encoding="utf-8")


def read_corpus(folder: Path, split: str) -> Corpus:
    """The molecules of `train` or `validation`.

    Raises UserError where `prepare` has not written them.
    """
    vocabulary = read_json(folder / "vocabulary.json")
    arrays = read_arrays(folder / f"{split}.npz", "tokens", "offsets")
    return Corpus(arrays["tokens"], arrays["offsets"], vocabulary)


def read_smiles(folder: Path, split: str) -> list[str]:
    """The molecules of any split as text."""
    if split in LEARNT:
        return read_corpus(folder, split).smiles()
    return _existing(folder / f"{split}.smi").read_text(encoding="utf-8").split()


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"{path}: not found; run `scistage repro molecules` first")
    return path
