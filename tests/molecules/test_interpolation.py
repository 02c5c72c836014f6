"""Paths between molecules: their ends, their length, and what is said of their middle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator
from rdkit.DataStructs import TanimotoSimilarity

from domains.molecules.explain import interpolation
from domains.molecules.explain.interpolation import CHANCE, ENDS, MIDDLE, STEPS, paths, slerp
from domains.molecules.prepare.arrays import encode
from domains.molecules.train.chemistry import parse
from domains.molecules.train.generator import Generator
from domains.molecules.train.texts import spell

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCNCC1", "c1ccoc1", "C1CCOC1"]
SMILES = [f"{a}{n}C{b}" for a in ("CC", "OC", "NC(=O)") for n in ("C", "N") for b in RINGS]
LONGEST = 30
MORGAN = GetMorganGenerator(radius=2, fpSize=1024)


def test_the_ends_of_a_path_are_the_molecules() -> None:
    vocabulary = ["", *sorted({*"()=12CNOcno"})]
    torch.manual_seed(0)
    writer = Generator(vocabulary, hidden=16, embedding=8, layers=1, longest=LONGEST)
    corpus = encode(SMILES, vocabulary)
    tokens = np.pad(corpus.padded(np.arange(len(corpus))), ((0, 0), (0, 1))).astype(np.int64)
    half = len(SMILES) // 2
    steps = paths(writer, *torch.from_numpy(tokens[: 2 * half]).split(half))
    assert steps[0] == SMILES[:half]
    assert steps[-1] == SMILES[half : 2 * half]
    assert all(len(step) == half for step in steps)


def test_a_path_keeps_to_the_sphere() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(2, 5, 40)
    b *= (a.norm(dim=1) / b.norm(dim=1))[:, None]
    for t in (0.25, 0.5, 0.75):
        between = slerp(a, b, t)
        torch.testing.assert_close(between.norm(dim=1), a.norm(dim=1))
        angle = torch.cosine_similarity(a, between).acos()
        torch.testing.assert_close(angle, t * torch.cosine_similarity(a, b).acos())
    torch.testing.assert_close(slerp(a, 2 * a, 0.5), 1.5 * a)


class OneEnd:
    """A writer of one end of each path, wherever on the path it is asked."""

    longest, size = LONGEST, LONGEST + 1

    def __init__(self, vocabulary: list[str], end: int) -> None:
        self.vocabulary, self.end, self.read = vocabulary, end, list[str]()

    def encode(self, tokens: torch.Tensor) -> torch.Tensor:
        self.read += spell(tokens.numpy(), self.vocabulary)
        return tokens.float()

    def write(self, noise: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
        return noise.reshape(STEPS, -1, noise.shape[1])[self.end].long().repeat(STEPS, 1)


@pytest.mark.parametrize("end", [0, -1])
def test_halfway_the_nearer_end_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: int
) -> None:
    monkeypatch.setattr(interpolation, "_draw", lambda *_: None)
    vocabulary = ["", *sorted({*"".join(SMILES)})]
    writer = OneEnd(vocabulary, end)
    corpus = encode(SMILES[:12], vocabulary)
    _, findings = interpolation.draw_interpolation(tmp_path, writer, corpus, 6, 0)
    assert str(findings[ENDS]).startswith("0.500 ")
    assert str(findings[MIDDLE]).startswith("1.000 ")
    prints = [MORGAN.GetFingerprint(mol) for mol in parse(writer.read)]
    ends = prints[:6], prints[6:]
    unrelated = [*prints[1:6], prints[0]]
    chance = [max(TanimotoSimilarity(u, e[k]) for e in ends) for k, u in enumerate(unrelated)]
    assert str(findings[CHANCE]).startswith(f"{np.mean(chance):.3f} ")
