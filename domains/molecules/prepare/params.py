"""Parameters of the molecules' data."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.core.params import Params


class PrepareParams(Params):
    """Where molecules come from, and how they are split."""

    source: Literal["moses", "csv"] = Field(
        description="moses: drug-like molecules of the MOSES benchmark; csv: a table of your own"
    )
    path: str | None = Field(
        description="csv: the table, from the project's root (.csv, .tsv, .smi, .sdf or .parquet; "
        "all but the last also with .gz); else null"
    )
    column: str | None = Field(
        description="csv: name of the column that holds SMILES; null: the one called smiles, or "
        "the only one"
    )
    train_size: int | None = Field(
        ge=10, description="molecules to learn from, chosen by hash; null: all there are"
    )
    validation_size: int = Field(
        ge=1, description="molecules for validation; moses: cut from train; csv: at most"
    )
    test_size: int | None = Field(
        ge=2, description="molecules of test and as many of test_scaffolds; null: all there are"
    )
    max_tokens: int = Field(
        ge=5, le=500, description="a molecule of more tokens (about 1.6 a heavy atom) is left out"
    )
    shares: list[float] = Field(
        min_length=4,
        max_length=4,
        description="csv: relative size of train, validation, test and test_scaffolds (molecules "
        "whose scaffolds are in no other split); the last may be 0",
    )
    seed: int = Field(ge=0, lt=2**63, description="seed of the subset and of the splits")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if min(self.shares[:3]) <= 0 or self.shares[3] < 0:
            raise ValueError(
                f"shares: found {self.shares}; the first three must be above 0, the last may be 0"
            )
        if self.source == "csv" and not self.path:
            raise ValueError("path: found null; source csv needs the table's path")
        return self
