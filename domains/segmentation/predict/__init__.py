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
    import numpy as np

    from pipelines.core.artifacts import write_json

    from ..prepare.arrays import read_samples
    from .calibrate import temperature
    from .files import PROBABILITIES, RULE, write_labels
    from .network import load
    from .tune import choose, decide, measure

    model = load(inputs.train, params.tile_px, params.margin_px, params.views)
    samples = read_samples(inputs.prepare, "validation", "test")
    # As they are written and read again, so that later stages see what the rule was chosen on.
    maps = [model(sample.image).astype(np.float16) for sample in samples]
    np.save(out / PROBABILITIES, np.concatenate([m.reshape(len(m), -1) for m in maps], axis=1))
    maps = [m.astype(np.float32) for m in maps]
    checked = [(m, s.mask) for m, s in zip(maps, samples, strict=True) if s.split == "validation"]
    known, masks = [m for m, _ in checked], [mask for _, mask in checked]
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
    for probability, sample in zip(maps, samples, strict=True):
        labels = decide(probability, model.form, rule)
        write_labels(out / f"{sample.split}_{sample.name}.tif", labels)
