"""Every score of every set of molecules, with its interval.

validity    share of the drawn SMILES that RDKit can read; all below is of the valid ones
satisfied   share of all written, invalid ones too, that meet all `goals`, where there are any
unique_1k, unique_10k   share of distinct molecules among the first 1,000 or 10,000 (or all, if
            there are fewer: n says how many)
novelty     share of the distinct molecules that are not in training or validation
fcd_…       Fréchet ChemNet distance (Preuer et al. 2018); n says of how many molecules
snn_…       mean Tanimoto similarity to the most similar test molecule
frag_…, scaf_…   cosine of the counts of BRICS fragments and of Bemis-Murcko scaffolds
int_div_1, int_div_2   1 − mean similarity of pairs, and of the root of its mean square
filters     share that passes MOSES' medicinal chemistry filters
logp_w1, sa_w1, qed_w1, weight_w1 (Da)   Wasserstein distance to the test set; as of FCD
            chance alone makes it more than 0, and the interval of a small one lies too high
kl_score    GuacaMol's, against training molecules

All after Polykovskiy et al. 2020, doi 10.3389/fphar.2020.565644, except kl_score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from pipelines.chemistry.nearest import mean_similarities, nearest
from pipelines.chemistry.properties import NAMES
from pipelines.core.artifacts import read_csv
from pipelines.core.contract import SCORE_COLUMNS, THIS_RUN
from pipelines.statistics.bootstrap import Interval
from pipelines.training.precision import computing_device
from pipelines.training.reproducible import prepare_torch

from ..prepare.arrays import HELD_OUT, LEARNT, read_smiles
from ..prepare.chemnet import FEATURES, ChemNet, activations, load_chemnet
from ..prepare.files import ALERTS
from . import intervals, kept
from .differences import differences
from .distances import cosine, frechet_distance, wasserstein
from .drawn import LEARNT_FILES, kl_sample
from .kl import Profile, kl_score, profile
from .molecules import Molecules, describe
from .published import published_rows
from .reference import Reference, references

HEADLINES = (
    "validity",
    "unique_10k",
    "novelty",
    "fcd_test",
    "fcd_test_scaffolds",
    "filters",
    "snn_test",
    "kl_score",
)
UNIQUE = {"unique_1k": 1000, "unique_10k": 10_000}

Score = tuple[str, Interval, int]
Columns = dict[str, dict[str, NDArray[np.float64]]]


class Scored(NamedTuple):
    """Of a set of n molecules: its scores; (n, 4) qed, logp, weight, sa."""

    scores: list[Score]
    properties: NDArray[np.float64]


class Against(NamedTuple):
    """What sets are compared with: test sets, known molecules, GuacaMol's training sample."""

    alerts: list[str]
    tests: dict[str, Reference]
    known: set[str]
    training: Profile
    model: ChemNet
    device: torch.device


def compare(folder: Path, count: int, seed: int) -> Against:
    """What is needed of `prepare`'s folder to score sets of `count` SMILES.

    seed: of the choice of training molecules.
    """
    prepare_torch()
    device = computing_device()
    model = load_chemnet(folder)
    return Against(
        alerts=read_csv(folder / ALERTS, text=("smarts",))["smarts"].tolist(),
        tests=references(folder, model, device),
        known={smiles for split in LEARNT for smiles in read_smiles(folder, split)},
        training=_training_profile(folder, count, seed, device),
        model=model,
        device=device,
    )


def score_sets(rows: dict[str, list[str]], against: Against) -> dict[str, Scored]:
    """All scores of sets of SMILES, as drawn, by their names."""
    done: dict[tuple[str, ...], Scored] = {}
    found = {}
    for name, molecules in describe(rows, against.alerts).items():
        key = tuple(rows[name])  # the model's draws are those of one of its variants
        if key not in done:
            done[key] = Scored(list(_scores(molecules, against)), molecules.properties)
        found[name] = done[key]
    return found


def table(scored: dict[str, Scored], noted: dict[str, dict[str, Any]], title: str) -> pd.DataFrame:
    """scores.csv, with what is published of the data that have this title.

    noted: of a set, by its name: how many were drawn, how many satisfy the goals if there are any,
    and where it was chosen among more draws how many of these were valid and the acceptance; then
    its validity is that of the draws.
    """
    lines: list[tuple[Any, ...]] = []
    for name, (scores, _) in scored.items():
        note = noted.get(name, {})
        found = _before_rejection(scores, note)
        if "satisfied" in note:
            count = note.get("accepted", note["drawn"])
            found = [*found, ("satisfied", intervals.share(note["satisfied"], count), count)]
        lines += [(name, m, "all", *score, n or math.nan, THIS_RUN) for m, score, n in found]
    frame = pd.DataFrame(lines, columns=SCORE_COLUMNS)
    published = pd.DataFrame(published_rows(title), columns=SCORE_COLUMNS)
    return pd.concat([frame, differences(frame), published], ignore_index=True)


def columns(scored: dict[str, Scored], against: Against) -> Columns:
    """qed, logp, weight and sa of each set and of the test set."""
    tables = {name: found.properties for name, found in scored.items()}
    tables["test"] = against.tests["test"].properties
    return {name: dict(zip(NAMES, found.T, strict=True)) for name, found in tables.items()}


def headlines(scores: pd.DataFrame) -> dict[str, float]:
    """The model's HEADLINES that are defined, from scores.csv."""
    of_model = scores[scores["row"] == "model"]
    values = dict(zip(of_model["metric"], of_model["value"], strict=True))
    return {name: values[name] for name in HEADLINES if np.isfinite(values[name])}


def _training_profile(folder: Path, count: int, seed: int, device: torch.device) -> Profile:
    path = kept.place(folder, LEARNT_FILES, device, ("profile", count, seed), kept.SCORING)
    arrays = kept.read(path, ["columns"])
    if arrays is None:
        sample = describe({"kl": kl_sample(folder, count, seed)}, parts=("descriptors",))["kl"]
        arrays = {"columns": profile(sample, device).columns}
        kept.write(path, arrays)
    return Profile(**arrays)


def _before_rejection(scores: list[Score], note: dict[str, Any]) -> list[Score]:
    if "acceptance" not in note or note["acceptance"] is None:
        return scores
    drawn = note["drawn"]
    accepted = round(note["acceptance"] * drawn)
    # What is accepted is valid, and what was drawn for it is as valid as any draws of the model.
    return [("acceptance", intervals.share(accepted, drawn), drawn), *scores[1:]]


def _scores(molecules: Molecules, against: Against) -> Iterator[Score]:
    n = len(molecules)
    yield "validity", intervals.share(n, molecules.drawn), molecules.drawn
    for name, most in UNIQUE.items():
        first = molecules.canonical[:most]
        yield name, intervals.share(len(set(first)), len(first)), len(first)
    distinct = set(molecules.canonical)
    yield "novelty", intervals.share(len(distinct - against.known), len(distinct)), len(distinct)
    yield from _to_tests(molecules, against)
    first_power, square = mean_similarities(molecules.folded, against.device)
    for name, values in (("int_div_1", first_power), ("int_div_2", np.sqrt(square))):
        found = intervals.mean(1 - values)
        # Of a mean over pairs: each molecule counts on either side.
        yield name, intervals.from_influence(found.value, 2 * values, most=1.0), n
    yield "filters", intervals.share(int(molecules.passes.sum()), n), n
    test = against.tests["test"]
    for name in ("logp", "sa", "qed", "weight"):
        found = wasserstein(molecules.column(name), test.column(name))
        yield f"{name}_w1", found, n
    ours = profile(molecules, against.device)
    yield "kl_score", kl_score(ours, against.training), len(ours)


def _to_tests(molecules: Molecules, against: Against) -> Iterator[Score]:
    n = len(molecules)
    distinct = {smiles: k for k, smiles in enumerate(dict.fromkeys(molecules.canonical))}
    which = np.array([distinct[smiles] for smiles in molecules.canonical], dtype=np.int64)
    chosen = np.unique(which, return_index=True)[1]
    features = activations(against.model, list(distinct), against.device)[which]
    features = features.reshape(n, FEATURES).astype(np.float64)
    bits = molecules.folded[chosen]
    for split in HELD_OUT:
        test = against.tests[split]
        yield f"fcd_{split}", frechet_distance(features, test.gaussian), n
        similar = nearest(bits, test.bits, against.device)[which]
        found = intervals.mean(similar)
        yield f"snn_{split}", found._replace(high=min(found.high, 1.0)), n
        yield f"frag_{split}", cosine(molecules.fragments, test.counted("fragments")), n
        yield f"scaf_{split}", cosine(molecules.scaffold, test.counted("scaffolds")), n
