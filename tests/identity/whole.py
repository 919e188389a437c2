"""The whole stage at small sizes: filled networks, a FLAME with a face, photos and clips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from svad.body.coco import FACE
from svad.body.flame import EYELIDS
from svad.body.free import load_free_body
from svad.body.keypoints import whole_body
from svad.config.presets import PREVIEW
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues
from svad.identity.emica import Emica, EmicaSizes
from svad.identity.hrnet import HRNetSizes, LandmarkNet
from svad.identity.models import Models, lazy_models
from svad.identity.network import build_network
from svad.identity.sizes import HeadSizes, LiftingSizes, PyramidSizes, RefinerSizes, VitSizes
from svad.identity.track import TrackSizes
from svad.subject.checks import read_photo
from svad.subject.stage import SubjectStage
from svad.types import Clip, Pose, Subject
from svad.weights.lazy import LazyNetworks
from tests.identity.faces import EXAMPLES
from tests.identity.golden import filled
from tests.identity.synth_flame import synth_flame

TRACKER = TrackSizes(
    emica=EmicaSizes(
        arcface_blocks=(1, 1, 1, 1), arcface_width=4, arcface_vector=16,
        resnet_blocks=(1, 1), resnet_width=4, hidden=8,
    ),
    landmarks=HRNetSizes(width=4, stem=4, blocks=1, modules=(1, 1, 1)),
)  # fmt: skip
HEAD = HeadSizes(
    vit=VitSizes(image=42, width=32, depth=5, heads=2),
    pyramid=PyramidSizes(projections=(8, 8, 12, 12), features=8),
    lifting=LiftingSizes(vertices=5023, base=8, hidden=16, inner=8, channels=32),
    refiner=RefinerSizes(image=128, style=16, layers=2, widest=8, channels=512),
)
FILES = {
    "gagavatar": "head",
    "gagavatar_flame": "flame",
    "gagavatar_track:emica/EMICA-CVT_flame2020_notexture.pt": "emica",
    "gagavatar_track:vgghead/lmks_2d.pt": "landmarks",
}


@dataclass
class Folder:
    """Files of weights, as the store would hand them out."""

    folder: Path
    asked: list[str] = field(default_factory=list)

    def __call__(self, name: str) -> Path:
        self.asked.append(name)
        return self.folder / f"{FILES[name]}.safetensors"


def write_models(folder: Path) -> Folder:
    """Fills every network of the stage and writes its file."""
    states = {"flame": face_flame(), "head": _head_state()}
    networks = {"emica": Emica(TRACKER.emica), "landmarks": LandmarkNet(TRACKER.landmarks)}
    for name, network in networks.items():
        shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
        # an untrained regressor should not ask for impossible heads
        states[name] = filled(shapes, 0, [(r"layers\.2\.|output\.", 0.05, 0.0)])
    for name, state in states.items():
        save_file({k: v.contiguous() for k, v in state.items()}, folder / f"{name}.safetensors")
    return Folder(folder)


def models(resolve: Callable[[str], Path]) -> LazyNetworks[Models]:
    return lazy_models(resolve, track_sizes=TRACKER, head_sizes=HEAD)


def _head_state() -> dict[str, Tensor]:
    """Filled networks, loud enough to tell two faces apart, with vertices that cover the face."""
    shapes = {k: tuple(v.shape) for k, v in build_network(HEAD).state_dict().items()}
    loud = (r"^(base_model|gs_generator_g)\..*weight$", 1.5, 0.0)
    opaque = (r"^gs_generator_g\.(opacity|scale)_layers\.2\.bias$", 1.0, 4.0)
    return filled(shapes, 0, [loud, opaque])


def face_flame() -> dict[str, Tensor]:
    """The made-up FLAME with its landmarks where those of the default body's face are."""
    state = synth_flame(0)
    body = load_free_body()
    rest = body.rest(torch.zeros(body.shape_dirs.shape[-1]))
    points = whole_body(body).points(rest.vertices, rest.joints)[FACE]
    eyes = torch.stack([points[36:42].mean(0), points[42:48].mean(0)])
    points = torch.cat([points, eyes]) - points.mean(0)
    template = state["flame_model.v_template"].clone()
    chosen = state["lmk_embeddings.full_lmk_faces_idx_with_eye"][0]
    corners = state["flame_model.f"][chosen]  # [70, 3]
    template[corners] = points[:, None]
    for landmark, pair in EYELIDS.items():
        template[list(pair)] = points[landmark]
    state["flame_model.v_template"] = template
    state["flame_model.shapedirs"] = state["flame_model.shapedirs"] * 0.1
    return state


@cache
def subject(name: str) -> Subject:
    """An example's photo, understood."""
    stage = SubjectStage(PREVIEW.subject, load_free_body())
    return stage.run(read_photo(EXAMPLES / name / "photo.jpg"), lambda *_: None)


def clip(subject: Subject, *turns: float) -> Clip:  # degrees, about the vertical
    """Blurred copies of the photo, said to show the body turned so far from its pose."""
    soft = cv2.GaussianBlur(subject.photo.rgb, (0, 0), 2.0)
    count = len(turns)
    return Clip(
        rgb=np.stack([soft] * count),
        matte=np.stack([subject.matte] * count),
        poses=Pose.cat([turned(subject, degrees) for degrees in turns]),
        cameras=(subject.body.camera,) * count,
        weight=np.full(count, 0.5, np.float32),
        yaw=np.radians(turns).astype(np.float32),
        start=None,
    )


def turned(subject: Subject, degrees: float) -> Pose:
    """The photo's pose turned about the vertical through the pelvis."""
    pose = subject.body.pose
    turn = rodrigues(torch.tensor([0.0, float(np.radians(degrees)), 0.0]))
    rotations = pose.rotations.clone()
    rotations[0, 0] = matrix_to_axis_angle(turn @ rodrigues(rotations[0, 0]))
    return replace(pose, rotations=rotations)
