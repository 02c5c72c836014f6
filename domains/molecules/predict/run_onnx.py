"""New molecules as SMILES, valid or not, a line each.

    python run.py 1000 7 > new.smi

How many, and a seed: another number, other molecules.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
SETTINGS = json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))


def write(session: onnxruntime.InferenceSession, noise: np.ndarray) -> list[str]:
    """The molecules of a noise of n rows, as `noise_of` draws it."""
    n, drawn = len(noise), SETTINGS["choice"] == "drawn"
    layers, _, units = SETTINGS["inputs"]["hidden"]["shape"]
    hidden = np.zeros((layers, n, units), dtype=np.float32)
    graph = np.tile(np.array(SETTINGS["graph_at_start"], dtype=np.int64), (n, 1))
    token, ended, texts = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool), [""] * n
    given = {} if drawn else {"noise": (SETTINGS["temperature"] * noise).astype(np.float32)}
    for place in range(SETTINGS["longest"] + 1):
        given |= {"token": token, "hidden": hidden, "graph": graph}
        logits, hidden, graph = session.run(["logits", "hidden_after", "graph_after"], given)
        chosen = choose(logits, noise[:, place]) if drawn else logits.argmax(axis=1)
        token = np.where(ended, 0, chosen)
        ended |= token == 0
        texts = [text + SETTINGS["vocabulary"][k] for text, k in zip(texts, token, strict=True)]
        if ended.all():
            break
    return texts


def choose(logits: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Of [0, 1] each token has a part as long as its probability: the one that the number is in."""
    logits = logits.astype(float) / SETTINGS["temperature"]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    ends = np.cumsum(powers, axis=1) / powers.sum(axis=1, keepdims=True)
    return np.minimum((ends <= uniform[:, None]).sum(axis=1), logits.shape[1] - 1)


def noise_of(n: int, seed: int) -> np.ndarray:
    """(n, longest + 1) uniform numbers, or (n, size) normal ones where these decide all."""
    rng = np.random.default_rng(seed)
    if SETTINGS["choice"] == "drawn":
        return rng.random((n, SETTINGS["longest"] + 1))
    return rng.standard_normal((n, SETTINGS["inputs"]["noise"]["shape"][1]))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    model = onnxruntime.InferenceSession(HERE / "model.onnx")
    print(*write(model, noise_of(int(sys.argv[1]), int(sys.argv[2]))), sep="\n")
