"""The n-gram writer and the combiner of fragments."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from rdkit import Chem

from domains.molecules.evaluate import combine, ngram
from domains.molecules.prepare.arrays import encode
from pipelines.core.randomness import generator

SMILES = [f"{'C' * a}{end}" for a in range(1, 9) for end in ("O", "N", "c1ccccc1", "(=O)O")]
VOCABULARY = ["", *sorted(set("".join(SMILES)))]
REAL = ["CC(=O)Nc1ccccc1", "O=C(NCc1ccccc1)c1ccncc1", "COc1ccc(CN2CCOCC2)cc1", "CCO"] * 5


@pytest.fixture(scope="module")
def writer() -> ngram.Writer:
    corpus = encode(SMILES * 20, VOCABULARY)
    return ngram.fit(corpus, encode(SMILES, VOCABULARY))[0]


def test_the_writer_writes_what_it_has_read(writer: ngram.Writer) -> None:
    written = writer.write(2000, generator(1))
    assert written == writer.write(2000, generator(1))
    assert written != writer.write(2000, generator(2))
    assert sum(text in SMILES for text in written) > 1600
    ends = Counter(text[-1:] for text in written)
    assert ends["N"] / 2000 == pytest.approx(1 / 4, abs=0.04)
    assert max(len(text) for text in written) <= writer.longest


def test_the_order_is_the_likeliest_on_validation() -> None:
    words = ["", "C", "N", "O"]
    certain = encode(["CON"] * 50, words)
    assert ngram.fit(certain, certain)[1]["validation_nats_per_token"] < 0.02
    rng = np.random.default_rng(0)
    noise = ["".join(row) for row in rng.choice(list("CNO"), (200, 12))]
    rule = ngram.fit(encode(noise[:150], words), encode(noise[150:], words))[1]
    assert rule["context"] == min(ngram.ORDERS)


def test_the_likelihood_is_that_of_what_is_written(writer: ngram.Writer) -> None:
    """Of the second token after C: one in eight molecules ends its chain there."""
    seconds = Counter(text[1:2] for text in writer.write(8000, generator(3)) if text[:1] == "C")
    total = sum(seconds.values())
    assert seconds["C"] / total == pytest.approx(7 / 8, abs=0.03)
    assert seconds["O"] / total == pytest.approx(1 / 32, abs=0.01)


def test_combinations_are_molecules_of_known_fragments_without_open_ends() -> None:
    parts = combine.fit(REAL)
    written = combine.write(parts, 300, (1, 2))
    assert written == combine.write(parts, 300, (1, 2))
    assert written[:10] == combine.write(parts, 10, (1, 2))
    mols = [Chem.MolFromSmiles(text) for text in written]
    assert all(mol is not None and mol.GetNumAtoms() for mol in mols)
    assert not any("*" in text or "." in text for text in written)
    assert len(set(written)) > 10
    assert set(REAL) & set(written), "some are put together again"


def test_fragments_are_drawn_by_frequency_within_bounds() -> None:
    parts = combine.fit(REAL)
    rng = generator(0)
    single = Counter(parts.draw(0, 0, rng) for _ in range(50))
    assert set(single) == {"CCO"}
    drawn = Counter(parts.draw(1, 9, rng) for _ in range(2000))
    counts = {text: parts.summed[k + 1] - parts.summed[k] for k, text in enumerate(parts.smiles)}
    total = sum(count for text, count in counts.items() if "*" in text)
    assert all(drawn[t] / 2000 == pytest.approx(counts[t] / total, abs=0.05) for t in drawn)
    assert parts.draw(7, 9, rng) is None
