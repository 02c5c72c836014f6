"""The numbers of others, as their authors give them."""

import pandas as pd
import pytest

from domains.molecules.evaluate.published import published_rows
from domains.molecules.prepare.files import MOSES_TITLE


def test_what_is_published_is_what_the_readme_of_moses_says() -> None:
    table = pd.DataFrame(published_rows(MOSES_TITLE)).pivot(index=0, columns=1, values=3)
    assert table["fcd_test"]["LatentGAN"] == 0.2968
    assert table["snn_test_scaffolds"]["VAE"] == 0.5783
    assert table["scaf_test_scaffolds"]["JTN-VAE"] == 0.1009
    assert table.sum(axis=1).to_dict() == pytest.approx({
        "HMM": 56.8883, "NGram": 21.1512, "Combinatorial": 18.8241, "CharRNN": 11.3093,
        "AAE": 12.1799, "VAE": 11.2378, "JTN-VAE": 11.9835, "LatentGAN": 11.6886,
    })  # fmt: skip
