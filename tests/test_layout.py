"""The shape of the code: the flow of imports, what `dvc.yaml` declares, sizes, what is banned."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.core.contract import STAGES as CONTRACT
from pipelines.core.params import Params, read_yaml
from tests.imports import (
    EXPORTED,
    PACKAGES,
    SMALL,
    STAGES,
    below,
    closure,
    imports_of,
    is_docstring_only,
    python_files,
    tree_of,
)
from tests.workspace import ROOT

DEFAULT_ROOTS = ["pipelines.core"]  # the runner loads these, whatever the stage imports
FURTHER_ROOTS = {"train": ["pipelines.training"], "report": ["pipelines.report"]}
PINS = [ROOT / "constraints.txt", ROOT / "constraints-dev.txt"]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_with_the_flow_of_data(package: str) -> None:
    wrong = []
    for name in below(package):
        stage = _stage_of(package, name)
        for item in imports_of(name):
            target = _stage_of(package, item.module)
            if target in STAGES and (stage is None or STAGES.index(target) > STAGES.index(stage)):
                wrong.append(f"{name}:{item.line} imports {item.module}")
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_a_domain_imports_only_itself_and_the_shared_code(package: str) -> None:
    wrong = [
        f"{name}:{item.line} imports {item.module}"
        for name in below(package)
        for item in imports_of(name)
        if not item.module.startswith(f"{package}.")
        and (
            item.module.startswith(("domains.", "pipelines.cli", "pipelines.template"))
            or not item.module.startswith("pipelines.")
        )
    ]
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("stage", [*STAGES, "report"])
def test_deps_of_a_stage_cover_its_imports(stage: str, package: str) -> None:
    deps = _code_deps(stage, package)
    reached = {name for name in closure(_roots(stage, package)) if not is_docstring_only(name)}
    uncovered = sorted(name for name in reached if not any(_in(name, dep) for dep in deps))
    assert not uncovered, f"dvc.yaml: {stage}: deps lack what {package} imports"


# A domain may score with a network (weights are read by pipelines.training): none does so far.
ALLOWED = {"evaluate": {"pipelines.training"}}


@pytest.mark.parametrize("stage", [*STAGES, "report"])
def test_no_dep_of_a_stage_is_superfluous(stage: str) -> None:
    needed = set()
    for package in PACKAGES:
        reached = closure(_roots(stage, package))
        for dep in _code_deps(stage, package):
            if any(_in(name, dep) for name in reached if not is_docstring_only(name)):
                needed.add(dep.removeprefix(f"{package}."))
    declared = {dep.removeprefix(f"{PACKAGES[0]}.") for dep in _code_deps(stage, PACKAGES[0])}
    unused = declared - needed - ALLOWED.get(stage, set())
    assert unused == set(), f"dvc.yaml: {stage}: no domain imports these deps"


def test_no_stage_imports_what_dvc_ignores() -> None:
    """What `export` alone reads reruns no stage, and so must change the result of none."""
    ignored = {
        name
        for line in (ROOT / ".dvcignore").read_text(encoding="utf-8").splitlines()
        for name, file in python_files("pipelines", "domains").items()
        if file.match(line)
    }
    assert {f"domains.{domain}.predict.export" for domain in EXPORTED} <= ignored
    for package in PACKAGES:
        for stage in [*STAGES, "report"]:
            roots = [name for name in _roots(stage, package) if name not in ignored]
            assert not closure(roots) & ignored


def test_every_stage_depends_on_the_pins_and_on_its_own_parameters() -> None:
    for name, stage in read_yaml(ROOT / "dvc.yaml")["stages"].items():
        assert "constraints.txt" in stage["deps"]
        assert list(stage["params"]) == ["${item.domain}." + name]
        assert stage["cmd"] == f"exec python -m pipelines {name} ${{item.domain}}"


def test_no_stage_depends_on_or_writes_a_parent_of_another_output() -> None:
    stages = read_yaml(ROOT / "dvc.yaml")["stages"]
    written = [_path(out) for s in stages.values() for k in _OUT_KINDS for out in s.get(k, [])]
    read = [dep for s in stages.values() for dep in s["deps"] if dep.startswith("outputs/")]
    assert set(read) <= set(written)
    assert not [(a, b) for a in written for b in written if b.startswith(f"{a}/")]


def test_the_contract_says_what_dvc_is_told() -> None:
    for name, stage in read_yaml(ROOT / "dvc.yaml")["stages"].items():
        place = re.compile(r"outputs/[^/]+/(\w+)(?:/(.+))?")
        read = {found[1] for dep in stage["deps"] if (found := place.fullmatch(dep))}
        assert read == set(CONTRACT[name].reads), name
        written = [_path(out) for kind in _OUT_KINDS for out in stage.get(kind, [])]
        files = {found[2] for out in written if (found := place.fullmatch(out))} - {None}
        assert CONTRACT[name].writes_no_other == bool(files), name
        assert files in (set(), set(CONTRACT[name].writes)), name


@pytest.mark.parametrize("package", PACKAGES)
def test_a_domain_has_every_stage_as_one_function(package: str) -> None:
    assert is_docstring_only(package)
    for stage in STAGES:
        file = ROOT / package.replace(".", "/") / stage / "__init__.py"
        functions = [n.name for n in tree_of(file).body if isinstance(n, ast.FunctionDef)]
        assert [name for name in functions if name[0] != "_"] == [stage], file
        assert (file.parent / "params.py").is_file()
    assert (ROOT / package.replace(".", "/") / "prepare" / "check.py").is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_domain_s_files_are_in_its_stages_where_dvc_sees_them(package: str) -> None:
    folder = ROOT / package.replace(".", "/")
    known = {*STAGES, "presets", "README.md", "result.png", "__init__.py", "__pycache__"}
    known |= {"params.yaml"} if package == "pipelines.template" else set()
    assert {path.name for path in folder.iterdir()} <= known


@pytest.mark.parametrize("package", PACKAGES)
def test_every_parameter_is_read(package: str) -> None:
    """By its name as an attribute, somewhere in the code that its stage may import."""
    for stage in STAGES:
        reached = closure(_roots(stage, package))
        read = {
            node.attr
            for name in reached
            for node in ast.walk(tree_of(python_files("pipelines", "domains")[name]))
            if isinstance(node, ast.Attribute)
        }
        model = importlib.import_module(f"{package}.{stage}.params")
        fields = getattr(model, f"{stage.title()}Params").model_fields
        assert set(fields) <= read, f"{package}.{stage}: parameters that no code reads"


def test_no_domain_has_the_name_that_tests_give_theirs() -> None:
    assert SMALL not in read_yaml(ROOT / "params.yaml")["domains"], "give the domain another name"


def test_modules_and_functions_are_short() -> None:
    long = []
    for name, file in python_files("pipelines", "domains", "tests", "benchmarks").items():
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines >= 300:
            long.append(f"{name}: {lines} lines")
        for node in ast.walk(tree_of(file)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines >= 40:
                    long.append(f"{name}.{node.name}: {lines} lines")
    assert not long


def test_nothing_is_pickled() -> None:
    wrong = []
    files = python_files("pipelines", "domains", "benchmarks")
    del files["pipelines.data.thirdparty"]  # the one place, for weights pinned by their hash
    for name, file in files.items():
        for node in ast.walk(tree_of(file)):
            if _pickles(node):
                wrong.append(f"{name}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}")
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_every_parameter_is_described(package: str) -> None:
    for stage in STAGES:
        importlib.import_module(f"{package}.{stage}.params")
    importlib.import_module("pipelines.report.params")
    models = [model for model in _subclasses(Params) if model.__module__.startswith("pipelines.")]
    models += [model for model in _subclasses(Params) if model.__module__.startswith(package)]
    assert len(models) > len(STAGES)
    bare = [
        f"{model.__module__}.{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if len(field.description or "") < 3
    ]
    assert not bare


def test_versions_are_pinned_exactly_and_once() -> None:
    names: list[str] = []
    for file in PINS:
        lines = [n for n in file.read_text(encoding="utf-8").splitlines() if n[:1] not in ("", "#")]
        wrong = [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)]
        assert not wrong, file.name
        names += [line.split("==")[0] for line in lines]
    assert len(names) == len(set(names))


PICKLERS = {"pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
_OUT_KINDS = ("outs", "metrics", "plots")


def _path(out: Any) -> str:
    return out if isinstance(out, str) else str(next(iter(out)))


def _stage_of(package: str, name: str) -> str | None:
    parts = name.removeprefix(package).split(".")
    return parts[1] if name.startswith(f"{package}.") else None


def _roots(stage: str, package: str) -> list[str]:
    own = [] if stage == "report" else [f"{package}.{stage}"]
    roots = [*own, *DEFAULT_ROOTS, *FURTHER_ROOTS.get(stage, [])]
    return [name for root in roots for name in below(root)]


def _code_deps(stage: str, package: str) -> list[str]:
    deps = read_yaml(ROOT / "dvc.yaml")["stages"][stage]["deps"]
    code = [dep for dep in deps if dep.startswith(("pipelines/", "domains/"))]
    return [d.replace("/", ".").replace("domains.${item.domain}", package) for d in code]


def _in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _pickles(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(_root(alias.name) in PICKLERS for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        names = {alias.name for alias in node.names}
        root = _root(node.module or "")
        return root in PICKLERS or (root == "torch" and bool(names & {"load", "save"}))
    if isinstance(node, ast.keyword):
        return node.arg == "allow_pickle" and ast.unparse(node.value) != "False"
    if isinstance(node, ast.Call):
        function = ast.unparse(node.func)
        return function in {"torch.load", "torch.save"} or "pickle" in function
    return False


def _root(module: str) -> str:
    return module.split(".")[0].lstrip("_")


def _subclasses(model: type[Params]) -> Iterator[type[Params]]:
    for child in model.__subclasses__():
        yield child
        yield from _subclasses(child)


def test_the_scan_sees_deferred_and_relative_imports() -> None:
    found = {(i.module, i.deferred) for i in imports_of("pipelines.template.predict")}
    assert ("pipelines.template.prepare.reading", True) in found
    assert ("pipelines.template.predict.params", False) in found
    reached = closure(["pipelines.template.predict"])
    assert {"pipelines.training.weights", "pipelines.core.errors"} <= reached
    assert Path(ROOT / "pipelines/template/predict/model.py") in python_files("pipelines").values()
