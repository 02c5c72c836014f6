"""The network against a direct reading of Yang et al.'s equations, and what it must not notice."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from domains.screening.prepare.arrays import Graphs
from domains.screening.prepare.features import FEATURES
from domains.screening.prepare.featurise import featurise
from domains.screening.train.network import BondNetwork, Dropout, Sum, as_tensors
from domains.screening.train.states import find_states
from tests.screening.made import DISTANCE, KNOWN

SMILES = ["C", *KNOWN[:20], "C[C@H](N)C(=O)O", "C/C=C/C", "FS(F)(F)(F)(F)F", "CC"]


def network_of(**changes):
    torch.manual_seed(0)
    about = {
        "targets": [vars(DISTANCE)],
        "atom": list(FEATURES["atoms"].values()),
        "bond": list(FEATURES["bonds"].values()),
        "hidden": 12,
        "depth": 3,
        "layers": 2,
        "dropout": 0.0,
        "aggregation": "mean",
        "join": "none",
        "joined": 0,
    }
    network = BondNetwork(**{**about, **changes}).double().eval()
    torch.nn.init.normal_(network.bias)
    return network


def said(network, graphs: Graphs, joined=None):
    if joined is None:
        joined = np.zeros((len(graphs), 0))
    given = as_tensors(find_states(graphs, network.depth), joined)
    with torch.inference_mode():
        return network(given._replace(joined=given.joined.double()))


def rows(codes, network_codes):
    """Rows of W that belong to the codes, one feature after another; none for an unknown one."""
    start, found = 1, []
    for code, size in zip(codes, network_codes, strict=True):
        if code:
            found.append(start + code - 1)
        start += size - 1
    return found


def by_the_equations(network, graphs: Graphs, k: int, aggregation="mean"):
    """h(G) of molecule k, bond by bond."""
    molecule = graphs.take([k])
    atoms, bonds = molecule.atoms.tolist(), molecule.bonds.tolist()
    of_atom, of_bond = list(FEATURES["atoms"].values()), list(FEATURES["bonds"].values())
    directed = {}
    for (v, w), bond in zip(molecule.ends.tolist(), bonds, strict=True):
        directed[v, w] = directed[w, v] = bond
    first = {
        (v, w): F.relu(
            network.inward.weight[rows([*atoms[v], *bond], [*of_atom, *of_bond])].sum(dim=0)
        )
        for (v, w), bond in directed.items()
    }
    none = torch.zeros(network.bias.shape, dtype=torch.double)
    states = dict(first)
    for _ in range(network.depth - 1):
        heard = {
            (v, w): sum((states[k, u] for k, u in directed if u == v and k != w), none)
            for v, w in directed
        }
        states = {e: F.relu(first[e] + network.message.weight @ heard[e]) for e in directed}
    total = none
    for v, atom in enumerate(atoms):
        heard = sum((states[k, u] for k, u in directed if u == v), none)
        own = network.atom.weight[rows(atom, of_atom)].sum(dim=0) + network.bias
        total = total + F.relu(own + network.heard.weight @ heard)
    return {"mean": total / len(atoms), "sum": total, "norm": total / 100}[aggregation]


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
@pytest.mark.parametrize("aggregation", ["mean", "sum", "norm"])
def test_it_is_what_the_equations_say(depth, aggregation):
    network = network_of(depth=depth, aggregation=aggregation)
    graphs = featurise(SMILES)
    with torch.inference_mode():
        found = network.molecules(
            as_tensors(find_states(graphs, depth), np.zeros((len(graphs), 0)))
        )
        for k in range(len(graphs)):
            expected = by_the_equations(network, graphs, k, aggregation)
            torch.testing.assert_close(found[k], expected, msg=SMILES[k])


def test_its_gradient_is_that_of_the_equations():
    graphs = featurise(SMILES)
    gradients = []
    for direct in (False, True):
        network = network_of()
        if direct:
            made = torch.stack([by_the_equations(network, graphs, k) for k in range(len(graphs))])
        else:
            made = network.molecules(as_tensors(find_states(graphs, 3), np.zeros((len(graphs), 0))))
        (made**2).sum().backward()
        shared = ("inward", "message", "atom", "heard", "bias")
        gradients.append(
            {n: p.grad for n, p in network.named_parameters() if n.split(".")[0] in shared}
        )
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], msg=name)
        assert gradient.abs().max() > 0


def permuted(graphs: Graphs, rng) -> Graphs:
    """One molecule, its atoms and bonds in another order and its bonds written backwards."""
    order, bonds = rng.permutation(len(graphs.atoms)), rng.permutation(len(graphs.bonds))
    place = np.argsort(order)
    ends = place[graphs.ends[bonds]].astype(np.int32)
    return replace(
        graphs, atoms=graphs.atoms[order], bonds=graphs.bonds[bonds], ends=ends[:, ::-1].copy()
    )


def test_the_order_of_atoms_and_bonds_makes_no_difference():
    network, rng = network_of(), np.random.default_rng(0)
    for text in SMILES:
        graphs = featurise([text])
        torch.testing.assert_close(said(network, permuted(graphs, rng)), said(network, graphs))


def test_the_other_molecules_of_a_batch_make_no_difference():
    network, graphs = network_of(), featurise(SMILES)
    together = said(network, graphs)
    alone = torch.cat([said(network, graphs.take([k])) for k in range(len(graphs))])
    torch.testing.assert_close(together, alone)
    assert together.std() > 0.01


def test_a_batch_taken_from_states_is_that_of_its_graphs():
    graphs, rng = featurise(KNOWN), np.random.default_rng(0)
    network, states = network_of(depth=4), find_states(featurise(KNOWN), 4)
    for size in (1, 5, 30):
        chosen = rng.permutation(len(graphs))[:size]
        taken, fresh = states.take(chosen), find_states(graphs.take(chosen), 4)
        fresh = fresh.take(np.arange(size))  # without what nobody hears
        for one, other in zip(
            [*taken.bonds, taken.atoms], [*fresh.bonds, fresh.atoms], strict=True
        ):
            assert len(one.kinds) == len(other.kinds)  # none but theirs
        with torch.inference_mode():
            found = network(as_tensors(taken, np.zeros((size, 0))))
        torch.testing.assert_close(found, said(network, graphs.take(chosen)))


def test_alike_atoms_share_a_state_and_others_do_not():
    one = find_states(featurise(["c1ccccc1"]), 3)
    assert [len(level.kinds) for level in one.bonds] == [1, 1]
    assert len(one.atoms.kinds) == 1 and one.molecules.members.tolist() == [0] * 6
    toluene = find_states(featurise(["Cc1ccccc1"]), 4)
    assert len(toluene.atoms.kinds) == 5  # methyl, ipso, ortho, meta, para
    two = find_states(featurise(["CCO", "OCC", "CCN"]), 3)
    first, again, other = (set(two.molecules.take(np.array([k])).members) for k in range(3))
    assert first == again and first != other


def test_depth_is_how_far_a_bond_hears():
    """Chains that differ in their last atom only: atoms further from it than depth are alike."""
    for depth in (1, 2, 3):
        states = find_states(featurise(["CCCCCCCCO", "CCCCCCCCN"]), depth)
        one, other = (states.molecules.take(np.array([k])).members for k in range(2))
        assert (one == other).sum() == 8 - depth


def test_molecules_without_bonds_are_told_alone_and_beside_others():
    network = network_of()
    alone = said(network, featurise(["C", "N"]))
    torch.testing.assert_close(alone[:1], said(network, featurise(["CCO", "C"]))[1:])
    assert alone[0] != alone[1]


def test_a_hidden_code_adds_nothing():
    network, graphs = network_of(), featurise(["CCO"])
    atoms = graphs.atoms.copy()
    atoms[2] = 0
    hidden = replace(graphs, atoms=atoms)
    with torch.inference_mode():
        found = network.molecules(as_tensors(find_states(hidden, 3), np.zeros((1, 0))))
    torch.testing.assert_close(found[0], by_the_equations(network, hidden, 0))
    assert (network.inward.weight[0] == 0).all() and (network.atom.weight[0] == 0).all()


def test_joined_features_are_standardised_and_unknown_ones_are_the_mean():
    network = network_of(join="descriptors", joined=2)
    joined = np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, 5.0]])
    network.standardise_by(torch.zeros(3, 1), torch.from_numpy(joined))
    assert network.joined_mean.tolist() == [2, 5] and network.joined_sd.tolist() == [1, np.inf]
    graphs = featurise(["CCO"] * 3)
    low, high, unknown = said(network, graphs, joined)[:, 0]
    mean = said(network, featurise(["CCO"]), np.array([[2.0, 5.0]]))[0, 0]
    torch.testing.assert_close(unknown, mean)
    assert low != high
    far = [said(network, graphs.take([0]), np.array([[x, 5.0]])) for x in (1e3, 1e9)]
    torch.testing.assert_close(*far)


def test_the_fused_sum_is_the_sum():
    x = torch.randn(5, 3, dtype=torch.double, requires_grad=True)
    edges = torch.tensor([[0, 4, 4, 1, 0], [0, 0, 2, 2, 2]])
    expected = torch.zeros(4, 3, dtype=torch.double).index_add(0, edges[1], x[edges[0]])
    found = Sum()(x, edges, 4)
    torch.testing.assert_close(found, expected)
    assert torch.autograd.gradcheck(lambda x: Sum()(x, edges, 4), x)
    with torch.inference_mode():
        torch.testing.assert_close(Sum()(x, edges, 4), expected)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_independently_and_keeps_the_mean(p):
    torch.manual_seed(0)
    x, dropout = torch.ones(999, 301), Dropout(p)
    first, second = dropout(x), dropout(x)
    dropped = (first == 0).double()
    assert float(dropped.mean()) == pytest.approx(p, abs=0.005)
    assert float(first.mean()) == pytest.approx(1, abs=0.02)
    for other in ((second == 0), dropped.roll(1, dims=1), dropped.roll(1, dims=0)):
        assert abs(np.corrcoef(dropped.ravel(), other.double().ravel())[0, 1]) < 0.01
    assert dropped.mean(dim=0).std() < 2 * np.sqrt(p * (1 - p) / 999)
    assert torch.equal(dropout.eval()(x), x) and torch.equal(Dropout(0.0)(x), x)


def test_scores_are_not_rounded_where_messages_are():
    """bfloat16 has 8 bits: thousands of molecules would share few scores, ranked by chance."""
    network = network_of(hidden=64).float()
    graphs = featurise(SMILES)
    given = as_tensors(find_states(graphs, network.depth), np.zeros((len(graphs), 0)))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        scores = network(given)
    assert scores.dtype == torch.float32
    assert (scores != scores.bfloat16()).float().mean() > 0.9


@pytest.mark.parametrize("join", ["descriptors", "fingerprints"])
def test_what_never_changed_in_training_says_nothing(join):
    network = network_of(join=join, joined=3).float()
    learnt = torch.tensor([[0.0, 2.0, torch.nan], [0.0, 3.0, torch.nan]])
    network.standardise_by(torch.zeros(2, 1), learnt)
    graphs = featurise(["CCO"] * 3)
    joined = np.array([[0, 2, 1], [4, 2, np.nan], [4, 3, 1]], dtype=np.float32)
    with torch.inference_mode():
        first, second, other = network(as_tensors(find_states(graphs, 3), joined)).flatten()
    assert first == second != other
