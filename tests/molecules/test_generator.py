"""The generator is a function of its noise with just the likelihood that it states."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from domains.molecules.predict.writing import noise_of, write
from domains.molecules.prepare.arrays import Corpus, read_corpus
from domains.molecules.train.batches import LengthBatches
from domains.molecules.train.generator import Generator
from domains.molecules.train.graph import features_of
from domains.molecules.train.likelihood import Likelihood, Pace
from tests.molecules.trained import folders

ABC = ["", "C", "N", "O"]


def small(vocabulary: list[str], longest: int = 9, seed: int = 0) -> Generator:
    torch.manual_seed(seed)
    return Generator(vocabulary, hidden=16, embedding=8, layers=1, longest=longest).eval()


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return read_corpus(folders(tmp_path).prepare, "train")


def test_what_is_written_is_encoded_and_written_again() -> None:
    generator = small([*ABC, "c", "1", "(", ")", "="])
    written = generator.write(torch.randn(200, generator.size))
    ended = written[(written == 0).any(1)]
    assert len(ended) > 50
    assert torch.equal(generator.write(generator.encode(ended)), ended)


def test_a_molecule_is_written_as_often_as_its_likelihood_says() -> None:
    generator = small(ABC, longest=2)
    n = 40_000
    blocks = [generator.write(noise) for noise in noise_of(generator, n, 1)]
    counts = Counter(map(tuple, torch.cat(blocks)[:n].tolist()))
    every = [(a, b, 0) for a in range(1, 4) for b in range(4)] + [(0, 0, 0)]
    tokens = torch.tensor(every)
    features = features_of(generator.alphabet, tokens).transpose(0, 1)
    expected = generator.log_likelihood(tokens.T, features).exp().detach().numpy()
    found = np.array([counts[row] for row in every]) / n
    assert np.all(np.abs(found - expected) < 5 * np.sqrt(expected / n) + 2e-3)


def test_likelihoods_of_all_texts_sum_to_one() -> None:
    generator = small(ABC, longest=9)
    rows = [[a, b, c, 0] for a in range(4) for b in range(4) for c in range(4)]
    every = [row for row in rows if all(x or not y for x, y in pairwise(row))]
    tokens = torch.tensor(every)
    features = features_of(generator.alphabet, tokens).transpose(0, 1)
    chances = generator.log_likelihood(tokens.T, features).exp()
    full = tokens[:, 2] > 0  # their end is not certain: more tokens may follow
    before, _ = generator(torch.zeros(1, 1, dtype=torch.int64), features[:1, :1])
    assert chances[~full].sum() < 1
    assert chances[tokens[:, 0] == 0].item() == pytest.approx(
        before.softmax(-1)[0, 0, 0].item(), rel=1e-5
    )


def test_padding_does_not_change_a_likelihood(corpus: Corpus) -> None:
    generator = small(corpus.vocabulary)
    batches = LengthBatches(corpus, 8, None)
    tokens, features = batches.molecules(np.arange(len(corpus)))
    together = generator.log_likelihood(tokens, features)
    for k in range(0, len(corpus), 7):
        alone = generator.log_likelihood(*batches.molecules(np.array([k])))
        assert alone.item() == pytest.approx(together[k].item(), abs=1e-4)


def test_features_of_batches_are_those_of_writing(corpus: Corpus) -> None:
    tokens, features = LengthBatches(corpus, 8, None).molecules(np.arange(len(corpus)))
    found = features_of(small(corpus.vocabulary).alphabet, tokens.T).transpose(0, 1)
    inside = torch.cat([torch.ones_like(tokens[:1]), tokens[:-1]]) > 0
    assert torch.equal(features[inside], found[inside])


def test_batches_hold_each_molecule_once_and_depend_on_the_epoch(corpus: Corpus) -> None:
    batches = LengthBatches(corpus, 8, seed=3)
    texts = [
        "".join(corpus.vocabulary[t] for t in column)
        for k in range(len(batches))
        for column in batches[0, k][0].T.tolist()
    ]
    assert sorted(texts) == sorted(corpus.smiles())
    first, again, other = batches[0, 0][0], batches[0, 0][0], batches[1, 0][0]
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_more_draws_begin_with_the_same() -> None:
    generator = small(ABC)
    few, many = (write(generator, noise_of(generator, n, 5), n, 1.0) for n in (10, 1500))
    assert many[:10] == few
    assert len(many) == 1500
    cold = write(generator, noise_of(generator, 500, 5), 500, 0.3)
    assert len(set(cold)) < len(set(many[:500]))


def test_a_step_of_likelihood_learns(corpus: Corpus) -> None:
    generator = small(corpus.vocabulary)
    module = Likelihood(generator, Pace(learning_rate=0.01, steps=60, weight_decay=0.0))
    optimisers, schedules = module.configure_optimizers()
    batches, losses = LengthBatches(corpus, 8, 0), []
    for step in range(60):
        tokens, features = batches[step // len(batches), step % len(batches)]
        loss = -generator.log_likelihood(tokens, features).mean()
        losses.append(loss.item())
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()
        for optimiser, schedule in zip(optimisers, schedules, strict=True):
            optimiser.step()
            schedule.step()
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 1
