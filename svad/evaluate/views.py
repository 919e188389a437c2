"""Views of the truth as the pipeline may know them: on the fitted body, or spoilt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from svad.body.lbs import rigid_chain
from svad.body.skeleton import Joint
from svad.diffusion.canvas import compose, letterbox
from svad.evaluate.spoil import spoilt
from svad.evaluate.truth import Look, Truth
from svad.geometry.camera import Camera
from svad.geometry.rotation import rodrigues
from svad.media.images import resize
from svad.types import PHOTO_WEIGHT, Avatar, Clip, Pose, Subject

HELD_OUT = 5  # every so many frames of the turn one is kept from the training
BODY = 22  # joints that place a body; those of hands and face add nothing
ROUNDS = 4  # of the placing: depths in its weights are those of the round before
HEAD_UP, HEAD_SIZE = 0.09, 0.13  # metres from the head's joint to its middle, and its radius
SEEN = 1.2  # radians, yaw up to which a face is seen


def held_out(count: int) -> tuple[list[int], list[int]]:
    """Frames to train on, and frames to be measured only: the last of every five."""
    kept = [i for i in range(count) if i % HELD_OUT == HELD_OUT - 1]
    return [i for i in range(count) if i not in kept], kept


def posed_joints(
    joints: Tensor,  # [55, 3] rest, metres
    parents: tuple[int, ...],
    pose: Pose,  # T frames
) -> np.ndarray:  # [T, 55, 3]
    """Where the joints of a body are."""
    places = rigid_chain(rodrigues(pose.rotations), joints, parents)[1]
    return (places + pose.translation[:, None]).double().numpy()


def on_fitted_body(
    clip: Clip,  # on the truth's body, or with poses near to its
    truth: Truth,
    subject: Subject,
    exact: Pose | None = None,  # the truth's poses; default = the clip's
) -> Clip:
    """The clip's rotations on the fitted body, moved so that its joints lie on the truth's.

    Least squares of what the joints miss each other by in the picture; the rotations are the
    clip's, so poses are nearly but not quite right.
    """
    wanted = posed_joints(truth.joints, truth.parents, exact or clip.poses)
    joints = torch.from_numpy(np.ascontiguousarray(subject.body.joints)).float()
    still = replace(clip.poses, translation=torch.zeros_like(clip.poses.translation))
    own = posed_joints(joints, truth.parents, still)
    start = clip.poses.translation.double().numpy()
    places = [
        _place(own[i, :BODY], wanted[i, :BODY], camera, start[i])
        for i, camera in enumerate(clip.cameras)
    ]
    translation = torch.from_numpy(np.stack(places)).float()
    return replace(clip, poses=replace(clip.poses, translation=translation))


def _place(
    own: np.ndarray,  # [J, 3]
    wanted: np.ndarray,  # [J, 3]
    camera: Camera,
    start: np.ndarray,  # [3]
) -> np.ndarray:  # [3]
    """The shift that projects one set of joints on the other, by weighted linear steps."""
    focal, centre = np.asarray(camera.focal), np.asarray(camera.center)
    target = (camera.project(wanted)[:, :2] - centre) / focal  # [J, 2]
    turn, move = camera.rotation.astype(np.float64), camera.translation.astype(np.float64)
    place = start
    # x / z = u where (x, y, z) = R (p + t) + m: linear in t once multiplied by z
    rows = turn[:2][None] - target[..., None] * turn[2]  # [J, 2, 3]
    rest = own @ turn.T + move
    values = target * rest[:, 2:] - rest[:, :2]  # [J, 2]
    for _ in range(ROUNDS):
        depth = (rest + turn @ place)[:, 2, None]
        place = np.linalg.lstsq(
            (rows / depth[..., None]).reshape(-1, 3), (values / depth).ravel(), rcond=None
        )[0]
    return place


def heads(truth: Truth, clip: Clip) -> np.ndarray:  # [T, 3] x px, y px, radius px
    """Where faces are in the frames; radius 0 where the person looks away."""
    joints = posed_joints(truth.joints, truth.parents, clip.poses)
    out = np.zeros((len(joints), 3))
    for i, camera in enumerate(clip.cameras):
        neck, head = joints[i, Joint.NECK], joints[i, Joint.HEAD]
        up = (head - neck) / np.linalg.norm(head - neck)
        x, y, depth = camera.project(head + HEAD_UP * up)
        out[i] = x, y, HEAD_SIZE * camera.focal[1] / depth
    return out


def training_clip(
    truth: Truth,
    subject: Subject,
    start: Avatar,
    frames: str,  # one of `spoil.KINDS`
    seed: int,
) -> Clip:
    """What the avatar is made from: the photo as frame 0, then frames that are not held out."""
    chosen, _ = held_out(len(truth.turning.rgb))
    exact = truth.turning[chosen]
    faces = heads(truth, exact)
    faces[np.abs(exact.yaw) > SEEN, 2] = 0
    clip = on_fitted_body(spoilt(exact, faces, frames, seed), truth, subject, exact.poses)
    height, width = clip.matte.shape[1:]
    ys, xs = np.nonzero(subject.matte > 127)
    box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float64)
    canvas = letterbox(box, (subject.matte.shape[1], subject.matte.shape[0]), width, height)
    rgb, matte = compose(subject, canvas)
    return Clip(
        rgb=np.concatenate([rgb[None], clip.rgb]),
        matte=np.concatenate([matte[None], clip.matte]),
        poses=Pose.cat([subject.body.pose, clip.poses]),
        cameras=(canvas.camera(subject.body.camera), *clip.cameras),
        weight=np.concatenate([np.full(1, PHOTO_WEIGHT, np.float32), clip.weight]),
        yaw=np.concatenate([np.zeros(1, np.float32), clip.yaw]),
        start=start,
    )


def photo_view(truth: Truth | Look, subject: Subject) -> Clip:
    """The photo's own view at the working size: over white, with the truth's matte; T = 1."""
    height, width = subject.matte.shape
    return replace(
        truth.photo,
        rgb=resize(truth.photo.rgb[0], width, height)[None],
        matte=resize(truth.photo.matte[0], width, height)[None],
        poses=subject.body.pose,
        cameras=(subject.body.camera,),
    )
