"""SMILES that nobody thought of: each has a canonical form, or a reason why it has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.molecules.predict.apply import _found
from domains.molecules.prepare.account import Account
from domains.molecules.train.reading import read_writer
from domains.molecules.train.writer import Writer
from domains.screening.predict.apply import Scorer
from pipelines.chemistry.kinship import kinships
from pipelines.chemistry.standardise import standardise
from pipelines.chemistry.tables import Row, Table
from pipelines.core.runner import inputs_of
from tests.faults.fuzzing import fuzzed, held, smiles
from tests.faults.projects import project
from tests.molecules.test_prepare import params


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scorer]:
    path = project("screening", tmp_path_factory.mktemp("screening") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        yield Scorer(inputs_of("screening"))


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Writer:
    path: Path = project("molecules", tmp_path_factory.mktemp("molecules") / "project")
    return read_writer(path / "outputs/molecules/train", "adversarial")


@given(smiles())
@fuzzed(300)
def test_any_text_is_a_molecule_or_has_a_reason(text: str) -> None:
    with held("SMILES", ""):
        found = standardise(text)
        assert (found.smiles is None) == (found.reason is not None)
        if found.smiles:
            again = standardise(found.smiles)
            assert again.smiles is not None or again.reason, text
            assert len(kinships([found.smiles])) == 1
        account = Account(params(source="csv", path="a.csv"))
        account.add([(1, text, None)], [found])
        assert len(account.kept) + len(account.left_out) == 1


@given(st.lists(smiles(), min_size=1, max_size=8))
@fuzzed(40)
def test_any_row_has_a_score_or_a_reason(scorer: Scorer, texts: list[str]) -> None:
    with held("rows to apply to", ""):
        rows = [Row(k, [text]) for k, text in enumerate(texts)]
        [said] = scorer.scored(Table(["smiles"], iter(rows)), 0)
        scores = said[[name for name in said if name.endswith("_score")]]
        assert isinstance(said, pd.DataFrame) and len(said) == len(texts)
        assert (scores.notna().all(axis=1) == (said["reason"] == "")).all(), said


@given(smiles())
@fuzzed(60)
def test_any_molecule_to_stay_near_to(writer: Writer, text: str) -> None:
    with held("molecules to stay near to", "--like"):
        _found(text, writer)
