"""ChemNet (Mayr et al. 2018, Preuer et al. 2018), exactly, without most of its padding.

The network reads a SMILES padded to 350 columns: two convolutions of stride 2, a recurrent layer
from the last column to the first, one from the first to the last; its last state, 512 numbers,
describes the molecule. Padding has no bias to feed on, so that over it the first recurrent layer
does the same for every molecule: that is computed once, and so is what it sends to the second.
The second has to be run to the end; its inputs over the padding lie in a few dimensions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from pipelines.core.errors import UserError
from pipelines.core.parallel import CHUNK, in_parallel, pays

from .files import WEIGHTS

COLUMNS = 350
STEPS = 88  # columns after the two convolutions
FEATURES = 512
# fmt: off
SYMBOLS = (
    "C", "N", "O", "H", "F", "Cl", "P", "B", "Br", "S", "I", "Si", "#", "(", ")", "+", "-", "1",
    "2", "3", "4", "5", "6", "7", "8", "=", "[", "]", "@", "c", "n", "o", "s", "X", ".",
)
# fmt: on
UNKNOWN, END, BLANK = SYMBOLS.index("X"), SYMBOLS.index("."), len(SYMBOLS)
_RANK = 48  # of what the second layer reads over the padding; the 49th singular value is < 1e-6
_BATCH = {"cpu": 128}  # else 4096


class ChemNet(nn.Module):
    """The network up to its last hidden layer, for inference.

    Args:
        weights: of `chemnet.safetensors`.
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(len(SYMBOLS), 32, 4, stride=2, bias=False)
        self.conv2 = nn.Conv1d(32, 32, 4, stride=2, bias=False)
        self.lstm1 = nn.LSTM(32, 128)
        self.lstm2 = nn.LSTM(128, FEATURES)
        self.load_state_dict(weights)
        self.tail = nn.LSTM(_RANK, FEATURES)  # lstm2 for inputs in the space of `basis`
        self._reduce()
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def forward(self, symbols: Tensor) -> Tensor:
        """Indices into SYMBOLS, BLANK after the last one, to features.

        Args:
            symbols: (batch, columns) int64, columns at most 350.

        Returns:
            (batch, 512) float32.
        """
        read = self._convolved(symbols)  # (steps, batch, 32)
        rest = STEPS - len(read)
        state, padding = None, None
        if rest:
            padding, state = self.lstm1(read.new_zeros(rest, 1, 32))
            state = tuple(s.expand(-1, len(symbols), -1).contiguous() for s in state)
        inward = self.lstm1(read.flip(0), state)[0].flip(0)
        _, state = self.lstm2(inward)
        if padding is not None:
            inputs = (padding.flip(0) @ self.basis).expand(-1, len(symbols), -1)
            _, state = self.tail(inputs.contiguous(), state)
        return state[0][0]

    def _convolved(self, symbols: Tensor) -> Tensor:
        """(steps, batch, 32): as many steps as can differ from zero."""
        columns = symbols.shape[1]
        first = min(columns // 2 + 1, COLUMNS // 2)
        second = min(first // 2 + 1, STEPS)
        x = F.one_hot(symbols, BLANK + 1)[..., :BLANK].transpose(1, 2).float() / len(SYMBOLS)
        x = F.selu(self.conv1(F.pad(x, (1, 2 * first + 1 - columns))))
        x = F.selu(self.conv2(F.pad(x, (1, 2 * second + 1 - first))))
        return x.permute(2, 0, 1).contiguous()

    def weights(self) -> dict[str, Tensor]:
        """What the network was made of."""
        return {k: v for k, v in self.state_dict().items() if not k.startswith("tail.")}

    @torch.no_grad()
    def _reduce(self) -> None:
        padding = self.lstm1(torch.zeros(STEPS, 1, 32))[0][:, 0].double()
        basis = torch.linalg.svd(padding, full_matrices=False).Vh[:_RANK].T
        self.register_buffer("basis", basis.float(), persistent=False)
        state = self.lstm2.state_dict()
        state["weight_ih_l0"] = (state["weight_ih_l0"].double() @ basis).float()
        self.tail.load_state_dict(state)


def load_chemnet(prepare_folder: Path) -> ChemNet:
    """The network with the weights that `prepare` has written.

    Raises UserError where they are missing or damaged.
    """
    path = prepare_folder / WEIGHTS
    try:
        return ChemNet(load_file(path))
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run `scistage repro molecules` first") from None
    except (SafetensorError, OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not ChemNet's weights ({reason}); run prepare again") from None


def activations(
    model: ChemNet, smiles: Sequence[str], device: str | torch.device = "cpu"
) -> NDArray[np.float32]:
    """(n, 512) float32 features of molecules, in their order.

    The SMILES should be canonical, as in the definition of the distance (Preuer et al. 2018); the
    network reads up to the first `.`, and no more than 349 symbols.
    """
    device = torch.device(device)
    read = [_symbols(text) for text in smiles]
    order = sorted(range(len(read)), key=lambda k: len(read[k]))
    found = np.empty((len(read), FEATURES), dtype=np.float32)
    ordered = [read[k] for k in order]
    if device.type == "cpu" and pays(-(-len(read) // CHUNK)):
        # Threads would wait for each other at each of 88 steps, processes need not.
        weights = {name: tensor.numpy() for name, tensor in model.weights().items()}
        for k, row in zip(order, in_parallel(partial(_alone, weights), ordered), strict=True):
            found[k] = row
    elif read:
        found[order] = _features(model.to(device), ordered, device)
    return found


def _alone(weights: dict[str, NDArray[np.float32]], read: Sequence[list[int]]) -> list[Any]:
    """In a process of its own, on one thread."""
    torch.set_num_threads(1)
    model = ChemNet({name: torch.from_numpy(array) for name, array in weights.items()})
    return list(_features(model, read, torch.device("cpu")))


def _features(
    model: ChemNet, read: Sequence[list[int]], device: torch.device
) -> NDArray[np.float32]:
    batch = _BATCH.get(device.type, 4096)
    parts = []
    exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
    with exact, torch.autocast(device.type, enabled=False):
        for start in range(0, len(read), batch):
            chosen = read[start : start + batch]
            rows = np.full((len(chosen), len(chosen[-1])), BLANK, dtype=np.int64)
            for row, symbols in zip(rows, chosen, strict=True):
                row[: len(symbols)] = symbols
            parts.append(model(torch.from_numpy(rows).to(device)).cpu().numpy())
    return np.concatenate(parts)


def _symbols(smiles: str) -> list[int]:
    """Indices into SYMBOLS of one SMILES and the end, as ChemNet was trained on them.

    Every r, i and l belongs to the letter before it; what is not a symbol is UNKNOWN.
    """
    text, _, _ = smiles.partition(".")
    read = [_INDEX.get(symbol, UNKNOWN) for symbol in _SYMBOL.findall(text)]
    return [*read[: COLUMNS - 1], END]


_INDEX = {symbol: index for index, symbol in enumerate(SYMBOLS)}
_SYMBOL = re.compile(".[ril]|.")
