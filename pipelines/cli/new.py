"""`scistage new`: a small complete domain to start from."""

from __future__ import annotations

import keyword
import re
import shutil
from pathlib import Path

from pipelines.cli.preset import write_params
from pipelines.core.errors import UserError
from pipelines.core.params import read_yaml
from pipelines.core.project import PARAMS

TEMPLATE = Path(__file__).parents[1] / "template"


def new(name: str) -> int:
    """Write `domains/<name>`, its section of `params.yaml` and its line in `domains:`."""
    folder = Path("domains", name)
    document = read_yaml(PARAMS)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(f"{name!r}: give a lower-case name of letters, digits and underscores")
    if folder.exists() or name in document:
        raise UserError(f"{folder}: there is a domain of that name already")
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("__pycache__", "params.yaml"))
    section = read_yaml(TEMPLATE / "params.yaml")
    document["domains"].append(name)
    document[name] = section
    document.yaml_set_comment_before_after_key(name, before="\n")
    write_params(document)
    print(f"{folder}: written; run `scistage repro {name}`, then read {folder / 'README.md'}")
    return 0
