"""Absorption spectra of a two-component mixture, with the best possible error known.

Beer–Lambert: the absorbance at each wavelength is the sum of the components' bands times their
concentrations, plus a sloping baseline and detector noise. All of these are Gaussian and enter
linearly, so the posterior of the analyte's concentration has a closed form
(Rasmussen and Williams 2006, section 2.1).
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from pipelines.core.artifacts import write_csv, write_json
from pipelines.core.figures import save
from pipelines.core.randomness import generator

from .params import PrepareParams

WAVELENGTHS = np.linspace(400.0, 700.0, 64)  # nm
MEAN = 1.0  # of the analyte's concentration, mmol/l
DEVIATION = 0.3  # of both concentrations, mmol/l
BASELINE = 0.1  # standard deviation of the baseline's offset and slope, absorbance


def signatures() -> np.ndarray:
    """Shape (4, channels): absorbance per unit of analyte, interferent, offset and slope."""
    position = (WAVELENGTHS - WAVELENGTHS.mean()) / np.ptp(WAVELENGTHS)
    analyte = np.exp(-((WAVELENGTHS - 520.0) ** 2) / (2 * 25.0**2))
    interferent = np.exp(-((WAVELENGTHS - 570.0) ** 2) / (2 * 35.0**2))
    return np.stack([analyte, interferent, np.ones_like(position), position])


def optimal_filter(noise: float) -> tuple[np.ndarray, float]:
    """The Bayes-optimal linear filter, shape (channels,), and its mean absolute error, mmol/l."""
    shapes = signatures()
    scales = np.array([DEVIATION, DEVIATION, BASELINE, BASELINE])
    covariance = (shapes.T * scales**2) @ shapes + noise**2 * np.eye(len(WAVELENGTHS))
    weights = np.linalg.solve(covariance, shapes[0]) * DEVIATION**2
    variance = DEVIATION**2 * (1 - weights @ shapes[0])
    return weights, float(np.sqrt(2 * variance / np.pi))


def optimal_estimate(spectra: np.ndarray, noise: float) -> np.ndarray:
    """Posterior mean of the analyte's concentration, mmol/l, shape (n,)."""
    weights, _ = optimal_filter(noise)
    expected = MEAN * signatures()[:2].sum(axis=0)
    return MEAN + (spectra - expected) @ weights


def write_samples(params: PrepareParams, out: Path) -> None:
    """Generate, split and describe the spectra."""
    counts = {"train": params.train, "validation": params.validation, "test": params.test}
    total = sum(counts.values())
    draw = generator(params.seed)
    amounts = draw.normal(size=(total, 4)) * [DEVIATION, DEVIATION, BASELINE, BASELINE]
    amounts[:, :2] += MEAN
    spectra = amounts @ signatures() + draw.normal(0, params.noise, (total, len(WAVELENGTHS)))
    np.save(out / "spectra.npy", spectra.astype(np.float32))
    splits = [name for name, count in counts.items() for _ in range(count)]
    # A specimen gives one spectrum here. What must not be in two splits is checked by this column.
    specimens = [f"specimen{number:05d}" for number in range(1, total + 1)]
    samples = {"split": splits, "group": specimens, "concentration": amounts[:, 0]}
    write_csv(out / "samples.csv", pd.DataFrame(samples))
    weights, error = optimal_filter(params.noise)
    write_json(out / "optimum.json", {"filter": list(weights), "noise": params.noise})
    write_json(out / "card.json", _card(counts, error))
    _preview(spectra[:6], amounts[:6, 0], out / "preview.png")


def _card(counts: dict[str, int], error: float) -> dict[str, object]:
    return {
        "title": "Absorption spectra of a two-component mixture",
        "description": "Synthetic data: generated spectra with a known truth, not measurements.",
        "synthetic": True,
        "source": {
            "name": "generated",
            "licence": "Apache-2.0",
            "citation": "Beer-Lambert mixture with Gaussian concentrations",
            "files": {},
        },
        "splits": {name: {"spectra": count} for name, count in counts.items()},
        "excluded": [],
        "intervals": "n counts spectra, which the bootstrap draws.",
        "notes": [
            f"The Bayes-optimal mean absolute error is {error:.3g} mmol/l: to beat it is a bug."
        ],
    }


def _preview(spectra: np.ndarray, amounts: np.ndarray, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for spectrum, amount in zip(spectra, amounts, strict=True):
        axes.plot(WAVELENGTHS, spectrum, label=f"{amount:.2f}")
    axes.set(xlabel="wavelength (nm)", ylabel="absorbance")
    axes.legend(title="analyte (mmol/l)", fontsize="small")
    save(figure, path)
    plt.close(figure)
