"""What poses are held to: how exact landmarks are, how joints are likely to be and to move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from svad.body import coco
from svad.body import skeleton as sk
from svad.body.coco import Keypoint
from svad.body.skeleton import Joint
from svad.track.points import JOINT_POINTS
from svad.track.seen import Seen

# standard deviations in the picture, shares of the body height
SIGMA = {
    **dict.fromkeys(JOINT_POINTS, 0.006),
    **dict.fromkeys(coco.HIPS, 0.010),
    **dict.fromkeys((Keypoint.NOSE, Keypoint.LEFT_EYE, Keypoint.RIGHT_EYE), 0.008),
    **dict.fromkeys((Keypoint.LEFT_EAR, Keypoint.RIGHT_EAR), 0.012),
    **dict.fromkeys(coco.BIG_TOES, 0.010),
    **dict.fromkeys(coco.HEELS, 0.012),
}
# weights of the pose prior per axis; the standard deviation is 0.8 / sqrt(weight) radians
STIFF = {
    Joint.PELVIS: (6, 0.0, 4.0),
    **dict.fromkeys(sk.SPINE, (6, 10, 3)),
    **dict.fromkeys(sk.HIPS, (1, 1.5, 0.5)),
    **dict.fromkeys(sk.KNEES, (0.5, 8, 8)),
    **dict.fromkeys(sk.ANKLES, (1, 2, 2)),
    Joint.NECK: (2, 1, 1),
    Joint.HEAD: (1, 0.6, 0.6),
    **dict.fromkeys(sk.COLLARS, (5, 3, 1)),
    **dict.fromkeys(sk.SHOULDERS, (0.15, 0.35, 0.05)),
    **dict.fromkeys(sk.ELBOWS, (2, 0.08, 2)),
    **dict.fromkeys(sk.WRISTS, (1, 1, 1)),
    **dict.fromkeys(sk.FEET, (10, 10, 10)),
}
# radians, by which a joint of somebody who stands and turns differs from its mean over the clip;
# were trunk and legs free, they would follow the landmarks' errors, and the turn would be wrong
OWN_TURN = {
    **dict.fromkeys((Joint.PELVIS, *sk.SPINE, *sk.COLLARS), 0.015),
    **dict.fromkeys((*sk.HIPS, *sk.KNEES, *sk.ANKLES, *sk.FEET), 0.03),
    **dict.fromkeys((Joint.NECK, Joint.HEAD), 0.05),
    **dict.fromkeys((*sk.SHOULDERS, *sk.ELBOWS, *sk.WRISTS), 0.06),
}
MOVED = 2.0  # of those, from which on more counts little: some frames show an arm that is raised
DEPTH_ACROSS, DEPTH_ALONG = 0.30, 0.15  # metres, of the detector's depths: shoulders, limbs
# metres, that they are off along the trunk, the same in all frames: by -11 to 8 cm on drawn people,
# who then seem to lean; larger, somebody who bows would be taken for upright
BIAS = 0.05
MARK = 0.02  # metres, that a detector's idea of a joint is off, the same in all frames
# metres across, up and ahead of the joint where it has it as a rule; seen from the sides, hips lie
# 13 to 47 mm before those of drawn people
MARKED: dict[Keypoint, tuple[float, float, float]] = dict.fromkeys(coco.HIPS, (0.0, 0.0, 0.03))
FAR = 0.5  # trust in the side of the body that is turned away
TIPPED = 0.1  # radians, that a camera looks up or down
SLIP = 0.015  # metres, that a foot moves which rests in the picture
JITTER = 2.0  # radians a second squared, of a joint that moves naturally
JERK = 1.5  # metres a second squared, of the body as a whole
ROUNDS = 30  # steps at most


@dataclass(frozen=True)
class Freedom:
    """How freely a person moves between the frames."""

    own: float = 1.0  # times `OWN_TURN`
    steady: float = 1.0  # weight of steadiness in time
    held: float = 1.0  # weight of the likeliest pose
    marks: float = 1.0  # times `MARK`; a pose that hardly changes can hide in them
    tilt: float = TIPPED  # radians, that cameras are off level
    arms: float = 1.0  # times `SIGMA` of elbows and wrists
    depth: float = 1.0  # trust in the detector's depths
    bowing: bool = False  # whether they also tell how the trunk leans
    lifted: bool = False  # whether limbs start where they tell, and not at the likeliest pose
    planted: bool = False  # whether feet that rest in the picture rest in the world
    rounds: int = ROUNDS  # steps


# landmarks of hanging arms slide down loose sleeves, by 1 to 3 % of the height, and with arms that
# hardly move of their own they would turn the trunk
TURNING, MOVING = Freedom(own=2.0, marks=0.6, arms=2.0), Freedom(own=30.0)
ACTING = Freedom(
    own=60.0, marks=0.4, steady=0.02, held=0.3, depth=2.0, bowing=True, lifted=True, planted=True
)  # quick moves, seen in every frame


def deviations(
    points: Sequence[Keypoint],  # K
    freedom: Freedom,
) -> np.ndarray:  # [K] shares of the body height
    """How exact landmarks are in the picture."""
    arms = {point for arm in coco.ARMS.values() for point in arm[1:]}
    return np.array([SIGMA[p] * (freedom.arms if p in arms else 1.0) for p in points])


def near_side(
    seen: Seen,  # T frames
) -> np.ndarray:  # [T, 23] 0..1
    """Less for the side of the body that is turned away: it is guessed more than seen."""
    out = np.ones((len(seen), coco.BODY_AND_FEET.stop))
    for left in Keypoint:
        right = coco.MIRROR[left]
        if right <= left:
            continue
        away = seen.depth[:, left] - seen.depth[:, right]
        share = np.clip(np.nan_to_num(np.abs(away)) / 0.15, 0, 1)
        low = 1 - (1 - FAR) * share
        out[:, left] = np.where(away > 0, low, 1)
        out[:, right] = np.where(away > 0, 1, low)
    return out
