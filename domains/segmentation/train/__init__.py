"""What is learnt: one U-Net."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs
    from pipelines.training.fit import Fit

    from ..prepare.arrays import Format
    from .params import TrainParams


def train(params: "TrainParams", inputs: "Inputs") -> Iterator["Fit"]:
    """Yield the fit `unet`; its epoch is chosen by the validation Dice over the classes."""
    from pipelines.core.randomness import seed_everything
    from pipelines.training.fit import EpochDataModule, Fit

    from ..prepare.arrays import read_format, read_samples
    from .module import Segmenter
    from .sizes import shrink
    from .windows import GridWindows, Prepared, RandomWindows, balance_of

    form = read_format(inputs.prepare)
    learnt, checked = (read_samples(inputs.prepare, s) for s in ("train", "validation"))
    balance = balance_of(learnt, form, params)
    margin = shrink(params.depth, params.padding)
    data = EpochDataModule(
        RandomWindows(Prepared(learnt, form, params, balance), params),
        GridWindows(Prepared(checked, form, params, balance), params.window_px, margin),
        params.batch_size,
        params.seed,
    )
    network = _network(params, form)
    seed_everything(params.seed)
    steps = params.epochs * -(-params.windows // params.batch_size)
    yield Fit(
        name="unet",
        module=Segmenter(network, params.loss, params.learning_rate, params.weight_decay, steps),
        data=data,
        epochs=params.epochs,
        seed=params.seed,
        monitor="val_dice",
        mode="max",
        gradient_clip=params.gradient_clip,
        model={"network": network, "format": vars(form)},
    )


def _network(params: "TrainParams", form: "Format") -> dict[str, Any]:
    """The arguments of `UNet`."""
    return {
        "channels": form.channels,
        "classes": form.outputs,
        "base": params.base,
        "depth": params.depth,
        "dropout": params.dropout,
        "norm": params.batch_norm,
        "padding": params.padding,
    }
