"""The fits of the model `gan`: likelihood first, then the game against the critic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.core.randomness import seed_everything
from pipelines.training.fit import EpochDataModule, Fit

from ..prepare.arrays import read_corpus
from .adversary import Adversary, Game
from .batches import LengthBatches
from .critic import Critic
from .generator import Generator
from .likelihood import Likelihood
from .params import TrainParams
from .rounds import Rounds
from .scorers import GoalScorer
from .validation import Noise, chemnet_distance
from .warm_up import VALIDATED, pace, shape, warm_up


def fits(params: TrainParams, prepared: Path) -> Iterator[Fit]:
    """Yield `likelihood`, chosen by validation likelihood, and `adversarial`, by validation FCD.

    With goals `adversarial` is chosen by the mean score of what is written.
    """
    learnt, checked = (read_corpus(prepared, split) for split in ("train", "validation"))
    batches = LengthBatches(learnt, params.likelihood.batch_size, params.seed)
    network = shape(params, learnt, checked)
    seed_everything(params.seed)
    generator = Generator(**network)
    module = Likelihood(generator, pace(params, batches))
    model = {"generator": network}
    yield warm_up(params, batches, checked, module, name="likelihood", model=model)
    yield _adversarial(params, generator, batches, prepared, network)


def _adversarial(
    params: TrainParams,
    generator: Generator,
    batches: LengthBatches,
    prepared: Path,
    network: dict[str, Any],
) -> Fit:
    how, judge = params.adversarial, params.critic
    critic = {
        "tokens": len(generator.vocabulary),
        "channels": judge.channels,
        "hidden": judge.hidden,
        "dropout": judge.dropout,
    }
    seed_everything(params.seed, 1)
    scorer = GoalScorer(params.goals) if params.goals else None
    known = min(judge.known, len(batches.corpus))
    rounds = Rounds(
        batches, how.rounds, known, (judge.steps, judge.batch_size), generator.size, params.seed
    )
    noise = Noise(how.drawn, generator.size, params.seed)
    return Fit(
        name="adversarial",
        module=Adversary(
            generator, Critic(**critic), _game(params), chemnet_distance(prepared), scorer
        ),
        data=EpochDataModule(rounds, noise, None, params.seed, VALIDATED),
        epochs=how.epochs,
        seed=params.seed,
        monitor="val_score" if params.goals else "val_fcd",
        mode="max" if params.goals else "min",
        model={
            "generator": network,
            "critic": critic,
            "goals": [goal.model_dump(exclude_none=True) for goal in params.goals],
        },
        low_precision=True,
    )


def _game(params: TrainParams) -> Game:
    how, judge = params.adversarial, params.critic
    return Game(
        samples=how.samples,
        learning_rate=how.learning_rate,
        critic_learning_rate=judge.learning_rate,
        anchor=how.anchor,
        likelihood=how.likelihood,
        limit=how.limit,
        invalid=how.invalid,
        replay=judge.replay,
        goal_strength=how.goal_strength,
        steps=max((how.epochs - 1) * how.rounds, 1),
    )
