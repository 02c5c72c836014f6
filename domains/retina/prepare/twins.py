"""Patients that a data set counts twice: the same eye, photographed for two patient numbers.

Split by number alone, such a person is learnt from and tested on. ODIR-5K has at least ten of
them, of different stated ages and even sexes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

_FINE, _COARSE = 96, 32  # px of the picture of details, and of the summary that is compared first
_LIKELY, _SAME = 0.62, 0.60  # correlations above which two are looked at again, are the same eye
_SHIFT = 6  # px of _FINE by which an eye may have moved
_BLOCK = 2048


def summary(picture: np.ndarray) -> np.ndarray:
    """(1024,) float32 of unit length: where vessels and spots are in a picture (n, n, 3) uint8."""
    blurred = cv2.GaussianBlur(_details(picture), (0, 0), 2.0)
    small = cv2.resize(blurred, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA).ravel()
    return small / max(float(np.linalg.norm(small)), 1e-6)


def same_eyes(
    summaries: np.ndarray, patients: Sequence[str], picture: Callable[[int], np.ndarray]
) -> list[tuple[int, int]]:
    """Rows that show the same eye though the patients differ.

    summaries: (n, 1024) of `summary`; picture: gives a row's picture. Eyes behind a clouded lens,
    of which nothing but the camera's reflexes is seen, may be taken for each other.
    """
    return [
        (one, other)
        for one, other in _likely(summaries, np.unique(patients, return_inverse=True)[1])
        if _alike(_details(picture(one)), _details(picture(other))) > _SAME
    ]


def copies(patients: Sequence[str], digests: Sequence[str]) -> list[tuple[int, int]]:
    """Rows that hold the very same picture though the patients differ.

    >>> copies(["a", "b", "a", "c"], ["x", "y", "x", "x"])
    [(0, 3)]
    """
    first: dict[str, int] = {}
    pairs = [(first.setdefault(digest, row), row) for row, digest in enumerate(digests)]
    return [pair for pair in pairs if patients[pair[0]] != patients[pair[1]]]


def joined(patients: Sequence[str], pairs: Sequence[tuple[int, int]]) -> list[str]:
    """Each row's group: its patient, or the first of the patients it is linked with.

    >>> joined(["a", "b", "c", "a"], [(2, 3)])
    ['a', 'b', 'a', 'a']
    """
    group = {patient: patient for patient in patients}
    for pair in pairs:
        one, other = sorted(group[patients[row]] for row in pair)
        group = {patient: one if name == other else name for patient, name in group.items()}
    return [group[patient] for patient in patients]


def _likely(summaries: np.ndarray, patients: np.ndarray) -> Iterator[tuple[int, int]]:
    for start in range(0, len(summaries), _BLOCK):
        block = slice(start, start + _BLOCK)
        alike = summaries[block] @ summaries[start:].T > _LIKELY
        alike &= patients[block, None] != patients[None, start:]
        for one, other in np.argwhere(alike):
            if one < other:
                yield int(start + one), int(start + other)


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    """Largest correlation of two pictures of details, one of them moved a little."""
    overlap = cv2.matchTemplate(np.pad(other, _SHIFT), one, cv2.TM_CCORR)
    return float(overlap.max() / np.sqrt((one**2).sum() * (other**2).sum() + 1e-6))


def _details(picture: np.ndarray) -> np.ndarray:
    """(96, 96) float32: the green channel's fine detail, as strong where it is faint."""
    shrinks = picture.shape[0] > _FINE
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    green = cv2.resize(picture[..., 1], (_FINE, _FINE), interpolation=method).astype(np.float32)
    detail = cv2.GaussianBlur(green, (0, 0), 0.7) - cv2.GaussianBlur(green, (0, 0), 2.0)
    detail /= np.sqrt(cv2.GaussianBlur(detail**2, (0, 0), 6)) + 0.5
    axis = (np.arange(_FINE) - (_FINE - 1) / 2) ** 2
    inside = axis[:, None] + axis < (0.4 * _FINE) ** 2
    return np.where(inside, detail - detail[inside].mean(), np.float32(0))
