"""Alignment: the published numbers in strict mode, sense in the default one."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from svad.media.images import read_rgb
from svad.pose.align import IMPROVED, LIMITS, align, frontal_frame, measure_scales
from svad.pose.draw import frame_sizes, pose_frames
from svad.pose.keypoints import Figure
from tests.pose.figures import golden_figure, person
from tests.pose.test_draw import differing_share


class Case:
    """One alignment case of the golden file."""

    def __init__(self, folder: Path, name: str) -> None:
        with np.load(folder / "align.npz") as file:
            own = [key for key in file.files if key.startswith(name + "/")]
            self.data = {key.partition("/")[2]: file[key] for key in own}
        self.name, self.picture = name, read_rgb(folder / f"frame_{name}.png")
        self.reference_size = tuple(int(v) for v in self.data["ref_hw"])
        self.clip_size = tuple(int(v) for v in self.data["video_hw"])
        self.range = {key: int(self.data[key]) for key in ("align_frame", "max_frame")}

    def figures(self) -> tuple[Figure, list[Figure]]:
        reference = golden_figure(self.data, "ref_", self.aspect)
        aspect = self.clip_size[1] / self.clip_size[0]
        count = len(self.data["src_body"])
        return reference, [golden_figure(self.data, "src_", aspect, t) for t in range(count)]

    @property
    def aspect(self) -> float:
        return self.reference_size[1] / self.reference_size[0]


def test_strict_alignment_matches_the_published_one(golden: Path, align_case: str) -> None:
    case = Case(golden, align_case)
    result = align(*case.figures(), **case.range, strict=True)
    for name, value in asdict(result.scales).items():
        assert value == pytest.approx(float(case.data[f"scale_{name}"]), abs=1e-6), name
    assert len(result.figures) == len(case.data["out_body"])
    for t, figure in enumerate(result.figures):
        # the published code rounds anchors to float32; a scale of 50 makes 2e-6 of that
        for ours, theirs in (("body", "body"), ("hands", "hands"), ("face", "faces")):
            expected = case.data[f"out_{theirs}"][t].reshape(getattr(figure, ours).shape)
            np.testing.assert_allclose(getattr(figure, ours), expected, atol=1e-5, rtol=0)
        np.testing.assert_array_equal(figure.body_seen, case.data["out_subset"][t, 0] >= 0)


def test_the_last_frame_looks_as_published(golden: Path, align_case: str) -> None:
    case = Case(golden, align_case)
    figures = align(*case.figures(), **case.range, strict=True).figures
    sizes = frame_sizes(case.clip_size, case.reference_size)
    assert sizes == (tuple(case.data["canvas_hw"]), tuple(case.data["frame_hw"]))
    (frame,) = pose_frames(figures[-1:], case.clip_size, case.reference_size)
    assert differing_share(frame, case.picture) <= 0.01  # 0 with the OpenCV it was made with


def test_the_default_agrees_where_nothing_is_wrong(golden: Path, align_case: str) -> None:
    case = Case(golden, align_case)
    reference, frames = case.figures()
    used = [reference, frames[case.range["align_frame"]]]
    strict = align(reference, frames, **case.range, strict=True)
    sane = all(LIMITS[0] <= s <= LIMITS[1] for s in asdict(strict.scales).values())
    complete = all(f.body_seen.all() and f.hands_seen.all() for f in used)
    result = align(reference, frames, **case.range)
    if not (sane and complete):
        assert all(LIMITS[0] <= s <= LIMITS[1] for s in asdict(result.scales).values())
        return
    assert result.warnings == ()
    for ours, theirs in zip(result.figures, strict.figures, strict=True):
        np.testing.assert_allclose(ours.body, theirs.body, atol=1e-9)
        np.testing.assert_allclose(ours.hands[ours.hands_seen], theirs.hands[ours.hands_seen])
        np.testing.assert_allclose(ours.face[ours.face_seen], theirs.face[ours.face_seen])


def test_a_person_aligned_to_themselves_stays() -> None:
    one = person()
    result = align(one, [one, one])
    np.testing.assert_allclose(list(asdict(result.scales).values()), 1)
    for figure in result.figures:
        np.testing.assert_allclose(figure.body, one.body, atol=1e-12)
        np.testing.assert_allclose(figure.hands, one.hands, atol=1e-12)


def test_a_smaller_clip_is_brought_to_the_size_of_the_photo() -> None:
    reference, small = person(), person(0.5, (40, 20))
    result = align(reference, [small])
    np.testing.assert_allclose(list(asdict(result.scales).values()), 2)
    np.testing.assert_allclose(result.figures[0].body, reference.body, atol=1e-12)
    np.testing.assert_allclose(result.figures[0].hands, reference.hands, atol=1e-12)


def test_an_unseen_elbow_leaves_the_other_arm_to_measure() -> None:
    seen = np.ones(18, bool)
    seen[3] = False  # right elbow
    wrong = person(0.5).body.copy()
    wrong[3] = (3.0, -2.0)
    scales, warnings = measure_scales(
        person(), replace(person(0.5), body=wrong, body_seen=seen), IMPROVED
    )
    np.testing.assert_allclose(list(asdict(scales).values()), 2)
    assert not warnings


def test_unseen_legs_take_the_mean_and_say_so() -> None:
    seen = np.ones(18, bool)
    seen[[9, 12]] = False  # both knees
    scales, warnings = measure_scales(replace(person(), body_seen=seen), person(0.5), IMPROVED)
    assert scales.leg_upper == scales.leg_lower == pytest.approx(2)
    assert len(warnings) == 1 and "thighs" in warnings[0] and "lower legs" in warnings[0]


def test_absurd_scales_are_limited_and_say_so() -> None:
    thin = person()
    body = thin.body.copy()
    body[[2, 5], 0] = body[1, 0] + np.array([-1e-3, 1e-3])  # a side view
    scales, warnings = measure_scales(person(), replace(thin, body=body), IMPROVED)
    assert scales.shoulder == LIMITS[1]
    assert any("shoulder" in sentence for sentence in warnings)


def test_a_part_without_length_in_the_clip_takes_the_mean_of_the_rest() -> None:
    body = person(0.5).body.copy()
    body[16] = body[17]  # ears in one place: an infinite scale
    scales, warnings = measure_scales(person(), replace(person(0.5), body=body), IMPROVED)
    assert scales.face == pytest.approx(2)
    assert any("face" in sentence for sentence in warnings)


def test_missing_fingers_do_not_count() -> None:
    seen = np.ones((2, 21), bool)
    seen[1] = False
    seen[0, 5:] = False
    hands = person(0.5).hands.copy()
    hands[~seen] = 7.0
    scales, _ = measure_scales(
        person(), replace(person(0.5), hands=hands, hands_seen=seen), IMPROVED
    )
    assert scales.hand == pytest.approx(2)


def test_without_a_chosen_frame_the_most_frontal_one_counts() -> None:
    front = person()
    side, back = front.body.copy(), front.body.copy()
    side[:, 0] = 0.5 + 0.1 * (side[:, 0] - 0.5)
    back[:, 0] = 1 - back[:, 0]
    frames = [replace(front, body=back), replace(front, body=side), front]
    assert frontal_frame(frames) == 2
    result = align(front, frames)
    assert len(result.figures) == 3
    np.testing.assert_allclose(list(asdict(result.scales).values()), 1)


def test_frames_outside_the_range_are_left_out() -> None:
    frames = [person(1 + 0.1 * t) for t in range(6)]
    result = align(person(), frames, align_frame=2, max_frame=5)
    assert len(result.figures) == 3
    np.testing.assert_allclose(result.figures[0].body, person().body, atol=1e-12)
    with pytest.raises(ValueError, match="6 frames"):
        align(person(), frames, align_frame=6)
