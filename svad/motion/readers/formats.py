"""The table of motion files: which endings are read and by what, and what to do with others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from svad.motion.readers.files import MotionError

if TYPE_CHECKING:
    import numpy as np

    from svad.motion.recorded import Recorded

Reader = Callable[..., "Recorded"]
"""`reader(path, joints [55, 3])`: the motion of a file, on a body with these rest joints where the
file has no body of its own. Raises `MotionError`."""


def _npz() -> Reader:
    from svad.motion.readers.npz import read_npz

    return read_npz


def _npy() -> Reader:
    from svad.motion.readers.npz import read_npy

    return read_npy


def _bvh() -> Reader:
    from svad.motion.readers.bvh import read_bvh

    return read_bvh


def _gltf() -> Reader:
    from svad.motion.readers.gltf import read_gltf

    return read_gltf


def _livelink() -> Reader:
    from svad.motion.readers.livelink import read_livelink

    return read_livelink


READERS: dict[str, Callable[[], Reader]] = {
    ".npz": _npz,
    ".npy": _npy,
    ".bvh": _bvh,
    **dict.fromkeys((".glb", ".gltf", ".vrma", ".vrm"), _gltf),
    ".csv": _livelink,
}
SUFFIXES = tuple(READERS)
SEVERAL = (".glb", ".gltf", ".vrm")  # that can hold more than one motion

BLENDER = (
    "{name} is of a closed format. Open it in Blender (File > Import > FBX) and save it with "
    "File > Export > glTF 2.0 (.glb) or Motion Capture (.bvh), then give that file."
)
PICKLE = (
    "{name} is a pickle, which is never opened, since it can run anything. Save its numbers with "
    "numpy.savez as .npz: poses or root_orient and pose_body, trans, mocap_framerate."
)
PACKED = "{name} is packed. Unpack it and give the motion in it ({endings})."
MMD = (
    "{name} is of MikuMikuDance, whose motions fit only together with its model. Import the model "
    "(.pmx) and then the motion into Blender with the add-on MMD Tools, and save it with File > "
    "Export > glTF 2.0 (.glb) or Motion Capture (.bvh); Japanese names of bones may stay."
)
POINTS = (
    "{name} holds places of points, which do not tell how bones turn. Programs that made it can "
    "also write .bvh."
)
ELSEWHERE = {  # endings of motions that are not read, and what to do
    ".fbx": BLENDER,
    ".blend": BLENDER.replace("File > Import > FBX", "File > Open"),
    **dict.fromkeys((".pkl", ".pickle", ".pt", ".pth", ".p"), PICKLE),
    **dict.fromkeys((".zip", ".7z", ".rar", ".gz", ".xz"), PACKED),
    **dict.fromkeys((".c3d", ".trc"), POINTS),
    **dict.fromkeys((".vmd", ".vpd", ".pmx", ".pmd"), MMD),
}
UNKNOWN = "{name} is of no kind of motion that is read here: {endings}."


def is_motion(path: Path) -> bool:
    """Whether a path is that of a motion's file or folder rather than of a clip, by its name."""
    return named(path)[0].suffix.lower() in READERS.keys() | ELSEWHERE.keys() or path.is_dir()


def read_file(
    path: Path,
    joints: np.ndarray,  # [55, 3] rest joints where the file has no body of its own, metres
) -> Recorded:
    """The motion of a file or of a folder of frames.

    Raises `MotionError` with a sentence for whatever holds none.
    """
    if path.is_dir():
        from svad.motion.readers.folder import read_folder

        return read_folder(path, joints)
    path, name = named(path)
    suffix = path.suffix.lower()
    if suffix not in READERS:
        words = ELSEWHERE.get(suffix, UNKNOWN)
        raise MotionError(words.format(name=path.name, endings=", ".join(SUFFIXES)))
    return READERS[suffix]()(path, joints, **({} if name is None else {"name": name}))


def named(path: Path) -> tuple[Path, str | None]:
    """A path and what stands after its `#`: the name of one of several motions in a file."""
    file, mark, name = path.name.rpartition("#")
    several = mark and Path(file).suffix.lower() in SEVERAL
    return (path.with_name(file), name) if several else (path, None)
