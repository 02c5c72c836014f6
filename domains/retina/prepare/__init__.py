"""What data, whence, split how? Photographs of eyes, drawn or real, split by patient."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import PrepareParams


def prepare(params: "PrepareParams", inputs: "Inputs", out: Path) -> None:
    """Write images.npy, eyes.csv, targets.json, card.json and preview.png; of a cohort also what
    is true of it; with `pretrained` imagenet.safetensors.

    Raises UserError for a source that is not as its parameters say.
    """
    from pipelines.core.artifacts import write_json

    from .arrays import read_eyes
    from .card import card
    from .preview import draw_preview
    from .sources import source

    account = source(params).write(params, out)
    eyes = read_eyes(out)
    if params.pretrained:
        from .weights import write_imagenet

        write_imagenet(out)
    write_json(out / "card.json", card(params, eyes, account))
    draw_preview(out / "preview.png", eyes)
