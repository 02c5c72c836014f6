"""Records of the molecules' benchmarks."""

from importlib.metadata import version
from typing import Any

from machine import processor
from molecules_moses import CHAR_RNN
from side_by_side import RECORDS

from pipelines.core.artifacts import write_json

PACKAGES = ("torch", "rdkit", "numpy")


def record(part: str, content: dict[str, Any]) -> None:
    """Write records/<part>.json, with the processor and the versions."""
    RECORDS.mkdir(exist_ok=True)
    packages = {name: version(name) for name in PACKAGES} | {CHAR_RNN.name: CHAR_RNN.version}
    write_json(
        RECORDS / f"{part}.json", {"processor": processor(), "packages": packages, **content}
    )
