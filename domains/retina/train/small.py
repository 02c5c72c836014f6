"""A small residual network (He et al. 2016) that looks at full resolution first."""

import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    """Two 3×3 convolutions with batch normalisation beside a short cut.

    (N, inputs, H, W) → (N, outputs, H / stride, W / stride), rounded up. The last normalisation
    starts at 0 (Goyal et al. 2017), so that a fresh block is its short cut.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        nn.init.zeros_(self.norm2.weight)
        self.short: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.short = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x: Tensor) -> Tensor:
        """The block's features."""
        y = F.relu(self.norm1(self.first(x)), inplace=True)
        return F.relu(self.norm2(self.second(y)) + self.short(x), inplace=True)


class SmallResNet(nn.Module):
    """(N, 3, H, W) → (N, 4·width, H/8, W/8); 0.3 M parameters at width 24.

    The stem's 6×6 convolution of stride 2 makes `width` numbers of every 2×2 pixels' 12, so that
    nothing is thinned out: calibre is a matter of tenths of a pixel.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.channels = 4 * width
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 6, 2, 2, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        shape = ((1, 1, 1), (1, 2, 2), (2, 2, 1), (2, 4, 2), (4, 4, 1))
        self.blocks = nn.ModuleList(
            Residual(inputs * width, outputs * width, stride) for inputs, outputs, stride in shape
        )

    def parts(self) -> list[list[nn.Module]]:
        """The stem, then block by block."""
        return [[self.stem], *([block] for block in self.blocks)]

    def forward(self, x: Tensor) -> Tensor:
        """Features on a grid eight times as coarse."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return x
