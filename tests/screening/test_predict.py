import numpy as np
import pandas as pd
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import AllChem

from domains.screening.predict import predict
from domains.screening.predict.alerts import alerts
from domains.screening.predict.calibrate import read_calibration
from domains.screening.predict.params import PredictParams
from domains.screening.prepare.arrays import read_library, read_molecules
from pipelines.core.artifacts import read_csv
from pipelines.core.runner import Inputs
from tests.screening.made import CROSSING, DISTANCE, made_prepare
from tests.screening.test_calibrate import TINY
from tests.screening.trained import trained

ENDS = ("_score", "_low", "_high", "_spread")
RANKING = [
    *("rank", "name", "smiles", "measured", "score", "low", "high", "spread", "nearest_active"),
    *("similarity_active", "similarity_inactive", "inside", "qed", "sa", "weight", "logp"),
    *("alerts", "rank_new", "rank_dissimilar"),
]


def predicted(inputs: Inputs, **changes) -> Inputs:
    inputs.predict.mkdir(exist_ok=True)
    predict(PredictParams(**{**TINY, **changes}), inputs, inputs.predict)
    return inputs


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Inputs:
    prepared = made_prepare(tmp_path_factory.mktemp("prepare"), targets=(CROSSING, DISTANCE))
    return predicted(trained(prepared, tmp_path_factory.mktemp("train"), members=3, epochs=8))


def fingerprint(smiles):
    return AllChem.GetMorganFingerprintAsBitVect(Chem.MolFromSmiles(smiles), 2, 2048)


def most_similar(smiles, others):
    found = DataStructs.BulkTanimotoSimilarity(
        fingerprint(smiles), [fingerprint(other) for other in others]
    )
    return max(found)


def test_predictions_are_of_the_molecules_not_learnt_from_in_their_order(inputs):
    said, table = read_csv(inputs.predict / "predictions.csv"), read_molecules(inputs.prepare)
    held = table[table["split"] != "train"].reset_index(drop=True)
    parts = [f"{t}{w}" for t in ("crossing", "distance") for w in ("", *ENDS)]
    assert list(said) == ["split", "smiles", "group", *parts, "similarity", "inside"]
    for name in ("split", "smiles", "group", "crossing", "distance"):
        pd.testing.assert_series_equal(said[name], held[name], rtol=1e-5)
    assert said["crossing_score"].between(0, 1).all()
    for target in ("crossing", "distance"):
        assert (said[f"{target}_low"] <= said[f"{target}_score"]).all()
        assert (said[f"{target}_score"] <= said[f"{target}_high"]).all()
        assert (said[f"{target}_spread"] > 0).all()


def test_similarity_is_to_the_nearest_training_molecule(inputs):
    said, table = read_csv(inputs.predict / "predictions.csv"), read_molecules(inputs.prepare)
    training = table.loc[table["split"] == "train", "smiles"]
    expected = [most_similar(smiles, training) for smiles in said["smiles"]]
    np.testing.assert_allclose(said["similarity"], expected, rtol=1e-5)
    limit = read_calibration(inputs.predict).inside
    assert said["inside"].tolist() == (np.array(expected) >= limit).tolist()
    assert 0 < (~said.loc[said["split"] == "validation", "inside"]).mean() < 0.2


def test_the_ranking_is_of_the_usable_molecules_by_the_score(inputs):
    ranking, library = read_csv(inputs.predict / "ranking.csv"), read_library(inputs.prepare)
    assert list(ranking) == RANKING
    usable = library[library["reason"] == ""]
    assert sorted(ranking["smiles"]) == sorted(usable["smiles"]) and len(usable) < len(library)
    assert ranking["rank"].tolist() == list(range(1, len(ranking) + 1))
    assert ranking["score"].is_monotonic_decreasing
    names = dict(zip(usable["smiles"], usable["name"], strict=True))
    assert [names[smiles] for smiles in ranking["smiles"]] == ranking["name"].tolist()
    labelled = set(read_molecules(inputs.prepare)["smiles"])  # of all splits
    assert ranking["measured"].tolist() == [smiles in labelled for smiles in ranking["smiles"]]


def test_the_nearest_active_is_known_to_be_one(inputs):
    ranking, table = read_csv(inputs.predict / "ranking.csv"), read_molecules(inputs.prepare)
    actives = table.loc[table["crossing"] == 1, "smiles"].tolist()
    assert len(actives) < len(table)
    for _, row in ranking.iterrows():
        assert row["nearest_active"] in actives
        expected = most_similar(row["smiles"], actives)
        assert row["similarity_active"] == pytest.approx(expected, rel=1e-5)
        own = most_similar(row["smiles"], [row["nearest_active"]])
        assert row["similarity_active"] == pytest.approx(own, rel=1e-5)
        others = table.loc[table["crossing"] == 0, "smiles"].tolist()
        expected = most_similar(row["smiles"], others)
        assert row["similarity_inactive"] == pytest.approx(expected, rel=1e-5)


def test_ranks_among_the_new_and_the_dissimilar(inputs):
    ranking = read_csv(inputs.predict / "ranking.csv")
    new = ~ranking["measured"]
    assert 0 < new.sum() < len(ranking)
    unlike = new & (ranking["similarity_active"] < TINY["dissimilar"])
    assert 0 < unlike.sum() < new.sum()
    for name, part in (("rank_new", new), ("rank_dissimilar", unlike)):
        assert ranking.loc[part, name].tolist() == list(range(1, part.sum() + 1))
        assert ranking.loc[~part, name].isna().all()


def test_where_low_is_wanted_the_lowest_value_comes_first(inputs, tmp_path):
    low = DISTANCE.__class__(**{**vars(DISTANCE), "better": "low"})
    prepared = made_prepare(tmp_path / "prepare", targets=(low,))
    ranking = read_csv(predicted(trained(prepared, tmp_path / "out")).predict / "ranking.csv")
    assert ranking["score"].is_monotonic_increasing
    known = set(read_molecules(prepared)["smiles"])
    assert ranking["nearest_active"].isin(known).all()
    assert (ranking.loc[ranking["measured"], "similarity_active"] == 1).all()


def test_a_library_without_molecules_makes_an_empty_ranking(tmp_path):
    prepared = made_prepare(tmp_path / "prepare")
    library = read_library(prepared)
    library[:0].to_csv(prepared / "library.csv", index=False)
    for name in ("library.npz", "fingerprints.npz", "descriptors.npz"):
        stored = dict(np.load(prepared / name))
        rows = {k: v[: 1 if k.endswith("offsets") else 0] for k, v in stored.items()}
        if name != "library.npz":
            rows = {**stored, "library": stored["library"][:0]}
        np.savez(prepared / name, **rows)
    inputs = predicted(trained(prepared, tmp_path / "out"))
    assert (inputs.predict / "ranking.csv").read_text().split() == [",".join(RANKING)]


def test_the_same_prediction_gives_the_same_bytes(inputs, tmp_path):
    names = ("predictions.csv", "ranking.csv", "calibration.json")
    before = [(inputs.predict / name).read_bytes() for name in names]
    again = Inputs(inputs.prepare, inputs.train, tmp_path / "again", tmp_path, tmp_path)
    predicted(again)
    assert before == [(again.predict / name).read_bytes() for name in names]


def test_alerts_are_known_ones():
    found = alerts(["Oc1ccccc1O", "O=C1C(=Cc2ccccc2)SC(=S)N1", "CCO"])
    assert found == ["catechol_A(92)", "ene_rhod_A(235)", ""]
