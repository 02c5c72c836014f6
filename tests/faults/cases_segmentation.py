"""Pictures, folders and calls that segmentation must refuse."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import nibabel
import numpy as np
import tifffile

from domains.segmentation.prepare.hela import HELA
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
    removed,
    tampered,
    tiff,
    written,
)
from tests.segmentation.files import dicom

CHECK, PREPARE = "check segmentation", "prepare segmentation"


def apply(name: str) -> str:
    return f"apply segmentation data/images/1.tif mine/{name} -o out"


def image(name: str, content: bytes) -> Spoil:
    """An image in the place of the fourth one."""
    return both(removed("data/images/3.tif"), written(f"data/images/{name}", content))


def nifti(*shape: int) -> bytes:
    header = bytearray(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4)).to_bytes())
    struct.pack_into("<8h", header, 40, len(shape), *shape, *[1] * (7 - len(shape)))
    return bytes(header)


def late() -> bytes:
    """A volume whose pixels are said to begin after gigabytes of extensions."""
    volume = bytearray(nifti(2, 2, 2))
    struct.pack_into("<f", volume, 108, 2e9)
    return bytes(volume)


def frames(number: int) -> Spoil:
    """A DICOM file of four pixels that declares so many frames."""
    pixels = np.zeros((2, 2), np.uint8)
    return lambda project: dicom(project / "mine/a.dcm", pixels, NumberOfFrames=str(number))


def deflated(project: Path) -> None:
    """A DICOM file that would grow to gigabytes before its first element is looked at."""
    dicom(project / "mine/a.dcm", np.zeros((2, 2), np.uint8))
    content = (project / "mine/a.dcm").read_bytes()
    length = struct.unpack_from("<I", content, 140)[0]  # of the group that names the syntax
    meta = content[: 144 + length].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    meta = meta[:140] + struct.pack("<I", length + 2) + meta[144:]
    meta = meta.replace(b"UI\x14\x001.2.840.10008.1.2.1.99", b"UI\x16\x001.2.840.10008.1.2.1.99")
    packed = zlib.compress(bytes(2**24), 9)[2:-4]
    (project / "mine/a.dcm").write_bytes(meta + packed)


def colour(project: Path) -> None:
    (project / "mine").mkdir()
    tifffile.imwrite(project / "mine/a.tif", np.zeros((20, 20, 3), np.uint8), photometric="rgb")


CASES = {
    "no folder": Case(
        param("segmentation.prepare.path", "no\0where"), CHECK, ("no\\x00where: no such folder",)
    ),
    "a range that ends before it begins": Case(
        param("segmentation.prepare.intensity_range", [2.0, 1.0]),
        CHECK,
        ("params.yaml:", "segmentation.prepare.intensity_range: found [2.0, 1.0]"),
    ),
    "a number beyond its library": Case(
        param("segmentation.evaluate.seed", 2**40), CHECK, ("segmentation.evaluate.seed: found",)
    ),
    "a PNG bomb": Case(image("3.png", png(22000, 22000)), CHECK, ("images/3.png", BOMB)),
    "a PNG with a bomb of text": Case(
        image(
            "3.png", png(9, 9, bytes(90), b"\0\0\x03\xf2zTXta\0\0" + zlib.compress(bytes(10**6)))
        ),
        CHECK,
        ("images/3.png: cannot be read",),
    ),
    "a TIFF bomb": Case(image("3.tif", tiff(60000, 60000)), CHECK, ("images/3.tif", BOMB)),
    "a TIFF bomb to apply to": Case(
        written("mine/a.tif", tiff(40000, 40000)), apply("a.tif"), ("mine/a.tif", BOMB)
    ),
    "a TIFF whose pages lead back": Case(
        written("mine/a.tif", tiff(2, 2, 12)), apply("a.tif"), ("mine/a.tif: cannot be read",)
    ),
    "a NIfTI bomb": Case(
        written("mine/a.nii.gz", gzip.compress(nifti(30000, 30000, 900))),
        apply("a.nii.gz"),
        ("mine/a.nii.gz", BOMB),
    ),
    "a NIfTI file with a bomb of a header": Case(
        written("mine/a.nii.gz", gzip.compress(late())),
        apply("a.nii.gz"),
        ("mine/a.nii.gz: declares a header of 2e+09 bytes",),
    ),
    "a volume of negative size": Case(
        written("mine/a.nii", nifti(-5, 9, 9)), apply("a.nii"), ("mine/a.nii: cannot be read",)
    ),
    "a DICOM bomb": Case(frames(10**9), apply("a.dcm"), ("mine/a.dcm", BOMB)),
    "a DICOM file that is packed": Case(deflated, apply("a.dcm"), ("mine/a.dcm: a deflated",)),
    "a DICOM file of text": Case(
        written("mine/a.dcm", "hello"), apply("a.dcm"), ("mine/a.dcm: cannot be read",)
    ),
    "colours for a network of greys": Case(colour, apply("a.tif"), ("mine/a.tif: RGB, but",)),
    "a file that is cut off": Case(
        cut("data/images/3.tif", 900), PREPARE, ("images/3.tif: cannot be read",)
    ),
    "a folder of an image's name": Case(
        folder("data/images/3.tif"), CHECK, ("masks/3.tif: no 3.png or the like in images/",)
    ),
    "a pipe for an image": Case(pipe("data/images/3.tif"), CHECK, ("images/3.tif",)),
    "a pipe to apply to": Case(
        both(written("mine/b", ""), pipe("mine/a.tif")), apply("a.tif"), ("mine/a.tif: not found",)
    ),
    "a link to itself": Case(
        linked("data/masks/3.tif", "3.tif"), CHECK, ("masks/3.tif: a link to nothing",)
    ),
    "a folder that leads back to itself": Case(
        linked("data/images/more", ".."), CHECK, ("images/more: a link back to a folder",)
    ),
    "a path of groups.csv that leaves its folder": Case(
        written("data/groups.csv", "file,group\n../masks/0.tif,1\n"),
        CHECK,
        ("groups.csv: ../masks/0.tif is not in images/",),
    ),
    "groups.csv in another encoding": Case(
        written("data/groups.csv", b"file,group\n\xe9.tif,1\n"), CHECK, ("groups.csv: not a CSV",)
    ),
    "a name that is no text": Case(
        both(written(b"data/images/\xe9.tif", ""), written(b"data/masks/\xe9.tif", "")),
        CHECK,
        ("data/images/\\udce9.tif: its name is not UTF-8",),
    ),
    "a name that is no text to apply to": Case(
        written(b"mine/\xe9.tif", ""), apply("\udce9.tif"), ("\\udce9.tif: its name is not UTF-8",)
    ),
    "nothing to apply to": Case(nothing, apply("no.tif"), ("mine/no.tif: not found",)),
    "a wheel that was tampered with": Case(
        both(param("segmentation.prepare.source", "hela"), tampered(HELA)),
        CHECK,
        (HELA.file_name, "wrong hash"),
    ),
    "images that were not prepared": Case(
        written("outputs/segmentation/prepare/samples.csv", "name,split\n"),
        "predict segmentation",
        ("prepare/images.npy: not found",),
    ),
    "an array that declares more than it holds": Case(
        both(
            written("outputs/segmentation/prepare/samples.csv", "name,split\n"),
            written(
                "outputs/segmentation/prepare/images.npy",
                b"\x93NUMPY\1\0\x76\0{'descr': '|u1', 'fortran_order': False, 'shape': "
                b"(99999999999999, 3)}".ljust(128),
            ),
        ),
        "predict segmentation",
        ("prepare/images.npy: no array",),
    ),
}
