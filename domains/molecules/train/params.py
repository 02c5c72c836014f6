"""Parameters of the molecules' training."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.core.params import Params

from .goals import Goal


class GeneratorParams(Params):
    """The recurrent network that writes SMILES."""

    hidden: int = Field(ge=8, description="recurrent units")
    embedding: int = Field(ge=4, description="size of what the recurrent layers read")
    layers: int = Field(ge=1, le=4, description="recurrent layers")


class LikelihoodParams(Params):
    """How it learns from real molecules."""

    batch_size: int = Field(ge=2, description="molecules a step")
    epochs: int = Field(ge=1, description="passes over the training molecules")
    learning_rate: float = Field(gt=0, description="peak of the one-cycle schedule")
    weight_decay: float = Field(ge=0, description="of the recurrent matrices")


class CriticParams(Params):
    """The discriminator, and how it learns."""

    channels: int = Field(ge=1, description="filters over the text, of each of three widths")
    hidden: int = Field(ge=1, description="units of a hidden layer")
    dropout: float = Field(ge=0, lt=1, description="share of inputs and hidden units")
    known: int = Field(ge=2, description="real molecules that it gets to know")
    replay: int = Field(ge=2, description="molecules written last that it is shown again")
    batch_size: int = Field(ge=2, description="real molecules a step, and as many written ones")
    steps: int = Field(ge=1, description="its steps in a round; 4 times as many in the first epoch")
    learning_rate: float = Field(gt=0, description="constant")


class AdversarialParams(Params):
    """The game of the two, in rounds; in the first epoch the critic learns alone."""

    epochs: int = Field(ge=1, description="the critic's own epoch included")
    rounds: int = Field(ge=1, description="of an epoch; each is a step of the generator")
    samples: int = Field(ge=2, description="molecules written in a round")
    learning_rate: float = Field(gt=0, description="the generator's; falls to 0 in a straight line")
    anchor: float = Field(ge=0, description="weight of the KL divergence from G0")
    likelihood: float = Field(ge=0, description="weight of the likelihood of real molecules")
    limit: float = Field(gt=0, description="largest logit of the critic that counts")
    invalid: float = Field(ge=0, description="what is lost by an invalid SMILES")
    goal_strength: float = Field(ge=0, description="reward of a molecule that meets all goals")
    drawn: int = Field(ge=2, description="molecules written to validate an epoch")


class LatentParams(Params):
    """The latent space of `latent_gan`'s autoencoder, and the game in it."""

    latent: int = Field(ge=4, description="numbers in a molecule's latent vector h")
    blur: float = Field(ge=0, description="noise on h in training, standard deviation; h has 1")
    size: int = Field(ge=2, description="numbers in z")
    hidden: int = Field(ge=1, description="units of a hidden layer of generator and critic")
    batch_size: int = Field(ge=2, description="molecules a step of the critic")
    epochs: int = Field(ge=1, description="the critic's passes over the training molecules")
    learning_rate: float = Field(gt=0, description="of both, constant")
    critic_steps: int = Field(ge=1, description="of the critic, for each of the generator")
    penalty: float = Field(gt=0, description="weight of the critic's (slope - 1)^2")
    memory: float = Field(ge=0, lt=1, description="of the generator's moving average, a step")
    drawn: int = Field(ge=2, description="molecules written to validate an epoch")


class TrainParams(Params):
    """The model, and how it is trained."""

    model: Literal["gan", "latent_gan"] = Field(description="which of the two formulations")
    seed: int = Field(ge=0, lt=2**63, description="seed of all that is drawn")
    generator: GeneratorParams = Field(description="the network that writes SMILES")
    likelihood: LikelihoodParams = Field(description="how it learns from real molecules")
    critic: CriticParams = Field(description="gan: the discriminator")
    adversarial: AdversarialParams = Field(description="gan: the game")
    latent: LatentParams = Field(description="latent_gan: autoencoder and game")
    goals: list[Goal] = Field(description="gan: what is aimed at; [] for molecules like the real")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.goals and self.model != "gan":
            raise ValueError(f"goals: model {self.model} cannot be directed; remove them")
        if any(goal.smarts or goal.similar_to for goal in self.goals):
            from .scorers import check_goals  # needs RDKit, which takes its time to load

            check_goals(self.goals)
        return self
