"""Reads avatar.safetensors back, from a folder or out of the archive: nothing in it is believed."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch

from svad.body.skeleton import JOINTS
from svad.core.errors import JobError
from svad.core.given import read_given
from svad.export.formats import FORMATS
from svad.export.rig import FORMAT, METADATA, VERSION
from svad.geometry.camera import Camera
from svad.motion.standing import a_pose
from svad.splat.gaussians import Gaussians
from svad.splat.scene import frame_camera
from svad.types import Avatar, Pose, SkinnedMesh

FILE = FORMATS["rig"].file
LARGEST = 10**9  # bytes; a million Gaussians take about 100 million
COUNT = len(JOINTS)
GAUSSIANS = {"means": (3,), "scales": (3,), "quats": (4,), "opacities": (), "colors": (3,)}
ROUNDING = 1e-2  # by which rows of skinning weights may miss 1
POSE = ("rotations", "translation", "expression")
HEIGHT = 960  # px, of the front view of an avatar whose file does not say how it was photographed
WIDEST = 1 << 13  # px: larger pictures than any photo is read at
ZIPPED = (b"PK\3\4", b"PK\5\6")  # how an archive begins, and one with nothing in it
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)


class OtherVersion(JobError):
    """A file of another version of this program."""


def read_rig(path: Path) -> Avatar:
    """The avatar of an avatar.safetensors, or of an archive (.zip) with one in it.

    What the file leaves out is plain: the mesh has no vertices, and without the photo's pose the
    avatar is seen from the front in the A-pose. Raises `JobError`.
    """
    data = read_given(path, LARGEST, JobError)
    if data[:4] in ZIPPED:
        data = _unpacked(data, path.name)
    return opened(data, path.name)


def opened(data: bytes, name: str) -> Avatar:
    """The avatar in the bytes of an avatar.safetensors, as `read_rig`; `name`: for the sentences.

    Raises `JobError`.
    """
    return _avatar(*_arrays(data, name), name)


def _unpacked(data: bytes, name: str) -> bytes:
    """The bytes of the one file that is read, also where the folder itself was packed."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = [m for m in archive.infolist() if PurePosixPath(m.filename).name == FILE]
            if not found:
                raise JobError(
                    f"{name} holds no {FILE}, so there is no avatar in it that can be moved. Give "
                    "the avatar.zip of a finished avatar, or its folder."
                )
            with archive.open(min(found, key=lambda m: len(m.filename))) as file:
                inside = file.read(LARGEST + 1)
    except BROKEN as error:
        raise _damaged(name, type(error).__name__) from error
    if len(inside) > LARGEST:
        raise _damaged(name, "far too large")
    return inside


def _arrays(data: bytes, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of the file and what it says of itself."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        about = json.loads(header["__metadata__"][METADATA])
        if about["format"] != FORMAT or not isinstance(about["expression_names"], list):
            raise ValueError("of another program")
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise JobError(
            f"{name} is no avatar, or damaged ({type(error).__name__}). Give the folder of a "
            "finished avatar, or the avatar.zip in it."
        ) from error
    if about.get("version") != VERSION:
        raise OtherVersion(f"{name} was made by another version of this program. Update it.")
    return arrays, about


def _avatar(arrays: dict[str, np.ndarray], about: dict[str, Any], name: str) -> Avatar:
    def take(key: str, *shape: int) -> torch.Tensor:
        value = arrays.get(key)
        if value is None or value.shape != shape or not np.isfinite(value).all():
            raise _damaged(name, f"its {key}")
        return torch.from_numpy(value.astype(np.float32))

    def indices(key: str, *shape: int, below: int) -> torch.Tensor:
        value = arrays.get(key)
        if value is None or value.dtype.kind not in "iu" or value.shape != shape:
            raise _damaged(name, f"its {key}")
        if value.size and not 0 <= value.min() <= value.max() < below:
            raise _damaged(name, f"its {key}")
        return torch.from_numpy(value.astype(np.int64))

    count, moved = _length(arrays, "means"), _length(arrays, "expression_ids")
    names = tuple(str(one) for one in about["expression_names"])
    cloud = {key: take(key, count, *shape) for key, shape in GAUSSIANS.items()}
    weights = take("joint_weights", count, 4)
    if not count or not torch.allclose(weights.sum(1), torch.ones(count), atol=ROUNDING):
        raise _damaged(name, "its joint_weights")
    joints, parents = take("joints", COUNT, 3), _parents(arrays, name)
    if "photo" in about:
        pose, camera = _photo(about["photo"], len(names), name)
    else:
        pose = a_pose(joints.numpy(), parents, len(names))
        camera = frame_camera(cloud["means"].numpy(), HEIGHT, pitch=0.0)
    directions = take("expression_dirs", moved, len(names), 3).to(torch.float16)
    return Avatar(
        gaussians=Gaussians(**cloud),
        joint_ids=indices("joint_ids", count, 4, below=COUNT),
        joint_weights=weights,
        joints=joints,
        parents=parents,
        expression_names=names,
        expression_ids=indices("expression_ids", moved, below=count),
        expression_dirs=directions,
        mesh=_no_mesh(len(names)),
        pose=pose,
        camera=camera,
    )


def _photo(photo: Any, expressions: int, name: str) -> tuple[Pose, Camera]:
    """How the person stood in the photo, and its camera."""
    try:
        turns, place, face = (torch.tensor(photo[part], dtype=torch.float32) for part in POSE)
        told = photo["camera"]
        camera = Camera(
            rotation=np.asarray(told["rotation"], np.float32).reshape(3, 3),
            translation=np.asarray(told["translation"], np.float32).reshape(3),
            focal=(float(told["focal"][0]), float(told["focal"][1])),
            center=(float(told["center"][0]), float(told["center"][1])),
            width=int(told["width"]),
            height=int(told["height"]),
        )
    except (LookupError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise _damaged(name, "the pose of its photo") from error
    fits = turns.shape == (COUNT, 3) and place.shape == (3,) and face.shape == (expressions,)
    numbers = [*turns.flatten(), *place, *face]
    numbers += [*camera.rotation.flat, *camera.translation, *camera.focal, *camera.center]
    sound = np.isfinite(numbers).all() and all(
        1 <= side <= WIDEST for side in (camera.width, camera.height)
    )
    if not (fits and sound):
        raise _damaged(name, "the pose of its photo")
    return Pose(turns[None], place[None], face[None]), camera


def _length(arrays: dict[str, np.ndarray], key: str) -> int:
    """The rows of an array; 0 where it is absent or a single number."""
    shape = arrays[key].shape if key in arrays else ()
    return shape[0] if shape else 0


def _parents(arrays: dict[str, np.ndarray], name: str) -> tuple[int, ...]:
    """The skeleton's tree: every parent stands before its children."""
    value = arrays.get("parents")
    if value is None or value.shape != (COUNT,) or value.dtype.kind not in "iu":
        raise _damaged(name, "its parents")
    parents = tuple(int(parent) for parent in value)
    if parents[0] != -1 or any(not 0 <= p < j for j, p in enumerate(parents[1:], 1)):
        raise _damaged(name, "its parents")
    return parents


def _no_mesh(expressions: int) -> SkinnedMesh:
    return SkinnedMesh(
        vertices=np.zeros((0, 3), np.float32),
        faces=np.zeros((0, 3), np.int32),
        colors=np.zeros((0, 3), np.uint8),
        joint_ids=np.zeros((0, 4), np.int32),
        joint_weights=np.zeros((0, 4), np.float32),
        expression_ids=np.zeros(0, np.int32),
        expression_dirs=np.zeros((0, expressions, 3), np.float16),
    )


def _damaged(name: str, what: str) -> JobError:
    return JobError(
        f"{name} is damaged ({what}). Copy or unpack it again, or give the folder of the avatar."
    )
