"""Metrics of regions and outlines against answers known by hand, scikit-image, and symmetries."""

import math

import numpy as np
import pytest
from scipy import ndimage
from skimage import metrics as skimage_metrics
from skimage.measure import label
from sklearn.metrics import mutual_info_score

from domains.segmentation.evaluate.regions import hausdorff, outline, variation_of_information
from domains.segmentation.evaluate.warping import warped, warping_error
from domains.segmentation.predict.rand import grown, rand_error
from tests.segmentation.cases import discs

METRICS = {
    "rand": rand_error,
    "variation": variation_of_information,
    "warping": warping_error,
    "warping, every pixel": lambda truth, said: warping_error(truth, said, every=True),
    "hausdorff": lambda truth, said: hausdorff(truth > 0, said > 0, truth >= 0),
}


def walled(shape: tuple[int, int], at: slice) -> np.ndarray:
    """Two cells 1 and 2, left and right of a vertical membrane, membrane all around."""
    cells = np.zeros(shape, dtype=np.int32)
    cells[1:-1, 1 : at.start], cells[1:-1, at.stop : -1] = 1, 2
    return cells


def membranes(seed: int, shape: tuple[int, int] = (60, 70), noise: float = 0.0) -> np.ndarray:
    """Cells (4-connected labels) between curved membranes some 4 px thick."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 5)
    extra = ndimage.gaussian_filter(np.random.default_rng(99).normal(size=shape), 2)
    relief = np.abs(smooth / smooth.std()) + noise * extra / extra.std()
    return label(relief > 0.35, connectivity=1).astype(np.int32)


def pair(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth and prediction, without gaps for the metrics that would fill them: which of two labels
    is the nearest may depend on the way the image lies."""
    truth, said = membranes(seed), membranes(seed, noise=0.3)
    return truth, grown(said) if name in ("rand", "variation") else said


def test_identical_images_are_without_error():
    truth = membranes(0)
    assert truth.max() > 2
    for name, metric in METRICS.items():
        assert metric(truth, truth) == pytest.approx(0, abs=1e-12), name


def test_a_cell_cut_in_halves():
    """Of the pairs in the one true cell half are kept: F = 2 * 1/2 / (1 + 1/2); 1 bit of split."""
    truth = np.ones((20, 40), dtype=np.int32)
    said = truth.copy()
    said[:, 20:] = 2
    assert rand_error(truth, said) == pytest.approx(1 / 3, abs=1e-3)
    assert variation_of_information(truth, said) == pytest.approx(1)
    # Instances that touch are parted by the pixels on either side, a membrane 2 px wide. It may
    # grow from the edge as long as a passage of 1 px remains.
    assert warping_error(truth, said) == 2 / truth.size


def test_two_equal_cells_merged():
    said = np.ones((20, 40), dtype=np.int32)
    truth = said.copy()
    truth[:, 20:] = 2
    assert rand_error(truth, said) == pytest.approx(1 / 3, abs=1e-3)
    assert variation_of_information(truth, said) == pytest.approx(1)
    assert warping_error(truth, said) == 20 / truth.size  # a membrane 1 px wide remains


def test_nothing_predicted_is_one_segment():
    truth = walled((22, 43), slice(21, 22))
    nothing = np.zeros_like(truth)
    assert rand_error(truth, nothing) == pytest.approx(1 / 3, abs=2e-3)
    assert rand_error(truth, nothing) == rand_error(truth, np.ones_like(truth))
    assert variation_of_information(truth, nothing) == pytest.approx(1, abs=1e-3)
    assert warping_error(truth, nothing) == 0  # no cell is split or merged, they are missing
    assert warping_error(truth, nothing, every=True) > 0


def test_thickness_and_place_of_the_predicted_membrane_do_not_count():
    truth, thick = walled((30, 41), slice(20, 21)), walled((30, 41), slice(17, 24))
    assert rand_error(truth, thick) == 0
    assert variation_of_information(truth, thick) == pytest.approx(0, abs=1e-12)
    np.testing.assert_array_equal(grown(thick) == 2, np.arange(41)[None] > 20 + np.zeros((30, 1)))


def test_a_shifted_membrane_is_bent_into_place():
    truth, said = walled((30, 40), slice(18, 22)), walled((30, 40), slice(20, 24))
    assert ((truth > 0) != (said > 0)).mean() > 0.05  # pixel error
    assert warping_error(truth, said) == warping_error(truth, said, every=True) == 0


def test_a_hole_in_a_membrane_is_a_merger_of_its_least_length():
    """A gap 3 px high in a membrane 4 px wide: a membrane 1 px wide cannot be bent away."""
    truth = walled((30, 40), slice(18, 22))
    said = truth.copy()
    said[10:13, 18:22] = 1
    said[said == 2] = 1
    assert warping_error(truth, said) == warping_error(truth, said, every=True) == 3 / truth.size
    assert warping_error(said, truth) == 4 / truth.size  # the reverse, a split: as short as wide


def test_only_what_splits_or_merges_counts_unless_every_pixel_is_asked_for():
    truth = walled((30, 40), slice(18, 22))
    said = truth.copy()
    said[5:9, 5:9] = 0  # an island of membrane
    said[truth == 2] = 0  # a cell that is missing
    assert warping_error(truth, said) == 0
    assert warping_error(truth, said, every=True) == (16 + 1) / truth.size  # a cell shrinks to 1 px


def test_a_membrane_that_runs_aslant_parts_two_cells():
    wall = np.eye(30, dtype=bool)
    truth = label(~wall, connectivity=1)
    assert truth.max() == 2
    said = np.ones_like(truth)
    assert warping_error(truth, said) == 30 / truth.size


@pytest.mark.parametrize("seed", range(3))
def test_bending_keeps_the_topology(seed):
    truth, said = membranes(seed) > 0, membranes(seed, noise=0.25) > 0
    bent = warped(truth, said)
    assert 0 < (bent != said).sum() < (truth != said).sum()
    assert not (bent != truth)[truth == said].any()
    assert ndimage.label(bent)[1] == ndimage.label(truth)[1]
    around = [np.pad(~cells, 1, constant_values=True) for cells in (bent, truth)]
    assert len({ndimage.label(m, np.ones((3, 3)))[1] for m in around}) == 1


def test_discs_of_radius_10_and_11_are_1_px_apart():
    small, large = discs((40, 40), (20, 20, 10)) > 0, discs((40, 40), (20, 20, 11)) > 0
    known = np.ones_like(small)
    assert hausdorff(small, large, known) == 1
    square, wider = np.zeros((2, 60, 60), dtype=bool)
    square[10:50, 10:50], wider[9:51, 9:51] = True, True
    assert hausdorff(square, wider, known=np.ones_like(square)) == 1


@pytest.mark.parametrize("seed", range(4))
def test_scikit_images_hausdorff_distance_is_the_100th_percentile(seed):
    truth, said = membranes(seed) > 0, membranes(seed + 10) > 0
    known = np.ones_like(truth)
    theirs = skimage_metrics.hausdorff_distance(outline(truth, known), outline(said, known))
    assert hausdorff(truth, said, known, 100) == pytest.approx(theirs)
    assert hausdorff(truth, said, known) <= theirs


def test_the_edge_of_the_picture_and_of_the_annotation_is_no_outline():
    truth = np.zeros((30, 30), dtype=bool)
    truth[:15] = True
    known = np.ones_like(truth)
    known[:, 20:] = False
    np.testing.assert_array_equal(np.argwhere(outline(truth, known))[:, 0], 14)
    assert outline(truth, known).sum() == 20
    assert math.isnan(hausdorff(truth, np.zeros_like(truth), known))
    assert math.isnan(hausdorff(truth, np.ones_like(truth), known))


@pytest.mark.parametrize("seed", range(4))
def test_without_gaps_the_rand_error_and_the_variation_are_scikit_images(seed):
    rng = np.random.default_rng(seed)
    truth, said = rng.integers(0, 5, (40, 30)), rng.integers(1, 7, (40, 30))
    theirs = skimage_metrics.adapted_rand_error(truth, said)[0]
    assert rand_error(truth, said) == pytest.approx(theirs)
    split_merge = skimage_metrics.variation_of_information(truth, said, ignore_labels=(0,))
    assert variation_of_information(truth, said) == pytest.approx(split_merge.sum())
    inside = truth > 0
    shared = mutual_info_score(truth[inside], said[inside])
    own = [mutual_info_score(a[inside], a[inside]) for a in (truth, said)]
    assert variation_of_information(truth, said) == pytest.approx(
        (sum(own) - 2 * shared) / math.log(2)
    )


def test_rand_error_is_a_count_of_pairs():
    rng = np.random.default_rng(5)
    truth, said = rng.integers(0, 3, 60), rng.integers(1, 4, 60)
    t, s = truth[truth > 0], said[truth > 0]
    same = [a[:, None] == a[None] for a in (t, s)]
    for together in same:
        np.fill_diagonal(together, False)
    both = (same[0] & same[1]).sum()
    f = 2 * both / (same[0].sum() + same[1].sum())
    assert rand_error(truth[None], said[None]) == pytest.approx(1 - f)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("seed", range(3))
def test_metrics_do_not_depend_on_numbers_nor_on_the_way_the_image_lies(name, seed):
    metric, (truth, said) = METRICS[name], pair(name, seed)
    truth[:, :5] = -1
    value = metric(truth, said)
    assert value > 0
    shuffled = np.random.default_rng(seed).permutation(np.arange(1, said.max() + 1))
    assert metric(truth, np.concatenate([[0], shuffled])[said]) == pytest.approx(value)
    for turn in (np.fliplr, np.flipud, np.transpose, np.rot90):
        assert metric(turn(truth), turn(said)) == pytest.approx(value), turn


@pytest.mark.parametrize("name", METRICS)
def test_ignored_pixels_do_not_count(name):
    truth, said = pair(name, 1)
    truth[:, 40:] = -1
    other = said.copy()
    other[:, 40:] = 1
    assert METRICS[name](truth, other) == METRICS[name](truth, said)


def test_without_cells_or_annotation_there_is_no_value():
    nothing, unknown = np.zeros((9, 9), dtype=np.int32), np.full((9, 9), -1, dtype=np.int32)
    for metric in (rand_error, variation_of_information):
        assert math.isnan(metric(nothing, nothing)) and math.isnan(metric(unknown, nothing))
    assert warping_error(nothing, nothing) == 0
    assert math.isnan(warping_error(unknown, nothing))


def test_unthinned_a_thick_membrane_costs_pairs():
    truth = np.ones((20, 41), dtype=np.int32)
    truth[:, 20], truth[:, 21:] = 0, 2
    thick = truth.copy()
    thick[:, 15:26] = 0
    assert rand_error(truth, thick) == 0
    # 300 of 400 pixels of each cell keep a common label: F = 2 Σn² / (Σt² + Σs²), singles add 1.
    both, true, said = 2 * 300**2 + 200, 2 * 400**2, 2 * 300**2 + 200
    assert rand_error(truth, thick, thinned=False) == pytest.approx(
        1 - 2 * both / (true + said), abs=1e-3
    )
