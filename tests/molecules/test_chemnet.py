"""ChemNet without its padding, against fcd_torch; weights from elsewhere; the Fréchet distance."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from domains.molecules.evaluate.distances import frechet_distance
from domains.molecules.prepare import chemnet
from domains.molecules.prepare.chemnet import ChemNet, activations, load_chemnet
from domains.molecules.prepare.files import ALERTS, WEIGHTS
from domains.molecules.prepare.frechet import Gaussian, fcd, frechet, gaussian
from domains.molecules.prepare.yardsticks import CHEMNET, convert
from pipelines.core import parallel
from pipelines.core.errors import UserError
from pipelines.data.sources import fetch
from pipelines.data.thirdparty import load_torch
from tests.molecules.peers import fcd_torch
from tests.workspace import ROOT

ODD = [
    "C",
    "CC",
    "[Na+].CC",
    "[Si](C)(C)Br",
    "C/C=C/C%10CC%10",
    "[Li]C[C@@H](N)Cl",
    *("C" * n for n in (87, 345, 346, 347, 348, 349, 350, 400)),
    "Cl" * 200 + "C",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepare")
    convert(out)
    return out


@pytest.fixture(scope="module")
def model(folder: Path) -> ChemNet:
    return load_chemnet(folder)


def test_activations_are_fcd_torchs(model: ChemNet) -> None:
    smiles = [f"{'C' * a}(=O)N{'c1ccccc1' * (b + 1)}" for a in range(1, 9) for b in range(4)]
    assert np.abs(activations(model, smiles) - _theirs(smiles)).max() < 1e-5


@pytest.mark.parametrize("smiles", ODD)
def test_short_long_and_strange_texts_are_read_as_fcd_torch_reads_them(
    model: ChemNet, smiles: str
) -> None:
    assert np.abs(activations(model, [smiles]) - _theirs([smiles])).max() < 1e-5


def test_a_molecule_s_activations_hardly_depend_on_its_company(model: ChemNet) -> None:
    together = activations(model, ODD)
    alone = np.concatenate([activations(model, [smiles]) for smiles in ODD])
    assert np.abs(together - alone).max() < 1e-5
    assert np.array_equal(together, activations(model, ODD))
    assert activations(model, []).shape == (0, 512)


def test_processes_give_the_same_in_the_same_order(
    model: ChemNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = activations(model, ODD)
    for module in (chemnet, parallel):
        monkeypatch.setattr(module, "CHUNK", 2)
    monkeypatch.setenv("SCISTAGE_THREADS", "2")
    found = activations(model, ODD)
    assert np.abs(found - expected).max() < 1e-5
    assert np.array_equal(found, activations(model, ODD))


def test_weights_that_are_missing_or_damaged_are_one_line(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(UserError, match=r"not found; run `scistage repro molecules`"):
        load_chemnet(tmp_path)
    whole = (folder / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="not ChemNet's weights"):
        load_chemnet(tmp_path)


def test_what_is_converted_is_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    convert(tmp_path)
    for name in (WEIGHTS, ALERTS):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_another_file_of_weights_is_never_opened(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.pt")
    with pytest.raises(UserError, match="wrong hash"):
        load_torch(tmp_path / "weights.pt", "0" * 64)
    [(member, path)] = fetch(CHEMNET).items()
    assert len(load_torch(path, CHEMNET.files[member])) == 4


def test_the_declarations_are_had_without_torch() -> None:
    code = "import sys, domains.molecules.prepare.yardsticks; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_distance_of_known_gaussians() -> None:
    a = Gaussian(np.array([0.0, 1.0]), np.diag([1.0, 4.0]), 9)
    b = Gaussian(np.array([3.0, 5.0]), np.diag([9.0, 0.0]), 9)
    assert frechet(a, b) == pytest.approx(25 + (1 - 3) ** 2 + 4)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = [Gaussian(turn @ g.mean, turn @ g.covariance @ turn.T, 9) for g in (a, b)]
    assert frechet(*turned) == pytest.approx(33)
    assert frechet(a, a) == pytest.approx(0, abs=1e-12)


def test_the_distance_is_that_of_the_matrix_square_root() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(60, 20)) @ rng.normal(size=(20, 20)) for _ in range(2))
    ours, other = gaussian(a), gaussian(b)
    assert np.allclose(ours.covariance, np.cov(a.T))
    trace = np.trace(sqrtm(ours.covariance @ other.covariance)).real
    shift = ours.mean - other.mean
    expected = shift @ shift + np.trace(ours.covariance + other.covariance) - 2 * trace
    assert fcd(a, b) == pytest.approx(expected, rel=1e-9)
    assert fcd(a, other) == frechet(ours, other) == pytest.approx(frechet(other, ours))


def test_fewer_molecules_than_dimensions_are_no_trouble_and_one_has_no_distance() -> None:
    rng = np.random.default_rng(1)
    few, many = rng.normal(size=(5, 512)), gaussian(rng.normal(size=(2000, 512)))
    # of the 512 variances of either only the four of the few overlap
    assert fcd(few, many) == pytest.approx(512 * (2 + 1 / 5) - 2 * 4 * 128**0.5, rel=0.03)
    assert np.isnan(fcd(few[:1], many))
    assert np.isnan(fcd(few[:0], many))


def test_the_interval_of_the_distance_is_as_wide_as_its_scatter() -> None:
    rng = np.random.default_rng(2)
    shape = rng.normal(size=(6, 6))
    reference = gaussian(rng.normal(size=(5000, 6)) @ shape + 0.3)
    found = [frechet_distance(rng.normal(size=(800, 6)), reference) for _ in range(300)]
    scatter = np.std([one.value for one in found])
    half = np.mean([one.high - one.low for one in found]) / 2 / 1.96
    assert half == pytest.approx(scatter, rel=0.15)


def _theirs(smiles: list[str]) -> np.ndarray:
    """As fcd_torch's get_predictions, which needs a function that NumPy no longer has."""
    peer = fcd_torch()
    one_hot = np.stack([peer.utils.get_one_hot(text, 350) / 35 for text in smiles])
    with torch.no_grad():
        return peer.FCD().model(torch.tensor(one_hot).transpose(1, 2).float()).numpy()
