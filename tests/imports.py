"""What the code imports, read from its syntax: nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.core.params import read_yaml
from tests.workspace import ROOT

STAGES = ("prepare", "train", "predict", "evaluate", "explain")
SMALL = "spectra"  # what tests call the domain that `scistage new` makes in copies of the project
DOMAINS = [str(name) for name in read_yaml(ROOT / "params.yaml")["domains"] if name != SMALL]
EXPORTED = [n for n in DOMAINS if (ROOT / "domains" / n / "predict" / "export.py").is_file()]
PACKAGES = [*(f"domains.{domain}" for domain in DOMAINS), "pipelines.template"]


@dataclass(frozen=True)
class Import:
    """One import: of what module, whether only when a function is called, at which line."""

    module: str
    deferred: bool
    line: int


@cache
def python_files(*folders: str) -> dict[str, Path]:
    """Dotted name to file, for every module below these folders of the project."""
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return {_dotted(file): file for file in sorted(files)}


def _dotted(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports_of(name: str, type_checking: bool = True) -> list[Import]:
    """The imports of a module that lead to modules of this project."""
    file = _modules()[name]
    found = []
    for node, deferred in _statements(tree_of(file), False, type_checking):
        for target in _targets(node, name, file.name == "__init__.py"):
            found.append(Import(target, deferred, node.lineno))
    return found


def closure(roots: list[str]) -> set[str]:
    """Every module that can be executed once these are: imports followed, function-level too.

    Of a package that is imported only on the way to one of its modules the functions are not
    called, so that imports inside them are not followed.
    """
    seen: set[tuple[str, bool]] = set()
    waiting = [(root, True) for root in roots]
    while waiting:
        name, called = waiting.pop()
        if (name, called) in seen:
            continue
        seen.add((name, called))
        parents = [".".join(name.split(".")[:n]) for n in range(1, name.count(".") + 1)]
        waiting += [(parent, False) for parent in parents if parent in _modules()]
        for item in imports_of(name, type_checking=False):
            if called or not item.deferred:
                waiting.append((item.module, True))
    return {name for name, _ in seen}


def below(package: str) -> list[str]:
    """The package and every module in it."""
    return [name for name in _modules() if name == package or name.startswith(f"{package}.")]


def is_docstring_only(name: str) -> bool:
    body = tree_of(_modules()[name]).body
    return all(isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) for n in body)


def _modules() -> dict[str, Path]:
    return python_files("pipelines", "domains")


def _statements(
    node: ast.AST, deferred: bool, type_checking: bool
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, deferred
        elif type_checking or not _only_for_types(child):
            inside = deferred or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            yield from _statements(child, inside, type_checking)


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _targets(node: ast.Import | ast.ImportFrom, name: str, is_package: bool) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name in _modules()]
    base = node.module or ""
    if node.level:
        parts = name.split(".")
        parts = parts[: len(parts) - node.level + is_package]
        base = ".".join([*parts, *filter(None, [node.module])])
    targets = [f"{base}.{alias.name}" for alias in node.names]
    return sorted({t if t in _modules() else base for t in targets} & set(_modules()))
