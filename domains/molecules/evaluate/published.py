"""The table of MOSES, as its authors give it: mean of three runs of 30,000 molecules each."""

from __future__ import annotations

from typing import Any

from ..prepare.files import MOSES_TITLE

SOURCE = (
    "Polykovskiy et al. 2020, table in the README of github.com/molecularsets/moses: "
    "30,000 molecules, learnt from all 1,584,663, to which their novelty refers"
)
METRICS = (
    "validity",
    "unique_1k",
    "unique_10k",
    "fcd_test",
    "fcd_test_scaffolds",
    "snn_test",
    "snn_test_scaffolds",
    "frag_test",
    "frag_test_scaffolds",
    "scaf_test",
    "scaf_test_scaffolds",
    "int_div_1",
    "int_div_2",
    "filters",
    "novelty",
)
# fmt: off
_ROWS: dict[str, tuple[float, ...]] = {
    "HMM": (.076, .623, .5671, 24.4661, 25.4312, .3876, .3795, .5754, .5681, .2065, .049,
            .8466, .8104, .9024, .9994),
    "NGram": (.2376, .974, .9217, 5.5069, 6.2306, .5209, .4997, .9846, .9815, .5302, .0977,
              .8738, .8644, .9582, .9694),
    "Combinatorial": (1, .9983, .9909, 4.2375, 4.5113, .4514, .4388, .9912, .9904, .4445, .0865,
                      .8732, .8666, .9557, .9878),
    "CharRNN": (.9748, 1, .9994, .0732, .5204, .6015, .5649, .9998, .9983, .9242, .1101,
                .8562, .8503, .9943, .8419),
    "AAE": (.9368, 1, .9973, .5555, 1.0572, .6081, .5677, .991, .9905, .9022, .0789,
            .8557, .8499, .996, .7931),
    "VAE": (.9767, 1, .9984, .099, .567, .6257, .5783, .9994, .9984, .9386, .0588,
            .8558, .8498, .997, .6949),
    "JTN-VAE": (1, 1, .9996, .3954, .9382, .5477, .5194, .9965, .9947, .8964, .1009,
                .8551, .8493, .976, .9143),
    "LatentGAN": (.8966, 1, .9968, .2968, .8281, .5371, .5132, .9986, .9972, .8867, .1072,
                  .8565, .8505, .9735, .9498),
}
# fmt: on


def published_rows(title: str) -> list[tuple[Any, ...]]:
    """Lines of scores.csv for the data with this card; none for data nobody has reported on."""
    if title != MOSES_TITLE:
        return []
    none = float("nan")
    return [
        (row, metric, "all", value, none, none, 30_000, SOURCE)
        for row, values in _ROWS.items()
        for metric, value in zip(METRICS, values, strict=True)
    ]
