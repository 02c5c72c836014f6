"""What data, whence, split how? Images with masks, from a movie of nuclei or your own folder."""

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

    from . import folder, hela
    from .arrays import write_samples
    from .card import card
    from .preview import draw_preview

    if params.source == "hela":
        samples, form = hela.load(params), hela.form(params)
    else:
        samples = folder.load(params)
        form = folder.form(params, samples)
    write_samples(out, samples, form)
    write_json(out / "card.json", card(params, samples, form))
    draw_preview(out / "preview.png", samples, form)
