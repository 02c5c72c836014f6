"""What property-directed generation aims at, as `params.yaml` says it; loads without RDKit."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.core.params import Params

# Of each property: lowest and highest possible value, and the margin if none is given.
LIMITS: dict[str, tuple[float, float]] = {
    "qed": (0, 1),
    "logp": (-float("inf"), float("inf")),
    "weight": (0, float("inf")),
    "sa": (1, 10),
}
MARGINS = {"qed": 0.1, "logp": 0.5, "weight": 25.0, "sa": 0.5}
SIMILARITY_MARGIN = 0.1

KINDS = {  # what tells the kinds of goal apart, and the further keys of each
    "property": ("low", "high", "margin"),
    "similar_to": ("at_least", "margin"),
    "smarts": ("required",),
}


class Goal(Params):
    """One goal: a property in a range, likeness to a molecule, or a substructure.

    Exactly one of `property`, `similar_to` and `smarts` is given:

        - {property: qed, low: 0.8}
        - {property: logp, low: 2, high: 4, margin: 0.5, weight: 2}
        - {similar_to: "CC(=O)Oc1ccccc1C(=O)O", at_least: 0.4}
        - {smarts: "[NX3]", required: true}
    """

    property: Literal["qed", "logp", "weight", "sa"] | None = Field(
        default=None,
        description="drug-likeness 0-1, Crippen logP, weight in Da, or synthetic accessibility "
        "(1 easy, 10 hard)",
    )
    low: float | None = Field(default=None, description="lowest value aimed at, the property's")
    high: float | None = Field(default=None, description="highest value aimed at, the property's")
    margin: float | None = Field(
        default=None,
        gt=0,
        description="distance outside the range at which the desirability is one half; default: "
        "qed 0.1, logp 0.5, weight 25 Da, sa 0.5, similarity 0.1",
    )
    similar_to: str | None = Field(
        default=None, min_length=1, description="SMILES of a molecule to be like"
    )
    at_least: float | None = Field(
        default=None, gt=0, le=1, description="lowest Tanimoto similarity (Morgan, radius 2) to it"
    )
    smarts: str | None = Field(default=None, min_length=1, description="substructure, as SMARTS")
    required: bool | None = Field(
        default=None, description="true: the molecule must hold it; false: must not"
    )
    weight: float = Field(default=1, gt=0, description="exponent of the goal in the product")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = self.model_fields_set
        kinds = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            found = " and ".join(kinds) or "none"
            raise ValueError(f"property: found {found}; give one of {', '.join(KINDS)}")
        for key in sorted(given - {kinds[0], "weight", *KINDS[kinds[0]]}):
            raise ValueError(f"{key}: does not go with {kinds[0]}; remove it")
        if kinds[0] == "property":
            self._check_range()
        elif kinds[0] == "similar_to" and self.at_least is None:
            raise ValueError("at_least: missing; give the lowest similarity, such as 0.4")
        elif kinds[0] == "smarts" and self.required is None:
            raise ValueError("required: missing; true: must hold it, false: must not")
        return self

    def _check_range(self) -> None:
        if self.low is None and self.high is None:
            raise ValueError("low: missing, and high too; give one of them or both")
        least, most = LIMITS[str(self.property)]
        for key, value in (("low", self.low), ("high", self.high)):
            if value is not None and not least <= value <= most:
                raise ValueError(
                    f"{key}: found {value:g}; {self.property} is {least:g} to {most:g}"
                )
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low: found {self.low:g}, above high ({self.high:g})")
