"""What data, whence, split how? Images with masks, from published stacks or your own folder."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import PrepareParams


def prepare(params: "PrepareParams", inputs: "Inputs", out: Path) -> None:
    """Write images.npy, masks.npy, samples.csv, format.json, card.json and preview.png.

    Raises UserError for a source that is not as its parameters say.
    """
    from pipelines.core.artifacts import write_json

    from .arrays import write_samples
    from .card import card
    from .preview import draw_preview
    from .sources import source

    samples = source(params).load(params)
    form = source(params).form(params, samples)
    write_samples(out, samples, form)
    write_json(out / "card.json", card(params, samples, form))
    draw_preview(out / "preview.png", samples, form)
