"""The same values give the same bytes, and come back as they were."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.core.artifacts import read_csv, read_json, write_csv, write_json
from pipelines.core.errors import UserError

VALUES = {
    "b": 1,
    "a": [0.1 + 0.2, {"ä": True}],
    "none": None,
    "n": np.float32(0.25),
    "i": np.int64(3),
}
TABLE = pd.DataFrame(
    {"class": ["NA", "null", "α, β"], "value": [1 / 3, math.nan, 2e-9], "n": [1, 2, 3]}
)


def test_json_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "folder" / "second.json"
    write_json(first, VALUES)
    write_json(second, VALUES)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().endswith(b"}\n") and b"\r" not in first.read_bytes()
    expected = {"b": 1, "a": [0.3, {"ä": True}], "none": None, "n": 0.25, "i": 3}
    assert list(read_json(first).items()) == list(expected.items())
    assert "ä".encode() in first.read_bytes()


def test_floats_are_written_to_six_digits_and_survive_a_second_trip(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"x": 123456789.0, "y": 1e-12 / 3})
    once = read_json(path)
    assert once == {"x": 123457000.0, "y": 3.33333e-13}
    write_json(path, once)
    assert read_json(path) == once


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float64("nan"), [{"a": -math.inf}]])
def test_what_is_no_number_is_refused_and_the_old_file_stays(tmp_path: Path, value: object) -> None:
    path = tmp_path / "x.json"
    write_json(path, 1)
    with pytest.raises(UserError, match=r"^x\.json: value.*: found -?(nan|inf); a finite number"):
        write_json(path, {"value": value})
    assert read_json(path) == 1


def test_csv_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    write_csv(tmp_path / "first.csv", TABLE)
    write_csv(tmp_path / "folder" / "second.csv", TABLE.copy())
    raw = (tmp_path / "first.csv").read_bytes()
    assert raw == (tmp_path / "folder" / "second.csv").read_bytes()
    assert raw.decode() == 'class,value,n\nNA,0.333333,1\nnull,,2\n"α, β",2e-09,3\n'


def test_only_an_empty_field_is_missing(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", TABLE)
    back = read_csv(tmp_path / "x.csv")
    assert list(back["class"]) == ["NA", "null", "α, β"]
    assert list(back["value"].isna()) == [False, True, False]
    assert back["n"].dtype == np.int64


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe"])
def test_a_damaged_json_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"card\.json: not JSON") as error:
        read_json(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b'a,b\n1,2\n"', b"a\n\xff\xfe\n", b"a,b\n1,2,3\n4,5,6,7\n"]
)
def test_a_damaged_table_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"scores\.csv: not a CSV table") as error:
        read_csv(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("read", [read_json, read_csv])
def test_a_missing_file_says_what_writes_it(tmp_path: Path, read: object) -> None:
    with pytest.raises(UserError, match="x: not found; run `scistage repro`"):
        read(tmp_path / "x")  # type: ignore[operator]
