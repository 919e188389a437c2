"""The rasteriser without a GPU, as a differentiable torch function."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from svad.compute.compiled import spread as _spread
from svad.geometry.camera import Camera
from svad.splat.kernels import drawing, drawing_backward, projection, projection_backward, tiles
from svad.splat.kernels.constants import BLOCK, GROUP, RECORD, TILE_H, TILE_W

NEAR = 0.01  # metres; nearer splats are not drawn


def _ranges(n: int, threads: int, smallest: int) -> list[int]:
    """Edges of about equal parts of range(n): a few per thread, none under `smallest`.

    They lie between blocks, so that the same splats share a block on any number of threads.
    """
    parts = 1 if threads == 1 else max(1, min(4 * threads, n // smallest))
    block = BLOCK
    return [n * p // parts // block * block for p in range(parts)] + [n]


def _aligned(rows: int, columns: int) -> np.ndarray:  # [rows, columns] float32
    """An empty array that starts on a line of the cache (64 bytes)."""
    size = rows * columns * 4
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(np.float32).reshape(rows, columns)


def camera_numbers(camera: Camera, near: float) -> np.ndarray:  # [21] float32
    """A camera for kernels: R row by row, t (m), focal and centre (px), the least and largest x / z
    and then y / z that the Jacobian is taken at (15 % outside of the picture), the least depth (m).
    """
    focal, center = np.asarray(camera.focal, float), np.asarray(camera.center, float)
    size = np.asarray([camera.width, camera.height], float)
    low, high = (-center - 0.15 * size) / focal, (1.15 * size - center) / focal
    limits = (low[0], high[0], low[1], high[1])
    values = (*np.ravel(camera.rotation), *camera.translation, *focal, *center, *limits, near)
    return np.asarray(values, np.float32)


class _Scene:
    """One projected, sorted and binned view: what both passes share."""

    def __init__(
        self,
        arrays: tuple[np.ndarray, ...],
        camera: Camera,
        near: float,
        threads: int,
        gradients: bool,
    ) -> None:
        n = arrays[0].shape[0]
        self.width, self.height, self.threads = camera.width, camera.height, threads
        self.camera = camera_numbers(camera, near)
        self.tiles_x = -(-self.width // TILE_W)
        self.record = _aligned(n, RECORD)
        self.integers = self.record.view(np.int32)
        self.count, self.slot = np.empty(n, np.int32), np.empty(n, np.int64)
        number = self.tiles_x * -(-self.height // TILE_H)
        box, depth = np.empty((n, 4), np.int32), np.empty(n, np.float32)
        *points, opacities, colors = arrays
        edges = np.asarray(_ranges(n, threads, 2048))
        amounts = np.zeros((len(edges) - 1, number), np.int32)
        _spread(
            projection.project, range(len(edges)), threads, edges,
            *(a.reshape(-1) for a in points), opacities, opacities.view(np.int32), colors,
            self.camera, self.width, self.height, self.tiles_x,
            self.record, self.integers, box, depth, self.count, amounts,
        )  # fmt: skip

        ids = np.empty(n, np.int32)
        bits = depth.view(np.int32)
        visible, self.pairs = tiles.sort_by_depth(bits, self.count, self.slot, ids)
        if self.pairs >= 2**31:
            raise MemoryError(f"{n} splats cover {self.pairs} tiles: too many or too large")
        self.starts, places = np.empty(number + 1, np.int64), np.empty((2, number), np.int64)
        tiles.start_tiles(amounts, self.starts, places)
        self.lists = np.empty(self.pairs, np.int32)
        self.rows = np.empty(self.pairs if gradients else 0, np.int32)
        halves = np.asarray([0, visible // 2 if threads > 1 else visible, visible])
        _spread(
            tiles.fill_tiles, range(3), threads,
            halves, ids, box, self.tiles_x, places, self.slot, self.lists, self.rows,
        )  # fmt: skip

    def tile_ranges(self) -> list[int]:
        """Edges of runs of tiles with about equal work."""
        parts = 1 if self.threads == 1 else 8 * self.threads
        work = self.starts + 8 * np.arange(len(self.starts))
        edges = np.searchsorted(work, work[-1] * np.arange(1, parts) / parts)
        return [0, *edges.tolist(), len(self.starts) - 1]

    def draw(self, colors: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """Padded colors [N, ..] to image [H, W, channels] and the light left [H, W]."""
        image = np.empty((self.height, self.width, max(3, channels)), np.float32)
        left = np.empty((self.height, self.width), np.float32)
        view = (self.tiles_x, self.width, self.height, self.starts, self.lists)
        splats = (self.record, self.integers)
        edges = self.tile_ranges()
        if channels <= 3:
            _spread(drawing.draw3, edges, self.threads, *view, *splats, image, left)
            return image[..., :channels], left
        for group in _groups(channels):
            _spread(drawing.draw, edges, self.threads, *view, *splats, colors, *group, image, left)
        return image, left

    def draw_backward(
        self,
        colors: np.ndarray,  # [N, C] padded
        image: np.ndarray,  # [H, W, channels]
        left: np.ndarray,  # [H, W]
        g_image: np.ndarray,  # [H, W, channels]
        g_alpha: np.ndarray,  # [H, W]
    ) -> np.ndarray:  # [I, 6 + C] sums per (splat, tile) pair
        channels = image.shape[2]
        sums = np.empty((self.pairs, 6 + colors.shape[1]), np.float32)
        view = (self.tiles_x, self.width, self.height, self.starts, self.lists)
        splats = (self.record, self.integers)
        edges = self.tile_ranges()
        if colors.shape[1] == 3:
            pictures = (self.rows, _three(image), left, _three(g_image), g_alpha, sums)
            _spread(drawing_backward.draw3_backward, edges, self.threads, *view, *splats, *pictures)
            return sums
        pictures = (self.rows, image, left, g_image, g_alpha, sums)
        for group in _groups(channels):
            shared = (*view, *splats, colors, *group, *pictures)
            _spread(drawing_backward.draw_backward, edges, self.threads, *shared)
        return sums

    def project_backward(
        self, arrays: tuple[np.ndarray, ...], sums: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Gradients of means, scales, quats, opacities and padded colours."""
        grads = tuple(np.empty_like(a) for a in arrays)
        n = len(self.count)
        _spread(
            projection_backward.project_backward, _ranges(n, self.threads, 2048), self.threads,
            *(a.reshape(-1) for a in arrays[:4]), self.camera, self.count, self.slot, sums,
            *grads,
        )  # fmt: skip
        return grads


def _groups(channels: int) -> list[tuple[int, int]]:
    """(first channel, number of channels) of the groups drawn in one go."""
    step = GROUP
    return [(first, min(step, channels - first)) for first in range(0, channels, step)]


def _three(picture: np.ndarray) -> np.ndarray:  # [H, W, 1..3] -> [H, W, 3]
    missing = 3 - picture.shape[2]
    return np.pad(picture, ((0, 0), (0, 0), (0, missing))) if missing else picture


def _padded(colors: np.ndarray) -> np.ndarray:
    """Columns of zeros up to the number the kernels work on: 3 or a multiple of 4."""
    channels = colors.shape[1]
    wanted = 3 if channels <= 3 else -(-channels // 4) * 4
    return colors if wanted == channels else np.pad(colors, ((0, 0), (0, wanted - channels)))


class _Rasterize(torch.autograd.Function):
    """One picture; every array of a call is its own, so calls may overlap in time and in graphs."""

    @staticmethod
    def forward(ctx, means, scales, quats, opacities, colors, camera, near, threads):
        tensors = (means, scales, quats, opacities, colors)
        arrays = [t.detach().numpy() for t in tensors]
        arrays[4] = _padded(arrays[4])
        scene = _Scene(tuple(arrays), camera, near, threads, any(ctx.needs_input_grad))
        picture, left = scene.draw(arrays[4], colors.shape[1])
        image, alpha = torch.from_numpy(picture).contiguous(), torch.from_numpy(1 - left)
        ctx.save_for_backward(*tensors, image)
        ctx.scene, ctx.left = scene, left
        return image, alpha

    @staticmethod
    @once_differentiable
    def backward(ctx, g_image, g_alpha):
        *tensors, image = ctx.saved_tensors
        arrays = [t.detach().numpy() for t in tensors]
        channels = arrays[4].shape[1]
        arrays[4] = _padded(arrays[4])
        sums = ctx.scene.draw_backward(
            arrays[4], image.detach().numpy(), ctx.left,
            g_image.contiguous().numpy(), g_alpha.contiguous().numpy(),
        )  # fmt: skip
        grads = [torch.from_numpy(g) for g in ctx.scene.project_backward(tuple(arrays), sums)]
        grads[4] = grads[4][:, :channels].contiguous()
        return *grads, None, None, None


def rasterize(
    means: Tensor,  # [N, 3]
    scales: Tensor,  # [N, 3]
    quats: Tensor,  # [N, 4]
    opacities: Tensor,  # [N]
    colors: Tensor,  # [N, C]
    camera: Camera,
    threads: int | None = None,
    near: float = NEAR,
) -> tuple[Tensor, Tensor]:  # image [H, W, C] over black, alpha [H, W]
    """Draw one view; differentiable once with respect to all five tensors.

    Splats nearer than `near` metres are not drawn.
    `threads` defaults to torch's number; the result does not depend on it.
    """
    tensors = (means, scales, quats, opacities, colors)
    tensors = tuple(t.to("cpu", torch.float32).contiguous() for t in tensors)
    return _Rasterize.apply(*tensors, camera, near, threads or torch.get_num_threads())


def warm_up() -> None:
    """Compile every kernel, or read it from the cache; later renders then start at once."""
    means = torch.tensor([[0.0, 0.0, 2.0], [0.1, 0.0, 2.5]])
    camera = Camera(np.eye(3), np.zeros(3), (16.0, 16.0), (8.0, 8.0), 16, 16)
    for channels in (3, 4):
        shapes = (means, means * 0 + 0.1, torch.ones(2, 4), torch.ones(2), torch.ones(2, channels))
        image, alpha = rasterize(
            *(t.clone().requires_grad_() for t in shapes), camera=camera, threads=1
        )
        (image.sum() + alpha.sum()).backward()
