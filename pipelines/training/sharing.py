"""What the processes of a training share out among them, and what they bring together again."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from pipelines.core.processes import processes, rank

Number = TypeVar("Number", bound=np.generic)


def share(items: NDArray[Number]) -> NDArray[Number]:
    """The rows that this process learns from, of those (n, …) that all learn from together.

    Each has as many, since each has to take part in every step: where n is no multiple of the
    processes, the first rows are taken again.
    """
    return items[np.arange(rank(), part(len(items)) * processes(), processes()) % len(items)]


def own(count: int) -> NDArray[np.int64]:
    """Which of so many items are this process's, where each item is one process's only."""
    return np.arange(rank(), count, processes())


def part(count: int) -> int:
    """How many of so many are one process's, rounded up."""
    return -(-count // processes())


def owner(member: int, members: int) -> int | None:
    """The process that trains this member of an ensemble by itself; None: all train it together.

    Members that know nothing of each other are shared out where there are enough for all.
    """
    return member % processes() if members >= processes() > 1 else None


def gathered(rows: Tensor) -> Tensor:
    """(N, …): the rows (n, …) of all processes, n of each its own; the same in all of them."""
    if processes() == 1:
        return rows
    return torch.cat(gather_all_tensors(rows.detach()))


def log_means(module: LightningModule, found: dict[str, Tensor], size: int) -> None:
    """Log means over so many items of this process, to become means over all of an epoch.

    Lightning divides the sizes of all processes by their number and cuts off the fraction, from
    which a wrong mean would come of processes that have not equally many; a multiple has none.
    """
    size *= processes()
    module.log_dict(found, on_step=False, on_epoch=True, batch_size=size, sync_dist=True)


def meet() -> None:
    """Wait until all processes are here; what one has written before, all can read after."""
    if processes() > 1 and torch.distributed.is_initialized():
        torch.distributed.barrier()
