"""What likelihood leads to: texts are written as often as they occur, whatever their length."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from domains.molecules.prepare.arrays import encode
from domains.molecules.train.batches import LengthBatches
from domains.molecules.train.generator import Generator
from domains.molecules.train.likelihood import Likelihood, Pace
from domains.molecules.train.texts import spell
from pipelines.core.randomness import seed_everything

SHORT, LONG = ["NCO", "NOC"], ["O" + "C" * n for n in range(17, 23)]


def test_long_and_short_texts_are_written_as_often_as_they_occur() -> None:
    """A batch is of one length or the other: a loss by the token would favour the short ones."""
    seed_everything(0)
    corpus = encode(SHORT * 180 + LONG * 60, ["", "C", "N", "O"])
    batches, epochs = LengthBatches(corpus, 8, 0), 8
    generator = Generator(corpus.vocabulary, hidden=16, embedding=8, layers=1, longest=40)
    module = Likelihood(generator, Pace(0.02, epochs * len(batches), 0.0))
    optimisers, schedules = module.configure_optimizers()
    module.optimizers, module.lr_schedulers = lambda: optimisers, lambda: schedules
    module.manual_backward = lambda loss: loss.backward()
    module.log = lambda *_, **__: None
    for step in range(epochs * len(batches)):
        module.training_step(batches[divmod(step, len(batches))], step)
    texts = spell(generator.write(torch.randn(4000, generator.size)).numpy(), corpus.vocabulary)
    assert np.mean([text in SHORT for text in texts]) == pytest.approx(0.5, abs=0.06)
    assert np.mean([text[:1] == "O" for text in texts]) == pytest.approx(0.5, abs=0.06)


def test_validation_batches_count_by_their_molecules() -> None:
    corpus, sizes = encode(["C", "N", "CN"], ["", "C", "N"]), list[int]()
    generator = Generator(corpus.vocabulary, hidden=4, embedding=4, layers=1, longest=4)
    module, batches = Likelihood(generator, Pace(0.01, 1, 0.0)), LengthBatches(corpus, 2, None)
    module.log_dict = lambda *_, batch_size, **__: sizes.append(batch_size)
    for k in range(len(batches)):
        module.validation_step(batches[0, k], k)
    assert sizes == [2, 1]
