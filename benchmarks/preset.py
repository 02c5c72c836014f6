"""A preset of a domain run from a fresh clone: its scores, its time and the machine, on record.

    python benchmarks/preset.py segmentation isbi2012 [--seed N] [--split N] [--project FOLDER]

Writes benchmarks/records/<domain>_<preset>.json, or <domain>_<preset>_seed<N>.json: the training
with another seed; or <domain>_<preset>_split<N>.json: the data split with another. --project: a
folder in which it has been run, or has been begun: training goes on from its last epoch, so that it
can be run in slices (`timeout 500 scistage train <domain>` there).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from machine import processor
from ruamel.yaml import YAML

from pipelines.core.artifacts import read_csv, read_json, write_json
from pipelines.core.params import read_yaml

ROOT = Path(__file__).resolve().parents[1]
RECORDS = ROOT / "benchmarks" / "records"
PACKAGES = ("torch", "pytorch-lightning", "numpy", "scikit-image")


def main() -> None:
    """Run the preset and write its record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("domain")
    parser.add_argument("preset")
    parser.add_argument("--seed", type=int, help="of the training, if not the preset's")
    parser.add_argument("--split", type=int, help="seed of the split, if not the preset's")
    parser.add_argument("--project", type=Path, help="where the preset has been run or begun")
    options = parser.parse_args()
    domain, preset = options.domain, options.preset
    seeds = {"train": options.seed, "prepare": options.split}
    with tempfile.TemporaryDirectory() as folder:
        project = options.project or Path(folder, "clone")
        if not project.exists():
            _set_up(domain, preset, seeds, project)
        _scistage(project, "repro", domain)
        content = record(project, domain, preset)
    print(json.dumps(content, indent=2))
    RECORDS.mkdir(exist_ok=True)
    called = {"seed": options.seed, "split": options.split}
    parts = [domain, preset, *(f"{k}{n}" for k, n in called.items() if n is not None)]
    write_json(RECORDS / f"{'_'.join(parts)}.json", content)


def record(project: Path, domain: str, preset: str) -> dict[str, Any]:
    """Headline scores of all rows, and what the training took."""
    params = read_yaml(project / "params.yaml")[domain]
    headline = list(params["report"]["headline"])
    scores = read_csv(project / "outputs" / domain / "evaluate" / "scores.csv")
    scores = scores[scores["metric"].isin(headline) & (scores["group"] == "all")]
    columns = ["row", "metric", "value", "low", "high", "n"]
    run = read_json(project / ".work" / domain / "train.run.json")
    return {
        "domain": domain,
        "preset": preset,
        "seeds": {stage: params[stage]["seed"] for stage in ("prepare", "train")},
        "scores": json.loads(scores[columns].to_json(orient="records")),
        "training": {k: run[k] for k in ("cpu_seconds", "seconds", "peak_memory_mib")},
        "threads": run["settings"]["threads"],
        "precision": run["settings"]["precision"].replace("None", "default"),
        "processor": processor(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _set_up(domain: str, preset: str, seeds: dict[str, int | None], project: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", ROOT, project], check=True)
    _scistage(project, "preset", domain, preset)
    path, yaml = project / "params.yaml", YAML()
    params = yaml.load(path)
    for stage, seed in seeds.items():
        if seed is not None:
            params[domain][stage]["seed"] = seed
    yaml.dump(params, path)


def _scistage(project: Path, *arguments: str) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "pipelines", *arguments]
    subprocess.run(command, cwd=project, env=environment, check=True)


if __name__ == "__main__":
    main()
