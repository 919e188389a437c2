"""Which pictures a training draws, which it believes, and when it has seen enough."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.avatar.train.pictures import (
    CHECKS,
    LEAST,
    PATIENCE,
    SETTLED,
    ClipError,
    Pictures,
    require_frames,
)
from svad.config.avatar import TrainConfig
from svad.core.errors import Stopped
from svad.types import Clip
from tests.avatar.drawn import SMALL, all_around, person

CPU = torch.device("cpu")
FRAMES = 12


def made(config: TrainConfig = SMALL, clip: Clip | None = None) -> Pictures:
    avatar, subject, plain = person(all_around(FRAMES))
    return Pictures(avatar, subject, clip or plain, config, CPU)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return person(all_around(FRAMES))[2]


def drawn(
    pictures: Pictures, steps: int, seed: int = 0, part: float = 0.5
) -> tuple[Counter, list[list[int]]]:
    """How often each row is drawn, and the rows of every step that are not the photo's."""
    random, counts, lots = np.random.default_rng(seed), Counter(), []
    for _ in range(steps):
        rows, _ = pictures.draw_lots(random, part)
        counts.update(rows)
        if rows != [pictures.photo]:
            lots.append(rows)
    return counts, lots


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.8])
def test_the_photo_has_its_share_of_the_steps(share: float) -> None:
    counts, _ = drawn(made(replace(SMALL, photo=share)), 2000)
    assert counts[FRAMES] / 2000 == pytest.approx(share, abs=0.04)  # 3.5 deviations


@pytest.mark.parametrize(("share", "last", "wanted"), [(0.2, 0.6, 0.6), (0.5, 0.1, 0.5), (0, 1, 0)])
def test_the_photo_is_drawn_more_in_the_last_part(share: float, last: float, wanted: float) -> None:
    config = replace(SMALL, photo=share, photo_last=min(last, 0.99))
    counts, _ = drawn(made(config), 2000, part=0.9)
    assert counts[FRAMES] / 2000 == pytest.approx(wanted, abs=0.04)


def test_the_photo_is_drawn_alone_and_frames_each_once() -> None:
    pictures = made(replace(SMALL, batch=4))
    counts, lots = drawn(pictures, 400)
    assert counts[FRAMES] and all(len(set(rows)) == 4 for rows in lots)
    assert all(FRAMES not in rows for rows in lots)


def test_frames_come_around_before_one_comes_again() -> None:
    _, lots = drawn(made(replace(SMALL, photo=0.0)), 5 * FRAMES)
    flat = [rows[0] for rows in lots]
    for turn in range(5):
        assert sorted(flat[turn * FRAMES : (turn + 1) * FRAMES]) == list(range(FRAMES))


def test_frames_are_drawn_as_often_as_they_are_believed(clip: Clip) -> None:
    weight = np.full(FRAMES, 0.8, np.float32)
    weight[3], weight[7] = 0.4, 0.2
    counts, _ = drawn(made(replace(SMALL, photo=0.0), replace(clip, weight=weight)), 6000)
    usual = np.mean([counts[i] for i in range(FRAMES) if i not in (3, 7)])
    assert counts[3] / usual == pytest.approx(0.5, abs=0.07)
    assert counts[7] / usual == pytest.approx(0.25, abs=0.07)


def test_frames_that_tell_nothing_are_left_out(clip: Clip) -> None:
    weight, matte = clip.weight.copy(), clip.matte.copy()
    weight[2], weight[5] = LEAST / 2, 0
    matte[8] = 0
    good = require_frames(replace(clip, weight=weight, matte=matte))
    assert good == [i for i in range(FRAMES) if i not in (2, 5, 8)]


def test_the_photo_among_the_frames_is_not_learned_twice(clip: Clip) -> None:
    weight = clip.weight.copy()
    weight[0] = 1.0  # as a made clip has it
    assert 0 not in require_frames(replace(clip, weight=weight))
    one = Clip(
        clip.rgb[:1], clip.matte[:1], clip.poses[[0]], clip.cameras[:1],
        np.ones(1, np.float32), clip.yaw[:1], None,
    )  # fmt: skip
    assert require_frames(one) == [0]  # but it is better than none


@pytest.mark.parametrize("fault", ["not believed", "nobody there"])
def test_a_clip_with_all_frames_lost_gets_a_sentence(clip: Clip, fault: str) -> None:
    if fault == "not believed":
        bad = replace(clip, weight=np.zeros(FRAMES, np.float32))
    else:
        bad = replace(clip, matte=np.zeros_like(clip.matte))
    with pytest.raises(ClipError, match="No frame of the clip shows the person"):
        made(clip=bad)


def test_every_so_many_frames_are_held_out() -> None:
    pictures = made(replace(SMALL, holdout=4))
    assert pictures.held == [2, 6, 10]
    assert sorted(pictures.frames + pictures.held) == list(range(FRAMES))
    assert made(replace(SMALL, holdout=0)).held == []
    assert made(replace(SMALL, holdout=FRAMES)).held == []  # too few frames to give one away


def test_held_out_frames_are_told_from_the_others() -> None:
    pictures, random = made(replace(SMALL, holdout=4, batch=2)), np.random.default_rng(0)
    seen = Counter()
    for _ in range(1000):
        rows, held = pictures.draw_lots(random, 0.5)
        seen[held] += 1
        assert held == (set(rows) <= set(pictures.held))
    # as often as their share of the frames' half
    assert seen[True] / 1000 == pytest.approx(0.5 * 3 / FRAMES, abs=0.04)


def note(pictures: Pictures, errors: dict[int, float], times: int = 40) -> None:
    """Tells errors for all frames, again and again, late in a training."""
    for _ in range(times):
        for row in pictures.frames + pictures.held:
            pictures.note_errors([row], [errors.get(row, 0.05)], 0.5)


def test_frames_far_worse_than_the_others_are_given_up() -> None:
    pictures = made(replace(SMALL, photo=0.0))
    note(pictures, {4: 0.5, 9: 0.2})
    assert pictures.lost == {4, 9}
    counts, lots = drawn(pictures, 500)
    assert counts[4] == counts[9] == 0 and len(counts) == FRAMES - 2 and all(lots)


def test_a_frame_that_is_bad_but_once_stays() -> None:
    pictures = made()
    note(pictures, {})
    pictures.note_errors([4], [0.09], 0.5)
    assert not pictures.lost
    pictures.note_errors([5], [9.0], SETTLED / 2)  # early, everything is far off
    assert not pictures.lost


def test_never_more_than_a_quarter_is_given_up() -> None:
    pictures = made()
    note(pictures, {row: 0.5 + row for row in range(6, FRAMES)})
    assert len(pictures.lost) <= FRAMES // 4
    batch = made(replace(SMALL, batch=5))
    note(batch, {})
    batch.note_errors([0, 1, 2, 3, 4], [9.0] * 5, 0.6)
    assert len(batch.lost) <= FRAMES // 4


def test_in_a_short_clip_nothing_is_given_up() -> None:
    avatar, subject, short = person(all_around(5))
    pictures = Pictures(avatar, subject, short, SMALL, CPU)
    note(pictures, {2: 5.0})
    assert not pictures.lost  # a median of five tells little


def test_photo_and_held_out_frames_are_never_given_up() -> None:
    pictures = made(replace(SMALL, holdout=4))
    note(pictures, dict.fromkeys(pictures.held, 3.0))
    pictures.note_errors([pictures.photo], [9.0], 0.9)
    assert not pictures.lost


def checked(errors: list[float], config: TrainConfig) -> list[bool]:
    """Whether to stop, after each of these errors of the held-out frames."""
    pictures, said = made(config), []
    for at, error in enumerate(errors):
        part = (at + 1.01) / CHECKS
        pictures.errors |= dict.fromkeys(pictures.held, error)
        pictures.note_errors([pictures.frames[0]], [0.1], part)
        said.append(pictures.held_out_says_stop(part))
    return said


def test_it_stops_when_the_held_out_frames_come_no_nearer() -> None:
    config = replace(SMALL, holdout=4, slow_from=0.5)
    falling = [1.0 / (k + 1) for k in range(CHECKS)]
    assert not any(checked(falling, config))
    level = falling[:10] + [falling[9]] * (CHECKS - 10)
    stopped = checked(level, config)
    assert stopped[-1] and not any(stopped[: 10 + PATIENCE - 1])
    rising = falling[:12] + [falling[11] * (1 + 0.1 * k) for k in range(1, CHECKS - 11)]
    assert checked(rising, config)[-1]


def test_errors_of_half_the_size_are_no_measure() -> None:
    """Larger pictures are missed by more, though the frames come nearer."""
    config = replace(SMALL, holdout=4, small_until=0.35, slow_from=0.5)
    sizes = [0.5 if (at + 1.01) / CHECKS < config.small_until else 1.0 for at in range(CHECKS)]
    assert not any(checked([size * 0.95**at for at, size in enumerate(sizes)], config))


def test_it_does_not_stop_at_the_full_rates() -> None:
    config = replace(SMALL, holdout=4, slow_from=0.7)
    stopped = checked([0.5] * CHECKS, config)
    first = stopped.index(True)
    assert (first + 1.01) / CHECKS >= config.slow_from and first >= PATIENCE


def test_without_held_out_frames_it_never_stops() -> None:
    assert not any(checked([0.5] * CHECKS, replace(SMALL, holdout=0)))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("size", [0, 1, 2])
def test_pictures_of_a_step_have_one_size(batch: int, size: int) -> None:
    pictures = made(replace(SMALL, batch=batch))
    views = pictures.views([0, 3, 5][:batch], size)
    assert len({view.color.shape for view in views}) == 1
    assert all(v.camera.height == v.color.shape[0] for v in views)
    whole = pictures.views([0], 1)[0].camera.focal[1]
    assert views[0].camera.focal[1] == pytest.approx(whole / 2 if size == 0 else whole)


def test_the_photo_shows_the_person_as_large_as_the_frames_and_last_at_its_own_size() -> None:
    avatar, subject, clip = person(all_around(FRAMES))
    pictures = Pictures(avatar, subject, clip, replace(SMALL, height=40), CPU)
    focal = [pictures.views([pictures.photo], size)[0].camera.focal[1] for size in (0, 1, 2)]
    frames = [pictures.views([0], size)[0].camera.focal[1] for size in (0, 1)]
    assert focal[:2] == pytest.approx(frames, rel=0.03)  # sizes are whole pixels
    assert focal[2] == pytest.approx(avatar.camera.focal[1])


def test_the_photos_outline_moves_the_avatar_less() -> None:
    config = replace(SMALL, photo_band=0.03, photo_outline=0.2)
    pictures = made(config)
    photo = [pictures.photo]
    weight = pictures.outline(photo, pictures.views(photo, 1), 0.5)
    assert weight is not None
    assert {round(float(w), 4) for w in weight.unique()} == {0.2, 1.0}
    assert pictures.outline([0], pictures.views([0], 1), 0.5) is None
    assert pictures.outline(photo, pictures.views(photo, 1), 0.9) is None


def test_pictures_cut_beforehand_are_those_that_are_drawn() -> None:
    pictures, told = made(replace(SMALL, holdout=4)), []
    pictures.cut_all(told.append)
    assert told and "of 12" in told[-1]
    fresh = made(replace(SMALL, holdout=4))
    for row in (0, pictures.held[0], pictures.photo):
        mine, theirs = pictures.views([row], 1)[0], fresh.views([row], 1)[0]
        assert torch.equal(mine.color, theirs.color) and mine is pictures.views([row], 1)[0]

    def stop(note: str) -> None:
        raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        fresh.cut_all(stop)
