"""What data, whence, split how? Real molecules as SMILES, from MOSES or a table of your own."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import PrepareParams


def prepare(params: "PrepareParams", inputs: "Inputs", out: Path) -> None:
    """Write train.npz, validation.npz, vocabulary.json, test.smi and test_scaffolds.smi, what
    `yardsticks.convert` writes, card.json, preview.png and, of a table, excluded.csv.

    Raises UserError for a source that is not as its parameters say.
    """
    from pipelines.core.artifacts import write_csv, write_json

    from .arrays import write_splits
    from .card import card
    from .preview import draw_preview
    from .sources import source
    from .yardsticks import convert

    loaded = source(params).load(params)
    write_splits(out, loaded.splits)
    write_json(out / "card.json", card(params, loaded, out))
    if loaded.rows is not None:
        write_csv(out / "excluded.csv", loaded.rows)
    draw_preview(out / "preview.png", loaded.splits)
    convert(out)
