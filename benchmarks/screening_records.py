"""Records of screening's benchmarks, results kept between slices, and means over splits."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import side_by_side
from scipy import stats

from domains.screening.train.params import TrainParams

ROOT = Path(__file__).resolve().parents[1]
WORK = Path(".work")
_COVERAGE = 0.95


def record(part: str, content: dict[str, Any], *packages: str) -> None:
    """Write records/screening_<part>.json, with the processor and the packages' versions."""
    names = ("rdkit", "torch-geometric", "scikit-learn", *packages)
    side_by_side.record(f"screening_{part}", content, {name: version(name) for name in names})


class Journal:
    """Results of a part, a line of JSON each; of other settings or other code they are ignored.

    folder: where the file is.
    """

    def __init__(self, folder: Path, part: str, **settings: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"screening_{part}.jsonl"
        self.settings = {**settings, "code": _code(), "rdkit": version("rdkit")}

    def rows(self) -> list[dict[str, Any]]:
        """All results with these settings."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        found = [json.loads(line) for line in lines if line.endswith("}")]  # not cut off
        return [one["row"] for one in found if one["settings"] == self.settings]

    def of(self, key: dict[str, Any], run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result that is named by `key`; it is computed if it is not there yet.

        Its CPU seconds, those of processes that it has started included, are `cpu_seconds`.
        """
        for row in self.rows():
            if all(row.get(name) == value for name, value in key.items()):
                return row
        start = _spent()
        found = run()
        row = {**key, **found, "cpu_seconds": round(_spent() - start, 1)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"row": row, "settings": self.settings}))
        print(json.dumps(row), flush=True)
        return self.rows()[-1]


def settings_of(params: TrainParams) -> dict[str, Any]:
    """Of a training, without the seed, which differs from run to run."""
    return params.model_dump(exclude={"seed"})


def summary(values: Sequence[float], ratio: float) -> dict[str, float]:
    """Mean, standard deviation and 95 % interval of the mean over random splits.

    The splits share molecules, so that the interval is that of Nadeau & Bengio 2003 (Machine
    Learning 52:239), which takes into account how much.

    ratio: molecules tested by molecules learnt from.
    """
    mean, sd, n = float(np.mean(values)), float(np.std(values, ddof=1)), len(values)
    half = stats.t.ppf((1 + _COVERAGE) / 2, n - 1) * sd * np.sqrt(1 / n + ratio)
    return {"mean": mean, "sd": sd, "low": mean - half, "high": mean + half, "n": n}


def _code() -> str:
    """SHA-256 of the code that results depend on."""
    digest = hashlib.sha256()
    for stage in ("prepare", "train"):
        for path in sorted((ROOT / "domains" / "screening" / stage).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _spent() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    return sum(os.times()[:4])
