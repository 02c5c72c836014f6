"""Scores of molecules.

    python run.py graphs.npz > scores.csv

graphs.npz: atoms (A, 8), bonds (B, 4), ends (B, 2), counted within a molecule, atom_offsets and
bond_offsets (n + 1,), where each molecule starts, and joined (n, J) if the model takes it: what

    forms = [form.smiles for form in standard(smiles, max_atoms) if form.smiles]
    np.savez("graphs.npz", **vars(featurise(forms)))

writes with `standard.py` and `featurise.py` of `domains/screening/prepare`, which need NumPy,
pandas and RDKit; max_atoms is in preprocessing.json, and what has no `smiles` has a `reason`.
scores.csv: a line a molecule; of each target score (a probability, or a value in its unit),
interval and spread.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
SETTINGS = json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))


def scores(session: onnxruntime.InferenceSession, graphs: dict) -> dict:
    """Columns (n,) of the table."""
    sizes, bonds = np.diff(graphs["atom_offsets"]), np.diff(graphs["bond_offsets"])
    given = {
        "atoms": graphs["atoms"].astype(np.int64),
        "bonds": graphs["bonds"].astype(np.int64),
        "ends": graphs["ends"] + np.repeat(graphs["atom_offsets"][:-1], bonds)[:, None],
        "molecule": np.repeat(np.arange(len(sizes)), sizes),
    }
    if "joined" in SETTINGS["inputs"]:
        given["joined"] = graphs["joined"].astype(np.float32)
    members = session.run(["members"], given)[0].astype(float)
    table = {}
    for k, target in enumerate(SETTINGS["targets"]):
        parts = calibrated(target["name"], members[:, :, k])
        table |= {f"{target['name']}_{part}": column for part, column in parts.items()}
    return table


def calibrated(target: str, members: np.ndarray) -> dict:
    """Score, ends of the interval and spread (n,) of what the networks say, (M, n)."""
    calibration = SETTINGS["calibration"]
    rule, mean = calibration["targets"][target], members.mean(axis=0)
    if "width" in rule:  # conformal
        spread = members.std(axis=0)
        half = rule["width"] * (1 if rule["typical"] is None else rule["typical"] + spread)
        return {"score": mean, "low": mean - half, "high": mean + half, "spread": spread}
    score, members = probability(rule, mean), probability(rule, members)
    tails = (1 - calibration["coverage"]) / 2, (1 + calibration["coverage"]) / 2
    low, high = np.quantile(members, tails, axis=0)
    return {
        "score": score,
        "low": np.minimum(low, score),
        "high": np.maximum(high, score),
        "spread": members.std(axis=0),
    }


def probability(rule: dict, logits: np.ndarray) -> np.ndarray:
    """By a logistic curve, or by steps that rise."""
    if "slope" in rule:
        return 1 / (1 + np.exp(-(rule["slope"] * logits + rule["intercept"])))
    return np.interp(logits, rule["logits"], rule["probabilities"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with np.load(sys.argv[1]) as arrays:
        table = scores(onnxruntime.InferenceSession(HERE / "model.onnx"), dict(arrays))
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(table)
    lines.writerows(zip(*(column.tolist() for column in table.values()), strict=True))
