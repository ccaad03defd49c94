"""IDX files made from small arrays."""

import struct

import numpy as np


def image_bytes(pixels: np.ndarray, *, magic: int = 0x803) -> bytes:
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    return struct.pack(">IIII", magic, *pixels.shape) + pixels.tobytes()


def label_bytes(labels: list[int], *, magic: int = 0x801, count: int | None = None) -> bytes:
    return struct.pack(">II", magic, len(labels) if count is None else count) + bytes(labels)


def some_pixels(row_count: int, height: int = 3, width: int = 2) -> np.ndarray:
    values = np.arange(row_count * height * width, dtype=np.int64) * 37 % 256
    return values.astype(np.uint8).reshape(row_count, height, width)
