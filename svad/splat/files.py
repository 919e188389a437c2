"""Gaussians as files that splat viewers open: .ply (3DGS layout) and .splat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from svad.core.errors import SvadError
from svad.core.files import write_bytes
from svad.core.rounding import rounded
from svad.splat.gaussians import Gaussians, half_turn

SH0 = 0.28209479177387814  # value of the constant spherical harmonic, 1 / (2 sqrt(pi))
LEAST_SCALE = 1e-9  # metres, so that the logarithm stays finite
LEAST_OPACITY = 1e-6  # likewise for the logit, at both ends
PLY_PLACE = ("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2")
PLY_SHAPE = ("opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3")
PLY_PROPERTIES = (*PLY_PLACE, *PLY_SHAPE)
# Of the colour's dependence on the view, up to the third degree of the harmonics: here all zero.
PLY_REST = tuple(f"f_rest_{k}" for k in range(45))
# Steps that a .ply's numbers are multiples of: 15 um, a third of a step of 8-bit colours, half a
# percent of sizes and opacities, a twentieth of a degree. An archive packs them to three fifths.
PLACE_STEP, COLOR_STEP, SIZE_STEP, TURN_STEP = 2**-16, 2**-8, 2**-8, 2**-11
MAX_HEADER = 65536  # bytes
PLY_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "<i2", "int16": "<i2",
    "ushort": "<u2", "uint16": "<u2", "int": "<i4", "int32": "<i4", "uint": "<u4", "uint32": "<u4",
    "float": "<f4", "float32": "<f4", "double": "<f8", "float64": "<f8",
}  # fmt: skip
SPLAT = np.dtype(
    [("position", "<f4", 3), ("scale", "<f4", 3), ("color", "u1", 4), ("rotation", "u1", 4)]
)


class SplatFileError(SvadError):
    """A file is not one that Gaussians can be read from; the message says what was found."""


def as_captured(
    gaussians: Gaussians,  # N, y up, facing +z
) -> Gaussians:  # N
    """Turned the way scenes captured by cameras lie in files: y points down.

    Viewers turn a file by 180 degrees about z to bring y up (SuperSplat and whatever else is built
    on PlayCanvas) and start with a camera at +z: so this is the same half turn, (-x, -y, z), and
    the person stands upright there and faces the camera. It is its own inverse.
    """
    return half_turn(gaussians, 2)


def save_ply(path: Path, gaussians: Gaussians, *, full: bool = False) -> None:
    """Write a binary little-endian .ply as 3D Gaussian Splatting programs write it.

    68 bytes per Gaussian: position, zero normal, constant colour coefficient, logit of the
    opacity, logarithms of the scales, quaternion (real part first). `full`: the 45 coefficients
    of view-dependent colour as well, all zero, 248 bytes; some programs insist on them.
    Coordinates are rounded to 15 um, the others likewise finer than anybody sees. The file appears
    whole or not at all. Raises ValueError unless there are three colours, OutputError when the file
    cannot be written.
    """
    write_bytes(path, ply_bytes(gaussians, full=full))


def ply_bytes(gaussians: Gaussians, *, full: bool = False) -> bytes:
    """What `save_ply` writes."""
    means, scales, quats, opacities, colors = _arrays(gaussians)
    opacities = np.clip(opacities, LEAST_OPACITY, 1 - LEAST_OPACITY)
    rest = PLY_REST if full else ()
    columns = (
        rounded(means, PLACE_STEP), np.zeros_like(means),
        rounded((colors - 0.5) / SH0, COLOR_STEP), np.zeros((len(means), len(rest))),
        rounded(np.log(opacities / (1 - opacities))[:, None], SIZE_STEP),
        rounded(np.log(np.maximum(scales, LEAST_SCALE)), SIZE_STEP), rounded(quats, TURN_STEP),
    )  # fmt: skip
    names = (*PLY_PLACE, *rest, *PLY_SHAPE)
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(means)}"]
    header += [f"property float {name}" for name in names] + ["end_header", ""]
    table = np.concatenate([column.astype("<f4") for column in columns], 1)
    return "\n".join(header).encode("ascii") + table.tobytes()


def load_ply(path: Path) -> Gaussians:
    """Read a binary .ply of Gaussians; other properties are ignored.

    Raises SplatFileError when the file is not such a file or is cut short.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SplatFileError(f"{path} cannot be read: {error.strerror}.") from error
    table = _ply_table(path, data)
    missing = [n for n in PLY_PROPERTIES if n not in table.dtype.names and n[0] != "n"]
    if missing:
        raise SplatFileError(
            f"{path.name} is a .ply without Gaussians: {', '.join(missing)} not found. "
            "Choose one that a 3D Gaussian Splatting program has written."
        )

    def columns(*names: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([table[n].astype(np.float32) for n in names], 1))

    quats = columns("rot_0", "rot_1", "rot_2", "rot_3")
    return Gaussians(
        means=columns("x", "y", "z"),
        scales=columns("scale_0", "scale_1", "scale_2").exp(),
        quats=quats / quats.norm(dim=1, keepdim=True).clamp_min(1e-12),
        opacities=columns("opacity")[:, 0].sigmoid(),
        colors=columns("f_dc_0", "f_dc_1", "f_dc_2") * SH0 + 0.5,
    )


def save_splat(path: Path, gaussians: Gaussians) -> None:
    """Write a .splat: 32 bytes per Gaussian, the most visible ones first.

    Position and scale as float32, colour and opacity as RGBA bytes, quaternion as four bytes
    (128 = 0). Ordered by size x opacity, so that a viewer shows the coarse shape while the file
    still arrives. Raises ValueError unless there are three colours, OutputError when the file
    cannot be written.
    """
    means, scales, quats, opacities, colors = _arrays(gaussians)
    table = np.empty(len(means), SPLAT)
    table["position"], table["scale"] = means, scales
    table["color"][:, :3] = np.round(np.clip(colors, 0, 1) * 255)
    table["color"][:, 3] = np.round(np.clip(opacities, 0, 1) * 255)
    table["rotation"] = np.clip(np.round(quats * 128 + 128), 0, 255)
    order = np.argsort(-(scales.prod(1) * opacities), kind="stable")
    write_bytes(path, table[order].tobytes())


def _arrays(g: Gaussians) -> tuple[np.ndarray, ...]:
    """Means, scales, unit quaternions, opacities and colours as float64; bad splats left out."""
    if g.colors.shape[1] != 3:
        raise ValueError(f"a file holds three colours per Gaussian, got {g.colors.shape[1]}")
    tensors = (g.means, g.scales, g.quats, g.opacities, g.colors)
    arrays = [t.detach().cpu().double().numpy() for t in tensors]
    good = np.logical_and.reduce([np.isfinite(a).all(tuple(range(1, a.ndim))) for a in arrays])
    arrays = [a[good] for a in arrays]
    length = np.linalg.norm(arrays[2], axis=1, keepdims=True)
    arrays[2] = np.where(length > 0, arrays[2] / np.maximum(length, 1e-12), (1.0, 0.0, 0.0, 0.0))
    return tuple(arrays)


def _ply_table(path: Path, data: bytes) -> np.ndarray:
    """The vertices of a binary .ply as a structured array."""
    mark = b"end_header"
    end = data.find(mark, 0, MAX_HEADER)
    if not data.startswith(b"ply") or end < 0:
        raise SplatFileError(f"{path.name} is not a .ply file.")
    lines = [line.split() for line in data[:end].decode("ascii", "replace").splitlines()]
    if ["format", "binary_little_endian", "1.0"] not in lines:
        raise SplatFileError(
            f"{path.name} is not a binary little-endian .ply; save it in that form."
        )
    vertex = next((i for i, line in enumerate(lines) if line[:1] == ["element"]), None)
    words = lines[vertex] if vertex is not None else []
    if vertex is None or len(words) != 3 or words[1] != "vertex" or not words[2].isdigit():
        raise SplatFileError(f"{path.name} does not begin with vertices.")
    rest = lines[vertex + 1 :]
    stop = next((i for i, line in enumerate(rest) if line[:1] == ["element"]), len(rest))
    try:
        properties = [line for line in rest[:stop] if line[:1] == ["property"]]
        kind = np.dtype([(name, PLY_TYPES[form]) for _, form, name in properties])
    except (KeyError, ValueError) as error:
        raise SplatFileError(f"{path.name} has vertex properties of an unknown form.") from error
    count = int(words[2])
    start = end + len(mark) + (2 if data[end + len(mark) :][:2] == b"\r\n" else 1)
    if len(data) < start + count * kind.itemsize:
        raise SplatFileError(
            f"{path.name} is cut short: {count} Gaussians were announced, but only "
            f"{max(0, len(data) - start) // max(1, kind.itemsize)} are there."
        )
    return np.frombuffer(data, kind, count, start)
