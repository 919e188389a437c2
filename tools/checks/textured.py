"""Optional: the textured .glb drawn from the photo's camera against front.png, and from all sides.

    python -m tools.checks.textured OUT SHEET.png

Prints the PSNR inside the matte, where the mesh's cover counts as alpha; the sheet is to be looked
at for light seams at the borders of charts.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from svad.body.skin import pose_points
from svad.export.gltf import read_accessor, unpack
from svad.geometry.camera import Camera, orbit_camera
from svad.geometry.sampling import bilinear
from svad.geometry.zbuffer import draw
from svad.media.images import read_png, save_png, to_uint8
from svad.run.export import export
from svad.run.results import load_avatar
from svad.types import Avatar

FINER = 3  # samples of a pixel along each axis
WANTED = 28.0  # dB


class Surface:
    """The textured mesh of a .glb."""

    def __init__(self, data: bytes, avatar: Avatar) -> None:
        document, buffer = unpack(data)
        part = document["meshes"][0]["primitives"][0]
        read = {k: read_accessor(document, buffer, n) for k, n in part["attributes"].items()}
        view = document["bufferViews"][document["images"][0]["bufferView"]]
        start = view["byteOffset"]
        jpeg = buffer[start : start + view["byteLength"]]
        self.picture = np.asarray(Image.open(io.BytesIO(jpeg)), np.float32) / 255
        lift = document["nodes"][0]["translation"] - avatar.joints[0].numpy()
        self.points = (read["POSITION"] - lift).astype(np.float32)
        self.faces = read_accessor(document, buffer, part["indices"]).reshape(-1, 3)
        self.uv = read["TEXCOORD_0"]
        self.ids = torch.from_numpy(read["JOINTS_0"].astype(np.int64))
        self.weights = torch.from_numpy(read["WEIGHTS_0"])

    def posed(self, avatar: Avatar) -> np.ndarray:  # [V, 3]
        """The vertices as in the photo."""
        points = torch.from_numpy(self.points)
        return pose_points(
            points, self.ids, self.weights, avatar.joints, avatar.parents, avatar.pose[0]
        ).numpy()

    def drawn(self, points: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """Colours [H, W, 3] premultiplied, and cover [H, W]."""
        fine = camera.resized(FINER)
        maps = draw(fine.project(points), self.faces, fine.height, fine.width)
        at = maps.values(self.faces, self.uv) * self.picture.shape[0]
        image = bilinear(self.picture, at.reshape(-1, 2)).reshape(*at.shape[:2], 3)
        image *= maps.covered[..., None]
        shape = (camera.height, FINER, camera.width, FINER)
        return image.reshape(*shape, 3).mean((1, 3)), maps.covered.reshape(shape).mean((1, 3))


def main(out: Path, sheet: Path) -> int:
    """Prints the figure and writes the sheet; 1 where the figure is too low."""
    avatar = load_avatar(out)
    with tempfile.TemporaryDirectory() as place:
        data = export(out, "textured", Path(place)).read_bytes()
    surface, front = Surface(data, avatar), read_png(out / "front.png") / 255.0
    image, _ = surface.drawn(surface.posed(avatar), avatar.camera)
    inside = front[..., 3] > 0.5
    error = (image - front[..., :3] * front[..., 3:]) ** 2
    psnr = -10 * np.log10(error[inside].mean())
    print(f"{out.name}: {psnr:.2f} dB, {len(surface.faces)} triangles, {len(data) / 1e6:.1f} MB")
    middle = (surface.points.max(0) + surface.points.min(0)) / 2
    views = []
    for yaw in range(0, 360, 60):
        camera = orbit_camera(middle, 4.5, np.radians(yaw), 0.05, 1700, 700, 800)
        colour, cover = surface.drawn(surface.points, camera)
        views.append(colour + 1 - cover[..., None])
    rows = [np.concatenate(views[k : k + 3], 1) for k in (0, 3)]
    save_png(sheet, to_uint8(np.concatenate(rows).astype(np.float32)))
    return int(psnr < WANTED)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
