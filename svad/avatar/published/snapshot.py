"""The snapshot of a published training, its parts checked before any is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from svad.avatar.published.buffers import Buffers
from svad.avatar.published.layer import BodyLayer
from svad.avatar.published.network import AvatarNetwork
from svad.body.skeleton import PARENTS
from svad.core.errors import MissingFile, SvadError

OWN = "human_gaussian."
LAYER = OWN + "smplx_layer."  # the body model that the training stored beside its avatar
ADVICE = "Give snapshot_4.pth of the published avatar training, unchanged."
FACE_FILE = "face_offset.json"
FACE_SOURCE = "the folder smplx_optimized of the subject that the snapshot was trained on"
FACE_TERMS = "those of the subject's pictures, and of the SMPL-X model"
LARGEST = 100_000_000  # bytes of a file of face offsets; 10,475 vertices take under one
ROUNDING = 1e-3  # by which rows of skinning weights may miss 1
Shape = tuple[int | str, ...]
# What is read beside the networks. V vertices and F triangles of the body, N Gaussians; "3N" is
# three times as many.
PERSON: dict[str, Shape] = {"shape_param": (100,), "joint_offset": (55, 3)}
BUFFERS: dict[str, Shape] = {
    "pos_enc_mesh": ("N", 3),
    "skinning_weight": ("N", 55),
    "pose_dirs": (486, "3N"),
    "expr_dirs": ("N", 3, 50),
    **dict.fromkeys(("is_rhand", "is_lhand", "is_face", "is_face_expr", "is_cavity"), ("N",)),
}
BODY: dict[str, Shape] = {
    "v_template": ("V", 3),
    "faces_tensor": ("F", 3),
    "shapedirs": ("V", 3, 100),
    "expr_dirs": ("V", 3, 50),
    "posedirs": (486, "3V"),
    "J_regressor": (55, "V"),
    "lbs_weights": ("V", 55),
    "parents": (55,),
    "left_hand_mean": (45,),
    "right_hand_mean": (45,),
}
UNCHECKED = ("pose_dirs", "posedirs")  # of a gigabyte, and not read for the base branch


class SnapshotError(SvadError):
    """A file is no snapshot of a published avatar, or not of one that can be read here."""


@dataclass(frozen=True)
class Snapshot:
    """What an avatar is made of, as it was trained."""

    name: str  # of the file
    network: AvatarNetwork
    buffers: Buffers
    betas: Tensor  # [100]
    joint_offset: Tensor  # [55, 3] metres
    layer: BodyLayer | None  # the body stored beside it; None where that was stripped


def snapshot_of(
    state: Mapping[str, Tensor],  # [...] each, by published key
    name: str,  # of the file, for messages
) -> Snapshot:
    """The avatar among the tensors of a snapshot.

    Scene, picture loss and frame poses are left alone. Raises `SnapshotError` for those of another
    network or body, and for numbers that are none.
    """
    own = {key.removeprefix(OWN): v for key, v in state.items() if key.startswith(OWN)}
    body = {key.removeprefix(LAYER): v for key, v in state.items() if key.startswith(LAYER)}
    own = {key: v for key, v in own.items() if not key.startswith("smplx_layer.")}
    network = AvatarNetwork().requires_grad_(False)
    nets = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    _check_keys(name, own, {**nets, **PERSON, **BUFFERS})
    _check(name, own, {**nets, **PERSON, **BUFFERS})
    network.load_state_dict({key: own[key].float() for key in nets})
    return Snapshot(
        name,
        network,
        _buffers(name, own),
        own["shape_param"].float(),
        own["joint_offset"].float(),
        _layer(name, body) if BODY.keys() <= body.keys() else None,
    )


def read_face_offset(
    path: Path,
    count: int,  # V, the vertices of the body
) -> Tensor:  # [V, 3] metres
    """The offsets of the face that lie beside a subject, one row per vertex of the body.

    Raises `MissingFile` where there is none, `SnapshotError` for one of another body.
    """
    if not path.is_file():
        advice = f"Name it by --face-offset, or put it beside the snapshot (looked at {path})."
        raise MissingFile(FACE_FILE, FACE_SOURCE, FACE_TERMS, advice)
    wanted = f"{path.name} must hold {count} rows of three numbers, in metres"
    if path.stat().st_size > LARGEST:
        raise SnapshotError(f"{wanted}; this file is far too large.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        offset = torch.tensor(values, dtype=torch.float32)
    except (ValueError, TypeError, RuntimeError, OverflowError, RecursionError) as error:
        raise SnapshotError(f"{wanted}; this file cannot be read as such.") from error
    if offset.shape != (count, 3):
        raise SnapshotError(
            f"{wanted}; this one has the shape {list(offset.shape)}. It belongs to another body."
        )
    if not offset.isfinite().all():
        raise SnapshotError(f"{wanted}; some in this file are not finite.")
    return offset


def _check_keys(name: str, state: dict[str, Tensor], wanted: dict[str, Shape]) -> None:
    absent, more = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    if len(absent) == len(wanted):
        raise SnapshotError(f"{name} is a checkpoint, but holds no published avatar. {ADVICE}")
    if absent or more:
        first = f"lacks {absent[0]}" if absent else f"has {more[0]}, which is not known"
        count = len(absent) + len(more) - 1
        others = f" ({count} more keys differ)" if count else ""
        raise SnapshotError(f"{name} is of another network: it {first}{others}. {ADVICE}")


def _check(name: str, state: dict[str, Tensor], wanted: dict[str, Shape]) -> None:
    """Shapes fit one another, and every number is one."""
    sizes: dict[str, int] = {}
    for key, shape in wanted.items():
        found = tuple(state[key].shape)
        if len(found) != len(shape) or not all(
            _fits(size, length, sizes) for size, length in zip(shape, found, strict=True)
        ):
            known = ", ".join(f"{letter} = {size}" for letter, size in sizes.items())
            text = "[" + ", ".join(map(str, shape)) + "]" + (f" ({known})" if known else "")
            raise SnapshotError(f"{key} of {name} is {list(found)}, not {text}. {ADVICE}")
        if key not in UNCHECKED and not state[key].isfinite().all():
            raise SnapshotError(
                f"{key} of {name} holds numbers that are not finite: the training had gone wrong. "
                "Take an earlier snapshot."
            )


def _fits(wanted: int | str, found: int, sizes: dict[str, int]) -> bool:
    if isinstance(wanted, int):
        return wanted == found
    factor = 3 if wanted.startswith("3") else 1
    return found % factor == 0 and sizes.setdefault(wanted[-1], found // factor) * factor == found


def _buffers(name: str, own: dict[str, Tensor]) -> Buffers:
    weights = own["skinning_weight"].float()
    if (weights.sum(1) - 1).abs().amax() > ROUNDING or weights.amin() < -ROUNDING:
        raise SnapshotError(f"skinning_weight of {name} has rows that do not sum to 1. {ADVICE}")
    return Buffers(
        position_code=own["pos_enc_mesh"].float(),
        weights=weights,
        pose_dirs=own["pose_dirs"],
        expression_dirs=own["expr_dirs"].float(),
        right_hand=own["is_rhand"].bool(),
        left_hand=own["is_lhand"].bool(),
        face=own["is_face"].bool(),
        expressive=own["is_face_expr"].bool(),
        cavity=own["is_cavity"].bool(),
    )


def _layer(name: str, body: dict[str, Tensor]) -> BodyLayer:
    _check(name, body, BODY)
    faces, count = body["faces_tensor"].long(), len(body["v_template"])
    joints = tuple(body["parents"].tolist())
    if joints[1:] != PARENTS[1:] or faces.amin() < 0 or faces.amax() >= count:
        raise SnapshotError(f"The body in {name} does not hold together. {ADVICE}")
    mean_pose = torch.zeros(55, 3)
    hands = [body[f"{side}_hand_mean"].float().view(15, 3) for side in ("left", "right")]
    mean_pose[25:] = torch.cat(hands)
    return BodyLayer(
        template=body["v_template"].float(),
        faces=faces,
        shape_dirs=body["shapedirs"].float(),
        expression_dirs=body["expr_dirs"].float(),
        pose_dirs=body["posedirs"].float(),
        regressor=body["J_regressor"].float(),
        weights=body["lbs_weights"].float(),
        parents=PARENTS,
        mean_pose=mean_pose,
    )
