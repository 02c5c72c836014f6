"""Your own images: a folder with images/, masks/ and, if patients matter, groups.csv."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from pipelines.core.contract import FEWEST_GROUPS
from pipelines.core.errors import UserError
from pipelines.data.sources import sha256_of

from .arrays import Format, Sample, renumbered
from .groups import default_groups, read_groups, refuse_shared_duplicates
from .pairs import Pair, find_pairs
from .params import PrepareParams
from .picture import Picture, same_size
from .reading import read_mask_planes, read_planes, suffix_of
from .split import split_groups

LONGEST_NAME = 200  # bytes, of 255 that file systems take: later stages add to it
_NAMES = {".tif": "TIFF", ".jpg": "JPEG", ".jpeg": "JPEG", ".nii": "NIfTI", ".nii.gz": "NIfTI"}
_NAMES |= {".png": "PNG", ".tiff": "TIFF", ".dcm": "DICOM"}


@dataclass(frozen=True)
class _Read:
    """A pair as read: the picture, and the labels (H, W) int32 of each of its planes."""

    pair: Pair
    picture: Picture
    masks: list[np.ndarray]

    def names(self) -> list[str]:
        """Names of the samples, `-z000` for a plane of several."""
        many = len(self.masks) > 1
        return [
            f"{self.pair.name}-z{k:03d}" if many else self.pair.name for k in range(len(self.masks))
        ]


def load(params: PrepareParams) -> list[Sample]:
    """All images with their masks, a sample for each plane, each group of them in one split.

    Raises UserError, after all files have been looked at, with the first mistake and the number
    of further ones.
    """
    folder = Path(params.path or "")
    pairs = find_pairs(folder)
    named = read_groups(folder, [pair.file for pair in pairs])
    read = _read_all(pairs, params)
    _refuse_shared_names(read)
    groups, fixed = named or (
        default_groups(folder, {one.pair: one.picture.group for one in read}),
        {},
    )
    refuse_shared_duplicates([(one.pair, one.picture.planes) for one in read], groups)
    sizes = Counter(groups[one.pair.file] for one in read for _ in one.masks)
    splits = fixed or split_groups(dict(sizes), params.shares, params.seed)
    samples = [
        Sample(name, group, splits[group], image, mask)
        for one in read
        for group in [groups[one.pair.file]]
        for name, image, mask in zip(one.names(), one.picture.planes, one.masks, strict=True)
    ]
    _require_foreground(folder, samples)
    if params.labels == "instances":
        _refuse_unnumbered(folder, samples)
    return samples


def _require_foreground(folder: Path, samples: list[Sample]) -> None:
    for split in ("train", "validation"):
        masks = [sample.mask for sample in samples if sample.split == split]
        if not any((mask > 0).any() for mask in masks):
            raise UserError(
                f"{folder}/masks: the {len(masks)} masks of the {split} split hold no foreground; "
                "correct them, or fix the splits in groups.csv"
            )


def _refuse_unnumbered(folder: Path, samples: list[Sample]) -> None:
    """Values that lie in several places are those of binary masks or classes, no objects."""
    if all(sample.mask.max() <= 1 for sample in samples) and any(
        ndimage.label(sample.mask)[1] > 1 for sample in samples
    ):
        raise UserError(
            f"{folder}/masks: every mask has one value above 0, in several places; set labels to "
            "binary, or number the objects"
        )
    pieces = [
        ndimage.label(sample.mask[box] == label)[1]
        for sample in samples
        for label, box in enumerate(ndimage.find_objects(np.maximum(sample.mask, 0)), start=1)
        if box is not None
    ]
    apart = sum(count > 1 for count in pieces)
    if apart > len(pieces) / 2:
        raise UserError(
            f"{folder}/masks: {apart} of {len(pieces)} numbers lie in several places of a mask, as "
            "those of classes do; set labels to classes or binary, or number the objects"
        )


def form(params: PrepareParams, samples: list[Sample]) -> Format:
    """What the parameters say of the masks and the images themselves of their channels."""
    classes = params.classes if params.labels == "classes" else 2
    size = params.pixel_size_um
    if size == "from_files":  # `load` has seen to it that all files state the same
        first = find_pairs(Path(params.path or ""))[0].image
        size = read_planes(first, params.slice_axis).pixel_size_um
    return Format.of(params, params.labels, classes, samples[0].image.shape[2], size)


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of every file that `load` reads, by its name inside the folder."""
    folder = Path(params.path or "")
    paths = [path for pair in find_pairs(folder) for path in (pair.image, pair.mask)]
    if (folder / "groups.csv").is_file():
        paths.append(folder / "groups.csv")
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(paths)}


def about(params: PrepareParams, samples: list[Sample], form: Format) -> dict[str, Any]:
    """The card's description of the data."""
    kinds = {"binary": "foreground", "instances": "instances"}
    kind = kinds.get(form.labels, f"{form.classes} classes")
    path = Path(params.path or "")
    alone = "each file is one: name what belongs together, such as slices, in groups.csv"
    told = (path / "groups.csv").is_file() or any(pair.subfolder for pair in find_pairs(path))
    colour = "RGB" if form.channels == 3 else "grey"
    formats = Counter(_NAMES[suffix_of(pair.image)] for pair in find_pairs(Path(params.path or "")))
    found = ", ".join(f"{n} {name}" for name, n in sorted(formats.items()))
    stated = " as the files state" if params.pixel_size_um == "from_files" else ""
    size = f"{form.pixel_size_um:g} µm{stated}" if form.pixel_size_um else "unknown"
    tested = len({s.group for s in samples if s.split == "test"})
    few = f"{tested} groups are tested: too few for intervals, which need {FEWEST_GROUPS}."
    return {
        "title": Path(params.path or "").name,
        "description": (
            f"{len(samples)} {colour} images or slices of your own ({found} files) with masks of "
            f"{kind}, split by group."
        ),
        "synthetic": False,
        "source": {
            "name": f"folder {params.path}",
            "licence": "as stated by its owner",
            "citation": "none",
            "files": files(params),
        },
        "excluded": [],
        "intervals": "n counts groups, which the bootstrap draws with all their images.",
        "notes": [
            f"{len({s.group for s in samples})} groups; a group is in one split only"
            f"{'' if told else '; ' + alone}.",
            f"Pixel size: {size}.",
            *([few] if tested < FEWEST_GROUPS else []),
        ],
    }


def _read_all(pairs: list[Pair], params: PrepareParams) -> list[_Read]:
    mistakes: list[str] = []
    read: list[_Read] = []
    for pair in pairs:
        try:
            one = _read(pair, params)
        except UserError as error:
            mistakes.append(str(error))
            continue
        if not mistakes:  # else it is looked at for its own mistakes only
            read.append(one)
    if not mistakes:
        mistakes = [text for one in read[1:] if (text := _unlike(one, read[0], params))]
    if mistakes:
        more = f" (and {len(mistakes) - 1} more files with mistakes)" if len(mistakes) > 1 else ""
        raise UserError(mistakes[0] + more)
    return read


def _read(pair: Pair, params: PrepareParams) -> _Read:
    picture = read_planes(pair.image, params.slice_axis)
    if params.pixel_size_um == "from_files":
        _require_pixel_size(pair.image, picture)
    mask = read_mask_planes(pair.mask, params.slice_axis)
    if len(mask.planes) != len(picture.planes):
        raise UserError(
            f"{pair.mask}: {len(mask.planes)} plane(s), but its image has {len(picture.planes)}; "
            "give one mask for each plane of the image"
        )
    here, there = mask.affine, picture.affine
    if here is not None and there is not None:
        voxel = np.abs(there[:3, :3]).max()
        if not np.allclose(here, there, rtol=1e-4, atol=0.01 * voxel):
            raise UserError(
                f"{pair.mask}: another affine than its image, it lies elsewhere; resample the "
                "mask onto the image"
            )
    shape = picture.planes[0].shape[:2]
    if min(shape) < 2:
        raise UserError(f"{pair.image}: {shape[0]} x {shape[1]} px; give at least 2 x 2")
    return _Read(pair, picture, [_labels(m, shape, pair.mask, params) for m in mask.planes])


def _require_pixel_size(path: Path, picture: Picture) -> None:
    if picture.spacing_um is None:
        raise UserError(
            f"{path}: states no pixel size; set prepare.pixel_size_um to a number or null"
        )
    if not picture.square:
        rows, columns = picture.spacing_um
        raise UserError(
            f"{path}: pixels of {rows:g} x {columns:g} µm are not square; resample the image, or "
            "set prepare.pixel_size_um to a number or null"
        )


def _labels(
    mask: np.ndarray, shape: tuple[int, ...], path: Path, params: PrepareParams
) -> np.ndarray:
    """(H, W) int32 labels as the parameter `labels` says, or UserError."""
    if mask.shape != shape:
        raise UserError(
            f"{path}: {mask.shape[0]} x {mask.shape[1]} px, but its image has "
            f"{shape[0]} x {shape[1]}; save both in the same size"
        )
    if params.labels == "instances":
        return renumbered(mask)
    if params.labels == "binary":
        if ((mask > 0) & (mask != mask.max())).any():
            values = np.unique(mask)
            raise UserError(
                f"{path}: {len(values)} values, up to {values[-1]}; a binary mask has 0 and one "
                "other; for more set labels to classes or instances"
            )
        return (mask > 0).astype(np.int32)
    if mask.max() >= params.classes:
        values = np.unique(mask[mask >= 0])
        if len(values) <= params.classes:
            binary = ", or set labels to binary" if len(values) == 2 else ""
            raise UserError(
                f"{path}: values {', '.join(map(str, values))}, as grey levels are; number the "
                f"classes 0 to {len(values) - 1}{binary}"
            )
        raise UserError(
            f"{path}: class {mask.max()}, but classes: {params.classes} allows 0 to "
            f"{params.classes - 1}; correct the mask or raise classes"
        )
    return mask


def _unlike(one: _Read, first: _Read, params: PrepareParams) -> str | None:
    """What the first picture has and this one has not: channels or pixel size."""
    path, name = one.pair.image, first.pair.file
    here, there = one.picture, first.picture
    channels = here.planes[0].shape[2], there.planes[0].shape[2]
    if channels[0] != channels[1]:
        return (
            f"{path}: {channels[0]} channel(s), but {name} has {channels[1]}; make all grey or "
            "all RGB"
        )
    if params.pixel_size_um != "from_files":
        return None
    sizes = here.pixel_size_um, there.pixel_size_um
    if sizes[0] is None or sizes[1] is None or same_size(sizes[0], sizes[1]):
        return None
    return (
        f"{path}: pixels of {sizes[0]:g} µm, but {name} has {sizes[1]:g}; resample all to one "
        "pixel size, or set prepare.pixel_size_um to null"
    )


def _refuse_shared_names(read: list[_Read]) -> None:
    first: dict[str, Pair] = {}
    for one in read:
        for name in one.names():
            if name in first:
                raise UserError(
                    f"{one.pair.image}: would be called {name} as {first[name].file} is; rename one"
                )
            if len(name.encode()) > LONGEST_NAME:
                raise UserError(
                    f"{one.pair.image}: {len(name.encode())} bytes of path make a file name too "
                    f"long; shorten it to {LONGEST_NAME}"
                )
            first[name] = one.pair
