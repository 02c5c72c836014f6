"""The SMILES generator and its metrics side by side with MOSES' CharRNN and metrics.

    python benchmarks/molecules.py train [--seconds S] [--molecules N] [--rounds R] [--threads T]
    python benchmarks/molecules.py sample [--molecules N] [--seconds S] [--rounds R] [--threads T]
    python benchmarks/molecules.py metrics [--molecules N] [--limit S] [--threads T]

Prints Markdown tables and writes benchmarks/records/molecules_<part>.json. The molecules are those
that the prepare stage has written (--prepared FOLDER). MOSES' code comes from its wheel.
"""

import argparse
import importlib
import os
from pathlib import Path

from pipelines.core.environment import prepare_process

PREPARED = Path("outputs/molecules/prepare")


def main() -> None:
    """Run one part."""
    arguments = _parser().parse_args()
    if not (arguments.prepared / "train.npz").is_file():
        raise SystemExit(f"{arguments.prepared}: not found; run scistage repro molecules first")
    os.environ["SCISTAGE_THREADS"] = str(arguments.threads)
    os.environ["SCISTAGE_ACCELERATOR"] = "cpu"
    prepare_process()
    importlib.import_module(f"molecules_{arguments.part}").run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    train = parts.add_parser("train", help="molecules per CPU second, and what is learnt of them")
    train.add_argument("--seconds", type=float, default=600.0, help="CPU seconds of each training")
    train.add_argument("--molecules", type=int, default=50_000, help="to learn from")
    train.add_argument("--held-out", type=int, default=5000, help="to measure the loss on")
    train.add_argument("--rounds", type=int, default=8, help="of measuring the speeds")
    sample = parts.add_parser("sample", help="molecules written per CPU second")
    sample.add_argument("--molecules", type=int, default=4096, help="that we write in a round")
    sample.add_argument("--seconds", type=float, default=240.0, help="of training before, CPU")
    sample.add_argument("--rounds", type=int, default=8, help="of measuring the speeds")
    metrics = parts.add_parser("metrics", help="seconds for all metrics of a set of molecules")
    metrics.add_argument("--molecules", type=int, default=30_000, help="to score")
    metrics.add_argument("--limit", type=float, default=600.0, help="s for MOSES'; 0: not run")
    for part, threads in ((train, 1), (sample, 1), (metrics, 2)):
        part.add_argument("--threads", type=int, default=threads, help="of each side")
        part.add_argument("--prepared", type=Path, default=PREPARED, help="folder of prepare")
        part.add_argument("--quick", action="store_true", help="nothing is recorded")
    return parser


if __name__ == "__main__":
    main()
