"""What each atom adds to the score: the fall of the score when its neighbourhood is hidden.

An atom is hidden by the code 0, "unknown", in each of its features and in those of its bonds; the
molecule's skeleton stays. With one atom its direct neighbours are hidden, since a network reads a
single hidden atom from those around it. The fall is divided by the number of hidden atoms: else
those with many neighbours would matter most, to a network that has learnt nothing too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..prepare.arrays import Graphs, joined

HIDDEN = 0  # the code of what is unknown, of every feature
_COPIES = 4096  # at a time

Score = Callable[[Graphs, np.ndarray], np.ndarray]  # graphs, and which molecule each is a copy of


def attributed(score: Score, graphs: Graphs) -> list[np.ndarray]:
    """(atoms,) falls of the score for each of the molecules, in its unit per hidden atom."""
    masks = [neighbourhoods(graphs, k) for k in range(len(graphs))]
    fallen = falls(score, graphs, masks)
    return [fall / mask.sum(axis=1) for fall, mask in zip(fallen, masks, strict=True)]


def falls(score: Score, graphs: Graphs, masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Score of each molecule less its score when atoms are hidden; masks: (m, atoms) bool each,
    m copies of the molecule; returns (m,) each."""
    whole = score(graphs, np.arange(len(graphs)))
    counts = np.array([len(mask) for mask in masks], dtype=int)
    parts = np.split(np.arange(len(graphs)), np.flatnonzero(np.diff(np.cumsum(counts) // _COPIES)))
    hidden = [
        score(masked(graphs.take(rows), [masks[k] for k in rows]), np.repeat(rows, counts[rows]))
        for rows in parts
        if len(rows)
    ]
    fallen = np.repeat(whole, counts) - np.concatenate([*hidden, np.zeros(0)])
    return np.split(fallen, np.cumsum(counts))[:-1]


def neighbourhoods(graphs: Graphs, k: int) -> np.ndarray:
    """(atoms, atoms) bool of molecule k: row i has atom i and its direct neighbours."""
    atoms = graphs.atom_offsets[k + 1] - graphs.atom_offsets[k]
    ends = graphs.ends[graphs.bond_offsets[k] : graphs.bond_offsets[k + 1]]
    near = np.eye(atoms, dtype=bool)
    near[ends[:, 0], ends[:, 1]] = near[ends[:, 1], ends[:, 0]] = True
    return near


def masked(graphs: Graphs, masks: Sequence[np.ndarray]) -> Graphs:
    """Copies of the molecules, as many of each as its mask (m, atoms) has rows, atoms hidden."""
    return joined([_copies(graphs, k, mask) for k, mask in enumerate(masks)])


def _copies(graphs: Graphs, k: int, mask: np.ndarray) -> Graphs:
    one, copies = graphs.take([k]), len(mask)
    atoms = np.where(mask[..., None], HIDDEN, one.atoms)
    bonds = np.where(mask[:, one.ends].any(axis=2)[..., None], HIDDEN, one.bonds)
    return Graphs(
        atoms.reshape(-1, one.atoms.shape[1]).astype(np.uint8),
        bonds.reshape(-1, one.bonds.shape[1]).astype(np.uint8),
        np.tile(one.ends, (copies, 1)),
        np.arange(copies + 1) * len(one.atoms),
        np.arange(copies + 1) * len(one.bonds),
    )
