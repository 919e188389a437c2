"""Made-up subjects for the relief and the avatar: drawn people whose body fit is exact."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch

from svad.body.free import load_free_body
from svad.body.model import BodyModel, RestBody
from svad.relief.labels import PartMaps, draw_parts
from svad.relief.parts import parts_for
from svad.relief.points import Sheet
from svad.types import BodyFit, Closeup, Photo, Subject
from tests.helpers import one_pose
from tests.subject.people import Person, person, pose_of

PLACE = (0.0, 0.05, -4.1)  # a whole person in the picture
CUT = (0.0, -0.55, -2.2)  # a person whom the lower border cuts at the thighs
SHAPE = (192, 280)  # width, height
HEAD_DENSITY = 2


def subject_of(
    pose: np.ndarray | None = None,  # [55, 3]
    place: tuple[float, float, float] = PLACE,
    *,
    face: bool = True,
    head: bool = True,
    size: tuple[int, int] = SHAPE,
) -> Subject:
    """The default body in plain clothes with everything the subject stage would find."""
    pose = pose_of() if pose is None else pose
    width, height = size
    one = person(pose, width=width, height=height, place=place)
    return Subject(
        photo=Photo(one.rgb, None),
        matte=one.matte,
        keypoints=one.keypoints,
        face=one.face if face else None,
        head=_closeup(one, pose, place) if head else None,
        body=exact_fit(one, pose, place),
        warnings=(),
    )


def exact_fit(
    one: Person,
    pose: np.ndarray,  # [55, 3]
    place: tuple[float, float, float],
) -> BodyFit:
    """The body the person was drawn from."""
    body = load_free_body()
    betas = torch.zeros(10)
    rest = body.rest(betas)
    expression = np.zeros(len(body.expression_names), np.float32)
    return BodyFit(
        betas=betas.numpy(),
        bone_scales=np.ones(11, np.float32),
        vertices=rest.vertices.numpy(),
        joints=rest.joints.numpy(),
        pose=one_pose(pose, place, expression),
        camera=one.camera,
    )


def _closeup(one: Person, pose: np.ndarray, place: tuple[float, float, float]) -> Closeup:
    """The head cut from the same picture, drawn larger."""
    d = HEAD_DENSITY
    height, width = one.matte.shape
    large = person(pose, width=d * width, height=d * height, place=place)
    low, high = one.face[:, :2].min(0), one.face[:, :2].max(0)
    tall = high[1] - low[1]
    x0, x1 = int(low[0] - 0.6 * tall), int(high[0] + 0.6 * tall) + 1
    y0, y1 = max(0, int(low[1] - 0.9 * tall)), int(high[1] + 0.45 * tall) + 1
    cut = np.s_[d * y0 : d * y1, d * x0 : d * x1]
    return Closeup(large.rgb[cut], large.matte[cut], (x0, y0, x1, y1), d)


def with_print(subject: Subject) -> tuple[Subject, np.ndarray]:
    """The same person with white letters on the middle of the chest, and where they are."""
    joints = subject.keypoints
    shoulders, hips = joints[[5, 6], :2].mean(0), joints[[11, 12], :2].mean(0)
    x, y = (0.7 * shoulders + 0.3 * hips).astype(int)
    rgb = subject.photo.rgb.copy()
    half = max(3, int(0.02 * len(rgb)))
    where = np.s_[y - half : y + half, x - half : x + half]
    rgb[where] = 255
    mark = np.zeros(rgb.shape[:2], bool)
    mark[where] = True
    return replace(subject, photo=Photo(rgb, None)), mark


def with_skirt(
    subject: Subject, flare: float = 0.16, down_to: tuple[int, int] = (13, 14)
) -> tuple[Subject, np.ndarray]:
    """The same person in a green skirt to the knees (flare in heights), and its pixels."""
    points = subject.keypoints
    hips, knees = points[[11, 12], :2], points[list(down_to), :2]
    height = float(np.ptp(points[:17, 1]))
    top, hem = hips[:, 1].mean() - 0.03 * height, knees[:, 1].mean()
    x = hips[:, 0].mean()
    corners = [(x - 0.09 * height, top), (x + 0.09 * height, top)]
    corners += [(x + flare * height, hem), (x - flare * height, hem)]
    mask = np.zeros(subject.matte.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
    rgb, matte = subject.photo.rgb.copy(), subject.matte.copy()
    rgb[mask > 0], matte[mask > 0] = (40, 140, 60), 255
    return replace(subject, photo=Photo(rgb, None), matte=matte), mask > 0


def posed_vertices(subject: Subject, body: BodyModel) -> np.ndarray:  # [V, 3]
    """The fitted body in the photo's pose."""
    fit = subject.body
    rest = RestBody(torch.from_numpy(fit.vertices), torch.from_numpy(fit.joints))
    return body.pose_vertices(rest, fit.pose.rotations[0], fit.pose.translation[0]).numpy()


def drawn_parts(subject: Subject, body: BodyModel) -> tuple[list[PartMaps], float]:
    """The body's parts over the whole photo, and the height of the body in px."""
    height, width = subject.matte.shape
    points = subject.body.camera.project(posed_vertices(subject, body))
    drawn = draw_parts(
        points, body.faces.numpy(), body.weights.numpy(),
        parts_for(subject.body.pose.rotations[0].numpy()), height, width,
    )  # fmt: skip
    return drawn, float(np.ptp(subject.body.vertices[:, 1])) * px_per_m(subject)


def px_per_m(subject: Subject) -> float:
    """Pixels per metre at the person's distance."""
    return subject.body.camera.focal[1] / -float(subject.body.pose.translation[0, 2])


def directed_edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # two of [E, 2]
    """Edges of triangles [F, 3] in their sense of rotation, and turned round; both sorted."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    turned = edges[:, ::-1]
    order = [np.lexsort(e.T[::-1]) for e in (edges, turned)]
    return edges[order[0]], turned[order[1]]


def simple_sheet() -> Sheet:
    """A lens of 32 x 24 pixels, red in front and blue behind; its lower half is hidden."""
    rows, columns = np.indices((24, 32)).astype(np.float32)
    radius = np.hypot((columns - 15.5) / 14, (rows - 11.5) / 10)
    mask = radius < 1
    bulge = 0.3 * np.sqrt(np.clip(1 - radius**2, 0, 1)) + 0.02
    weights = np.zeros((24, 32, 22), np.float32)
    weights[..., 3] = 1
    rgb = np.zeros((24, 32, 3), np.float32)
    return Sheet(
        layer=2, origin=(16.0, 12.0), density=1, mask=mask, alpha=mask.astype(np.float32),
        near=4 - bulge, far=4 + bulge, near_rgb=rgb + (0.8, 0.1, 0.1), far_rgb=rgb + (0, 0, 0.7),
        near_weights=weights, far_weights=weights, own=mask & (rows < 12),
    )  # fmt: skip
