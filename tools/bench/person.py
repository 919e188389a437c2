"""A made-up person to learn from: a cloud on the body's surface, and frames of a changed copy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from svad.body.free import load_free_body
from svad.body.skin import pose_gaussians
from svad.geometry.camera import photo_camera
from svad.media.images import to_uint8
from svad.splat.gaussians import isotropic
from svad.splat.render import render, spatial_order
from svad.types import Avatar, BodyFit, Clip, Photo, Pose, Subject
from tools.bench.posing import cloud

TALL = 0.85  # of the picture's height that the person fills
SIGMA = 0.55  # standard deviation of a Gaussian, in mean distances to the next
BUMP, TINT = 0.008, 0.15  # metres and colour that the person differs from the first guess by
EXPRESSIVE = 0.08  # part of the Gaussians that an expression moves


def body_cloud(
    count: int,  # Gaussians
    width: int,  # px of the photo
    height: int,  # px of the photo
) -> Avatar:
    """A closed surface of round Gaussians with a soft pattern of colours, arms lowered."""
    body, random = load_free_body(), torch.Generator().manual_seed(0)
    rest = body.rest(torch.zeros(body.shape_dirs.shape[-1]))
    corners = rest.vertices[body.faces]  # [F, 3, 3]
    sides = corners[:, 1:] - corners[:, :1]
    areas = torch.linalg.cross(sides[:, 0], sides[:, 1]).norm(dim=1) / 2
    face = torch.multinomial(areas, count, replacement=True, generator=random)
    along = torch.rand(count, 2, generator=random).sort(1).values  # even over the triangle
    mix = torch.stack([along[:, 0], along[:, 1] - along[:, 0], 1 - along[:, 1]], 1)
    means = (corners[face] * mix[..., None]).sum(1)
    order = spatial_order(means)  # as a cloud from a photo lies in memory
    means, face = means[order], face[order]
    vertex = body.faces[face, 0]
    size = SIGMA * float(areas.sum() / count) ** 0.5
    colors = 0.5 + 0.35 * torch.sin(means * means.new_tensor([31.0, 47.0, 23.0]))
    made, moved = cloud(count), torch.nonzero(means[:, 1] > means[:, 1].max() - 0.25)[:, 0]
    moved = moved[: max(1, round(EXPRESSIVE * count))]
    low, high = (float(end) for end in rest.vertices[:, 1].aminmax())
    rotations = torch.zeros(1, 55, 3)
    rotations[0, 16, 2], rotations[0, 17, 2] = -1.0, 1.0
    place = [[0.0, -(low + high) / 2, -2 * (high - low) / TALL]]  # focal length: 2 heights
    return replace(
        made,
        gaussians=isotropic(means, torch.full((count,), size), colors, 0.97),
        joint_ids=body.joint_ids[vertex],
        joint_weights=body.joint_weights[vertex],
        expression_ids=moved,
        expression_dirs=made.expression_dirs[:1].expand(len(moved), -1, -1).contiguous(),
        pose=Pose(rotations, torch.tensor(place), made.pose.expression),
        camera=photo_camera(width, height),
    )


def frames_of(
    avatar: Avatar,  # with its photo's pose and camera
    count: int,  # T frames
    device: torch.device | str = "cpu",  # that draws them
) -> tuple[Subject, Clip]:
    """A photo and a clip of somebody a little unlike the avatar, who turns around once."""
    g, wave = avatar.gaussians, torch.sin(avatar.gaussians.means[:, [1, 2, 0]] * 19)
    person = replace(
        avatar,
        gaussians=replace(
            g, means=g.means + BUMP * wave, colors=(g.colors + TINT * wave).clamp(0, 1)
        ),
    ).to(device)
    yaw = torch.linspace(0, 2 * torch.pi, count + 1)[:count]
    rotations = avatar.pose.rotations.repeat(count, 1, 1)
    rotations[:, 0, 1] = yaw
    rotations[:, 16, 2] += 0.3 * torch.sin(yaw)
    poses = Pose(
        rotations,
        avatar.pose.translation.repeat(count, 1),
        avatar.pose.expression.repeat(count, 1),
    )
    photo, *pictures = [_drawn(person, pose) for pose in (avatar.pose[0], *poses)]
    rgb, matte = (np.stack(parts) for parts in zip(*pictures, strict=True))
    weight = np.full(count, 0.6, np.float32)
    cameras = (avatar.camera,) * count
    clip = Clip(rgb, matte, poses, cameras, weight, yaw.numpy(), None)
    fit = BodyFit(
        betas=np.zeros(10, np.float32), bone_scales=np.ones(11, np.float32),
        vertices=np.zeros((0, 3), np.float32), joints=avatar.joints.numpy(), pose=avatar.pose,
        camera=avatar.camera,
    )  # fmt: skip
    keypoints = np.zeros((133, 3), np.float32)
    return Subject(Photo(photo[0], None), photo[1], keypoints, None, None, fit, ()), clip


def _drawn(avatar: Avatar, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """[H, W, 3] uint8 over grey and [H, W] uint8 coverage."""
    with torch.no_grad():
        posed = pose_gaussians(avatar, pose.to(avatar.gaussians.means.device))
        drawn = render(posed, avatar.camera)
    image, alpha = drawn.image[0].numpy(force=True), drawn.alpha[0].numpy(force=True)
    return to_uint8(image + 0.7 * (1 - alpha[..., None])), to_uint8(alpha)
