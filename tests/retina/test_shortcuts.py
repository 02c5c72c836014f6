"""Is a network that has learnt from the camera found out, and one that has not let be?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from domains.retina.explain.shortcuts import fragile, sensitivity, shortcuts
from domains.retina.prepare.arrays import QUALITY, write_images, write_tables
from domains.retina.prepare.cohort import Cohort, eyes
from domains.retina.prepare.render import render
from domains.retina.train.reading import read_network
from pipelines.core.randomness import generator
from tests.retina.readers import AGE, Reader, colour_reader
from tests.retina.trained import trained

PERSONS = {"train": 104, "validation": 40, "test": 16}
SIZE = 32


def cohort_in(folder: Path, shortcut: bool) -> pd.DataFrame:
    """Write a prepare folder of drawn eyes, as far as a training on age needs it."""
    folder.mkdir()
    cohort = Cohort(0, 5.0, shortcut)
    splits = [split for split, count in PERSONS.items() for _ in range(count)]
    persons = [(split, cohort.person(k)) for k, split in enumerate(splits)]
    pairs = [(split, person, eye) for split, person in persons for eye in eyes(person)]
    pictures = np.stack([render(eye, SIZE) for _, _, eye in pairs])
    write_images(folder / "images.npy", [pictures], SIZE)
    table = pd.DataFrame(
        {
            "split": [split for split, _, _ in pairs],
            "patient": [person.name for _, person, _ in pairs],
            "eye": [eye.side for _, _, eye in pairs],
            "image": [f"{person.name}-{eye.side}" for _, person, eye in pairs],
            **dict.fromkeys(QUALITY, 0.5),
            "usable": True,
            "age": [person.factors["age"] for _, person, _ in pairs],
        }
    )
    write_tables(folder, table, [AGE])
    return table


def test_a_network_that_was_trained_on_a_planted_shortcut_is_found_and_no_other(
    tmp_path: Path,
) -> None:
    how = {"look": "colour", "mirror": True, "auxiliary": 0.0, "weight_decay": 0.05}
    how |= {"epochs": 8, "batch_size": 16, "learning_rate": 0.02}
    found = {}
    for planted in (True, False):
        folder = tmp_path / str(planted)
        table = cohort_in(folder, planted)
        network = read_network(trained(folder, folder / "train", **how).train)
        tested = (table["split"] == "test").to_numpy()
        images = np.load(folder / "images.npy")[tested]
        found[planted] = sensitivity(network, images, table["patient"][tested])
    assert shortcuts(found[True]) == [("age", "redder camera")]
    assert found[True]["age", "redder camera"].value > 0.6
    assert shortcuts(found[False]) == []
    assert abs(found[False]["age", "redder camera"].value) < 0.15


def test_to_move_with_defocus_is_fragility_and_no_shortcut() -> None:
    """A reader of fine detail relative to the green channel's mean, on pictures of nothing else."""

    def detail(seen: torch.Tensor) -> torch.Tensor:
        green = seen[:, 1]
        return 20 * (green[..., 1:] - green[..., :-1]).abs().mean(dim=(1, 2)) / green.mean()

    images = generator(12).integers(80, 160, (12, 128, 128, 3)).astype(np.uint8)
    found = sensitivity(Reader(detail), images, pd.Series(range(12)))
    assert ("age", "defocus") in fragile(found)
    assert shortcuts(found) == []


def test_a_reader_of_the_camera_is_found_and_a_reader_of_the_eye_is_not() -> None:
    """A regression of age on colour alone, learnt on a cohort with and without the shortcut."""
    readers, pictures = {}, {}
    for shortcut in (True, False):
        cohort = Cohort(0, 0.0, shortcut)  # no effect on the anatomy: only the camera can tell
        persons = [cohort.person(k) for k in range(60)]
        images = np.stack([render(eyes(p)[0], 32) for p in persons])
        readers[shortcut] = colour_reader(images, np.array([p.factors["age"] for p in persons]))
        pictures[shortcut] = images
    patient = pd.Series(np.arange(60))
    found = shortcuts(sensitivity(readers[True], pictures[True], patient))
    assert ("age", "redder camera") in found
    assert shortcuts(sensitivity(readers[False], pictures[False], patient)) == []
    sides = Reader(lambda seen: 20 * (seen[:, 1, :16] - seen[:, 1, 16:]).mean(dim=(1, 2)))
    assert "redder camera" not in {c for _, c in shortcuts(sensitivity(sides, images, patient))}
