"""The report stage and the overview, on made-up artifacts of a made-up domain."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.numpy import save_file

from pipelines.core.artifacts import read_csv, read_json, write_csv, write_json
from pipelines.core.contract import SCORE_COLUMNS
from pipelines.core.errors import UserError
from pipelines.core.runner import Inputs
from pipelines.report import report
from pipelines.report.formatting import DASH
from pipelines.report.overview import write_overview
from pipelines.report.params import ReportParams

PARAMS = ReportParams(title="Seeds counted", headline=["dice", "age_mae"], units={"age_mae": "h"})
SCORES = [
    ("model", "dice", "all", 0.9691, 0.9612, 0.9752, 83, "this run"),
    ("otsu", "dice", "all", 0.9012, 0.881, 0.921, 83, "this run"),
    ("random_forest", "dice", "all", 0.9121, 0.89, 0.93, 83, "this run"),
    ("model - random_forest", "dice", "all", 0.057, 0.041, 0.073, 83, "this run"),
    ("model - otsu", "dice", "all", 0.0679, 0.05, 0.08, 83, "this run"),
    ("StarDist", "dice", "all", 0.9203, None, None, None, "Schmidt et al. 2018"),
    ("model", "dice", "small", 0.95, 0.93, 0.97, 31, "this run"),
    ("model", "dice", "large", 0.98, None, None, 52, "this run"),
    ("model", "age_mae", "all", 3.42, 3.21, 3.63, 83, "this run"),
    ("mean", "age_mae", "all", 6.93, 6.5, 7.3, 83, "this run"),
    ("model - mean", "age_mae", "all", -3.51, -3.9, -3.1, 83, "this run"),
    ("bayes_optimal", "age_mae", "all", 3.18, None, None, None, "this run"),
]


def png(shade: int) -> bytes:
    out = BytesIO()
    Image.new("RGB", (900, 300), (shade, shade, shade)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Complete artifacts of one domain; a test breaks what it is about."""
    folders = Inputs(*[tmp_path / name for name in ("prep", "train", "predict", "eval", "explain")])
    for folder in vars(folders).values():
        folder.mkdir()
    write_json(folders.prepare / "card.json", card())
    (folders.prepare / "preview.png").write_bytes(png(40))
    write_training(folders.train)
    write_csv(folders.evaluate / "scores.csv", pd.DataFrame(SCORES, columns=SCORE_COLUMNS))
    curve = pd.DataFrame({"recall": [0.0, 0.5, 1.0], "model": [1, 0.9, 0.2], "otsu": [1, 0.5, 0.1]})
    write_csv(folders.evaluate / "curves" / "precision_recall.csv", curve)
    figures = [
        {"file": "first.png", "title": "Three seeds", "caption": "Best, median and worst."},
        {"file": "second.png", "title": "Gradients", "caption": "Control: randomised weights."},
    ]
    findings = {"attention_on_border": 0.5512, "shortcut_test": "passed"}
    write_json(folders.explain / "explain.json", {"figures": figures, "findings": findings})
    (folders.explain / "first.png").write_bytes(png(90))
    (folders.explain / "second.png").write_bytes(png(180))
    return folders


def card(**changes: object) -> dict[str, object]:
    source = {
        "name": "Seeds 1",
        "licence": "CC0 1.0",
        "citation": "Sower et al. 2020",
        "url": "https://example.org/seeds",
        "files": {"train.zip": "a3" * 32},
    }
    counts = {"train": {"images": 412}, "validation": {"images": 60}, "test": {"images": 83}}
    content = {"title": "Seeds", "description": "Seeds on paper.", "synthetic": False}
    excluded = [{"what": "Blurred", "why": "no seed to be seen", "count": 7}]
    content |= {"source": source, "splits": counts, "excluded": excluded, "units": {"age_mae": "y"}}
    return content | {"intervals": "n counts photographs.", "notes": ["One laboratory."]} | changes


def write_training(folder: Path) -> None:
    epochs = np.arange(5)
    loss = pd.DataFrame({"fit": "unet", "epoch": epochs, "train_loss": 1 / (1 + epochs)})
    write_csv(folder / "history.csv", loss.assign(val_dice=epochs / 5, note=np.nan))
    fit = {"model": {"width": 16, "tile": {"size_px": 64}}, "selected_epoch": 3}
    fits = {"fits": {"unet": {**fit, "monitor": "val_dice", "value": 0.6}}}
    write_json(folder / "model.json", fits)
    save_file({"unet/weight": np.zeros((10, 12), np.float32)}, folder / "weights.safetensors")


@pytest.fixture
def page(inputs: Inputs, tmp_path: Path) -> Callable[..., str]:
    """Renders the page with changed parameters or another card; returns its HTML."""

    def render(params: ReportParams = PARAMS, **card_changes: object) -> str:
        if card_changes:
            write_json(inputs.prepare / "card.json", card(**card_changes))
        out = tmp_path / "report"
        out.mkdir(exist_ok=True)
        report(params, inputs, out)
        return (out / "index.html").read_text(encoding="utf-8")

    return render


class Tags(HTMLParser):
    """Every start tag with its attributes; fails on tags that do not nest."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in names]


# --- the page


def test_page_says_what_the_artifacts_say(page):
    html = page()
    for text in (
        "Dice 0.969 [0.961, 0.975]. Better than the best baseline on Dice and age MAE.",
        "+0.057",  # the paired difference
        "Schmidt et al. 2018",
        "n counts photographs. All are of one training",
        "CC0 1.0",
        "no seed to be seen",
        "Tile: size px",
        "Selected: epoch 4",
        "evaluate/curves/precision_recall.csv",
        "Control: randomised weights.",
        "0.5512",
        "a3" * 32,
        "One laboratory.",
        "make repro",
    ):
        assert text in html


def test_markup_in_any_text_is_escaped(page, inputs):
    evil = '<script>alert("x")</script>'
    scores = read_csv(inputs.evaluate / "scores.csv").replace("otsu", evil)
    write_csv(inputs.evaluate / "scores.csv", scores)
    figures = [{"file": "first.png", "title": evil, "caption": evil}]
    explain = {"figures": figures, "findings": {evil: evil}}
    write_json(inputs.explain / "explain.json", explain)
    html = page(PARAMS.model_copy(update={"title": evil}), title=evil, notes=[evil])
    assert evil not in html
    assert html.count("<script>") == 1  # the page's own
    assert "&lt;script&gt;" in html
    Tags(html)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//example.org"])
def test_only_web_addresses_become_links(page, address):
    html = page(source={"name": "s", "licence": "l", "citation": "c", "url": address, "files": {}})
    assert all(str(tag["href"]).startswith("#") for tag in Tags(html).named("a"))


def test_page_loads_nothing_from_elsewhere(page):
    html = page()
    tags = Tags(html)
    assert {str(image["src"])[:22] for image in tags.named("img") if "src" in image} == {
        "data:image/png;base64,"
    }
    assert not [tag for tag in tags.named("script", "iframe", "source") if "src" in tag]
    assert [tag["href"] for tag in tags.named("link")] == ["data:,"]
    assert "@import" not in html and "url(" not in html and "fetch(" not in html
    outside = [str(a["href"]) for a in tags.named("a") if not str(a["href"]).startswith("#")]
    assert outside == ["https://example.org/seeds"]


def test_page_is_accessible(page):
    tags = Tags(page())
    assert all(image.get("alt") for image in tags.named("img") if "src" in image)
    assert all(cell.get("scope") for cell in tags.named("th"))
    levels = [int(tag[1]) for tag, _ in tags.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    targets = {attributes["id"] for _, attributes in tags.found if "id" in attributes}
    links = [str(a["href"]) for a in tags.named("a")]
    assert {link[1:] for link in links if link.startswith("#")} == targets


def test_two_renders_are_equal_byte_for_byte(inputs, tmp_path):
    files = []
    for name in ("one", "two"):
        out = tmp_path / name
        out.mkdir()
        report(PARAMS, inputs, out)
        files.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert files[0] == files[1]
    assert set(files[0]) == {"index.html", "summary.json", "thumbnail.png"}
    assert str(tmp_path).encode() not in files[0]["index.html"]


def test_synthetic_data_are_announced_before_the_title(page):
    assert "Synthetic data" not in page()
    html = page(synthetic=True)
    body = html[html.index("<body>") :]
    assert body.index("Synthetic data:") < body.index("<h1>")


def test_page_without_optional_pieces(page, inputs):
    (inputs.evaluate / "curves" / "precision_recall.csv").unlink()
    (inputs.prepare / "preview.png").unlink()
    (inputs.explain / "explain.json").unlink()
    scores = read_csv(inputs.evaluate / "scores.csv")
    write_csv(inputs.evaluate / "scores.csv", scores[scores["row"] == "model"])
    html = page(excluded=[], notes=[])
    assert "No baseline" in html and "Nothing was excluded." in html
    for section in ("examples", "curves", "learnt", "limits"):
        assert f'id="{section}"' not in html and f"#{section}" not in html
    Tags(html)


def test_missing_intervals_and_values_are_dashes(page, inputs):
    table = pd.DataFrame(SCORES, columns=SCORE_COLUMNS)
    table.loc[table["row"] == "otsu", ["value", "low", "high"]] = np.nan
    table.loc[table["row"] == "model", ["low", "high", "n"]] = np.nan
    write_csv(inputs.evaluate / "scores.csv", table)
    html = page()
    text = re.sub(r"base64,[^\"]+", "", html[html.index("<body>") :])
    assert "nan" not in text.lower().split() and ">nan<" not in text and "None" not in text
    assert f"95 % interval {DASH}" in text


def test_a_headline_that_no_row_has_a_value_of_is_a_dash(page, inputs):
    scores = read_csv(path := inputs.evaluate / "scores.csv")
    scores.loc[scores["metric"] == "age_mae", ["value", "low", "high"]] = np.nan
    write_csv(path, scores)
    assert "Age MAE" in page() and "Age MAE of each row" not in page()


def test_a_score_beyond_bayes_raises_the_alarm(page, inputs):
    assert "Bayes-optimal predictor" not in page()
    scores = read_csv(inputs.evaluate / "scores.csv")
    scores.loc[scores["row"] == "bayes_optimal", "value"] = 4.0  # worse than the model's 3.42
    write_csv(inputs.evaluate / "scores.csv", scores)
    assert "look for a leak" in page()


def _with(*headline: str) -> ReportParams:
    return PARAMS.model_copy(update={"headline": list(headline)})


def test_other_targets_than_the_headlines_open_with_those_of_metrics_json(page, inputs):
    assert page(_with("f2", "dice")) == page(_with("dice"))  # what was not scored is left out
    write_json(inputs.evaluate / "metrics.json", {"age_mae": 3.42, "dice": 0.9})
    assert page(_with("f2")) == page(_with("age_mae", "dice"))
    write_json(inputs.evaluate / "metrics.json", {})  # one class in the test set: nothing finite
    assert page(_with("f2")) == page(_with("dice", "age_mae"))


@pytest.mark.parametrize("content", [None, b"GIF89a"])
def test_figure_that_is_no_png_is_named(page, inputs, content):
    (inputs.explain / "second.png").unlink()
    if content:
        (inputs.explain / "second.png").write_bytes(content)
    with pytest.raises(UserError, match=r"figures\[1\]\.file.*second\.png"):
        page()


# --- the overview


def test_overview_shows_each_domain_and_says_which_are_missing(inputs, tmp_path):
    outputs = tmp_path / "outputs"
    out = outputs / "seeds" / "report"
    out.mkdir(parents=True)
    report(PARAMS, inputs, out)
    path = write_overview(outputs, ["seeds", "moons"])
    html = path.read_text(encoding="utf-8")
    assert path == outputs / "index.html"
    assert [a["href"] for a in Tags(html).named("a")] == ["seeds/report/index.html"]
    assert all(text in html for text in ("Seeds counted", "0.969", "Random forest", "0.912"))
    assert "scistage repro moons" in html
    assert [str(i["src"])[:10] for i in Tags(html).named("img")] == ["data:image"]
    assert read_json(out / "summary.json")["headline"][1]["unit"] == "y"
    assert write_overview(outputs, ["seeds", "moons"]).read_text(encoding="utf-8") == html
