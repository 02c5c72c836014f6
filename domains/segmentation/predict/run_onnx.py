"""Class probabilities of the pixels of an image.

    python run.py image.npy probabilities.npy

image.npy: (H, W) or (H, W, channels) of any real type, in the units of the training images;
probabilities.npy: (classes, H, W) float32, the classes as `preprocessing.json` names them.
As sure as they are right they are as softmax(log(p) / temperature): of all classes, or where these
are parts of an object, of the background and the rest.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
SETTINGS = json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))


def normalised(image: np.ndarray) -> np.ndarray:
    """(H, W, C) on the scale 0 to 1, each channel by itself; float32."""
    scale = SETTINGS["intensity"]
    ends = scale["range"] or np.percentile(
        image, (scale["low_percentile"], scale["high_percentile"]), axis=(0, 1)
    )
    low, high = np.asarray(ends[0], float), np.asarray(ends[1], float)
    values = np.clip((image - low) / np.where(high > low, high - low, 1), 0, 1)
    lift = scale["compression"]
    return (np.arcsinh(lift * values) / np.arcsinh(lift) if lift else values).astype(np.float32)


def probabilities(session: onnxruntime.InferenceSession, image: np.ndarray) -> np.ndarray:
    """(K, H, W) of a normalised image (H, W, C), tile by tile."""
    height, width, _ = image.shape
    said = np.empty((len(SETTINGS["classes"]), height, width), dtype=np.float32)
    for rows, seen_rows in spans(height):
        for columns, seen_columns in spans(width):
            window = image[np.ix_(mirrored(seen_rows, height), mirrored(seen_columns, width))]
            tile = np.ascontiguousarray(window.transpose(2, 0, 1)[None])
            found = session.run(["probabilities"], {"image": tile})[0][0]
            lost = SETTINGS["tiles"]["lost_px"]
            top, left = rows.start - seen_rows[0] - lost, columns.start - seen_columns[0] - lost
            bottom, right = top + rows.stop - rows.start, left + columns.stop - columns.start
            said[:, rows, columns] = found[:, top:bottom, left:right]
    return said


def spans(size: int) -> list[tuple[slice, np.ndarray]]:
    """Along one axis the pixels of each tile, and the places that the network sees of it."""
    tiles = SETTINGS["tiles"]
    count = -(-size // tiles["tile_px"])
    edge = min(tiles["tile_px"], -(-size // count // tiles["step_px"]) * tiles["step_px"])
    seen = edge + 2 * tiles["margin_px"]
    if tiles["lost_px"]:  # convolutions without padding and pooling must divide it evenly
        seen += -(seen + 4) % tiles["pooling_px"]
    before = (seen - edge) // 2
    return [
        (slice(at, min(at + edge, size)), np.arange(at - before, at - before + seen))
        for at in range(0, size, edge)
    ]


def mirrored(places: np.ndarray, size: int) -> np.ndarray:
    """Places in the image for any: … 2 1 0 1 2 …, as often as need be."""
    places = places % max(2 * size - 2, 1)
    return np.minimum(places, 2 * size - 2 - places)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    given = np.load(sys.argv[1])
    given = given if given.ndim == 3 else given[..., None]
    model = onnxruntime.InferenceSession(HERE / "model.onnx")
    np.save(sys.argv[2], probabilities(model, normalised(given)))
