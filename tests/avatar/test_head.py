"""A head that was bound by a wrong pose is held as the frames hold it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from svad.avatar.front import front_picture
from svad.avatar.train.head import MOST, front_frames, head_as_frames
from svad.avatar.train.pictures import ClipError
from svad.body.skeleton import Joint
from svad.core.progress import silent
from svad.motion.stance import bound_anew
from svad.types import Avatar, Clip
from tests.avatar.drawn import clip_of, first_guess, psnr

TILT = 0.2  # radians, by which the photo's fit held the neck wrong
FRONT = np.linspace(-0.9, 0.9, 6)  # yaws, radians


def tilted(avatar: Avatar) -> Avatar:
    """The same in its photo, its pose there taken for another."""
    rest = torch.zeros(len(Joint), 3)
    rest[Joint.NECK, 2] = TILT
    return bound_anew(avatar, rest)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return clip_of(first_guess(), [*FRONT, 2.0, 3.0])


def test_a_tilted_head_is_put_right(clip: Clip) -> None:
    wrong = tilted(first_guess())
    found = head_as_frames(wrong, clip, 120)
    assert psnr(found, clip) > psnr(wrong, clip) + 3
    head = wrong.joints[Joint.HEAD], found.joints[Joint.HEAD]
    assert abs(head[1][0]) < 0.4 * abs(head[0][0])  # over the neck again


def test_the_photo_stays_as_it_is(clip: Clip) -> None:
    wrong = tilted(first_guess())
    kept = wrong.gaussians.means.clone()
    pictures = [front_picture(one) for one in (wrong, head_as_frames(wrong, clip, 40))]
    before, after = (picture.astype(np.float32) for picture in pictures)
    assert np.abs(before - after).mean() < 1
    assert torch.equal(wrong.gaussians.means, kept)  # what was given is left alone


@pytest.mark.parametrize(("yaws", "steps"), [(FRONT, 0), ([0.0, 0.5, 2.0, 3.0], 40)])
def test_nothing_is_looked_for(yaws: list[float], steps: int) -> None:
    """Unless it is asked for, and from the few frames that show the front."""
    avatar = first_guess()
    assert head_as_frames(avatar, clip_of(avatar, yaws), steps) is avatar


def test_frames_are_of_the_front_and_evenly_spread() -> None:
    yaws = [*np.linspace(-1, 1, 3 * MOST), *np.linspace(1.2, 3, 10)]
    rows = front_frames(clip_of(first_guess(), yaws))
    assert len(rows) == MOST and rows[0] == 0 and rows[-1] == 3 * MOST - 1
    assert np.ptp(np.diff(rows)) <= 1


def test_frames_that_tell_nothing_are_refused(clip: Clip) -> None:
    empty = Clip(**{**vars(clip), "matte": 0 * clip.matte})
    with pytest.raises(ClipError):
        head_as_frames(first_guess(), empty, 5, silent)
