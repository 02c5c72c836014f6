"""One training as several processes, started by torchrun's own launcher."""

from __future__ import annotations

import logging
import os
import signal
import sys

import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.elastic.rendezvous import RendezvousError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from pipelines.core.environment import Environment
from pipelines.core.errors import UserError
from pipelines.training.precision import uses_gpu


def launch(domain: str, settings: Environment) -> None:
    """Run the train stage as `settings.devices` processes here, beside those of other nodes.

    With several nodes the same command has to be given on each of them, with MASTER_ADDR and
    MASTER_PORT of one of them.

    Raises:
        UserError: there are fewer GPUs than processes, or a process was killed.
        SystemExit: a process failed, which has said why.
    """
    if uses_gpu() and torch.cuda.device_count() < settings.devices:
        raise UserError(
            f"SCISTAGE_DEVICES: found {settings.devices}; this machine has "
            f"{torch.cuda.device_count()} GPUs: give as many at most"
        )
    logging.disable()  # the processes themselves say what went wrong
    os.environ["TORCH_CPP_LOG_LEVEL"] = "ERROR"  # advice of DDP's on its own options
    try:
        elastic_launch(_config(domain, settings), sys.executable)(
            "-m", "pipelines", "train", domain
        )
    except (RendezvousError, ValueError) as error:
        raise UserError(
            f"MASTER_ADDR, MASTER_PORT: the machines did not meet there ({error}); give an address "
            "of one of them and a free port, and start the same command on each"
        ) from None
    except ChildFailedError as error:
        which, failure = error.get_first_failure()
        if failure.exitcode < 0:
            how = signal.Signals(-failure.exitcode).name
            raise UserError(
                f"process {which} of the training was killed by {how}; if it was not by you, "
                "memory may be short: set SCISTAGE_DEVICES lower"
            ) from None
        sys.exit(failure.exitcode)
    except SignalException:
        raise KeyboardInterrupt from None


def _config(domain: str, settings: Environment) -> LaunchConfig:
    meeting = "localhost:0"
    if settings.num_nodes > 1:
        try:
            meeting = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        except KeyError as missing:
            raise UserError(
                f"SCISTAGE_NUM_NODES: found {settings.num_nodes}, but {missing.args[0]} is not "
                "set; set MASTER_ADDR and MASTER_PORT to an address of one of the nodes"
            ) from None
    return LaunchConfig(
        min_nodes=settings.num_nodes,
        max_nodes=settings.num_nodes,
        nproc_per_node=settings.devices,
        run_id=f"scistage-{domain}",
        rdzv_backend="c10d",
        rdzv_endpoint=meeting,
        max_restarts=0,
        shutdown_timeout=2,  # less than what those wait that are to be ended
        logs_specs=DefaultLogsSpecs(log_dir=os.devnull),
    )
