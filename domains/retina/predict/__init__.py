"""What the network says of eyes that it has not learnt from, eye by eye and person by person."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import PredictParams


def predict(params: "PredictParams", inputs: "Inputs", out: Path) -> None:
    """Write eyes.csv and patients.csv of the validation and test splits, and calibration.json.

    Values have a mean, a deviation and a conformal interval, calibrated on the validation eyes
    and, after averaging both eyes, on the validation patients, in three bands of the true value;
    binary targets a probability.
    """
    from pipelines.core.artifacts import write_csv

    from ..prepare.arrays import read_eyes
    from ..train.reading import answers, read_network
    from .calibrate import calibrate, write_calibration
    from .conformal import with_intervals
    from .tables import eye_table, patient_table

    network = read_network(inputs.train)
    eyes = read_eyes(inputs.prepare, ("validation", "test"))
    table = eye_table(eyes.table, eyes.targets, *answers(network, eyes.images))
    checked = table[table["split"] == "validation"]
    calibration = calibrate(checked, eyes.targets, params.coverage, params.abstain)
    marked = calibration.marked(table, eyes.targets)
    patients = patient_table(marked, eyes.targets)
    write_calibration(out, calibration)
    write_csv(out / "eyes.csv", with_intervals(marked, eyes.targets, calibration.eyes))
    write_csv(out / "patients.csv", with_intervals(patients, eyes.targets, calibration.patients))
