"""`scistage apply segmentation`: the trained network on images of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from skimage.measure import label, regionprops_table

from pipelines.core.artifacts import read_json, write_csv
from pipelines.core.errors import UserError

from ..prepare.arrays import Format
from ..prepare.reading import SUFFIXES, read_image
from .files import RULE, read_rule, write_labels
from .network import load
from .tune import decide

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

__all__ = ["SUFFIXES", "apply"]

PROPERTIES = {
    "label": "id",
    "area": "area_px",
    "centroid-0": "centroid_y",
    "centroid-1": "centroid_x",
    "bbox-0": "top",
    "bbox-1": "left",
    "bbox-2": "bottom",
    "bbox-3": "right",
}


def apply(inputs: "Inputs", files: list[Path], out: Path) -> None:
    """Write `<stem>.tif` with the labels of each image, and objects.csv with its objects.

    objects.csv: file, id (value in the label image; of a connected region for binary and class
    masks, then with its class), area in px and µm² where the pixel size is known, centroid and
    bounding box in px, mean intensity in the image's own units (mean over colours), and mean
    confidence, the probability given to what was decided. Raises UserError for a file that
    cannot be read or does not have the channels that the network has learnt from.
    """
    model = load(inputs.train, **read_json(inputs.predict / RULE)["tiles"])
    rule = read_rule(inputs.predict)
    images = [_image(path, model.form) for path in files]  # every mistake before any work
    stems = [path.stem for path in files]
    twice = next((p for p in files if stems.count(p.stem) > 1), None)
    if twice:
        raise UserError(f"{twice}: another file has the stem {twice.stem} too; rename one")
    tables = []
    for path, image in zip(files, images, strict=True):
        probability = model(image)
        labels = decide(probability, model.form, rule)
        write_labels(out / f"{path.stem}.tif", labels)
        tables.append(objects(path.name, image, labels, probability, model.form))
    write_csv(out / "objects.csv", pd.concat(tables))


def objects(
    name: str, image: np.ndarray, labels: np.ndarray, probability: np.ndarray, form: Format
) -> pd.DataFrame:
    """One line for each object (instances) or connected region of a class."""
    numbered = labels if form.labels == "instances" else label(labels, background=0)
    if form.labels == "instances":
        confidence = np.where(labels > 0, 1 - probability[0], probability[0])
    else:
        confidence = np.take_along_axis(probability, labels[None], axis=0)[0]
    channels = [image.mean(axis=-1), confidence, labels]
    values = regionprops_table(
        numbered,
        np.stack(channels, axis=-1),
        properties=("label", "area", "centroid", "bbox", "intensity_mean"),
    )
    table = pd.DataFrame({new: values[old] for old, new in PROPERTIES.items()})
    table.insert(0, "file", name)
    table["area_px"] = table["area_px"].astype(int)
    if form.pixel_size_um is not None:
        table["area_um2"] = table["area_px"] * form.pixel_size_um**2
    table["mean_intensity"] = values["intensity_mean-0"]
    table["mean_confidence"] = values["intensity_mean-1"]
    if form.labels != "instances":
        table.insert(2, "class", values["intensity_mean-2"].round().astype(int))
    return table


def _image(path: Path, form: Format) -> np.ndarray:
    image = read_image(path)
    if image.shape[2] != form.channels:
        kinds = {1: "grey", 3: "RGB"}
        found, needed = (kinds.get(c, f"{c}-channel") for c in (image.shape[2], form.channels))
        raise UserError(f"{path}: {found}, but the network learnt from {needed} images; convert it")
    return image
