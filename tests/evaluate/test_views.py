"""What the training gets of the truth, and on which body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from svad.evaluate.truth import Truth
from svad.evaluate.views import (
    heads,
    held_out,
    on_fitted_body,
    photo_view,
    posed_joints,
    training_clip,
)
from svad.types import PHOTO_WEIGHT
from tests.helpers import tiny_avatar, tiny_subject


def test_every_fifth_frame_is_kept():
    learn, kept = held_out(60)
    assert len(kept) == 12 and kept[:2] == [4, 9] and not set(learn) & set(kept)
    assert sorted(learn + kept) == list(range(60))


def test_the_right_body_stands_where_the_truth_stands(truth: Truth):
    clip = on_fitted_body(truth.turning, truth, tiny_subject())
    # metres, single precision through a least squares fit at 4 m
    torch.testing.assert_close(
        clip.poses.translation, truth.turning.poses.translation, atol=1e-4, rtol=0
    )


def test_another_body_covers_the_truth_in_the_picture(truth: Truth):
    subject = tiny_subject()
    small = replace(subject, body=replace(subject.body, joints=0.9 * subject.body.joints))
    clip = on_fitted_body(truth.turning, truth, small)
    joints = torch.from_numpy(small.body.joints).float()
    for i, camera in enumerate(clip.cameras):
        own = posed_joints(joints, truth.parents, clip.poses[[i]])[0, :22]
        wanted = posed_joints(truth.joints, truth.parents, truth.turning.poses[[i]])[0, :22]
        miss = camera.project(own)[:, :2] - camera.project(wanted)[:, :2]
        assert np.abs(miss).max() < 0.01  # px: the same person seen from nearer
    near, far = clip.poses.translation[:, 2], truth.turning.poses.translation[:, 2]
    torch.testing.assert_close(near, 0.9 * far, atol=1e-3, rtol=0)


def test_the_photo_leads_the_training_and_held_out_frames_are_not_in_it(truth: Truth):
    clip = training_clip(truth, tiny_subject(), tiny_avatar(), "perfect", 0)
    learn, _ = held_out(len(truth.turning.rgb))
    assert len(clip.rgb) == len(clip.cameras) == len(clip.poses) == 1 + len(learn)
    assert clip.weight[0] == PHOTO_WEIGHT > clip.weight[1:].max()
    np.testing.assert_array_equal(clip.rgb[1:], truth.turning.rgb[learn])
    assert clip.start is not None
    # the photo's person lies on the canvas where its camera sees the body
    seen = clip.cameras[0].project(posed_joints(truth.joints, truth.parents, clip.poses[[0]])[0])
    x, y = np.floor(seen[[0, 3, 6, 9], :2]).astype(int).T
    assert (clip.matte[0][y, x] > 200).all()


def test_heads_are_at_the_top_of_the_person(truth: Truth):
    for (x, y, radius), matte in zip(heads(truth, truth.turning), truth.turning.matte, strict=True):
        rows, _ = np.nonzero(matte > 127)
        assert abs(y - radius - rows.min()) < radius
        assert matte[int(y), int(x)] > 127


def test_the_photo_is_measured_at_the_working_size(truth: Truth):
    subject = tiny_subject(96, 128)
    view = photo_view(truth, subject)
    assert view.rgb.shape == (1, 128, 96, 3) and view.matte.shape == (1, 128, 96)
    assert view.cameras == (subject.body.camera,)
