import json

import numpy as np
import pandas as pd
import pytest
import tifffile
import torch

from domains.segmentation.predict.apply import apply, objects
from domains.segmentation.predict.files import read_probabilities, write_labels
from domains.segmentation.train.unet import UNet
from pipelines.core.errors import UserError
from pipelines.core.runner import Inputs
from pipelines.training.weights import write_weights
from tests.segmentation.cases import discs, form, sample


def trained(path, channels: int = 1) -> Inputs:
    """A network whose output is the image: bright is interior, dark is background."""
    network = UNet(channels=channels, classes=3, base=4, depth=1, dropout=0.0, norm=False)
    with torch.no_grad():
        for weights in network.parameters():
            weights.zero_()
        for conv in (
            network.down[0][0],
            network.down[0][2],
            network.merge[0][0],
            network.merge[0][2],
        ):
            conv.weight[0, 0, 1, 1] = 1
        network.head.weight[1, 0] = 20
        network.head.bias[:] = torch.tensor([0.0, -10.0, -20.0])
    shape = {
        "channels": channels,
        "classes": 3,
        "base": 4,
        "depth": 1,
        "dropout": 0.0,
        "norm": False,
    }
    about = {**vars(form(channels=channels)), "pixel_size_um": 0.5}
    fits = {"unet": {"model": {"network": shape, "format": about}}}
    (path / "model.json").write_text(json.dumps({"fits": fits}))
    write_weights(
        path / "weights.safetensors",
        {"unet": {f"network.{k}": v for k, v in network.state_dict().items()}},
    )
    rule = {"threshold": 0.5, "seeds": "distance", "level": 1.0, "min_area": 5}
    tiles = {"tile_px": 64, "margin_px": 64, "views": 4}
    (path / "postprocess.json").write_text(json.dumps({"rule": rule, "tiles": tiles}))
    return Inputs(path, path, path, path, path)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_objects_of_images_of_any_type_and_size(tmp_path, kind, channels):
    inputs = trained(tmp_path, channels)
    mask = discs((71, 150), (20, 30, 9), (50, 110, 12))
    picture = (20 + 150 * (mask > 0)).astype(kind)
    picture = np.stack([picture] * 3, axis=-1) if channels == 3 else picture
    photometric = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric=photometric)
    (tmp_path / "out").mkdir()
    apply(inputs, [tmp_path / "a.tif"], tmp_path / "out")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "a.tif"), mask)
    table = pd.read_csv(tmp_path / "out" / "objects.csv")
    areas = np.bincount(mask.ravel())[1:]
    assert list(table["area_px"]) == list(areas)
    np.testing.assert_allclose(table["area_um2"], areas * 0.25)
    np.testing.assert_allclose(table[["centroid_y", "centroid_x"]], [[20, 30], [50, 110]])
    np.testing.assert_array_equal(
        table[["top", "left", "bottom", "right"]].iloc[0], [11, 21, 30, 40]
    )
    assert (table["mean_intensity"] == 170).all()
    assert (table["mean_confidence"] > 0.99).all()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((20, 20, 3), dtype=np.uint8), "bad.tif: RGB, but the network learnt from grey"),
        (np.full((20, 20), np.nan, dtype=np.float32), "bad.tif: holds NaN"),
        (np.zeros((4, 5, 20, 20), dtype=np.uint8), "bad.tif: shape"),
    ],
)
def test_images_that_do_not_fit_are_refused_before_any_work(tmp_path, array, message):
    inputs = trained(tmp_path)
    tifffile.imwrite(tmp_path / "good.tif", np.zeros((20, 20), dtype=np.uint8))
    photometric = "rgb" if array.ndim == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "bad.tif", array, photometric=photometric)
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match=message):
        apply(inputs, [tmp_path / "good.tif", tmp_path / "bad.tif"], tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_other_files_and_equal_stems_are_refused(tmp_path):
    inputs = trained(tmp_path)
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(UserError, match=r"a\.txt: not a PNG or TIFF"):
        apply(inputs, [tmp_path / "a.txt"], tmp_path)
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "a.tif", np.zeros((20, 20), dtype=np.uint8))
    with pytest.raises(UserError, match="stem a too"):
        apply(inputs, [tmp_path / "x" / "a.tif", tmp_path / "y" / "a.tif"], tmp_path)


def test_an_image_without_objects_has_an_empty_table(tmp_path):
    inputs = trained(tmp_path)
    tifffile.imwrite(tmp_path / "dark.tif", np.zeros((30, 30), dtype=np.uint8))
    (tmp_path / "out").mkdir()
    apply(inputs, [tmp_path / "dark.tif"], tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out" / "objects.csv")) == 0


def test_regions_of_classes_have_their_class(tmp_path):
    labels = discs((40, 40), (10, 10, 5), (28, 28, 6))
    probability = np.stack([labels == k for k in range(3)]).astype(np.float32)
    image = sample(labels).image
    table = objects("a", image, labels, probability, form("classes", 3))
    assert list(table["class"]) == [1, 2]
    assert (table["mean_confidence"] == 1).all()


def test_label_files_are_the_same_bytes_when_written_twice(tmp_path):
    labels = discs((50, 60), (20, 20, 9), (30, 45, 8))
    for name in ("a.tif", "b.tif"):
        write_labels(tmp_path / name, labels)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), labels)
    write_labels(tmp_path / "c.tif", labels + 70000)
    assert tifffile.imread(tmp_path / "c.tif").max() == 70002


def test_probabilities_come_back_sample_by_sample(tmp_path):
    samples = [sample(np.zeros(shape, dtype=np.int32)) for shape in ((5, 7), (3, 11))]
    maps = [np.random.default_rng(k).random((3, *s.mask.shape)) for k, s in enumerate(samples)]
    flat = np.concatenate([m.reshape(3, -1) for m in maps], axis=1).astype(np.float16)
    np.save(tmp_path / "probabilities.npy", flat)
    for before, after in zip(maps, read_probabilities(tmp_path, samples), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-3)
    with pytest.raises(ValueError, match="pixels"):
        read_probabilities(tmp_path, samples[:1])
