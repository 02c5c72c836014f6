"""What the processes of a training share out among them, and what they bring together again."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from pipelines.core.errors import UserError
from pipelines.core.processes import GRACE, processes, rank

PATIENCE = timedelta(days=365)  # one member may take much longer than another
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


class Others:
    """The other processes, from which this one takes leave while it trains members by itself."""

    def __init__(self) -> None:
        self.group: torch.distributed.ProcessGroup | None = None

    def leave(self) -> None:
        """Agree on how to meet again, while all are there: if one ends the others will know."""
        if self.group is None:
            if not torch.distributed.is_initialized():
                torch.distributed.init_process_group("gloo", timeout=PATIENCE)
            self.group = torch.distributed.new_group(timeout=PATIENCE, backend="gloo")

    def join(self) -> None:
        """Wait for the others, if this process has left them.

        Raises UserError if one of them has ended before; each has said why.
        """
        if self.group is None:
            return
        try:
            torch.distributed.barrier(self.group)
        except RuntimeError:
            time.sleep(GRACE)  # on the same machine the launcher ends this process meanwhile
            raise UserError(
                "another process of the training has ended before its members were trained; mend "
                "what it tells, and give the same command again: all go on from their last epoch"
            ) from None
        torch.distributed.destroy_process_group()  # all of them: Lightning makes its own
        self.group = None
