"""Your own images: a folder with images/, masks/ and, if patients matter, groups.csv."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_csv
from pipelines.core.errors import UserError
from pipelines.data.sources import sha256_of

from .arrays import SPLITS, Format, Sample, renumbered
from .params import PrepareParams
from .reading import SUFFIXES, read_image, read_mask
from .split import split_groups


def load(params: PrepareParams) -> list[Sample]:
    """All images with their masks, each group of them in one split.

    Raises UserError, after all files have been looked at, with the first mistake and the number
    of further ones.
    """
    folder = Path(params.path or "")
    pairs = find_pairs(folder)
    groups, fixed = read_groups(folder, [image.name for image, _ in pairs])
    mistakes: list[str] = []
    read: list[tuple[Path, np.ndarray, np.ndarray]] = []
    for image_path, mask_path in pairs:
        try:
            image, mask = read_image(image_path), read_mask(mask_path)
            read.append((image_path, image, _labels(mask, image, mask_path, params)))
        except UserError as error:
            mistakes.append(str(error))
    if not mistakes:
        mistakes = _mixed_channels(read)
    if mistakes:
        more = f" (and {len(mistakes) - 1} more files with mistakes)" if len(mistakes) > 1 else ""
        raise UserError(mistakes[0] + more)
    _refuse_shared_duplicates(read, groups)
    sizes = pd.Series(groups).value_counts().to_dict()
    splits = fixed or split_groups(sizes, params.shares, params.seed)
    return [
        Sample(path.stem, groups[path.name], splits[groups[path.name]], image, mask)
        for path, image, mask in read
    ]


def form(params: PrepareParams, samples: list[Sample]) -> Format:
    """What the parameters say of the masks and the images themselves of their channels."""
    classes = params.classes if params.labels == "classes" else 2
    return Format.of(
        params, params.labels, classes, samples[0].image.shape[2], params.pixel_size_um
    )


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of every file that `load` reads, by its name inside the folder."""
    folder = Path(params.path or "")
    paths = [path for pair in find_pairs(folder) for path in pair]
    if (folder / "groups.csv").is_file():
        paths.append(folder / "groups.csv")
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(paths)}


def about(params: PrepareParams, samples: list[Sample], form: Format) -> dict[str, Any]:
    """The card's description of the data."""
    kinds = {"binary": "foreground", "instances": "instances"}
    kind = kinds.get(form.labels, f"{form.classes} classes")
    colour = "RGB" if form.channels == 3 else "grey"
    return {
        "title": Path(params.path or "").name,
        "description": (
            f"{len(samples)} {colour} images of your own with masks of {kind}, split by group."
        ),
        "synthetic": False,
        "source": {
            "name": f"folder {params.path}",
            "licence": "as stated by its owner",
            "citation": "none",
            "files": files(params),
        },
        "excluded": [],
        "notes": [
            f"{len({s.group for s in samples})} groups; a group is in one split only.",
        ],
    }


def find_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """(image, mask) paths with the same stem, sorted."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; set prepare.path to a folder with images/")
    images, masks = (_by_stem(folder / name) for name in ("images", "masks"))
    if not images:
        raise UserError(f"{folder}/images: holds no PNG or TIFF file; put the images there")
    lonely = sorted(images.keys() ^ masks.keys())
    if lonely:
        stem = lonely[0]
        here, there = ("images", "masks") if stem in images else ("masks", "images")
        found = (images if stem in images else masks)[stem].name
        more = f" (and {len(lonely) - 1} more files)" if len(lonely) > 1 else ""
        raise UserError(f"{folder}/{here}/{found}: no {stem}.png or .tif in {there}/, add it{more}")
    return [(images[stem], masks[stem]) for stem in sorted(images)]


def read_groups(folder: Path, names: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Group of each image, and the split of each group if the file fixes it (else empty).

    Without groups.csv every image is its own group.
    """
    path = folder / "groups.csv"
    if not path.is_file():
        return {name: Path(name).stem for name in names}, {}
    table = read_csv(path, text=("file", "group", "split"))
    if list(table.columns) not in (["file", "group"], ["file", "group", "split"]):
        raise UserError(
            f"{path}: columns {list(table.columns)}; give file,group or file,group,split"
        )
    if table.isna().any(axis=None):
        row = int(table.isna().any(axis=1).argmax())
        raise UserError(f"{path}: line {row + 2} has an empty field; fill it")
    unknown = sorted(set(table["file"]) - set(names))
    if unknown:
        raise UserError(
            f"{path}: {unknown[0]} is not in images/; correct its name or drop the line"
        )
    missing = sorted(set(names) - set(table["file"]))
    if missing:
        raise UserError(
            f"{path}: {missing[0]} of images/ has no line; add one ({len(missing)} lack)"
        )
    twice = table.loc[table["file"].duplicated(), "file"]
    if len(twice):
        raise UserError(f"{path}: {twice.iloc[0]} has two lines; keep one")
    groups = dict(zip(table["file"], table["group"], strict=True))
    return groups, _fixed_splits(path, table) if "split" in table else {}


def _fixed_splits(path: Path, table: pd.DataFrame) -> dict[str, str]:
    wrong = table.loc[~table["split"].isin(SPLITS), "split"]
    if len(wrong):
        raise UserError(f"{path}: split {wrong.iloc[0]!r}; write {', '.join(SPLITS)}")
    for group, splits in table.groupby("group")["split"]:
        if splits.nunique() > 1:
            both = " and ".join(sorted(set(splits)))
            raise UserError(f"{path}: group {group} is in {both}; keep a group in one split")
    for split in SPLITS:
        if split not in set(table["split"]):
            raise UserError(f"{path}: no group in split {split}; give it one")
    return dict(zip(table["group"], table["split"], strict=True))


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; images/ and masks/ are needed")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES:
            continue
        if path.stem in found:
            raise UserError(f"{path}: {found[path.stem].name} has the same stem; rename one")
        found[path.stem] = path
    return found


def _labels(mask: np.ndarray, image: np.ndarray, path: Path, params: PrepareParams) -> np.ndarray:
    """(H, W) int32 labels as the parameter `labels` says, or UserError."""
    if mask.shape != image.shape[:2]:
        raise UserError(
            f"{path}: {mask.shape[0]} x {mask.shape[1]} px, but its image has "
            f"{image.shape[0]} x {image.shape[1]}; save both in the same size"
        )
    if params.labels == "instances":
        return renumbered(mask.astype(np.int32))
    if params.labels == "binary":
        values = np.unique(mask)
        if len(values[values > 0]) > 1:
            raise UserError(
                f"{path}: {len(values)} values, up to {values[-1]}; a binary mask has 0 and one "
                "other; for more set labels to classes or instances"
            )
        return (mask > 0).astype(np.int32)
    if mask.max() >= params.classes:
        raise UserError(
            f"{path}: class {mask.max()}, but classes: {params.classes} allows 0 to "
            f"{params.classes - 1}; correct the mask or raise classes"
        )
    return mask.astype(np.int32)


def _mixed_channels(read: list[tuple[Path, np.ndarray, np.ndarray]]) -> list[str]:
    channels = read[0][1].shape[2]
    return [
        f"{path}: {image.shape[2]} channel(s), but {read[0][0].name} has {channels}; "
        "make all grey or all RGB"
        for path, image, _ in read
        if image.shape[2] != channels
    ]


def _refuse_shared_duplicates(
    read: list[tuple[Path, np.ndarray, np.ndarray]], groups: dict[str, str]
) -> None:
    """The same pixels in two groups could be learnt in one split and asked for in another."""
    seen: dict[str, Path] = {}
    for path, image, _ in read:
        key = hashlib.sha256(repr((image.shape, image.dtype)).encode() + image.tobytes())
        first = seen.setdefault(key.hexdigest(), path)
        if groups[first.name] != groups[path.name]:
            raise UserError(
                f"{path}: the same picture as {first.name} of another group "
                f"({groups[path.name]}, {groups[first.name]}); drop one or put both in one group"
            )
