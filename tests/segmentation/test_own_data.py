"""From a user's folder to labels for new files, with parameters alone: prepare, train, apply."""

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from domains.segmentation.evaluate import evaluate
from domains.segmentation.evaluate.params import EvaluateParams
from domains.segmentation.explain import explain
from domains.segmentation.explain.params import ExplainParams
from domains.segmentation.predict import predict
from domains.segmentation.predict.apply import apply
from domains.segmentation.predict.params import PredictParams
from domains.segmentation.prepare import prepare
from domains.segmentation.train import train as fits
from pipelines.core.artifacts import read_csv, read_json
from pipelines.core.contract import check_outputs
from pipelines.core.runner import Inputs
from pipelines.training.stage import train
from tests.segmentation.cases import discs, params, train_params
from tests.segmentation.files import dicom, nifti

STAGES = ("prepare", "train", "predict", "evaluate", "explain")


def scene(k: int, height: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """A bright picture (H, W) uint8 of discs in the dark, and their mask."""
    mask = discs((height, 56), (14, 12 + k % 5, 6), (30, 36, 8 - k % 3))
    noise = np.random.default_rng(k).normal(0, 8, mask.shape)
    return (60 + 120 * (mask > 0) + noise).astype(np.uint8), mask


def photographs(folder):
    """RGB photographs of mixed sizes with binary masks."""
    for k in range(6):
        image, mask = scene(k, 40 + 4 * k)
        colour = np.stack([image, 255 - image, image // 2], axis=-1)
        Image.fromarray(colour).save(folder / "images" / f"{k}.jpg", quality=95)
        Image.fromarray((255 * (mask > 0)).astype(np.uint8)).save(folder / "masks" / f"{k}.png")
    return params(folder, labels="binary"), folder / "images" / "0.jpg"


def volumes(folder):
    """CT-like NIfTI volumes of three patients with classes."""
    for patient in range(3):
        planes = [scene(patient + 3 * z) for z in range(4)]
        voxels = np.stack([10 * p.astype(np.int16) - 1000 for p, _ in planes], axis=-1)
        classes = np.stack([np.minimum(m, 2) for _, m in planes], axis=-1).astype(np.uint8)
        nifti(folder / "images" / f"p{patient}.nii.gz", voxels, (0.5, 0.5, 2.0))
        nifti(folder / "masks" / f"p{patient}.nii.gz", classes, (0.5, 0.5, 2.0))
    changes = {"labels": "classes", "classes": 3, "intensity_range": [-500.0, 1000.0]}
    return params(folder, pixel_size_um="from_files", **changes), folder / "images" / "p0.nii.gz"


def series(folder):
    """DICOM series of three patients, one file a slice, with instances."""
    for patient in range(3):
        for z in range(3):
            image, mask = scene(patient + 3 * z)
            about = {"PatientID": f"P{patient}", "PixelSpacing": [0.25, 0.25]}
            name = f"patient{patient}/slice{z}"
            dicom(folder / "images" / f"{name}.dcm", image.astype(np.uint16), **about)
            (folder / "masks" / name).parent.mkdir(exist_ok=True)
            Image.fromarray(mask.astype(np.uint8)).save(folder / "masks" / f"{name}.png")
    return params(folder, pixel_size_um="from_files"), folder / "images/patient0/slice0.dcm"


@pytest.mark.parametrize("kind", [photographs, volumes, series], ids=lambda kind: kind.__name__)
def test_a_folder_goes_through_the_whole_chain(kind, tmp_path):
    for name in (*STAGES, "data/images", "data/masks", "out"):
        (tmp_path / name).mkdir(parents=True)
    inputs = Inputs(*(tmp_path / stage for stage in STAGES))
    chosen, file = kind(tmp_path / "data")
    prepare(chosen, inputs, inputs.prepare)
    papers = {"padding": "valid", "loss": "dice_cross_entropy"} if kind is photographs else {}
    quick = train_params(depth=1, epochs=2, windows=8, w0=0.0, noise=0.0, **papers)
    train(fits(quick, inputs), inputs.train, tmp_path / "work", "test")
    views = PredictParams(tile_px=64, margin_px=64, views=1, objective="f1")
    predict(views, inputs, inputs.predict)
    forest = EvaluateParams(trees=2, pixels=500, border_px=2.0, seed=0)
    evaluate(forest, inputs, inputs.evaluate)
    explain(ExplainParams(examples=1, worst=2, seed=0), inputs, inputs.explain)
    for stage in STAGES:
        check_outputs(stage, tmp_path / stage, stage)
    splits = read_csv(inputs.prepare / "samples.csv", text=("group",)).groupby("group")["split"]
    assert (splits.nunique() == 1).all()
    apply(inputs, [file], tmp_path / "out")
    _check_applied(tmp_path / "out", file, read_json(inputs.prepare / "format.json"))


def _check_applied(out, file, form):
    if file.name.endswith(".nii.gz"):
        given, found = (nibabel.load(f) for f in (file, out / file.name))
        assert found.shape == given.shape
        np.testing.assert_array_equal(found.affine, given.affine)
    else:
        height, width = scene(0, 40 if file.suffix == ".jpg" else 48)[1].shape
        assert tifffile.imread(out / f"{file.stem}.tif").shape == (height, width)
    columns = read_csv(out / "objects.csv").columns
    assert ("area_um2" in columns) == (form["pixel_size_um"] is not None)
    assert ("slice" in columns) == file.name.endswith(".nii.gz")
