"""The code of MOSES and fcd_torch, from their wheels, as far as today's libraries can run it."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import pandas as pd

from domains.molecules.prepare.yardsticks import CHEMNET, FILTERS
from pipelines.data.sources import Wheel, fetch

_MOSES = {
    "moses/__init__.py": ("40f8222224a6a640a5698118b9784d2384a526e5e673d7b50c0059f15a5bf018"),
    "moses/utils.py": ("6edce274b106b3fc6e45c481f171b059f33cd6d3bd6bd08db888e3f60055596f"),
    "moses/dataset/__init__.py": (
        "1fbe72fcae62ef255d95d195ede10051f353c6b5e334efe84060b7bd6484b701"
    ),
    "moses/dataset/dataset.py": (
        "acaf33c0ef469d7d9a1e36eea88fad8e66ec56fb9c968311ffdcabb0b0c8d2d6"
    ),
    "moses/metrics/__init__.py": (
        "dc944f30446986c1b91d649ffb95eea0022d6a5e097820837e5efe77a9d9a4f0"
    ),
    "moses/metrics/metrics.py": (
        "143dace725619134950d840037b290efd93c045ae1d363ba59bfd051e7cb1ec9"
    ),
    "moses/metrics/utils.py": ("94f1f4a4083d355de819c5e224688ab5f9307f1e16b92083a37e06f638a586a1"),
    "moses/metrics/SA_Score/__init__.py": (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    ),
    "moses/metrics/SA_Score/sascorer.py": (
        "ac80f7aef88c42fcf8d8419303f0a00369b643ef2666c0fe6f5c2ddb43c1df67"
    ),
    "moses/metrics/SA_Score/fpscores.pkl.gz": (
        "10dcef9340c873e7b987924461b0af5365eb8dd96be607203debe8ddf80c1e73"
    ),
    "moses/metrics/NP_Score/__init__.py": (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    ),
    "moses/metrics/NP_Score/npscorer.py": (
        "f9089c91ad824d7529de443456c87d1126042c2cfa8d32a1a9a83e3ab0677159"
    ),
}
_FCD = {
    "fcd_torch/__init__.py": ("e709190f8ab3a52e9e0d7a43655c4888a31e33da066e0a8cfec40f35e28e5fa2"),
    "fcd_torch/fcd.py": ("cefa5d59d9c7a34bb4d2103e60412b8d2d04bc5b3080f3da40df15f0437c0d8d"),
    "fcd_torch/utils.py": ("7b43020228d65879a34b973553d0d1340e0fbc5078daae256428b5150f350648"),
    "fcd_torch/torch_layers.py": (
        "2284ec09fc63f6e00d4b042bb279434f0f898f11e174f619125e657b1f2830f0"
    ),
}


@cache
def moses() -> ModuleType:
    """`moses.metrics.metrics`; `.utils` of the same package comes with it."""
    fcd_torch()
    _importable(replace(FILTERS, files={**FILTERS.files, **_MOSES}))
    six = ModuleType("rdkit.six")
    six.iteritems = lambda mapping: iter(mapping.items())  # type: ignore[attr-defined]
    sys.modules["rdkit.six"] = six
    pd.DataFrame.append = lambda self, other, sort: pd.concat([self, other], sort=sort)
    try:
        return importlib.import_module("moses.metrics.metrics")
    finally:
        del pd.DataFrame.append, sys.modules["rdkit.six"]


@cache
def fcd_torch() -> ModuleType:
    _importable(replace(CHEMNET, files={**CHEMNET.files, **_FCD}))
    return importlib.import_module("fcd_torch")


def _importable(wheel: Wheel) -> None:
    member, path = next(iter(fetch(wheel).items()))
    sys.path.append(str(path.parents[len(Path(member).parts) - 1]))
