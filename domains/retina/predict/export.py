"""`scistage export retina`: what is read from photographs, each target an output of its own."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..prepare.arrays import Target, read_eyes
from ..prepare.cohort import read_cohort
from ..prepare.quality import EXPOSURES, LEAST_FIELD, MOST_BLUR
from ..train.ensemble import EyeEnsemble
from ..train.lite0 import Same
from ..train.reading import answers, read_network
from .apply import DRAWN
from .calibrate import read_calibration

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

SAMPLES = 64  # test photographs that are compared
DEVICE = "No medical device: nothing that it says may be used to diagnose or to treat anyone."


class Padded(nn.Module):
    """`Same` for images of one size: a traced ⌈size / stride⌉ would be rounded the other way."""

    def __init__(self, convolution: Same, size: torch.Size) -> None:
        super().__init__()
        self.convolution = convolution
        (kernel, *_), (stride, *_) = convolution.kernel_size, convolution.stride
        y, x = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in size)
        self.padding = (x // 2, x - x // 2, y // 2, y - y // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, K, ⌈H / stride⌉, ⌈W / stride⌉)."""
        inner = self.convolution
        padded = F.pad(x, self.padding)
        return F.conv2d(padded, inner.weight, None, inner.stride, 0, 1, inner.groups)


@torch.inference_mode()
def _padded(network: EyeEnsemble) -> EyeEnsemble:
    """The network, for photographs of its own size."""
    sizes: dict[nn.Module, torch.Size] = {}

    def note(module: nn.Module, given: tuple[Tensor], _: Tensor) -> None:
        sizes[module] = given[0].shape[2:]

    hooks = [m.register_forward_hook(note) for m in network.modules() if isinstance(m, Same)]
    network(torch.zeros(1, network.size, network.size, 3))
    for hook in hooks:
        hook.remove()
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if child in sizes:
                setattr(parent, name, Padded(child, sizes[child]))
    return network


class Readings(nn.Module):
    """As `train.reading.answers` says it of one batch, logits as probabilities.

    (N, size, size, 3) uint8 photographs → of a value its mean and standard deviation (N,) in the
    value's unit, of a binary target its probability (N,), target after target.
    """

    def __init__(self, network: EyeEnsemble) -> None:
        super().__init__()
        self.network = network

    def forward(self, photographs: Tensor) -> tuple[Tensor, ...]:
        """Seen as they are and, where left is as right, mirrored too; both are averaged."""
        images = photographs.float()
        views = [self._view(images)]
        if self.network.mirror:
            views.append(self._view(images.flip(2)))
        centre, spread = torch.stack(views).mean(dim=0)
        said: list[Tensor] = []
        for k, target in enumerate(self.network.targets):
            if target.kind == "binary":
                said.append(torch.sigmoid(centre[:, k]))
            else:
                said += [centre[:, k], spread[:, k]]
        return tuple(said)

    def _view(self, images: Tensor) -> Tensor:
        answer = self.network(images)
        centre = answer.centre * self.network.sd + self.network.mean
        spread = torch.exp(answer.log_variance / 2) * self.network.sd
        return torch.stack([centre, spread])


def graph(inputs: "Inputs") -> dict[str, Any]:
    """What `scistage export` writes."""
    network, calibration = read_network(inputs.train), read_calibration(inputs.predict)
    size = network.size
    return {
        "network": Readings(_padded(network)),
        "example": {"photographs": torch.zeros(2, size, size, 3, dtype=torch.uint8)},
        "inputs": {
            "photographs": {
                "shape": ["N", size, size, 3],
                "meaning": "uint8, RGB; the field of view fills the square, 0 outside its circle",
            }
        },
        "outputs": {
            name: {"shape": ["N"], "meaning": meaning}
            for target in network.targets
            for name, meaning in _outputs(target).items()
        },
        "preprocessing": {
            "size_px": size,
            "quality": {
                "most_blur": MOST_BLUR,
                "exposure": EXPOSURES,
                "least_field": LEAST_FIELD,
            },
            "targets": [vars(target) for target in network.targets],
            "calibration": asdict(calibration),
        },
        "limits": [DEVICE, *_limits(inputs)],
    }


def compare(
    inputs: "Inputs", run: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The first test photographs."""
    network = read_network(inputs.train)
    images = np.array(read_eyes(inputs.prepare, ("test",)).images[:SAMPLES])
    said = run({"photographs": images})
    centre, spread = answers(network, images)
    for k, target in enumerate(network.targets):
        names = list(_outputs(target))
        if target.kind == "binary":
            yield names[0], said[names[0]], 1 / (1 + np.exp(-centre[:, k]))
        else:
            yield names[0], said[names[0]], centre[:, k]
            yield names[1], said[names[1]], spread[:, k]


def _outputs(target: Target) -> dict[str, str]:
    """Names and meanings, as the columns of predictions.csv are called."""
    if target.kind == "binary":
        return {f"{target.name}_probability": f"that {target.name} is {target.positive}"}
    unit = f", {target.unit}" if target.unit else ""
    return {
        f"{target.name}_mean": f"mean of {target.name}{unit}",
        f"{target.name}_sd": f"standard deviation of {target.name}{unit}",
    }


def _limits(inputs: "Inputs") -> list[str]:
    limits = [
        "It takes prepared photographs: the field of view found, cut out and brought to one size, "
        "as `prepared` in `domains/retina/prepare/field.py` does it (NumPy and OpenCV), and of "
        "sufficient quality, as `quality.py` beside it measures it. `scistage apply retina` does "
        "both.",
        "Intervals keep their promise on average over eyes like those that they were calibrated "
        "on, and not for each group of persons.",
    ]
    if read_cohort(inputs.prepare) is not None:
        limits.insert(0, DRAWN[0].upper() + DRAWN[1:] + ".")
    return limits
