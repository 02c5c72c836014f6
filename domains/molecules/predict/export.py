"""`scistage export molecules`: one step of writing, from the last token to the scores of the next.

What a step must remember is handed over by the caller: the recurrent network's state, and the
prefix's graph (`train/graph.py`), which the step brings up to date itself.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ..prepare.arrays import read_corpus
from ..train.autoencoder import Autoencoder
from ..train.generator import Generator
from ..train.graph import Alphabet, Graphs, features_of
from ..train.latent import LatentWriter
from ..train.reading import fits_of, read_writer
from ..train.texts import inside, shifted
from ..train.writer import Writer
from .files import drawn_at
from .writing import noise_of

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

SAMPLES = 256  # molecules of validation that are compared
STACKS = ("atom", "bonds", "path", "system", "first")
COUNTS = ("depth", "bond", "systems")
FIELDS = (*STACKS, *COUNTS, "odd", "ring", "closing")


class Packed(Graphs):
    """Graphs in one tensor (n, fields), and of operators that ONNX has."""

    def packed(self) -> Tensor:
        """(n, fields) int64, in the order of FIELDS."""
        parts = [getattr(self, name) for name in FIELDS]
        return torch.cat([p[:, None] if p.ndim == 1 else p for p in parts], dim=1)

    @classmethod
    def unpacked(cls, alphabet: Alphabet, packed: Tensor) -> "Packed":
        """The reverse."""
        empty = cls.empty(alphabet, 1)
        sizes = [getattr(empty, name)[0].numel() for name in FIELDS]
        # Copies, which can be written to without the whole.
        parts = {n: p.clone() for n, p in zip(FIELDS, packed.split(sizes, dim=1), strict=True)}
        return cls(alphabet, **{n: p[:, 0] if n in COUNTS else p for n, p in parts.items()})

    def _flip(self, system: Tensor, flips: Tensor) -> None:
        at = system[:, None]  # of 0 and 1 the distance is "exclusive or"
        self.odd.scatter_(1, at, (self.odd.gather(1, at) - flips[:, None].long()).abs())


class Step(nn.Module):
    """(N,) last token, hidden (layers, N, H), graph (N, fields) → logits (N, V), hidden, graph.

    The token before the first is 0, its graph that of `graph_at_start`, its hidden state zeros. Of
    a latent GAN the step takes the noise (N, size) too, the same for each token of a molecule.
    """

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self.writer = writer

    def forward(
        self, token: Tensor, hidden: Tensor, graph: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Write the last token into the graph, look up what it has built, and go on."""
        writer = self.writer
        alphabet = writer.alphabet if noise is None else writer.autoencoder.alphabet
        graphs = Packed.unpacked(alphabet, graph)
        graphs.write(token)  # of token 0 nothing comes
        last, features = token[None], graphs.features()[None]
        if noise is None:
            logits, hidden = writer(last, features, hidden)
        else:
            latent = writer.generator(noise)
            begun = _start(writer.autoencoder, latent)
            hidden = torch.where((token == 0)[None, :, None], begun, hidden)
            logits, hidden = writer.autoencoder.scores(last, features, latent, hidden)
        return logits[0], hidden, graphs.packed()


def _start(autoencoder: Autoencoder, latent: Tensor) -> Tensor:
    """The decoder's first state (layers, N, H)."""
    layers = autoencoder.recurrent["decoder"].num_layers
    return torch.stack(torch.tanh(autoencoder.start(latent)).chunk(layers, -1))


def graph(inputs: "Inputs") -> dict[str, Any]:
    """What `scistage export` writes."""
    writer = _writer(inputs)
    latent = isinstance(writer, LatentWriter)
    start = _beginning(writer, 2)
    return {
        "network": Step(writer),
        "example": {name: torch.from_numpy(array) for name, array in start.items()},
        **_ports(writer, start),
        "preprocessing": {
            "vocabulary": writer.vocabulary,
            "longest": writer.longest,
            "temperature": drawn_at(inputs.predict),
            "choice": "likeliest" if latent else "drawn",
            "graph_at_start": start["graph"][0].tolist(),
        },
        "limits": LIMITS,
    }


def _ports(writer: Writer, start: dict[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    layers, _, units = start["hidden"].shape
    state, fields = [layers, "N", units], ["N", start["graph"].shape[1]]
    meanings = {
        "token": (["N"], "int64, the token written last, 0 before the first and after the end"),
        "hidden": (state, "float32, the network's state; zeros before the first token"),
        "graph": (
            fields,
            "int64, what the prefix has built; before the first token `graph_at_start`",
        ),
        "noise": (["N", writer.size], "float32, N(0, 1) times `temperature`, of each molecule"),
        "logits": (
            ["N", len(writer.vocabulary)],
            "of each token of `vocabulary` to be the next one",
        ),
        "hidden_after": (state, "`hidden` of the next step"),
        "graph_after": (fields, "`graph` of the next step"),
    }
    ports = {name: {"shape": s, "meaning": text} for name, (s, text) in meanings.items()}
    after = ("logits", "hidden_after", "graph_after")
    return {"inputs": {n: ports[n] for n in start}, "outputs": {n: ports[n] for n in after}}


def compare(
    inputs: "Inputs", run: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Molecules of validation token by token, each step from what the one before handed over."""
    writer = _writer(inputs)
    corpus = read_corpus(inputs.prepare, "validation")
    read = torch.from_numpy(corpus.padded(range(min(SAMPLES, len(corpus))))).long()
    tokens = torch.cat([read, torch.zeros(len(read), 1, dtype=torch.int64)], dim=1)
    given = _beginning(writer, len(tokens))
    expected = _logits(writer, tokens, given).numpy()
    here = inside(tokens.T).numpy()
    for t, column in enumerate(shifted(tokens.T).numpy()):
        said = run({**given, "token": column})
        given |= {"hidden": said["hidden_after"], "graph": said["graph_after"]}
        yield "logits", said["logits"][here[t]], expected[t][here[t]]


@torch.no_grad()
def _logits(writer: Writer, tokens: Tensor, given: dict[str, np.ndarray]) -> Tensor:
    """(length, N, V) of whole molecules at once."""
    last = shifted(tokens.T)
    if isinstance(writer, LatentWriter):
        features = features_of(writer.autoencoder.alphabet, tokens).transpose(0, 1)
        latent = writer.generator(torch.from_numpy(given["noise"]))
        return writer.autoencoder.scores(last, features, latent)[0]
    return writer(last, features_of(writer.alphabet, tokens).transpose(0, 1))[0]


def _writer(inputs: "Inputs") -> Generator | LatentWriter:
    return read_writer(inputs.train, list(fits_of(inputs.train))[-1])


def _beginning(writer: Generator | LatentWriter, n: int) -> dict[str, np.ndarray]:
    """The inputs of the first step."""
    latent = isinstance(writer, LatentWriter)
    network = writer.autoencoder if latent else writer
    recurrent = network.recurrent["decoder"] if latent else network.recurrent
    start = {
        "token": np.zeros(n, dtype=np.int64),
        "hidden": np.zeros((recurrent.num_layers, n, recurrent.hidden_size), dtype=np.float32),
        "graph": Packed.empty(network.alphabet, n).packed().numpy(),
    }
    return {**start, "noise": next(noise_of(writer, n, 0))[:n].numpy()} if latent else start


LIMITS = [
    "It writes molecules like those that it has learnt from, and some that are none: parse each, "
    "with RDKit or the like.",
    "That a molecule is written says nothing of whether it can be made, is stable or is safe.",
    "`run.py` draws otherwise than `scistage apply molecules`: the same seed gives other "
    "molecules, of the same distribution.",
]
