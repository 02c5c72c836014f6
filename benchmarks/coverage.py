"""How often bootstrap intervals of few groups hold the truth.

    python benchmarks/coverage.py [--repetitions 4000]

Means of normal values in n groups; intervals of `pipelines.statistics`, and the same not widened
for few groups. Prints a table and writes benchmarks/records/coverage.json.
"""

from __future__ import annotations

import argparse

import numpy as np
from side_by_side import record, table

from pipelines.statistics import bootstrap
from pipelines.statistics.bootstrap import edges, interval

GROUPS = (5, 8, 20)
MANY = 10**6  # groups, for which nothing is widened


def main() -> None:
    """All numbers of groups, printed and recorded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=4000)
    repetitions = parser.parse_args().repetitions
    rows = [
        {"groups": n, "widened": covered(n, repetitions), "plain": covered(n, repetitions, True)}
        for n in GROUPS
    ]
    print(table(rows))
    record("coverage", {"level": bootstrap.LEVEL, "repetitions": repetitions, "rows": rows}, {})


def covered(groups: int, repetitions: int, plain: bool = False) -> float:
    """Share of the intervals that hold the mean that the values were drawn with."""
    bootstrap.edges = (lambda _: edges(MANY)) if plain else edges
    draw, held = np.random.default_rng(0), 0
    for seed in range(repetitions):
        found = interval(lambda values: values.mean(-1), draw.normal(size=groups), seed=seed)
        held += found.low <= 0 <= found.high
    return held / repetitions


if __name__ == "__main__":
    main()
