"""What the model writes: each column against RDKit, rejection against what it promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import QED, Crippen, Descriptors
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator
from torch import Tensor, nn

from domains.molecules.evaluate.drawn import draw_counts, drawn_rows
from domains.molecules.predict import predict
from domains.molecules.predict.params import PredictParams
from domains.molecules.predict.rejection import Accepted, _accept, reject
from domains.molecules.predict.writing import near, noise_of, write
from domains.molecules.prepare.arrays import read_smiles
from domains.molecules.train.generator import Generator
from domains.molecules.train.reading import read_writer
from domains.molecules.train.texts import spell
from pipelines.chemistry import nearest
from pipelines.chemistry.nearest import neighbours
from pipelines.core.artifacts import read_csv, read_json
from pipelines.core.params import read_yaml
from pipelines.core.runner import Inputs
from tests.molecules.trained import folders, write_fits
from tests.workspace import ROOT

N = 400
GAN = {"likelihood": 1, "adversarial": 2}
NITROGEN = Chem.MolFromSmarts("N")


def run(inputs: Inputs, out: Path, n: int = N, seed: int = 0, temperature: float = 1.0) -> Path:
    out.mkdir()
    params = PredictParams(molecules=n, temperature=temperature, rejection=True, seed=seed)
    predict(params, inputs, out)
    return out


@pytest.fixture(scope="module")
def gan(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    inputs = folders(tmp_path_factory.mktemp("gan"))
    write_fits(inputs, GAN, critic=True)
    return inputs


@pytest.fixture(scope="module")
def out(gan: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(gan, tmp_path_factory.mktemp("drawn") / "predict")


def table(path: Path) -> pd.DataFrame:
    found = read_csv(path, text=("smiles", "canonical", "nearest"))
    return found.fillna({"smiles": "", "canonical": "", "nearest": ""})


def molecules(smiles: pd.Series) -> list[Chem.Mol | None]:
    with rdBase.BlockLogs():
        return [Chem.MolFromSmiles(text) if text else None for text in smiles]


def test_each_column_is_what_rdkit_says(gan: Inputs, out: Path) -> None:
    found, known = table(out / "generated.csv"), read_smiles(gan.prepare, "train")
    mols = molecules(found["smiles"])
    assert len(found) == N
    assert found["valid"].tolist() == [mol is not None for mol in mols]
    assert 0.1 < found["valid"].mean() < 0.9
    assert found["canonical"].tolist() == [Chem.MolToSmiles(m) if m else "" for m in mols]
    above: set[str] = set()
    for row, mol in zip(found.itertuples(), mols, strict=True):
        if mol is None:
            assert not (row.duplicate or row.in_train or row.nearest)
            assert np.isnan([row.qed, row.sa, row.logp, row.weight, row.similarity]).all()
            continue
        values = [QED.qed(mol), Crippen.MolLogP(mol), Descriptors.MolWt(mol)]
        assert [row.qed, row.logp, row.weight] == pytest.approx(values, rel=1e-5)
        assert 1 <= row.sa <= 10
        assert row.duplicate == (row.canonical in above)
        assert row.in_train == (row.canonical in known)
        above.add(row.canonical)
    assert found["duplicate"].any()
    assert 0 < found["in_train"].sum() < found["valid"].sum()


def test_the_nearest_training_molecule_is_nearest(gan: Inputs, out: Path) -> None:
    morgan = GetMorganGenerator(radius=2, fpSize=1024)
    known = read_smiles(gan.prepare, "train")
    prints = {text: morgan.GetFingerprint(Chem.MolFromSmiles(text)) for text in known}
    found = table(out / "generated.csv")
    for row in found[found["valid"]].itertuples():
        if row.in_train:
            assert (row.nearest, row.similarity) == (row.canonical, 1)
            continue
        mine = morgan.GetFingerprint(Chem.MolFromSmiles(row.canonical))
        most = max(DataStructs.BulkTanimotoSimilarity(mine, [*prints.values()]))
        assert row.similarity == pytest.approx(most, rel=1e-5)
        theirs = DataStructs.TanimotoSimilarity(mine, prints[row.nearest])
        assert theirs == pytest.approx(most)


@pytest.mark.parametrize("kind", [torch.int8, torch.bfloat16, torch.float32])
def test_of_equally_near_ones_it_is_that_with_the_fewest_bits(
    monkeypatch: pytest.MonkeyPatch, kind: torch.dtype
) -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 256, (23, 2), dtype=np.uint8)
    others = rng.integers(0, 256, (40, 2), dtype=np.uint8)
    monkeypatch.setattr(nearest, "_ROWS", 8)
    monkeypatch.setattr(nearest, "_kind", lambda *_: kind)
    similarity, which = neighbours(bits, others)
    both = np.bitwise_count(bits[:, None] & others).sum(-1, dtype=int)
    either = np.bitwise_count(bits[:, None] | others).sum(-1, dtype=int)
    order = np.argsort(np.bitwise_count(others).sum(-1), kind="stable")
    expected = (both / either)[:, order]
    assert np.array_equal(which, order[expected.argmax(axis=1)])
    assert np.array_equal(similarity, expected.max(axis=1))
    assert neighbours(bits, others[:0])[1].tolist() == [-1] * 23


def test_what_was_drawn_is_counted_as_evaluate_reads_it(out: Path) -> None:
    assert sorted(path.name for path in out.iterdir()) == [
        "draws.json", "generated.csv", "likelihood.csv", "rejection.csv"
    ]  # fmt: skip
    notes, rows = read_json(out / "draws.json"), drawn_rows(out)
    assert list(draw_counts(out)) == ["model", "likelihood", "model, rejection"]
    assert list(rows) == ["model", "likelihood", "model, rejection"]
    for name, fit in (("generated", "adversarial"), ("likelihood", "likelihood")):
        found = table(out / f"{name}.csv")
        valid = [mol is not None for mol in molecules(found["smiles"])]
        assert found["valid"].tolist() == valid
        assert notes[f"{name}.csv"] == {
            "fit": fit, "seed": 0, "temperature": 1.0, "drawn": N, "valid": sum(valid)
        }  # fmt: skip
    assert rows["model"] != rows["likelihood"]
    kept, note = table(out / "rejection.csv"), notes["rejection.csv"]
    assert list(kept.columns) == ["smiles", "valid"]
    assert None not in molecules(kept["smiles"]) and kept["valid"].all()
    assert note["accepted"] == len(kept) == N
    assert N < note["valid"] < note["drawn"] <= 20 * N + 1024
    assert note["acceptance"] == pytest.approx(N / note["drawn"], rel=1e-5)


def test_with_goals_what_meets_them_is_marked_and_counted(tmp_path: Path) -> None:
    inputs = folders(tmp_path)
    write_fits(inputs, GAN, critic=True, goals=[{"smarts": "N", "required": True}])
    out = run(inputs, tmp_path / "predict", n=100)
    for name in ("generated.csv", "likelihood.csv", "rejection.csv"):
        found = table(out / name)
        held = [
            mol is not None and mol.HasSubstructMatch(NITROGEN)
            for mol in molecules(found["smiles"])
        ]
        assert found["satisfied"].tolist() == held
        assert read_json(out / "draws.json")[name]["satisfied"] == sum(held) > 0


def test_the_same_seed_gives_the_same_bytes_and_more_begins_with_the_same(
    gan: Inputs, out: Path, tmp_path: Path
) -> None:
    again, longer = run(gan, tmp_path / "again"), run(gan, tmp_path / "longer", n=1100)
    other = run(gan, tmp_path / "other", seed=1)
    for path in out.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()
        if path.suffix == ".csv":
            assert (longer / path.name).read_bytes().startswith(path.read_bytes())
            assert (other / path.name).read_bytes() != path.read_bytes()


def test_the_fits_are_compared_on_the_same_noise(tmp_path: Path) -> None:
    inputs = folders(tmp_path)
    write_fits(inputs, {"likelihood": 1, "adversarial": 1}, critic=True)
    rows = drawn_rows(run(inputs, tmp_path / "out"))
    assert rows["model"] == rows["likelihood"]
    valid = [text for text, mol in zip(rows["model"], molecules(rows["model"]), strict=True) if mol]
    assert rows["model, rejection"][: len(valid)] != valid[: len(rows["model, rejection"])]


def test_a_colder_generator_repeats_itself(gan: Inputs, out: Path, tmp_path: Path) -> None:
    cold = run(gan, tmp_path / "cold", temperature=0.01)
    tables = [table(folder / "generated.csv") for folder in (out, cold)]
    assert tables[1]["smiles"].nunique() < tables[0]["smiles"].nunique() / 5
    assert read_json(cold / "draws.json")["generated.csv"]["temperature"] == 0.01


def test_without_a_critic_there_is_nothing_to_compare(tmp_path: Path) -> None:
    inputs = folders(tmp_path)
    write_fits(inputs, {"likelihood": 1})
    out = run(inputs, tmp_path / "out")
    assert sorted(path.name for path in out.iterdir()) == ["draws.json", "generated.csv"]
    assert list(read_json(out / "draws.json")) == ["generated.csv"]


class Expert(nn.Module):
    """A critic for whom each molecule of a list is e² times as likely to be real as any other."""

    def __init__(self, vocabulary: list[str], known: list[str]) -> None:
        super().__init__()
        self.vocabulary, self.known = vocabulary, set(known)

    def forward(self, tokens: Tensor, seen: Tensor) -> Tensor:
        smiles = spell(tokens.cpu().numpy(), self.vocabulary)
        return torch.tensor([2.0 * (text in self.known) for text in smiles]).to(seen)


def test_what_the_critic_prefers_is_accepted_by_its_odds(gan: Inputs) -> None:
    writer = read_writer(gan.train, "adversarial")
    known = read_smiles(gan.prepare, "train")
    expert = Expert(writer.vocabulary, known)
    found = reject(writer, expert, 1000, 3, 1.0)
    share = np.mean([text in known for text in found.smiles])
    plain = reject(writer, Expert(writer.vocabulary, []), 1000, 3, 1.0)
    assert found.cap == pytest.approx(2)
    assert plain.cap == 0 and plain.valid == 1000  # who knows no difference accepts all
    before = np.mean([text in known for text in plain.smiles])
    expected = before / (before + (1 - before) * np.exp(-2))
    assert before + 0.2 < share == pytest.approx(expected, abs=0.06)
    acceptance = before + (1 - before) * np.exp(-2)
    assert len(found.smiles) / found.valid == pytest.approx(acceptance, abs=0.06)


def test_the_cap_is_of_what_is_valid() -> None:
    found, valid = Accepted(), np.arange(20) < 10
    odds = np.where(valid, 0, 9).astype(np.float32)
    _accept(found, (["C"] * 20, valid, odds), np.full(20, 0.5), 5)
    assert found == Accepted(["C"] * 5, 5, 5, 0.0)


class Listener(Generator):
    """Writes methane, and keeps the noise it was given."""

    def __init__(self) -> None:
        super().__init__(["", "C"], 8, 4, 1, 5)
        self.heard = list[list[float]]()

    def write(self, noise: Tensor, temperature: float = 1.0) -> Tensor:
        self.heard += noise.tolist()
        tokens = torch.zeros(len(noise), self.size, dtype=torch.int64)
        tokens[:, 0] = 1
        return tokens


def test_what_is_accepted_is_not_of_the_noise_of_the_raw_draws() -> None:
    listener = Listener()
    write(listener, noise_of(listener, 1500, 3), 1500, 1.0)
    raw = {*map(tuple, listener.heard)}
    listener.heard.clear()
    reject(listener, Expert(listener.vocabulary, []), 1500, 3, 1.0)
    assert len(raw) >= 1500 and len(listener.heard) >= 1500
    assert raw.isdisjoint(map(tuple, listener.heard))


def test_near_a_molecule_a_share_of_its_noise_is_drawn_anew() -> None:
    start, noise = torch.full((1, 30), 9.0), [torch.zeros(1024, 30)] * 2
    first, second = (block.eq(0).double() for block in near(start, noise, 0.3, 1))
    for anew in (first, second):
        assert anew.mean() == pytest.approx(0.3, abs=0.02)
        assert (anew.mean(0) - 0.3).abs().max() < 0.08  # each component
        assert anew.sum(1).unique().numel() > 5
    assert not torch.equal(first, second)


def test_rejection_gives_up(gan: Inputs, tmp_path: Path) -> None:
    class Mute(Generator):
        def write(self, noise: Tensor, temperature: float = 1.0) -> Tensor:
            return torch.zeros(len(noise), self.size, dtype=torch.int64)

    mute = Mute(["", "C"], 8, 4, 1, 5)
    expert = Expert(mute.vocabulary, ["C"])
    assert reject(mute, expert, 100, 0, 1.0) == Accepted([], 2048, 0, None)


@pytest.mark.parametrize("preset", ["tiny", "quick", "full"])
def test_presets_are_complete(preset: str) -> None:
    section = read_yaml(ROOT / "domains" / "molecules" / "presets" / f"{preset}.yaml")["predict"]
    assert PredictParams(seed=0, **section).temperature == 1
