"""The directed message-passing network (D-MPNN) of Yang et al. 2019, with readout and heads.

Of the bond from atom v to atom w, with their features x and e, the states are

    h⁰(v→w) = τ(W_i [x(v), e(vw)])                                        (1)
    hᵗ(v→w) = τ(h⁰(v→w) + W_m Σ hᵗ⁻¹(k→v)),   k in N(v) without w         (2)

of an atom after the last round, and of a molecule G of n atoms

    h(v) = τ(W_a [x(v), Σ h(k→v)]),   k in N(v)                           (3)
    h(G) = Σ h(v) / n                                                     (4)

with τ = ReLU. A feature is a code, so that W times its one-hot vector is a row of W; a sum of
messages is a product with a sparse matrix, after W_m, which is thereby applied to the fewer states
of the round before. Each distinct state is computed once (`states.py`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing

from ..prepare.arrays import Target
from .states import Bags, Level, States

LIMIT = 5.0  # deviations (descriptors have outliers by orders of magnitude), counts (fingerprints)
NORM = 100.0  # atoms; what `norm` divides a sum by


class Round(NamedTuple):
    """Tensors of a `Level`: kinds (n,); heard (2, E), from a state below to one of these."""

    kinds: Tensor
    heard: Tensor


class Molecules(NamedTuple):
    """Tensors of `States` of B molecules, and what is joined to them.

    bond_kinds, atom_kinds: (K, features) codes; molecules: (2, E), from an atom's state to a
    molecule; joined: (B, J).
    """

    bond_kinds: Tensor
    bonds: list[Round]
    atom_kinds: Tensor
    atoms: Round
    molecules: Tensor
    joined: Tensor


def as_tensors(states: States, joined: NDArray[np.generic]) -> Molecules:
    """What the network reads. joined: (B, J), NaN where unknown."""
    return Molecules(
        torch.from_numpy(states.bond_kinds).long(),
        [_round(level) for level in states.bonds],
        torch.from_numpy(states.atom_kinds).long(),
        _round(states.atoms),
        _edges(states.molecules),
        torch.from_numpy(joined).float(),
    )


def _round(level: Level) -> Round:
    return Round(torch.from_numpy(level.kinds), _edges(level.heard))


def _edges(bags: Bags) -> Tensor:
    """(2, E) from each member to its bag, in the bags' order."""
    bag = np.repeat(np.arange(len(bags)), np.diff(bags.offsets))
    return torch.from_numpy(np.stack([bags.members, bag]))


class Sum(MessagePassing):
    """(n, H) of senders → (m, H), at each receiver the sum of what it hears; 0 if nothing."""

    SUPPORTS_FUSED_EDGE_INDEX = True

    def forward(self, x: Tensor, edges: Tensor, receivers: int) -> Tensor:
        """edges: (2, E), from n senders to m receivers, in the receivers' order."""
        index = EdgeIndex(edges, sparse_size=(len(x), receivers), sort_order="col")
        return self.propagate(index, x=x, size=None)

    def message_and_aggregate(self, edge_index: EdgeIndex, x: Tensor) -> Tensor:
        """Segment sums without a copy of what is summed; deterministic, also backwards."""
        (offsets, senders), _ = edge_index.get_csc()
        return F.embedding_bag(senders, x, offsets, mode="sum", include_last_offset=True)


class Codes(nn.EmbeddingBag):
    """W [one-hot vectors of several codes] as a sum of rows of W; code 0, unknown, adds nothing.

    categories: of each feature how many codes it has, 0 among them.
    """

    first: Tensor

    def __init__(self, categories: list[int], hidden: int) -> None:
        known = np.array(categories) - 1
        super().__init__(1 + int(known.sum()), hidden, mode="sum", padding_idx=0)
        self.register_buffer("first", torch.from_numpy(np.cumsum(known) - known), persistent=False)
        nn.init.xavier_normal_(self.weight)
        nn.init.zeros_(self.weight[:1])

    def forward(self, codes: Tensor) -> Tensor:  # type: ignore[override]
        """(n, features) int64 → (n, hidden)."""
        return super().forward(torch.where(codes > 0, codes + self.first, 0))


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014) at a tenth of torch's cost on a CPU, where it is a third of
    a step: each number takes sixteen random bits, so that p is a multiple of 2⁻¹⁶.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.dropped = round(p * 2**16)

    def forward(self, x: Tensor) -> Tensor:
        """Of x some numbers 0 and the others larger, so that the mean stays; in training only."""
        if not self.training or not self.dropped:
            return x
        bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device)
        drawn = bits.random_(-(2**63), None).view(torch.int16)[: x.numel()].view(x.shape)
        kept = (drawn >= self.dropped - 2**15).to(x.dtype)
        return x * kept.mul_(2**16 / (2**16 - self.dropped))


class BondNetwork(nn.Module):
    """A D-MPNN with one output a target: a logit of a class, a standardised value.

    Args:
        targets: what is learnt, as `vars(Target)`.
        atom, bond: categories of each feature of an atom and of a bond, as `Codes` takes them.
        hidden: size of the states.
        depth: rounds of messages, the first of which is (1).
        layers: hidden layers between the molecule and the targets.
        dropout: probability, after each τ.
        aggregation: of atoms: mean, sum, or norm, a sum divided by 100.
        join: what is joined to the molecule's state, see `joining.py`.
        joined: number of these features.
    """

    target_mean: Tensor
    target_sd: Tensor
    joined_mean: Tensor
    joined_sd: Tensor

    def __init__(
        self,
        targets: list[dict[str, Any]],
        atom: list[int],
        bond: list[int],
        hidden: int,
        depth: int,
        layers: int,
        dropout: float,
        aggregation: str,
        join: str,
        joined: int,
    ) -> None:
        super().__init__()
        self.targets = [Target(**target) for target in targets]
        self.depth, self.aggregation, self.join = depth, aggregation, join
        self.inward = Codes([*atom, *bond], hidden)
        self.message = nn.Linear(hidden, hidden, bias=False)
        self.atom = Codes(atom, hidden)
        self.heard = nn.Linear(hidden, hidden, bias=False)
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.sum = Sum()
        self.dropout = Dropout(dropout)
        for linear in (self.message, self.heard):
            nn.init.xavier_normal_(linear.weight)
        sizes = [hidden + joined, *[hidden] * layers]
        self.readout = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))
        self.head = nn.Linear(sizes[-1], len(targets))
        for name, count in (("target", len(targets)), ("joined", joined)):
            self.register_buffer(f"{name}_mean", torch.zeros(count))
            self.register_buffer(f"{name}_sd", torch.ones(count))

    def standardise_by(self, truth: Tensor, joined: Tensor) -> None:
        """Take the scale of values and of descriptors from training molecules.

        truth: (N, T); joined: (N, J); NaN if unknown.
        """
        values = torch.tensor([target.kind == "value" for target in self.targets])
        for name, table, scaled in (
            ("target", truth, values),
            ("joined", joined, torch.tensor(self.join == "descriptors")),
        ):
            mean = table.double().nanmean(dim=0)
            sd = (table - mean).square().nanmean(dim=0).sqrt()
            getattr(self, f"{name}_mean").copy_(torch.where(scaled, mean, 0.0).nan_to_num())
            getattr(self, f"{name}_sd").copy_(torch.where(scaled & (sd > 0), sd, 1.0))
            if name == "joined":  # nothing is learnt of what never changes: it must say nothing
                self.joined_sd[~(sd > 0)] = torch.inf

    def forward(self, given: Molecules) -> Tensor:
        """(B, T); the readout in full precision: rounded to 8 bits many scores would be equal."""
        molecules = self.molecules(given)
        with torch.autocast(molecules.device.type, enabled=False):
            state = torch.cat([molecules, self._standardised(given.joined)], dim=1)
            for linear in self.readout:
                state = self._activated(linear(state))
            return self.head(state)

    def molecules(self, given: Molecules) -> Tensor:
        """h(G), (B, hidden)."""
        kinds = self._activated(self.inward(given.bond_kinds))
        states = kinds
        for level in given.bonds:
            heard = self.sum(self.message(states), level.heard, len(level.kinds))
            states = self._activated(kinds[level.kinds] + heard)
        own = self.atom(given.atom_kinds)[given.atoms.kinds] + self.bias
        heard = self.sum(self.heard(states), given.atoms.heard, len(own))
        atoms, count = self._activated(own + heard), len(given.joined)
        total = self.sum(atoms, given.molecules, count)
        if self.aggregation == "mean":
            return total / torch.bincount(given.molecules[1], minlength=count)[:, None]
        return total / NORM if self.aggregation == "norm" else total

    def _activated(self, state: Tensor) -> Tensor:
        return self.dropout(F.relu(state))

    def _standardised(self, joined: Tensor) -> Tensor:
        """Unknown ones are the mean; deviations, or counts of a fingerprint, up to LIMIT."""
        return ((joined - self.joined_mean) / self.joined_sd).clamp(-LIMIT, LIMIT).nan_to_num()
