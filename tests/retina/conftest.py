"""Fixtures of the retina tests."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Small tensors are slower on many threads, above all beside other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCISTAGE_THREADS", "1")
        yield
    torch.set_num_threads(before)
