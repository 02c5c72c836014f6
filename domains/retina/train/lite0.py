"""EfficientNet-Lite0 (Tan & Le 2019; Liu 2020) as far as its features, to be found by name.

Modules are called as in the published weights (`_conv_stem`, `_blocks.3._bn1`, …). Against
EfficientNet-B0 there is no squeeze-and-excitation, and ReLU6 in place of swish.
"""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

# repeats, kernel, stride, expansion, inputs, outputs: table 1 of Tan & Le 2019
STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)
CHANNELS = 1280
CLASSIFIER = "_fc."  # of the published weights: ImageNet's classes, not needed


class Same(nn.Conv2d):
    """A convolution padded as TensorFlow does: ⌈size / stride⌉ places, the odd one at the end."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, K, ⌈H / stride⌉, ⌈W / stride⌉)."""
        (kernel, *_), (stride, *_) = self.kernel_size, self.stride
        if stride == 1:
            return F.conv2d(x, self.weight, None, 1, kernel // 2, 1, self.groups)
        y, x_ = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:])
        padded = F.pad(x, (x_ // 2, x_ - x_ // 2, y // 2, y - y // 2))
        return F.conv2d(padded, self.weight, None, stride, 0, 1, self.groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    # ImageNet's momentum, 0.01, would lag behind the weights for the few hundred steps of a tuning.
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1)


class Inverted(nn.Module):
    """Mobile inverted bottleneck (Sandler et al. 2018): expand, filter by channel, project."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        inner = inputs * expand
        self.expands = expand > 1
        if self.expands:
            self._expand_conv = Same(inputs, inner, 1, bias=False)
            self._bn0 = _norm(inner)
        self._depthwise_conv = Same(inner, inner, kernel, stride, groups=inner, bias=False)
        self._bn1 = _norm(inner)
        self._project_conv = Same(inner, outputs, 1, bias=False)
        self._bn2 = _norm(outputs)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """The block's features."""
        y = F.relu6(self._bn0(self._expand_conv(x)), inplace=True) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)), inplace=True)
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """(N, 3, H, W), ImageNet's colours → (N, 1280, H/32, W/32); 3.4 M parameters."""

    channels = CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = Same(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        blocks = []
        for repeats, kernel, stride, expand, inputs, outputs in STAGES:
            blocks.append(Inverted(inputs, outputs, kernel, stride, expand))
            blocks += [Inverted(outputs, outputs, kernel, 1, expand) for _ in range(repeats - 1)]
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = Same(320, CHANNELS, 1, bias=False)
        self._bn1 = _norm(CHANNELS)

    def parts(self) -> list[list[nn.Module]]:
        """The stem, then block by block, then the last convolution."""
        ends = [self._conv_stem, self._bn0], [self._conv_head, self._bn1]
        return [ends[0], *([block] for block in self._blocks), ends[1]]

    def forward(self, x: Tensor) -> Tensor:
        """Features on a grid 32 times as coarse."""
        x = F.relu6(self._bn0(self._conv_stem(x)), inplace=True)
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x)), inplace=True)

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Take up the published weights; all but ImageNet's classifier must fit."""
        features = {k: v for k, v in state.items() if not k.startswith(CLASSIFIER)}
        self.load_state_dict(features)
