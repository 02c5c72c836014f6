"""U-Net (Ronneberger, Fischer & Brox 2015, arXiv 1505.04597), figure 1."""

from typing import Literal

import torch
from torch import Tensor, nn

from .sizes import fits, shrink


class Block(nn.Sequential):
    """Two 3×3 convolutions, each followed by (batch normalisation and) a ReLU."""

    def __init__(
        self, inputs: int, outputs: int, norm: bool, padding: int, dropout: float = 0.0
    ) -> None:
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers.append(nn.Conv2d(channels, outputs, 3, padding=padding, bias=not norm))
            if norm:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.ReLU(inplace=True))
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
        super().__init__(*layers)


class UNet(nn.Module):
    """U-Net with same or valid padding.

    Shape: (N, channels, H, W) → logits (N, classes, H − 2 s, W − 2 s), s = `shrink`. Widths are
    base · 2^level, halved by 2×2 max pooling and doubled by 2×2 transposed convolutions; dropout
    stands at the end of the contracting path. Base 64, depth 4 and valid padding without
    normalisation is the paper's network: 31.0 M parameters, 572² px in, 388² px out.

    padding "same": s = 0, images of any size (pooling rounds up, and what is upsampled is cut to
    its skip connection). "valid": no convolution sees beyond the image, s = 6 · 2^depth − 4, and
    only the sizes that `fits` returns divide evenly.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        base: int,
        depth: int,
        dropout: float,
        norm: bool,
        padding: Literal["same", "valid"],
    ) -> None:
        super().__init__()
        self.depth, self.padding = depth, padding
        self.shrink = shrink(depth, padding)
        edge = 1 if padding == "same" else 0
        widths = [base * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList()
        for level, width in enumerate(widths):
            inputs = channels if level == 0 else widths[level - 1]
            self.down.append(Block(inputs, width, norm, edge, dropout * (level == depth)))
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        pairs = list(zip(widths[::-1][:-1], widths[::-1][1:], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(deep, wide, 2, 2) for deep, wide in pairs)
        self.merge = nn.ModuleList(Block(2 * wide, wide, norm, edge) for _, wide in pairs)
        self.head = nn.Conv2d(base, classes, 1)
        self.apply(_he)

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels, H, W) → (N, classes, H − 2 · shrink, W − 2 · shrink)."""
        skips: list[Tensor] = []
        x = images
        for block in self.down:
            x = block(x if not skips else self.pool(x))
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, skips[-2::-1], strict=True):
            x = up(x)
            if self.padding == "same":
                x = x[:, :, : skip.shape[2], : skip.shape[3]]
            x = merge(torch.cat([centre(skip, x), x], dim=1))
        return self.head(x)

    def fits(self, size: int) -> int:
        """The smallest edge of at least `size` px that the network takes and gives pixels for."""
        return fits(size, self.depth, self.padding)


def centre(tensor: Tensor, like: Tensor) -> Tensor:
    """The middle of (…, H, W), of the height and width of `like`."""
    y, x = ((a - b) // 2 for a, b in zip(tensor.shape[-2:], like.shape[-2:], strict=True))
    return tensor[..., y : y + like.shape[-2], x : x + like.shape[-1]]


def _he(layer: nn.Module) -> None:
    """Gaussian weights of deviation √(2/N), N incoming nodes (He et al. 2015)."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        # A transposed 2×2 convolution of stride 2 adds no overlaps: N is its input channels.
        fan = layer.in_channels * (layer.kernel_size[0] ** 2 if isinstance(layer, nn.Conv2d) else 1)
        nn.init.normal_(layer.weight, std=(2.0 / fan) ** 0.5)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
