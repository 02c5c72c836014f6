"""A small finished project of each domain with a user's own data, for commands in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from ruamel.yaml import YAML

from pipelines.core.params import read_yaml
from pipelines.core.runner import Inputs
from tests.workspace import ROOT

TARGETS = {
    "retina": [
        {"name": "age", "column": "Age", "kind": "value", "unit": "years", "positive": ""},
        {"name": "sex", "column": "Sex", "kind": "binary", "unit": "", "positive": "M"},
    ],
    "screening": [
        {"name": "active", "column": "activity", "kind": "class", "unit": "", "positive": "yes"}
        | {"better": "high"}
    ],
}
OWN: dict[str, dict[str, Any]] = {
    "segmentation": {"source": "folder", "path": "data"},
    "molecules": {"source": "csv", "path": "data/mine.csv", "validation_size": 5},
    "retina": {
        "source": "csv",
        "path": "data/eyes.csv",
        "image_column": "File",
        "patient_column": "Patient",
        "eye_column": "Eye",
        "targets": TARGETS["retina"],
        "size": 48,
    },
    "screening": {
        "source": "csv",
        "path": "data/mine.csv",
        "targets": TARGETS["screening"],
        "split": "random",
        "shares": [0.6, 0.2, 0.2],
        "library": "table",
        "library_path": "data/library.csv",
    },
}


def project(domain: str, path: Path) -> Path:
    """Write a project: params.yaml, `data/` of the user's, and what train and predict leave."""
    (path / "domains" / domain).mkdir(parents=True)
    (path / "mirror").mkdir()
    shutil.copy(ROOT / "dvc.yaml", path)
    section = read_yaml(ROOT / "params.yaml")[domain]
    section["prepare"].update(OWN[domain])
    with (path / "params.yaml").open("w", encoding="utf-8") as stream:
        YAML().dump({"domains": [domain], domain: section}, stream)
    names = ("prepare", "train", "predict", "evaluate", "explain")
    inputs = Inputs(*(path / "outputs" / domain / name for name in names))
    for name in names[:3]:
        getattr(inputs, name).mkdir(parents=True)
    _WRITERS[domain](path / "data", inputs)
    for file in ("prepare/card.json", "prepare/preview.png", "train/history.csv"):
        (path / "outputs" / domain / file).touch()
    return path


def _segmentation(data: Path, inputs: Inputs) -> None:
    from tests.segmentation.applied import trained
    from tests.segmentation.cases import discs, sample

    for name in ("images", "masks"):
        (data / name).mkdir(parents=True)
    for k in range(6):
        mask = discs((40, 50), (10, 10 + k, 5), (25, 30, 6))
        image = sample(mask).image[..., 0] + k
        tifffile.imwrite(data / "images" / f"{k}.tif", image.astype(np.uint16))
        tifffile.imwrite(data / "masks" / f"{k}.tif", mask.astype(np.uint8))
    trained(inputs.train)
    (inputs.train / "postprocess.json").rename(inputs.predict / "postprocess.json")


def _molecules(data: Path, inputs: Inputs) -> None:
    from domains.molecules.predict import predict
    from domains.molecules.predict.params import PredictParams
    from domains.molecules.prepare.arrays import write_splits
    from tests.molecules.test_mistakes_in_tables import GOOD
    from tests.molecules.trained import chains, write_fits

    data.mkdir()
    rows = [f"{k},{smiles}" for k, smiles in enumerate(GOOD)]
    (data / "mine.csv").write_text("\n".join(["id,smiles", *rows, ""]))
    held_out = {name: chains(5, 5) for name in ("validation", "test", "test_scaffolds")}
    write_splits(inputs.prepare, {"train": chains(2, 4), **held_out})
    write_fits(inputs, {"likelihood": 1, "adversarial": 2}, critic=True)
    few = PredictParams(molecules=20, temperature=1.0, rejection=False, seed=0)
    predict(few, inputs, inputs.predict)


def _retina(data: Path, inputs: Inputs) -> None:
    from tests.retina.cases import photographs
    from tests.retina.readers import chain

    photographs(data, patients=6)
    shutil.rmtree(inputs.prepare.parent)
    chain(inputs.prepare.parent, cohort=False)


def _screening(data: Path, inputs: Inputs) -> None:
    from tests.screening.made import KNOWN, LIBRARY, made_prepare
    from tests.screening.test_predict import predicted
    from tests.screening.trained import trained

    data.mkdir()
    rows = [f"{text},{('yes', 'no')[k % 2]}" for k, text in enumerate(KNOWN)]
    (data / "mine.csv").write_text("\n".join(["smiles,activity", *rows, ""]))
    (data / "library.csv").write_text("\n".join(["smiles", *LIBRARY, ""]))
    made_prepare(inputs.prepare)
    trained(inputs.prepare, inputs.train)
    predicted(inputs)


_WRITERS: dict[str, Callable[[Path, Inputs], None]] = {
    "segmentation": _segmentation,
    "molecules": _molecules,
    "retina": _retina,
    "screening": _screening,
}


def tree(folder: Path) -> dict[str, bytes | str | None]:
    """All that a user sees of a project: bytes of files, aims of links, None for a folder."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if name.parts[0] not in (".work", "domains"):
            link, plain = path.is_symlink(), path.is_file()
            found[str(name)] = (
                str(path.readlink()) if link else path.read_bytes() if plain else None
            )
    return found
