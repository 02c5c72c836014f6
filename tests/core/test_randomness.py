"""Random draws are functions of their key."""

from __future__ import annotations

from pipelines.core.randomness import generator


def test_keys_of_other_lengths_draw_other_numbers() -> None:
    drawn = {generator(*key).random() for key in ((1, 2), (1, 2, 0), (1, 2, 0, 0))}
    assert len(drawn) == 3
