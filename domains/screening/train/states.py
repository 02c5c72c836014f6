"""Which atoms and bonds of many molecules a message-passing network cannot tell apart.

After t rounds of messages the state of a directed bond depends on what is within t bonds behind
it and on nothing else. Of a thousand directed bonds in a batch of 64 drug-like molecules some 30
differ before the first round, 180 after it and 420 after the second: to compute each distinct
state once is the same function at a quarter of the cost. (With dropout, molecules of a batch that
share a state share its mask too.) Two directed bonds share their state after t rounds if they are
of one kind (the bond, and the atom it leaves) and hear the same bag of states of t − 1 rounds:
colour refinement (Weisfeiler & Leman 1968; Morris et al. 2019 for networks).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..prepare.arrays import Graphs

Indices = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Bags:
    """Bag i holds the numbers `members[offsets[i]:offsets[i + 1]]`, some more than once."""

    offsets: Indices
    members: Indices

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def take(self, rows: Indices) -> Bags:
        """These bags, in this order."""
        starts, counts = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        offsets = _offsets(counts)
        shift = np.repeat(starts - offsets[:-1], counts)
        return Bags(offsets, self.members[np.arange(offsets[-1]) + shift])

    def renumbered(self) -> tuple[Bags, Indices]:
        """The bags with members 0, 1 … in the order of their appearance, and what these were."""
        first, numbers = distinct(self.members)
        return Bags(self.offsets, numbers), self.members[first]


@dataclass(frozen=True)
class Level:
    """Distinct states: state i is of kind `kinds[i]` and hears the states in bag i of `heard`."""

    kinds: Indices
    heard: Bags

    def take(self, rows: Indices) -> tuple[Level, Indices]:
        """These states, and which of those below they hear, in their new numbers' order."""
        heard, below = self.heard.take(rows).renumbered()
        return Level(self.kinds[rows], heard), below


@dataclass(frozen=True)
class States:
    """Molecules as bags of atoms' states; these are made of bonds' states, level by level.

    Attributes:
        bond_kinds: (K, Fa + Fb) uint8, codes of the atom that a directed bond leaves and of the
            bond itself. A kind is the bond's state before the first round.
        bonds: bonds' states after 1, 2 … depth − 1 rounds, which hear those of a round before.
        atom_kinds: (Ka, Fa) uint8, codes of an atom.
        atoms: the atoms' states, which hear the last of the bonds'.
        molecules: of each molecule the bag of its atoms' states.
    """

    bond_kinds: NDArray[np.uint8]
    bonds: list[Level]
    atom_kinds: NDArray[np.uint8]
    atoms: Level
    molecules: Bags

    def __len__(self) -> int:
        return len(self.molecules)

    def take(self, rows: Indices) -> States:
        """These molecules, in this order, and no states but theirs."""
        molecules, below = self.molecules.take(rows).renumbered()
        atoms, below = self.atoms.take(below)
        bonds: list[Level] = []
        for level in reversed(self.bonds):
            taken, below = level.take(below)
            bonds.insert(0, taken)
        # What is heard in the first round comes first, and so keeps its new numbers.
        kinds = np.concatenate([below, *(level.kinds for level in bonds)])
        first, numbers = distinct(kinds)
        parts = np.split(numbers[len(below) :], np.cumsum([len(level.kinds) for level in bonds]))
        bonds = [replace(level, kinds=part) for level, part in zip(bonds, parts, strict=False)]
        atom_first, atom_numbers = distinct(atoms.kinds)
        return States(
            self.bond_kinds[kinds[first]],
            bonds,
            self.atom_kinds[atoms.kinds[atom_first]],
            replace(atoms, kinds=atom_numbers),
            molecules,
        )


def find_states(graphs: Graphs, depth: int) -> States:
    """The distinct states of atoms and bonds in all graphs, after up to `depth` − 1 rounds.

    Two states are the same if 64-bit hashes are: of a million molecules no two are mistaken for
    each other but with a chance below 1e-3.
    """
    source, target = _directed(graphs)
    reverse = np.arange(len(source)) ^ 1
    count = len(graphs.atoms)
    entering = Bags(
        _offsets(np.bincount(target, minlength=count)), np.argsort(target, kind="stable")
    )

    atom_first, atom_kinds = distinct(_hashed(graphs.atoms))
    bond_hashes = np.repeat(_hashed(graphs.bonds), 2)
    first, kinds = distinct(_with(bond_hashes, atom_kinds[source]))
    bond_kinds = np.hstack([graphs.atoms[source[first]], graphs.bonds[first // 2]])

    states, bonds = kinds, []
    for _ in range(depth - 1):
        heard = _sums(states, target, count)[source] - _mixed(states)[reverse]
        first, after = distinct(_with(heard, kinds))
        bags = entering.take(source[first])
        others = bags.members != np.repeat(reverse[first], np.diff(bags.offsets))
        heard_bags = Bags(_offsets(np.diff(bags.offsets) - 1), states[bags.members[others]])
        bonds.append(Level(kinds[first], heard_bags))
        states = after

    first, atoms = distinct(_with(_sums(states, target, count), atom_kinds))
    bags = entering.take(first)
    heard_bags = Bags(bags.offsets, states[bags.members])
    last = Level(atom_kinds[first], heard_bags)
    molecules = Bags(graphs.atom_offsets, atoms)
    return States(bond_kinds, bonds, graphs.atoms[atom_first], last, molecules)


def distinct(values: NDArray[Any]) -> tuple[Indices, Indices]:
    """Where each distinct value first appears, in that order; of each value its number there."""
    numbers, found = pd.factorize(values)
    first = np.empty(len(found), dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]  # what is written last stays
    return first, numbers


def _directed(graphs: Graphs) -> tuple[Indices, Indices]:
    """Atoms (2 B,) that each directed bond leaves and enters; 2 k and 2 k + 1 are bond k."""
    shift = np.repeat(graphs.atom_offsets[:-1], np.diff(graphs.bond_offsets))
    ends = graphs.ends + shift[:, None]
    return ends.reshape(-1), ends[:, ::-1].reshape(-1)


def _offsets(counts: Indices) -> Indices:
    return np.concatenate([[0], np.cumsum(counts)])


def _sums(states: Indices, target: Indices, count: int) -> Hashes:
    """(count,) of each atom the hash of the bag of states that enter it: a sum has no order."""
    sums = np.zeros(count, dtype=np.uint64)
    np.add.at(sums, target, _mixed(states))
    return sums


def _hashed(codes: NDArray[np.uint8]) -> Hashes:
    """(n,) hashes of rows of codes."""
    hashes = np.zeros(len(codes), dtype=np.uint64)
    for column in codes.T:
        hashes = _with(hashes, column)
    return hashes


def _with(hashes: Hashes, numbers: NDArray[Any]) -> Hashes:
    """Hashes of pairs of a hash and a number."""
    return _mixed(hashes) + numbers.astype(np.uint64)


def _mixed(numbers: NDArray[Any]) -> Hashes:
    """Each number scattered over 64 bits (SplitMix64; Steele, Lea & Flood 2014)."""
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
