"""Takes the shake out of a recorded motion and leaves its quick moves.

Savitzky and Golay (1964): a parabola through the frames around each. Two windows are used, a long
one where a joint is nearly at rest and a short one where it is fast, with a smooth way between
them, which is the idea of the One Euro filter (Casiez et al. 2012) without its lag.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.signal import savgol_filter

from svad.geometry.sampling import smoothstep

LONG, SHORT = 0.36, 0.12  # seconds, of the windows
SLOW_TURN, QUICK_TURN = 0.6, 2.5  # radians a second between which the window shrinks
SLOW_STEP, QUICK_STEP = 0.15, 0.8  # metres a second


def steady_turns(
    rotations: np.ndarray,  # [T, J, 3, 3]
    fps: float,
) -> np.ndarray:  # [T, J, 3, 3]
    """Rotations without jitter; each joint has its own window."""
    calm, brisk = (_filtered(rotations, fps, seconds) for seconds in (LONG, SHORT))
    calm, brisk = nearest_rotation(calm), nearest_rotation(brisk)
    change = np.linalg.norm(np.gradient(calm, axis=0), axis=(-2, -1)) / np.sqrt(2)  # radians
    share = _quick(change * fps, SLOW_TURN, QUICK_TURN, fps)[..., None, None]
    return nearest_rotation((1 - share) * calm + share * brisk)


def steady_path(
    places: np.ndarray,  # [T, 3] metres
    fps: float,
) -> np.ndarray:  # [T, 3]
    """A path without jitter."""
    calm, brisk = (_filtered(places, fps, seconds) for seconds in (LONG, SHORT))
    change = np.linalg.norm(np.gradient(calm, axis=0), axis=-1)
    share = _quick(change * fps, SLOW_STEP, QUICK_STEP, fps)[..., None]
    return (1 - share) * calm + share * brisk


def nearest_rotation(
    matrices: np.ndarray,  # [..., 3, 3]
) -> np.ndarray:  # [..., 3, 3]
    """The rotation nearest to a matrix (Kabsch 1976)."""
    u, _, v = np.linalg.svd(matrices)
    u[..., :, 2] *= np.sign(np.linalg.det(u @ v))[..., None]
    return u @ v


def _filtered(values: np.ndarray, fps: float, seconds: float) -> np.ndarray:
    window = min(2 * round(seconds * fps / 2) + 1, len(values) - 1 + len(values) % 2)
    if window < 5:  # a parabola goes through three frames as they are
        return values.copy()
    return np.asarray(savgol_filter(values, window, 2, axis=0, mode="interp"))


def _quick(speed: np.ndarray, slow: float, quick: float, fps: float) -> np.ndarray:
    """0 = at rest, 1 = fast; what is about to be fast counts as fast."""
    around = maximum_filter1d(speed, 2 * round(SHORT * fps / 2) + 1, axis=0)
    return smoothstep((around - slow) / (quick - slow))
