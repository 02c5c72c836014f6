"""U-Net (Ronneberger, Fischer & Brox 2015, arXiv 1505.04597), figure 1."""

import torch
from torch import Tensor, nn


class Block(nn.Sequential):
    """Two 3×3 convolutions, each followed by (batch normalisation and) a ReLU."""

    def __init__(self, inputs: int, outputs: int, norm: bool, dropout: float = 0.0) -> None:
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers.append(nn.Conv2d(channels, outputs, 3, padding=1, bias=not norm))
            if norm:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.ReLU(inplace=True))
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
        super().__init__(*layers)


class UNet(nn.Module):
    """U-Net with same padding, for images of any size.

    Shape: (N, channels, H, W) → logits (N, classes, H, W). Widths are base · 2^level, halved by
    2×2 max pooling and doubled by 2×2 transposed convolutions; dropout stands at the end of the
    contracting path. Base 64, depth 4 without normalisation is the paper's network: 31.0 M
    parameters. Pooling rounds sizes up, and what is upsampled is cut to its skip connection.
    """

    def __init__(
        self, channels: int, classes: int, base: int, depth: int, dropout: float, norm: bool
    ) -> None:
        super().__init__()
        widths = [base * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList()
        for level, width in enumerate(widths):
            inputs = channels if level == 0 else widths[level - 1]
            self.down.append(Block(inputs, width, norm, dropout if level == depth else 0.0))
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        pairs = list(zip(widths[::-1][:-1], widths[::-1][1:], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(deep, wide, 2, 2) for deep, wide in pairs)
        self.merge = nn.ModuleList(Block(2 * wide, wide, norm) for _, wide in pairs)
        self.head = nn.Conv2d(base, classes, 1)
        self.apply(_he)

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels, H, W) → (N, classes, H, W)."""
        skips: list[Tensor] = []
        x = images
        for block in self.down:
            x = block(x if not skips else self.pool(x))
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, skips[-2::-1], strict=True):
            x = up(x)[:, :, : skip.shape[2], : skip.shape[3]]
            x = merge(torch.cat([skip, x], dim=1))
        return self.head(x)


def _he(layer: nn.Module) -> None:
    """Gaussian weights of deviation √(2/N), N incoming nodes (He et al. 2015)."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        # A transposed 2×2 convolution of stride 2 adds no overlaps: N is its input channels.
        fan = layer.in_channels * (layer.kernel_size[0] ** 2 if isinstance(layer, nn.Conv2d) else 1)
        nn.init.normal_(layer.weight, std=(2.0 / fan) ** 0.5)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
