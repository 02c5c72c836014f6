"""Scores of whole test sets: means over images, classes, calibration, published rows."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score

from domains.segmentation.evaluate import evaluate
from domains.segmentation.evaluate.baselines import otsu
from domains.segmentation.evaluate.calibration import (
    calibration_error,
    calibration_rows,
    reliability,
)
from domains.segmentation.evaluate.counts import tally
from domains.segmentation.evaluate.params import EvaluateParams
from domains.segmentation.evaluate.published import PUBLISHED, published_rows
from domains.segmentation.evaluate.regions import hausdorff
from domains.segmentation.evaluate.scores import metrics, overall, score_table
from domains.segmentation.evaluate.warping import warping_error
from domains.segmentation.predict.calibrate import temperature, tempered, two_sided
from domains.segmentation.predict.files import PROBABILITIES, RULE, write_labels
from domains.segmentation.predict.rand import rand_error
from domains.segmentation.prepare import isbi2012
from domains.segmentation.prepare.arrays import write_samples
from pipelines.core.artifacts import write_csv, write_json
from pipelines.core.contract import SCORE_COLUMNS, THIS_RUN, check_outputs
from pipelines.report.scores import read_scores
from tests.segmentation.cases import discs, form, params, sample

ONE = np.ones((20, 40), dtype=np.int32)
HALVES = np.where(np.arange(40) < 20, ONE, 2)


def table(tallies, shape) -> pd.DataFrame:
    return score_table(tallies, shape, seed=0).set_index(["row", "metric", "group"])


def test_region_errors_are_means_over_images():
    images = [sample(ONE, "a"), sample(ONE, "b"), sample(ONE, "c")]
    counts = tally(images, [ONE, ONE, HALVES], form(), by_image=True)
    assert overall(counts, form(), "rand_error") == pytest.approx(rand_error(ONE, HALVES) / 3)
    assert overall(counts, form(), "warping_error") == warping_error(ONE, HALVES) / 3
    assert overall(counts, form(), "variation_of_information") == pytest.approx(1 / 3)
    joined = tally([sample(ONE, "a")] * 3, [ONE, ONE, HALVES], form(), by_image=True)
    assert joined.images.tolist() == [[3, 3, 3, 3, 0]]  # without an edge inside no outline
    assert overall(joined, form(), "rand_error") == overall(counts, form(), "rand_error")


def test_a_stripe_is_a_picture_of_its_own():
    truth = np.concatenate([ONE, ONE, ONE])
    said = np.concatenate([ONE, HALVES, ONE])
    counts = tally([sample(truth, blocks=3)], [said], form(), by_image=True)
    np.testing.assert_allclose(counts.sums[:, 0], [0, rand_error(ONE, HALVES), 0])


def test_what_is_not_defined_is_left_out_and_not_counted():
    truth = discs((120, 40), (20, 20, 6), (60, 20, 6), (100, 20, 6))
    said = np.where(truth == 2, 0, truth)
    counts = tally([sample(truth, blocks=3)], [said], form(), by_image=True)
    scores = table({"model": counts, "other": counts}, form())
    assert scores.loc[("model", "hausdorff_95", "all"), "value"] == 0
    assert scores.loc[("model", "hausdorff_95", "all"), "n"] == 2
    assert scores.loc[("model - other", "hausdorff_95", "all"), "n"] == 2
    assert scores.loc[("model", "dice", "all"), "n"] == 3
    without = tally([sample(truth, blocks=3)], [said], form())
    assert not without.images.any()
    assert math.isnan(overall(without, form(), "rand_error"))


def test_classes_have_scores_of_their_own():
    rng = np.random.default_rng(0)
    mask, said = rng.integers(0, 3, (2, 40, 30)).astype(np.int32)
    mask[:, :4] = -1
    shape, known = form("classes", 3), mask >= 0
    scores = table({"model": tally([sample(mask)], [said], shape, by_image=True)}, shape)["value"]
    for k in (1, 2):
        wrong = 1 - accuracy_score(mask[known] == k, said[known] == k)
        assert scores["model", "pixel_error", f"class {k}"] == pytest.approx(wrong)
        distance = hausdorff(mask == k, said == k, known)
        assert scores["model", "hausdorff_95", f"class {k}"] == pytest.approx(distance)
    whole = [scores["model", "hausdorff_95", f"class {k}"] for k in (1, 2)]
    assert scores["model", "hausdorff_95", "all"] == pytest.approx(np.mean(whole))
    assert scores["model", "pixel_error", "all"] == pytest.approx((mask != said)[known].mean())


def test_a_class_that_was_missed_is_no_advantage():
    """Outlines cannot be compared: neither is the class left out of the mean, nor is it better."""
    shape = form("classes", 3)
    truth = discs((60, 60), (20, 20, 12), (45, 45, 9))
    found = discs((60, 60), (20, 20, 12), (41, 45, 9))
    images = [sample(truth, name) for name in "abcdef"]
    said = {"model": np.where(truth == 2, 0, truth), "other": found}
    tallies = {k: tally(images, [v] * 6, shape, by_image=True) for k, v in said.items()}
    value = table(tallies, shape)["value"]
    assert value["model", "hausdorff_95", "class 1"] == 0
    assert value["other", "hausdorff_95", "all"] > 0 == value["model", "dice", "class 2"]
    assert math.isnan(value["model", "hausdorff_95", "all"])
    assert math.isnan(value["model - other", "hausdorff_95", "all"])


def test_a_class_that_the_truth_lacks_has_no_score():
    shape = form("classes", 3)
    truth = discs((60, 60), (20, 20, 12))
    speck = truth.copy()
    speck[0, 0] = 2
    images = [sample(truth, name) for name in "abcdef"]
    scores = table({"model": tally(images, [speck] + [truth] * 5, shape)}, shape)["value"]
    assert scores["model", "dice", "all"] == scores["model", "iou", "all"] == 1
    assert math.isnan(scores["model", "dice", "class 2"])
    assert scores["model", "pixel_error", "class 2"] > 0  # which tells of the false pixel


def test_a_class_of_few_images_gives_no_interval_rather_than_one_without_it():
    shape = form("classes", 3)
    rare, common = discs((60, 60), (20, 20, 12), (45, 45, 9)), discs((60, 60), (20, 20, 12))
    images = [sample(rare if k < 2 else common, f"image {k}") for k in range(8)]
    speck = np.where(discs((60, 60), (45, 20, 5)) > 0, 2, common)  # false pixels of it elsewhere
    said = [common if k < 2 else speck for k in range(8)]
    scores = table({"model": tally(images, said, shape)}, shape)
    assert scores.loc[("model", "dice", "all"), "value"] == pytest.approx(0.5, abs=0.01)
    assert math.isnan(scores.loc[("model", "dice", "all"), "high"])
    assert not math.isnan(scores.loc[("model", "dice", "class 1"), "high"])


def test_region_errors_are_of_instances_only():
    names = {labels: {m for m, _ in metrics(form(labels))} for labels in ("binary", "instances")}
    assert names["instances"] - names["binary"] >= {"rand_error", "warping_error", "f1_50"}
    assert {"hausdorff_95", "dice", "iou", "pixel_error"} <= names["binary"]


def confident(sharpness: float, kinds: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (K, H, W) `sharpness` times too sure in their logarithm, and the truth."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (kinds, 150, 200))
    honest = softmax(logits, axis=0)
    drawn = (honest.cumsum(0) < rng.uniform(size=(150, 200))).sum(0).astype(np.int32)
    return softmax(sharpness * logits, axis=0).astype(np.float32), drawn


@pytest.mark.parametrize("labels", ["binary", "classes"])
@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_overconfidence(labels, sharpness):
    probability, mask = confident(sharpness, 2 if labels == "binary" else 4)
    shape = form(labels, len(probability))
    found = temperature([probability], [mask], shape)
    assert found == pytest.approx(sharpness, rel=0.05)
    after = reliability([tempered(probability, found)], [sample(mask)], shape)
    assert calibration_error(after) < 0.015


def test_temperature_judges_foreground_of_instances_and_annotated_pixels():
    foreground, drawn = confident(2.0, 2)
    three = np.stack([foreground[0], 0.7 * foreground[1], 0.3 * foreground[1]])
    mask = np.where(drawn > 0, np.arange(drawn.size).reshape(drawn.shape) + 1, 0).astype(np.int32)
    np.testing.assert_allclose(two_sided(three, form()), foreground, atol=1e-6)
    assert temperature([three], [mask], form()) == pytest.approx(2, rel=0.05)
    mask[:, :150] = -1
    assert temperature([three], [mask], form()) == pytest.approx(2, rel=0.1)
    assert temperature([three], [np.full_like(mask, -1)], form()) == 1


def test_reliability_is_of_annotated_pixels():
    probability, mask = confident(3.0, 2)
    shape, half = form("binary"), len(mask) // 2
    ignored = mask.copy()
    ignored[half:] = -1
    found = reliability([probability], [sample(ignored)], shape)
    alone = reliability([probability[:, :half]], [sample(mask[:half])], shape)
    pd.testing.assert_frame_equal(found, alone)


def test_calibration_rows_have_no_intervals_and_count_units():
    probability, mask = confident(3.0, 2)
    shape, one = form("binary"), [sample(mask, blocks=5)]
    raw, scaled = calibration_rows([probability], one, shape, 3.0)
    expected = calibration_error(reliability([probability], one, shape))
    assert raw[:4] == ("model", "calibration_error", "all", pytest.approx(expected))
    assert np.isnan(raw[4:6]).all() and raw[6:] == (5, THIS_RUN)
    assert scaled[1] == "calibration_error_scaled" and scaled[3] < raw[3] / 5


@pytest.mark.parametrize("dark", [False, True])
def test_otsu_finds_bright_and_dark_objects(dark):
    mask = discs((60, 60), (20, 20, 8), (42, 40, 9))
    bright = sample(mask)
    picture = replace(bright, image=300 - bright.image) if dark else bright
    found = otsu([picture], form(), local=False, dark=dark)[0]
    assert ((1 - found[0] > 0.5) == (mask > 0)).mean() > 0.97


def test_published_rows_stand_beside_the_runs_own(tmp_path):
    title = isbi2012.about(params(None, source="isbi2012"), [], form())["title"]
    assert title in PUBLISHED and published_rows("something else") == []
    own = [("model", "rand_error", "all", 0.05, 0.04, 0.06, 6, THIS_RUN)]
    lines = pd.DataFrame(own + published_rows(title), columns=SCORE_COLUMNS)
    write_csv(tmp_path / "scores.csv", lines)
    model, *others = read_scores(tmp_path / "scores.csv")
    assert model.n == 6
    assert {s.kind for s in others} == {"published"} and {s.n for s in others} == {None}
    unet = {s.metric: s.text for s in others if s.row == "U-Net 2015"}
    assert unet == {
        "rand_error_unthinned": "0.0382",
        "pixel_error": "0.0611",
        "warping_error": "0.000353",
    }
    assert all("hidden" in s.source and "held-out" in s.source for s in others)


def test_the_stage_scores_the_model_its_baselines_and_what_is_published(tmp_path):
    """Two cells a slice under the card's title of ISBI-2012; the model's answer is the truth."""
    inputs, shape = SimpleNamespace(prepare=tmp_path / "a", predict=tmp_path / "b"), form()
    mask = discs((48, 64), (24, 18, 11), (24, 45, 12))
    splits = ("train", "validation", "test", "test")
    slices = [sample(mask, f"slice{k}", split) for k, split in enumerate(splits)]
    for folder in (inputs.prepare, inputs.predict, tmp_path / "out"):
        folder.mkdir()
    write_samples(inputs.prepare, slices, shape)
    write_json(inputs.prepare / "card.json", {"title": next(iter(PUBLISHED))})
    settings = {"objective": "rand", "temperature": 2.0}
    write_json(inputs.predict / RULE, settings)
    inside = np.where(mask > 0, 0.9, 0.2)
    maps = np.stack([1 - inside, inside, 0 * inside]).reshape(3, -1)
    np.save(inputs.predict / PROBABILITIES, np.concatenate([maps] * 3, 1).astype(np.float16))
    for one in slices[1:]:
        write_labels(inputs.predict / f"{one.split}_{one.name}.tif", mask)
    chosen = EvaluateParams(trees=3, pixels=600, border_px=2.0, seed=0)
    evaluate(chosen, inputs, tmp_path / "out")
    check_outputs("evaluate", tmp_path / "out", "evaluate")
    found = read_scores(tmp_path / "out" / "scores.csv")
    model = {s.metric: s.value for s in found if s.row == "model"}
    assert model["rand_error"] == model["warping_error"] == model["hausdorff_95"] == 0
    assert model["calibration_error"] < model["calibration_error_scaled"]  # 2 was too warm
    assert {s.row for s in found if s.kind == "baseline"} == {"otsu_watershed", "random_forest"}
    assert sum(s.kind == "published" for s in found) == 9


def test_a_difference_of_means_is_over_the_images_where_both_are_defined():
    truth = discs((60, 60), (30, 30, 10))
    samples = [sample(truth, name) for name in "abcd"]
    near, far, none = np.roll(truth, 2, 0), np.roll(truth, 9, 0), np.zeros_like(truth)
    tallies = {
        "model": tally(samples, [near, near, far, far], form("binary"), by_image=True),
        "other": tally(samples, [far, far, none, none], form("binary"), by_image=True),
    }
    scores = score_table(tallies, form("binary"), 0).set_index(["row", "metric"])
    gap = scores.loc[("model - other", "hausdorff_95")]
    on_both = [hausdorff(truth > 0, said > 0, truth >= 0) for said in (near, far)]
    assert gap["value"] == pytest.approx(on_both[0] - on_both[1]) and gap["n"] == 2
