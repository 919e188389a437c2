"""Tracks the head of a photo: crop, FLAME's parameters, camera and eyes.

The published tracker asks detectors of its own for head, face and points; here they come from
the stage that has looked at the photo already. The regressed head is placed by those points
(closed form) and then fitted to them and to the landmark net as published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from svad.body.flame import Flame, load_flame
from svad.compute.moved import placed
from svad.config.identity import HeadFitConfig
from svad.core.progress import StepCounter
from svad.face.landmarks import INNER, five_points
from svad.geometry import boxes
from svad.identity import geometry
from svad.identity.emica import NAME as EMICA_FILE
from svad.identity.emica import Emica, EmicaSizes, Face, load_emica
from svad.identity.fit import (
    Fit,
    Targets,
    agree,
    fit,
    regressed_camera,
    resect,
    start_camera,
    start_rotation,
)
from svad.identity.headbox import head_box, require_face, size_warning
from svad.identity.hrnet import NAME as LANDMARK_FILE
from svad.identity.hrnet import PICTURE, HRNetSizes, LandmarkNet, load_landmark_net
from svad.identity.stylematte import NAME as MATTE_FILE
from svad.identity.stylematte import MatteSizes, StyleMatte, load_stylematte
from svad.identity.tracked import Tracked
from svad.types import Report
from svad.weights.lazy import PartFiles

ARCHIVE = "gagavatar_track"  # entry of the manifest
# part of `load_track_models` -> entry of the manifest, or file in the archive
PARTS = {
    "flame": "gagavatar_flame",
    "emica": f"{ARCHIVE}:emica/{EMICA_FILE}",
    "landmarks": f"{ARCHIVE}:vgghead/{LANDMARK_FILE}",
    "matting": f"{ARCHIVE}:matting/{MATTE_FILE}",
}
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation, RGB
NEAREST, FARTHEST = 5.0, 18.0  # FLAME units; a head farther off its usual 9 is not placed rightly
NEAR = 16  # px of the crop around the photo's matte where the net may see hair
TICK = 25  # optimisation steps per progress report
BEFORE_FIT = 4  # reports before the first step


@dataclass(frozen=True, kw_only=True)
class TrackSizes:
    """Sizes of the tracker's networks, as published."""

    emica: EmicaSizes = field(default_factory=EmicaSizes)
    landmarks: HRNetSizes = field(default_factory=HRNetSizes)
    matting: MatteSizes = field(default_factory=MatteSizes)


@dataclass(frozen=True)
class TrackModels:
    """What tracking needs: FLAME (CPU, float32) and the networks."""

    flame: Flame
    emica: Emica
    landmarks: LandmarkNet
    matting: StyleMatte | None = None  # None = the matte of the photo is taken


def load_track_models(
    files: PartFiles,  # of the parts in `PARTS`
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    sizes: TrackSizes = TrackSizes(),
    *,
    matting: bool = False,  # the published matting net too
) -> TrackModels:
    """FLAME and the networks from the published files.

    Raises `MissingWeights` when a file is absent, `WeightsMismatch` when it is another one, and
    what reading an archive may raise (`svad.weights.store.Store.resolve`).
    """
    flame = load_flame(files.path("flame"))
    emica = load_emica(files.state("emica"), sizes.emica, dtype)
    landmarks = load_landmark_net(files.state("landmarks"), sizes.landmarks, dtype)
    net = None
    if matting:
        net = placed(load_stylematte(files.state("matting"), sizes.matting, dtype), device)
    return TrackModels(flame, placed(emica, device), placed(landmarks, device), net)


def track(
    photo_rgb: np.ndarray,  # [H, W, 3] uint8
    matte: np.ndarray,  # [H, W] uint8
    points68: np.ndarray | None,  # [68, 2] px of the photo, iBUG order; None = no face was found
    models: TrackModels,
    report: Report,
    config: HeadFitConfig = HeadFitConfig(),  # noqa: B008 - frozen
) -> Tracked:
    """The head of the photo. Raises `NothingToDo` when its face is not visible or too small."""
    steps = StepCounter(report, total=BEFORE_FIT + config.steps)
    steps.tell("Cutting out the head")
    points = require_face(points68, matte)
    head = head_box(points)
    box = geometry.head_crop_box(head)
    picture = head_picture(photo_rgb, matte, box, models.matting)
    steps.next("Reading the face", picture)
    pixels = torch.from_numpy(picture).permute(2, 0, 1).float()
    here, head_here = _into_crop(points, box), _into_crop(head.reshape(2, 2), box).reshape(4)
    with torch.no_grad():
        face = regress(pixels, here, models.emica)
        steps.next("Finding landmarks", picture)
        landmarks = find_landmarks(pixels, head_here, models.landmarks)
    steps.next("Fitting the camera", picture)
    steps.done = BEFORE_FIT

    def tick(step: int, _: Fit) -> None:
        if step % TICK == 0:
            steps.tell("Fitting the camera", picture, ahead=step)

    found = place(face, torch.from_numpy(here).float()[None], landmarks, models.flame, config, tick)
    steps.done = steps.total
    steps.tell("Head tracked", picture)
    return Tracked(
        crop=picture, shape=face.shape[0], expression=face.expression[0],
        pose=torch.cat([torch.zeros(3), face.jaw[0]]), eyes=found.eyes[0],
        camera=found.camera[0], box=box, warnings=size_warning(points),
    )  # fmt: skip


def head_picture(
    rgb: np.ndarray,  # [H, W, 3] uint8
    matte: np.ndarray,  # [H, W] uint8
    box: boxes.Box,
    net: StyleMatte | None = None,  # gives the opacity where the matte says there may be some
) -> np.ndarray:  # [512, 512, 3] uint8
    """The head on black."""
    planes = torch.from_numpy(np.dstack([rgb, matte])).permute(2, 0, 1).float()
    cut = boxes.cut(planes, box, geometry.CROP) / 255
    colours, alpha = cut[:3].clamp(0, 1), cut[3:]
    if net is not None:
        near = functional.max_pool2d(alpha[None], 2 * NEAR + 1, 1, NEAR)[0]
        weight = net.conv.weight
        with torch.no_grad():
            found = net(normalized(colours)[None].to(weight))[0].float().cpu()
        alpha = torch.minimum(found, near)
    return (colours * alpha * 255).clamp(0, 255).round().byte().permute(1, 2, 0).numpy()


def normalized(image: Tensor) -> Tensor:  # [3, H, W] 0..1
    """Colours less ImageNet's mean, over its deviation."""
    mean, deviation = (torch.tensor(x)[:, None, None] for x in IMAGENET)
    return (image - mean) / deviation


def regress(
    pixels: Tensor,  # [3, 512, 512] 0..255, the head on black
    points: np.ndarray,  # [68, 2] px
    emica: Emica,
) -> Face:
    """FLAME's parameters of one face, float32 on the CPU."""
    around = boxes.around(points)
    seen = geometry.face_crop_box(around, geometry.EXPRESSION_AROUND)
    warped = boxes.cut(pixels, seen, geometry.EXPRESSION_CROP) / 255
    left, top, right, bottom = geometry.face_crop_box(around, geometry.IDENTITY_AROUND)
    large = boxes.cut(pixels, (left, top, right, bottom), geometry.IDENTITY_CROP)
    five = five_points(points) - (left, top)
    five = five * geometry.IDENTITY_CROP / np.array([right - left, bottom - top])
    aligned = geometry.warp_face(large, five) / 127.5 - 1
    weight = next(emica.parameters())
    face = emica(warped[None].to(weight), aligned[None].to(weight))
    return Face(*(x.float().cpu() for x in (face.shape, face.expression, face.jaw, face.turn)))


def find_landmarks(
    pixels: Tensor,  # [3, 512, 512] 0..255
    head: np.ndarray,  # [4] px, box of the head
    net: LandmarkNet,
) -> Tensor:  # [1, 70, 2] px
    """The landmark net's points in FLAME's order, float32 on the CPU."""
    box = geometry.landmark_crop_box(head)
    picture = normalized(boxes.cut(pixels, box, PICTURE) / 255)
    found = net(picture[None].to(net.backbone.conv1.weight)).float().cpu()
    size = torch.tensor([box[2] - box[0], box[3] - box[1]])
    return (found * size / PICTURE + torch.tensor(box[:2]))[:, list(geometry.FROM_98)]


def place(
    face: Face,  # of B faces
    points: Tensor,  # [B, 68, 2] px of the crop
    landmarks: Tensor,  # [B, 70, 2] px, of the landmark net
    flame: Flame,
    config: HeadFitConfig,
    tick: Callable[[int, Fit], None] | None = None,
) -> Fit:
    """Camera and eyes of regressed faces; on the CPU, since only 200 vertices take part.

    The contour of the points is left out: on a turned head it follows the rim of the face, while
    FLAME's contour stays where it is on the skin.
    """
    few = flame.for_landmarks()
    rest = few.express(few.identity(face.shape), face.expression)
    pose = torch.cat([torch.zeros_like(face.jaw), face.jaw], 1)
    model = few.landmarks(few.pose(rest, pose, torch.zeros_like(pose)))
    rotation = start_rotation(face.turn)
    shift = resect(rotation, model[:, INNER], points[:, INNER])
    usual = start_camera(regressed_camera(face.turn, model[:, INNER], points[:, INNER]))
    placed = (shift[:, 2] > NEAREST) & (shift[:, 2] < FARTHEST)
    shift = torch.where(placed[:, None], shift, usual[..., 3])
    start = torch.cat([rotation, shift[..., None]], -1)
    targets = Targets(landmarks, points, agree(landmarks, points), contour=False)
    return fit(few, rest, face.jaw, start, targets, config, tick)


def _into_crop(points: np.ndarray, box: boxes.Box) -> np.ndarray:  # [N, 2] px -> [N, 2] px
    side = np.array([box[2] - box[0], box[3] - box[1]])
    return (points - box[:2]) * geometry.CROP / side
