"""A writer without learning: BRICS fragments of training molecules, drawn and joined by chance.

The combinatorial generator of MOSES (Polykovskiy et al. 2020): the number of fragments and each
fragment by frequency, as long as every open end can still be closed; ends are joined by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import Atom, Mol, RWMol

from pipelines.core.parallel import in_parallel
from pipelines.core.randomness import generator

from .molecules import fragments

MOST = 20_000  # training molecules that are taken apart


@dataclass(frozen=True)
class Parts:
    """smiles: the fragments, by number of ends; ends: (n,) open ends of each; summed: (n + 1,)
    cumulative counts; sizes: (k,) number of fragments of each molecule that was taken apart.
    """

    smiles: list[str]
    ends: NDArray[np.int64]
    summed: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def draw(self, least: int, most: int, rng: np.random.Generator) -> str | None:
        """A fragment by frequency, of those with `least` to `most` ends; None if there is none."""
        first = np.searchsorted(self.ends, least, side="left")
        last = np.searchsorted(self.ends, most, side="right")
        low, high = self.summed[first], self.summed[last]
        if high <= low:
            return None
        place = rng.integers(low, high)
        return self.smiles[int(np.searchsorted(self.summed, place, side="right")) - 1]


def fit(smiles: Sequence[str]) -> Parts:
    """Take training molecules apart."""
    texts = list(in_parallel(_taken_apart, smiles))
    counts = Counter(part for text in texts for part in text.split("."))
    order = sorted(counts, key=lambda part: (part.count("*"), part))
    summed = np.concatenate([[0], np.cumsum([counts[part] for part in order])]).astype(np.int64)
    ends = np.array([part.count("*") for part in order], dtype=np.int64)
    return Parts(order, ends, summed, np.array([text.count(".") + 1 for text in texts]))


def write(parts: Parts, count: int, seed: tuple[int, ...]) -> list[str]:
    """So many SMILES; "" where no fragment fits."""
    return list(in_parallel(partial(_written, parts=parts, seed=seed), range(count)))


def _taken_apart(smiles: Sequence[str]) -> list[str]:
    with rdBase.BlockLogs():
        return [fragments(Chem.MolFromSmiles(text)) for text in smiles]


def _written(indices: Sequence[int], parts: Parts, seed: tuple[int, ...]) -> list[str]:
    known: dict[str, Mol] = {}
    with rdBase.BlockLogs():
        return [_combined(parts, known, generator(*seed, index)) for index in indices]


def _combined(parts: Parts, known: dict[str, Mol], rng: np.random.Generator) -> str:
    total = int(rng.choice(parts.sizes))
    mol: Mol | None = None
    for done in range(total):
        left = total - done
        ends = [] if mol is None else _ends(mol)
        # So many may be open after this fragment as fragments are left to close them, and one at
        # least must be, unless it is the last.
        most = left - 1 if mol is None else left - len(ends) + 1
        least = 0 if total == 1 else 2 if mol is not None and len(ends) == 1 and left > 1 else 1
        text = parts.draw(least, most, rng)
        if text is None:
            return ""
        if text not in known:
            known[text] = Chem.MolFromSmiles(text)
        mol = known[text] if mol is None else _joined(mol, ends, known[text], rng)
    return Chem.MolToSmiles(mol)


def _ends(mol: Mol) -> list[Atom]:
    return [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]


def _joined(mol: Mol, ends: list[Atom], other: Mol, rng: np.random.Generator) -> Mol:
    """Both molecules with a bond between the neighbours of two ends, which are removed."""
    ours = ends[rng.integers(len(ends))]
    others = _ends(other)
    theirs = others[rng.integers(len(others))]
    shift = mol.GetNumAtoms()
    both = RWMol(Chem.CombineMols(mol, other))
    bond = theirs.GetBonds()[0].GetBondType()
    both.AddBond(ours.GetNeighbors()[0].GetIdx(), theirs.GetNeighbors()[0].GetIdx() + shift, bond)
    both.RemoveAtom(theirs.GetIdx() + shift)
    both.RemoveAtom(ours.GetIdx())
    return both.GetMol()
