"""What the ensemble says of molecules that it has not learnt from, and of the library."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import PredictParams


def predict(params: "PredictParams", inputs: "Inputs", out: Path) -> None:
    """Write predictions.csv (validation and test), ranking.csv (the library), calibration.json.

    Calibration, intervals and the domain of applicability come from the validation molecules.
    """
    from pipelines.core.artifacts import write_csv

    from ..prepare.arrays import read_graphs, read_molecules
    from ..train.joining import read_joined
    from ..train.reading import read_ensemble
    from .calibrate import calibrate, read_calibration, write_calibration
    from .likeness import read_bits, similarity
    from .tables import predictions, ranking

    ensemble = read_ensemble(inputs.train)
    table = read_molecules(inputs.prepare)
    training = (table["split"] == "train").to_numpy()
    table = table[~training]
    graphs = read_graphs(inputs.prepare, "graphs").take((~training).nonzero()[0])
    joined = read_joined(inputs.prepare, "molecules", ensemble.join)[~training]
    said = ensemble.predict(graphs, joined)
    bits = read_bits(inputs.prepare, "molecules")
    likeness = similarity(bits[~training], bits[training])
    write_calibration(out, calibrate(params, ensemble.targets, table, said, likeness))
    calibration = read_calibration(out)  # its numbers as `apply` will read them
    answers = calibration.answers(said, ensemble.targets)
    write_csv(out / "predictions.csv", predictions(table, answers, likeness, calibration.inside))
    write_csv(
        out / "ranking.csv", ranking(inputs.prepare, ensemble, calibration, params.dissimilar)
    )
