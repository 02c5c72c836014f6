"""All metrics of one set of molecules: seconds of ours, and of MOSES' own code up to a limit.

The set are training molecules: all valid and nearly all distinct, so that nothing is saved. What
depends on the test sets alone has been computed before on both sides (MOSES' wheel holds it).
"""

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from molecules_moses import FCD, METRICS, metrics, unpack
from molecules_records import record
from side_by_side import set_threads, table

from domains.molecules.prepare.arrays import HELD_OUT, read_smiles

MOST = 180.0  # s
FEW = 500  # molecules scored to have the test sets' statistics in the cache
SPAWN = multiprocessing.get_context("spawn")


def run(arguments: argparse.Namespace) -> None:
    """Score the same molecules by both, print and record."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that MOSES' is ended too
    smiles = read_smiles(arguments.prepared, "train")[: arguments.molecules]
    if len(smiles) < arguments.molecules:
        raise SystemExit(f"{arguments.prepared}: only {len(smiles)} molecules to score")
    _alone(_ours, arguments.prepared, smiles[:FEW])
    ours = _alone(_ours, arguments.prepared, smiles)
    sides = [{"side": "ours", **ours, "met": ours["seconds"] <= MOST}]
    if arguments.limit:
        with tempfile.TemporaryDirectory() as scratch:
            folder = unpack(Path(scratch), METRICS, FCD)
            theirs = _limited(folder, smiles, arguments.threads, arguments.limit)
        sides.append({"side": "MOSES get_all_metrics", **theirs})
    shown = [{k: side[k] for k in ("side", "seconds", "finished")} for side in sides]
    print(table(shown), table([ours["scores"]]), sep="\n")
    if not arguments.quick:
        settings = {
            "molecules": len(smiles),
            "test_molecules": {s: len(read_smiles(arguments.prepared, s)) for s in HELD_OUT},
            "threads": arguments.threads,
            "most_seconds": MOST,
            "limit_seconds": arguments.limit,
        }
        record("molecules_metrics", {"settings": settings, "sides": sides})


def _alone(function: Any, *arguments: Any) -> Any:
    """In a fresh process that may start others."""
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        return pool.submit(function, *arguments).result()


def _ours(prepared: Path, smiles: list[str]) -> dict[str, Any]:
    from domains.molecules.evaluate.scores import compare, score_sets, table
    from pipelines.core.artifacts import read_json

    start, before = time.perf_counter(), _cpu()
    scored = score_sets({"model": smiles}, compare(prepared, len(smiles), seed=0))
    scores = table(scored, {}, read_json(prepared / "card.json")["title"])
    seconds, cpu = time.perf_counter() - start, _cpu() - before
    scores = scores[scores["row"] == "model"]
    values = dict(zip(scores["metric"], scores["value"].astype(float).tolist(), strict=True))
    return {"seconds": seconds, "cpu_seconds": cpu, "finished": True, "scores": values}


def _limited(folder: Path, smiles: list[str], threads: int, limit: float) -> dict[str, Any]:
    """MOSES' metrics in a process group of their own, which is ended at the limit (s)."""
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=_theirs, args=(there, folder, smiles, threads))
    process.start()
    there.close()
    try:
        here.recv()
        if here.poll(limit):
            return here.recv()
    except EOFError:
        raise SystemExit("MOSES' metrics failed, see above") from None
    finally:
        _end(process)
    return {"seconds": limit, "finished": False}


def _theirs(pipe: Connection, folder: Path, smiles: list[str], threads: int) -> None:
    os.setsid()
    # As its users run it: workers that are spawned would lack what `metrics` supplies, and hang.
    multiprocessing.set_start_method("fork", force=True)
    set_threads(threads)
    found = metrics(folder)
    pipe.send("ready")
    start, before = time.perf_counter(), _cpu()
    values = found.get_all_metrics(smiles, n_jobs=threads)
    seconds, cpu = time.perf_counter() - start, _cpu() - before
    scores = {name: float(value) for name, value in values.items()}
    pipe.send({"seconds": seconds, "cpu_seconds": cpu, "finished": True, "scores": scores})


def _end(process: Any) -> None:
    """The process and those that it has started."""
    if process.is_alive() and os.getpgid(process.pid) == process.pid:
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
