"""Pictures that lie on their side or stand on their head: turned so that the person stands."""

from __future__ import annotations

import numpy as np

from svad.body import coco
from svad.body.coco import Keypoint
from svad.face.landmarks import MeshPoint
from svad.media.images import on_grey
from svad.subject import spots
from svad.subject.detect import Detection, Detector
from svad.subject.landmarker import shared_landmarker
from svad.types import Photo

_SURE = 3.6  # of 4: a way up at which no other one has to be looked at
_BETTER = 0.5  # how much better another way up must be than the picture as it came
_SEEN = 0.5  # visibility from which on a point counts

ON_ITS_SIDE = "The picture lay on its side; it was turned so that the person stands upright."
UPSIDE_DOWN = "The picture was upside down; it was turned so that the person stands upright."


def find_upright(photo: Photo, detector: Detector) -> tuple[Photo, Detection | None]:
    """The photo with the person on their feet, and what the detector found in it.

    A photo in which the person stands, sits or leans costs one detection. Where the body points
    elsewhere the photo is looked at in its other three ways as well, at first the one that sets
    the body upright, and the most plausible one is taken, with a sentence.
    """
    rgb = on_grey(photo.rgb, photo.alpha)
    found = detector.detect(rgb)
    lean = _lean(rgb, found)
    if abs(lean) < spots.LEANS and (found is None or _stands(found)):
        return photo, found
    best, best_turns, best_score = found, 0, _score(found) + _BETTER
    first = round(lean / 90) % 4
    for turns in sorted((1, 2, 3), key=lambda turns: (turns != first, turns)):
        one = detector.detect(np.ascontiguousarray(np.rot90(rgb, turns)))
        score = _score(one) if one is not None and _clear(one) else 0.0
        if score > best_score:
            best, best_turns, best_score = one, turns, score
        if score >= _SURE:
            break
    return (_turned(photo, best_turns) if best_turns else photo), best


def _lean(rgb: np.ndarray, found: Detection | None) -> float:
    """How far a body is off upright, degrees clockwise; also where nobody could be confirmed."""
    if found is not None:
        return found.lean
    spot = spots.Search(rgb, shared_landmarker().spots).largest()
    return 0.0 if spot is None else spot.lean


def _turned(photo: Photo, turns: int) -> Photo:
    """The photo after so many quarter turns counter-clockwise, with a sentence about it."""
    rgb = np.ascontiguousarray(np.rot90(photo.rgb, turns))
    alpha = None if photo.alpha is None else np.ascontiguousarray(np.rot90(photo.alpha, turns))
    sentence = UPSIDE_DOWN if turns == 2 else ON_ITS_SIDE
    return Photo(rgb=rgb, alpha=alpha, warnings=(*photo.warnings, sentence))


def _clear(found: Detection) -> bool:
    """Whether this is surely somebody: parts of bodies point anywhere."""
    return found.face is not None or found.sure >= spots.SURE


def _stands(found: Detection) -> bool:
    """Whether the head is above the hips, as far as both are seen."""
    points = found.keypoints
    hips = points[list(coco.HIPS)]
    if points[Keypoint.NOSE, 2] < _SEEN or hips[:, 2].max() < _SEEN:
        return True
    return bool(points[Keypoint.NOSE, 1] < hips[:, 1].mean())


def _score(found: Detection | None) -> float:
    """0 to 4: how much like an upright person this is."""
    if found is None:
        return 0.0
    points = found.keypoints
    chain = [points[[Keypoint.NOSE]], *(points[list(p)] for p in (coco.SHOULDERS, coco.HIPS))]
    chain += [
        points[list(p)] for p in (coco.KNEES, coco.ANKLES) if points[list(p), 2].max() > _SEEN
    ]
    heights = np.array([part[:, 1].mean() for part in chain])
    ordered = float((np.diff(heights) > 0).mean())
    seen = float(np.clip(points[[Keypoint.NOSE, *coco.SHOULDERS, *coco.HIPS], 2], 0, 1).mean())
    face = 0.0 if found.face is None else max(0.0, _up(found.face))
    return seen + ordered + max(0.0, float(np.cos(np.radians(found.lean)))) + face


def _up(face: np.ndarray) -> float:
    """Cosine of the face's turn in the picture: 1 = forehead above the chin."""
    axis = face[MeshPoint.CHIN, :2] - face[MeshPoint.FOREHEAD, :2]
    return float(axis[1] / max(np.linalg.norm(axis), 1e-6))
