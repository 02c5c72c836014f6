"""MOSES (Polykovskiy et al. 2020, doi 10.3389/fphar.2020.565644): its CharRNN and its metrics.

Its package cannot be installed beside today's libraries. Its files are put into a folder and
imported from there, without the package's own `__init__.py`, which needs what is gone.
"""

import shutil
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from domains.molecules.prepare.yardsticks import CHEMNET, FILTERS
from pipelines.data.sources import Wheel, fetch

CHAR_RNN = replace(
    FILTERS,
    files={
        "moses/char_rnn/__init__.py": (
            "6f3441ad6d2f327f8966caf31762f2c83f11d4a8918fc7372f67f971d722bca7"
        ),
        "moses/char_rnn/config.py": (
            "015da3e751ae073a70c4d13d177fcd013f7736e89d9c525687503e222c242fd3"
        ),
        "moses/char_rnn/model.py": (
            "9bb8168f5754690fce0eff3a670ad71581b4925f6b3fb92d42e8019e32270488"
        ),
        "moses/char_rnn/trainer.py": (
            "a6c13310aebd22fefa18d0bfbe0f6d6982098330bbf25f8ca059a6ffafb5d1f9"
        ),
        "moses/interfaces.py": "0ab65023aba8cf1f4d382c6eca41b85a08c9a6f33bde13524fb9cadfc27e13ac",
        "moses/utils.py": "6edce274b106b3fc6e45c481f171b059f33cd6d3bd6bd08db888e3f60055596f",
    },
)


class Peer:
    """CharRNN as MOSES configures it, to be trained by MOSES' own trainer.

    Args:
        folder: where `unpack` has put CHAR_RNN.
        smiles: what it learns from; gives its vocabulary of characters.
        half: its forward pass in bfloat16, which MOSES does not offer.
    """

    def __init__(self, folder: Path, smiles: list[str], half: bool = False) -> None:
        _importable(folder)
        from moses.char_rnn import CharRNN, CharRNNTrainer, char_rnn_parser, trainer

        trainer.tqdm = _Silent
        self.smiles, self.half = smiles, half
        self.config = char_rnn_parser().parse_args([])
        self.config.model_save = self.config.log_file = None
        self.trainer = CharRNNTrainer(self.config)
        self.model = CharRNN(self.trainer.get_vocabulary(smiles), self.config)
        if half:
            self.model.forward = _in_bfloat16(self.model.forward)

    def learn(self, seconds: float) -> int:
        """Train by its `fit` until so many CPU seconds are spent; the number of molecules seen."""
        ends = time.process_time() + seconds
        loaders: list[Until] = []
        plain = self.trainer.get_dataloader

        def get_dataloader(*arguments: Any, **options: Any) -> Until:
            loaders.append(Until(plain(*arguments, **options), ends))
            return loaders[0]

        self.trainer.get_dataloader = get_dataloader
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it steps its schedule before its optimiser
            self.trainer.fit(self.model, self.smiles)
        self.trainer.get_dataloader = plain
        return loaders[0].molecules

    def steps(self) -> Iterator[int]:
        """Train with the loop of its `_train_epoch`, one batch an item: how many molecules."""
        loss = nn.CrossEntropyLoss()
        optimiser = torch.optim.Adam(self.model.parameters(), lr=self.config.lr)
        while True:
            for batch in self.trainer.get_dataloader(self.model, self.smiles, shuffle=True):
                self.trainer._train_epoch(self.model, _Silent([batch]), loss, optimiser)
                yield len(batch[2])

    @torch.no_grad()
    def nats(self, smiles: list[str]) -> float:
        """Mean negative log-likelihood of molecules, the end included, in nats a molecule."""
        self.model.eval()
        pad, total = self.model.vocabulary.pad, 0.0
        for before, after, lengths in self.trainer.get_dataloader(
            self.model, smiles, shuffle=False
        ):
            scores = self.model(before, lengths)[0].float().flatten(0, 1)
            total += float(
                nn.functional.cross_entropy(
                    scores, after.flatten(), ignore_index=pad, reduction="sum"
                )
            )
        return total / len(smiles)

    def write(self, n: int, batch: int) -> list[str]:
        """`n` molecules by its `sample`, at least, so many at a time."""
        self.model.eval()
        return [text for _ in range(-(-n // batch)) for text in self.model.sample(batch)]


class Until:
    """A loader whose epochs all end when the CPU time is spent; counts molecules."""

    def __init__(self, loader: Any, ends: float) -> None:
        self.loader, self.ends, self.molecules = loader, ends, 0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        if time.process_time() >= self.ends:
            return
        for batch in self.loader:
            yield batch
            self.molecules += len(batch[2])
            if time.process_time() >= self.ends:
                return


class _Silent:
    """In place of a progress bar over batches."""

    def __init__(self, batches: Any, **_: object) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)

    def set_postfix(self, _: dict[str, Any]) -> None:
        """Show nothing."""


def unpack(folder: Path, *wheels: Wheel) -> Path:
    """Put the wheels' files into a folder, from the cache or the package index."""
    for wheel in wheels:
        for member, path in fetch(wheel).items():
            (folder / member).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / member)
    return folder


def metrics(folder: Path) -> ModuleType:
    """`moses.metrics.metrics`, where `unpack` has put METRICS and FCD.

    It lacks `rdkit.six` and `DataFrame.append`, which were withdrawn; they are supplied.
    """
    import pandas as pd

    six = ModuleType("rdkit.six")
    vars(six)["iteritems"] = lambda mapping: iter(mapping.items())
    sys.modules["rdkit.six"] = six
    pd.DataFrame.append = lambda self, other, sort: pd.concat([self, other], sort=sort)
    _importable(folder)
    from moses.metrics import metrics as found

    del pd.DataFrame.append
    return found


def _importable(folder: Path) -> None:
    sys.path.insert(0, str(folder))


def _in_bfloat16(forward: Any) -> Any:
    def called(*arguments: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            scores, *rest = forward(*arguments)
        return scores.float(), *rest

    return called


METRICS = replace(
    FILTERS,
    files={
        **FILTERS.files,
        "moses/utils.py": CHAR_RNN.files["moses/utils.py"],
        "moses/dataset/__init__.py": (
            "1fbe72fcae62ef255d95d195ede10051f353c6b5e334efe84060b7bd6484b701"
        ),
        "moses/dataset/dataset.py": (
            "acaf33c0ef469d7d9a1e36eea88fad8e66ec56fb9c968311ffdcabb0b0c8d2d6"
        ),
        "moses/dataset/data/train.csv.gz": (
            "786f0313aa6b9ba5514df685f885742a70ea8d86f1a4fa48115f7f80a634265c"
        ),
        "moses/dataset/data/test.csv.gz": (
            "f896fbf3764f88d94670b9959e5872c600c12152a18233823e820761b7a791b2"
        ),
        "moses/dataset/data/test_scaffolds.csv.gz": (
            "adffb2192c1bfe31ab0e13154d4af19a37dc18bdbf3cd7b4491e04405128adde"
        ),
        "moses/dataset/data/test_stats.npz": (
            "ded25073225a895d4ed17bf1d4223d27560e87ff4cb85786346ca1cc8efa03d3"
        ),
        "moses/dataset/data/test_scaffolds_stats.npz": (
            "7b7aba6c1474634a019bebf16f389d554cb9dd1021dfc8c1d1e54430a9f0e7f8"
        ),
        "moses/metrics/metrics.py": (
            "143dace725619134950d840037b290efd93c045ae1d363ba59bfd051e7cb1ec9"
        ),
        "moses/metrics/utils.py": (
            "94f1f4a4083d355de819c5e224688ab5f9307f1e16b92083a37e06f638a586a1"
        ),
        "moses/metrics/SA_Score/sascorer.py": (
            "ac80f7aef88c42fcf8d8419303f0a00369b643ef2666c0fe6f5c2ddb43c1df67"
        ),
        "moses/metrics/SA_Score/fpscores.pkl.gz": (
            "10dcef9340c873e7b987924461b0af5365eb8dd96be607203debe8ddf80c1e73"
        ),
        "moses/metrics/NP_Score/npscorer.py": (
            "f9089c91ad824d7529de443456c87d1126042c2cfa8d32a1a9a83e3ab0677159"
        ),
    },
)
FCD = replace(
    CHEMNET,
    files={
        **CHEMNET.files,
        "fcd_torch/__init__.py": "e709190f8ab3a52e9e0d7a43655c4888a31e33da066e0a8cfec40f35e28e5fa2",
        "fcd_torch/fcd.py": "cefa5d59d9c7a34bb4d2103e60412b8d2d04bc5b3080f3da40df15f0437c0d8d",
        "fcd_torch/utils.py": "7b43020228d65879a34b973553d0d1340e0fbc5078daae256428b5150f350648",
        "fcd_torch/torch_layers.py": (
            "2284ec09fc63f6e00d4b042bb279434f0f898f11e174f619125e657b1f2830f0"
        ),
    },
)
