"""The adversarial game against more likelihood, in the same CPU seconds; and what goals change.

    python benchmarks/molecules_game.py against [--seeds 0 1 2] [--prepared FOLDER]
    python benchmarks/molecules_game.py goals [--prepared FOLDER]

`against`: the fits of params.yaml, and for each seed a likelihood alone whose epochs are as many
more as the game took. `goals`: the share of what is written that has QED >= 0.8 and logP 2 to 4,
and the narrower QED >= 0.9 and logP 2 to 3, before and after the game. Writes
benchmarks/records/molecules_game.json or molecules_goals.json. Trainings run in processes of their
own, of one thread each, two at a time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pipelines.core.environment import prepare_process
from pipelines.core.params import read_yaml

PREPARED = Path("outputs/molecules/prepare")
DRAWN = 10_000
GOALS = {
    "QED >= 0.8, logP 2-4": (0.8, 2.0, 4.0),
    "QED >= 0.9, logP 2-3": (0.9, 2.0, 3.0),
}


def main() -> None:
    """Run one part, or one training of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("against", "goals", "one"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--prepared", type=Path, default=PREPARED)
    parser.add_argument("--changes", type=json.loads, default={}, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ |= {"SCISTAGE_THREADS": "1", "SCISTAGE_ACCELERATOR": "cpu"}
    prepare_process()
    if options.part == "one":
        print(json.dumps(one(options.prepared, options.changes)))
        return
    from molecules_records import record

    found = against(options) if options.part == "against" else goals(options)
    print(json.dumps(found, indent=2))
    record("molecules_game" if options.part == "against" else "molecules_goals", found)


def against(options: argparse.Namespace) -> dict[str, Any]:
    """For each seed the scores and CPU seconds of both ways."""
    games = _all(options.prepared, [{"seed": seed} for seed in options.seeds])
    epochs = _params({})["likelihood"]["epochs"]
    longer = []
    for seed, game in zip(options.seeds, games, strict=True):
        share = game["adversarial"]["cpu_seconds"] / game["likelihood"]["cpu_seconds"]
        longer.append(
            {"seed": seed, "likelihood": {"epochs": round(epochs * share)}, "alone": True}
        )
    alone = _all(options.prepared, longer)
    return {
        "molecules": DRAWN,
        "game": {str(seed): game for seed, game in zip(options.seeds, games, strict=True)},
        "likelihood alone": {
            str(change["seed"]): {**change["likelihood"], **found["likelihood"]}
            for change, found in zip(longer, alone, strict=True)
        },
    }


def goals(options: argparse.Namespace) -> dict[str, Any]:
    """For each goal the shares before and after the game directed by it."""
    changes = []
    for qed, low, high in GOALS.values():
        aims = [
            {"property": "qed", "low": qed, "margin": 0.02},
            {"property": "logp", "low": low, "high": high, "margin": 0.1},
        ]
        changes.append({"seed": options.seeds[0], "goals": aims, **DIRECTED})
    return dict(zip(GOALS, _all(options.prepared, changes), strict=True))


DIRECTED = {  # the critic's say is small: it would object that these are unlike the real ones
    "adversarial": {
        "goal_strength": 10.0,
        "anchor": 0.2,
        "limit": 0.5,
        "likelihood": 0.0,
        "samples": 1024,
        "learning_rate": 0.0005,
        "epochs": 6,
    }
}


def one(prepared: Path, changes: dict[str, Any]) -> dict[str, Any]:
    """Train, draw and score: of each fit the CPU seconds until its end, and the scores."""
    from domains.molecules.evaluate.scores import compare
    from domains.molecules.train.gan import fits
    from domains.molecules.train.params import TrainParams
    from pipelines.training.stage import train

    alone = changes.pop("alone", False)
    params = TrainParams(**_params(changes))
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)

        def timed() -> Any:
            for fit in fits(params, prepared):
                yield fit
                spent[fit.name] = time.process_time()
                if alone:
                    return

        train(timed(), out, out / "work", "")
        against_ = compare(prepared, DRAWN, 0)
        return {
            fit: {"cpu_seconds": seconds, **_scores(out, fit, against_, params)}
            for fit, seconds in spent.items()
        }


def _scores(folder: Path, fit: str, against_: Any, params: Any) -> dict[str, float]:
    from domains.molecules.evaluate.scores import score_sets
    from domains.molecules.predict.writing import noise_of, write
    from domains.molecules.train.chemistry import parse
    from domains.molecules.train.reading import read_writer
    from domains.molecules.train.scorers import GoalScorer

    writer = read_writer(folder, fit)
    drawn = write(writer, noise_of(writer, DRAWN, 1), DRAWN, temperature=1.0)
    names = ("validity", "unique_10k", "novelty", "fcd_test", "fcd_test_scaffolds", "filters")
    scores = {m: i.value for m, i, _ in score_sets({"model": drawn}, against_)["model"].scores}
    found = {name: scores[name] for name in names}
    if params.goals:
        found["satisfied"] = float(GoalScorer(params.goals).judge(parse(drawn)).satisfied.mean())
    return found


def _all(prepared: Path, changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def run(change: dict[str, Any]) -> dict[str, Any]:
        command = [sys.executable, __file__, "one", "--prepared", str(prepared)]
        command += ["--changes", json.dumps(change)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, changes))


def _params(changes: dict[str, Any]) -> dict[str, Any]:
    section: dict[str, Any] = read_yaml(Path("params.yaml"))["molecules"]["train"]
    for name, value in changes.items():
        section[name] = section[name] | value if isinstance(value, dict) else value
    return section


if __name__ == "__main__":
    main()
