"""Networks that were trained alike from different seeds, heard together."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .network import Answer, EyeNetwork


class EyeEnsemble(nn.Module):
    """One network or several, whose answers are averaged (Lakshminarayanan et al. 2017).

    Means and logits are averaged; a variance is the members' mean variance and the variance of
    their means. Of each it has what every member has alike: targets, their scale, what is seen.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, members: Sequence[EyeNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        first = members[0]
        self.targets, self.anatomy = first.targets, first.anatomy
        self.mirror, self.size, self.look = first.mirror, first.size, first.look
        for name in ("mean", "sd"):
            self.register_buffer(name, getattr(first, name), persistent=False)

    def forward(self, images: Tensor) -> Answer:
        """(N, H, W, 3) uint8, or real numbers from 0 to 255."""
        return self.judge(self.look(images))

    def judge(self, seen: Tensor) -> Answer:
        """The same of what `look` makes of the photographs, (N, 3, H, W) float32."""
        answers = [member.judge(seen) for member in self.members]
        centre, spread, anatomy, attention = (
            torch.stack([getattr(answer, name) for answer in answers])
            for name in ("centre", "log_variance", "anatomy", "attention")
        )
        variance = spread.exp().mean(dim=0) + centre.var(dim=0, unbiased=False)
        return Answer(
            centre.mean(dim=0), variance.log(), anatomy.mean(dim=0), attention.mean(dim=0)
        )

    def features(self, seen: Tensor) -> Tensor:
        """(N, k), those of all members' backbones, averaged over the photograph."""
        return torch.cat([m.backbone(seen).mean(dim=(2, 3)) for m in self.members], dim=1)
