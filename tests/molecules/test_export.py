"""The exported step: both models, its state handed over by the caller."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from domains.molecules.predict import export
from domains.molecules.predict.files import DRAWS, GENERATED, note
from domains.molecules.predict.writing import noise_of
from domains.molecules.prepare.arrays import read_corpus
from domains.molecules.train.autoencoder import Autoencoder
from domains.molecules.train.graph import Graphs
from domains.molecules.train.latent import LatentGenerator, LatentWriter
from domains.molecules.train.reading import read_writer
from domains.molecules.train.texts import spell
from pipelines.core.artifacts import write_json
from pipelines.core.runner import Inputs
from pipelines.training.weights import write_weights
from tests.graphs import through_onnx
from tests.molecules.trained import LONGEST, folders, write_fits


def write_latent(inputs: Inputs) -> None:
    """A latent GAN with random weights."""
    torch.manual_seed(0)
    vocabulary = read_corpus(inputs.prepare, "train").vocabulary
    parts = {
        "autoencoder": {
            **{"vocabulary": vocabulary, "hidden": 16, "embedding": 8, "layers": 2},
            **{"latent": 6, "blur": 0.1, "longest": LONGEST},
        },
        "generator": {"size": 5, "latent": 6, "hidden": 8},
    }
    writer = LatentWriter(
        Autoencoder(**parts["autoencoder"]), LatentGenerator(**parts["generator"])
    )
    state = {f"average.{name}": tensor for name, tensor in writer.state_dict().items()}
    write_weights(inputs.train / "weights.safetensors", {"latent": state})
    write_json(inputs.train / "model.json", {"fits": {"latent": {"model": parts}}})


@pytest.mark.parametrize("model", ["gan", "latent_gan"])
def test_it_says_what_the_writer_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    inputs = folders(tmp_path)
    write_fits(inputs, {"adversarial": 1}) if model == "gan" else write_latent(inputs)
    write_json(inputs.predict / DRAWS, {GENERATED: note(model, 0, 0.9, 1, 1)})
    run, found, script, session = through_onnx(export, inputs, tmp_path / "model", monkeypatch)
    corpus = read_corpus(inputs.prepare, "validation")
    kinds = len(corpus.vocabulary)
    assert found["logits"].values == kinds * int((corpus.lengths + 1)[: export.SAMPLES].sum())
    writer = read_writer(inputs.train, "adversarial" if model == "gan" else "latent")
    noise = next(noise_of(writer, 100, 3))[:100]
    written = spell(writer.write(noise, 0.9).numpy(), writer.vocabulary)
    numbers = torch.special.ndtr(noise.double()) if model == "gan" else noise
    said = script["write"](session, numbers.numpy())
    same = [a == b for a, b in zip(said, written, strict=True)]
    assert len(set(written)) > 4 and np.mean(same) >= 0.98  # rounding may choose another token
    assert script["noise_of"](4, 1).shape == (4, writer.size)
    given = export._beginning(writer, 1)
    alone = run(given)["logits"]
    many = run(export._beginning(writer, 7))["logits"]
    np.testing.assert_allclose(many[:1], alone, atol=1e-5)


def test_a_graph_in_one_tensor_is_the_same_graph() -> None:
    alphabet = export.Alphabet(["", "c", "1", "(", ")", "=", "O", "[nH]", "C", "2"])
    torch.manual_seed(0)
    plain, packed = Graphs.empty(alphabet, 500), export.Packed.empty(alphabet, 500).packed()
    start = packed.clone()
    for _ in range(25):
        tokens = torch.randint(1, 10, (500,))
        plain.write(tokens)
        graphs = export.Packed.unpacked(alphabet, packed)
        before = packed.clone()
        graphs.write(tokens)
        assert torch.equal(packed, before)
        packed = graphs.packed()
        assert torch.equal(graphs.features(), plain.features())
    assert (plain.odd > 0).any() and not torch.equal(packed, start)
    first = export.Packed.unpacked(alphabet, start)
    first.write(torch.zeros(500, dtype=torch.int64))  # the token before the first
    assert torch.equal(first.packed(), start)
