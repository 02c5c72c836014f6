"""Halicin's rank in the Drug Repurposing Hub, learnt from all of `ecoli`.

Every molecule of ecoli.csv is learnt from: each member of the ensemble has a tenth of its own,
scaffold-balanced, that chooses its epoch, and the other members learn that. Ranked are the hub's
molecules whose connectivity (the first block of the InChIKey, of what the files say) is not in
ecoli.csv; those that cannot be used come last. One molecule is an anecdote: settings are those of
the preset, which were fixed before, and nothing may be chosen by what comes out here. Finished
seeds are kept in .work/.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from screening_data import Known, known, preset_of, train_params
from screening_ours import forest, members_of
from screening_records import WORK, Journal, record, settings_of
from side_by_side import table

from domains.screening.predict.likeness import bits_of, similarity
from domains.screening.prepare.arrays import Graphs, read_counts
from domains.screening.prepare.featurise import counts, featurise
from domains.screening.prepare.known import ECOLI, HUB
from domains.screening.prepare.standard import standard
from domains.screening.train.joining import joined_of
from pipelines.chemistry.kinship import skeleton_of
from pipelines.data.sources import fetch

PRESET = "ecoli"
CHECKED = 0.1  # of the molecules, by each member
HALICIN = "Nc1nnc(Sc2ncc(s2)[N+]([O-])=O)s1"  # as the hub has it
OURS, FOREST = "ours", "random forest"
PUBLISHED = {
    "chemprop 2.3.1, five networks": [97, 65],
    "random forest on Morgan counts": [366, 195],
}
MOST = {"rank": 60, "rank_dissimilar": 40}

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Library:
    """Molecules to rank: of n of them m are `usable`, which the arrays are of.

    smiles, graphs, counts: of the m; usable: (n,); halicin: which of the n that is; dissimilar:
    (n,), below the preset's similarity to every active.
    """

    smiles: list[str]
    graphs: Graphs
    counts: NDArray[np.uint8]
    usable: NDArray[np.bool_]
    dissimilar: NDArray[np.bool_]
    halicin: int

    def ranks(self, said: Numbers) -> dict[str, int]:
        """Of halicin, among all and among the dissimilar, by (m,) scores; equal ones before it."""
        scores = np.full(len(self.usable), -np.inf)
        scores[self.usable] = said
        before = scores >= scores[self.halicin]
        return {"rank": int(before.sum()), "rank_dissimilar": int((before & self.dissimilar).sum())}


def run(arguments: argparse.Namespace) -> None:
    """All seeds, printed and recorded."""
    quick = arguments.quick
    settings = settings_of(train_params(PRESET, 0, quick))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        journal = Journal(
            folder if quick else WORK, "halicin", training=settings, threads=arguments.threads
        )
        molecules = known(PRESET, folder / "all", quick)
        library = library_of(molecules)
        rows = [
            journal.of({"seed": seed}, partial(_ranked, molecules, library, seed, quick))
            for seed in range(2 if quick else arguments.seeds)
        ]
    found = _medians(rows)
    print(table(found))
    if not quick:
        content = {"training": settings, "threads": arguments.threads, "checked": CHECKED}
        size = {"ranked": len(library.usable), "dissimilar": int(library.dissimilar.sum())}
        measured = {"before": PUBLISHED, "medians": found, "rows": rows}
        record("halicin", {**content, **size, "usable": int(library.usable.sum()), **measured})


def library_of(molecules: Known) -> Library:
    """The hub without what is in ecoli.csv."""
    new = new_molecules(_column(fetch(ECOLI), "SMILES"), _column(fetch(HUB), "smiles"))
    rules = preset_of(PRESET)
    forms = standard(new, rules["prepare"]["max_atoms"])
    smiles = [form.smiles for form in forms if form.smiles]
    usable = np.array([form.smiles is not None for form in forms])
    given, active = counts(smiles), molecules.table[molecules.target.name] == 1
    actives = read_counts(molecules.folder, "molecules")[active.to_numpy()]
    unlike = np.zeros(len(new), dtype=bool)
    likeness = similarity(bits_of(given), bits_of(actives))
    unlike[usable] = likeness < rules["predict"]["dissimilar"]
    return Library(smiles, featurise(smiles), given, usable, unlike, new.index(HALICIN))


def new_molecules(old: list[str], asked: list[str]) -> list[str]:
    """Those of SMILES that are asked about whose connectivity none of the old ones has."""
    known_already = set(_connectivities(old)) - {""}
    keys = _connectivities(asked)
    return [text for text, key in zip(asked, keys, strict=True) if key not in known_already]


def _connectivities(smiles: list[str]) -> list[str]:
    """First block of each InChIKey, "" of what cannot be read."""
    with rdBase.BlockLogs():
        mols = [Chem.MolFromSmiles(text) for text in smiles]
    return [skeleton_of(mol) if mol else "" for mol in mols]


def _column(paths: dict[str, Path], name: str) -> list[str]:
    [path] = paths.values()
    return pd.read_csv(path)[name].tolist()


def _ranked(molecules: Known, library: Library, seed: int, quick: bool) -> dict[str, Any]:
    known_counts = read_counts(molecules.folder, "molecules")
    truth = molecules.table[molecules.target.name]
    said = {
        OURS: _ensemble(molecules, library, seed, quick),
        FOREST: forest(known_counts, truth, library.counts, "class", seed),
    }
    return {name: library.ranks(one) for name, one in said.items()}


def _ensemble(molecules: Known, library: Library, seed: int, quick: bool) -> Numbers:
    """(m,) mean logits."""
    parts = []
    for member in members_of(molecules, PRESET, CHECKED, seed, quick):
        joined = joined_of(library.smiles, member.join)
        parts.append(member.predict(library.graphs, joined)[0, :, 0])
    return np.mean(parts, axis=0)


def _medians(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for name in (OURS, FOREST):
        median = {what: float(np.median([row[name][what] for row in rows])) for what in MOST}
        met = all(median[what] <= most for what, most in MOST.items())
        found.append({"variant": name, **median, "at most 60 and 40": met})
    return found
