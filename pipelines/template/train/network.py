"""The network alone: what `predict` needs, without Lightning."""

from __future__ import annotations

from torch import Tensor, nn


class Network(nn.Module):
    """Spectrum to concentration.

    Args:
        channels: wavelengths of a spectrum.
        hidden: units of the hidden layer.
        mean, scale: of the training spectra, by which every spectrum is standardised.
    """

    def __init__(self, channels: int, hidden: int, mean: float, scale: float) -> None:
        super().__init__()
        self.channels, self.mean, self.scale = channels, mean, scale
        self.layers = nn.Sequential(nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, 1))

    def forward(self, spectra: Tensor) -> Tensor:
        """Spectra of shape (batch, channels) to concentrations of shape (batch,), in mmol/l."""
        return self.layers((spectra - self.mean) / self.scale).squeeze(-1)
