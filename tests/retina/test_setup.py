"""What a training is set up with is known of the training eyes alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domains.retina.train import train
from domains.retina.train.setup import data_of, describe
from pipelines.core.runner import Inputs
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


def test_of_several_processes_each_trains_members_with_their_pretexts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = made_prepare(tmp_path / "prepare", n=24, size=16)
    pretext = {"kind": "rotation", "epochs": 1, "learning_rate": 1e-3}
    params = params_of(members=2, pretext=pretext)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "test")
    for count, owners in (("2", [0, 0, 1, 1]), ("3", [None] * 4)):
        monkeypatch.setenv("WORLD_SIZE", count)
        fits = list(train(params, Inputs(prepare, *[tmp_path] * 4)))
        assert [fit.name for fit in fits] == ["pretext_0", "member_0", "pretext_1", "member_1"]
        assert [fit.owner for fit in fits] == owners
