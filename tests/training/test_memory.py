"""What is kept of one step for the next ones."""

from __future__ import annotations

import subprocess
import sys

from tests.workspace import ROOT

SHAPES = """
import psutil
import torch
from pipelines.training.memory import keep_few_kernels

keep_few_kernels()
torch.set_num_threads(1)
layer = torch.nn.Linear(300, 300).bfloat16()
memory = []
with torch.inference_mode():
    for rows in range(1, 301):
        layer(torch.zeros(rows, 300, dtype=torch.bfloat16))
        memory.append(psutil.Process().memory_info().rss)
print(memory[-1] - memory[20])
"""


def test_kernels_of_shapes_that_do_not_recur_are_not_kept() -> None:
    """Of which 280 are 170 MB."""
    run = subprocess.run([sys.executable, "-c", SHAPES], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 60e6
