"""A named fit and its data: what a domain's `train` yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pytorch_lightning import LightningDataModule, LightningModule
from torch import Generator
from torch.utils.data import DataLoader, Dataset, Sampler

from pipelines.core.environment import environment
from pipelines.core.errors import UserError
from pipelines.core.processes import processes
from pipelines.core.randomness import generator
from pipelines.core.runner import set_death_signal
from pipelines.training.sharing import own, part, share

Key = tuple[int, int]


class EpochSampler(Sampler[Key]):
    """Yields (epoch, index), the order a pure function of (seed, epoch).

    Of several processes each yields its share; of `whole` batches every one, to take its share of
    them. Shuffled, for training, the shares are equally large; else every index is in one of them.
    """

    def __init__(self, size: int, seed: int, shuffle: bool, whole: bool = False) -> None:
        self.size, self.seed, self.shuffle, self.whole = size, seed, shuffle, whole
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning at each epoch's start."""
        self.epoch = epoch if self.shuffle else 0

    def __len__(self) -> int:
        if self.whole:
            return self.size
        return part(self.size) if self.shuffle else len(own(self.size))

    def __iter__(self) -> Iterator[Key]:
        order = np.arange(self.size)
        if self.shuffle:
            order = generator(self.seed, self.epoch).permutation(self.size)
        if not self.whole:
            order = share(order) if self.shuffle else own(self.size)
        return ((self.epoch, index) for index in order.tolist())


class EpochDataModule(LightningDataModule):
    """Loaders over two datasets that are indexed by (epoch, index).

    Args:
        train: dataset whose `__getitem__((epoch, index))` draws from
            `generator(seed, epoch, index)` and from nothing else.
        val: dataset asked in order, with epoch 0.
        batch_size: items a training batch, of all processes together. None: items are whole
            batches already, of which the dataset gives this process its share.
        seed: seed of the order of training items.
        val_batch_size: items a validation batch of one process; `batch_size` if None.
        collate: joins items to a batch; torch's default if None.
    """

    def __init__(
        self,
        train: Dataset[Any],
        val: Dataset[Any],
        batch_size: int | None,
        seed: int,
        val_batch_size: int | None = None,
        collate: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        super().__init__()
        self.train, self.val = train, val
        self.batch_size, self.val_batch_size = batch_size, val_batch_size or batch_size
        self.collate = collate
        size, checked = len(train), len(val)  # type: ignore[arg-type]
        self.sampler = EpochSampler(size, seed, shuffle=True, whole=batch_size is None)
        whole = self.val_batch_size is None
        self.val_sampler = EpochSampler(checked, 0, shuffle=False, whole=whole)

    def require_shares(self) -> None:
        """Raise UserError unless each process gets its share of batches and validation items."""
        require_even(self.batch_size or 0)
        if not len(self.val_sampler):
            raise UserError(
                f"SCISTAGE_DEVICES: found {processes()} processes in all, more than there are "
                "validation items; choose fewer"
            )

    def state_dict(self) -> dict[str, int]:
        """The next epoch: Lightning, resuming, makes a loader before it tells the epoch."""
        return {"epoch": self.sampler.epoch + 1}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Take up the epoch to resume with."""
        self.sampler.set_epoch(state_dict["epoch"])

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled anew each epoch."""
        batch_size = self.batch_size and part(self.batch_size)
        return self._loader(self.train, batch_size, self.sampler)

    def val_dataloader(self) -> DataLoader[Any]:
        """In order."""
        return self._loader(self.val, self.val_batch_size, self.val_sampler)

    def _loader(
        self, dataset: Dataset[Any], batch_size: int | None, sampler: EpochSampler
    ) -> DataLoader[Any]:
        workers = environment().workers
        return DataLoader(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
            collate_fn=self.collate,
            worker_init_fn=_end_with_trainer,
            generator=Generator().manual_seed(0),  # else it draws from the global one
        )


def _end_with_trainer(worker: int) -> None:
    """After a kill of the stage a worker would hold its lock until it found that out."""
    set_death_signal()


def require_even(batch_size: int) -> None:
    """Raise UserError unless the processes can share a batch evenly."""
    if batch_size % processes():
        raise UserError(
            f"SCISTAGE_DEVICES: found {processes()} processes in all, which do not share a batch "
            f"of {batch_size} evenly; choose a number that divides it"
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
        owner: `sharing.owner` of a member of an ensemble, which then builds on no other member's
            fit; the other processes neither train it nor get its weights.
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
    owner: int | None = None
