"""Our generator, learning from likelihood as the train stage does, but for so many CPU seconds."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from domains.molecules.predict.writing import noise_of, write
from domains.molecules.prepare.arrays import Corpus, read_corpus
from domains.molecules.train.batches import Batch, LengthBatches
from domains.molecules.train.generator import Generator
from domains.molecules.train.likelihood import Likelihood, Pace
from pipelines.training.fit import EpochSampler
from pipelines.training.memory import keep_memory
from pipelines.training.precision import autocast
from pipelines.training.reproducible import prepare_torch

# As in the preset `quick`.
HIDDEN, EMBEDDING, LAYERS = 512, 64, 1
BATCH, LEARNING_RATE, WEIGHT_DECAY = 128, 0.01, 0.01
LONGER = 5  # tokens that a molecule may have more than any real one
TICKS = 1000  # of the schedule


class Ours:
    """The generator of the preset `quick`, its precision and threads as SCISTAGE_* say."""

    def __init__(self, prepared: Path, molecules: int, seed: int) -> None:
        prepare_torch()
        keep_memory()
        torch.manual_seed(seed)
        self.corpus, self.seed = first(read_corpus(prepared, "train"), molecules), seed
        longest = max(int(read_corpus(prepared, s).lengths.max()) for s in ("train", "validation"))
        self.generator = Generator(
            self.corpus.vocabulary, HIDDEN, EMBEDDING, LAYERS, longest + LONGER
        )

    def learn(self, seconds: float) -> int:
        """Train until so many CPU seconds are spent; the number of molecules seen.

        What is computed of the molecules before is part of it. The schedule of the stage follows
        the CPU time, so that it ends with it.
        """
        start, seen = time.process_time(), 0

        def used() -> float:
            return (time.process_time() - start) / seconds

        for count in self.steps(used):
            seen += count
            if used() >= 1:
                break
        self.generator.eval()
        return seen

    def steps(self, used: Callable[[], float] = lambda: 0.0) -> Iterator[int]:
        """Train, one batch an item: how many molecules; used: share of the time, 0 to 1."""
        module = Plain(self.generator, used)
        for batch in self._batches():
            with autocast(torch.device("cpu"), low=True):
                module.training_step(batch, 0)
            yield batch[0].shape[1]

    @torch.no_grad()
    def nats(self, molecules: Corpus) -> float:
        """Mean negative log-likelihood in float32, the end included, in nats a molecule."""
        batches = LengthBatches(molecules, 500, None)
        found = [-self.generator.log_likelihood(*batches[0, k]) for k in range(len(batches))]
        return float(torch.cat(found).double().mean())

    def write(self, n: int, seed: int) -> list[str]:
        """`n` molecules as text."""
        return write(self.generator, noise_of(self.generator, n, seed), n, temperature=1.0)

    def _batches(self) -> Iterator[Batch]:
        batches = LengthBatches(self.corpus, BATCH, self.seed)
        sampler = EpochSampler(len(batches), self.seed, shuffle=True)
        while True:
            yield from (batches[key] for key in sampler)
            sampler.set_epoch(sampler.epoch + 1)


class Plain(Likelihood):
    """The stage's own step without Lightning's Trainer.

    used: share of the time that is spent, 0 to 1, by which the one-cycle schedule goes.
    """

    def __init__(self, generator: Generator, used: Callable[[], float]) -> None:
        super().__init__(generator, Pace(LEARNING_RATE, TICKS, WEIGHT_DECAY))
        self.used = used
        self.all_optimizers, schedules = self.configure_optimizers()
        self.schedules = [_Clocked(schedule, used) for schedule in schedules]
        self.train()

    def optimizers(self) -> list[torch.optim.Optimizer]:
        """Not wrapped by a Trainer."""
        return self.all_optimizers

    def lr_schedulers(self) -> list["_Clocked"]:
        """By the clock."""
        return self.schedules

    def manual_backward(self, loss: torch.Tensor) -> None:
        """Nothing is scaled."""
        loss.backward()

    def log(self, *_: object, **__: object) -> None:
        """Nothing is logged."""


class _Clocked:
    """A schedule that a step brings to where the clock is."""

    def __init__(
        self, schedule: torch.optim.lr_scheduler.LRScheduler, used: Callable[[], float]
    ) -> None:
        self.schedule, self.used = schedule, used

    def step(self) -> None:
        """As many steps of the schedule as are due."""
        due = int(min(self.used(), 1.0) * TICKS)
        while self.schedule.last_epoch < due:
            self.schedule.step()


def first(corpus: Corpus, n: int) -> Corpus:
    """Its first n molecules, whose order is by chance already."""
    if n > len(corpus):
        raise SystemExit(f"{n} molecules are asked for; the prepared ones are {len(corpus)}")
    return Corpus(corpus.tokens[: corpus.offsets[n]], corpus.offsets[: n + 1], corpus.vocabulary)
