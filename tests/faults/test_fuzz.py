"""Parameters, tables and SMILES that nobody thought of: each is good or refused in one line.

`make fuzz` draws thousands of each; a sample is part of the ordinary tests.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.molecules.prepare import table as molecules
from domains.retina.prepare import own as retina
from domains.screening.prepare.check import check as check_screening
from domains.segmentation.prepare.groups import read_groups
from pipelines.chemistry.columns import smiles_column
from pipelines.chemistry.tables import ENCODING, LONG, QUOTATION, RAGGED, RECORD, open_table
from pipelines.core.contract import STAGES
from pipelines.core.params import load_params, read_params, read_yaml
from tests.chemistry.test_tables import sd_record
from tests.faults.cases_tables import parquet
from tests.faults.fuzzing import fuzzed, held, spoilt, values
from tests.imports import DOMAINS
from tests.molecules import test_mistakes_in_tables as good_molecules
from tests.retina import cases as good_eyes
from tests.screening import test_mistakes as good_labels
from tests.workspace import ROOT

ROWS = 3000  # of a table that are looked at


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for domain in DOMAINS:
        (tmp_path / "domains" / domain).mkdir(parents=True)
    return tmp_path


@pytest.fixture(autouse=True)
def silence(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No library says anything of its own."""
    yield
    assert capfd.readouterr().err == ""


GOOD = read_yaml(ROOT / "params.yaml")
SECTIONS = [(domain, stage) for domain in DOMAINS for stage in STAGES]


def _keys(section: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Ways to all keys, also those of inner mappings."""
    inner = [
        _keys(value, (*path, key)) for key, value in section.items() if isinstance(value, dict)
    ]
    return [*((*path, key) for key in section), *(way for ways in inner for way in ways)]


WAYS = [
    (domain, stage, way) for domain, stage in SECTIONS for way in _keys(GOOD[domain][stage] or {})
]


@given(st.sampled_from(WAYS), values())
@fuzzed(150)
def test_any_value_of_any_parameter(place: tuple[str, str, tuple[str, ...]], value: Any) -> None:
    domain, stage, way = place
    section = json.loads(json.dumps(GOOD[domain][stage]))
    inner = section
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = value
    text = json.dumps({"domains": [domain], domain: {stage: section}}, indent=1)
    for written, meant in (("NaN", ".nan"), ("-Infinity", "-.inf"), ("Infinity", ".inf")):
        text = text.replace(f" {written}", f" {meant}")
    Path("params.yaml").write_text(text, encoding="utf-8")
    with held("parameters", "params.yaml"):
        load_params(domain, stage)


SHORT = (
    b"domains:\n- retina\nretina:\n  predict:  # a comment\n    coverage: 0.9\n    abstain: 0.05\n"
)
YAML_SIGNS = st.lists(
    st.sampled_from([*"&*!|>%@`'\"#:-?[]{},\n\t ~\\", "!!python/object:a", "<<: *a", "2001-99-99"]),
    max_size=6,
).map("".join)


@given(spoilt(SHORT, len(SHORT)), YAML_SIGNS, st.integers(0, len(SHORT)))
@fuzzed(100)
def test_any_text_of_parameters(content: bytes, signs: str, place: int) -> None:
    Path("params.yaml").write_bytes(content[:place] + signs.encode() + content[place:])
    with held("text of parameters", "params.yaml"):
        read_params()
        load_params("retina", "predict")


LINES = (
    "\n".join(["smiles,y", *good_molecules.GOOD, ""]).replace("\n", ",1\n").replace("y,1", "y", 1)
)
SDF = "".join(sd_record(text, text, {"y": "1"}) for text in ("CO", "c1ccccc1", "C[N+](C)(C)C"))
COLUMNS = {"smiles": ["CO", None, "CC"] * 9, "y": [1.5, None, 2] * 9, "when": [1, 2, 3] * 9}
FORMATS = {
    "a.csv": LINES.encode(),
    "a.tsv": LINES.replace(",", "\t").encode(),
    "a.smi": "\n".join(good_molecules.GOOD).encode(),
    "a.sdf": SDF.encode(),
    "a.csv.gz": gzip.compress(LINES.encode(), mtime=0),
    "a.sdf.gz": gzip.compress(SDF.encode(), mtime=0),
    "a.parquet": parquet(pa.table(COLUMNS)),
    "b.parquet": parquet(pa.table(COLUMNS), compression="zstd", use_dictionary=False),
}
TABLES = st.one_of(
    st.tuples(st.just(name), spoilt(good, 200)) for name, good in FORMATS.items()
) | st.tuples(st.sampled_from(list(FORMATS)), st.binary(max_size=200))


@given(TABLES)
@fuzzed(150)
def test_any_table_of_molecules(found: tuple[str, bytes]) -> None:
    name, content = found
    Path(name).write_bytes(content)
    with held("tables of molecules", name):
        table = open_table(Path(name))
        smiles_column(Path(name), table, None, "column")
        for row in islice(table.rows, ROWS):
            assert len(row.fields) == len(table.names) and row.number > 0
            assert row.problem in (None, ENCODING, LONG, QUOTATION, RAGGED, RECORD)


EYES = b"File,Patient,Eye,Age,Sex\n" + b"".join(
    b"%d.png,%d,%s,%d,%s\n" % (k, k // 2, (b"left", b"od")[k % 2], 40 + k, (b"M", b"F")[k // 2 % 2])
    for k in range(12)
)
GROUPS = b"file,group,split\n" + b"".join(
    b"%d.png,%d,%s\n" % (k, k, (b"train", b"validation", b"test")[k % 3]) for k in range(6)
)
LABELS = good_labels.table_of(good_labels.CLASS).encode()


def _check_eyes(path: Path) -> None:
    retina.check(good_eyes.params(source="csv", path=str(path)))


def _check_groups(path: Path) -> None:
    read_groups(path.parent, [f"{k}.png" for k in range(6)])


def _check_molecules(path: Path) -> None:
    molecules.check(good_molecules.own(path))


def _check_labels(path: Path) -> None:
    check_screening(good_labels.own(path))


OWN: dict[str, tuple[Callable[[Path], None], bytes]] = {
    "eyes.csv": (_check_eyes, EYES),
    "groups.csv": (_check_groups, GROUPS),
    "molecules.csv": (_check_molecules, LINES.encode()),
    "labels.csv": (_check_labels, LABELS),
}


@given(st.sampled_from(list(OWN)).flatmap(lambda n: st.tuples(st.just(n), spoilt(OWN[n][1], 60))))
@fuzzed(60)
def test_any_table_that_a_domain_checks(found: tuple[str, bytes]) -> None:
    name, content = found
    for k in range(12):
        if name == "eyes.csv":
            Path(f"{k}.png").write_bytes(b"\x89PNG")
    Path(name).write_bytes(content)
    # What is said of a target or of the number of patients is said of all photographs.
    with held(f"tables that domains check: {name}", "" if name == "eyes.csv" else name):
        OWN[name][0](Path(name))
