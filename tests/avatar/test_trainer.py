"""A training: nearer to frames it has not seen, the same every time, and it goes on."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svad.avatar.stage import AvatarStage
from svad.avatar.train import trainer as module
from svad.avatar.train.pictures import ClipError
from svad.avatar.train.trainer import Trained, Trainer, train
from svad.compute.engine import GpuUnavailable
from svad.config.avatar import AvatarConfig
from svad.core.errors import Stopped
from svad.core.progress import silent
from svad.learn.lpips import Lpips
from svad.types import Avatar, Clip, Subject
from tests.avatar.drawn import COUNT, SMALL, clip_of, person, psnr, true_person, unseen

Person = tuple[Avatar, Subject, Clip]


@pytest.fixture(scope="module")
def given() -> Person:
    return person()


@pytest.fixture(scope="module")
def trained(given: Person) -> Trained:
    return Trainer(*given, SMALL).run()


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report at every step."""
    monkeypatch.setattr(module, "TOLD", -1.0)


def same(one: Avatar, other: Avatar) -> bool:
    names = ("means", "scales", "quats", "opacities", "colors")
    pairs = [(getattr(one.gaussians, n), getattr(other.gaussians, n)) for n in names]
    pairs.append((one.joints, other.joints))
    if one.correctives is not None and other.correctives is not None:
        pairs.append((one.correctives.basis, other.correctives.basis))
    return all(torch.equal(a, b) for a, b in pairs)


def test_frames_it_has_not_seen_come_much_nearer(given: Person, trained: Trained) -> None:
    clip = unseen()
    before, after = psnr(given[0], clip), psnr(trained.avatar, clip)
    assert after > before + 4, (before, after)  # dB
    assert trained.finished and trained.steps == SMALL.steps and not trained.note


def test_the_photos_own_view_comes_nearer_too(given: Person, trained: Trained) -> None:
    start, subject, _ = given
    photo = Clip(
        subject.photo.rgb[None], subject.matte[None], start.pose, (start.camera,),
        np.ones(1, np.float32), np.zeros(1, np.float32), None,
    )  # fmt: skip
    assert psnr(trained.avatar, photo) > psnr(start, photo) + 4


def test_it_is_still_the_same_kind_of_avatar(given: Person, trained: Trained) -> None:
    start, avatar = given[0], trained.avatar
    assert len(avatar.gaussians) == COUNT and avatar.correctives is not None
    assert avatar.parents == start.parents and avatar.camera is start.camera
    assert torch.equal(avatar.joint_ids.sum(0), start.joint_ids.sum(0))  # in another order
    g = avatar.gaussians
    assert not any(t.requires_grad for t in (g.means, g.scales, g.colors, avatar.joints))
    assert g.colors.min() >= 0 and g.colors.max() <= 1 and g.scales.min() > 0
    assert all(t.isfinite().all() for t in (g.means, g.scales, g.quats, g.opacities))
    low, high = start.gaussians.means.aminmax(dim=0)
    assert (g.means > low - 0.1).all() and (g.means < high + 0.1).all()  # metres
    assert len(trained.poses) == len(given[2].rgb) + 1  # the photo's is the last


def test_the_same_seed_gives_the_same_bits(given: Person, trained: Trained) -> None:
    again = Trainer(*given, SMALL).run()
    assert same(again.avatar, trained.avatar)
    assert torch.equal(again.poses.rotations, trained.poses.rotations)
    other = Trainer(*given, replace(SMALL, seed=1)).run()
    assert not same(other.avatar, trained.avatar)


def test_what_is_given_is_left_as_it_was(given: Person) -> None:
    start, subject, clip = given
    before = [t.clone() for t in (start.gaussians.colors, start.gaussians.means, start.joints)]
    rgb, rotations = clip.rgb.copy(), clip.poses.rotations.clone()
    train(start, subject, clip, replace(SMALL, steps=10))
    after = (start.gaussians.colors, start.gaussians.means, start.joints)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert (rgb == clip.rgb).all() and torch.equal(rotations, clip.poses.rotations)


def test_batches_of_frames_learn_as_well(given: Person) -> None:
    avatar = train(*given, replace(SMALL, batch=3, steps=50))
    assert psnr(avatar, unseen()) > psnr(given[0], unseen()) + 3


def test_a_thinned_cloud_grows_and_takes_over_what_it_knows(given: Person) -> None:
    config = replace(SMALL, first_gaussians=500, grow_at=0.6)
    trainer = Trainer(*given, config)
    assert not trainer.grown and len(trainer.learned.avatar.gaussians) <= 500
    done = trainer.run()
    assert trainer.grown and 500 < len(done.avatar.gaussians) <= COUNT
    assert psnr(done.avatar, unseen()) > psnr(given[0], unseen()) + 3


def test_a_training_that_never_grew_grows_in_the_end(given: Person) -> None:
    done = Trainer(*given, replace(SMALL, steps=6, first_gaussians=500, grow_at=1.0)).run()
    assert 500 < len(done.avatar.gaussians) <= COUNT


def test_a_cloud_too_large_for_the_settings_is_thinned(given: Person) -> None:
    avatar = train(*given, replace(SMALL, steps=6, gaussians=400, first_gaussians=200))
    assert 0 < len(avatar.gaussians) <= 400


def test_held_out_frames_move_their_poses_alone(
    given: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(*given, replace(SMALL, holdout=3))
    held = trainer.pictures.held
    assert held
    before = {name: value.detach().clone() for name, value in trainer.learned.values.items()}
    monkeypatch.setattr(trainer.pictures, "draw_lots", lambda *_: ([held[0]], True))
    trainer.config = replace(trainer.config, steps=5)
    trainer.run()
    for name, value in trainer.learned.values.items():
        assert torch.equal(value, before[name]), name
    moved = trainer.poses.changes["rotations"].abs().amax((1, 2))
    assert moved[held[0]] > 0 and (moved > 0).sum() == 1


def test_held_out_frames_may_end_it_early(given: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(*given, replace(SMALL, first_gaussians=500))
    asked, ends = [], [20, 50, 75]

    def says(part: float) -> bool:
        asked.append(trainer.step)
        return bool(ends) and trainer.step >= ends[0] and bool(ends.pop(0))

    monkeypatch.setattr(trainer.pictures, "held_out_says_stop", says)
    done = trainer.run()
    # once to the part on all Gaussians, once to the last part, once for good
    grow, last = (round(part * SMALL.steps) for part in (SMALL.grow_at, SMALL.slowest_from))
    left_out = [k for k in asked if 24 < k < grow or 54 < k < last]
    assert not left_out and not ends and 75 <= done.steps < SMALL.steps
    assert done.finished and len(done.avatar.gaussians) > 500


def test_one_frame_is_enough(given: Person) -> None:
    start, subject, clip = person([np.pi])
    avatar = train(start, subject, clip, SMALL)
    assert psnr(avatar, clip) > psnr(start, clip) + 3


def test_frames_that_share_nothing_with_the_photo(given: Person) -> None:
    """Only the back: what the photo knows stays, what the frames know comes."""
    start, subject, clip = person([np.pi - 0.3, np.pi, np.pi + 0.3])
    avatar = train(start, subject, clip, SMALL)
    front = clip_of(true_person(), [0.0])
    assert psnr(avatar, clip) > psnr(start, clip) + 4
    assert psnr(avatar, front) > psnr(start, front) + 2


def test_a_clip_with_all_frames_lost_is_refused(given: Person) -> None:
    start, subject, clip = given
    lost = replace(clip, weight=np.zeros(len(clip.rgb), np.float32))
    with pytest.raises(ClipError, match="use the preview"):
        Trainer(start, subject, lost, SMALL)
    called: list[int] = []
    stage = AvatarStage(AvatarConfig(train=SMALL), lambda *_: pytest.fail("trained"))
    with pytest.raises(ClipError):  # before the closed form has taken its seconds
        stage.run(subject, lost, lambda done, *_: called.append(done))
    assert not called


def test_the_report_rises_and_ends_with_a_picture(
    given: Person, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHOWN", 0.0)
    told: list[tuple] = []
    Trainer(*given, replace(SMALL, steps=12)).run(lambda *call: told.append(call))
    done = [call[0] for call in told]
    assert done == [*range(12), 12] and {call[1] for call in told} == {12}
    assert told[0][2] == "learning, 0 of 12" and told[-1][2] == "learned"
    assert all(call[3].shape == (80, 60, 3) for call in told[1:])


def test_a_deadline_is_kept_and_the_next_call_goes_on(
    given: Person, trained: Trained, tmp_path: Path
) -> None:
    path, calls, steps = tmp_path / "part.safetensors", 0, 0
    while True:
        trainer = Trainer(*given, SMALL, checkpoint=path, key="k")
        assert trainer.step == steps
        done = trainer.run(silent, deadline=time.monotonic() + 0.15)
        if done.finished:
            break
        assert path.is_file() and done.steps < SMALL.steps
        calls, steps = calls + 1, done.steps
        if calls == 3:  # however slow the machine is
            done = Trainer(*given, SMALL, checkpoint=path, key="k").run()
            break
    assert done.finished and done.steps == SMALL.steps
    assert abs(psnr(done.avatar, unseen()) - psnr(trained.avatar, unseen())) < 0.2


def test_a_deadline_that_is_over_returns_at_once(given: Person, tmp_path: Path) -> None:
    path = tmp_path / "part.safetensors"
    done = Trainer(*given, SMALL, checkpoint=path).run(silent, deadline=time.monotonic() - 1)
    assert not done.finished and done.steps == 0 and path.is_file()


def test_the_stage_calls_an_unfinished_training_again(given: Person, tmp_path: Path) -> None:
    start, subject, clip = given
    parts: list[int] = []

    def in_parts(avatar, subject, clip, report, checkpoint, key) -> Trained:
        trainer = Trainer(avatar, subject, clip, SMALL, checkpoint=checkpoint, key=key)
        for _ in range(7 if len(parts) < 2 else 0):
            trainer._once()
        late = time.monotonic() + (-1 if len(parts) < 2 else 1e6)
        done = trainer.run(report, deadline=late)
        parts.append(done.steps)
        return done

    config = AvatarConfig(train=SMALL, silhouette_rounds=2, colour_rounds=2)
    told: list[float] = []
    path = tmp_path / "part.safetensors"
    avatar = AvatarStage(config, in_parts).run(
        subject, clip, lambda done, total, *_: told.append(done / total), (path, "key")
    )
    assert parts == [7, 14, SMALL.steps]
    assert told == sorted(told) and told[-1] == 1
    assert psnr(avatar, unseen()) > psnr(start, unseen()) + 3
    # what the mesh shows follows what was learned
    mesh, first = avatar.mesh, start.mesh
    assert (mesh.faces == first.faces).all() and mesh.vertices.dtype == np.float32
    assert np.abs(mesh.colors.astype(int) - first.colors).mean() > 5
    assert 0 < np.abs(mesh.vertices - first.vertices).max() < 0.1


def test_a_training_that_gets_no_time_is_not_called_for_ever(given: Person) -> None:
    start, subject, clip = given

    def never(avatar, subject, clip, report, checkpoint, key) -> Trained:
        return Trainer(avatar, subject, clip, SMALL).run(report, deadline=time.monotonic() - 1)

    config = AvatarConfig(train=SMALL, silhouette_rounds=2, colour_rounds=2)
    with pytest.raises(GpuUnavailable, match="too short a time"):
        AvatarStage(config, never).trained(start, subject, clip, silent)


def test_stop_leaves_a_checkpoint(given: Person, often: None, tmp_path: Path) -> None:
    path = tmp_path / "part.safetensors"

    def stop(done: int, *_: object) -> None:
        if done == 7:
            raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        Trainer(*given, SMALL, checkpoint=path, key="k").run(stop)
    assert Trainer(*given, SMALL, checkpoint=path, key="k").step == 7
    with pytest.raises(Stopped):  # without a file it just stops
        Trainer(*given, SMALL).run(stop)


def test_the_perceptual_loss_has_a_gradient_where_its_files_are(given: Person) -> None:
    network = Lpips((2, 2, 2, 2, 2))
    with torch.no_grad():
        random = torch.Generator().manual_seed(0)
        for parameter in network.parameters():
            parameter.copy_(0.2 * torch.rand(parameter.shape, generator=random))
    config = replace(SMALL, steps=6, lpips=0.5)
    plain = Trainer(*given, config).run().avatar
    pulled = Trainer(*given, config, lpips=network).run().avatar
    assert not same(plain, pulled) and pulled.gaussians.means.isfinite().all()
