"""What data, whence, split how? Measured molecules as graphs, and a library to rank."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import PrepareParams


def prepare(params: "PrepareParams", inputs: "Inputs", out: Path) -> None:
    """Write molecules.csv, library.csv and targets.json, graphs.npz, library.npz, fingerprints.npz
    and descriptors.npz, excluded.csv, card.json and preview.png.

    Raises UserError for a table that is not as the parameters say.
    """
    from pipelines.core.artifacts import write_csv, write_json

    from .arrays import Target
    from .card import card
    from .loading import load
    from .preview import draw_preview
    from .writing import write_data

    loaded = load(params)
    targets = [Target(**t.model_dump(exclude={"column"})) for t in loaded.targets]
    write_data(out, loaded.molecules, targets, loaded.library)
    write_csv(out / "excluded.csv", loaded.merged.left_out)
    write_json(out / "card.json", card(params, loaded))
    draw_preview(out / "preview.png", loaded.molecules, targets, out)
