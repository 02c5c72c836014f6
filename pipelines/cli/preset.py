"""`scistage preset`: a data set or a scale, written into `params.yaml` with its comments kept."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.cli.check import require_domain
from pipelines.core.contract import STAGES
from pipelines.core.errors import UserError
from pipelines.core.params import load_params, read_params, read_yaml
from pipelines.core.project import PARAMS


def list_presets(domain: str) -> int:
    """Print the presets of a domain, each with its first comment line."""
    require_domain(domain)
    for path in _presets(domain):
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        print(f"{path.stem:12} {first.removeprefix('#').strip()}".rstrip())
    return 0


def write_preset(domain: str, name: str) -> int:
    """Write the values of a preset over those of the domain and print what changed."""
    require_domain(domain)
    path = Path("domains", domain, "presets", f"{name}.yaml")
    if path not in _presets(domain):
        known = ", ".join(preset.stem for preset in _presets(domain))
        raise UserError(f"{domain}: no preset {name!r}; presets are: {known}")
    document, before = read_params(), PARAMS.read_text(encoding="utf-8")
    if not isinstance(document.get(domain), dict):
        raise UserError(f"{PARAMS}: section {domain!r}: missing or empty; add it")
    preset = read_yaml(path)
    if not isinstance(preset, dict):
        raise UserError(f"{path}: found {preset!r}; a mapping of stages to parameters is needed")
    changes = _overlay(document[domain], preset, domain, path)
    if not changes:
        print(f"{domain}: {PARAMS} is at preset {name} already")
        return 0
    write_params(document)
    try:
        for stage in STAGES:
            load_params(domain, stage)
    except UserError:
        PARAMS.write_text(before, encoding="utf-8")
        raise
    print("\n".join(changes))
    return 0


def write_params(document: Any) -> None:
    """Write `params.yaml` as a whole, in the form in which it is kept."""
    yaml = YAML()
    yaml.width = 80
    stream = StringIO()
    yaml.dump(document, stream)
    part = PARAMS.with_suffix(".yaml.part")
    part.write_text(stream.getvalue(), encoding="utf-8")
    part.replace(PARAMS)


def _presets(domain: str) -> list[Path]:
    return sorted(Path("domains", domain, "presets").glob("*.yaml"))


def _overlay(values: Any, preset: Any, where: str, file: Path) -> list[str]:
    changes = []
    if not isinstance(values, dict):
        raise UserError(f"{PARAMS}: {where}: found {values!r}; a mapping of keys is needed")
    for key, new in preset.items():
        path = f"{where}.{key}"
        if key not in values:
            raise UserError(
                f"{PARAMS}: {path}: missing, and {file} sets it; add it here, or remove it there"
            )
        if isinstance(new, dict) and isinstance(values[key], dict):
            changes += _overlay(values[key], new, path, file)
        elif values[key] != new:
            changes.append(f"{path}: {values[key]} → {new}")
            values[key] = new
            _mend_comment(values, key)
    return changes


def _mend_comment(values: Any, key: str) -> None:
    """A comment beside a list of lines has an empty place for more, which ruamel.yaml breaks the
    next line at if the list is now `[]`."""
    comment = values.ca.items.get(key)
    if comment and comment[3] == []:
        comment[3] = None
