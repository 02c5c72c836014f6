"""What of the second model is for its training alone: a blur, and the game before its average."""

from __future__ import annotations

import torch

from domains.molecules.train.autoencoder import Autoencoder
from domains.molecules.train.batches import LengthBatches
from domains.molecules.train.latent import (
    LatentCritic,
    LatentGame,
    LatentGan,
    LatentGenerator,
    LatentWriter,
)
from tests.molecules.test_latent import CORPUS, architecture, play_alone


def test_h_is_blurred_in_training_alone() -> None:
    model = Autoencoder(**architecture())
    batch = LengthBatches(CORPUS, len(CORPUS), None)[0, 0]
    alike = []
    for training in (False, True):
        model.train(training)
        alike.append(torch.equal(model(*batch), model(*batch)))
    assert alike == [True, False]


def test_what_writes_is_an_average_that_forgets_slowly() -> None:
    writer = LatentWriter(Autoencoder(**architecture() | {"latent": 4}), LatentGenerator(2, 4, 8))
    gan = LatentGan(writer, LatentCritic(4, 8), LatentGame(0.1, 1, 10, 0.9), lambda _: 0.0)
    play_alone(gan)
    before = [part.clone() for part in gan.average.generator.parameters()]
    gan.training_step(torch.randn(8, 4), 0)
    after = zip(gan.average.generator.parameters(), gan.generator.parameters(), strict=True)
    for old, (average, now) in zip(before, after, strict=True):
        torch.testing.assert_close(average, 0.9 * old + 0.1 * now)
