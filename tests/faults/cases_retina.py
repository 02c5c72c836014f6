"""Photographs, tables and calls that retina must refuse."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from domains.retina.prepare.weights import LITE0
from tests.faults.spoil import (
    BOMB,
    Case,
    Spoil,
    both,
    cut,
    folder,
    linked,
    nothing,
    param,
    pipe,
    png,
    replaced,
    tampered,
    tiff,
    written,
)
from tests.segmentation.files import dicom

CHECK, PREPARE = "check retina", "prepare retina"
TABLE = "data/eyes.csv"


def apply(name: str) -> str:
    return f"apply retina data/000_left.png mine/{name} -o out"


def named(name: str) -> Spoil:
    """Another name for the third photograph of the table."""
    return replaced(TABLE, "001_left.png", name)


def pixels(rows: int) -> Spoil:
    """A DICOM file of four pixels that declares so many rows."""
    return lambda project: dicom(
        project / "mine/a.dcm", np.zeros((2, 2), np.uint8), Rows=rows, Columns=60000
    )


def bits(project: Path) -> None:
    dicom(project / "mine/a.dcm", np.zeros((40, 40), np.uint8), BitsStored=0)


def jpeg(size: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 64)).save(stream, "JPEG")
    return stream.getvalue()[:size]


def odir(labels: str) -> Spoil:
    return both(
        written("mirror/odir/labels.csv", labels),
        param("retina.prepare.source", "odir"),
        param("retina.prepare.path", None),
    )


COLUMNS = "patient_id,eye,image,age,sex,keywords\n"
CASES = {
    "a photograph outside the table's folder": Case(
        named("../params.yaml"), CHECK, (f"{TABLE}: row 4: 'File': found '../params.yaml', which",)
    ),
    "a photograph by way of another folder": Case(
        named("a/../../x.png"), PREPARE, (f"{TABLE}: row 4: 'File': found 'a/../../x.png', which",)
    ),
    "a photograph anywhere": Case(
        named("/etc/passwd"), CHECK, (f"{TABLE}: row 4: 'File': found '/etc/passwd', which",)
    ),
    "ODIR's photograph outside its folder": Case(
        odir(f"{COLUMNS}1,left,../labels.csv,50,M,x\n"),
        CHECK,
        ("odir/labels.csv: row 2: 'image': found '../labels.csv', which leaves",),
    ),
    "ODIR's age": Case(
        odir(f"{COLUMNS}1,left,a.jpg,old,M,x\n"), CHECK, ("odir/labels.csv: line 2: age 'old'",)
    ),
    "no ODIR": Case(
        both(odir(""), linked("mirror/odir/labels.csv", "labels.csv")),
        CHECK,
        ("mirror/odir: holds no labels.csv",),
    ),
    "a pipe for a photograph": Case(pipe("data/001_left.png"), CHECK, ("001_left.png: not found",)),
    "a folder for a photograph": Case(
        folder("data/001_left.png"), CHECK, ("001_left.png: not found",)
    ),
    "a link to itself": Case(
        linked("data/001_left.png", "001_left.png"), CHECK, ("001_left.png: not found",)
    ),
    "a name with a null": Case(named("0\0.png"), CHECK, ("data/0\\x00.png: not found",)),
    "a name that is too long": Case(
        named("x" * 300 + ".png"), CHECK, ("xx.png", "File name too long")
    ),
    "a packed table": Case(
        written(TABLE, b"\x1f\x8b\x08\0\0\0"), CHECK, (f"{TABLE}: not a CSV table in UTF-8",)
    ),
    "a field without an end": Case(
        written(TABLE, 'File,Patient\n"' + "x\n" * 10**5), CHECK, (f"{TABLE}: not a CSV table",)
    ),
    "an age beyond all numbers": Case(
        replaced(TABLE, "001_left.png,001,left,", "001_left.png,001,left,1e99"),
        CHECK,
        (f"{TABLE}: row 4: 'Age': found '1e99",),
    ),
    "a target of a reserved name": Case(
        replaced("params.yaml", "name: sex", "name: usable"),
        CHECK,
        ("params.yaml:", "retina.prepare.targets.1", "'usable' is a column of the tables"),
    ),
    "a PNG bomb": Case(
        written("data/001_left.png", png(14000, 14000)), PREPARE, ("data/001_left.png", BOMB)
    ),
    "a larger PNG bomb": Case(
        written("mine/a.png", png(2**31 - 1, 2**31 - 1)), apply("a.png"), ("mine/a.png",)
    ),
    "a TIFF bomb": Case(
        written("mine/a.tif", tiff(14000, 14000)), apply("a.tif"), ("mine/a.tif", BOMB)
    ),
    "a TIFF whose pages lead back": Case(
        written("mine/a.tif", tiff(40, 40, 12)), apply("a.tif"), ("mine/a.tif",)
    ),
    "a DICOM bomb": Case(pixels(60000), apply("a.dcm"), ("mine/a.dcm", BOMB)),
    "a DICOM file of no bits": Case(bits, apply("a.dcm"), ("mine/a.dcm: cannot be read",)),
    "a JPEG that is cut off": Case(
        written("mine/a.jpg", jpeg(300)), apply("a.jpg"), ("mine/a.jpg: cannot be read",)
    ),
    "a photograph that is cut off": Case(
        cut("data/001_left.png", 500), PREPARE, ("001_left.png: cannot be read",)
    ),
    "a photograph of text": Case(
        written("mine/a.png", "hello"), apply("a.png"), ("mine/a.png: cannot be read",)
    ),
    "a name that is no text": Case(
        written(b"mine/\xe9.png", ""), apply("\udce9.png"), ("\\udce9.png: its name is not UTF-8",)
    ),
    "two of a stem": Case(
        written("mine/000_left.png", png(40, 40)),
        apply("000_left.png"),
        ("mine/000_left.png", "has the stem 000_left too"),
    ),
    "nothing to apply to": Case(nothing, apply("no.png"), ("mine/no.png: not found",)),
    "weights that were tampered with": Case(
        both(param("retina.prepare.pretrained", True), tampered(LITE0)),
        CHECK,
        (LITE0.file_name, "wrong hash"),
    ),
}
