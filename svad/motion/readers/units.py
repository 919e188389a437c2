"""In which unit of length a body's way is given: told by its steps, or by how high it stands."""

from __future__ import annotations

import numpy as np
import torch

from svad.body.lbs import rigid_chain
from svad.body.skeleton import ANKLES, PARENTS, Joint
from svad.geometry.rotation import rodrigues_array

UNITS = {"metres": 1.0, "centimetres": 0.01, "millimetres": 0.001}
SLOW = 0.15  # metres a second: feet that go slower tell nothing
SPAN = 0.15  # seconds of a step that are looked at: ways that were filmed jitter
SOME = 0.1  # of the frames in which feet have to go
SPREAD = 3.0  # factor by which a way may miss: flights, feet that slide
ALIKE = 2.0  # and the height of a standing body
LOOKS = 3000  # frames that are looked at
SAID = (
    "The places in the file are in {unit}, by how far the body goes with a step or how high it "
    "stands, and are taken so; those of SMPL and AMASS are metres."
)


def unit_of(
    poses: np.ndarray,  # [T, 165] axis-angles, y up
    way: np.ndarray,  # [T, 3] of the pelvis in the file's unit, y up
    joints: np.ndarray,  # [55, 3] rest joints, metres
    fps: float,
) -> str:
    """One of `UNITS`; metres unless the body says otherwise.

    A foot that stands stays where it is, so the pelvis goes as far as the foot goes under it. Of a
    body that does not go, the height of the pelvis over a floor at zero tells.
    """
    poses, way = poses[:LOOKS], way[:LOOKS]
    turns = torch.from_numpy(rodrigues_array(poses.reshape(len(poses), -1, 3)))
    _, places = rigid_chain(turns, torch.from_numpy(np.asarray(joints, np.float64)), PARENTS)
    under = (places[:, list(ANKLES)] - places[:, [Joint.PELVIS]]).numpy()  # [T, 2, 3] metres
    lag = max(1, min(round(SPAN * fps), len(way) - 1))
    low = under[:-lag, :, 1].argmin(1)
    steps = (under[lag:] - under[:-lag])[np.arange(len(low)), low]
    steps, gone = (_level(one) for one in (steps, way[lag:] - way[:-lag]))  # [T - lag] each
    going = steps > SLOW * lag / fps
    if going.sum() > max(3, SOME * len(steps)):
        return _near(float(np.median(gone[going]) / np.median(steps[going])), SPREAD)
    stands = max(float(np.median(-under[..., 1].min(1))), 1e-3)
    return _near(float(np.median(way[:, 1])) / stands, ALIKE)


def _level(steps: np.ndarray) -> np.ndarray:  # [T, 3] -> [T]
    return np.linalg.norm(steps[:, [0, 2]], axis=1)


def _near(ratio: float, factor: float) -> str:
    """The unit that makes a ratio to metres one, within a factor; else metres."""
    return next((n for n, unit in UNITS.items() if 1 / factor < ratio * unit < factor), "metres")
