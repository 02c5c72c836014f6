"""Statistics of the test sets: kept, found again, and computed again where the file is damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from domains.molecules.evaluate import reference as module
from domains.molecules.evaluate.reference import Reference, references
from domains.molecules.prepare.arrays import HELD_OUT
from domains.molecules.prepare.chemnet import load_chemnet
from domains.molecules.prepare.yardsticks import convert

SMILES = ["CCO", "c1ccc(-c2ccccc2)cc1", "CC(=O)Nc1ccccc1", "O=C(Nc1ccccc1)c1ccccc1"]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepare")
    convert(out)
    (out / "test.smi").write_text("\n".join(SMILES) + "\n")
    (out / "test_scaffolds.smi").write_text("")
    return out


@pytest.fixture
def kept(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache, with the references of `folder` in it."""
    monkeypatch.setenv("SCISTAGE_CACHE", str(tmp_path))
    references(folder, load_chemnet(folder), CPU)
    return tmp_path / "molecules"


def read(folder: Path) -> dict[str, Reference]:
    return references(folder, load_chemnet(folder), CPU)


def same(a: Reference, b: Reference) -> bool:
    return all(
        np.array_equal(x, y, equal_nan=True)
        for x, y in zip(vars(a).values(), vars(b).values(), strict=True)
    )


def test_what_is_kept_is_found_again(
    kept: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(list(kept.iterdir())) == len(HELD_OUT)
    monkeypatch.setattr(module, "_compute", None)
    found = read(folder)["test"]
    assert found.gaussian.n == len(found.bits) == 4
    assert found.counted("scaffolds") == {
        "O=C(Nc1ccccc1)c1ccccc1": 1,
        "c1ccc(-c2ccccc2)cc1": 1,
    }
    assert found.counted("fragments")["CCO"] == 1
    assert found.column("weight")[0] == pytest.approx(46.07, abs=0.01)


def test_a_test_set_without_molecules_has_no_statistics(kept: Path, folder: Path) -> None:
    empty = read(folder)["test_scaffolds"]
    assert len(empty.bits) == 0
    assert empty.counted("scaffolds") == {}
    assert np.isnan(empty.gaussian.mean).all()


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty", "other arrays"])
def test_a_damaged_file_is_computed_again(kept: Path, folder: Path, damage: str) -> None:
    before = read(folder)
    for path in kept.iterdir():
        whole = path.read_bytes()
        if damage == "cut":
            path.write_bytes(whole[: len(whole) // 2])
        elif damage == "flipped":
            middle = len(whole) // 2
            path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        elif damage == "other arrays":
            with path.open("wb") as stream:
                np.savez(stream, mean=np.zeros(3))
        else:
            path.write_text("no archive" * (damage == "text"))
    after = read(folder)
    assert all(same(before[split], after[split]) for split in HELD_OUT)
    assert all(same(before[split], read(folder)[split]) for split in HELD_OUT)
    assert not list(kept.glob("*.part"))


def test_other_molecules_other_weights_and_other_code_are_kept_apart(
    kept: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = {module._path(folder, split, CPU) for split in HELD_OUT}
    assert paths == set(kept.iterdir())
    monkeypatch.setattr(module.kept, "DESCRIBING", module.kept.SCORING)
    assert paths.isdisjoint(module._path(folder, split, CPU) for split in HELD_OUT)
