"""Parameters of the eyes' photographs and of what is known of the persons."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.core.params import Params

# Columns of the tables of this and of later stages, and what these append to a target's name.
RESERVED = {"split", "patient", "eye", "image", "blur", "exposure", "field", "usable", "abstained"}
RESERVED |= {"group", "path", "eyes", "file"}
SUFFIXES = ("mean", "sd", "low", "high", "probability")


class Persons(Params):
    """Persons drawn for each split of a cohort, both eyes of each."""

    train: int = Field(ge=2, le=1_000_000, description="persons to learn from")
    validation: int = Field(ge=2, le=1_000_000, description="persons for validation")
    test: int = Field(ge=2, le=1_000_000, description="persons for the test")


class TargetColumn(Params):
    """What a column of the table holds, and how it is read."""

    name: str = Field(
        pattern="^[a-z][a-z0-9_]*$", description="name of the target, in snake case, such as age"
    )
    column: str = Field(min_length=1, description="the table's column; an empty field: unknown")
    kind: Literal["value", "binary"] = Field(description="value: a number; binary: two classes")
    unit: str = Field(description="value: its unit, such as years; binary: empty")
    positive: str = Field(description="binary: the field that counts as 1, such as M; value: empty")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "binary" and not self.positive:
            raise ValueError(f"positive: found ''; name the class of {self.name} that counts as 1")
        if self.kind == "value" and self.positive:
            raise ValueError(f"positive: found {self.positive!r}; {self.name} is a value, leave ''")
        if self.name in RESERVED:
            raise ValueError(f"name: {self.name!r} is a column of the tables; choose another")
        return self


class PrepareParams(Params):
    """Where photographs of eyes come from, and how the patients are split."""

    source: Literal["cohort", "odir", "csv"] = Field(
        description="cohort: drawn eyes of made-up persons, truth known; odir: a folder as of "
        "ODIR-5K; csv: a table of your own photographs"
    )
    path: str | None = Field(
        description="odir: folder with labels.csv and images/, null: odir/ in the data mirror; "
        "csv: the table; both from the project's root"
    )
    image_column: str = Field(
        min_length=1,
        description="csv: column of the photograph's file, which is below the table's folder",
    )
    patient_column: str = Field(min_length=1, description="csv: column of the patient's number")
    eye_column: str | None = Field(description="csv: column with left or right; null: unknown")
    targets: list[TargetColumn] = Field(description="csv: what is to be read from an eye")
    size: int = Field(ge=32, le=1024, description="edge of a prepared picture, px")
    persons: Persons = Field(description="cohort: persons of each split")
    effect_scale: float = Field(
        ge=0, le=10, description="cohort: multiplies the published effects on the eye"
    )
    shortcut: bool = Field(description="cohort: plant a false cue, the camera's colour tells age")
    pretrained: bool = Field(description="write EfficientNet-Lite0's ImageNet weights for train")
    shares: list[float] = Field(
        min_length=3,
        max_length=3,
        description="odir, csv: relative size of train, validation and test, in patients",
    )
    seed: int = Field(ge=0, lt=2**63, description="of the cohort, or of the split by patient")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if min(self.shares) <= 0:
            raise ValueError(f"shares: found {self.shares}; each must be above 0")
        if self.source == "csv" and not self.path:
            raise ValueError("path: found null; source csv needs the table's path")
        if self.source == "csv" and not self.targets:
            raise ValueError("targets: found []; name at least one column to be read from an eye")
        _refuse_colliding([target.name for target in self.targets])
        return self


def _refuse_colliding(names: list[str]) -> None:
    """ValueError for two targets that would share a column."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"targets: {twice[0]!r} is named twice; name each target once")
    made = {f"{name}_{suffix}": name for name in names for suffix in SUFFIXES}
    for name in names:
        if name in made:
            raise ValueError(
                f"targets: {name!r} is the column of what is predicted of {made[name]!r}; choose "
                "another name"
            )
