"""What a prefix of a SMILES has built so far, as a writer at the end of it may look up.

To write a SMILES is to build a graph with a stack: `(` remembers an atom, `)` returns to it, a
digit opens or closes a ring. A recurrent network has to learn this bookkeeping from examples, and
most invalid SMILES are mistakes in it. Here it is done by a few exact rules for a whole batch at
once and handed to the network beside the last token (stack-augmented networks learn such a stack:
Joulin and Mikolov 2015; for SMILES Popova et al. 2018).

Aromatic rings are the harder half of it. One can be drawn with alternating double bonds only if
the atoms that need one can be paired (Kekulé), so that in every aromatic system, the atoms joined
by aromatic bonds, their number is even: whether it is by now is looked up too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor, nn

DEPTH = 8  # open branches that are told apart
RINGS = 7  # labels 1 to 6 and all others
FAR = 9  # ring sizes from here on are one
BONDS = 8  # bonds of an atom, from here on one
SYSTEMS = 8  # aromatic systems of a molecule that are told apart; number 0 is none
_ORDER = {"=": 2, "#": 3, "$": 4}
_END, _ATOM, _OPEN, _CLOSE, _BOND, _RING = range(6)


class Alphabet(nn.Module):
    """What each token of a vocabulary does to the graph.

    Args:
        vocabulary: tokens; index 0 is "", the end.
    """

    kind: Tensor
    value: Tensor
    aromatic: Tensor
    filled: Tensor
    starts: Tensor

    def __init__(self, vocabulary: list[str]) -> None:
        super().__init__()
        kind, value = torch.tensor([_meaning(token) for token in vocabulary]).unbind(1)
        filled = torch.tensor([_filled(token) for token in vocabulary])
        aromatic = torch.tensor([token.lstrip("[0123456789")[:1].islower() for token in vocabulary])
        sizes = (len(vocabulary), BONDS, DEPTH, 3, *[FAR + 2] * RINGS)
        self.total = sum(sizes)
        starts = torch.tensor([sum(sizes[:k]) for k in range(len(sizes))])
        tables = {"kind": kind, "value": value, "aromatic": aromatic, "filled": filled}
        for name, table in {**tables, "starts": starts}.items():
            self.register_buffer(name, table.contiguous(), persistent=False)


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


def _filled(token: str) -> int:
    """Bonds, an aromatic one counted once, from which on an aromatic atom needs no double bond.

    0 for one that never needs any (oxygen, sulphur, `[nH]`), and for all else.
    """
    parts = re.fullmatch(r"\[?\d*([a-z]+)@*(H?)(\d*)(.*?)(:\d+)?\]?", token)
    if parts is None or parts[1] not in ("c", "n", "p"):
        return 0
    hydrogens = int(parts[3] or 1) if parts[2] else 0
    if "-" in parts[4] or (hydrogens and parts[1] != "c"):
        return 0
    return 4 - hydrogens if parts[1] == "c" or "+" in parts[4] else 3


@dataclass
class Graphs:
    """The graphs under construction of n molecules.

    atom, bonds, path, system, first: (n, DEPTH) of the atom to which the next bond attaches, for
    each open branch: its token, its bonds so far, its distance from the first atom, the aromatic
    system it is in, and the order of the bond with which the branch began (0: no atom yet); depth,
    bond, systems: (n,) open branches, order of the bond just written (0: none), aromatic systems;
    odd: (n, SYSTEMS) whether the atoms of a system that need a double bond are odd in number;
    ring, closing: (n, RINGS) `path` of the atom that opened a ring (-1: closed) and its bond.
    """

    alphabet: Alphabet
    atom: Tensor
    bonds: Tensor
    path: Tensor
    system: Tensor
    first: Tensor
    depth: Tensor
    bond: Tensor
    systems: Tensor
    odd: Tensor
    ring: Tensor
    closing: Tensor

    @classmethod
    def empty(cls, alphabet: Alphabet, n: int) -> Graphs:
        """n molecules of which nothing is written."""

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.int64, device=alphabet.kind.device)

        stacks = [zeros(n, DEPTH) for _ in range(5)]
        ring = zeros(n, RINGS)
        counts = [zeros(n) for _ in range(3)]
        return cls(alphabet, *stacks, *counts, zeros(n, SYSTEMS), ring - 1, ring.clone())

    def features(self) -> Tensor:
        """(n, 4 + RINGS) positions of ones in a vector of `alphabet.total` zeros.

        They say which atom is next to be bonded to, how many bonds it has, how many branches are
        open, whether the atom's aromatic system is even or odd and, for each ring label, whether
        it is open and how large the ring would become.
        """
        top = self.depth[:, None]
        path, system = self.path.gather(1, top), self.system.gather(1, top)
        size = (path - self.ring).clamp(-1, FAR - 1) + 2
        size = torch.where(self.ring < 0, 0, size)
        bonds = self.bonds.gather(1, top).clamp(max=BONDS - 1)
        odd = torch.where(system > 0, 1 + self.odd.gather(1, system), 0)
        found = torch.cat([self.atom.gather(1, top), bonds, top, odd, size], 1)
        return found + self.alphabet.starts

    def write(self, tokens: Tensor) -> None:
        """Add one token (n,) to each molecule."""
        kind, value = self.alphabet.kind[tokens], self.alphabet.value[tokens]
        is_atom, top = kind == _ATOM, self.depth[:, None]
        atom, bonds, path, system, first = (
            stack.gather(1, top)[:, 0]
            for stack in (self.atom, self.bonds, self.path, self.system, self.first)
        )
        order = self.bond.clamp(min=1)
        begun = is_atom & (path > 0)  # the first atom of all has no bond yet
        # The bond to a branch counts for the atom that has it when the branch is closed.
        self._fill(system, atom, bonds, torch.where(begun & (first > 0), order, 0))
        gained = self._ring(value, kind == _RING, path, order)
        self._fill(system, atom, bonds, gained)
        system = torch.where(is_atom, self._system(tokens, atom, system), system)
        bonds = torch.where(is_atom, torch.where(begun, order, 0), bonds + gained)
        first = torch.where(is_atom & (first == 0), order, first)
        atom, path = torch.where(is_atom, tokens, atom), path + is_atom
        self._enter(system, tokens, bonds, is_atom)
        self._put(top, atom, bonds, path, system, first)
        opens = (kind == _OPEN) & (self.depth < DEPTH - 1)
        self._put(top + opens[:, None], atom, bonds, path, system, torch.where(opens, 0, first))
        self._close((kind == _CLOSE) & (self.depth > 0), first)
        self.depth += opens.long()
        self.bond = torch.where(kind == _BOND, value, 0)

    def _ring(self, label: Tensor, is_ring: Tensor, path: Tensor, bond: Tensor) -> Tensor:
        """Open or close a ring where `is_ring`; the bonds (n,) that the atom gains by it."""
        at = torch.where(is_ring, label, 0)[:, None]
        opener, order = self.ring.gather(1, at)[:, 0], self.closing.gather(1, at)[:, 0]
        opening = opener < 0
        gained = torch.where(opening, bond, torch.maximum(bond, order))
        changed = torch.where(opening, path, -1)
        self.ring.scatter_(1, at, torch.where(is_ring, changed, opener)[:, None])
        self.closing.scatter_(1, at, torch.where(is_ring, bond, order)[:, None])
        return torch.where(is_ring, gained, 0)

    def _system(self, tokens: Tensor, atom: Tensor, system: Tensor) -> Tensor:
        """The aromatic system (n,) of an atom that is written after another."""
        aromatic = self.alphabet.aromatic[tokens]
        joins = aromatic & (system > 0) & (self.bond == 0)
        self.systems += (aromatic & ~joins).long()
        new = self.systems.clamp(max=SYSTEMS - 1) * aromatic
        return torch.where(joins, system, new)

    def _enter(self, system: Tensor, tokens: Tensor, bonds: Tensor, is_atom: Tensor) -> None:
        """Count a new atom of an aromatic system."""
        self._flip(system, is_atom & (bonds < self.alphabet.filled[tokens]))

    def _fill(self, system: Tensor, atom: Tensor, bonds: Tensor, gained: Tensor) -> None:
        """An atom that gains bonds may no longer need a double bond."""
        filled = self.alphabet.filled[atom]
        self._flip(system, (bonds < filled) & (bonds + gained >= filled))

    def _flip(self, system: Tensor, flips: Tensor) -> None:
        at = system[:, None]
        self.odd.scatter_(1, at, self.odd.gather(1, at) ^ flips[:, None].long())

    def _close(self, closes: Tensor, first: Tensor) -> None:
        """Return from a branch, whose bond the atom there now has."""
        self.depth -= closes.long()
        top = self.depth[:, None]
        gained = torch.where(closes, first.clamp(min=1), 0)
        system, atom, bonds = (
            stack.gather(1, top)[:, 0] for stack in (self.system, self.atom, self.bonds)
        )
        self._fill(system, atom, bonds, gained)
        self.bonds.scatter_add_(1, top, gained[:, None])

    def _put(self, at: Tensor, *tops: Tensor) -> None:
        stacks = (self.atom, self.bonds, self.path, self.system, self.first)
        for stack, top in zip(stacks, tops, strict=True):
            stack.scatter_(1, at, top[:, None])


def features_of(alphabet: Alphabet, tokens: Tensor) -> Tensor:
    """What a writer may look up before each token.

    Args:
        tokens: (n, length) int64, zeros after the last.

    Returns:
        (n, length, 4 + RINGS) int64: `Graphs.features` before each token.
    """
    graphs = Graphs.empty(alphabet, len(tokens))
    found = []
    for column in tokens.unbind(1):
        found.append(graphs.features())
        graphs.write(column)
    return torch.stack(found, 1)
