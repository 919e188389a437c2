"""Detects with DWPose where its two files are at hand: sharper key points on the same person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from svad.body.coco import LIMBS, VISIBLE
from svad.pose import detect
from svad.pose.detect import DETECTOR, ESTIMATOR, DwPose
from svad.pose.keypoints import WholeBody
from svad.subject.detect import Detection, Detector, MediapipeDetector
from svad.weights.store import Store

_ON_PERSON = 0.6  # share of the seen points that must lie on the mask
_FEW = 6  # seen points below which nothing can be told
_APART = 0.15  # of the mask's height: so far may the two detectors differ on the limbs


class DwPoseDetector:
    """DWPose's 133 points; mask, depth, face mesh and further people come from another detector."""

    def __init__(self, network: DwPose, base: Detector | None = None) -> None:
        self._network, self._base = network, base or MediapipeDetector()

    def detect(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> Detection | None:
        """The largest person in the picture, or None.

        Where DWPose sees nobody on that person's mask, or somebody in quite another pose, the
        other detector's points stay.
        """
        found = self._base.detect(rgb)
        if found is None:
            return None
        people = self._network.people(rgb)
        shares = [_share_on(found.mask, person) for person in people]
        if not shares or max(shares) < _ON_PERSON:
            return found
        best = people[int(np.argmax(shares))]
        return replace(found, keypoints=_points(best)) if _agree(found, best) else found


def points_in(
    network: DwPose,
    rgb: np.ndarray,  # [H, W, 3] uint8
    box: np.ndarray,  # [4] x0, y0, x1, y1 px, around one person
) -> np.ndarray:  # [133, 3] float32 x px, y px, score
    """The points of the person in the box."""
    return _points(network.estimate(rgb, box))


def _points(person: WholeBody) -> np.ndarray:  # [133, 3] float32
    score = np.clip(person.score, 0, 1)  # raw maxima of the network may pass 1
    return np.concatenate([person.xy, score[:, None]], 1).astype(np.float32)


def best_detector(store: Store | None = None) -> Detector:
    """DWPose if both of its files are on this machine, else mediapipe."""
    network = shared_dwpose(store)
    return MediapipeDetector() if network is None else DwPoseDetector(network)


def shared_dwpose(store: Store | None = None) -> DwPose | None:
    """The one DWPose of this process for these files; None if they are not on this machine."""
    store = store or Store.from_environment()
    if not all(store.locate(name) for name in (DETECTOR, ESTIMATOR)):
        return None
    return detect.shared_dwpose(store.resolve(DETECTOR), store.resolve(ESTIMATOR))


def _agree(found: Detection, person: WholeBody) -> bool:
    """Whether both see the limbs in about the same places."""
    rows = np.flatnonzero((found.mask > 0.5).any(1))
    both = (found.keypoints[LIMBS, 2] > VISIBLE) & (person.score[LIMBS] > VISIBLE)
    if not both.any() or not len(rows):
        return True
    apart = np.linalg.norm(found.keypoints[LIMBS, :2] - person.xy[LIMBS], axis=1)[both]
    return bool(np.median(apart) < _APART * np.ptp(rows))


def _share_on(
    mask: np.ndarray,  # [H, W] float32
    person: WholeBody,
) -> float:
    """Share of the seen points that lie on the mask."""
    height, width = mask.shape
    seen = person.xy[person.score > VISIBLE].astype(int)
    if len(seen) < _FEW:
        return 0.0
    x, y = seen.T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return float((mask[y[inside], x[inside]] > 0.5).sum() / len(seen))
