"""The second model: an autoencoder, and a Wasserstein GAN in its latent space."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from domains.molecules.prepare.arrays import SPLITS, Corpus, encode, write_splits
from domains.molecules.prepare.tokens import tokenize
from domains.molecules.prepare.yardsticks import convert
from domains.molecules.train import latent_gan
from domains.molecules.train.autoencoder import Autoencoder, Reconstruction, encode_all
from domains.molecules.train.batches import LengthBatches
from domains.molecules.train.latent import (
    LatentCritic,
    LatentGame,
    LatentGan,
    LatentGenerator,
    LatentWriter,
    slope_penalty,
)
from domains.molecules.train.likelihood import Pace
from domains.molecules.train.params import GeneratorParams, LikelihoodParams
from domains.molecules.train.texts import spell
from domains.molecules.train.writer import Writer
from pipelines.core.artifacts import read_json
from pipelines.core.randomness import seed_everything
from pipelines.training.fit import Fit
from pipelines.training.stage import train
from pipelines.training.weights import read_weights

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O", "Oc1ccccc1", "CCN(CC)CC", "c1ccc2[nH]ccc2c1", "CC(C)(C)Cl",
    "O=C1CCCN1C", "N#Cc1ccncc1", "CCOC(=O)C", "FC(F)(F)c1ccccc1", "CS(=O)(=O)N",
]  # fmt: skip
VOCABULARY = ["", *sorted({token for text in SMILES for token in tokenize(text)})]
CORPUS = encode(SMILES, VOCABULARY)
LONGEST = int(CORPUS.lengths.max()) + 2


@pytest.fixture(autouse=True)
def modes() -> Iterator[None]:
    """Leave torch as it was: the stage sets it up for the whole process."""
    strict = torch.are_deterministic_algorithms_enabled()
    yield
    torch.use_deterministic_algorithms(strict)


def architecture() -> dict[str, object]:
    return {
        "vocabulary": VOCABULARY,
        "hidden": 32,
        "embedding": 16,
        "layers": 1,
        "latent": 16,
        "blur": 0.1,
        "longest": LONGEST,
    }


def tokens_of(corpus: Corpus) -> Tensor:
    padded = np.pad(corpus.padded(np.arange(len(corpus))), ((0, 0), (0, 1)))
    return torch.from_numpy(padded.astype(np.int64))


def fitted(epochs: int) -> Autoencoder:
    """An autoencoder that knows its few molecules."""
    seed_everything(1)
    module = Reconstruction(Autoencoder(**architecture()), Pace(0.01, epochs, 0.0))
    data = LengthBatches(CORPUS, len(CORPUS), 1)
    optimisers, schedules = module.configure_optimizers()
    for epoch in range(epochs):
        loss = -module.generator.log_likelihood(*data[epoch, 0]).mean()
        loss.backward()
        for optimiser, schedule in zip(optimisers, schedules, strict=True):
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
    return module.generator.eval()


@pytest.fixture(scope="module")
def autoencoder() -> Autoencoder:
    return fitted(200)


def writer_of(autoencoder: Autoencoder, size: int = 16) -> LatentWriter:
    seed_everything(2)
    generator = LatentGenerator(size, autoencoder.latent, 16)
    generator.begin_with(encode_all(autoencoder, LengthBatches(CORPUS, 4, None)))
    return LatentWriter(autoencoder, generator)


def test_decoder_writes_what_the_encoder_has_read(autoencoder: Autoencoder) -> None:
    written = autoencoder.decode(autoencoder.encode(tokens_of(CORPUS)))
    assert written.shape == (len(SMILES), LONGEST + 1)
    assert spell(written.numpy(), VOCABULARY) == SMILES


def test_h_is_normalised_and_does_not_depend_on_padding_nor_on_the_batch(
    autoencoder: Autoencoder,
) -> None:
    together = autoencoder.encode(tokens_of(CORPUS))
    alone = [autoencoder.encode(tokens_of(encode([text], VOCABULARY))) for text in SMILES]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)
    assert torch.allclose(
        together, encode_all(autoencoder, LengthBatches(CORPUS, 4, None)), atol=1e-5
    )
    assert torch.allclose(together.mean(1), torch.zeros(len(SMILES)), atol=1e-5)
    assert torch.allclose(together.var(1, correction=0), torch.ones(len(SMILES)), atol=1e-3)


def test_what_is_validated_as_exact_is_what_is_written(autoencoder: Autoencoder) -> None:
    others = ["CC(C)(C)O", "Oc1ccncc1", "CCN(CC)CC", "O=C1CCCN1CC", "FC(F)(F)C(=O)O"]
    corpus = encode([*others, *SMILES[:3]], VOCABULARY)
    module, told = Reconstruction(autoencoder, Pace(0.01, 1, 0.0)), dict[str, Tensor]()
    module.log_dict = lambda found, **_: told.update(found)
    data = LengthBatches(corpus, len(corpus), None)
    with torch.no_grad():
        module.validation_step(data[0, 0], 0)
    tokens = tokens_of(corpus)
    written = autoencoder.decode(autoencoder.encode(tokens))
    texts = spell(written.numpy(), VOCABULARY)
    exact = np.mean([a == b for a, b in zip(texts, corpus.smiles(), strict=True)])
    assert float(told["val_exact"]) == pytest.approx(exact)
    assert 0 < exact < 1


def test_encoded_molecules_are_written_again(autoencoder: Autoencoder) -> None:
    writer = writer_of(autoencoder)
    noise = writer.encode(tokens_of(CORPUS))
    assert noise.shape == (len(SMILES), writer.size)
    assert spell(writer.write(noise).numpy(), VOCABULARY) == SMILES
    assert torch.equal(noise, writer.encode(tokens_of(CORPUS)))


@pytest.mark.parametrize("size", [4, 16])
def test_inverse_finds_a_noise_of_the_same_h(size: int) -> None:
    seed_everything(3)
    generator = LatentGenerator(size, 16, 32)
    generator.begin_with(torch.randn(200, 16) @ torch.randn(16, 16))
    nn.init.normal_(generator.correction[-1].weight, std=0.1)
    latents = generator(torch.randn(50, size)).detach()
    off = (generator(generator.inverse(latents)) - latents).square().sum(1)
    assert float(off.mean().detach()) < 0.02 * 16


def test_game_begins_with_the_gaussian_of_the_latents() -> None:
    seed_everything(4)
    latents = torch.randn(500, 8) @ torch.randn(8, 8) + 3
    generator = LatentGenerator(8, 8, 16)
    generator.begin_with(latents)
    made = generator.affine(torch.randn(200_000, 8)).detach()
    assert torch.allclose(made.mean(0), latents.mean(0), atol=0.05)
    assert torch.allclose(made.T.cov(), latents.T.cov(), atol=0.2)


def test_slope_penalty_of_a_linear_critic() -> None:
    critic = nn.Linear(3, 1)
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[2.0, 3.0, 6.0]]))  # slope 7
    found = slope_penalty(critic, torch.randn(5, 3), torch.randn(5, 3))
    assert float(found.detach()) == pytest.approx(36)
    (gradient,) = torch.autograd.grad(found, [critic.weight])  # 2 (7 − 1) w / 7
    assert torch.allclose(gradient, 12 / 7 * critic.weight)


def test_slope_penalty_looks_between_real_and_made() -> None:
    class Square(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x.square() / 2).sum(1)  # slope |x|

    real, made = torch.full((4000, 1), 3.0), torch.ones(4000, 1)
    found = slope_penalty(Square(), real, made)
    assert float(found.detach()) == pytest.approx(4 / 3, rel=0.1)  # mean of x² over 0 to 2


def play_alone(gan: LatentGan) -> None:
    """Let `training_step` do without a Trainer."""
    made = gan.configure_optimizers()
    gan.optimizers = lambda: made
    gan.manual_backward = lambda loss: loss.backward()
    gan.log_dict = lambda *_, **__: None


def test_generator_learns_where_the_latents_are() -> None:
    seed_everything(5)
    mean = torch.tensor([2.0, -1.0, 0.0, -1.0])  # its part in a plane's directions is learnt
    spread = torch.tensor([0.3, 0.0, 0.0, -0.3])
    generator = LatentGenerator(2, 4, 32)
    writer = LatentWriter(Autoencoder(**architecture() | {"latent": 4}), generator)
    gan = LatentGan(writer, LatentCritic(4, 32), LatentGame(2e-3, 5, 10, 0.9), lambda _: 0.0)
    play_alone(gan)
    centre = F.layer_norm(mean, (4,))
    before = (generator(torch.randn(500, 2)).mean(0) - centre).norm().item()
    for step in range(300):
        real = F.layer_norm(mean + torch.randn(320, 1) * spread, (4,))
        gan.training_step(real, step)
    after = (generator(torch.randn(500, 2)).mean(0) - centre).norm().item()
    assert before > 1
    assert after < 0.15


class StoppedError(Exception):
    pass


Broken = Callable[[str, int], None]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepare")
    write_splits(out, dict.fromkeys(SPLITS, SMILES))
    convert(out)
    return out


def fits(prepared: Path, broken: Broken, left: list[Writer]) -> Iterator[Fit]:
    """Both fits, tiny; `broken` is asked before each training step, `left` gets what is trained."""
    params = SimpleNamespace(
        seed=7,
        generator=GeneratorParams(hidden=32, embedding=16, layers=2),
        likelihood=LikelihoodParams(batch_size=2, epochs=3, learning_rate=0.01, weight_decay=0),
        latent=SimpleNamespace(
            latent=16, blur=0.1, size=8, hidden=16, batch_size=2, epochs=3, learning_rate=1e-3,
            critic_steps=2, penalty=10, memory=0.9, drawn=20,
        ),
    )  # fmt: skip
    for fit in latent_gan.fits(params, prepared):
        watch(fit.module, fit.name, broken)
        yield fit
    left.append(fit.module.writer())


def watch(module: nn.Module, name: str, broken: Broken) -> None:
    whole = module.training_step

    def step(batch: object, batch_idx: int) -> None:
        broken(name, module.current_epoch)
        whole(batch, batch_idx)

    module.training_step = step


def trained(
    prepared: Path, folder: Path, broken: Broken = lambda *_: None, left: list[Writer] | None = None
) -> dict[str, bytes]:
    out = folder / "out"
    out.mkdir(parents=True, exist_ok=True)
    train(fits(prepared, broken, [] if left is None else left), out, folder / "work", "test")
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_neither_a_second_run_nor_an_interruption_changes_a_bit(
    prepared: Path, tmp_path: Path
) -> None:
    whole = trained(prepared, tmp_path / "whole")
    assert trained(prepared, tmp_path / "again") == whole
    for where in (("autoencoder", 1), ("latent", 2)):

        def broken(name: str, epoch: int, where: tuple[str, int] = where) -> None:
            if (name, epoch) == where:
                raise StoppedError

        with pytest.raises(StoppedError):
            trained(prepared, tmp_path / where[0], broken)
        assert trained(prepared, tmp_path / where[0]) == whole, where


def test_the_writer_is_rebuilt_from_what_the_fit_latent_has_left(
    prepared: Path, tmp_path: Path
) -> None:
    left = list[Writer]()
    trained(prepared, tmp_path, left=left)
    model = read_json(tmp_path / "out" / "model.json")["fits"]["latent"]["model"]
    state = read_weights(tmp_path / "out" / "weights.safetensors", "latent")
    writer = LatentWriter.described(model)
    writer.load_state_dict(
        {k.removeprefix("average."): v for k, v in state.items() if k.startswith("average.")}
    )
    noise = torch.randn(50, writer.size)
    written = writer.eval().write(noise)
    assert written.shape == (50, writer.longest + 1)
    assert torch.equal(written, left[0].write(noise))
    assert len(set(spell(written.numpy(), VOCABULARY))) > 1
    typical = writer.write(noise, temperature=0.0)
    assert (typical == typical[0]).all()
