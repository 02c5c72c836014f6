import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from domains.retina.predict import predict
from domains.retina.predict.apply import SUFFIXES, apply
from domains.retina.predict.overlay import CAPTION, TILE
from domains.retina.predict.params import PredictParams
from domains.retina.prepare.arrays import read_eyes
from domains.retina.prepare.cohort import Cohort, eyes
from domains.retina.prepare.render import render
from pipelines.core.artifacts import read_json, write_json
from pipelines.core.errors import UserError
from pipelines.core.runner import Inputs
from tests.retina.made import TARGETS, made_prepare
from tests.retina.trained import trained

SIZE = 64


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Inputs:
    base = tmp_path_factory.mktemp("apply")
    made_prepare(base / "prepare", n=16, size=SIZE)
    _draw_the_first_test_eye(base / "prepare")
    inputs = trained(base / "prepare", base / "train")
    (base / "train" / "predict").mkdir()
    predict(PredictParams(coverage=0.9, abstain=0.0), inputs, inputs.predict)
    return inputs


def _draw_the_first_test_eye(prepare: Path) -> None:
    """Made-up pixels are no photograph of a quality that `apply` would read."""
    images = np.load(prepare / "images.npy")
    first = (pd.read_csv(prepare / "eyes.csv")["split"] == "test").argmax()
    images[first] = render(eyes(Cohort(0, 5.0).person(1))[0], SIZE)
    np.save(prepare / "images.npy", images)


@pytest.fixture
def photographs(done, tmp_path):
    """A test eye as the network knows it, the same in a black margin, and a black photograph."""
    eye = np.array(read_eyes(done.prepare, ("test",)).images[0])
    Image.fromarray(eye).save(tmp_path / "eye.png")
    wide = np.zeros((SIZE + 20, SIZE + 60, 3), dtype=np.uint8)
    wide[10 : 10 + SIZE, 30 : 30 + SIZE] = eye
    Image.fromarray(wide).save(tmp_path / "wide.tif")
    Image.fromarray(np.zeros_like(wide)).save(tmp_path / "black.png")
    return [tmp_path / name for name in ("eye.png", "wide.tif", "black.png")]


def applied(done: Inputs, files, out) -> pd.DataFrame:
    out.mkdir()
    apply(done, list(files), out)
    return pd.read_csv(out / "predictions.csv")


def test_what_is_said_of_files_is_what_predict_says(done, photographs, tmp_path):
    table = applied(done, photographs, tmp_path / "out").set_index("file")
    said = pd.read_csv(done.predict / "eyes.csv")
    known = said[said["split"] == "test"].iloc[0]
    head = ["blur", "exposure", "field", "usable", "abstained"]
    first = ["age_mean", "age_sd", "age_low", "age_high"]
    assert list(table.columns[:9]) == [*head, *first]
    assert list(table.columns[-2:]) == ["sex_probability", "smoking_probability"]
    assert table.loc["eye.png", "usable"] and not table.loc["eye.png", "abstained"]
    for name in ("age_mean", "age_low", "systolic_high", "sex_probability"):
        assert table.loc["eye.png", name] == pytest.approx(known[name], rel=5e-3)
        assert table.loc["wide.tif", name] == pytest.approx(known[name], rel=3e-2)


def test_a_photograph_has_the_interval_of_a_photograph(done, photographs, tmp_path):
    other = replace(done, predict=tmp_path / "predict")
    shutil.copytree(done.predict, other.predict)
    content = read_json(other.predict / "calibration.json")
    for bands in content["patients"].values():
        bands["quantiles"] = [9 * width for width in bands["quantiles"]]
    write_json(other.predict / "calibration.json", content)
    before = applied(done, photographs[:1], tmp_path / "before")
    pd.testing.assert_frame_equal(before, applied(other, photographs[:1], tmp_path / "after"))


def test_a_network_of_drawn_eyes_warns(done, photographs, tmp_path, capsys):
    assert "note" not in applied(done, photographs, tmp_path / "before")
    assert not capsys.readouterr().err
    drawn = replace(done, prepare=tmp_path / "prepare")
    shutil.copytree(done.prepare, drawn.prepare)
    write_json(drawn.prepare / "cohort.json", {"seed": 0, "effect_scale": 5.0, "shortcut": False})
    table = applied(drawn, photographs, tmp_path / "after")
    assert set(table["note"]) == {"learnt from drawn eyes"}
    assert capsys.readouterr().err.startswith("warning: the network has learnt from drawn eyes")


def test_nothing_is_said_of_what_is_no_fundus(done, photographs, tmp_path):
    table = applied(done, photographs[2:], tmp_path / "out")
    assert not table["usable"].iloc[0] and table["abstained"].iloc[0]
    assert table.filter(regex="_(mean|sd|low|high|probability)$").isna().all(axis=None)


def test_overlays_show_the_photograph_and_each_target(done, photographs, tmp_path):
    applied(done, photographs, tmp_path / "out")
    shapes = {}
    for stem in ("eye", "wide", "black"):
        image = np.array(Image.open(tmp_path / "out" / f"{stem}_attention.png"))
        shapes[stem] = image.shape[1] // TILE
        assert image.shape[0] == TILE + CAPTION
        assert (image[TILE:, :TILE] < 100).any()  # there is text
    assert shapes == {"eye": 1 + len(TARGETS), "wide": 1 + len(TARGETS), "black": 1}
    image = np.array(Image.open(tmp_path / "out" / "eye_attention.png")).astype(int)
    heated = image[:TILE, TILE + 10 : 2 * TILE]
    assert np.abs(heated[..., 0] - heated[..., 2]).max() > 60  # colour over grey


def test_the_same_files_give_the_same_bytes_alone_or_together(done, photographs, tmp_path):
    applied(done, photographs, tmp_path / "all")
    applied(done, photographs[:1], tmp_path / "one")
    one = (tmp_path / "one" / "predictions.csv").read_text().splitlines()[1].split(",")
    both = (tmp_path / "all" / "predictions.csv").read_text().splitlines()[1].split(",")
    assert one[:6] == both[:6]
    np.testing.assert_allclose(np.array(one[6:], float), np.array(both[6:], float), rtol=1e-3)


def test_mistakes_are_told_before_anything_is_written(done, photographs, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no photograph")
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UserError, match=r"broken\.jpg: cannot be read"):
        apply(done, [*photographs, broken], out)
    assert not (out / "predictions.csv").exists()


def test_the_formats_are_those_of_prepare():
    assert {".jpg", ".png", ".tif", ".dcm"} <= set(SUFFIXES)
