"""Small files of the formats that prepare reads, written as other programs write them."""

import struct
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian


def nifti(path: Path, volume: np.ndarray, zooms=(1.0, 1.0, 1.0), unit="mm", shift=0.0) -> None:
    affine = np.diag([*zooms, 1.0])
    affine[0, 3] = shift
    image = nibabel.Nifti1Image(volume, affine)
    image.header.set_xyzt_units(unit)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)


def dicom(path: Path, pixels: np.ndarray | None, **elements: object) -> None:
    """(H, W), (frames, H, W) or (H, W, 3) whole numbers; elements: DICOM keywords."""
    data = pydicom.Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3"
    if pixels is not None:
        colours = 3 if pixels.ndim == 3 and pixels.shape[-1] == 3 else 1
        if colours == 3:
            data.PlanarConfiguration = 0
        elif pixels.ndim == 3:
            data.NumberOfFrames = len(pixels)
        data.Rows, data.Columns = pixels.shape[:2] if colours == 3 else pixels.shape[-2:]
        data.SamplesPerPixel = colours
        data.PhotometricInterpretation = "RGB" if colours == 3 else "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 8 * pixels.itemsize
        data.HighBit = data.BitsStored - 1
        data.PixelRepresentation = int(pixels.dtype.kind == "i")
        data.add_new("PixelData", "OW", pixels.tobytes())
    for keyword, value in elements.items():
        setattr(data, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)


def png(path: Path, rows: np.ndarray, size: tuple[int, int], depth: int, colour: int) -> None:
    """A PNG with this header, whatever it holds: colour 0 is grey, 4 grey with transparency."""
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks))


def _chunk(kind: bytes, content: bytes) -> bytes:
    ends = struct.pack(">I", len(content)), struct.pack(">I", zlib.crc32(kind + content))
    return ends[0] + kind + content + ends[1]
