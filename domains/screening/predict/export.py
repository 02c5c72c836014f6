"""`scistage export screening`: the ensemble's scores of molecular graphs."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from pipelines.core.artifacts import read_json

from ..prepare.arrays import Graphs, Target, read_graphs, read_molecules
from ..prepare.descriptors import NAMES
from ..prepare.features import ATOMS, BONDS, Feature
from ..prepare.featurise import COUNTS
from ..train.joining import read_joined
from ..train.network import LIMIT, NORM, BondNetwork, Codes
from ..train.reading import read_ensemble
from .calibrate import FILE

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

SAMPLES = 256  # test molecules that are compared
JOINED = {
    "descriptors": "RDKit's descriptors in the order of `joined`, NaN where one is not known "
    "(`descriptors` in `domains/screening/prepare/descriptors.py`)",
    "fingerprints": f"counts of Morgan substructures, radius 2, folded to {COUNTS} "
    "(`counts` in `domains/screening/prepare/featurise.py`)",
}


class Scores(nn.Module):
    """What networks of the same shape say of molecules, each by itself and together.

    Takes, of N molecules of A atoms and B bonds: codes of the atoms (A, 8) and of the bonds (B, 4),
    each bond once; ends (B, 2), the atoms that it joins, counted over all molecules; molecule (A,),
    which each atom is of, 0 to N − 1; joined (N, J), if anything is joined. Gives the members'
    answers (M, N, T), their mean and standard deviation (N, T): logits, or values in their unit.
    """

    def __init__(self, members: list[BondNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(
        self,
        atoms: Tensor,
        bonds: Tensor,
        ends: Tensor,
        molecule: Tensor,
        joined: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Equations (1) to (4) of `train/network.py` atom by atom and bond by bond."""
        source, target = torch.cat([ends[:, 0], ends[:, 1]]), torch.cat([ends[:, 1], ends[:, 0]])
        kinds = torch.cat([atoms[source], torch.cat([bonds, bonds])], dim=1)
        # Lengths as `shape` gives them: those of `len` would be fixed.
        count, size = molecule.max() + 1, atoms.shape[0]
        said = []
        for member in self.members:
            states = _states(member, kinds, source, target, size)
            own = _rows(member.atom, atoms) + member.bias
            heard = _sums(member.heard(states), target, size)
            total = _sums(F.relu(own + heard), molecule, count)
            answer = _readout(member, _aggregated(member, total, molecule), joined)
            said.append(answer * member.target_sd + member.target_mean)
        members = torch.stack(said)
        mean = members.mean(dim=0)
        return members, mean, (members - mean).square().mean(dim=0).sqrt()


def _states(
    member: BondNetwork, kinds: Tensor, source: Tensor, target: Tensor, atoms: int
) -> Tensor:
    """Of each directed bond after all rounds: first those along `ends`, then those against them."""
    states = first = F.relu(_rows(member.inward, kinds))
    for _ in range(member.depth - 1):
        sent = member.message(states)
        along, against = sent.chunk(2)
        heard = _sums(sent, target, atoms)[source] - torch.cat([against, along])
        states = F.relu(first + heard)
    return states


def _rows(codes: Codes, given: Tensor) -> Tensor:
    """As `Codes` says it."""
    return F.embedding(torch.where(given > 0, given + codes.first, 0), codes.weight).sum(dim=1)


def _sums(values: Tensor, index: Tensor, count: int | Tensor) -> Tensor:
    """(n, H) → (count, H): sums of the rows of each index."""
    zeros = torch.zeros((count, values.shape[1]))
    return zeros.scatter_add(0, index[:, None].expand_as(values), values)


def _aggregated(member: BondNetwork, total: Tensor, molecule: Tensor) -> Tensor:
    if member.aggregation == "mean":
        ones = torch.ones_like(molecule, dtype=total.dtype)[:, None]
        return total / _sums(ones, molecule, total.shape[0])
    return total / NORM if member.aggregation == "norm" else total


def _readout(member: BondNetwork, state: Tensor, joined: Tensor | None) -> Tensor:
    if joined is not None:
        # What is not known is the mean; a comparison with NaN is not the same everywhere.
        known = torch.where(joined.isnan(), member.joined_mean, joined)
        scaled = (known - member.joined_mean) / member.joined_sd
        state = torch.cat([state, scaled.clamp(-LIMIT, LIMIT)], dim=1)
    for linear in member.readout:
        state = F.relu(linear(state))
    return member.head(state)


def graph(inputs: "Inputs") -> dict[str, Any]:
    """What `scistage export` writes."""
    ensemble = read_ensemble(inputs.train)
    join = ensemble.join
    example = _given(*_samples(inputs, join, 2), join)
    names = [target.name for target in ensemble.targets]
    said = f"targets {', '.join(names)}: {', '.join(map(_scale, ensemble.targets))}"
    shape = ["N", len(names)]
    return {
        "network": Scores(ensemble.members),
        "example": {name: torch.from_numpy(array) for name, array in example.items()},
        "inputs": _inputs(join, example),
        "outputs": {
            "members": {
                "shape": [len(ensemble.members), *shape],
                "meaning": f"what each network says; {said}",
            },
            "mean": {"shape": shape, "meaning": "the mean of the networks"},
            "spread": {"shape": shape, "meaning": "their standard deviation"},
        },
        "preprocessing": {
            "targets": [vars(target) for target in ensemble.targets],
            "atoms": _codes(ATOMS),
            "bonds": _codes(BONDS),
            "join": join,
            "joined": list(NAMES) if join == "descriptors" else [],
            "max_atoms": read_json(inputs.prepare / "card.json")["max_atoms"],
            "calibration": read_json(inputs.predict / FILE),
        },
        "limits": LIMITS,
    }


def compare(
    inputs: "Inputs",
    run: Callable[[dict[str, NDArray[Any]]], dict[str, NDArray[Any]]],
) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
    """The first test molecules."""
    ensemble = read_ensemble(inputs.train)
    graphs, joined = _samples(inputs, ensemble.join, SAMPLES)
    said, expected = run(_given(graphs, joined, ensemble.join)), ensemble.predict(graphs, joined)
    yield "members", said["members"], expected
    yield "mean", said["mean"], expected.mean(axis=0)
    yield "spread", said["spread"], expected.std(axis=0)


def _samples(inputs: "Inputs", join: str, most: int) -> tuple[Graphs, NDArray[np.generic]]:
    rows = read_molecules(inputs.prepare, ("test",)).index.to_numpy()[:most]
    graphs = read_graphs(inputs.prepare, "graphs").take(rows)
    return graphs, read_joined(inputs.prepare, "molecules", join)[rows]


def _given(graphs: Graphs, joined: NDArray[np.generic], join: str) -> dict[str, NDArray[Any]]:
    """The graph's inputs."""
    sizes, bonds = np.diff(graphs.atom_offsets), np.diff(graphs.bond_offsets)
    given: dict[str, NDArray[Any]] = {
        "atoms": graphs.atoms.astype(np.int64),
        "bonds": graphs.bonds.astype(np.int64),
        "ends": graphs.ends + np.repeat(graphs.atom_offsets[:-1], bonds)[:, None],
        "molecule": np.repeat(np.arange(len(graphs)), sizes),
    }
    return given if join == "none" else {**given, "joined": joined.astype(np.float32)}


def _inputs(join: str, example: dict[str, NDArray[Any]]) -> dict[str, dict[str, Any]]:
    each = {
        "atoms": (["A", len(ATOMS)], "int64, codes of each atom, a column a feature of `atoms`"),
        "bonds": (["B", len(BONDS)], "int64, codes of each bond, a column a feature of `bonds`"),
        "ends": (["B", 2], "int64, the atoms that a bond joins, counted over all molecules"),
        "molecule": (["A"], "int64, the molecule that an atom is of, from 0, none without atoms"),
    }
    if join != "none":
        each["joined"] = (["N", example["joined"].shape[1]], f"float32, {JOINED[join]}")
    return {name: {"shape": shape, "meaning": text} for name, (shape, text) in each.items()}


def _codes(features: tuple[Feature, ...]) -> list[dict[str, Any]]:
    """Of each column what its codes mean; 0 is not known."""
    return [
        {"feature": feature.name, "codes": dict(enumerate(feature.meanings, 1))}
        for feature in features
    ]


def _scale(target: Target) -> str:
    return f"logit of {target.positive}" if target.kind == "class" else target.unit or "no unit"


LIMITS = [
    "It takes molecules in the form of those that it has learnt from, which the data card names "
    "(`standard` in `domains/screening/prepare/standard.py`; of a salt that is not brought to it "
    "the score is another), described as `featurise.py` beside it does (NumPy, pandas and RDKit).",
    "Whether a molecule is like those that it has learnt from is not asked: `scistage apply "
    "screening` says it (`similarity`, `inside`).",
    "The interval of a value keeps its promise for molecules like those of validation; that of a "
    "class is how far the networks differ, and promises nothing.",
    "A score ranks candidates for a measurement and replaces none.",
]
