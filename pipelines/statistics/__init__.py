"""Uncertainty of scores: bootstrap intervals over groups."""

from pipelines.statistics.bootstrap import Interval, interval, paired

__all__ = ["Interval", "interval", "paired"]
