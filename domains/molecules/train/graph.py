"""What a prefix of a SMILES has built so far, as a writer at the end of it may look up.

To write a SMILES is to build a graph with a stack: `(` remembers an atom, `)` returns to it, a
digit opens or closes a ring. A recurrent network has to learn this bookkeeping from examples, and
most invalid SMILES are mistakes in it. Here it is done by a few exact rules for a whole batch at
once and handed to the network beside the last token (stack-augmented networks learn such a stack:
Joulin and Mikolov 2015; for SMILES Popova et al. 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

DEPTH = 8  # open branches that are told apart
RINGS = 7  # labels 1 to 6 and all others
FAR = 9  # ring sizes from here on are one
BONDS = 8  # bonds of an atom, from here on one
_ORDER = {"=": 2, "#": 3, "$": 4}
_END, _ATOM, _OPEN, _CLOSE, _BOND, _RING = range(6)


class Alphabet(nn.Module):
    """What each token of a vocabulary does to the graph.

    Args:
        vocabulary: tokens; index 0 is "", the end.
    """

    kind: Tensor
    value: Tensor
    starts: Tensor

    def __init__(self, vocabulary: list[str]) -> None:
        super().__init__()
        kind, value = torch.tensor([_meaning(token) for token in vocabulary]).unbind(1)
        sizes = (len(vocabulary), BONDS, DEPTH, *[FAR + 2] * RINGS)
        self.total = sum(sizes)
        starts = torch.tensor([sum(sizes[:k]) for k in range(len(sizes))])
        for name, value in (("kind", kind), ("value", value), ("starts", starts)):
            self.register_buffer(name, value.contiguous(), persistent=False)


def _meaning(token: str) -> tuple[int, int]:
    """Kind, and the bond's order or the ring's label."""
    if token == "":
        return _END, 0
    if token in "()":
        return (_OPEN if token == "(" else _CLOSE), 0
    if token in "-=#$:/\\":
        return _BOND, _ORDER.get(token, 1)
    if token.isdigit() or token[0] == "%":
        label = int(token.lstrip("%"))
        return _RING, (label if 0 < label < RINGS else RINGS) - 1
    return _ATOM, 0


@dataclass
class Graphs:
    """The graphs under construction of n molecules.

    atom, bonds, path, first: (n, DEPTH) of the atom to which the next bond attaches, for each open
    branch: its token, its bonds so far, its distance from the first atom, and the order of the bond
    with which the branch began; depth, bond: (n,) open branches, order of the bond just written;
    ring, closing: (n, RINGS) `path` of the atom that opened a ring (-1: closed) and its bond.
    """

    alphabet: Alphabet
    atom: Tensor
    bonds: Tensor
    path: Tensor
    first: Tensor
    depth: Tensor
    bond: Tensor
    ring: Tensor
    closing: Tensor

    @classmethod
    def empty(cls, alphabet: Alphabet, n: int) -> Graphs:
        """n molecules of which nothing is written."""

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.int64, device=alphabet.kind.device)

        stacks = [zeros(n, DEPTH) for _ in range(4)]
        ring = zeros(n, RINGS)
        return cls(alphabet, *stacks, zeros(n), zeros(n) + 1, ring - 1, ring.clone())

    def features(self) -> Tensor:
        """(n, 3 + RINGS) positions of ones in a vector of `alphabet.total` zeros.

        They say which atom is next to be bonded to, how many bonds it has, how many branches are
        open and, for each ring label, whether it is open and how large the ring would become.
        """
        top = self.depth[:, None]
        path = self.path.gather(1, top)
        size = (path - self.ring).clamp(-1, FAR - 1) + 2
        size = torch.where(self.ring < 0, 0, size)
        bonds = self.bonds.gather(1, top).clamp(max=BONDS - 1)
        found = torch.cat([self.atom.gather(1, top), bonds, top, size], 1)
        return found + self.alphabet.starts

    def write(self, tokens: Tensor) -> None:
        """Add one token (n,) to each molecule."""
        kind, value = self.alphabet.kind[tokens], self.alphabet.value[tokens]
        is_atom, is_ring = kind == _ATOM, kind == _RING
        top = self.depth[:, None]
        atom, bonds, path, first = (
            stack.gather(1, top)[:, 0] for stack in (self.atom, self.bonds, self.path, self.first)
        )
        closed = self._ring(value, is_ring, path)
        grown = torch.where(path == 0, 0, self.bond)  # the first atom of all has no bond yet
        bonds = torch.where(is_atom, grown, bonds + closed)
        first = torch.where(is_atom & (first == 0), self.bond, first)
        atom, path = torch.where(is_atom, tokens, atom), path + is_atom
        self._put(top, atom, bonds, path, first)
        opens = (kind == _OPEN) & (self.depth < DEPTH - 1)
        closes = (kind == _CLOSE) & (self.depth > 0)
        self._put(top + opens[:, None], atom, bonds, path, torch.where(opens, 0, first))
        branch = torch.where(closes, first.clamp(min=1), 0)
        self.bonds.scatter_add_(1, (top - 1).clamp(min=0), branch[:, None])
        self.depth += opens.long() - closes.long()
        self.bond = torch.where(kind == _BOND, value, 1)

    def _ring(self, label: Tensor, is_ring: Tensor, path: Tensor) -> Tensor:
        """Open or close a ring where `is_ring`; the bonds (n,) that the atom gains by it."""
        at = torch.where(is_ring, label, 0)[:, None]
        opener, order = self.ring.gather(1, at)[:, 0], self.closing.gather(1, at)[:, 0]
        opening = opener < 0
        gained = torch.where(opening, self.bond, torch.maximum(self.bond, order))
        changed = torch.where(opening, path, -1)
        self.ring.scatter_(1, at, torch.where(is_ring, changed, opener)[:, None])
        self.closing.scatter_(1, at, torch.where(is_ring, self.bond, order)[:, None])
        return torch.where(is_ring, gained, 0)

    def _put(self, at: Tensor, *tops: Tensor) -> None:
        for stack, top in zip((self.atom, self.bonds, self.path, self.first), tops, strict=True):
            stack.scatter_(1, at, top[:, None])


def features_of(alphabet: Alphabet, tokens: Tensor) -> Tensor:
    """What a writer may look up before each token.

    Args:
        tokens: (n, length) int64, zeros after the last.

    Returns:
        (n, length, 3 + RINGS) int64: `Graphs.features` before each token.
    """
    graphs = Graphs.empty(alphabet, len(tokens))
    found = []
    for column in tokens.unbind(1):
        found.append(graphs.features())
        graphs.write(column)
    return torch.stack(found, 1)
