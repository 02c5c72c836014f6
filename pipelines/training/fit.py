"""A named fit and its data: what a domain's `train` yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pytorch_lightning import LightningDataModule, LightningModule
from torch import Generator
from torch.utils.data import DataLoader, Dataset, Sampler

from pipelines.core.environment import environment
from pipelines.core.randomness import generator

Key = tuple[int, int]


class EpochSampler(Sampler[Key]):
    """Yields (epoch, index), the order a pure function of (seed, epoch)."""

    def __init__(self, size: int, seed: int, shuffle: bool) -> None:
        self.size, self.seed, self.shuffle = size, seed, shuffle
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning at each epoch's start."""
        self.epoch = epoch if self.shuffle else 0

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Key]:
        order = list(range(self.size))
        if self.shuffle:
            order = generator(self.seed, self.epoch).permutation(self.size).tolist()
        return ((self.epoch, index) for index in order)


class EpochDataModule(LightningDataModule):
    """Loaders over two datasets that are indexed by (epoch, index).

    Args:
        train: dataset whose `__getitem__((epoch, index))` draws from
            `generator(seed, epoch, index)` and from nothing else.
        val: dataset asked in order, with epoch 0.
        batch_size: items a training batch.
        seed: seed of the order of training items.
        val_batch_size: items a validation batch; `batch_size` if None.
        collate: joins items to a batch; torch's default if None.
    """

    def __init__(
        self,
        train: Dataset[Any],
        val: Dataset[Any],
        batch_size: int,
        seed: int,
        val_batch_size: int | None = None,
        collate: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        super().__init__()
        self.train, self.val = train, val
        self.batch_size, self.val_batch_size = batch_size, val_batch_size or batch_size
        self.collate = collate
        self.sampler = EpochSampler(len(train), seed, shuffle=True)  # type: ignore[arg-type]

    def state_dict(self) -> dict[str, int]:
        """The next epoch: Lightning, resuming, makes a loader before it tells the epoch."""
        return {"epoch": self.sampler.epoch + 1}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Take up the epoch to resume with."""
        self.sampler.set_epoch(state_dict["epoch"])

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled anew each epoch."""
        return self._loader(self.train, self.batch_size, self.sampler)

    def val_dataloader(self) -> DataLoader[Any]:
        """In order."""
        in_order = EpochSampler(len(self.val), 0, shuffle=False)  # type: ignore[arg-type]
        return self._loader(self.val, self.val_batch_size, in_order)

    def _loader(
        self, dataset: Dataset[Any], batch_size: int, sampler: EpochSampler
    ) -> DataLoader[Any]:
        workers = environment().workers
        return DataLoader(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
            collate_fn=self.collate,
            generator=Generator().manual_seed(0),  # else it draws from the global one
        )


@dataclass(frozen=True)
class Fit:
    """One training run of a domain.

    Attributes:
        name: names the weights, `<name>/…` in `weights.safetensors`.
        module: the model; after the fit it holds the selected epoch's weights.
        data: its data.
        epochs: the largest number of epochs.
        seed: seed of what the module itself draws, such as dropout.
        monitor: logged validation metric that selects the epoch.
        mode: whether the metric's best value is its largest or smallest.
        model: JSON-ready description from which `predict` rebuilds the module.
        patience: epochs without improvement before stopping early; None never stops.
        gradient_clip: largest gradient norm; None does not clip.
        low_precision: the module learns as well in bfloat16, also on a CPU that has it.
    """

    name: str
    module: LightningModule
    data: EpochDataModule
    epochs: int
    seed: int
    monitor: str
    mode: Literal["min", "max"]
    model: dict[str, Any]
    patience: int | None = None
    gradient_clip: float | None = None
    low_precision: bool = False
