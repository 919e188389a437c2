"""Writes the textured mesh in the A-pose as .obj with .mtl and .png, in one zip."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from svad.body.skin import pose_points
from svad.export.context import ExportContext
from svad.export.glb_surface import unit_normals
from svad.export.zipped import write_zip
from svad.motion.standing import a_pose

NAME = "avatar"
MATERIAL = f"""\
newmtl surface
Ka 1 1 1
Kd 1 1 1
Ks 0 0 0
illum 1
map_Kd {NAME}.png
"""


def write_obj(context: ExportContext, path: Path) -> None:
    """The zip with avatar.obj, avatar.mtl and avatar.png; metres, y up, soles at y = 0."""
    made, avatar = context.textured, context.avatar
    joints = avatar.joints.cpu().numpy()
    pose = a_pose(joints, avatar.parents, len(avatar.expression_names))[0].to("cpu")
    mesh = made.mesh
    points = pose_points(
        torch.from_numpy(mesh.vertices), torch.from_numpy(mesh.joint_ids).long(),
        torch.from_numpy(mesh.joint_weights), avatar.joints.cpu(), avatar.parents, pose,
    ).numpy()  # fmt: skip
    points = points - np.array([0, points[:, 1].min(), 0], np.float32)
    text = obj_text(points, mesh.faces, made.flat.uv, made.flat.faces)
    png = io.BytesIO()
    Image.fromarray(made.picture).save(png, "PNG")
    members = {f"{NAME}.obj": text, f"{NAME}.mtl": MATERIAL, f"{NAME}.png": png.getvalue()}
    write_zip(path, members.items())


def obj_text(
    points: np.ndarray,  # [V, 3] metres
    faces: np.ndarray,  # [F, 3]
    uv: np.ndarray,  # [U, 2] v grows downward
    corners: np.ndarray,  # [F, 3] of `uv`
) -> str:
    """Wavefront text: a vertex once, so that the mesh is closed; v grows upward there."""
    normals = unit_normals(points, faces)
    lines = [f"mtllib {NAME}.mtl", f"o {NAME}"]
    lines += ["v {:.6f} {:.6f} {:.6f}".format(*p) for p in points.tolist()]
    lines += [f"vt {u:.6f} {1 - v:.6f}" for u, v in uv.tolist()]
    lines += ["vn {:.4f} {:.4f} {:.4f}".format(*n) for n in normals.tolist()]
    lines.append("usemtl surface")
    for (a, b, c), (i, j, k) in zip((faces + 1).tolist(), (corners + 1).tolist(), strict=True):
        lines.append(f"f {a}/{i}/{a} {b}/{j}/{b} {c}/{k}/{c}")
    return "\n".join(lines) + "\n"
