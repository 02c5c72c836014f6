"""`params.yaml`: typed, validated, and with errors that name the line."""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.scalarbool import ScalarBoolean

from pipelines.core.errors import UserError
from pipelines.core.project import PARAMS

MOST_VALUES = 100_000  # in a file; a few lines of aliases could stand for more than memory holds


class Params(BaseModel):
    """Base of every stage's parameters: unknown keys and wrong types are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def read_yaml(path: Path) -> Any:
    """Parse a YAML 1.2 file (so that 1e-3 is a number), comments kept.

    Raises:
        UserError: the file is missing or is not YAML.
    """
    try:
        document = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: not found") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8; save it as UTF-8") from None
    except Exception as error:  # beside its own, the parser raises whatever a value leads it to
        raise UserError(f"{path}: not valid YAML: {error or type(error).__name__}") from None
    _require_few_values(path, document)
    return document


def read_params() -> Any:
    """All of `params.yaml`; UserError if that is no mapping."""
    return _mapping(read_yaml(PARAMS), str(PARAMS))


def listed_domains() -> list[str]:
    """The list `domains:` of `params.yaml`."""
    domains = read_params().get("domains")
    if not isinstance(domains, list) or not domains:
        raise UserError(f"{PARAMS}: domains: found {domains!r}; give a list of domain names")
    for domain in domains:
        is_name = isinstance(domain, str) and domain.isidentifier()
        if not is_name or not Path("domains", domain).is_dir():
            raise UserError(
                f"{PARAMS}: domains: {domain!r} has no folder domains/{domain}; remove it from the "
                "list, and its section"
            )
        if domains.count(domain) > 1:
            raise UserError(f"{PARAMS}: domains: {domain!r} is listed twice; remove one")
    return [str(domain) for domain in domains]


def load_params(domain: str, stage: str) -> Params:
    """The validated section `<domain>.<stage>` of `params.yaml`.

    Raises:
        UserError: a section or key is missing or unknown, a value has the wrong type or range.
    """
    section = _mapping(read_params().get(domain), f"{PARAMS}: section {domain!r}")
    if stage not in section:
        raise UserError(f"{PARAMS}: {domain}.{stage}: missing; add the section")
    values = _mapping(section[stage], f"{PARAMS}: {domain}.{stage}")
    model = params_class(domain, stage)
    try:
        return model.model_validate(_plain(values))
    except ValidationError as error:
        raise UserError(_explain(error, model, values, f"{domain}.{stage}")) from None


def params_class(domain: str, stage: str) -> type[Params]:
    """The class `<Stage>Params`; the report's is shared by all domains."""
    where = "pipelines.report.params" if stage == "report" else f"domains.{domain}.{stage}.params"
    name = f"{stage.title()}Params"
    try:
        return cast(type[Params], getattr(importlib.import_module(where), name))
    except AttributeError:
        raise UserError(f"{where}: class {name} not found; define it") from None
    except ModuleNotFoundError as error:
        if error.name and not where.startswith(error.name):
            raise
        raise UserError(f"{where}: not found; domains: {', '.join(listed_domains())}") from None


def _require_few_values(path: Path, document: Any) -> None:
    """UserError for aliases that hold each other many times over."""
    waiting, count = [document], 0
    while waiting:
        value = waiting.pop()
        count += 1
        if count > MOST_VALUES:
            raise UserError(
                f"{path}: more than {MOST_VALUES:,} values, by aliases (*) of aliases; write them "
                "out"
            )
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _mapping(value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise UserError(f"{where}: found {value!r}; a mapping of keys to values is needed")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, ScalarBoolean):  # of an anchor: to Python an int
        return bool(value)
    for kind in (bool, int, float, str):  # ruamel keeps the source's notation in subclasses
        if isinstance(value, kind):
            return kind(value)
    return value


def _explain(error: ValidationError, model: type[Params], values: Any, prefix: str) -> str:
    errors = error.errors(include_url=False)
    # A misspelt key is unknown, and the right one missing: only the first says what to mend.
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    places = [_place(one["loc"], values) for one in errors]
    location, count = _place(first["loc"], values), len(set(places))
    more = f" (and {count - 1} more)" if count > 1 else ""
    path = ".".join([prefix, *map(str, location)])
    field = f"{PARAMS}{_line(values, location)}: {path}"
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(location[-1]), _known_keys(model, location), n=1)
        hint = f"did you mean {close[0]!r}?" if close else "remove it"
        return f"{field}: unknown key; {hint}{more}"
    if first["type"] == "missing":
        return f"{field}: missing; add it{more}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error" and isinstance(first["input"], dict):  # of several fields
        key = message.split(":")[0]
        return f"{PARAMS}{_line(values, (*location, key))}: {path}.{message}{more}"
    also = [e["msg"] for e, place in zip(errors, places, strict=True) if place == location][1:]
    message = " or ".join([message, *(text.removeprefix("Input should be ") for text in also)])
    return f"{field}: found {first['input']!r}; {message[0].lower()}{message[1:]}{more}"


def _place(location: tuple[int | str, ...], values: Any) -> tuple[int | str, ...]:
    """An error's location without the kinds of value that were tried there, one after the other."""
    for depth, key in enumerate(location):
        if not isinstance(values, (dict, list)):
            return location[:depth]
        try:
            values = cast(Any, values)[key]
        except (LookupError, TypeError):
            break  # a key that is missing
    return location


def _known_keys(model: Any, location: tuple[int | str, ...]) -> list[str]:
    for key in location[:-1]:
        field = getattr(model, "model_fields", {}).get(key)
        model = field.annotation if field else None
    return list(getattr(model, "model_fields", {}))


def _line(values: Any, location: tuple[int | str, ...]) -> str:
    line: int | None = None
    for key in location:
        try:
            marks = values.lc  # ruamel's line and column marks
            position = marks.item(key) if isinstance(values, list) else marks.key(key)
            line, values = position[0] + 1, values[key]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return f":{line}" if line is not None else ""
