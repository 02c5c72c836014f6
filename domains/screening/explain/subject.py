"""What is explained: the ensemble, its controls with randomised weights, the labelled molecules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_json
from pipelines.core.runner import Inputs

from ..evaluate.answers import read_predictions
from ..prepare.arrays import Graphs, Target, read_graphs, read_molecules
from ..train.joining import read_joined
from ..train.reading import Ensemble, read_ensemble
from .attribution import Score
from .control import randomised

CONTROLS = 5  # ensembles with randomised weights


@dataclass(frozen=True)
class Subject:
    """The ensemble and its controls, and all labelled molecules.

    table: molecules.csv; graphs: of its molecules, line by line; joined: what the network takes
    beside them; said: predictions.csv, indexed by the line of `table`; target: the first, by which
    the library is ranked; title: of the data, as on the card.
    """

    ensemble: Ensemble
    controls: list[Ensemble]
    table: pd.DataFrame
    graphs: Graphs
    joined: np.ndarray
    said: pd.DataFrame
    target: Target
    title: str

    @property
    def unit(self) -> str:
        """Of what atoms and groups add to a score, and of which target where there are several."""
        unit = "logit" if self.target.kind == "class" else self.target.unit
        return unit if len(self.ensemble.targets) == 1 else f"{unit} of {self.target.name}"

    @property
    def told_all(self) -> str:
        """A sentence on what is not hidden when atoms are."""
        if self.ensemble.join == "none":
            return ""
        return f" The network is told the {self.ensemble.join} of the whole molecule all the same."

    def score(self, network: Ensemble, rows: np.ndarray) -> Score:
        """A network's answers about copies of these molecules; the readout is told the same."""
        return lambda graphs, which: mean_score(network, graphs, self.joined[rows[which]])


def mean_score(network: Ensemble, graphs: Graphs, joined: np.ndarray) -> np.ndarray:
    """(n,) mean over the members of the logit, or of the value in its unit, of the first target."""
    return network.predict(graphs, joined)[:, :, 0].mean(axis=0)


def read_subject(inputs: Inputs, seed: int) -> Subject:
    """Read what earlier stages have left, and make the controls."""
    ensemble = read_ensemble(inputs.train)
    table, said = read_molecules(inputs.prepare), read_predictions(inputs.predict)
    return Subject(
        ensemble,
        [
            Ensemble([randomised(member, seed, k, m) for m, member in enumerate(ensemble.members)])
            for k in range(CONTROLS)
        ],
        table,
        read_graphs(inputs.prepare, "graphs"),
        read_joined(inputs.prepare, "molecules", ensemble.join),
        said.set_index(np.flatnonzero(table["split"] != "train")),
        ensemble.targets[0],
        read_json(inputs.prepare / "card.json")["title"],
    )
