"""Parameters of the report stage, the same for every domain."""

from typing import Any

from pydantic import Field

from pipelines.core.params import Params


class ReportParams(Params):
    """What the page is called and which numbers it opens with; all else comes from artifacts."""

    title: str = Field(min_length=1, description="title of the page, one line of plain text")
    headline: list[str] = Field(
        min_length=1,
        max_length=6,
        description="metrics of scores.csv shown first, most important first; 1 to 6 names; "
        "those that evaluate does not write for these data are left out; if it writes none of "
        "them, the first of metrics.json are shown",
    )
    units: dict[str, str] = Field(
        default_factory=dict,
        description="unit of each metric that has one and whose unit the data do not say, such "
        "as {hausdorff_95: px}",
    )

    def units_with(self, card: dict[str, Any]) -> dict[str, str]:
        """These units and those that the data card says, which come first."""
        return self.units | card.get("units", {})
