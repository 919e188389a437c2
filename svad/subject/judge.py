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
from svad.subject.missing import cut_part, head_is_cut_off, only_legs
from svad.subject.spots import SURE

NOBODY = (
    "No person was found in the picture. Please use a photo in which one person, well lit and "
    "facing the camera, can be seen from head to feet."
)
_SMALLEST = 72  # px, person height that still gives something
_SMALL = 256  # px, below which the result will be blurred

OTHERS = (
    "More than one person was found ({others} besides); the largest one is used, the one of whom "
    "most is seen from head to feet."
)
SMALL = "The person is small in the picture, so the avatar will look soft."
KNEES = "The picture ends at the legs; the missing part is taken from the body model."
WAIST = "The legs are not in the picture; they are taken from the body model."
HEAD = "The top of the head is cut off; it is completed with a guess."
SIDE = (
    "The person is seen from the side; the hidden side is a guess. A photo from the front, or one "
    "together with this one, gives a better avatar."
)
FACE = (
    "No face was found, so the head will be rough, without eyes and mouth of its own. A photo with "
    "the face in view works better, also together with this one."
)
BEHIND = (
    "The person is seen from behind: the avatar would have hair where its face must be. Please use "
    "a photo from the front, or give one together with this one; the face cannot be guessed."
)
NO_HEAD = (
    "The head is not in the picture: the person goes on above its upper border. Please use a photo "
    "in which the person can be seen from head to feet."
)
ONLY_LEGS = (
    "Only legs are in the picture; head and upper body are missing. Please use a photo in which "
    "the person can be seen from head to feet."
)
DRAWN = (
    "This looks like a drawing, a statue or a black-and-white photo; it works, but the result may "
    "be less lifelike."
)


def refuse(
    found: Detection,
    person: Box,
    people: np.ndarray | None = None,  # [H, W] float32, soft mask of all people, if no face is seen
) -> None:
    """Raises `PhotoError` for a person who is too small, without head, or seen from behind."""
    part = None if people is None or found.sure >= SURE else cut_part(people)
    if found.face is None and (part is not None or head_is_cut_off(found.keypoints, found.mask)):
        raise PhotoError(ONLY_LEGS if part is not None and only_legs(part) else NO_HEAD)
    tall = person[3] - person[1]
    if tall < _SMALLEST:
        raise PhotoError(
            f"The person is only {tall} pixels high in this picture. Please use one in which the "
            "person is at least 300 pixels high."
        )
    if found.face is None and _from_behind(found):
        raise PhotoError(BEHIND)


def nobody(
    people: np.ndarray,  # [H, W] float32, soft mask of all people
) -> PhotoError:
    """What to say where no person could be found: what is missing of one, if a part is there."""
    part = cut_part(people)
    if part is None:
        return PhotoError(NOBODY)
    return PhotoError(ONLY_LEGS if only_legs(part) else NO_HEAD)


def _from_behind(found: Detection) -> bool:
    """Whether left and right are swapped, or half so with the nose behind the ears."""
    swapped = hidden_sides(found.keypoints)
    ears = found.depth[[Keypoint.LEFT_EAR, Keypoint.RIGHT_EAR]].mean()
    return all(swapped) or (any(swapped) and bool(found.depth[Keypoint.NOSE] > ears))


def warnings(
    found: Detection,
    rgb: np.ndarray,  # [H, W, 3] uint8, working size
    matte: np.ndarray,  # [H, W] uint8
    keypoints: np.ndarray,  # [133, 3] working pixels
    face: np.ndarray | None,  # [478, 3] working pixels
) -> list[str]:
    """Sentences about what will limit the result."""
    texts = []
    others = max(len(found.others), found.count - 1)
    if others:
        texts.append(OTHERS.format(others=others))
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
