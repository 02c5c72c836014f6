"""predictions.csv and ranking.csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.chemistry.properties import properties_of

from ..prepare.arrays import Target, read_graphs, read_library, read_molecules
from ..train.joining import read_joined
from ..train.reading import Ensemble
from .alerts import alerts
from .calibrate import Calibration
from .likeness import nearest, read_bits, similarity


def predictions(
    table: pd.DataFrame, answers: pd.DataFrame, likeness: NDArray[np.float64], inside: float
) -> pd.DataFrame:
    """split, smiles, group, of each target its truth and what is said of it; similarity, inside.

    Args:
        table: rows of molecules.csv.
        answers: of `Calibration.answers`, in the same order.
        likeness: similarity to the nearest training molecule.
        inside: the lowest within the domain of applicability.
    """
    said = table[["split", "smiles", "group"]].reset_index(drop=True)
    for name in answers:
        target, _, what = name.rpartition("_")
        if what == "score":
            said[target] = table[target].to_numpy()
        said[name] = answers[name]
    return said.assign(similarity=likeness, inside=likeness >= inside)


def ranking(
    folder: Path, ensemble: Ensemble, calibration: Calibration, dissimilar: float
) -> pd.DataFrame:
    """The usable molecules of the library, the best by the first target first.

    name (if the library has names), smiles; measured, whether the labelled data have a label of
    it for that target, in whatever split; score, low, high, spread; nearest_active, the SMILES of
    the known active that is most like it (of a value target: known molecule), of any split, and
    similarity_active to it; of a class also similarity_inactive, to the nearest of the others;
    inside the domain of applicability; qed, sa, weight (Da), logp, alerts; its ranks among
    molecules not measured, and among those of them that are dissimilar to every known active.
    """
    target = ensemble.targets[0]
    library = read_library(folder)
    library = library[library["reason"] == ""].reset_index(drop=True)
    smiles, bits = library["smiles"].tolist(), read_bits(folder, "library")
    said = ensemble.predict(
        read_graphs(folder, "library"), read_joined(folder, "library", ensemble.join)
    )
    library = library.rename(columns={"learnt": "measured"})
    table = library[[name for name in ("name", "smiles", "measured") if name in library]]
    answers = calibration.answers(said[:, :, :1], [target])
    answers = answers.rename(columns=lambda name: name.removeprefix(f"{target.name}_"))
    molecules, known = read_molecules(folder), read_bits(folder, "molecules")
    training = (molecules["split"] == "train").to_numpy()
    properties = properties_of(smiles)
    table = pd.concat([table, answers], axis=1).assign(
        **_likeness(molecules, target, bits, known),
        inside=similarity(bits, known[training]) >= calibration.inside,
        **{name: properties[name] for name in ("qed", "sa", "weight", "logp")},
        alerts=alerts(smiles),
    )
    best = said[:, :, 0].mean(axis=0) * (-1 if target.better == "high" else 1)
    return _ranked(table.iloc[np.argsort(best, kind="stable")], dissimilar)


def _likeness(
    molecules: pd.DataFrame, target: Target, bits: NDArray[np.uint8], known: NDArray[np.uint8]
) -> dict[str, NDArray[np.generic]]:
    """nearest_active, similarity_active and, of a class, similarity_inactive; known: all bits."""
    wanted = _wanted(molecules, target)
    likeness, which = nearest(bits, known[wanted])
    smiles = molecules["smiles"].to_numpy()[wanted][which]
    columns = {"nearest_active": smiles, "similarity_active": likeness}
    if target.kind == "class":
        others = np.setdiff1d(np.flatnonzero(molecules[target.name].notna()), wanted)
        columns["similarity_inactive"] = similarity(bits, known[others])
    return columns


def _wanted(molecules: pd.DataFrame, target: Target) -> NDArray[np.int64]:
    """Numbers of the known actives: those of the class that is wanted; of a value, all known."""
    truth = molecules[target.name]
    if target.kind == "value":
        return np.flatnonzero(truth.notna())
    return np.flatnonzero(truth == (target.better == "high"))


def _ranked(table: pd.DataFrame, dissimilar: float) -> pd.DataFrame:
    """With rank, rank_new and rank_dissimilar; an empty rank where a molecule is not of them."""
    new = ~table["measured"].astype(bool)
    unlike = new & (table["similarity_active"] < dissimilar)
    table = table.assign(
        rank_new=new.cumsum().where(new).astype("Int64"),
        rank_dissimilar=unlike.cumsum().where(unlike).astype("Int64"),
    )
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table
