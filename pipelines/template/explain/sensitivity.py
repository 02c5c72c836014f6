"""The network's gradient with respect to the spectrum, against the filter it should have found."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from pipelines.core.artifacts import read_json, write_json
from pipelines.core.figures import save
from pipelines.core.randomness import seed_everything
from pipelines.core.runner import Inputs

from ..predict.model import load_network
from ..prepare.generate import WAVELENGTHS
from ..prepare.reading import read_split
from ..train.network import Network
from .params import ExplainParams


def write_sensitivity(params: ExplainParams, inputs: Inputs, out: Path) -> None:
    """Draw both sensitivities and the optimum; write their correlations."""
    spectra, _ = read_split(inputs.prepare, "test")
    optimum = np.array(read_json(inputs.prepare / "optimum.json")["filter"])
    seed_everything(params.seed)
    random = Network(**read_json(inputs.train / "model.json")["fits"]["network"]["model"]).eval()
    networks = {"trained": load_network(inputs.train), "randomised": random}
    curves = {name: sensitivity(network, spectra) for name, network in networks.items()}
    findings = {
        f"correlation_with_optimal_filter_{name}": float(np.corrcoef(curve, optimum)[0, 1])
        for name, curve in curves.items()
    }
    _draw({"Bayes-optimal": optimum, **curves}, out / "sensitivity.png")
    caption = (
        "Mean gradient of the predicted concentration with respect to the absorbance at each "
        "wavelength, scaled to its largest value. The trained network follows the optimal filter; "
        "the control, the same network with randomised weights, does not."
    )
    figure = {"file": "sensitivity.png", "title": "What moves the answer", "caption": caption}
    write_json(out / "explain.json", {"figures": [figure], "findings": findings})


def sensitivity(network: Network, spectra: np.ndarray) -> np.ndarray:
    """Mean input gradient over spectra of shape (n, channels): shape (channels,)."""
    inputs = torch.from_numpy(spectra).requires_grad_()
    network(inputs).sum().backward()
    return inputs.grad.mean(dim=0).numpy()


def _draw(curves: dict[str, np.ndarray], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    styles = {"Bayes-optimal": ("black", 3.0), "trained": ("#0072B2", 1.8)}
    for name, curve in curves.items():
        color, width = styles.get(name, ("#D55E00", 1.2))
        axes.plot(WAVELENGTHS, curve / np.abs(curve).max(), label=name, color=color, lw=width)
    axes.axhline(0, color="grey", lw=0.6)
    axes.set(xlabel="wavelength (nm)", ylabel="relative sensitivity")
    axes.legend(fontsize="small")
    save(figure, path)
    plt.close(figure)
