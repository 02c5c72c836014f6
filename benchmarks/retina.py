"""Retina's training side by side with the same network in a plain PyTorch loop.

    python benchmarks/retina.py train [--prepared FOLDER] [--quick] [--epochs N] [--seeds N]

Prints Markdown tables and writes benchmarks/records/retina_train.json. The eyes are those that the
prepare stage has written (--prepared FOLDER), the parameters those of params.yaml.
"""

import argparse
import importlib
import os
from pathlib import Path

from pipelines.core.environment import prepare_process
from pipelines.core.errors import UserError

PREPARED = Path("outputs/retina/prepare")


def main() -> None:
    """Run one part."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error("--seeds: two at least, since curves are compared by what seeds differ by")
    if not (arguments.prepared / "images.npy").is_file():
        raise SystemExit(f"{arguments.prepared}: not found; run scistage repro retina first")
    os.environ["SCISTAGE_THREADS"] = str(arguments.threads)
    os.environ["SCISTAGE_WORKERS"] = "0"  # else the feeding is done by others, uncounted
    os.environ["SCISTAGE_ACCELERATOR"] = "cpu"
    prepare_process()
    try:
        importlib.import_module(f"retina_{arguments.part}").run(arguments)
    except UserError as error:
        raise SystemExit(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    train = parts.add_parser("train", help="images per CPU second, and the loss curves")
    train.add_argument("--prepared", type=Path, default=PREPARED, help="folder of prepare")
    train.add_argument("--rounds", type=int, default=8, help="of measuring the speeds")
    train.add_argument("--epochs", type=int, default=3, help="of each loss curve")
    train.add_argument("--seeds", type=int, default=3, help="loss curves of each side, 2 at least")
    train.add_argument("--threads", type=int, default=1, help="of each side")
    train.add_argument("--quick", action="store_true", help="few steps, nothing is recorded")
    return parser


if __name__ == "__main__":
    main()
