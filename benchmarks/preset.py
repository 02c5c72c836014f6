"""A preset of a domain run from a fresh clone: its scores, its time and the machine, on record.

    python benchmarks/preset.py segmentation isbi2012 [--project FOLDER]

Writes benchmarks/records/<domain>_<preset>.json. --project: a folder in which it has been run.
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

from machine import processor

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
    parser.add_argument("--project", type=Path, help="where the preset has been run already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = options.project or _run(options.domain, options.preset, Path(folder, "clone"))
        content = record(project, options.domain, options.preset)
    print(json.dumps(content, indent=2))
    RECORDS.mkdir(exist_ok=True)
    write_json(RECORDS / f"{options.domain}_{options.preset}.json", content)


def record(project: Path, domain: str, preset: str) -> dict[str, Any]:
    """Headline scores of all rows, and what the training took."""
    headline = list(read_yaml(project / "params.yaml")[domain]["report"]["headline"])
    scores = read_csv(project / "outputs" / domain / "evaluate" / "scores.csv")
    scores = scores[scores["metric"].isin(headline) & (scores["group"] == "all")]
    columns = ["row", "metric", "value", "low", "high", "n"]
    run = read_json(project / ".work" / domain / "train.run.json")
    return {
        "domain": domain,
        "preset": preset,
        "scores": json.loads(scores[columns].to_json(orient="records")),
        "training": {k: run[k] for k in ("cpu_seconds", "seconds", "peak_memory_mib")},
        "threads": run["settings"]["threads"],
        "precision": run["settings"]["precision"].replace("None", "default"),
        "processor": processor(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _run(domain: str, preset: str, clone: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for arguments in (["preset", domain, preset], ["repro", domain]):
        command = [sys.executable, "-m", "pipelines", *arguments]
        subprocess.run(command, cwd=clone, env=environment, check=True)
    return clone


if __name__ == "__main__":
    main()
