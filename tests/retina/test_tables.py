"""A table of the user's own: every mistake in it is one line that says how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image
from pydantic import ValidationError
from pydicom.uid import (
    ExplicitVRLittleEndian,
    OphthalmicPhotography8BitImageStorage,
    generate_uid,
)

from domains.retina.prepare import prepare
from domains.retina.prepare.check import check
from domains.retina.prepare.own import _column
from domains.retina.prepare.params import TargetColumn
from domains.retina.prepare.reading import read_photograph
from pipelines.core.errors import UserError
from tests.retina.cases import AGE, SEX, noise, params, photographs


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photographs(tmp_path_factory.mktemp("pristine"), patients=8).parent


@pytest.fixture
def data(pristine: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for path in pristine.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def _edit(old: str, new: str) -> Callable[[Path], None]:
    """Replace a piece of eyes.csv."""

    def edit(data: Path) -> None:
        text = (data / "eyes.csv").read_text()
        assert old in text
        (data / "eyes.csv").write_text(text.replace(old, new))

    return edit


def _field(column: int, value: str, row: int = 3) -> Callable[[Path], None]:
    """Write a value into one field of eyes.csv; row None: into all."""

    def edit(data: Path) -> None:
        lines = [line.split(",") for line in (data / "eyes.csv").read_text().splitlines()]
        for number, line in enumerate(lines):
            if number and row in (number, 0):
                line[column] = value
        (data / "eyes.csv").write_text("\n".join(map(",".join, lines)))

    return edit


def _save(array: np.ndarray, mode: str | None = None) -> Callable[[Path], None]:
    def save(data: Path) -> None:
        picture = Image.fromarray(array)
        name = "001_left.png"
        if mode:
            name = "001_left.jpg"
            picture = picture.convert(mode)
            _edit("001_left.png", name)(data)
        picture.save(data / name)

    return save


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write(data: Path) -> None:
        path = data / "001_left.png"
        path.write_bytes(change(path.read_bytes()))

    return write


def _copy(data: Path) -> None:
    (data / "001_left.png").write_bytes((data / "004_right.png").read_bytes())


def _pages(data: Path) -> None:
    _edit("001_left.png", "001_left.tif")(data)
    page = Image.fromarray(noise(64, 64))
    page.save(data / "001_left.tif", save_all=True, append_images=[page, page])


def _twelve_bits(path: Path) -> None:
    Image.fromarray(noise(64, 64)[..., 0].astype(np.uint16) * 257 // 16).save(path)


def _dark(data: Path) -> None:
    for k, path in enumerate(sorted(data.glob("*.png"))):
        Image.fromarray(np.full((64, 64 + k), 2, dtype=np.uint8)).save(path)


def _only_header(data: Path) -> None:
    (data / "eyes.csv").write_text((data / "eyes.csv").read_text().splitlines()[0])


MISTAKES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no table": (lambda data: (data / "eyes.csv").unlink(), "not found; correct prepare.path"),
    "no rows": (_only_header, "no row below the header"),
    "not utf-8": (
        lambda data: (data / "eyes.csv").write_bytes(b"File,Pat\xff\xfe\n1,2\n"),
        "not a CSV table",
    ),
    "ragged row": (_edit("001_left.png,", "001_left.png,1,"), "row 4: 6 fields"),
    "two columns of one name": (_edit("Eye,Age", "Age,Age"), "two columns are called 'Age'"),
    "no image column": (_edit("File,", "Files,"), "no column 'File'; did you mean 'Files'?"),
    "no patient column": (_edit("Patient", "Number"), "no column 'Patient'; there are"),
    "no eye column": (_edit(",Eye,", ",Side,"), "no column 'Eye'"),
    "no target column": (_edit("Age", "Years"), "no column 'Age'"),
    "no patient": (_field(1, ""), "row 4: 'Patient' is empty"),
    "no image name": (_field(0, ""), "row 4: 'File' is empty"),
    "image listed twice": (_field(0, "000_left.png"), "'000_left.png' is listed twice"),
    "image missing": (_field(0, "gone.png"), "gone.png: not found"),
    "image of no known format": (_field(0, "eyes.csv"), "eyes.csv: not one of .jpg"),
    "neither left nor right": (_field(2, "both"), "found 'both'; write left or right"),
    "no number": (_field(3, "sixty"), "'Age': found 'sixty'; a number is needed"),
    "infinite": (_field(3, "inf"), "'Age': found 'inf'"),
    "a word for unknown": (_field(4, "N/A"), "row 4: 'Sex': found 'N/A'; leave the field empty"),
    "semicolons": (
        lambda data: (data / "eyes.csv").write_text("File;Patient\na;b\n"),
        "fields are separated by ';'",
    ),
    "twelve bits in sixteen": (
        lambda data: _twelve_bits(data / "001_left.png"),
        "in a file of 16 bits, which is black",
    ),
    "nothing but darkness": (_dark, "no field of view found"),
    "three classes": (_field(4, "X"), "3 classes (F, M, X …)"),
    "positive class absent": (_field(4, "F", row=0), "no field is 'M'"),
    "constant value": (_field(3, "60", row=0), "age: only 60 in the"),
    "no value at all": (_field(3, "", row=0), "age: no value in the"),
    "one patient": (_field(1, "1", row=0), "patients: 1 found"),
    "empty file": (_bytes(lambda _: b""), "001_left.png: an empty file"),
    "truncated file": (_bytes(lambda b: b[:400]), "damaged or truncated"),
    "no picture": (_bytes(lambda _: b"hello" * 20), "cannot be read"),
    "too small": (_save(noise(20, 64)), "20 x 64 px; give at least 32 x 32"),
    "print colours": (_save(noise(64, 64), "CMYK"), "colours as CMYK"),
    "several pages": (_pages, "3 pages; save one photograph"),
    "one picture of two patients": (_copy, "the same picture as 001_left.png, but of patient"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_written(
    name: str, data: Path, tmp_path: Path
) -> None:
    make, expected = MISTAKES[name]
    make(data)
    out = tmp_path / "out"
    out.mkdir()
    chosen = params(source="csv", path=str(data / "eyes.csv"))
    with pytest.raises(UserError) as caught:
        prepare(chosen, None, out)  # type: ignore[arg-type]
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    assert not (out / "eyes.csv").exists()


def test_minus_beside_plus_is_a_class() -> None:
    sex = TargetColumn(name="sign", column="c", kind="binary", unit="", positive="+")
    assert _column(Path("t.csv"), pd.Series(["+", "-", "+"]), sex) == [1, 0, 1]


INSIDE = {  # of a photograph: seen when it is decoded, which `check` does not
    "truncated file",
    "no picture",
    "too small",
    "print colours",
    "several pages",
    "one picture of two patients",
    "twelve bits in sixteen",
    "nothing but darkness",
}
OUTSIDE = [name for name in MISTAKES if name not in INSIDE]


@pytest.mark.parametrize("name", OUTSIDE)
def test_check_finds_what_table_and_files_show_from_outside(name: str, data: Path) -> None:
    make, expected = MISTAKES[name]
    make(data)
    with pytest.raises(UserError) as caught:
        check(params(source="csv", path=str(data / "eyes.csv")))
    assert expected in str(caught.value)


def test_check_names_every_file_with_its_hash(data: Path) -> None:
    assert len(check(params(source="csv", path=str(data / "eyes.csv")))) == 17


def test_a_folder_in_place_of_the_table_is_explained(data: Path) -> None:
    with pytest.raises(UserError, match="is a folder; give the table in it"):
        check(params(source="csv", path=str(data)))


def test_all_files_with_mistakes_are_counted(data: Path, tmp_path: Path) -> None:
    for name in ("001_left.png", "002_left.png", "003_right.png"):
        (data / name).write_bytes(b"")
    with pytest.raises(UserError, match=r"001_left.png: an empty file.*2 more files"):
        prepare(params(source="csv", path=str(data / "eyes.csv")), None, tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"source": "csv"}, "path: found null"),
        ({"source": "csv", "path": "a.csv", "targets": []}, "targets: found []"),
        ({"targets": [AGE, AGE]}, "'age' is named twice"),
        ({"targets": [{**SEX, "positive": ""}]}, "name the class of sex"),
        ({"targets": [{**AGE, "positive": "old"}]}, "age is a value"),
        *[
            ({"targets": [{**AGE, "name": name}]}, f"{name!r} is a column of the tables")
            for name in ("eye", "group", "path", "eyes", "file")
        ],
        *[
            ({"targets": [{**AGE, "name": f"age_{end}"}, AGE]}, f"'age_{end}' is the column of")
            for end in ("mean", "sd", "low", "high", "probability")
        ],
        ({"targets": [{**AGE, "name": "Age"}]}, "name"),
        ({"shares": [1.0, 0.0, 0.0]}, "each must be above 0"),
        ({"size": 8}, "size"),
        ({"effect_scale": -1.0}, "effect_scale"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(
    changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        params(**changed)
    assert message in str(caught.value)


def test_formats_give_the_same_picture(tmp_path: Path) -> None:
    array = noise(40, 50)
    Image.fromarray(array).save(tmp_path / "a.png")
    Image.fromarray(array).save(tmp_path / "a.tif")
    _save_dicom(tmp_path / "a.dcm", array)
    for name in ("a.png", "a.tif", "a.dcm"):
        assert np.array_equal(read_photograph(tmp_path / name), array), name
    Image.fromarray(array[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(read_photograph(tmp_path / "grey.png")[..., 2], array[..., 0])
    Image.fromarray(array[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert np.array_equal(read_photograph(tmp_path / "deep.png")[..., 1], array[..., 0])
    Image.fromarray(array[..., 0].astype(np.uint16) * 257).save(tmp_path / "little.tif")
    content = bytearray((tmp_path / "little.tif").read_bytes())
    assert content[:2] == b"II"
    big = Image.frombytes("I;16B", (50, 40), (array[..., 0].astype(">u2") * 257).tobytes())
    big.save(tmp_path / "big.tif")
    for name in ("little.tif", "big.tif"):
        assert np.array_equal(read_photograph(tmp_path / name)[..., 1], array[..., 0]), name
    Image.fromarray(array).quantize(256).save(tmp_path / "palette.png")
    assert read_photograph(tmp_path / "palette.png").shape == (40, 50, 3)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2"])
def test_dicom_of_16_bits_is_read_signed_or_not(
    signed: bool, interpretation: str, tmp_path: Path
) -> None:
    grey = noise(40, 50)[..., 0]
    stored = grey.astype(np.int64) * 257
    if interpretation == "MONOCHROME1":  # low is bright
        stored = 65535 - stored
    stored = (stored - 32768).astype(np.int16) if signed else stored.astype(np.uint16)
    _save_dicom(tmp_path / "a.dcm", stored, interpretation)
    assert np.array_equal(read_photograph(tmp_path / "a.dcm")[..., 0], grey)


def _save_dicom(path: Path, array: np.ndarray, interpretation: str = "RGB") -> None:
    data = pydicom.Dataset()
    data.Rows, data.Columns, data.SamplesPerPixel = *array.shape[:2], array[0, 0].size
    data.PhotometricInterpretation = interpretation
    if interpretation == "RGB":
        data.PlanarConfiguration = 0
    bits = 8 * array.itemsize
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(array.dtype.kind == "i")
    data.PixelData = array.tobytes()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = OphthalmicPhotography8BitImageStorage, generate_uid()
    data.save_as(path, enforce_file_format=True)
