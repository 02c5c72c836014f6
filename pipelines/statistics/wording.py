"""How numbers and estimates are written in figures and findings."""

from __future__ import annotations

import math

from pipelines.statistics.bootstrap import Interval


def spelt(found: Interval, places: int = 2) -> str:
    """An estimate with its 95 % interval: `0.41 [0.40, 0.43]`."""
    value, low, high = (signed(number, places) for number in found)
    return f"{value} [{low}, {high}]" if all(map(math.isfinite, found)) else value


def signed(number: float, places: int) -> str:
    """A number with a proper minus, and none before a zero."""
    text = f"{number:.{places}f}"
    return text.lstrip("-") if not float(text) else text.replace("-", "−")
