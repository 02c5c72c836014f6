import numpy as np
import pytest

from domains.retina.prepare.arrays import read_eyes
from domains.retina.train.reading import answers, read_network
from tests.retina.made import made_prepare
from tests.retina.trained import trained


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return made_prepare(tmp_path_factory.mktemp("prepare"), n=48, size=24)


def test_members_are_trained_from_seeds_in_a_row_and_averaged(prepared, tmp_path):
    trained(prepared, tmp_path / "both", members=2, seed=3)
    images = np.array(read_eyes(prepared, ("test",)).images)
    both = read_network(tmp_path / "both")
    alone = []
    for seed in (3, 4):
        trained(prepared, tmp_path / str(seed), seed=seed)
        alone.append(answers(read_network(tmp_path / str(seed)), images))
    mean, sd = answers(both, images)
    (first, first_sd), (second, second_sd) = alone
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_allclose(mean, (first + second) / 2, rtol=1e-4, atol=1e-4)
    variance = (first_sd**2 + second_sd**2) / 2 + ((first - second) / 2) ** 2
    np.testing.assert_allclose(sd[:, 0], variance[:, 0] ** 0.5, rtol=1e-4)
