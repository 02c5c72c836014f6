import numpy as np
import pytest

from domains.segmentation.train.targets import (
    border_weights,
    class_balance,
    class_map,
    weight_map,
)
from tests.segmentation.cases import discs, form


def brute_force(mask: np.ndarray, w0: float, sigma: float) -> np.ndarray:
    """The paper's equation 2, pixel by pixel, object by object."""
    weights = np.zeros(mask.shape)
    for pixel in np.ndindex(mask.shape):
        nearest = sorted(
            np.sqrt(((np.argwhere(mask == k) - pixel) ** 2).sum(1)).min()
            for k in np.unique(mask[mask > 0])
        )
        if len(nearest) > 1:
            weights[pixel] = w0 * np.exp(-((nearest[0] + nearest[1]) ** 2) / (2 * sigma**2))
    return weights


def test_border_weights_are_the_papers_formula():
    mask = discs((40, 44), (12, 10, 6), (14, 26, 7), (32, 20, 5), (30, 38, 4))
    expected = brute_force(mask, 10, 5)
    assert expected.max() > 7  # the narrow gap is in the picture
    np.testing.assert_allclose(border_weights(mask, 10, 5), expected, atol=1e-4)


def test_a_single_object_has_no_border_weight():
    assert border_weights(discs((30, 30), (15, 15, 6)), 10, 5).max() == 0


def test_classes_are_background_interior_and_inner_border():
    mask = np.zeros((12, 12), dtype=np.int32)
    mask[2:10, 2:6] = 1
    mask[2:10, 6:10] = 2
    classes = class_map(mask, form(), border_px=1)
    assert (classes[mask == 0] == 0).all()
    assert (classes[3:9, 3:5] == 1).all() and (classes[3:9, 7:9] == 1).all()
    assert (classes[2:10, 5:7] == 2).all()  # touching objects are kept apart
    assert (classes[2, 2:10] == 2).all()


def test_the_edge_of_the_image_is_no_border():
    mask = np.ones((6, 6), dtype=np.int32)
    assert (class_map(mask, form(), 2) == 1).all()


@pytest.mark.parametrize("labels", ["instances", "binary", "classes"])
def test_ignored_pixels_weigh_nothing(labels):
    mask = discs((20, 20), (6, 6, 4), (6, 15, 4))
    if labels == "binary":
        mask = (mask > 0).astype(np.int32)
    mask[10:] = -1
    shape = form(labels, classes=3)
    weights = weight_map(mask, shape, np.ones(3), 10, 5, 2)
    assert (weights[10:] == 0).all()
    assert (weights[:10] >= 1).all()


def test_class_balance_is_one_in_the_mean_and_full_balance_equalises():
    counts = np.array([900.0, 90, 10])
    for power in (0, 0.5, 1):
        weights = class_balance(counts, power)
        assert (weights * counts).sum() / counts.sum() == pytest.approx(1)
    np.testing.assert_allclose(class_balance(counts, 1) * counts, counts.sum() / 3)
    np.testing.assert_allclose(class_balance(counts, 0), 1)
    assert class_balance(np.array([5.0, 0, 5]), 1)[1] == 0
