"""Headers of pictures that nobody thought of, and sizes that no memory holds."""

from __future__ import annotations

import io
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from domains.retina.prepare.reading import FORMATS, read_photograph
from domains.segmentation.predict import opening
from domains.segmentation.predict.network import load
from domains.segmentation.prepare.reading import read_mask_planes, read_planes
from tests.faults.fuzzing import fuzzed, held, spoilt
from tests.segmentation.applied import trained
from tests.segmentation.cases import form
from tests.segmentation.files import dicom

GREY = np.random.default_rng(0).integers(0, 255, (40, 44), np.uint8)
RGB = np.random.default_rng(1).integers(0, 255, (40, 44, 3), np.uint8)
MEMORY = 2**21  # KiB, more than which no header may take beside what was taken before


def _saved(array: np.ndarray, kind: str, **how: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **how)
    return stream.getvalue()


def _tiff(array: np.ndarray, **how: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **how)
    return stream.getvalue()


def _dicom(path: Path, array: np.ndarray, **elements: object) -> bytes:
    dicom(path, array, **elements)
    return path.read_bytes()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("good")
    volume = nibabel.Nifti1Image(np.zeros((8, 9, 3), np.int16), np.eye(4))
    nibabel.save(volume, folder / "a.nii.gz")
    return {
        "grey.png": _saved(GREY, "PNG"),
        "deep.png": _saved(GREY.astype(np.uint16) * 257, "PNG"),
        "rgb.png": _saved(RGB, "PNG"),
        "a.jpg": _saved(RGB, "JPEG"),
        "plain.tif": _tiff(GREY),
        "stack.tif": _tiff(np.stack([GREY] * 3), compression="zlib", photometric="minisblack"),
        "rgb.tif": _tiff(RGB, rowsperstrip=7, photometric="rgb"),
        "lzw.tif": _saved(RGB, "TIFF", compression="tiff_lzw"),
        "ome.tif": _tiff(GREY, ome=True),
        "grey.dcm": _dicom(folder / "a.dcm", GREY),
        "rgb.dcm": _dicom(folder / "b.dcm", RGB),
        "a.nii": volume.to_bytes(),
        "a.nii.gz": (folder / "a.nii.gz").read_bytes(),
    }


@pytest.fixture(autouse=True)
def modest(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No library says anything of its own, and no header takes the memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert capfd.readouterr().err == ""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY


READERS: dict[str, Callable[[Path], object]] = {
    "images": read_planes,
    "masks": read_mask_planes,
    "pictures to apply to": lambda path: list(
        opening.examined(path, form()).planes(form(), path.with_name("scratch"))
    ),
    "photographs": read_photograph,
}


@pytest.mark.parametrize("reader", READERS)
@given(data=st.data())
@fuzzed(40)
def test_any_picture(
    reader: str,
    good: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
) -> None:
    names = [n for n in good if reader != "photographs" or n.endswith(tuple(FORMATS))]
    name = data.draw(st.sampled_from(names))
    content = data.draw(spoilt(good[name], min(400, len(good[name]))))
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    with held(f"{reader}: {path.suffix}", name), pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "LARGE", 0)
        READERS[reader](path)
    (path.with_name("scratch")).unlink(missing_ok=True)


@given(data=st.data())
@fuzzed(40)
def test_any_weights(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp() / "weights"
    folder.mkdir(exist_ok=True)
    trained(folder)
    name = data.draw(st.sampled_from(["weights.safetensors", "model.json"]))
    content = data.draw(spoilt((folder / name).read_bytes(), 1200))
    (folder / name).write_bytes(content)
    with held("weights", str(folder)):
        load(folder, 64, 64, 1)
