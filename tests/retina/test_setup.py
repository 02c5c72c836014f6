"""What a training is set up with is known of the training eyes alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from domains.retina.train.setup import data_of, describe
from tests.retina.made import made_prepare
from tests.retina.trained import params_of


def test_anatomy_has_the_scale_of_the_training_eyes(tmp_path: Path) -> None:
    copy = made_prepare(tmp_path / "prepare", n=24, size=16)
    table, anatomy = (pd.read_csv(copy / name) for name in ("eyes.csv", "anatomy.csv"))
    anatomy.loc[table["split"] != "train"] += 1000
    anatomy.to_csv(copy / "anatomy.csv", index=False)
    params = params_of()
    learnt, _ = data_of(copy, params, describe(copy, params))
    np.testing.assert_allclose(learnt.anatomy.mean(dim=0), 0, atol=1e-3)
