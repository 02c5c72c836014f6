"""Screening side by side with chemprop and a random forest, and what its own bars ask for.

    python benchmarks/screening.py speed [--data NAME …] [--rounds R] [--seeds N] [--threads T]
    python benchmarks/screening.py errors [--seeds N] [--threads T]
    python benchmarks/screening.py ecoli [--split random] [--seeds N] [--threads T]
    python benchmarks/screening.py ecoli_chemprop [--split random] [--seeds N] [--threads T]
    python benchmarks/screening.py halicin [--seeds N] [--threads T]
    python benchmarks/screening.py apply [--molecules N] [--project FOLDER] [--threads T]

Prints Markdown tables and writes benchmarks/records/screening_<part>.json, of speed a file for each
of the data. errors, ecoli, ecoli_chemprop and halicin keep what is finished in .work/, so that they
can be run in slices (`timeout 500 python …`).

chemprop is needed for speed, errors and ecoli_chemprop. Its compiled part works with one version of
RDKit only, which is not the one pinned here: both sides are then run with that, in an environment
of its own.

    python -m venv .work/peers && .work/peers/bin/pip install -c constraints.txt -e .
    .work/peers/bin/pip install --no-deps -r benchmarks/requirements.txt rdkit==2026.3.6
"""

import argparse
import importlib
import os
from pathlib import Path

from pipelines.core.environment import prepare_process
from pipelines.core.errors import UserError

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Run one part."""
    arguments = _parser().parse_args()
    os.environ["SCISTAGE_THREADS"] = str(arguments.threads)
    os.environ["SCISTAGE_WORKERS"] = "0"  # else the feeding is done by others, uncounted
    os.environ["SCISTAGE_ACCELERATOR"] = "cpu"
    prepare_process()
    if arguments.part in ("speed", "errors", "ecoli_chemprop"):
        _require_chemprop()
    try:
        importlib.import_module(f"screening_{arguments.part}").run(arguments)
    except UserError as error:
        raise SystemExit(str(error)) from None


def _require_chemprop() -> None:
    try:
        importlib.import_module("chemprop")
    except ImportError as error:
        how = __doc__.rpartition("\n\n")[2]
        raise SystemExit(f"chemprop cannot be imported ({error}); install it:\n\n{how}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    speed = parts.add_parser("speed", help="molecules per CPU second, equal networks' errors")
    data = ("b3db", "solubility")
    speed.add_argument("--data", nargs="+", choices=data, default=list(data), help="which of them")
    speed.add_argument("--rounds", type=int, default=8, help="of measuring the speeds")
    errors = parts.add_parser("errors", help="the presets' errors on random splits")
    ecoli = parts.add_parser("ecoli", help="ROC-AUC on random splits")
    peer = parts.add_parser("ecoli_chemprop", help="chemprop on the splits of ecoli")
    for part in (ecoli, peer):
        part.add_argument("--split", choices=("scaffold", "random"), default="scaffold")
    halicin = parts.add_parser("halicin", help="its rank in the Drug Repurposing Hub")
    apply = parts.add_parser("apply", help="a table of a million molecules")
    apply.add_argument("--molecules", type=int, default=1_000_000, help="rows of the table")
    apply.add_argument("--project", type=Path, default=ROOT, help="with a trained model")
    for part, seeds in ((speed, 3), (errors, 5), (ecoli, 20), (peer, 20), (halicin, 5)):
        part.add_argument("--seeds", type=int, default=seeds, help="trainings or splits")
    for part in (speed, errors, ecoli, peer, halicin, apply):
        threads = 2 if part is apply else 1
        part.add_argument("--threads", type=int, default=threads, help="of each side")
        part.add_argument("--quick", action="store_true", help="nothing is recorded")
    return parser


if __name__ == "__main__":
    main()
