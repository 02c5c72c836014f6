"""What is read from photographs of eyes. No medical device.

    python run.py photographs.npy > readings.csv

photographs.npy: (n, size, size, 3) uint8, prepared as `preprocessing.json` says of the input.
readings.csv: a line a photograph: whether the network is too uncertain to be heard (`abstained`),
then of each value mean, standard deviation and interval in its unit, of the others a probability;
nan where it is abstained.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
SETTINGS = json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))
BATCH = 64


def readings(session: onnxruntime.InferenceSession, photographs: np.ndarray) -> dict:
    """Columns (n,) of the table."""
    names = list(SETTINGS["outputs"])
    parts = [
        session.run(names, {"photographs": photographs[start : start + BATCH]})
        for start in range(0, len(photographs), BATCH)
    ]
    said = dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True))
    silent = abstained(said)
    table = {"abstained": silent}
    for name in names:
        column = table[name] = np.where(silent, np.nan, said[name])
        if name.endswith("_sd"):
            target = name.removesuffix("_sd")
            low, high = interval(target, table[f"{target}_mean"], column)
            table |= {f"{target}_low": low, f"{target}_high": high}
    return table


def abstained(said: dict) -> np.ndarray:
    """Where the deviations are larger than of nearly all validation eyes."""
    calibration = SETTINGS["calibration"]
    typical, limit = calibration["typical_sd"], calibration["most_uncertain"]
    count = len(next(iter(said.values())))
    if limit is None or not typical:
        return np.zeros(count, dtype=bool)
    logs = [np.log(said[f"{target}_sd"] / sd) for target, sd in typical.items()]
    return np.mean(logs, axis=0) > limit


def interval(target: str, mean: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value that is within its band's quantile of deviations from the mean."""
    bands = SETTINGS["calibration"]["eyes"][target]
    edges = np.array([-np.inf, *bands["edges"], np.inf])[:, None]
    half = np.array(bands["quantiles"])[:, None] * sd
    low, high = np.maximum(mean - half, edges[:-1]), np.minimum(mean + half, edges[1:])
    low, high = np.where(low > high, np.inf, low), np.where(low > high, -np.inf, high)
    return low.min(axis=0), high.max(axis=0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    model = onnxruntime.InferenceSession(HERE / "model.onnx")
    table = readings(model, np.load(sys.argv[1]))
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(table)
    lines.writerows(zip(*(column.tolist() for column in table.values()), strict=True))
