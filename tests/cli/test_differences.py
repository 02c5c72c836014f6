"""By how much do two outputs differ?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file
from tifffile import imwrite

from pipelines.cli.differences import first_difference, how_far

Write = Callable[[Path, np.ndarray], object]
WRITERS: dict[str, tuple[Write, str]] = {
    "weights.safetensors": (lambda p, a: save_file({"unet/bias": a}, p), "unet/bias"),
    "graphs.npz": (lambda p, a: np.savez(p, atoms=a), "atoms"),
    "truth.npy": (lambda p, a: np.save(p, a), "array"),
    "scores.csv": (lambda p, a: p.write_text("auc\n" + "\n".join(map(str, a))), "auc"),
    "card.json": (lambda p, a: p.write_text(json.dumps({"n": {"last": float(a[-1])}})), "n.last"),
    "mask.tif": (lambda p, a: imwrite(p, a), "pixels"),
    "eye.png": (lambda p, a: Image.fromarray(a.astype(np.uint8)[None]).save(p), "pixels"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_largest_difference_is_told_with_its_array(tmp_path: Path, name: str) -> None:
    write, array = WRITERS[name]
    for folder, values in (("ours", [1, 0, 4]), ("theirs", [1, 0, 8])):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / name, np.array(values, dtype=np.float64))
    size = 1 if name.endswith("json") else 3
    said = f"{array}: 1 of {size} entries, at most 4, relatively 0.5"
    assert how_far(tmp_path / "ours" / name, tmp_path / "theirs" / name) == said
    assert first_difference(tmp_path / "ours", tmp_path / "theirs") == f"(first: {name}: {said})"
    assert first_difference(tmp_path / "ours", tmp_path / "ours") == ""


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ({"a": [1.0, np.nan]}, {"a": [1.0, np.nan]}, "the same values, written differently"),
        ({"a": [1.0]}, {"a": [np.nan]}, "a: 1 of 1 entries, at most inf, relatively inf"),
        ({"a": [1.0]}, {"a": [1.0, 2.0]}, "a: float64 (1,) here, float64 (2,) in the rerun"),
        ({"a": [1.0], "b": [1.0]}, {"a": [1.0]}, "b: only here"),
        ({"a": [2.0]}, {"a": [2.0], "b": [1.0]}, "b: only in the rerun"),
        (
            {"a": [0.0], "b": [0.0]},
            {"a": [1.0], "b": [3.0]},
            "b: 1 of 1 entries, at most 3, relatively 1 (and 1 more arrays)",
        ),
        ({"a": ["x", "y"]}, {"a": ["x", "z"]}, "a: 1 of 2 entries"),
    ],
)
def test_what_has_no_largest_difference(
    tmp_path: Path, ours: dict[str, list[float]], theirs: dict[str, list[float]], said: str
) -> None:
    for name, arrays in (("ours", ours), ("theirs", theirs)):
        np.savez(tmp_path / f"{name}.npz", **{key: np.array(a) for key, a in arrays.items()})
    assert how_far(tmp_path / "ours.npz", tmp_path / "theirs.npz") == said


def test_other_files_differ_from_a_byte_on(tmp_path: Path) -> None:
    for name, content in (("ours", b"<p>one</p>"), ("theirs", b"<p>two</p>"), ("short", b"<p>")):
        (tmp_path / f"{name}.html").write_bytes(content)
        (tmp_path / f"{name}.npz").write_bytes(content)  # damaged
    for suffix in (".html", ".npz"):
        ours, theirs = ((tmp_path / name).with_suffix(suffix) for name in ("ours", "theirs"))
        assert how_far(ours, theirs) == "from byte 3"
    assert first_difference(tmp_path / "ours.html", tmp_path / "short.html") == "(one is longer)"


def test_a_missing_file_is_told_with_its_side(tmp_path: Path) -> None:
    for side, names in (("ours", "ab"), ("theirs", "bc")):
        for name in names:
            (tmp_path / side).mkdir(exist_ok=True)
            (tmp_path / side / name).write_text(name)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert first_difference(ours, theirs) == "(first: a: not in the rerun)"
    (ours / "a").unlink()
    assert first_difference(ours, theirs) == "(first: c: not here)"
    assert first_difference(tmp_path / "none", theirs) == "(not here to compare)"
