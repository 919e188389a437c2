"""Materials for people in tests."""

from __future__ import annotations

import numpy as np

from tools.examples.picture import Points, Surface


def plain(p: Points) -> Surface:
    """Grey all over."""
    return Surface(np.full((len(p.rest), 3), 0.4, np.float32))
