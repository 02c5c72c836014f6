"""Every broken format is refused, with a message that names its owner and the file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.core.contract import STAGES, check_outputs, read_card
from pipelines.core.errors import UserError

SCORES = """\
row,metric,group,value,low,high,n,source
model,mae,all,0.123457,0.1,0.15,40,this run
model,mae,women,0.2,,,20,this run
mean,mae,all,0.3,0.2,0.4,40,this run
Doe 2020,mae,all,0.11,,,,doi:10.1/x
"""
CARD = {
    "title": "t",
    "description": "d",
    "synthetic": False,
    "source": {"name": "n", "licence": "l", "citation": "c", "files": {}},
    "splits": {"train": {"n": 1}, "validation": {"n": 1}, "test": {"n": 1}},
    "excluded": [],
    "intervals": "n counts seeds.",
    "notes": [],
}
EXPLAIN = {
    "figures": [{"file": "a.png", "title": "t", "caption": "c"}],
    "findings": {"correlation": 0.5},
}
GOOD: dict[str, dict[str, str]] = {
    "prepare": {"card.json": json.dumps(CARD), "preview.png": "png"},
    "train": {"weights.safetensors": "w", "model.json": "{}", "history.csv": "fit,epoch\na,0\n"},
    "predict": {"predictions.csv": "a\n1\n"},
    "evaluate": {
        "metrics.json": '{"mae": 0.12346}',
        "scores.csv": SCORES,
        "baselines.json": "{}",
        "curves/x.csv": "a\n",
    },
    "explain": {"explain.json": json.dumps(EXPLAIN), "a.png": "png"},
    "report": {"index.html": "<html>"},
}


def write(stage: str, folder: Path, **replaced: str | None) -> Path:
    """Good outputs of a stage; a file replaced by other content, or by None: left out."""
    folder.mkdir(exist_ok=True)
    for name, content in {**GOOD[stage], **replaced}.items():
        if content is not None:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(content)
    return folder


def refusal(stage: str, folder: Path) -> str:
    with pytest.raises(UserError) as error:
        check_outputs(stage, folder, f"domains/toy/{stage}")
    return str(error.value)


@pytest.mark.parametrize("stage", list(STAGES))
def test_good_outputs_pass(tmp_path: Path, stage: str) -> None:
    check_outputs(stage, write(stage, tmp_path / "out"), "toy")


@pytest.mark.parametrize(
    "stage, name", [(s.name, name) for s in STAGES.values() for name in s.writes]
)
def test_a_missing_file_is_named(tmp_path: Path, stage: str, name: str) -> None:
    gone: dict[str, Any] = {n: None for n in GOOD[stage] if n.startswith(name)}
    folder = write(stage, tmp_path / "out", **gone)
    assert f"did not write {name}," in refusal(stage, folder)


def test_a_stage_that_writes_nothing(tmp_path: Path) -> None:
    assert refusal("predict", tmp_path).endswith("wrote nothing")


def broken_card(change: Callable[[dict[str, Any]], Any]) -> str:
    card = json.loads(GOOD["prepare"]["card.json"])
    change(card)
    return json.dumps(card)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda card: card.pop("synthetic"), "key 'synthetic' is missing"),
        (lambda card: card.update(intervals=3), "intervals: found 3; a text is needed"),
        (lambda card: card.update(synthetic="yes"), "synthetic: found 'yes'; true or false"),
        (lambda card: card.update(notes="one"), "notes: found 'one'; a list of texts"),
        (lambda card: card["splits"].update(test={}), "splits.test: found {}; a mapping of counts"),
        (lambda card: card["splits"].update(test={"n": "3"}), "splits.test: found {'n': '3'};"),
        (
            lambda card: card.update(excluded=[{"what": "a", "why": "b", "count": "3"}]),
            "excluded: a list of mappings",
        ),
        (lambda card: card["splits"].pop("test"), "splits: 'test' is missing"),
        (lambda card: card["splits"].update(test=3), "splits.test: found 3; a mapping of counts"),
        (lambda card: card.update(excluded=["3 spectra"]), "excluded: a list of mappings"),
        (lambda card: card["source"].pop("files"), "source.files: a mapping"),
        (lambda card: card["source"].update(files=["a"]), "source.files: a mapping"),
    ],
)
def test_a_card_that_lacks_something(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    folder = write("prepare", tmp_path / "out", **{"card.json": broken_card(change)})
    assert f"card.json: {said}" in refusal("prepare", folder)
    with pytest.raises(UserError, match=f"^{re.escape(str(folder))}: .*; run `scistage repro`$"):
        read_card(folder)


@pytest.mark.parametrize(
    "stage, name, content, said",
    [
        ("prepare", "card.json", "{", "not JSON"),
        ("prepare", "card.json", "[]", "found list; a mapping"),
        ("prepare", "card.json", json.dumps({**CARD, "splits": 3}), "splits and source: mappings"),
        ("train", "history.csv", "epoch,fit\n0,a\n", "columns are ['epoch', 'fit']"),
        ("train", "history.csv", "", "not a CSV table"),
        ("evaluate", "scores.csv", SCORES.replace("row,", "name,"), "columns are ['name'"),
        ("evaluate", "scores.csv", SCORES.replace("mean,mae", "model_b,mae"), "no baseline"),
        ("evaluate", "scores.csv", SCORES.replace("40,this run", "40,Doe"), "no baseline"),
        ("evaluate", "scores.csv", SCORES.replace("mean,", "bayes_optimal,"), "mae: no baseline"),
        ("evaluate", "scores.csv", SCORES.replace("mean,", "model - mean,"), "mae: no baseline"),
        ("evaluate", "scores.csv", SCORES.replace("mean,mae", "mean,rmse"), "mae: no baseline"),
        ("evaluate", "metrics.json", "3", "found int; a mapping"),
        ("evaluate", "metrics.json", '{"mae": 0.2}', "mae: 0.2 is not the model's row"),
        ("evaluate", "metrics.json", '{"rmse": 0.2}', "rmse: 0.2 is not the model's row"),
        ("evaluate", "metrics.json", '{"mae": "0.123457"}', "mae: found '0.123457'; a finite"),
        ("evaluate", "metrics.json", '{"mae": NaN}', "mae: found nan; a finite"),
        ("evaluate", "metrics.json", '{"mae": null}', "mae: found None; a finite"),
        ("explain", "explain.json", "[]", "found list; a mapping"),
        ("explain", "explain.json", '{"figures": [], "findings": {}}', "at least one figure"),
        ("explain", "explain.json", json.dumps({**EXPLAIN, "findings": None}), "findings"),
        ("explain", "explain.json", json.dumps(EXPLAIN).replace('"c"', '""'), "lacks file, title"),
        ("explain", "explain.json", json.dumps(EXPLAIN).replace("a.png", "b.png"), "b.png was not"),
        ("explain", "explain.json", json.dumps(EXPLAIN).replace("a.png", "./a.png"), "was not"),
        ("explain", "explain.json", '{"figures": ["a.png"], "findings": {}}', "lacks file, title"),
    ],
)
def test_a_broken_file_is_named(
    tmp_path: Path, stage: str, name: str, content: str, said: str
) -> None:
    folder = write(stage, tmp_path / "out", **{name: content})
    message = refusal(stage, folder)
    assert name in message and said in message


@pytest.mark.parametrize("column", ["group", "patient"])
def test_a_unit_in_two_splits_is_named(tmp_path: Path, column: str) -> None:
    told = f"split,{column},x\ntrain,007,1\ntrain,007,2\ntest,7,1\n"
    counts = "split,label,count\ntrain,1,8\ntest,1,8\n"
    folder = write("prepare", tmp_path / "out", **{"samples.csv": told, "counts.csv": counts})
    check_outputs("prepare", folder, "toy")
    leaky = write(
        "prepare", tmp_path / "leaky", **{"samples.csv": told.replace("test,7", "test,007")}
    )
    assert f"samples.csv: {column} '007' is in several splits" in refusal("prepare", leaky)


def test_a_file_that_dvc_would_lose_is_named(tmp_path: Path) -> None:
    folder = write("evaluate", tmp_path / "out", **{"settings.json": "{}"})
    assert "wrote settings.json, which dvc.yaml does not list" in refusal("evaluate", folder)


def test_pickles_are_refused_by_name(tmp_path: Path) -> None:
    folder = write("predict", tmp_path / "out")
    ragged = np.array([np.zeros(2), np.zeros(3)], dtype=object)
    np.save(folder / "good.npy", np.zeros((2, 3)))
    np.savez(folder / "good.npz", a=np.zeros(2), b=np.array(["x"]))
    check_outputs("predict", folder, "toy")
    makers = {
        "bad.npy": lambda path: np.save(path, ragged),
        "bad.npz": lambda path: np.savez(path, a=np.zeros(2), b=ragged),
        "bad.pt": lambda path: path.write_bytes(b"x"),
    }
    for name, make in makers.items():
        make(folder / name)
        assert f"{name}: is a pickle" in refusal("predict", folder)
        (folder / name).unlink()
