"""What others have reported on the same data, each with how their protocol differs from ours."""

from typing import Any

_ISBI2012 = (
    "hidden test slices at the best threshold, as far as is known without thinning; "
    "ours: held-out training slices"
)
_U_NET = "Ronneberger et al. 2015, arXiv 1505.04597"

# By the title of the data's card: row, source, and the metrics.
PUBLISHED: dict[str, list[tuple[str, str, dict[str, float]]]] = {
    "ISBI-2012 EM membranes": [
        (
            "U-Net 2015",
            f"{_U_NET}: mean of 7 rotations, {_ISBI2012}",
            {"rand_error_unthinned": 0.0382, "pixel_error": 0.0611, "warping_error": 0.000353},
        ),
        (
            "sliding-window CNN",
            f"Cireşan et al. 2012 by {_U_NET}: {_ISBI2012}",
            {"rand_error_unthinned": 0.0504, "pixel_error": 0.0613, "warping_error": 0.00042},
        ),
        (
            "second human",
            f"second expert by {_U_NET}: {_ISBI2012}",
            {"rand_error_unthinned": 0.0021, "pixel_error": 0.001, "warping_error": 0.000005},
        ),
    ],
}


def published_rows(title: str) -> list[tuple[Any, ...]]:
    """Lines of scores.csv for the data with this card; none for data nobody has reported on."""
    none = float("nan")
    return [
        (row, metric, "all", value, none, none, none, source)
        for row, source, values in PUBLISHED.get(title, [])
        for metric, value in values.items()
    ]
