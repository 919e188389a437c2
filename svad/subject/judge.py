"""Validation of a photo: what to refuse and what to warn of, in words for the person."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body import coco
from svad.body.coco import HIPS, SHOULDERS, Keypoint
from svad.core.errors import PhotoError
from svad.face.landmarks import MeshPoint
from svad.subject.crops import Box
from svad.subject.detect import Detection
from svad.subject.evidence import hidden_sides

NOBODY = (
    "No person was found in the picture. Please use a photo in which one person, well lit and "
    "facing the camera, can be seen from head to feet."
)
_SMALLEST = 72  # px, person height that still gives something
_SMALL = 256  # px, below which the result will be blurred

OTHERS = "More than one person was found; the largest one is used."
SMALL = "The person is small in the picture, so the avatar will look soft."
KNEES = "The picture ends at the legs; the missing part is taken from the body model."
WAIST = "The legs are not in the picture; they are taken from the body model."
HEAD = "The top of the head is cut off; it is completed with a guess."
SIDE = "The person is seen from the side; the hidden side is a guess."
FACE = "No face was found, so the head will be rough. A photo with the face in view works better."
DRAWN = (
    "This looks like a drawing, a statue or a black-and-white photo; it works, but the result may "
    "be less lifelike."
)


def refuse(found: Detection, person: Box) -> None:
    """Raises `PhotoError` for a person who is too small or seen from behind."""
    tall = person[3] - person[1]
    if tall < _SMALLEST:
        raise PhotoError(
            f"The person is only {tall} pixels high in this picture. Please use one in which the "
            "person is at least 300 pixels high."
        )
    shoulders, hips = hidden_sides(found.keypoints)
    if found.face is None and shoulders and hips:
        raise PhotoError(
            "The person is seen from behind. Please use a photo from the front: the face cannot "
            "be guessed."
        )


def warnings(
    found: Detection,
    rgb: np.ndarray,  # [H, W, 3] uint8, working size
    matte: np.ndarray,  # [H, W] uint8
    keypoints: np.ndarray,  # [133, 3] working pixels
    face: np.ndarray | None,  # [478, 3] working pixels
) -> list[str]:
    """Sentences about what will limit the result."""
    texts = []
    if found.others:
        texts.append(OTHERS)
    rows = np.where((matte > 127).any(1))[0]
    if len(rows) and rows[-1] - rows[0] < _SMALL:
        texts.append(SMALL)
    texts += _cuts(matte, keypoints, face)
    points = keypoints
    shoulders = abs(points[Keypoint.LEFT_SHOULDER, 0] - points[Keypoint.RIGHT_SHOULDER, 0])
    torso = abs(points[list(SHOULDERS), 1].mean() - points[list(HIPS), 1].mean())
    if points[[*SHOULDERS, *HIPS], 2].min() > 0.3 and shoulders < 0.25 * torso:
        texts.append(SIDE)
    if face is None:
        texts.append(FACE)
    elif unlike_skin(rgb, face):
        texts.append(DRAWN)
    return texts


def _cuts(matte: np.ndarray, points: np.ndarray, face: np.ndarray | None) -> list[str]:
    """Where the picture's border cuts the person."""
    height = matte.shape[0]
    solid = matte > 127
    texts = []
    top = solid[:2].any(0)
    high = face is not None and face[MeshPoint.FOREHEAD, 1] < 0.06 * height
    if top.sum() > 0.02 * height and high:
        texts.append(HEAD)

    def seen(*indices: int) -> bool:
        p = points[list(indices)]
        return bool(((p[:, 1] < 0.995 * height) & (p[:, 2] > 0.5)).any())

    if not seen(*coco.KNEES):
        texts.append(WAIST)
    elif not seen(*coco.ANKLES) or (not seen(*coco.BIG_TOES, *coco.HEELS) and solid[-2:].any()):
        texts.append(KNEES)
    return texts


def unlike_skin(
    rgb: np.ndarray,  # [H, W, 3] uint8
    face: np.ndarray,  # [478, 3] px
) -> bool:
    """Whether the face has no skin colour: marble, ink, an old photo or a pale drawing."""
    hull = cv2.convexHull(face[:, :2].astype(np.int32))
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, hull, (1,))
    if mask.sum() < 30:
        return False
    tones = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)[mask > 0].astype(np.float32)
    red, light = np.median(tones[:, 1]) - 128, np.median(tones[:, 0])
    return bool(red < 0.06 * light + 0.5)  # seen on photos: 0.08 and more, even in blue light
