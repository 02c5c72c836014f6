"""The data card: what the data are, whence, how they are split, and what was left out."""

from pathlib import Path
from typing import Any

from .arrays import HELD_OUT, LEARNT, read_corpus
from .loaded import Loaded
from .params import PrepareParams
from .sources import YARDSTICKS, files, source


def card(params: PrepareParams, loaded: Loaded, folder: Path) -> dict[str, Any]:
    """JSON-ready card, as the contract asks for; folder: where the splits are written."""
    about = source(params).about(params, loaded)
    changed = ", ".join(f"{name}: {count}" for name, count in loaded.changes.items())
    return {
        **about,
        "source": {**about["source"], "files": files(params)},
        "splits": {
            **{name: _learnt(folder, name) for name in LEARNT},
            **{name: {"molecules": len(loaded.splits[name])} for name in HELD_OUT},
        },
        "excluded": [vars(one) for one in loaded.excluded],
        "intervals": "n counts draws for validity, different molecules for novelty, else valid "
        "molecules; the intervals tell how much a score would vary with as many other draws.",
        "notes": [
            *about["notes"],
            f"Molecules changed: {changed or 'none'}.",
            *(f"Read for later stages: {one.title} ({one.citation})." for one in YARDSTICKS),
        ],
    }


def _learnt(folder: Path, split: str) -> dict[str, int]:
    lengths = read_corpus(folder, split).lengths
    return {"molecules": len(lengths), "tokens": int(lengths.sum()), "longest": int(lengths.max())}
