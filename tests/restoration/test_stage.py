"""The stage end to end on drawn clips: what is restored, what is left, and no flicker."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.config.restoration import RestorationConfig, TileConfig
from svad.core.errors import NothingToDo, SettingError, Stopped
from svad.restoration import published
from svad.restoration.align import crop, robust_similarity
from svad.restoration.enlarge import enlarge
from svad.restoration.mask import ellipse_mask
from svad.restoration.models import RestorationModels
from svad.restoration.paste import RestoredFace
from svad.restoration.report import spans
from svad.restoration.stage import RestorationStage
from svad.restoration.upsampler import Upsampler
from svad.types import Clip
from tests.restoration.clips import (
    MadeUpRestorer,
    RowsDetector,
    clip_of,
    known_points,
    micro_restorer,
    row,
    still_clip,
    subject,
)
from tests.restoration.networks import tiny_rrdb

STEPS = 2
NO_FILES = {"bfrffusion": "BFRffusion.ckpt", "realesrgan_x2": "RealESRGAN_x2plus.pth"}


class Log:
    """A report that keeps everything; `stop_at` is the call that raises `Stopped`."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.calls: list[tuple[int, int, str, Any]] = []
        self.stop_at = stop_at

    def __call__(self, done: int, total: int, note: str, picture: Any = None) -> None:
        assert 0 <= done <= total and note
        self.calls.append((done, total, note, picture))
        if self.stop_at == len(self.calls):
            raise Stopped("Stopped.")

    @property
    def last(self) -> str:
        return self.calls[-1][2]


def run(clip: Clip, log: Log | None = None, settings: dict | None = None, **models: Any) -> Clip:
    config = RestorationConfig(**{"steps": STEPS, "batch": 4, **(settings or {})})
    stage = RestorationStage(config, load_free_body(), lambda: RestorationModels(**models))
    return stage.run(subject(), clip, log or Log())


def cast_on(found: Clip, plain: Clip, frame: int) -> np.ndarray:  # [h, w] bool
    """Where the made-up restorer's colour shows."""
    change = found.rgb[frame].astype(int) - plain.rgb[frame]
    return (change[..., 0] > 20) & (change[..., 2] < -20)


@pytest.fixture(scope="module")
def clip() -> Clip:
    """The photo, a turn, a profile, the face cut by the border, nobody, the back."""
    clip = clip_of([(20.0, 0.0), (90.0, 0.0), (0.0, 0.405), (0.0, 0.0), (180.0, 0.0)])
    clip.rgb[4], clip.matte[4] = 255, 0
    return clip


@pytest.fixture(scope="module")
def plain(clip: Clip) -> Clip:
    """Enlarged without any network."""
    return run(clip, missing=NO_FILES)


def test_steps_that_cannot_be_spaced_are_a_sentence(clip: Clip) -> None:
    with pytest.raises(SettingError, match="30 steps cannot be spaced evenly"):
        run(clip, None, {"steps": 30}, missing=NO_FILES)


@pytest.mark.parametrize("scale", [1.5, 2.0])
def test_everything_grows_together(clip: Clip, scale: float) -> None:
    log = Log()
    found = run(clip, log, {"scale": scale}, missing=NO_FILES)
    height, width = (round(scale * n) for n in clip.rgb.shape[1:3])
    assert found.rgb.shape == (6, height, width, 3) and found.matte.shape == (6, height, width)
    for before, after in zip(clip.cameras, found.cameras, strict=True):
        assert (after.width, after.height) == (width, height)
        point = np.array([0.1, 0.2, -2.0])
        pixel, small = after.project(point), before.project(point)
        assert np.allclose(pixel[:2] / (width, height), small[:2] / clip.rgb.shape[2:0:-1])
    back = found.rgb.reshape(6, height, width, 3)[:, :: round(2 * scale), :: round(2 * scale)]
    assert np.abs(back.mean((1, 2)) - clip.rgb.mean((1, 2))).max() < 3
    assert found.poses is clip.poses and (found.yaw == clip.yaw).all()
    for name in NO_FILES.values():
        assert name in log.last
    assert "background only" in log.last and "without a network" in log.last
    assert log.calls[-1][3].ndim == 3


def test_faces_are_restored_where_they_show_and_named_where_not(clip: Clip, plain: Clip) -> None:
    log, restorer = Log(), MadeUpRestorer()
    found = run(clip, log, restorer=restorer)
    shows = [cast_on(found, plain, t) for t in range(6)]
    assert [bool(s.sum() > 200) for s in shows] == [True, True, False, False, False, False]
    for t in (0, 1):  # the colour sits on the face, softly, and nowhere else
        rows, columns = np.nonzero(shows[t])
        middle = known_points(clip, t).mean(0) * 1.5
        assert np.abs([columns.mean() - middle[0], rows.mean() - middle[1]]).max() < 6
        assert np.ptp(rows) < 80 and np.ptp(columns) < 70
        matte = found.matte[t] > 250
        assert matte[shows[t]].mean() > 0.97
    for t in (2, 3, 4, 5):
        assert (found.rgb[t] == plain.rgb[t]).all()
    assert "2 faces restored" in log.last
    assert "cut by the border: frame 3" in log.last and "no face found: frame 4" in log.last
    assert "2 faces left" in log.last


def test_a_failed_face_leaves_its_frame_and_is_named(clip: Clip, plain: Clip) -> None:
    log = Log()
    found = run(clip, log, restorer=MadeUpRestorer(fail=(1,)))
    assert (found.rgb[1] == plain.rgb[1]).all() and (found.rgb[0] != plain.rgb[0]).any()
    assert "not restored by the network: frame 1" in log.last and "1 faces restored" in log.last


def test_of_two_faces_the_persons_own_is_restored(plain: Clip) -> None:
    clip = clip_of([(0.0, 0.0)])
    mine = known_points(clip, 1)
    other = mine * 0.9 + (95, 130)
    square = np.s_[int(mine[:, 1].min()) - 20 : int(mine[:, 1].max()) + 20]
    face = clip.rgb[1][square, int(mine[:, 0].min()) - 15 : int(mine[:, 0].max()) + 15]
    top, left = (int(v) for v in (other[:, 1].min() - 15, other[:, 0].min() - 12))
    clip.rgb[1, top : top + face.shape[0], left : left + face.shape[1]] = face
    rows = {frame.tobytes(): np.stack([row(other), row(mine)]) for frame in clip.rgb}
    found = run(clip, restorer=MadeUpRestorer(), detector=RowsDetector(rows))
    shows = cast_on(found, run(clip), 1)
    inside = np.rint(1.5 * mine).astype(int)
    assert shows[inside[2, 1], inside[2, 0]]
    assert not shows[:, round(1.5 * left) :].any()


def test_the_photo_keeps_a_face_that_is_sharper(clip: Clip, plain: Clip) -> None:
    class Blurring(MadeUpRestorer):
        def attempt(self, crops, noise, count, report, batch):
            found = super().attempt(crops, noise, count, report, batch)
            found.rgb[:] = found.rgb.mean((1, 2), keepdims=True).astype(np.uint8)
            return found

    log = Log()
    found = run(clip, log, restorer=Blurring())
    assert (found.rgb[0] == plain.rgb[0]).all() and (found.rgb[1] != plain.rgb[1]).any()
    assert "the photo keeps its own face" in log.last and "1 faces restored" in log.last


def test_faces_of_several_frames_share_a_call_and_the_noise() -> None:
    clip, restorer = clip_of([(20.0, 0.0), (0.0, 0.0)] * 2 + [(20.0, 0.0)]), MadeUpRestorer()
    run(clip, restorer=restorer)
    assert restorer.batches == [4, 2]
    assert all(torch.equal(noise, restorer.noises[0]) for noise in restorer.noises)
    other = MadeUpRestorer()
    run(clip, settings={"seed": 1}, restorer=other)
    assert not torch.equal(other.noises[0], restorer.noises[0])


def test_real_networks_end_to_end_in_any_batch() -> None:
    clip = clip_of([(20.0, 0.0), (180.0, 0.0)])
    networks = {"restorer": micro_restorer(), "upsampler": tiny_rrdb()}
    log, once = Log(), {"steps": 1}
    together = run(clip, log, once, **networks)
    again = run(clip, None, once, **networks)
    assert together.rgb.tobytes() == again.rgb.tobytes()
    alone = run(clip, None, once | {"batch": 1}, **networks)
    assert np.abs(together.rgb.astype(int) - alone.rgb).max() <= 1
    other = run(clip, None, once | {"seed": 3}, **networks)
    assert [bool((together.rgb[t] != other.rgb[t]).any()) for t in range(3)] == [True, True, False]
    assert "2 faces restored" in log.last
    done = [call[0] for call in log.calls]
    assert done == sorted(done) and log.calls[-1][0] == log.calls[-1][1]
    assert sum("step" in call[2] for call in log.calls) == 1
    pictures = [call[3] for call in log.calls if call[3] is not None]
    assert pictures and all(p.dtype == np.uint8 and p.ndim == 3 for p in pictures)


@pytest.mark.parametrize("sigma", [0.7, 1.5])
@pytest.mark.parametrize("background", ["plain", "network"])
@pytest.mark.parametrize("faces", ["none", "made up"])
def test_a_still_clip_does_not_flicker_more_than_before(
    sigma: float, background: str, faces: str
) -> None:
    clip = still_clip(4, sigma)
    models: dict[str, Any] = {}
    if background == "network":
        models["upsampler"] = tiny_rrdb()
    if faces == "made up":
        models["restorer"] = MadeUpRestorer(sharper=0.0)
    tiles = TileConfig(pixels=2**15, tile=160, overlap=64)
    found = run(clip, settings={"cpu_tiles": tiles}, **models)

    def flicker(rgb: np.ndarray) -> float:
        frames = rgb[1:].astype(int)  # the photo is treated by itself: it may keep its face
        return float(np.abs(np.diff(frames, axis=0)).mean())

    assert flicker(found.rgb) <= flicker(clip.rgb)


@pytest.mark.parametrize("network", [False, True])
def test_strict_does_as_the_published_parts_do(network: bool) -> None:
    clip, restorer = clip_of([(20.0, 0.0)]), MadeUpRestorer()
    upsampler = tiny_rrdb() if network else None
    found = run(clip, None, {"strict": True}, restorer=restorer, upsampler=upsampler)
    matrix = robust_similarity(known_points(clip, 1))
    upright = published.crop(clip.rgb[1], matrix)
    sharp = MadeUpRestorer().attempt(upright[None], restorer.noises[0], 0, Log(), 1).rgb[0]
    mask = ellipse_mask() * (crop(clip.matte[1], matrix) / 255.0)
    large = enlarge(clip.rgb[1], (480, 360))
    if upsampler is not None:
        large = Upsampler(upsampler, TileConfig()).published(clip.rgb[1], (480, 360))
    want = published.paste(large, [RestoredFace(sharp, mask, matrix)], (1.5, 1.5))
    assert (found.rgb[1] == want).all()


@pytest.mark.parametrize("call", [1, 2, 3, 5, 8])
def test_stop_works_between_calls(clip: Clip, call: int) -> None:
    log = Log(stop_at=call)
    with pytest.raises(Stopped):
        run(clip, log, restorer=MadeUpRestorer(), upsampler=tiny_rrdb())
    assert len(log.calls) == call


def test_without_networks_and_growth_there_is_nothing_to_do(clip: Clip) -> None:
    with pytest.raises(NothingToDo, match="RealESRGAN_x2plus.pth"):
        run(clip, settings={"scale": 1.0}, missing=NO_FILES)


def test_the_mask_without_a_network_stays_on_the_person(clip: Clip) -> None:
    """The oval reaches to the outline, never into the background."""
    frames = replace(clip, matte=np.where(np.arange(240) < 126, clip.matte, 0).astype(np.uint8))
    found, plain = run(frames, restorer=MadeUpRestorer()), run(frames)
    shows = cast_on(found, plain, 0)
    assert shows.any() and not shows[:, round(1.5 * 126) + 3 :].any()


def test_frames_are_named_in_spans() -> None:
    assert spans([4]) == "frame 4" and spans([3, 9, 4, 5]) == "frames 3 to 5, 9"
    assert spans(range(0, 60, 2)).endswith("22 and 18 more")
