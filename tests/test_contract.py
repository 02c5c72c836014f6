"""What every domain promises, held against a run of each at `tiny`."""

from __future__ import annotations

import json
import math
import platform
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipelines.core.artifacts import read_csv, read_json
from pipelines.core.contract import STAGES, THIS_RUN, UNIT_COLUMNS, check_outputs
from pipelines.core.params import read_yaml
from tests.imports import DOMAINS
from tests.workspace import Workspace

EVERY = [*DOMAINS, "spectra"]
PNG = b"\x89PNG\r\n\x1a\n"

# Everything that `scistage check` imports of a domain, and what it would say, without torch.
CHECK = """
import json, sys
from pipelines.cli.check import check_domains
files = check_domains(sys.argv[1:])
print(json.dumps({"files": files, "torch": "torch" in sys.modules}))
"""


@pytest.fixture(params=EVERY)
def domain(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def workspace(domain: str, request: pytest.FixtureRequest) -> Workspace:
    name = "finished" if domain in DOMAINS else "finished_spectra"
    workspace: Workspace = request.getfixturevalue(name)
    return workspace


@pytest.fixture
def outputs(workspace: Workspace, domain: str) -> Path:
    return workspace.path / "outputs" / domain


@pytest.mark.parametrize("stage", list(STAGES))
def test_outputs_keep_the_contract(outputs: Path, domain: str, stage: str) -> None:
    check_outputs(stage, outputs / stage, f"domains/{domain}/{stage}")


def test_card_is_complete(outputs: Path) -> None:
    card = read_json(outputs / "prepare" / "card.json")
    assert card["title"].strip() and card["description"].strip()
    assert card["synthetic"] == card["description"].startswith("Synthetic data")
    assert all(card["source"].get(key) for key in ("name", "licence", "citation"))
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in card["source"]["files"].values())
    assert list(card["splits"])[:3] == ["train", "validation", "test"]
    for counts in card["splits"].values():
        assert counts and next(iter(counts.values())) > 0  # none is empty
    assert (outputs / "prepare" / "preview.png").read_bytes().startswith(PNG)


def test_scores_are_honest(outputs: Path) -> None:
    scores = read_csv(outputs / "evaluate" / "scores.csv")
    assert not scores[["row", "metric", "group", "source"]].isna().any(axis=None)
    assert not scores.duplicated(["row", "metric", "group"]).any()
    assert scores["metric"].str.fullmatch("[a-z][a-z0-9_]*").all()
    ours = scores[scores["source"] == THIS_RUN]
    published = scores[scores["source"] != THIS_RUN]
    assert (published["source"].str.len() > 3).all()
    bounded = scores.dropna(subset=["value", "low", "high"])
    width = 1e-5 * bounded[["low", "high"]].abs().max(axis=1) + 1e-12  # six digits are written
    assert (bounded["low"] <= bounded["value"] + width).all()
    assert (bounded["value"] <= bounded["high"] + width).all()
    assert "model" in set(bounded["row"]), "the model's scores have no interval"
    assert (ours["n"].dropna() > 0).all()


def test_metrics_are_few_and_finite(outputs: Path) -> None:
    metrics = read_json(outputs / "evaluate" / "metrics.json")
    assert 1 <= len(metrics) <= 8
    assert all(math.isfinite(value) for value in metrics.values())
    for path in (outputs / "evaluate" / "curves").iterdir():
        assert re.fullmatch(r"[a-z][a-z0-9_]*\.csv", path.name)
        assert read_csv(path).shape[1] >= 2


def test_explain_shows_a_control_that_fails(outputs: Path) -> None:
    content = read_json(outputs / "explain" / "explain.json")
    captions = " ".join(figure["caption"] for figure in content["figures"]).lower()
    assert "control" in captions and re.search("randomi[sz]ed|shuffled", captions)
    assert content["findings"]
    for figure in content["figures"]:
        assert (outputs / "explain" / figure["file"]).read_bytes().startswith(PNG)


def test_history_and_model_belong_together(outputs: Path) -> None:
    fits = read_json(outputs / "train" / "model.json")["fits"]
    history = read_csv(outputs / "train" / "history.csv")
    assert list(history["fit"].unique()) == list(fits)
    for name, fit in fits.items():
        epochs = history[history["fit"] == name]
        assert epochs["epoch"].tolist() == list(range(fit["epochs"]))
        selected = epochs[fit["monitor"]].iloc[fit["selected_epoch"]]
        best = (
            epochs[fit["monitor"]].max() if fit["mode"] == "max" else epochs[fit["monitor"]].min()
        )
        assert selected == best == pytest.approx(fit["value"], rel=1e-5)


def test_every_split_is_told_with_what_it_keeps_together(outputs: Path, domain: str) -> None:
    """That no unit is in two splits is for `check_outputs`, which must know what the units are."""
    if domain == "molecules":
        pytest.skip("has arrays and lists in place of tables: tests/molecules/test_prepare.py")
    tables = [read_csv(path) for path in sorted((outputs / "prepare").glob("*.csv"))]
    told = [t for t in tables if "split" in t and set(UNIT_COLUMNS) & set(t)]
    assert told, f"prepare/*.csv: none has the columns split and {' or '.join(UNIT_COLUMNS)}"
    assert any({"train", "validation", "test"} <= set(table["split"]) for table in told)


def test_report_needs_no_other_file_and_no_network(outputs: Path) -> None:
    page = (outputs / "report" / "index.html").read_text(encoding="utf-8")
    loaded: list[str] = []

    class Loads(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            for name, value in attrs:
                if name in ("src", "srcset", "poster", "data") or (name == "href" and tag != "a"):
                    loaded.append(value or "")

    Loads().feed(page)
    assert loaded, "a page without a picture"
    assert [address[:60] for address in loaded if not address.startswith(("data:", "#"))] == []
    assert not re.search(r"url\((?!['\"]?(data:|#))|@import", page)


def test_outputs_do_not_say_where_they_were_made(outputs: Path, workspace: Workspace) -> None:
    places = [str(workspace.path), str(Path.home()), str(Path(sys.prefix)), platform.node()]
    needles = [place.encode() for place in places if len(place) > 4]
    found = [
        f"{path}: {needle.decode()}"
        for path in outputs.rglob("*")
        if path.is_file()
        for needle in needles
        if needle in path.read_bytes()
    ]
    assert not found


def test_check_needs_no_torch_and_names_the_files_on_the_card(
    outputs: Path, workspace: Workspace, domain: str
) -> None:
    run = workspace.process([sys.executable, "-c", CHECK, domain])
    assert run.returncode == 0, run.stderr
    checked = json.loads(run.stdout)
    assert not checked["torch"]
    card = read_json(outputs / "prepare" / "card.json")
    assert checked["files"] == {domain: card["source"]["files"]}


def test_presets_set_the_same_keys_and_the_shipped_values_are_quick(
    workspace: Workspace, domain: str
) -> None:
    folder = workspace.path / "domains" / domain / "presets"
    scales = {name: read_yaml(folder / f"{name}.yaml") for name in ("tiny", "quick", "full")}
    keys = {name: sorted(flat(preset)) for name, preset in scales.items()}
    assert keys["tiny"] == keys["quick"] == keys["full"]
    assert len({json.dumps(preset) for preset in scales.values()}) == 3
    values = flat(shipped_params(workspace, domain))
    assert {key: values[key] for key in keys["quick"]} == flat(scales["quick"])


def test_every_preset_is_valid(workspace: Workspace, domain: str, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    copy.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        (copy / name).write_bytes(workspace.read(name))
    for name in ("domains", "pipelines"):
        (copy / name).symlink_to(workspace.path / name)
    presets = sorted(p.stem for p in (copy / "domains" / domain / "presets").glob("*.yaml"))
    assert {"tiny", "quick", "full"} <= set(presets)
    for run in Workspace(copy).run_many(*[["preset", domain, name] for name in presets]):
        assert run.returncode == 0, run.stderr


def shipped_params(workspace: Workspace, domain: str) -> Any:
    """The domain's section before a test wrote a preset over it."""
    if domain not in DOMAINS:
        return read_yaml(workspace.path / "pipelines" / "template" / "params.yaml")
    committed = workspace.process(["git", "show", "HEAD:params.yaml"])
    return YAML(typ="safe").load(committed.stdout)[domain]


def flat(section: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots."""
    found: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
