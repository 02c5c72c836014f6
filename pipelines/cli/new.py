"""`scistage new`: a small complete domain to start from."""

from __future__ import annotations

import keyword
import re
import shutil
from itertools import takewhile
from pathlib import Path
from textwrap import indent

from pipelines.core.errors import UserError
from pipelines.core.params import read_params
from pipelines.core.project import PARAMS

TEMPLATE = Path(__file__).parents[1] / "template"


def new(name: str) -> int:
    """Write `domains/<name>`, its section of `params.yaml` and its line in `domains:`."""
    folder = Path("domains", name)
    document = read_params()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(f"{name!r}: give a lower-case name of letters, digits and underscores")
    if name in ("domains", "item", "key", "null", "true", "false"):
        raise UserError(f"{name!r}: give another name; DVC, or YAML itself, uses this one")
    if folder.exists():
        raise UserError(f"{folder}: there is a domain of that name already")
    if name in document:
        raise UserError(f"{PARAMS}: {name}: there is a section of that name; remove or rename it")
    text = _with_domain(PARAMS.read_text(encoding="utf-8"), name)
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("__pycache__", "params.yaml"))
    part = PARAMS.with_suffix(".yaml.part")
    part.write_text(text, encoding="utf-8")
    part.replace(PARAMS)
    print(f"{folder}: written; run `scistage repro {name}`, then read {folder / 'README.md'}")
    return 0


def _with_domain(text: str, name: str) -> str:
    """Text of `params.yaml` with a line in `domains:` and a section; nothing else is touched."""
    lines = text.rstrip("\n").split("\n")
    start = lines.index("domains:") + 1 if "domains:" in lines else len(lines)
    count = len(list(takewhile(lambda line: line.startswith("- "), lines[start:])))
    if count == 0:
        raise UserError(f"{PARAMS}: domains: write it as a list, a line `- name` each")
    lines.insert(start + count, f"- {name}")
    section = (TEMPLATE / "params.yaml").read_text(encoding="utf-8").rstrip("\n")
    return "\n".join([*lines, "", f"{name}:", indent(section, "  ")]) + "\n"
