"""Records of the molecules' benchmarks."""

from importlib.metadata import version
from typing import Any

import side_by_side
from molecules_moses import CHAR_RNN


def record(part: str, content: dict[str, Any]) -> None:
    """Write records/<part>.json, with the processor and the versions of RDKit and of MOSES."""
    others = {"rdkit": version("rdkit"), CHAR_RNN.name: CHAR_RNN.version}
    side_by_side.record(part, content, others)
