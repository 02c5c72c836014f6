"""`params.yaml`: what is accepted, and one line for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import ValidationError

from pipelines.core import params
from pipelines.core.errors import UserError
from pipelines.report.params import ReportParams
from pipelines.template.train.params import TrainParams

GOOD = """\
domains:
- spectra

spectra:
  train:
    hidden: 32
    epochs: 2
    batch_size: 8
    learning_rate: 1e-3   # not text, as in YAML 1.1
    seed: 0
  report:
    title: A title
    headline:
    - mae
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project whose one domain has the template's parameters."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "domains" / "spectra").mkdir(parents=True)
    classes = {"train": TrainParams, "report": ReportParams}
    monkeypatch.setattr(params, "params_class", lambda domain, stage: classes[stage])


def load(text: str, stage: str = "train") -> params.Params:
    Path("params.yaml").write_text(text, encoding="utf-8")
    return params.load_params("spectra", stage)


def refused(old: str, new: str, stage: str = "train") -> str:
    assert old in GOOD
    with pytest.raises(UserError) as error:
        load(GOOD.replace(old, new), stage)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_good_values_are_typed_and_cannot_be_changed() -> None:
    loaded = load(GOOD)
    assert loaded == TrainParams(hidden=32, epochs=2, batch_size=8, learning_rate=0.001, seed=0)
    assert type(loaded.model_dump()["learning_rate"]) is float
    with pytest.raises(ValidationError):
        loaded.seed = 1  # type: ignore[attr-defined]


def test_a_whole_number_serves_as_a_real_one() -> None:
    assert load(GOOD.replace("1e-3", "1")).model_dump()["learning_rate"] == 1.0


def test_a_boolean_with_an_anchor_is_one() -> None:
    assert "found True" in refused("hidden: 32", "hidden: &wide true")


def test_unknown_key_names_line_and_the_nearest_key() -> None:
    message = refused("learning_rate:", "learning_rat:")
    assert message.startswith("params.yaml:9: spectra.train.learning_rat: unknown key")
    assert "did you mean 'learning_rate'?" in message
    assert "(and 1 more)" in message  # learning_rate is missing now


def test_unknown_key_like_no_other_is_to_be_removed() -> None:
    message = refused("seed: 0", "seed: 0\n    zzz: 1")
    assert message == "params.yaml:11: spectra.train.zzz: unknown key; remove it"


def test_missing_key() -> None:
    assert refused("    epochs: 2\n", "") == "params.yaml: spectra.train.epochs: missing; add it"


@pytest.mark.parametrize(
    "value, found",
    [
        ("many", "'many'"),
        ("true", "True"),
        ("1.5", "1.5"),
        ("'2'", "'2'"),
        ("-1", "-1"),
        ("", "None"),
    ],
)
def test_wrong_type_or_range_names_line_and_value(value: str, found: str) -> None:
    message = refused("epochs: 2", f"epochs: {value}")
    assert message.startswith(f"params.yaml:7: spectra.train.epochs: found {found}; ")


def test_an_item_of_a_list_is_named_by_its_place() -> None:
    message = refused("- mae", "- mae\n    - 7", stage="report")
    assert message.startswith("params.yaml:15: spectra.report.headline.1: found 7; ")


def test_a_value_of_several_kinds_is_one_field(monkeypatch: pytest.MonkeyPatch) -> None:
    class Scaled(params.Params):
        size: float | Literal["from_files"] | None

    monkeypatch.setattr(params, "params_class", lambda domain, stage: Scaled)
    with pytest.raises(UserError) as error:
        load("spectra:\n  train:\n    size: 0.65um\n")
    assert str(error.value) == (
        "params.yaml:3: spectra.train.size: found '0.65um'; input should be a valid number or "
        "'from_files'"
    )


def test_missing_sections() -> None:
    assert refused("  train:", "  trai:") == "params.yaml: spectra.train: missing; add the section"
    assert "section 'spectra': found None" in refused("\nspectra:", "\nother:")
    assert "spectra.report: found 'x'" in refused(
        "\n    title: A title\n    headline:\n    - mae", " x", "report"
    )


@pytest.mark.parametrize("broken", ["a: [", "\tdomains: 1", "a: 1\na: 2", "[1, 2]", ""])
def test_what_is_no_yaml_mapping(broken: str) -> None:
    with pytest.raises(UserError, match=r"^params\.yaml: ") as error:
        load(broken)
    assert "\n" not in str(error.value)


def test_no_file_or_no_text() -> None:
    with pytest.raises(UserError, match=r"^params\.yaml: not found"):
        params.load_params("spectra", "train")
    Path("params.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"^params\.yaml: not UTF-8; save it as UTF-8"):
        params.load_params("spectra", "train")


@pytest.mark.parametrize(
    "value, said",
    [
        ("spectra", "found 'spectra'; give a list"),
        ("[]", "found []; give a list"),
        ("", "found None; give a list"),
        ("[spectra, other]", "'other' has no folder domains/other"),
        ("[1]", "1 has no folder"),
    ],
)
def test_list_of_domains(value: str, said: str) -> None:
    Path("params.yaml").write_text(f"domains: {value}\n")
    with pytest.raises(UserError) as error:
        params.listed_domains()
    assert str(error.value).startswith("params.yaml: domains: ") and said in str(error.value)


def test_domains_in_their_order() -> None:
    Path("domains/another").mkdir()
    Path("params.yaml").write_text("domains: [spectra, another]\n")
    assert params.listed_domains() == ["spectra", "another"]
