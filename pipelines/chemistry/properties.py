"""Properties that a medicinal chemist looks at first: QED, logP, weight, synthetic accessibility.

Values are RDKit's own. Its QED and SA score are Python over many small calls; where one call into
C++ does the same they are given that. QED computes logP and weight on its way, so that these cost
nothing more. Measures are computed one after another, each of all molecules: the processor's caches
then hold the code and the patterns of one measure, which saves a third of the time.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection, Sequence
from functools import cache
from math import nan
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, RDConfig, rdBase
from rdkit.Chem import QED, Crippen, Descriptors, Mol, RemoveHs, rdMolDescriptors
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogEntry, SmartsMatcher

from pipelines.core.errors import UserError
from pipelines.core.parallel import in_parallel


class Properties(NamedTuple):
    """Of one molecule; NaN where it has none.

    Attributes:
        qed: quantitative estimate of drug-likeness, 0 to 1 (Bickerton et al. 2012, mean weights).
        logp: octanol-water partition coefficient, log10 (Wildman and Crippen 1999).
        weight: average molecular weight, Da.
        sa: synthetic accessibility, 1 (easy) to 10 (Ertl and Schuffenhauer 2009).
    """

    qed: float
    logp: float
    weight: float
    sa: float


NAMES = Properties._fields
NONE = Properties(nan, nan, nan, nan)
_STRICT = rdMolDescriptors.NumRotatableBondsOptions.Strict


def properties(mol: Mol | None, names: Collection[str] = NAMES) -> Properties:
    """The properties of one molecule, as `properties_of_mols` has them."""
    return properties_of_mols([mol], names)[0]


def properties_of_mols(
    mols: Sequence[Mol | None], names: Collection[str] = NAMES
) -> list[Properties]:
    """The properties of molecules that have been sanitised and have implicit hydrogens.

    Args:
        mols: None, and one without atoms, has the properties NaN.
        names: which are needed; of the others `qed` and `sa`, which are slow, are left NaN.
    """
    given = [mol for mol in mols if mol is not None and mol.GetNumAtoms()]
    qed, sa = [nan] * len(given), [nan] * len(given)
    if "qed" in names:
        parts = _drug_likeness(given)
        qed = [QED.qed(mol, qedProperties=part) for mol, part in zip(given, parts, strict=True)]
        logp, weight = [part.ALOGP for part in parts], [part.MW for part in parts]
    else:
        logp = [Crippen.MolLogP(mol) for mol in given]
        weight = [Descriptors.MolWt(mol) for mol in given]
    if "sa" in names:
        sa = [_synthetic_accessibility()(mol) for mol in given]
    found = map(Properties, qed, logp, weight, sa)
    return [next(found) if mol is not None and mol.GetNumAtoms() else NONE for mol in mols]


def properties_of(smiles: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """qed, logp, weight (Da) and sa of n SMILES, each an array (n,); NaN for the unparsable."""
    rows = list(in_parallel(_properties_of_some, smiles))
    table = np.array(rows, np.float64).reshape(-1, len(NAMES))
    return {name: table[:, i].copy() for i, name in enumerate(NAMES)}


def _properties_of_some(smiles: Sequence[str]) -> list[Properties]:
    with rdBase.BlockLogs():
        return properties_of_mols([Chem.MolFromSmiles(text) for text in smiles])


def _drug_likeness(mols: Sequence[Mol]) -> list[QED.QEDproperties]:
    """QED.properties of each."""
    bare = [mol if mol.GetNumAtoms() == mol.GetNumHeavyAtoms() else RemoveHs(mol) for mol in mols]
    columns = (
        [rdMolDescriptors._CalcMolWt(mol) for mol in bare],
        [Crippen.MolLogP(mol) for mol in bare],
        [sum(len(mol.GetSubstructMatches(p)) for p in QED.Acceptors) for mol in bare],
        [rdMolDescriptors.CalcNumHBD(mol) for mol in bare],
        [rdMolDescriptors.CalcTPSA(mol) for mol in bare],
        [rdMolDescriptors.CalcNumRotatableBonds(mol, _STRICT) for mol in bare],
        [len(Chem.GetSSSR(Chem.DeleteSubstructs(mol, QED.AliphaticRings))) for mol in bare],
        [len(_alerts().GetMatches(mol)) for mol in bare],
    )
    return list(map(QED.QEDproperties, *columns))


@cache
def _alerts() -> FilterCatalog:
    """QED's structural alerts, to be looked for in one call."""
    catalog = FilterCatalog()
    for k, pattern in enumerate(QED.StructuralAlerts):
        catalog.AddEntry(FilterCatalogEntry(str(k), SmartsMatcher(str(k), pattern)))
    return catalog


@cache
def _synthetic_accessibility() -> Callable[[Mol], float]:
    """The function of RDKit's own Contrib folder, which is no package that can be imported."""
    file = Path(RDConfig.RDContribDir, "SA_Score", "sascorer.py")
    spec = importlib.util.spec_from_file_location("sascorer", file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise UserError(
            f"{file}: not found; this RDKit lacks its Contrib folder: install the version of "
            "constraints.txt from PyPI"
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module)["Chem"] = _Stereo  # all that it takes from there
    return module.calculateScore


class _Stereo:
    """The stereocentres that the SA score counts, without a Python loop over atoms."""

    @staticmethod
    def FindMolChiralCenters(mol: Mol, includeUnassigned: bool) -> range:  # noqa: N802, N803
        Chem.AssignStereochemistry(
            mol, cleanIt=True, force=True, flagPossibleStereoCenters=includeUnassigned
        )
        return range(rdMolDescriptors.CalcNumAtomStereoCenters(mol))
