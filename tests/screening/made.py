"""A made-up `prepare` folder of real molecules, for the tests of later stages: a second to write.

The rule is one that a network can learn: molecules of a small polar surface are `crossing`, and
`distance` is the logP of Wildman & Crippen 1999.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from rdkit import Chem
from rdkit.Chem import Crippen, rdMolDescriptors

from domains.screening.prepare.arrays import SPLITS, Target
from domains.screening.prepare.writing import write_data
from pipelines.chemistry.kinship import kinships
from pipelines.chemistry.standardise import standardise
from pipelines.core.artifacts import write_json

_KNOWN = """
CC(=O)Oc1ccccc1C(=O)O CC(=O)Nc1ccc(O)cc1 CN1C=NC2=C1C(=O)N(C)C(=O)N2C CC(C)Cc1ccc(C(C)C(=O)O)cc1
CN1CCC[C@H]1c1cccnc1 c1ccccc1 CCO CCCCO CCOCC CC(C)=O OCC(O)CO CC(=O)O
C1=CC=C(C=C1)C=O Oc1ccccc1 Nc1ccccc1 Cc1ccccc1 Clc1ccccc1 c1ccc2ccccc2c1
CN(C)CCCN1c2ccccc2CCc2ccccc21 CN1c2ccc(Cl)cc2C(c2ccccc2)=NCC1=O CNC1(CCCCC1=O)c1ccccc1Cl
CC(N)Cc1ccccc1 CN[C@@H](C)[C@H](O)c1ccccc1 NCCc1ccc(O)c(O)c1 NCCc1c[nH]c2ccc(O)cc12
CC(C)NCC(O)COc1cccc2ccccc12 CC(C)(C)NCC(O)c1ccc(O)c(CO)c1 COc1ccc2cc(ccc2c1)C(C)C(=O)O
OC(=O)Cc1ccccc1Nc1c(Cl)cccc1Cl Nc1ccc(cc1)S(N)(=O)=O Cc1cc(NS(=O)(=O)c2ccc(N)cc2)no1
CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O CC1(C)SC2C(NC(=O)C(N)c3ccccc3)C(=O)N2C1C(=O)O
O=C(O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O CCn1cc(C(=O)O)c(=O)c2cc(F)c(N3CCNCC3)cc21
Cc1ncc([N+](=O)[O-])n1CCO O=[N+]([O-])c1ccc(C=NN2CC(=O)NC2=O)o1 NNC(=O)c1ccncc1 NC(=O)c1cnccn1
OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O NC(CO)(CO)CO OC(=O)CC(O)(CC(O)=O)C(O)=O
Nc1nc(=O)c2ncn(COCCO)c2[nH]1 Nc1ccn(C2OC(CO)C(O)C2O)c(=O)n1 O=c1[nH]cc(F)c(=O)[nH]1
CCCCCCCC CCCCCCCCCCCC C1CCCCC1 C1CCCCC1C1CCCCC1 c1ccc(cc1)-c1ccccc1 ClC(Cl)Cl
CN1CCN(CC1)C1=Nc2cc(Cl)ccc2Nc2ccccc12 O=C(CCCN1CCC(O)(CC1)c1ccc(Cl)cc1)c1ccc(F)cc1
CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2O CC12CCC3c4ccc(O)cc4CCC3C1CCC2O COc1cc(CNC(C)=O)ccc1O
CCC1(C(=O)NC(=O)NC1=O)c1ccccc1 O=C1NC(=O)C(N1)(c1ccccc1)c1ccccc1
CCCC(CCC)C(=O)O NC(=O)N1c2ccccc2C=Cc2ccccc12
"""
_LIBRARY = """
CCCCN Brc1ccccc1 CC(=O)Nc1ccc(O)cc1 CC1(C)SC2C(NC(=O)COc3ccccc3)C(=O)N2C1C(=O)O nonsense
Nc1nnc(s1)Sc1ncc(s1)[N+](=O)[O-] CN(C)c1ccccc1 OCC(O)C(O)C(O)CO Ic1ccccc1 CCCCCCCCO
"""
KNOWN, LIBRARY = _KNOWN.split(), _LIBRARY.split()
ORDER = ("train", "train", "train", "validation", "test")
CROSSING = Target("crossing", "class", positive="polar surface below 50 Å²")
DISTANCE = Target("distance", "value", unit="log10")


def made_prepare(
    folder: Path, n: int = len(KNOWN), targets: tuple[Target, ...] = (CROSSING,)
) -> Path:
    """Write n molecules, three fifths of them to learn from, and a library of ten; the folder.

    Of several targets every seventh molecule lacks one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    smiles = [str(standardise(text).smiles) for text in KNOWN[:n]]
    kin = kinships(smiles)
    table = pd.DataFrame(
        {
            "split": [ORDER[k % len(ORDER)] for k in range(n)],
            "smiles": smiles,
            "scaffold": [one.scaffold for one in kin],
            "group": [one.scaffold or one.flat for one in kin],
            "count": 1,
        }
    )
    for number, target in enumerate(targets):
        table[target.name] = [_measured(text, target) for text in smiles]
        if len(targets) > 1:
            table.loc[table.index % 7 == number, target.name] = np.nan
    write_data(folder, table.sort_values("split", kind="stable"), targets, _library(set(smiles)))
    card = {
        "title": "Made-up",
        "description": "Synthetic data",
        "synthetic": True,
        "max_atoms": 100,
        "splits": {name: {"molecules": int((table["split"] == name).sum())} for name in SPLITS},
        "excluded": [],
        "intervals": "n counts molecules.",
        "notes": [],
    }
    write_json(folder / "card.json", card)
    return folder


def _measured(smiles: str, target: Target) -> float:
    mol = Chem.MolFromSmiles(smiles)
    if target.kind == "value":
        return Crippen.MolLogP(mol)
    return float(rdMolDescriptors.CalcTPSA(mol) < 50)


def _library(known: set[str]) -> pd.DataFrame:
    forms = [standardise(text) for text in LIBRARY]
    return pd.DataFrame(
        {
            "name": [f"compound {k}" for k in range(len(LIBRARY))],
            "given": LIBRARY,
            "smiles": [form.smiles or "" for form in forms],
            "reason": [form.reason or "" for form in forms],
            "learnt": [form.smiles in known for form in forms],
        }
    )
