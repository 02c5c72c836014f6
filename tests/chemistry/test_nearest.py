"""Similarities of fingerprints, computed in blocks."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.chemistry.nearest import mean_similarities, nearest


def test_similarities_do_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = np.random.default_rng(0).integers(0, 256, (70, 16), dtype=np.uint8)
    whole = [*mean_similarities(bits), nearest(bits)]
    monkeypatch.setattr("pipelines.chemistry.nearest._ROWS", 32)
    for found, expected in zip([*mean_similarities(bits), nearest(bits)], whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
