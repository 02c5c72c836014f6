from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import f1_score, jaccard_score

from domains.segmentation.evaluate.calibration import calibration_error, reliability
from domains.segmentation.evaluate.counts import tally
from domains.segmentation.evaluate.scores import overall, score_table
from domains.segmentation.predict.instances import Rule, instances
from domains.segmentation.predict.matching import THRESHOLDS, f1, match, object_table
from domains.segmentation.predict.rand import rand_error
from domains.segmentation.predict.tune import choose, decide
from tests.segmentation.cases import discs, form, sample

TOUCHING = discs((60, 80), (30, 28, 13), (30, 52, 13))


def soft(mask: np.ndarray) -> np.ndarray:
    """(3, H, W) blurred probabilities of background, interior and inner border."""
    foreground = mask > 0
    inside = np.zeros_like(foreground)
    for k in np.unique(mask[mask > 0]):
        inside |= ndimage.binary_erosion(mask == k, iterations=2)
    classes = np.stack([~foreground, inside, foreground & ~inside]).astype(np.float32)
    blurred = np.stack([ndimage.gaussian_filter(c, 0.7) for c in classes])
    return blurred / blurred.sum(axis=0)


@pytest.mark.parametrize(
    "rule",
    [
        Rule(0.5, "distance", 1.0, 20),
        Rule(0.5, "core", 0.5, 20),
        Rule(0.5, "valleys", 0.05, 20),
    ],
    ids=lambda r: r.seeds,
)
def test_watershed_separates_two_touching_discs(rule):
    probability = soft(TOUCHING)
    assert ndimage.label(1 - probability[0] > 0.5)[1] == 1  # they do touch
    labels = instances(1 - probability[0], probability[1], rule)
    assert labels.max() == 2
    counts = match(TOUCHING, labels)
    assert counts.tp[0, THRESHOLDS.index(0.85)] == 2


def test_small_objects_are_dropped_and_the_rest_renumbered():
    mask = (discs((50, 50), (8, 8, 2), (30, 30, 9)) > 0).astype(float)
    labels = instances(mask, mask, Rule(0.5, "distance", 0.5, 50))
    assert set(np.unique(labels)) == {0, 1}
    assert labels[8, 8] == 0 and labels[30, 30] == 1


def cells_and_a_leaky_membrane() -> tuple[np.ndarray, np.ndarray]:
    """Two cells, the left one with a waist, and a map of their interior in which the membrane
    between them has a gap."""
    truth = np.ones((60, 80), dtype=np.int32)
    truth[26:34, :15] = truth[26:34, 23:38] = 0
    truth[:, 42:] = 2
    truth[:, 38:42] = 0
    interior = np.where(truth > 0, 0.95, 0.1).astype(np.float32)
    interior[8:14, 38:42] = 0.6
    return truth, interior


def test_valleys_part_cells_where_the_membrane_is_doubtful():
    truth, interior = cells_and_a_leaky_membrane()
    assert ndimage.label(interior > 0.5)[1] == 1
    labels = instances(interior, interior, Rule(0.5, "valleys", 0.1, 20))
    assert labels.max() == 2
    assert rand_error(truth, labels) < 0.01


def test_the_rand_objective_finds_a_rule_that_parts_the_cells():
    truth, interior = cells_and_a_leaky_membrane()
    maps = [np.stack([1 - interior, interior, 0 * interior])]
    rule, value = choose(maps, [truth], form(), "rand")
    assert rule.seeds == "valleys" and value > 0.99
    _, merged = choose(maps, [truth], form(), "rand", ("distance",))
    assert merged < value


def test_the_rand_objective_takes_the_threshold_of_the_best_dice():
    truth = np.where(TOUCHING > 0, 1, 0).astype(np.int32)
    foreground = np.where(TOUCHING > 0, 0.45, 0.1).astype(np.float32)  # too faint for one half
    rule, _ = choose([np.stack([1 - foreground, foreground])], [truth], form(), "rand")
    assert rule.threshold < 0.45


def test_an_empty_image_has_no_objects():
    nothing = np.zeros((20, 20), dtype=np.float32)
    for seeds in ("core", "distance", "valleys"):
        assert instances(nothing, nothing, Rule(0.5, seeds, 0.5, 5)).max() == 0


def test_perfect_and_empty_answers():
    truth = discs((60, 60), (20, 20, 6), (40, 40, 6))
    perfect, empty = match(truth, truth), match(truth, np.zeros_like(truth))
    assert (perfect.tp == 2).all() and not perfect.fp.any() and not perfect.fn.any()
    assert (empty.fn == 2).all() and not empty.tp.any() and not empty.fp.any()


def test_matches_against_a_count_by_hand():
    """A square of 10 x 10 shifted by 2 px: IoU = 80 / 120 = 0.667; one lost, one invented."""
    truth = np.zeros((60, 60), dtype=np.int32)
    truth[5:15, 5:15], truth[30:40, 5:15] = 1, 2
    said = np.zeros_like(truth)
    said[7:17, 5:15], said[30:40, 40:50] = 1, 2
    counts = match(truth, said)
    np.testing.assert_array_equal(counts.tp[0], [1, 1, 1, 1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(counts.fp[0], [1, 1, 1, 1, 2, 2, 2, 2, 2])
    np.testing.assert_array_equal(counts.fn[0], counts.fp[0])
    assert [round(iou, 3) for iou, _ in object_table(truth, said)] == [0.667, 0.0, 0.0]


def test_iou_of_exactly_one_half_is_no_match():
    truth, said = np.zeros((2, 20, 20), dtype=np.int32)
    truth[5:9, 5:9], said[5:9, 5:7] = 1, 1
    assert match(truth, said).tp.sum() == 0


def test_what_is_cut_is_left_out_on_both_sides():
    truth = np.zeros((60, 60), dtype=np.int32)
    truth[0:8, 10:20], truth[20:30, 20:30] = 1, 2  # the first touches the edge
    truth[:, 50:] = -1
    truth[40:50, 45:50] = 3  # touches ignored pixels
    said = np.maximum(truth, 0)
    assert match(truth, said).tp[0, 0] == 1
    missed = np.where(said == 2, said, 0)
    counts = match(truth, missed)
    assert counts.tp[0, 0] == 1 and counts.fn.sum() == 0 and counts.fp.sum() == 0
    part = said.copy()
    part[0:2] = 0  # a bad answer to the cut object, clear of the edge, is no error
    assert match(truth, part).fp.sum() == 0
    merged = np.ones_like(truth)  # one answer for everything excuses nothing
    counts = match(truth, merged)
    assert (counts.fn == 1).all() and not counts.tp.any()


def test_match_is_symmetrical():
    rng = np.random.default_rng(0)
    truth = discs((90, 90), *[(*rng.uniform(0, 90, 2), 7) for _ in range(12)])
    said = discs((90, 90), *[(*rng.uniform(0, 90, 2), 7) for _ in range(12)])
    one, other = match(truth, said), match(said, truth)
    assert one.fp.sum() > 0
    np.testing.assert_array_equal(one.fp, other.fn)
    np.testing.assert_array_equal(one.fn, other.fp)


def test_objects_count_in_the_block_of_their_centroid():
    truth = discs((90, 40), (15, 20, 6), (45, 20, 6), (75, 20, 6))
    said = np.where(truth == 2, 0, truth)
    blocks = np.repeat(np.arange(3), 30)[:, None] + np.zeros((90, 40), dtype=int)
    counts = match(truth, said, blocks)
    np.testing.assert_array_equal(counts.tp[:, 0], [1, 0, 1])
    np.testing.assert_array_equal(counts.fn[:, 0], [0, 1, 0])


def test_f1_of_nothing_is_one():
    np.testing.assert_array_equal(
        f1(np.array([0, 1]), np.array([0, 1]), np.array([0, 1])), [1, 0.5]
    )


@pytest.mark.parametrize("labels", ["instances", "binary", "classes"])
def test_pixel_scores_are_scikit_learns(labels):
    rng = np.random.default_rng(1)
    kinds = 3 if labels == "classes" else 2
    mask, said = rng.integers(0, kinds, (2, 40, 30)).astype(np.int32)
    mask[:, :4] = -1
    counts = tally([sample(mask, blocks=4)], [said], form(labels, kinds))
    known = mask >= 0
    average = "macro" if labels == "classes" else "binary"
    options = {"average": average, "labels": [1, 2] if labels == "classes" else None}
    values = {m: overall(counts, form(labels, kinds), m) for m in ("dice", "iou", "pixel_error")}
    assert values["dice"] == pytest.approx(f1_score(mask[known], said[known], **options))
    assert values["iou"] == pytest.approx(jaccard_score(mask[known], said[known], **options))
    assert values["pixel_error"] == pytest.approx((mask != said)[known].mean())


def test_blocks_sum_to_the_whole_and_groups_are_joined():
    truth = discs((90, 40), (15, 20, 6), (45, 20, 6), (75, 20, 6))
    one = tally([sample(truth, blocks=1)], [truth], form())
    three = tally([sample(truth, blocks=3)], [truth], form())
    assert three.pixels.shape == (3,) and one.pixels.shape == (1,)
    assert three.pixels.sum() == one.pixels.sum() == 90 * 40
    np.testing.assert_array_equal(three.tp.sum(0), one.tp.sum(0))
    first = sample(truth, blocks=3)
    later = replace(first, name="the same places in a later frame")
    frames = tally([first, later], [truth] * 2, form())
    np.testing.assert_array_equal(frames.tp, 2 * three.tp)
    patient = [sample(truth, "patient"), sample(truth, "patient"), sample(truth, "other")]
    joined = tally(patient, [truth] * 3, form())
    np.testing.assert_array_equal(joined.tp[:, 0], [6, 3])


def test_score_table_has_baselines_and_paired_differences():
    truth = discs((120, 40), *[(y, 20, 6) for y in (12, 36, 60, 84, 108)])
    worse = np.where(truth == 2, 0, truth)
    shape = form()
    counts = {
        "model": tally([sample(truth, blocks=5)], [truth], shape),
        "otsu": tally([sample(truth, blocks=5)], [worse], shape),
    }
    table = score_table(counts, shape, seed=0).set_index(["row", "metric"])["value"]
    assert table["model", "f1_75"] == 1 and table["otsu", "f1_75"] == pytest.approx(8 / 9)
    assert table["model - otsu", "f1_75"] == pytest.approx(1 / 9)
    assert table["otsu", "recall_50"] == pytest.approx(4 / 5)
    assert table["otsu", "precision_50"] == 1


def test_ap_is_the_mean_of_the_jaccard_of_objects():
    truth = np.zeros((40, 40), dtype=np.int32)
    truth[5:15, 5:15] = 1
    said = np.roll(truth, 2, axis=0)  # IoU 0.667: four of nine thresholds
    counts = tally([sample(truth)], [said], form())
    assert overall(counts, form(), "ap_50_90") == pytest.approx(4 / 9)


def test_the_rule_is_the_one_that_scores_best():
    maps, masks = [soft(TOUCHING)], [TOUCHING]
    rule, value = choose(maps, masks, form(), "f1")
    assert value > 0.9
    assert decide(maps[0], form(), rule).max() == 2
    thick = [np.stack([1 - 0.45 * (TOUCHING > 0), 0.45 * (TOUCHING > 0)])]
    binary, dice = choose(thick, [(TOUCHING > 0).astype(np.int32)], form("binary"), "f1")
    assert binary.threshold < 0.45 and dice == 1


def test_a_threshold_is_chosen_on_annotated_pixels():
    truth = (discs((40, 80), (20, 20, 9)) > 0).astype(np.int32)
    foreground = np.where(truth > 0, 0.55, 0.1)
    truth[:, 40:], foreground[:, 40:] = -1, 0.65
    maps = [np.stack([1 - foreground, foreground])]
    rule, value = choose(maps, [truth], form("binary"), "f1")
    assert (rule.threshold, value) == (0.3, 1.0)


def test_calibration_of_a_model_that_knows_itself_and_of_one_that_does_not():
    rng = np.random.default_rng(0)
    foreground = rng.uniform(0, 1, (300, 300)).astype(np.float32)
    mask = (rng.uniform(0, 1, foreground.shape) < foreground).astype(np.int32)
    honest, boast = np.stack([1 - foreground, foreground]), (foreground > 0.5).astype(np.float32)
    shape, one = form("binary"), [sample(mask)]
    assert calibration_error(reliability([honest], one, shape)) < 0.01
    certain = calibration_error(reliability([np.stack([1 - boast, boast])], one, shape))
    assert certain == pytest.approx(0.25, abs=0.01)  # right 3 times of 4, certain always


@pytest.mark.parametrize("seeds", ["core", "distance"])
def test_an_object_too_small_for_a_seed_is_still_an_object(seeds):
    truth = discs((40, 60), (15, 15, 3), (20, 42, 12))
    foreground = (truth > 0).astype(float)
    said = instances(foreground, foreground, Rule(0.5, seeds, 4.0, 5))
    np.testing.assert_array_equal(said > 0, truth > 0)
    assert said.max() == 2
