"""Parameters of the molecules, of what was measured, and of the library to rank."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipelines.core.params import Params

# Columns of the tables of this and of later stages, and what these append to a target's name.
RESERVED = {"split", "smiles", "scaffold", "group", "count", "name", "given", "reason", "learnt"}
RESERVED |= {"rank", "similarity", "inside", "nearest_active", "qed", "sa", "weight", "logp"}
RESERVED |= {"alerts", "rank_new", "rank_dissimilar", "score", "low", "high", "spread"}
RESERVED |= {"patient", "measured", "similarity_active", "similarity_inactive"}
SUFFIXES = ("score", "low", "high", "spread")


class TargetColumn(Params):
    """What a column of the table holds, and how it is read."""

    name: str = Field(
        pattern="^[a-z][a-z0-9_]*$", description="name of the target, in snake case, such as active"
    )
    column: str = Field(
        min_length=1, description="the table's column; an empty field: not measured"
    )
    kind: Literal["class", "value"] = Field(description="class: one of two; value: a number")
    unit: str = Field(description="value: its unit, such as log10(mol/l); class: empty")
    positive: str = Field(
        description="class: the field that counts as 1, such as Active or 1; value: empty"
    )
    better: Literal["high", "low"] = Field(
        description="the end that is wanted: which molecules of the library are ranked first"
    )

    @field_validator("positive", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        if isinstance(value, (bool, int, float)):
            raise ValueError("write it as text, in quotation marks")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "class" and not self.positive:
            raise ValueError(f"positive: found ''; name the class of {self.name} that counts as 1")
        if self.kind == "value" and self.positive:
            raise ValueError(f"positive: found {self.positive!r}; {self.name} is a value, leave ''")
        if self.name in RESERVED or self.name.endswith(tuple(f"_{end}" for end in SUFFIXES)):
            raise ValueError(f"name: found {self.name!r}, which later tables use; choose another")
        return self


class PrepareParams(Params):
    """Where molecules and measurements come from, how they are split, and what is to be ranked."""

    source: Literal["b3db", "logbb", "solubility", "freesolv", "ecoli", "csv"] = Field(
        description="b3db: blood-brain barrier, crossing or not; logbb: its log10 ratio; "
        "solubility: in water; freesolv: hydration free energies; ecoli: growth inhibition of "
        "E. coli; csv: a table of your own"
    )
    path: str | None = Field(
        description="csv: the table, from the project's root (.csv, .tsv, .smi, .sdf or .parquet; "
        "all but the last also with .gz); else null"
    )
    column: str | None = Field(
        description="csv: name of the column that holds SMILES; null: the one called smiles, or "
        "the only one"
    )
    targets: list[TargetColumn] = Field(
        max_length=20, description="csv: what was measured, the first is ranked by; else empty"
    )
    split: Literal["scaffold", "cluster", "random"] = Field(
        description="what stays together: molecules of one Bemis-Murcko scaffold; of one Butina "
        "cluster of similar molecules; or one molecule alone, with its stereoisomers"
    )
    shares: list[float] = Field(
        min_length=3,
        max_length=3,
        description="relative size of train, validation and test",
    )
    library: Literal["approved", "hub", "table", "none"] = Field(
        description="what is ranked: approved drugs of ChEMBL; the Drug Repurposing Hub; a table "
        "of your own; nothing"
    )
    library_path: str | None = Field(
        description="table: the library, in any of the formats of path; else null"
    )
    library_column: str | None = Field(description="table: its column of SMILES, as in column")
    max_atoms: int = Field(
        ge=5, le=500, description="a molecule of more heavy atoms is left out, with the reason"
    )
    seed: int = Field(ge=0, lt=2**63, description="seed of the split")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if min(self.shares) <= 0:
            raise ValueError(f"shares: found {self.shares}; all three must be above 0")
        own, given = self.source == "csv", len(self.targets)
        if own != bool(self.path):
            raise ValueError(f"path: found {self.path!r}; source csv needs it, others take null")
        if self.column is not None and not own:
            raise ValueError(f"column: found {self.column!r}; only source csv takes it, set null")
        if self.library_column is not None and self.library != "table":
            raise ValueError(
                f"library_column: found {self.library_column!r}; only library table takes it, "
                "set null"
            )
        if own != bool(given):
            raise ValueError(f"targets: found {given}; source csv needs at least one, others none")
        names = [target.name for target in self.targets]
        if len(set(names)) < len(names):
            raise ValueError(f"targets: found {names}; give each a name of its own")
        if (self.library == "table") != bool(self.library_path):
            raise ValueError(
                f"library_path: found {self.library_path!r}; library table needs it, others null"
            )
        return self
