"""Deterministic pictures that Python and C++ make alike, so that tests keep hashes and not pixels (tests/image/noise.hpp)."""

import numpy as np


def noise(width_px, height_px, seed):
    """RGB noise, [height_px, width_px, 3] uint8; an odd seed gives only 0 and 255, where filters overshoot most."""
    index = np.arange(width_px * height_px * 3, dtype=np.uint32)
    x = index + np.uint32(seed * 0x9E3779B9 % 2**32)
    x = x * np.uint32(2654435761)
    x ^= x >> np.uint32(15)
    x = x * np.uint32(2246822519)
    x ^= x >> np.uint32(13)
    values = (x & np.uint32(255)).astype(np.uint8)
    if seed % 2 == 1:
        values = np.where(values > 127, 255, 0).astype(np.uint8)
    return values.reshape(height_px, width_px, 3)
