"""What several processes are given, and that together they learn what one would have learnt."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from domains.molecules.prepare.arrays import Corpus
from domains.molecules.train.batches import LengthBatches
from pipelines.core.errors import UserError
from pipelines.core.processes import by_itself
from pipelines.core.randomness import generator
from pipelines.training.fit import EpochDataModule, EpochSampler
from pipelines.training.sharing import owner, part, share
from tests.workspace import ROOT

# A network without normalisation and dropout, whose mean gradient is the same however it is shared.
SCRIPT = textwrap.dedent("""
    import json, sys
    from pathlib import Path
    import pytorch_lightning as pl, torch
    from torch import nn
    from torch.utils.data import Dataset
    from pipelines.core.environment import prepare_process
    from pipelines.core.randomness import generator, seed_everything
    from pipelines.training.fit import EpochDataModule, Fit
    from pipelines.training.sharing import gathered, log_means
    from pipelines.training.stage import train

    class Noisy(Dataset):
        def __init__(self, size): self.size = size
        def __len__(self): return self.size
        def __getitem__(self, key):
            x = torch.from_numpy(generator(7, *key).normal(size=8)).float()
            return x, x.sum()

    class Net(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
        def error(self, batch):
            return (self.layers(batch[0])[:, 0] - batch[1]) ** 2
        def training_step(self, batch, step):
            loss = self.error(batch).mean()
            log_means(self, {"train_loss": loss}, len(batch[0]))
            return loss
        def on_validation_epoch_start(self):
            self.errors = []
        def validation_step(self, batch, _):
            self.errors.append(self.error(batch))
            log_means(self, {"val_mean": self.errors[-1].mean()}, len(batch[0]))
        def on_validation_epoch_end(self):
            errors = gathered(torch.cat(self.errors))
            self.log("val_count", float(len(errors)))
            self.log("val_loss", errors.mean())
        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=0.02)

    prepare_process()
    seed_everything(1)
    data = EpochDataModule(Noisy(24), Noisy(7), 6, seed=3, val_batch_size=2)
    out = Path(sys.argv[1])
    out.mkdir(exist_ok=True)
    train(iter([Fit("net", Net(), data, 4, 5, "val_loss", "min", {})]), out, out / "work", "test")
""")


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "test")
    return monkeypatch


def shares_of(process: pytest.MonkeyPatch, count: int, sampler: EpochSampler) -> list[list[int]]:
    process.setenv("WORLD_SIZE", str(count))
    shares = []
    for rank in range(count):
        process.setenv("RANK", str(rank))
        shares.append([index for _, index in sampler])
        assert len(shares[-1]) == len(sampler)
    return shares


def test_training_items_are_shared_equally_and_steps_have_the_same_items(
    process: pytest.MonkeyPatch,
) -> None:
    sampler = EpochSampler(24, seed=5, shuffle=True)
    sampler.set_epoch(2)
    order = generator(5, 2).permutation(24).tolist()
    shares = shares_of(process, 3, sampler)
    assert [len(own) for own in shares] == [8, 8, 8]
    for step in range(4):  # of batches of six
        together = [own[2 * step : 2 * step + 2] for own in shares]
        assert sorted(chain.from_iterable(together)) == sorted(order[6 * step : 6 * step + 6])


def test_every_process_takes_part_in_every_step(process: pytest.MonkeyPatch) -> None:
    shares = shares_of(process, 4, EpochSampler(9, seed=5, shuffle=True))
    assert [len(own) for own in shares] == [3, 3, 3, 3]
    assert set(chain.from_iterable(shares)) == set(range(9))
    process.setenv("WORLD_SIZE", "4")
    process.setenv("RANK", "3")
    assert share(np.array([7])).tolist() == [7]
    assert part(9) == 3


def test_validation_items_are_each_looked_at_once(process: pytest.MonkeyPatch) -> None:
    shares = shares_of(process, 4, EpochSampler(9, seed=0, shuffle=False))
    assert sorted(chain.from_iterable(shares)) == list(range(9))


def test_validation_items_are_the_same_in_every_epoch() -> None:
    sampler = EpochSampler(4, seed=0, shuffle=False)
    sampler.set_epoch(3)
    assert list(sampler) == [(0, k) for k in range(4)]


def test_molecules_of_a_batch_are_shared(process: pytest.MonkeyPatch) -> None:
    lengths = np.arange(1, 12)
    tokens = np.concatenate([np.full(n, 1, dtype=np.uint8) for n in lengths])
    corpus = Corpus(tokens, np.concatenate([[0], np.cumsum(lengths)]), ["", "C"])
    process.setenv("WORLD_SIZE", "2")
    found: dict[int | None, list[list[int]]] = {0: [], None: []}
    for rank in range(2):
        process.setenv("RANK", str(rank))
        for seed, taken in found.items():
            batches = LengthBatches(corpus, 4, seed)
            every = [batches[0, k][0] for k in range(len(batches))]
            taken.append([int(n) for batch in every for n in (batch > 0).sum(0)])
    learnt, checked = (sorted(chain.from_iterable(taken)) for taken in (found[0], found[None]))
    assert sorted(set(learnt)) == checked == lengths.tolist()
    assert len(found[0][0]) == len(found[0][1]) == 6


@pytest.mark.parametrize(
    ("count", "rank", "message"),
    [(4, 0, "share a batch of 6 evenly"), (3, 2, "more than there are validation items")],
)
def test_too_many_processes_are_refused(
    process: pytest.MonkeyPatch, count: int, rank: int, message: str
) -> None:
    process.setenv("WORLD_SIZE", str(count))
    process.setenv("RANK", str(rank))
    many, few = (TensorDataset(torch.zeros(size)) for size in (24, 2))
    data = EpochDataModule(many, few, 6, seed=0)
    with pytest.raises(UserError, match=message):
        data.require_shares()
    with by_itself():
        data.require_shares()
        assert len(data.sampler) == 24 and len(data.val_sampler) == 2


@pytest.mark.parametrize(
    ("count", "members", "owners"),
    [("1", 3, [None] * 3), ("2", 3, [0, 1, 0]), ("3", 3, [0, 1, 2]), ("4", 3, [None] * 3)],
)
def test_members_are_shared_out_where_there_are_enough_for_all(
    process: pytest.MonkeyPatch, count: str, members: int, owners: list[int | None]
) -> None:
    process.setenv("WORLD_SIZE", count)
    assert [owner(number, members) for number in range(members)] == owners


# As on two machines, where no launcher ends the one whose companion is gone.
APART = textwrap.dedent("""
    import os, sys
    from pipelines.core.errors import UserError
    from pipelines.core.processes import by_itself, processes, rank
    from pipelines.training.sharing import Others, meet

    others = Others()
    others.join()
    for time in ("first", "second"):
        others.leave()
        with by_itself():
            assert processes() == 1
            meet()  # waits for nobody
        if time == "second" and rank():
            os._exit(0)
        try:
            others.join()
        except UserError as error:
            sys.exit(f"{time}: {error}")
""")


def test_of_a_process_that_is_gone_the_others_know(tmp_path: Path) -> None:
    (tmp_path / "apart.py").write_text(APART)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    here = {**os.environ, "TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": "2", "MASTER_PORT": port}
    here |= {"MASTER_ADDR": "127.0.0.1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(tmp_path / "apart.py")]
    first, second = (
        subprocess.Popen(command, env={**here, "RANK": k}, stderr=subprocess.PIPE, text=True)
        for k in "01"
    )
    assert second.communicate(timeout=120) and second.returncode == 0
    _, said = first.communicate(timeout=120)
    assert first.returncode == 1
    assert "second: another process of the training has ended before its members" in said


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "SCISTAGE_THREADS": "1", "SCISTAGE_ACCELERATOR": "cpu"}
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for name, start in (("one", []), ("two", torchrun)):
        command = [sys.executable, *start, str(script), str(tmp_path / name)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    one, two = (
        np.genfromtxt(tmp_path / n / "history.csv", delimiter=",", skip_header=1)[:, 1:]
        for n in ("one", "two")
    )
    assert np.allclose(one, two, rtol=1e-5)
    names = (tmp_path / "one" / "history.csv").read_text().splitlines()[0].split(",")
    assert set(one[:, names.index("val_count") - 1]) == {7}
    learnt = [json.loads((tmp_path / n / "model.json").read_text()) for n in ("one", "two")]
    assert learnt[0]["fits"]["net"]["selected_epoch"] == learnt[1]["fits"]["net"]["selected_epoch"]
