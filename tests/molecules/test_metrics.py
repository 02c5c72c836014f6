"""Every score against MOSES' own code where that is right, and against others where it is not."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors
from scipy.stats import binomtest, entropy, gaussian_kde, wasserstein_distance

from domains.molecules.evaluate import combine
from domains.molecules.evaluate.distances import cosine, count_parts, wasserstein
from domains.molecules.evaluate.filters import pattern_words, read_alerts
from domains.molecules.evaluate.intervals import from_influence, share
from domains.molecules.evaluate.kl import Profile, kl_score, profile
from domains.molecules.evaluate.molecules import Molecules, describe
from domains.molecules.prepare.files import ALERTS
from domains.molecules.prepare.moses import MOSES
from domains.molecules.prepare.yardsticks import convert
from pipelines.chemistry.nearest import mean_similarities, nearest
from pipelines.data.sources import fetch
from tests.molecules.peers import moses

BAD = ["", "C1CC", "c1ccc1", "C(C)(C)(C)(C)C", "x"]
STRANGE = [
    "C[N+](C)(C)CC(=O)[O-]",
    "C[C@H](N)C(=O)O",
    "C1CCCCCCC1",
    "O=C1NC(=S)SC1=Cc1ccccc1",
    "O=[N+]([O-])c1ccc(Cl)cc1I",
    "C",
    "CC(C)=NNC(C)=O",
    "O=Nc1ccc(N)cc1",
    "C=CC(=O)Oc1ccc(C=O)cc1",
]


@pytest.fixture(scope="module")
def alerts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    out = tmp_path_factory.mktemp("alerts")
    convert(out)
    with (out / ALERTS).open(encoding="utf-8", newline="") as stream:
        return [row["smarts"] for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    """`drawn`: real ones, some twice, BRICS combinations (half of which fail filters), bad ones."""
    paths = {Path(name).name.split(".")[0]: path for name, path in fetch(MOSES).items()}
    with gzip.open(paths["test"], "rt") as stream:
        test = [next(stream).strip() for _ in range(401)][1:]
    with gzip.open(paths["train"], "rt") as stream:
        train = [next(stream).strip() for _ in range(301)][1:]
    written = combine.write(combine.fit(train), 200, (0,))
    drawn = train[:150] + train[:20] + written + STRANGE + BAD
    return {"drawn": drawn, "test": test, "train": train}


@pytest.fixture(scope="module")
def sets(texts: dict[str, list[str]], alerts: list[str]) -> dict[str, Molecules]:
    return describe(texts, alerts)


@pytest.fixture(scope="module")
def mols(texts: dict[str, list[str]]) -> dict[str, list[Any]]:
    with rdBase.BlockLogs():
        found = {
            name: [Chem.MolFromSmiles(s) for s in smiles if s] for name, smiles in texts.items()
        }
    return {name: [mol for mol in every if mol is not None] for name, every in found.items()}


def test_only_what_can_be_read_is_valid(sets: dict[str, Molecules], mols: Any) -> None:
    assert sets["drawn"].drawn - len(sets["drawn"]) == len(BAD)
    assert sets["drawn"].canonical == [Chem.MolToSmiles(mol) for mol in mols["drawn"]]


def test_fingerprints_are_moses(sets: dict[str, Molecules], mols: Any) -> None:
    theirs = moses().fingerprints(mols["drawn"], fp_type="morgan")
    bits = np.unpackbits(sets["drawn"].folded, axis=1, bitorder="little")
    assert np.array_equal(bits, theirs)


def test_nearest_neighbours_are_moses(sets: dict[str, Molecules], mols: Any) -> None:
    prints = [moses().fingerprints(mols[name], fp_type="morgan") for name in ("test", "drawn")]
    expected = moses().average_agg_tanimoto(*prints)
    found = nearest(sets["drawn"].folded, sets["test"].folded)
    assert found.mean() == pytest.approx(expected, abs=1e-6)
    assert nearest(sets["test"].folded, sets["test"].folded) == pytest.approx(1)


def test_the_nearest_other_is_never_the_molecule_itself(sets: dict[str, Molecules]) -> None:
    bits = np.unique(sets["train"].folded, axis=0)
    expected = [nearest(bits[k : k + 1], np.delete(bits, k, axis=0))[0] for k in range(len(bits))]
    assert nearest(bits) == pytest.approx(expected)
    assert np.isnan(nearest(bits[:1])).all()
    assert np.isnan(nearest(bits, bits[:0])).all()


def test_fingerprints_with_very_many_bits_are_compared_exactly() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (5, 128), dtype=np.uint8) | 1
    others = rng.integers(0, 256, (7, 128), dtype=np.uint8)
    both = np.bitwise_count(rows[:, None] & others).sum(-1, dtype=int)
    either = np.bitwise_count(rows[:, None] | others).sum(-1, dtype=int)
    assert np.array_equal(nearest(rows, others), (both / either).max(axis=1))


def test_internal_diversity_is_moses(sets: dict[str, Molecules], mols: Any) -> None:
    first, square = mean_similarities(sets["drawn"].folded)
    for power, ours in ((1, first), (2, np.sqrt(square))):
        expected = moses().internal_diversity(mols["drawn"], p=power)
        assert 1 - ours.mean() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("against", ["test", "train"])
def test_fragments_and_scaffolds_are_moses(
    sets: dict[str, Molecules], mols: Any, against: str
) -> None:
    peer = moses()
    pairs = (("fragments", peer.compute_fragments), ("scaffold", peer.compute_scaffolds))
    for name, compute in pairs:
        ours, other = (count_parts(getattr(sets[key], name)) for key in ("drawn", against))
        assert ours == dict(compute(mols["drawn"]))
        expected = peer.cos_similarity(dict(compute(mols[against])), ours)
        found = cosine(getattr(sets["drawn"], name), other)
        assert found.value == pytest.approx(expected, abs=1e-9)
        assert found.low < found.value < found.high


def test_counts_that_overflow_in_moses_do_not_here() -> None:
    """Squares of counts beyond 64 bits; MOSES multiplies whole numbers."""
    big = {"CC": 4_000_000_000, "CO": 3_000_000_000}
    found = cosine(["CC.CO", "CC"], big)
    assert found.value == pytest.approx((2 * 4 + 3) / (5**0.5 * 5))
    exact = [3 * 10**5, 4 * 10**5]
    parts = ["A"] * exact[0] + ["B"] * exact[1]
    assert cosine(parts, dict(Counter(parts))).value == pytest.approx(1)


def test_filters_are_moses(
    texts: dict[str, list[str]], sets: dict[str, Molecules], mols: Any
) -> None:
    expected = [moses().mol_passes_filters(mol) for mol in mols["drawn"]]
    assert sets["drawn"].passes.tolist() == expected
    assert 100 < sum(expected[170:370]) < 190  # of the combinations some fail
    assert sets["train"].passes.all()


def test_an_alert_is_found_without_hydrogens_where_it_is_with_them(
    alerts: list[str], mols: Any
) -> None:
    """In real molecules, in combinations, and in what the alerts themselves look like."""
    patterns, needed = read_alerts(tuple(alerts))
    assert sum(alert.plain is None for alert in patterns) < 10
    assert needed.any(axis=1).all()
    hits = np.zeros(len(alerts), dtype=int)
    for mol in mols["drawn"][150:] + _looking_like(alerts):
        full = Chem.AddHs(mol)
        bits = pattern_words(mol)
        for k, alert in enumerate(patterns):
            expected = full.HasSubstructMatch(alert.full)
            possible = not (needed[k] & ~bits).any()
            assert possible or not expected
            if alert.plain is not None and possible:
                assert mol.HasSubstructMatch(alert.plain) == expected
            hits[k] += expected
    assert (hits > 0).sum() > 250


@pytest.mark.parametrize("name", ["logP", "SA", "QED", "weight"])
def test_properties_and_their_distances_are_moses(
    sets: dict[str, Molecules], mols: Any, name: str
) -> None:
    function = getattr(moses(), name)
    ours, test = (sets[key].column(name.lower()) for key in ("drawn", "test"))
    theirs, reference = ([function(mol) for mol in mols[key]] for key in ("drawn", "test"))
    assert ours == pytest.approx(theirs, abs=1e-3)
    assert wasserstein(ours, test).value == pytest.approx(
        wasserstein_distance(theirs, reference), abs=1e-3
    )


def test_the_kl_score_is_guacamols(sets: dict[str, Molecules], mols: Any) -> None:
    """Computed again from the paper's description, with SciPy's kernel estimate."""
    names = ["BertzCT", "MolLogP", "MolWt", "TPSA", "NumHAcceptors", "NumHDonors"]
    names += ["NumRotatableBonds", "NumAliphaticRings", "NumAromaticRings"]
    tables = []
    for key in ("train", "drawn"):
        flat = dict.fromkeys(Chem.MolToSmiles(m, isomericSmiles=False) for m in mols[key])
        every = [Chem.MolFromSmiles(smiles) for smiles in flat]
        table = [[getattr(Descriptors, name)(mol) for name in names] for mol in every]
        tables.append((np.array(table), nearest(_prints(every))))
    (p, near_p), (q, near_q) = tables
    scores = []
    for k in range(10):
        a, b = (p[:, k], q[:, k]) if k < 9 else (near_p, near_q)
        if k < 4 or k == 9:
            grid = np.linspace(min(a.min(), b.min()), max(a.max(), b.max()), 1000)
            pair = [gaussian_kde(x)(grid) + 1e-10 for x in (a, b)]
        else:
            edges = np.histogram(a, bins=10)[1]
            pair = [np.histogram(x, bins=edges, density=True)[0] + 1e-10 for x in (a, b)]
        scores.append(np.exp(-entropy(*pair)))
    found = kl_score(profile(sets["drawn"], "cpu"), profile(sets["train"], "cpu"))
    assert found.value == pytest.approx(np.mean(scores), abs=1e-4)
    assert found.low < found.value < found.high <= 1


def test_the_kl_score_of_a_set_with_itself_is_one(sets: dict[str, Molecules]) -> None:
    own = profile(sets["train"], "cpu")
    assert kl_score(own, own).value == pytest.approx(1)
    assert np.isnan(kl_score(type(own)(own.columns[:1]), own).value)
    same = type(own)(np.repeat(own.columns[:1], 5, axis=0))
    assert 0 <= kl_score(same, own).value < 1


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (10, 10), (3, 10), (930, 1000)])
def test_shares_have_wilsons_interval(hits: int, n: int) -> None:
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert share(hits, n) == pytest.approx((hits / n, expected.low, expected.high), abs=1e-6)


def test_intervals_are_as_wide_as_the_scatter_over_samples() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=5000)
    reference = {"A": 500, "B": 300, "C": 100}
    letters = rng.choice(list("ABCD"), p=[0.3, 0.4, 0.2, 0.1], size=(300, 400))
    for score, samples in (
        (lambda x: wasserstein(x, real), rng.normal(0.5, 1.3, (300, 400))),
        (lambda x: cosine(x, reference), letters.tolist()),
    ):
        found = [score(sample) for sample in samples]
        half = np.mean([one.high - one.low for one in found]) / 2 / 1.96
        assert half == pytest.approx(np.std([one.value for one in found]), rel=0.15)


def test_the_interval_of_the_kl_score_is_as_wide_as_its_scatter() -> None:
    rng = np.random.default_rng(0)

    def draws(n: int, shift: float) -> Profile:
        smooth = rng.normal(shift, 1, (n, 5))
        whole = rng.integers(0, 5, (n, 5)) + (rng.random((n, 5)) < shift)
        return Profile(np.hstack([smooth[:, :4], whole, smooth[:, 4:]]))

    training = draws(500, 0)
    found = [kl_score(draws(100, 0.3), training) for _ in range(60)]
    half = np.mean([one.high - one.low for one in found]) / 2 / 1.96
    assert half == pytest.approx(np.std([one.value for one in found]), rel=0.3)


def test_an_undefined_score_has_no_interval() -> None:
    assert np.isnan(share(0, 0)).all()
    assert np.isnan(wasserstein(np.zeros(0), np.ones(3))).all()
    assert np.isnan(cosine([], {"C": 1})).all()
    assert np.isnan(cosine(["", ""], {"C": 1})).all()
    assert np.isnan(from_influence(1.0, np.zeros(1))[1:]).all()


def _looking_like(alerts: list[str]) -> list[Any]:
    """Molecules with an alert's atoms and bonds, as far as such exist."""
    found = []
    for text in alerts:
        pattern, mol = Chem.MolFromSmarts(text), Chem.RWMol()
        for atom in pattern.GetAtoms():
            mol.AddAtom(Chem.Atom(atom.GetAtomicNum() or 6))
        for bond in pattern.GetBonds():
            ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            aromatic = ":" in bond.GetSmarts() or bond.GetIsAromatic()
            mol.AddBond(*ends, Chem.BondType.AROMATIC if aromatic else _order(bond))
            for end in ends if aromatic else ():
                mol.GetAtomWithIdx(end).SetIsAromatic(True)
        with rdBase.BlockLogs():
            found.append(Chem.MolFromSmiles(Chem.MolToSmiles(mol)))
    return [mol for mol in found if mol is not None]


def _order(bond: Any) -> Any:
    known = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)
    return bond.GetBondType() if bond.GetBondType() in known else Chem.BondType.SINGLE


def _prints(mols: list[Any]) -> np.ndarray:
    found = describe({"all": [Chem.MolToSmiles(mol) for mol in mols]}, parts=())
    return found["all"].bits
