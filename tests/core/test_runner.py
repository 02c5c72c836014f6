"""A stage publishes as a whole or not at all."""

from __future__ import annotations

import dataclasses
import fcntl
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.core import runner
from pipelines.core.environment import Environment, environment
from pipelines.core.errors import UserError
from pipelines.core.params import Params
from pipelines.core.stagefile import dependencies, digest

OUT = Path("outputs/toy/predict")
PARTIAL = Path(".work/toy/predict.partial")
Stage = Callable[[Params, runner.Inputs, Path], None]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Stage], None]:
    """Runs a function as the stage `predict` of a domain whose earlier stages have run."""
    monkeypatch.chdir(tmp_path)
    for stage in ("prepare", "train"):
        for name in runner.STAGES[stage].writes:
            Path("outputs/toy", stage).mkdir(parents=True, exist_ok=True)
            Path("outputs/toy", stage, name).touch()
    monkeypatch.setattr(runner, "prepare_process", environment)
    monkeypatch.setattr(runner, "load_params", lambda domain, stage: Params())

    def run_as_stage(function: Stage) -> None:
        monkeypatch.setattr(runner, "_load", lambda module, name: function)
        runner.run_stage("predict", "toy")

    return run_as_stage


def writes(name: str) -> Stage:
    def stage(params: Params, inputs: runner.Inputs, out: Path) -> None:
        assert inputs.train == Path("outputs/toy/train")
        assert list(out.iterdir()) == []
        (out / name).write_text(name)

    return stage


def fails(params: Params, inputs: runner.Inputs, out: Path) -> None:
    (out / "half.csv").write_text("half")
    raise ZeroDivisionError


def published() -> list[str]:
    return sorted(path.name for path in OUT.iterdir())


def test_a_new_run_replaces_the_old_outputs_as_a_whole(run: Callable[[Stage], None]) -> None:
    run(writes("old.csv"))
    assert published() == ["old.csv"]
    run(writes("new.csv"))
    assert published() == ["new.csv"]
    assert not PARTIAL.exists() and not PARTIAL.with_suffix(".old").exists()
    record = json.loads(Path(".work/toy/predict.run.json").read_text())
    assert record["seconds"] >= 0 and record["settings"]["threads"]


def test_a_stage_that_raises_leaves_the_old_outputs(run: Callable[[Stage], None]) -> None:
    run(writes("old.csv"))
    with pytest.raises(ZeroDivisionError):
        run(fails)
    assert published() == ["old.csv"]
    assert not PARTIAL.exists()


def test_a_stage_that_breaks_the_contract_leaves_the_old_outputs(
    run: Callable[[Stage], None],
) -> None:
    run(writes("old.csv"))
    with pytest.raises(UserError, match=r"^domains/toy/predict: wrote nothing$"):
        run(lambda params, inputs, out: None)
    assert published() == ["old.csv"]
    assert not PARTIAL.exists()


def test_a_file_in_place_of_the_output_folder_is_refused_and_kept(
    run: Callable[[Stage], None],
) -> None:
    OUT.write_text("mine")
    with pytest.raises(UserError, match="outputs/toy/predict: is a file where"):
        run(writes("new.csv"))
    assert OUT.read_text() == "mine"
    assert not PARTIAL.exists()


def test_what_a_kill_left_behind_is_not_published(run: Callable[[Stage], None]) -> None:
    for folder in (PARTIAL, PARTIAL.with_suffix(".old")):
        folder.mkdir(parents=True)
        (folder / "half.csv").write_text("half")
    run(writes("old.csv"))
    run(writes("new.csv"))
    assert published() == ["new.csv"]
    assert not PARTIAL.exists() and not PARTIAL.with_suffix(".old").exists()


def test_a_second_run_at_the_same_time_is_refused(run: Callable[[Stage], None]) -> None:
    run(writes("old.csv"))
    with Path(".work/toy/predict.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="predict of toy is running in another process"):
            run(writes("new.csv"))
    assert published() == ["old.csv"]
    run(writes("new.csv"))  # the lock is free again
    assert published() == ["new.csv"]


@pytest.mark.parametrize("name", ["prepare/card.json", "train/weights.safetensors"])
def test_a_missing_input_is_named(run: Callable[[Stage], None], name: str) -> None:
    (Path("outputs/toy") / name).unlink()
    with pytest.raises(UserError) as error:
        run(writes("new.csv"))
    assert str(error.value) == f"outputs/toy/{name}: not found; run `scistage repro toy` first"
    assert not OUT.exists()


def test_a_stage_folder_without_its_function() -> None:
    with pytest.raises(UserError, match=r"pipelines\.core: has no function 'predict'"):
        runner._load("pipelines.core", "predict")


@pytest.mark.parametrize("published", [True, False])
def test_only_where_the_training_was_published_checkpoints_are_discarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: bool
) -> None:
    """A machine's processes may end well before process 0, on another one, fails to publish."""
    monkeypatch.chdir(tmp_path)
    checkpoints = Path(".work/toy/train")
    checkpoints.mkdir(parents=True)
    record = checkpoints.with_name("train.run.json")

    def launch(domain: str, settings: Environment) -> None:
        if published:
            record.write_text("{}")

    monkeypatch.setattr(runner, "_load", lambda module, name: launch)
    runner._train_together("toy", environment())
    assert checkpoints.exists() != published


def test_a_training_is_named_by_code_inputs_and_parameters(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("1")
    data = tmp_path / "data.csv"
    data.write_text("1")
    before = digest([tmp_path / "code", data], "params")
    for ignored in ("notes.md", "a.cpython-311.pyc"):
        (tmp_path / "code" / ignored).write_text("x")
    assert digest([data, tmp_path / "code"], "params") == before
    assert digest([tmp_path / "code", data], "other") != before
    data.write_text("2")
    assert digest([tmp_path / "code", data], "params") != before


@pytest.mark.usefixtures("in_root")
def test_a_training_is_named_by_how_it_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = environment()
    others: list[dict[str, object]] = [
        {},
        {"accelerator": "other"},
        {"precision": "other"},
        {"portable": not settings.portable},
        {"threads": settings.threads + 1},
    ]
    names = set()
    for changes in others:
        changed = dataclasses.replace(settings, **changes)
        monkeypatch.setattr(runner, "prepare_process", lambda changed=changed: changed)
        names.add(runner._identity("toy", Params()))
    assert len(names) == len(others)


@pytest.mark.usefixtures("in_root")
def test_dependencies_are_those_of_the_stage_file() -> None:
    paths = dependencies("toy", "train")
    assert Path("domains/toy/train") in paths and Path("outputs/toy/prepare") in paths
    assert Path("constraints.txt") in paths


def test_a_stage_gets_only_the_inputs_that_dvc_knows_of(run: Callable[[Stage], None]) -> None:
    def reads_on(params: Params, inputs: runner.Inputs, out: Path) -> None:
        (out / "copy.csv").write_text(str(inputs.evaluate))

    with pytest.raises(UserError, match=r"^domains/toy/predict: reads inputs\.evaluate, .*train$"):
        run(reads_on)
    assert not OUT.exists()
