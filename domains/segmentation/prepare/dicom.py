"""DICOM images through pydicom, in the units that the file's rescaling leads to."""

from pathlib import Path
from typing import Any

import numpy as np

from pipelines.core.errors import UserError

from .picture import Picture, refuse_bomb, spacing

# The functional group of a multi-frame file that holds what a single frame has at its top.
_GROUPS = {
    "PixelSpacing": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
}


def read_dicom(path: Path) -> Picture:
    """One plane, or one for each frame: Hounsfield units for CT, else the stored values rescaled.

    MONOCHROME1, where low is bright, is inverted within the range of its bits.
    """
    import pydicom
    from pydicom.pixels import pixel_array

    _refuse_deflated(path)
    data = pydicom.dcmread(path)
    _refuse(path, data)
    frames = int(data.get("NumberOfFrames") or 1)
    bits = data.BitsAllocated * data.SamplesPerPixel
    refuse_bomb(path, frames * data.Rows * data.Columns, bits / 8)
    array = pixel_array(data)  # colours as RGB
    array = array.reshape(frames, data.Rows, data.Columns, data.SamplesPerPixel)
    if data.PhotometricInterpretation == "MONOCHROME1":
        # -1 - x for signed values, whose lowest and highest add up to -1
        top = -1 if data.PixelRepresentation else 2**data.BitsStored - 1
        array = np.asarray(top - array.astype(np.int64), dtype=array.dtype)
    patient = str(data.get("PatientID") or "").strip() or None
    planes = [_rescaled(data, k, plane) for k, plane in enumerate(array)]
    return Picture(planes, _spacing(data), patient)


def _refuse_deflated(path: Path) -> None:
    """UserError for a file that pydicom would inflate as a whole, however large it grows."""
    from pydicom.filereader import read_file_meta_info
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    if read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        raise UserError(f"{path}: a deflated DICOM file; inflate it, for example with dcmconv +te")


def _refuse(path: Path, data: Any) -> None:
    from pydicom.pixels import get_decoder

    if not any(n in data for n in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        kind = data.file_meta.get("MediaStorageSOPClassUID")
        raise UserError(
            f"{path}: a DICOM file without pixels ({kind.name if kind else 'no class'}); give the "
            "files of the images only"
        )
    syntax = data.file_meta.TransferSyntaxUID
    try:
        decodable = not syntax.is_compressed or get_decoder(syntax).is_available
    except NotImplementedError:
        decodable = False
    if not decodable:
        raise UserError(
            f"{path}: {syntax.name} cannot be decoded here; decompress it first, for example with "
            "gdcmconv --raw or dcmdjpeg"
        )
    colours = data.PhotometricInterpretation
    if colours == "PALETTE COLOR" or "ModalityLUTSequence" in data:
        raise UserError(f"{path}: values by a look-up table ({colours}); save it as grey or RGB")


def _rescaled(data: Any, frame: int, plane: np.ndarray) -> np.ndarray:
    """(H, W, C) float32 = slope x stored + intercept; as stored where neither is stated."""
    slope = _stated(data, frame, "RescaleSlope")
    intercept = _stated(data, frame, "RescaleIntercept")
    if slope is None and intercept is None:
        return plane
    slope = 1.0 if slope is None else slope
    values = plane.astype(np.float64) * float(slope) + float(intercept or 0)
    return values.astype(np.float32)


def _spacing(data: Any) -> tuple[float, float] | None:
    both = _stated(data, 0, "PixelSpacing") or data.get("ImagerPixelSpacing")
    return spacing(both[0], both[1], 1e3) if both else None


def _stated(data: Any, frame: int, keyword: str) -> Any:
    """A value at the file's top, else of all its frames, else of one frame; None if nowhere."""
    if data.get(keyword) is not None:
        return data[keyword].value
    shared = list(data.get("SharedFunctionalGroupsSequence") or [])
    single = list(data.get("PerFrameFunctionalGroupsSequence") or [])[frame : frame + 1]
    for group in shared + single:
        for item in group.get(_GROUPS[keyword]) or []:
            if item.get(keyword) is not None:
                return item[keyword].value
    return None
