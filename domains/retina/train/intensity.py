"""What a network sees of a photograph: colours, or each pixel relative to the mean around it."""

import torch
from torch import Tensor, nn

IMAGENET_MEAN, IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DARK = 4.0  # of 255: what no channel exceeds lies outside the field of view
NODES = 16  # along an edge: the mean around a pixel is taken over about 1/16 of it each way
GAIN = 4.0  # vessels and tessellation are some tenths darker or lighter than the mean


def field(images: Tensor) -> Tensor:
    """(N, H, W, 3) 0 … 255 → (N, H, W, 1) float32: 1 in the field of view, 0 outside of it."""
    return (images.amax(dim=3, keepdim=True) > DARK).float()


def with_noise(seen: Tensor, images: Tensor, most: float) -> Tensor:
    """What is seen of the photographs, (N, 3, H, W), with Gaussian noise in the field of view.

    Each photograph's noise has a deviation of its own, uniform between 0 and `most`. To learn
    with noise is to penalise large gradients (Bishop 1995): a network that must bear it cannot
    rely on single pixels, and its gradient comes to lie on what a person would look at (Tsipras
    et al. 2019). Draws from torch's global generator, as dropout does.
    """
    if most == 0:
        return seen
    deviation = most * torch.rand(len(seen), 1, 1, 1, device=seen.device)
    # In the memory's order: drawn like `seen`, which is channels last, they take six times as long.
    noise = deviation * field(images) * torch.randn(images.shape, device=seen.device)
    return seen + noise.permute(0, 3, 1, 2)


class Colour(nn.Module):
    """(N, H, W, 3) 0 … 255 → (N, 3, H, W): minus ImageNet's mean, divided by its deviation."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(IMAGENET_MEAN), persistent=False)
        self.register_buffer("sd", 255 * torch.tensor(IMAGENET_SD), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Any real type; the result is float32, channels last in memory."""
        return ((images.float() - self.mean) / self.sd).permute(0, 3, 1, 2)


class LocalContrast(nn.Module):
    """(N, H, W, 3) 0 … 255 → (N, 3, H, W): GAIN · (pixel − local mean) / local mean.

    Weber's contrast: no factor that varies slowly over the photograph changes it, such as the
    lamp, the camera's colour balance and the pigment. The local mean is Gaussian (deviation 1/16
    of the edge), of the field of view alone; outside of it the result is 0. Computed over 16 × 16
    nodes by products of small matrices: deterministic and differentiable everywhere.
    """

    def __init__(self) -> None:
        super().__init__()
        self.matrices: dict[tuple[int, torch.device], tuple[Tensor, Tensor]] = {}

    def forward(self, images: Tensor) -> Tensor:
        """Any real type; the result is float32, channels last in memory."""
        pixels, inside = images.float(), field(images)
        pixels = pixels * inside
        # In bfloat16 the means would be rounded to 1 in 256, as large as the contrast of a vessel.
        with torch.autocast(images.device.type, enabled=False):
            sums, counts = self._smooth(pixels), self._smooth(inside)
        mean = (sums / counts.clamp_min(1e-3)).clamp_min(1.0)
        return (GAIN * (pixels / mean - 1) * inside).permute(0, 3, 1, 2)

    def _smooth(self, values: Tensor) -> Tensor:
        """Local mean of (N, H, W, C), the outside counting as 0."""
        n, height, width, channels = values.shape
        down_y, up_y = self._matrix(height, values.device)
        down_x, up_x = self._matrix(width, values.device)
        low = down_y @ values.reshape(n, height, width * channels)
        low = down_x @ low.reshape(n, NODES, width, channels)
        wide = (up_x @ low).reshape(n, NODES, width * channels)
        return (up_y @ wide).reshape(n, height, width, channels)

    def _matrix(self, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """To the nodes (NODES, size) and back (size, NODES); rows sum to 1."""
        if (size, device) not in self.matrices:
            nodes = (torch.arange(NODES, dtype=torch.float64) + 0.5) / NODES
            places = (torch.arange(size, dtype=torch.float64) + 0.5) / size
            near = torch.exp(-((NODES * (nodes[:, None] - places)) ** 2))  # twice: deviation 1/16
            down, up = near / near.sum(1, keepdim=True), near.T / near.T.sum(1, keepdim=True)
            self.matrices[size, device] = down.float().to(device), up.float().to(device)
        return self.matrices[size, device]


LOOKS: dict[str, type[nn.Module]] = {"colour": Colour, "local_contrast": LocalContrast}
