"""The head of a person, made and drawn with tiny filled networks."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from svad.core.errors import Stopped
from svad.identity import head as module
from svad.identity.head import Head, HeadAvatar, HeadFrames
from svad.identity.refiner import Refiner
from svad.splat.covariance import covariances
from tests.identity.small import (
    drawn_noise,
    small_cameras,
    small_crop,
    small_head,
    small_sizes,
    small_vertices,
)

FRAMES = 3


def silent(done: int, total: int, note: str, picture: np.ndarray | None = None) -> None:
    """A report nobody reads."""
    assert 0 <= done <= total and note


def avatar_of(head: Head, seed: int) -> HeadAvatar:
    return head.build(small_crop(seed), np.zeros(300, np.float32), small_cameras(1)[0])


def frames_of(head: Head, avatar: HeadAvatar, **options: object) -> HeadFrames:
    return head.render(avatar, small_vertices(FRAMES), small_cameras(FRAMES), silent, **options)


def same(a: HeadAvatar, b: HeadAvatar) -> bool:
    return all(torch.equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))


def test_two_people_one_after_the_other_get_two_heads() -> None:
    head = small_head()
    first, second = avatar_of(head, 0), avatar_of(head, 1)
    one, two = frames_of(head, first), frames_of(head, second)
    assert not same(first, second)
    assert (one.rgb != two.rgb).mean() > 0.05
    # the first one's head is still the first one's, and a fresh process would agree
    assert same(first, avatar_of(small_head(), 0))
    assert np.array_equal(one.rgb, frames_of(head, first).rgb)


def test_the_same_input_gives_the_same_bytes() -> None:
    head = small_head()
    runs = [frames_of(head, avatar_of(head, 0)) for _ in range(2)]
    assert runs[0].rgb.tobytes() == runs[1].rgb.tobytes()
    assert runs[0].alpha.tobytes() == runs[1].alpha.tobytes()


def test_frames_have_the_size_and_kind_that_fusion_takes() -> None:
    head = small_head()
    frames = frames_of(head, avatar_of(head, 0))
    side = small_sizes().refiner.image
    assert frames.rgb.shape == (FRAMES, side, side, 3) and frames.rgb.dtype == np.uint8
    assert frames.alpha.shape == (FRAMES, side, side) and frames.alpha.dtype == np.uint8
    assert frames.alpha.max() > 100
    assert len({frame.tobytes() for frame in frames.rgb}) == FRAMES


def test_frames_do_not_depend_on_their_batch() -> None:
    head = small_head()
    avatar = avatar_of(head, 0)
    alone, together = (frames_of(head, avatar, batch=n).rgb.astype(int) for n in (1, FRAMES))
    assert abs(alone - together).max() <= 1  # sums in another order


def test_nothing_flickers_that_does_not_move() -> None:
    head = small_head()
    avatar = avatar_of(head, 0)
    vertices, cameras = small_vertices(1).expand(4, -1, -1), small_cameras(1).expand(4, -1, -1)
    frames = head.render(avatar, vertices, cameras, silent, batch=3).rgb
    assert abs(frames.astype(int) - frames[:1]).max() <= 1
    other = drawn_noise(small_sizes().refiner, torch.Generator().manual_seed(1))
    drawn = head.render(avatar, vertices, cameras, silent, batch=4, noise=other).rgb
    assert (drawn == drawn[:1]).all() and (drawn != frames).any()


def test_expressions_move_the_face_and_nothing_else() -> None:
    avatar = avatar_of(small_head(), 0)
    first, second = (avatar.gaussians(v) for v in small_vertices(2))
    count = small_sizes().lifting.vertices
    assert len(first) == small_sizes().gaussians
    assert (first.means[:count] != second.means[:count]).all(-1).all()
    assert torch.equal(first.means[count:], second.means[count:])
    assert first.colors is second.colors is avatar.colors


def test_vertices_keep_the_covariances_of_their_short_quaternions() -> None:
    head = small_head()
    found = {}
    lift = head.network.lift
    head.network.lift = lambda *inputs: found.setdefault("raw", lift(*inputs))
    avatar = avatar_of(head, 0)
    raw, count = found["raw"], small_sizes().lifting.vertices
    expected = covariances(raw.scales, raw.rotations)
    assert (raw.rotations[:count].norm(dim=-1) < 0.9).any()
    assert torch.allclose(avatar.covariances, expected, atol=1e-8)
    assert torch.allclose(avatar.quats.norm(dim=-1), torch.ones(len(expected)), atol=1e-5)
    assert torch.equal(avatar.scales[count:], raw.scales[count:])


def test_preview_is_the_first_three_channels() -> None:
    head = small_head()
    avatar = avatar_of(head, 0)
    vertices, cameras = small_vertices(2), small_cameras(2)
    preview = head.preview(avatar, vertices, cameras)
    full = head.draw(avatar, vertices, cameras)
    expected = (full.image[..., :3].clamp(0, 1) * 255).round().numpy()
    assert abs(preview.rgb - expected).max() <= 1
    assert np.array_equal(preview.alpha, frames_of(head, avatar).alpha[:2])
    # what the refiner does not see, it does not change
    assert not torch.equal(full.image[..., 3:], torch.zeros_like(full.image[..., 3:]))


def test_half_precision_gives_almost_the_same() -> None:
    pictures = []
    for dtype in (torch.float32, torch.float16):
        head = small_head(dtype)
        pictures.append(frames_of(head, avatar_of(head, 0)).rgb.astype(int))
    assert 0 < abs(pictures[0] - pictures[1]).max() <= 4


def test_where_half_precision_overflows_float32_takes_over(monkeypatch) -> None:
    half, full = small_head(torch.float16), small_head()
    avatar = avatar_of(half, 0)
    loud = replace(avatar, colors=3e5 * avatar.colors)
    rounds = []
    copy = Refiner.in_float32
    monkeypatch.setattr(Refiner, "in_float32", lambda self: rounds.append(1) or copy(self))
    one, two = frames_of(half, loud), frames_of(full, loud)
    assert len(rounds) == 1  # once, not for every batch
    assert abs(one.rgb.astype(int) - two.rgb).mean() < 2
    assert half.network.upsampler.is_half  # the next person starts anew
    frames_of(half, avatar)
    assert len(rounds) == 1


def test_progress_is_told_with_pictures_and_can_be_stopped() -> None:
    head = small_head()
    avatar = avatar_of(head, 0)
    told = []

    def report(done: int, total: int, note: str, picture: np.ndarray | None = None) -> None:
        told.append((done, total, picture is not None))

    head.render(avatar, small_vertices(FRAMES), small_cameras(FRAMES), report)
    assert [t for t in told if t[2]] == [(n, FRAMES, True) for n in (1, 2, 3)]

    def stop(*told: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        head.render(avatar, small_vertices(FRAMES), small_cameras(FRAMES), stop)


def test_nothing_is_kept_for_gradients() -> None:
    head = small_head()
    assert not any(p.requires_grad for p in head.network.parameters())
    avatar = avatar_of(head, 0)
    assert not any(getattr(avatar, f.name).requires_grad for f in fields(avatar))


def test_covariances_are_handed_to_gsplat(monkeypatch) -> None:
    """What reaches the rasteriser; the drawing itself needs a GPU."""
    head = small_head()
    avatar = avatar_of(head, 0)
    asked = []
    draw = module.render
    monkeypatch.setattr(
        module, "render", lambda *given, **options: asked.append(options) or draw(*given, **options)
    )
    for backend, known in (("gsplat", avatar.covariances), ("warp", None)):
        monkeypatch.setattr(module, "backend_for", lambda _, backend=backend: backend)
        head.draw(avatar, small_vertices(2), small_cameras(2))
        options = asked.pop()
        assert options["covariances"] is known and options["near"] == 0.2 and not asked


@pytest.mark.gpu
def test_cuda_draws_the_same() -> None:
    frames = []
    for device in ("cpu", "cuda"):
        head = small_head().to(device)
        frames.append(frames_of(head, avatar_of(head, 0)).rgb.astype(int))
    assert abs(frames[0] - frames[1]).mean() < 1


@pytest.mark.gpu
def test_half_precision_on_a_gpu_is_near() -> None:
    """The refiner's convolutions keep 10 bits of mantissa, the rest is float32."""
    here, there = small_head(), small_head().to("cuda", torch.float16)
    assert there.network.upsampler.is_half
    want, found = (frames_of(h, avatar_of(h, 0)).rgb.astype(int) for h in (here, there))
    assert abs(found - want).mean() < 2
