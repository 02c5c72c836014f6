"""Our U-Net and MONAI's, of equal widths and depth, and one step of training."""

from collections.abc import Callable

import torch
from monai.networks.nets import BasicUNet, DynUNet
from torch import Tensor, nn

from domains.segmentation.train.module import weighted_cross_entropy
from domains.segmentation.train.unet import UNet

OURS, BASIC, DYN = "ours", "BasicUNet", "DynUNet"
WIDTHS = (16, 32, 64, 128, 256)

Batch = tuple[Tensor, Tensor, Tensor]


def network(name: str, classes: int) -> nn.Module:
    """The network as its makers give it: 1.94 M parameters, five levels.

    Ours normalises by batch, the peers by instance, each by its own default.
    """
    levels = len(WIDTHS)
    if name == OURS:
        return UNet(1, classes, WIDTHS[0], levels - 1, dropout=0.0, norm=True, padding="same")
    if name == BASIC:
        return BasicUNet(2, 1, classes, features=(*WIDTHS, WIDTHS[0]))
    return DynUNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=classes,
        kernel_size=[3] * levels,
        strides=[1] + [2] * (levels - 1),
        upsample_kernel_size=[2] * (levels - 1),
        filters=list(WIDTHS),
    )


class Trainer:
    """A network with its optimiser; `step` learns from one batch.

    half: bfloat16 by autocast; last: memory format channels_last; clip: largest gradient norm.
    """

    def __init__(
        self, net: nn.Module, rate: float, half: bool, last: bool, clip: float | None = None
    ) -> None:
        self.layout = torch.channels_last if last else torch.contiguous_format
        self.network = net.to(memory_format=self.layout).train()
        self.optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3)
        self.half = half
        self.clip = clip

    def step(self, batch: Batch) -> int:
        """Forward, loss, backward, update; returns the number of images."""
        images, classes, weights = batch
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            logits = self.network(images.contiguous(memory_format=self.layout))
        loss = weighted_cross_entropy(logits.float(), classes, weights)
        self.optimizer.zero_grad()
        loss.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimizer.step()
        return len(images)


def training(name: str, half: bool, last: bool, batch: int, edge: int) -> Callable[[], int]:
    """Steps on one batch of noise, three classes."""
    torch.manual_seed(0)
    trainer = Trainer(network(name, 3), 1e-3, half, last)
    shape = (batch, edge, edge)
    crops = (torch.rand(batch, 1, edge, edge), torch.randint(3, shape), torch.rand(shape))

    def work() -> int:
        return trainer.step(crops) + trainer.step(crops)

    return work
