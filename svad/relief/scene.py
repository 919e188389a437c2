"""What all steps of the relief need of a photo: a crop of it, skin, hands, the body there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from svad.body import coco
from svad.body.model import BodyModel, RestBody
from svad.body.skeleton import ARMS, HANDS, Joint
from svad.geometry.camera import Camera
from svad.media.images import to_float
from svad.relief.hand_pixels import Hand, hand_hulls, with_skin
from svad.relief.head import skin_colour
from svad.relief.parts import Part
from svad.types import Subject

AHEAD = 0.1  # metres; wrists: up to 0.08 in pockets, from 0.16 on in crossed arms
SURE_WRIST = 0.75  # score of a wrist in view: up to 0.73 in pockets, from 0.78 on in sleeves
DOUBTFUL = 0.2  # score of an elbow above which its place is right; 0.28 behind the back
INSIDE = 0.72  # blurred matte above which a pixel gets points: splats grow by half a pixel


@dataclass(frozen=True)
class Scene:
    """What all steps need: a crop of the photo around the person."""

    rgb: np.ndarray  # [h, w, 3] float32
    matte: np.ndarray  # [h, w] float32
    camera: Camera
    origin: tuple[int, int]
    face: np.ndarray | None  # crop px
    skin: np.ndarray | None  # [h, w] bool, pixels of the face's colour; None = no face was found
    px_per_m: float
    body_height: float  # px


def scene_of(subject: Subject) -> Scene:
    """The photo around the person, with the camera of that crop."""
    matte = to_float(subject.matte)
    rows, columns = np.flatnonzero((matte > 0.5).any(1)), np.flatnonzero((matte > 0.5).any(0))
    pad = 24
    y0, y1 = max(0, rows[0] - pad), min(matte.shape[0], rows[-1] + 1 + pad)
    x0, x1 = max(0, columns[0] - pad), min(matte.shape[1], columns[-1] + 1 + pad)
    camera = subject.body.camera
    camera = replace(
        camera,
        center=(camera.center[0] - x0, camera.center[1] - y0),
        width=int(x1 - x0),
        height=int(y1 - y0),
    )
    face = None if subject.face is None else subject.face - np.array([x0, y0, 0], np.float32)
    depth = -float(subject.body.pose.translation[0, 2] + subject.body.joints[Joint.PELVIS, 2])
    px_per_m = camera.focal[1] / depth
    height = float(np.ptp(subject.body.vertices[:, 1])) * px_per_m
    crop = np.s_[y0:y1, x0:x1]
    rgb = to_float(subject.photo.rgb[crop])
    return Scene(
        rgb, matte[crop], camera, (int(x0), int(y0)), face, _skin(rgb, face), px_per_m, height
    )


def inside(matte: np.ndarray) -> np.ndarray:  # [h, w] bool
    """Pixels that get points."""
    return cv2.GaussianBlur(matte, (0, 0), 0.8) > INSIDE


def found_hands(subject: Subject, scene: Scene, parts: tuple[Part, ...]) -> dict[int, Hand]:
    """The hands by the number of the part they belong to."""
    keypoints = subject.keypoints - np.array([*scene.origin, 0], np.float32)
    hulls = hand_hulls(keypoints, scene.matte.shape, 0.008 * scene.body_height)
    skin = scene.skin
    if skin is not None:
        seen = inside(scene.matte)
        hulls = {
            side: hand if hand.area.any() else with_skin(hand, skin, seen, scene.body_height)
            for side, hand in hulls.items()
        }
    return {
        i: hull
        for side, hull in hulls.items()
        for i, part in enumerate(parts)
        if HANDS[side][0] in part.joints
    }


def handless(
    subject: Subject,
    hands: dict[int, Hand],
    parts: tuple[Part, ...],
    scene: Scene,
    joints: np.ndarray,  # [55, 3] posed
) -> list[int]:
    """Arms whose hands are in pockets or behind the back: nothing of them is found or bare.

    Hands of crossed arms may not be found either, but they lie well ahead of the shoulders; of a
    glove or a hand in the shade, the wrist is surely seen.
    """
    out = []
    for side, (_, shoulder, _, wrist) in ARMS.items():
        ahead = joints[wrist, 2] - joints[shoulder, 2]
        seen = subject.keypoints[coco.ARMS[side][-1], 2] > SURE_WRIST
        numbers = [i for i, part in enumerate(parts) if HANDS[side][0] in part.joints]
        unseen = scene.skin is not None and not any(hands[i].area.any() for i in numbers)
        out += numbers if unseen and ahead < AHEAD and not seen else []
    return out


def covered_elbows(
    subject: Subject, scene: Scene, parts: tuple[Part, ...]
) -> dict[int, np.ndarray]:
    """Elbows of arms whose hands nobody sees, px of the crop, by the number of the upper arm.

    There the body is fitted to little and may lie beside the arm that the photo shows.
    """
    out = {}
    for side, (_, elbow, wrist) in coco.ARMS.items():
        x, y, score = subject.keypoints[elbow]
        if score > DOUBTFUL and subject.keypoints[wrist, 2] < coco.VISIBLE:
            upper = Joint[f"{side}_shoulder".upper()]
            numbers = [i for i, part in enumerate(parts) if upper in part.joints]
            out |= {i: np.array([x, y]) - scene.origin for i in numbers if parts[i].bones}
    return out


def face_colour(scene: Scene) -> np.ndarray | None:  # [3]
    """The colour of the face's skin; None = no face was found."""
    if scene.face is None:
        return None
    lab = skin_colour(scene.rgb, scene.face).astype(np.float32)
    return cv2.cvtColor(lab[None, None], cv2.COLOR_LAB2RGB)[0, 0]


def _skin(
    rgb: np.ndarray,  # [h, w, 3]
    face: np.ndarray | None,  # [478, 3] px
) -> np.ndarray | None:  # [h, w] bool
    """Pixels of the face's colour, lighter or darker."""
    if face is None:
        return None
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 0.8), cv2.COLOR_RGB2LAB)
    difference = (lab - skin_colour(rgb, face)) * (0.35, 1, 1)
    return np.linalg.norm(difference, axis=-1) < 17


def posed_vertices(subject: Subject, body: BodyModel) -> np.ndarray:  # [V, 3]
    """The body's skin in the photo's pose, world coordinates."""
    fit = subject.body
    rest = RestBody(torch.from_numpy(fit.vertices).float(), torch.from_numpy(fit.joints).float())
    with torch.no_grad():
        posed = body.pose_vertices(rest, fit.pose.rotations[0], fit.pose.translation[0])
    return posed.numpy().astype(np.float32)


def posed_joints(subject: Subject, body: BodyModel) -> np.ndarray:  # [55, 3]
    """The joints in the photo's pose, world coordinates."""
    fit = subject.body
    with torch.no_grad():
        rest = torch.from_numpy(fit.joints).float()
        joints = body.posed_joints(rest, fit.pose.rotations[0], fit.pose.translation[0])
    return joints.numpy().astype(np.float32)
