"""A quick first look at a photo: who is in it, their matte, and what may go wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.body.coco import BODY_AND_FEET
from svad.config.subject import SubjectConfig
from svad.pose.overlay import overlay
from svad.subject import judge
from svad.subject.closeup import head_closeup
from svad.subject.crops import person_box
from svad.subject.detect import Detection, Detector, MediapipeDetector
from svad.subject.frame import Frame, working_frame
from svad.subject.landmarker import shared_landmarker
from svad.subject.matte import from_alpha, person_matte
from svad.subject.upright import find_upright
from svad.types import Closeup, Photo


@dataclass(frozen=True)
class Look:
    """What is understood of a photo within about a second; all at the working size."""

    photo: Photo  # at the working size
    matte: np.ndarray  # [H, W] uint8
    keypoints: np.ndarray  # [133, 3] x px, y px, score; COCO-WholeBody order
    depth: np.ndarray  # [133] metres relative to the hips, smaller = nearer; nan = unknown
    face: np.ndarray | None  # [478, 3] x px, y px, z px
    head: Closeup | None
    overlay: np.ndarray  # [H, W, 3] uint8, matte and skeleton drawn over the photo
    warnings: tuple[str, ...]  # sentences for the person


def look(photo: Photo, config: SubjectConfig, detector: Detector | None = None) -> Look:
    """Find the person, cut them out, and say what is unusual about the photo.

    About half a second when the models are warm. Raises `PhotoError` where there is no person to
    work with.
    """
    detector = detector or MediapipeDetector()
    photo, found = find_upright(photo, detector)
    if found is None:
        raise judge.nobody(shared_landmarker().people(photo.rgb))
    body = found.keypoints[BODY_AND_FEET]
    person = person_box(body[_inside(body, photo.rgb)], found.mask, 0.0)
    people = None if found.face is not None else shared_landmarker().people(photo.rgb)
    judge.refuse(found, person, people)
    frame = working_frame(person, photo.rgb.shape[:2], config.person_height)
    small = Photo(
        rgb=frame.cut(photo.rgb),
        alpha=None if photo.alpha is None else frame.cut(photo.alpha),
        warnings=photo.warnings,
    )
    keypoints = frame.move(found.keypoints)
    face = None if found.face is None else frame.move(found.face, scale_third=True)
    matte = _matte(small, frame, found, keypoints)
    head, matte = head_closeup(
        photo, frame, matte, keypoints, face, config.head_density, small.alpha is not None
    )
    return Look(
        photo=small,
        matte=matte,
        keypoints=keypoints,
        depth=found.depth,
        face=face,
        head=head,
        overlay=overlay(small.rgb, matte, keypoints, face),
        warnings=(*photo.warnings, *judge.warnings(found, small.rgb, matte, keypoints, face)),
    )


def _inside(points: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Points that lie in the picture; all of them if none does."""
    height, width = rgb.shape[:2]
    x, y = points[:, 0], points[:, 1]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return inside if inside.any() else ~inside


def _matte(small: Photo, frame: Frame, found: Detection, keypoints: np.ndarray) -> np.ndarray:
    soft = frame.cut(found.mask)
    if small.alpha is not None:
        given = from_alpha(small.alpha, soft)
        if given is not None:
            return given
    others = None
    if found.others:
        others = frame.cut(np.any(found.others, axis=0).astype(np.uint8)) > 0
    return person_matte(small.rgb, soft, keypoints, others)
