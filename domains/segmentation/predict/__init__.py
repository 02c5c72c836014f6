"""What the network says about images it has not learnt from."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import PredictParams


def predict(params: "PredictParams", inputs: "Inputs", out: Path) -> None:
    """Write probabilities, the rule that makes labels of them, and the labels.

    probabilities.npy: (K, P) float16, pixels of the validation and test samples in the order of
    samples.csv; postprocess.json: the rule, chosen on validation; `<split>_<name>.tif`: labels.
    """
    from pipelines.core.artifacts import write_json

    from ..prepare.arrays import read_samples
    from .calibrate import temperature
    from .files import RULE, read_probabilities, write_labels, write_probabilities
    from .network import load
    from .tune import choose, decide, measure

    model = load(inputs.train, params.tile_px, params.margin_px, params.views)
    samples = read_samples(inputs.prepare, "validation", "test")
    write_probabilities(out, map(model, (sample.image for sample in samples)), samples)
    # As later stages read them, so that they see what the rule was chosen on.
    known = list(read_probabilities(out, samples, "validation"))
    masks = [sample.mask for sample in samples if sample.split == "validation"]
    rule, value = choose(known, masks, model.form, params.objective)
    metric = measure(model.form, params.objective)
    settings = {
        "rule": vars(rule),
        "objective": params.objective,
        "validation": {"metric": metric, "value": value},
        "temperature": temperature(known, masks, model.form),
        "tiles": {"tile_px": params.tile_px, "margin_px": params.margin_px, "views": params.views},
    }
    write_json(out / RULE, settings)
    del known
    maps = read_probabilities(out, samples)
    for probability, sample in zip(maps, samples, strict=True):
        labels = decide(probability, model.form, rule)
        write_labels(out / f"{sample.split}_{sample.name}.tif", labels)
