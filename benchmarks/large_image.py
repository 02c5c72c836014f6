"""One very large image through `scistage apply segmentation`: peak memory, time, stitching.

    python benchmarks/large_image.py [--edge 10000] [--project FOLDER]

The picture is synthetic, bright discs on a dark noisy ground: it says nothing about the quality of
segmentation, only about memory and about objects on the seams of what is computed at once. The
model is the trained one of the project. Writes benchmarks/records/large_image.json.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from machine import processor
from scipy import ndimage

from pipelines.core.artifacts import read_csv, read_json, write_json
from pipelines.core.environment import environment

PITCH_PX = 40  # one nucleus in each square of this edge
SEAM_PX = 2048  # edge of the blocks in which labels are decided
ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "tifffile")


def main() -> None:
    """Make the picture, apply the model, print and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edge", type=int, default=10_000, help="of the picture, px")
    parser.add_argument("--project", type=Path, default=ROOT, help="with a trained model")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "nuclei.tif"), Path(folder, "out")
        picture, centres = nuclei(options.edge)
        tifffile.imwrite(file, picture, compression="zlib", tile=(512, 512))
        del picture
        start = time.perf_counter()
        command = [sys.executable, "-m", "pipelines", "apply", "segmentation", file, "-o", out]
        subprocess.run(command, cwd=options.project, check=True)
        seconds = time.perf_counter() - start
        found = stitching(tifffile.imread(out / "nuclei.tif"), centres)
        found["rows_of_objects_csv"] = len(read_csv(out / "objects.csv"))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    content = {
        "what": "synthetic picture, for memory and stitching only",
        "picture": f"{options.edge} x {options.edge} px, uint8, compressed TIFF",
        "peak_memory_GB": round(used.ru_maxrss * unit / 1e9, 3),
        "seconds": round(seconds),
        "cpu_seconds": round(used.ru_utime + used.ru_stime),
        **model(options.project),
        **found,
        "processor": processor(),
        "threads": environment().threads,
        "precision": environment().precision or "default",
        "packages": {name: version(name) for name in PACKAGES},
    }
    print(json.dumps(content, indent=2))
    record = ROOT / "benchmarks" / "records"
    record.mkdir(exist_ok=True)
    write_json(record / "large_image.json", content)


def nuclei(edge: int) -> tuple[np.ndarray, np.ndarray]:
    """(edge, edge) uint8 discs of 8 to 13 px radius that never touch, and their centres (N, 2)."""
    rng = np.random.default_rng(0)
    squares = np.indices((edge // PITCH_PX,) * 2).reshape(2, -1).T
    centres = squares * PITCH_PX + rng.integers(15, 26, squares.shape)
    picture = np.zeros((edge, edge), dtype=np.uint8)
    y, x = np.indices((PITCH_PX, PITCH_PX))
    for centre, square in zip(centres, squares * PITCH_PX, strict=True):
        distance = np.hypot(*(a - c for a, c in zip((y, x), centre - square, strict=True)))
        disc = (distance <= rng.uniform(8, 13)) * rng.uniform(90, 200)
        here = tuple(slice(s, s + PITCH_PX) for s in square)
        picture[here] = disc
    for top in range(0, edge, 1000):
        rows = ndimage.gaussian_filter(picture[top : top + 1000].astype(np.float32), (0, 1.5))
        rows += rng.normal(20, 3, rows.shape)
        picture[top : top + 1000] = rows.clip(0, 255)
    return picture, centres


def stitching(labels: np.ndarray, centres: np.ndarray) -> dict[str, Any]:
    """Of how many nuclei all pixels within 6 px of the centre have one label, theirs alone."""
    y, x = np.indices((13, 13)) - 6
    y, x = y[np.hypot(y, x) <= 6], x[np.hypot(y, x) <= 6]
    seen = labels[centres[:, :1] + y, centres[:, 1:] + x]
    alone = np.bincount(seen[:, 0]) == 1
    right = (seen == seen[:, :1]).all(axis=1) & (seen[:, 0] > 0) & alone[seen[:, 0]]
    at_seam = (np.abs((centres + SEAM_PX // 2) % SEAM_PX - SEAM_PX // 2) <= 8).any(axis=1)
    return {
        "nuclei": len(centres),
        "nuclei_with_a_label_of_their_own": int(right.sum()),
        "nuclei_on_seams": int(at_seam.sum()),
        "nuclei_on_seams_with_a_label_of_their_own": int((right & at_seam).sum()),
    }


def model(project: Path) -> dict[str, Any]:
    """The network's size and how it is run."""
    outputs = project / "outputs" / "segmentation"
    network = read_json(outputs / "train" / "model.json")["fits"]["unet"]["model"]["network"]
    tiles = read_json(outputs / "predict" / "postprocess.json")["tiles"]
    return {"network": {k: network[k] for k in ("base", "depth")}, "tiles": tiles}


if __name__ == "__main__":
    main()
