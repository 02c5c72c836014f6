"""What molecules are measured with, from others: ChemNet's weights, the filters of MOSES.

Declared and copied here, without torch at import; `chemnet.py` is the network itself.
"""

from __future__ import annotations

import csv
from pathlib import Path

from pipelines.data.sources import Wheel, fetch

from .files import ALERTS, WEIGHTS

_CHEMNET = "fcd_torch/ChemNet_v0.13_pretrained.pt"
_MCF, _PAINS = "moses/metrics/mcf.csv", "moses/metrics/wehi_pains.csv"
_LAYERS = ("conv1", "conv2", "lstm1", "lstm2")

CHEMNET = Wheel(
    name="fcd_torch",
    version="1.0.7",
    sha256="63a24aae88c554a7ba6422cffdef3ad7c1befec73f835b70ead04097a1ebed6f",
    size=5241244,
    files={_CHEMNET: "a36658cc7c94d3c728eacd7ed2d2f104753bb2fde742c2817daefe9533a28080"},
    title="ChemNet 0.13, as shipped with fcd_torch 1.0.7",
    licence="MIT",
    citation=(
        "Preuer et al. 2018, Journal of Chemical Information and Modeling 58:1736, "
        "doi 10.1021/acs.jcim.8b00234"
    ),
    url="https://github.com/insilicomedicine/FCD_torch",
)

FILTERS = Wheel(
    name="molsets",
    version="0.3.1",
    sha256="7f4450e3ebecebe79c3a2a55950c93daddee071120daf64a163d03481e811d34",
    size=51584291,
    files={
        _MCF: "f4a2bfacb4cb8877295eb2a4b4e61ec9770a26388f1331e5dc9c193d22dd5f89",
        _PAINS: "d762e5420ec70f06d7e41d336cae6f67e2feb0eddf05c6171192a332726d296f",
    },
    title="MOSES' medicinal chemistry filters and PAINS, as shipped with molsets 0.3.1",
    licence="MIT",
    citation=(
        "Polykovskiy et al. 2020, Frontiers in Pharmacology 11:565644, "
        "doi 10.3389/fphar.2020.565644; PAINS: Baell & Holloway 2010, Journal of Medicinal "
        "Chemistry 53:2719, doi 10.1021/jm901137j"
    ),
    url="https://github.com/molecularsets/moses",
)


def convert(out: Path) -> None:
    """Write chemnet.safetensors (float32) and alerts.csv (name, smarts) into the folder `out`.

    Raises UserError where a source cannot be had or is not the one declared.
    """
    from safetensors.torch import save

    from pipelines.data.thirdparty import load_torch

    layers = load_torch(fetch(CHEMNET)[_CHEMNET], CHEMNET.files[_CHEMNET])
    states = {name: state for name, (_, (state, *_)) in zip(_LAYERS, layers, strict=True)}
    tensors = {f"{name}.{key}": states[name][key] for name in _LAYERS for key in states[name]}
    (out / WEIGHTS).write_bytes(save({k: v.float().contiguous() for k, v in tensors.items()}))
    with (out / ALERTS).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("name", "smarts"))
        writer.writerows(_alerts())


def _alerts() -> list[tuple[str, str]]:
    """Name and SMARTS of each structural alert: first the MCF, then PAINS."""
    paths = fetch(FILTERS)
    with paths[_MCF].open(encoding="utf-8", newline="") as stream:
        alerts = [(row["names"], row["smarts"]) for row in csv.DictReader(stream)]
    with paths[_PAINS].open(encoding="utf-8", newline="") as stream:
        pains = [(name.strip("<>"), smarts.strip()) for smarts, name in csv.reader(stream)]
    return alerts + [(name.removeprefix("regId="), smarts) for name, smarts in pains]
