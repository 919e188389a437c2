"""The rasteriser on NVIDIA Warp, as a differentiable torch function: CUDA without a compiler."""

from __future__ import annotations

import functools
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from svad.geometry.camera import Camera
from svad.splat.render_cpu import NEAR, camera_numbers

# Warp keeps the stream it launches on in its device object, which all threads share.
_LAUNCHING = threading.RLock()


def rasterize(
    means: Tensor,  # [B, N, 3]
    scales: Tensor,  # [B, N, 3]
    quats: Tensor,  # [B, N, 4]
    opacities: Tensor,  # [B, N]
    colors: Tensor,  # [D, N, C]
    cameras: Sequence[Camera],
    near: float = NEAR,
) -> tuple[Tensor, Tensor]:  # image [T, H, W, C] over black, alpha [T, H, W]
    """Draw T views of one size, of one set of splats (B = 1) or of one each (B = T), in one go.

    Colours are shared (D = 1) or not (D = T) whatever B is. Differentiable once with respect to
    all five tensors; works on their device and, on CUDA, on torch's current stream. Splats nearer
    than `near` metres are not drawn. Raises MemoryError where splats and the tiles they cover make
    2^31 pairs or more. Source: Kerbl et al. 2023, section 6, with the conventions of `kernels`.
    """
    tensors = tuple(t.float().contiguous() for t in (means, scales, quats, opacities, colors))
    numbers = np.stack([camera_numbers(view, near) for view in cameras])
    placed = torch.from_numpy(numbers).to(means.device)
    return _Rasterize.apply(*tensors, placed, (cameras[0].width, cameras[0].height))


def draws_on_cuda() -> bool:
    """Whether Warp is installed and can use a CUDA device here; starts Warp."""
    try:
        return _warp().is_cuda_available()
    except (ImportError, RuntimeError, OSError):  # not installed, or its library does not load
        return False


@functools.cache
def _warp() -> Any:
    """The package, started quietly and with a folder for compiled kernels that can be written."""
    import warp as wp

    wp.config.log_level = wp.LOG_WARNING
    if "WARP_CACHE_PATH" not in os.environ and not _has_cache_folder():
        wp.config.kernel_cache_dir = tempfile.mkdtemp(prefix="svad-warp-")
    wp.init()
    return wp


def _has_cache_folder() -> bool:
    """Whether the folder that Warp would take, below the user's cache folder, can be written."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "warp"
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK)
    except (OSError, RuntimeError):  # a file lies there, or the user has no home
        return False


@functools.cache
def _stream(device: torch.device, handle: int) -> Any:
    """Torch's stream of that handle for Warp."""
    return _warp().Stream(_warp().device_from_torch(device), cuda_stream=handle)


@contextmanager
def _launching(device: torch.device) -> Iterator[Any]:
    """The package, set to launch on that device and on torch's stream."""
    wp = _warp()
    with _LAUNCHING, wp.ScopedDevice(wp.device_from_torch(device)):
        if device.type != "cuda":
            yield wp
            return
        stream = _stream(device, torch.cuda.current_stream(device).cuda_stream)
        with wp.ScopedStream(stream, sync_enter=False):
            yield wp


class _Scene:
    """All views projected, sorted and binned: what both passes share."""

    def __init__(self, tensors: Sequence[Tensor], cameras: Tensor, size: tuple[int, int]) -> None:
        from svad.splat import warp_drawing, warp_kernels

        self.kernels, self.drawing = warp_kernels, warp_drawing
        self.device, self.cameras, self.size = tensors[0].device, cameras, size
        sets, self.splats = tensors[0].shape[:2]
        self.views = len(cameras)
        self.shared = int(sets == 1 and self.views > 1)
        self.shared_colors = int(len(tensors[4]) == 1 and self.views > 1)
        self.tiles = (-(-size[0] // warp_kernels.TILE_W), -(-size[1] // warp_kernels.TILE_H))
        with _launching(self.device) as wp:
            box, depth = self._project(wp, tensors)
            self._sort(wp, box, depth)

    def _empty(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.empty(shape, dtype=dtype, device=self.device)

    def _launch(self, wp: Any, kernel: Any, threads: int, *inputs: Any, block: int = 256) -> None:
        """`inputs` are numbers, tuples of them, tensors, or (tensor, type of its elements)."""
        wp.launch(kernel, threads, inputs, device=wp.get_device(), block_dim=block)

    def _project(self, wp: Any, tensors: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        rows = self.views * self.splats
        self.record = self._empty(rows, 2, 4)
        self.count = self._empty(rows, dtype=torch.int32)
        box, depth = self._empty(rows, 4, dtype=torch.int32), self._empty(rows)
        inputs = (
            *self._splats(wp, tensors), _array(wp, tensors[4].flatten(0, 1)),
            _array(wp, self.cameras), wp.vec2i(self.shared, self.shared_colors), self.splats,
            wp.vec2i(*self.size),
            _array(wp, self.record, wp.vec4), _array(wp, box, wp.vec4i), _array(wp, depth),
            _array(wp, self.count),
        )  # fmt: skip
        self._launch(wp, self.kernels.project, rows, *inputs)
        return box, depth

    @staticmethod
    def _splats(wp: Any, tensors: Sequence[Tensor]) -> list[Any]:
        """Means, scales, quaternions and opacities for a kernel."""
        kinds = wp.vec3, wp.vec3, wp.vec4, wp.float32
        return [
            _array(wp, t.flatten(0, 1), kind) for t, kind in zip(tensors[:4], kinds, strict=True)
        ]

    def _sort(self, wp: Any, box: Tensor, depth: Tensor) -> None:
        """The splats of each tile, nearest first, ties in their order: rows [I], starts."""
        ends = torch.cumsum(self.count, 0)
        pairs = int(ends[-1]) if len(ends) else 0
        if pairs >= 2**31:
            raise MemoryError(f"{self.splats} splats cover {pairs} tiles: too many or too large")
        bits, tiles = self.kernels.DEPTH_BITS, self.views * self.tiles[0] * self.tiles[1]
        keys = self._empty(2 * pairs, dtype=torch.int64)  # the sort needs twice the room
        self.rows = self._empty(2 * pairs, dtype=torch.int32)
        ends = ends.int()
        self._launch(
            wp, self.kernels.list_pairs, self.views * self.splats,
            _array(wp, box, wp.vec4i), _array(wp, depth.view(torch.int32)),
            _array(wp, self.count), _array(wp, ends), self.splats, wp.vec2i(*self.tiles),
            _array(wp, keys), _array(wp, self.rows),
        )  # fmt: skip
        last = bits + (tiles - 1).bit_length()
        wp.utils.radix_sort_pairs(_array(wp, keys), _array(wp, self.rows), pairs, 0, last)
        edges = torch.arange(tiles + 1, device=self.device) << bits
        self.starts = torch.searchsorted(keys[:pairs], edges, out_int32=True)
        self.rows = self.rows[:pairs].clone()

    def _groups(self, channels: int) -> Iterator[tuple[Any, Any, int, int]]:
        """Kernels for, width of, first and number of the channels of each group."""
        narrow, wide = self.drawing.WIDTHS
        width = narrow if channels <= narrow else wide
        kernels = self.drawing.compositing(width)
        for first in range(0, channels, width):
            yield kernels, width, first, min(width, channels - first)

    def _lists(self, wp: Any, colors: Tensor, group: tuple[int, int, int]) -> tuple[Any, ...]:
        """The arguments that drawing and its gradient share."""
        return (
            _array(wp, self.record.flatten()), _array(wp, colors.flatten()),
            self.shared_colors, self.splats, _array(wp, self.rows), _array(wp, self.starts),
            wp.vec2i(*self.tiles), wp.vec2i(*self.size), wp.vec3i(*group),
        )  # fmt: skip

    @property
    def threads(self) -> int:
        """One for each pixel of all tiles."""
        return self.views * self.tiles[0] * self.tiles[1] * self.drawing.TILE

    def draw(self, colors: Tensor) -> tuple[Tensor, Tensor]:
        """Colours [D, N, C] to image [T, H, W, C] and the light left [T, H, W]."""
        channels = colors.shape[2]
        shape = (self.views, self.size[1], self.size[0])
        image, left = self._empty(*shape, channels), self._empty(*shape)
        with _launching(self.device) as wp:
            pictures = _array(wp, image.flatten()), _array(wp, left.flatten())
            for kernels, width, first, count in self._groups(channels):
                some = _columns(colors, first, count, width)
                lists = self._lists(wp, some, (channels, first, count))
                self._launch(
                    wp, kernels.draw, self.threads, *lists, *pictures, block=self.drawing.TILE
                )
        return image, left

    def draw_backward(
        self, colors: Tensor, image: Tensor, left: Tensor, g_image: Tensor, g_alpha: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Moments [T N, MOMENTS] and gradients of the colours [D, N, C]."""
        rows, channels = self.views * self.splats, colors.shape[2]
        moments = torch.zeros(rows, self.kernels.MOMENTS, device=self.device)
        parts = []
        with _launching(self.device) as wp:
            tensors = (image, left, g_image, g_alpha, moments)
            pictures = [_array(wp, t.flatten()) for t in tensors]
            for kernels, width, first, count in self._groups(channels):
                some = _columns(colors, first, count, width)
                grads = torch.zeros_like(some)
                lists = self._lists(wp, some, (channels, first, count))
                self._launch(
                    wp, kernels.draw_backward, self.threads, *lists, *pictures,
                    _array(wp, grads.flatten()), block=self.drawing.TILE,
                )  # fmt: skip
                parts.append(grads[..., :count])
        return moments, parts[0].contiguous() if len(parts) == 1 else torch.cat(parts, -1)

    def project_backward(self, tensors: Sequence[Tensor], moments: Tensor) -> list[Tensor]:
        """Gradients of means, scales, quaternions and opacities."""
        grads = [torch.empty_like(t) for t in tensors[:4]]
        with _launching(self.device) as wp:
            self._launch(
                wp, self.kernels.project_backward, len(tensors[0]) * self.splats,
                *self._splats(wp, tensors), _array(wp, self.cameras), self.shared, self.splats,
                _array(wp, self.count), _array(wp, moments), *self._splats(wp, grads),
            )  # fmt: skip
        return grads


def _array(wp: Any, tensor: Tensor, kind: Any = None) -> Any:
    """A tensor's memory for a kernel, without a copy."""
    return wp.from_torch(tensor, kind, requires_grad=False)


def _columns(colors: Tensor, first: int, count: int, width: int) -> Tensor:
    """Columns from `first` on, filled up with zeros to `width`, on a boundary of 16 bytes."""
    if count < width:
        return torch.nn.functional.pad(colors[..., first : first + count], (0, width - count))
    some = colors[..., first : first + count].contiguous()
    return some if some.data_ptr() % 16 == 0 else some.clone()


class _Rasterize(torch.autograd.Function):
    """All views of a call in one go."""

    @staticmethod
    def forward(ctx, means, scales, quats, opacities, colors, cameras, size):
        tensors = [t.detach() for t in (means, scales, quats, opacities, colors)]
        scene = _Scene(tensors, cameras, size)
        image, left = scene.draw(tensors[4])
        ctx.save_for_backward(means, scales, quats, opacities, colors, image, left)
        ctx.scene = scene
        return image, 1 - left

    @staticmethod
    @once_differentiable
    def backward(ctx, g_image, g_alpha):
        *tensors, image, left = (t.detach() for t in ctx.saved_tensors)
        pictures = image, left, g_image.contiguous(), g_alpha.contiguous()
        moments, g_colors = ctx.scene.draw_backward(tensors[4], *pictures)
        return *ctx.scene.project_backward(tensors, moments), g_colors, None, None
