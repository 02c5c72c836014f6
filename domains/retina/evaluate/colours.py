"""Colour and texture of a photograph in some 60 numbers, for the baseline."""

from __future__ import annotations

import cv2
import numpy as np

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_OCTAVES = 4
_RINGS = 4


def colour_features(images: np.ndarray) -> np.ndarray:
    """(n, features) of photographs (n, size, size, 3) uint8.

    Of each channel within the field of view: mean, deviation, quantiles, means over rings around
    the centre; the ratios of the channels; of the green channel's detail in each of four octaves
    the deviation, the mean size and the skewness.
    """
    cv2.setNumThreads(0)
    size = images.shape[1]
    place = (np.mgrid[:size, :size] - (size - 1) / 2) / (size / 2)
    ring = np.minimum((np.hypot(*place) * _RINGS).astype(int), _RINGS - 1)
    return np.stack([_of_image(np.ascontiguousarray(image), ring) for image in images])


def _of_image(image: np.ndarray, ring: np.ndarray) -> np.ndarray:
    # Colours vary slowly: every fourth pixel tells them.
    sparse, places = image[::2, ::2].astype(np.float32), ring[::2, ::2]
    field = sparse.max(axis=-1) > 0
    if not field.any():
        field = np.ones_like(field)
    pixels, places = np.sort(sparse[field], axis=0), places[field]
    mean, spread = pixels.mean(axis=0), pixels.std(axis=0)
    ranks = (np.array(_QUANTILES) * (len(pixels) - 1)).round().astype(int)
    found = [mean, spread, pixels[ranks].ravel(), np.log1p(mean[[0, 2]]) - np.log1p(mean[1])]
    counts = np.maximum(np.bincount(places, minlength=_RINGS), 1)
    for channel in sparse[field].T:
        found.append(np.bincount(places, channel, minlength=_RINGS) / counts)
    found.append(_texture(image, mean))
    return np.concatenate(found)


def _texture(image: np.ndarray, mean: np.ndarray) -> np.ndarray:
    # Outside the field its mean, and its edge left out, so that it is no texture.
    inside = (
        (image[..., 0] > 0).astype(np.uint8) if image.any() else np.ones(image.shape[:2], np.uint8)
    )
    level = image[..., 1].astype(np.float32)
    level[inside == 0] = mean[1]
    inside = cv2.erode(inside, np.ones((5, 5), np.uint8))
    found = []
    for _ in range(_OCTAVES):
        smaller = cv2.pyrDown(level)
        detail = (level - cv2.pyrUp(smaller, dstsize=level.shape[::-1])) * (inside > 0)
        count = max(int(inside.astype(bool).sum()), 1)
        square = detail * detail
        spread = float(square.sum() / count) ** 0.5 + 1e-6
        skewness = float((square * detail).sum() / count) / spread**3
        found += [spread, float(np.abs(detail).sum() / count), skewness]
        level = smaller
        inside = cv2.resize(inside, level.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.array(found)
