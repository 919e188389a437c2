"""A training that is stopped, killed, or whose file is damaged."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from svad.avatar.train import trainer as module
from svad.avatar.train.checkpoint import DAMAGED
from svad.avatar.train.trainer import Trained, Trainer
from svad.config.avatar import TrainConfig
from svad.core.errors import OutputError, Stopped
from svad.core.parts import PART
from svad.types import Avatar, Clip, Subject
from tests.avatar.drawn import SMALL, all_around, person, psnr, unseen
from tests.waiting import WAIT

ROOT = Path(__file__).parents[2]
Person = tuple[Avatar, Subject, Clip]


class Killed(BaseException):
    """What no code catches, as a signal that ends the process."""


@pytest.fixture(scope="module")
def given() -> Person:
    return person()


@pytest.fixture(scope="module")
def whole(given: Person) -> Trained:
    """The training that nobody interrupts."""
    return Trainer(*given, SMALL).run()


@pytest.fixture(autouse=True)
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report before every step."""
    monkeypatch.setattr(module, "TOLD", -1.0)


def at(step: int, raised: BaseException) -> Callable[..., None]:
    """A report that ends a run before one of its steps."""

    def told(done: int, *_: object) -> None:
        if done == step:
            raise raised

    return told


def stopped(given: Person, path: Path, step: int, config: TrainConfig = SMALL) -> None:
    with pytest.raises(Stopped):
        Trainer(*given, config, checkpoint=path, key="k").run(at(step, Stopped("Stopped.")))


@pytest.fixture(scope="module")
def stopped_at_20(given: Person, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a training that was stopped after 20 of its steps."""
    place = tmp_path_factory.mktemp("stopped") / "avatar.part.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TOLD", -1.0)
        stopped(given, place, 20)
    return place


@pytest.fixture
def path(stopped_at_20: Path, tmp_path: Path) -> Path:
    """A copy of it, as it lies in a job."""
    place = tmp_path / "stages" / "avatar.part.safetensors"
    place.parent.mkdir()
    return Path(shutil.copy(stopped_at_20, place))


@pytest.mark.parametrize("batch", [1, 2])
def test_stopped_and_gone_on_is_as_never_stopped(given: Person, tmp_path: Path, batch: int) -> None:
    """To the bit, where the neighbours are looked at anew in the step it stops before."""
    config = replace(SMALL, steps=40, batch=batch, first_gaussians=500, grow_at=0.5)
    expected, place = Trainer(*given, config).run(), tmp_path / "part.safetensors"
    for step in (8, 20, 32):
        stopped(given, place, step, config)
    done = Trainer(*given, config, checkpoint=place, key="k").run()
    for name in ("means", "scales", "opacities", "colors"):
        mine, theirs = (getattr(t.avatar.gaussians, name) for t in (done, expected))
        assert torch.equal(mine, theirs), name
    assert torch.equal(done.poses.rotations, expected.poses.rotations)
    assert torch.equal(done.avatar.joints, expected.avatar.joints)
    assert done.steps == 40 and not done.note


def test_everything_that_counts_comes_back(given: Person, tmp_path: Path) -> None:
    place, config = tmp_path / "part.safetensors", replace(SMALL, holdout=3)
    first = Trainer(*given, config, checkpoint=place, key="k")
    first.pictures.lost, first.pictures.checks = {1}, [0.5, 0.25]
    with pytest.raises(Stopped):
        first.run(at(30, Stopped("Stopped.")))
    second = Trainer(*given, config, checkpoint=place, key="k")
    assert (second.step, second.adam.steps) == (30, first.adam.steps)
    for name in ("errors", "lost", "bag", "checks", "next_check", "held"):
        assert getattr(second.pictures, name) == getattr(first.pictures, name), name
    assert second.random.bit_generator.state == first.random.bit_generator.state
    for name, value in first.poses.state().items():
        assert torch.equal(second.poses.state()[name], value), name


@pytest.mark.parametrize("seed", range(2))
def test_ten_kills_at_random_moments_change_nothing_to_speak_of(
    given: Person, whole: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Nothing is written when it is killed: it goes on from what was kept some steps before."""
    random, place = np.random.default_rng(seed), tmp_path / "part.safetensors"
    kept, reached = Trainer._keep, []
    moments = sorted(random.choice(np.arange(2, SMALL.steps), 10, replace=False).tolist())
    monkeypatch.setattr(module, "KEPT", -1.0)
    # now and then, as by the clock
    monkeypatch.setattr(Trainer, "_keep", lambda self: kept(self) if self.step % 5 == 3 else None)
    for moment in moments:
        trainer = Trainer(*given, SMALL, checkpoint=place, key="k")
        reached.append(trainer.step)
        with pytest.raises(Killed):
            trainer.run(at(moment, Killed()))
    assert reached == sorted(reached)
    # what is lost is what came since the last time it was kept
    assert all(m - r <= 5 for m, r in zip(moments[:-1], reached[1:], strict=True) if m > 3)
    done = Trainer(*given, SMALL, checkpoint=place, key="k").run()
    assert done.steps == SMALL.steps
    assert abs(psnr(done.avatar, unseen()) - psnr(whole.avatar, unseen())) < 0.2  # dB


def test_a_process_that_is_killed_goes_on_from_its_checkpoint(
    given: Person, whole: Trained, tmp_path: Path
) -> None:
    place = tmp_path / "part.safetensors"
    command = [sys.executable, "-m", "tests.avatar.killed_training", str(place)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 12 and place.is_file():
                break
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT)
    assert process.returncode == -signal.SIGKILL
    trainer = Trainer(*given, SMALL, checkpoint=place, key="killed")
    assert trainer.step >= 11 and not trainer.note
    done = trainer.run()
    assert done.steps == SMALL.steps
    assert abs(psnr(done.avatar, unseen()) - psnr(whole.avatar, unseen())) < 0.2  # dB


def rewritten(path: Path, change: Callable[[dict, dict[str, torch.Tensor]], None]) -> None:
    """The checkpoint with something changed in its card or its tensors."""
    with safe_open(str(path), framework="pt") as file:
        card = json.loads(file.metadata()["card"])
    tensors = load_file(path)
    change(card, tensors)
    save_file(tensors, path, {"card": json.dumps(card)})


DAMAGES: dict[str, Callable[[dict, dict[str, torch.Tensor]], object]] = {
    "NaN": lambda card, tensors: tensors["value.colors"].view(-1)[5].fill_(torch.nan),
    "infinite": lambda card, tensors: tensors["square.offsets"].view(-1)[0].fill_(torch.inf),
    "a value less": lambda card, tensors: tensors.pop("value.offsets"),
    "another size": lambda card, tensors: tensors.update(
        {"value.colors": tensors["value.colors"][:-1].clone()}
    ),
    "other frames": lambda card, tensors: tensors.update({"pose.translation": torch.zeros(3, 3)}),
    "no step": lambda card, tensors: card.pop("step"),
    "a step of letters": lambda card, tensors: card.update(step="many"),
    "no bag": lambda card, tensors: card.pop("bag"),
    "checks that are none": lambda card, tensors: card.update(checks=None),
    "another generator": lambda card, tensors: card.update(random={"bit_generator": "MT19937"}),
    "errors of another form": lambda card, tensors: card.update(errors=[1, 2]),
}


def require_fresh(trainer: Trainer, given: Person) -> None:
    """It says so, and nothing of the damaged file is in it."""
    assert trainer.note == DAMAGED and trainer.step == trainer.adam.steps == 0
    fresh = Trainer(*given, trainer.config)
    assert trainer.grown == fresh.grown
    assert trainer.random.bit_generator.state == fresh.random.bit_generator.state
    for name, value in fresh.learned.values.items():
        assert torch.equal(trainer.learned.values[name], value), name
    for name, value in fresh.poses.state().items():
        assert torch.equal(trainer.poses.state()[name], value), name
    assert trainer.pictures.bag == [] and trainer.pictures.errors == {}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_checkpoint_is_said_and_the_training_starts_again(
    given: Person, path: Path, damage: Callable
) -> None:
    rewritten(path, damage)
    require_fresh(Trainer(*given, SMALL, checkpoint=path, key="k"), given)


@pytest.mark.parametrize("length", [0, 7, 500, -1])
def test_a_cut_checkpoint_is_said_too(given: Person, path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    require_fresh(Trainer(*given, SMALL, checkpoint=path, key="k"), given)


def test_another_file_in_its_place(given: Person, path: Path) -> None:
    path.write_bytes(b"\x80\x04K\x01." * 100)  # a pickle
    require_fresh(Trainer(*given, SMALL, checkpoint=path, key="k"), given)
    save_file({"some": torch.zeros(3)}, path)  # of somebody else, without a card
    require_fresh(Trainer(*given, SMALL, checkpoint=path, key="k"), given)


def test_damage_after_it_has_grown(given: Person, tmp_path: Path) -> None:
    place, config = tmp_path / "part.safetensors", replace(SMALL, first_gaussians=500, grow_at=0.1)
    stopped(given, place, 20, config)
    rewritten(place, DAMAGES["other frames"])
    trainer = Trainer(*given, config, checkpoint=place, key="k")
    require_fresh(trainer, given)
    assert not trainer.grown


def test_killed_after_its_last_step_it_need_not_learn_again(
    given: Person, whole: Trained, tmp_path: Path
) -> None:
    """Until somebody has put the result away, the checkpoint is all there is of it."""
    place = tmp_path / "part.safetensors"
    stopped(given, place, SMALL.steps - 4)
    for _ in range(2):
        done = Trainer(*given, SMALL, checkpoint=place, key="k").run()
        assert torch.equal(done.avatar.gaussians.means, whole.avatar.gaussians.means)
    assert place.is_file()


def test_the_result_says_that_it_was_started_again(
    given: Person, whole: Trained, path: Path
) -> None:
    path.write_bytes(path.read_bytes()[:500])
    done = Trainer(*given, SMALL, checkpoint=path, key="k").run()
    assert done.note == DAMAGED
    assert torch.equal(done.avatar.gaussians.colors, whole.avatar.gaussians.colors)


def test_a_checkpoint_of_another_training_does_not_count(
    given: Person, whole: Trained, path: Path
) -> None:
    """Another photo or other settings have another key: as if there were none."""
    trainer = Trainer(*given, SMALL, checkpoint=path, key="of another person")
    assert trainer.step == 0 and not trainer.note
    done = trainer.run()
    assert torch.equal(done.avatar.gaussians.colors, whole.avatar.gaussians.colors)


def test_another_persons_checkpoint_under_the_same_key(given: Person, path: Path) -> None:
    start, subject, _ = given
    _, _, longer = person(all_around(9))
    other = (start, subject, longer)
    require_fresh(Trainer(*other, SMALL, checkpoint=path, key="k"), other)


def test_a_full_disk_is_said_and_the_one_before_is_kept(
    given: Person, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    trainer = Trainer(*given, SMALL, checkpoint=path, key="k")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        patch.setattr(module, "KEPT", -1.0)
        with pytest.raises(OutputError, match="no room left"):
            trainer.run()
    assert path.read_bytes() == before
    assert not list(path.parent.glob(f"{PART}*"))  # half of a file would fill the disk more
    again = Trainer(*given, SMALL, checkpoint=path, key="k")
    assert again.step == 20 and again.run().steps == SMALL.steps


def test_a_stop_on_a_full_disk_says_what_was_lost(
    given: Person, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    trainer = Trainer(*given, SMALL, checkpoint=path, key="k")
    with pytest.raises(OutputError):
        trainer.run(at(25, Stopped("Stopped.")))
    assert Trainer(*given, SMALL, checkpoint=path, key="k").step == 20


def test_a_checkpoint_is_small(path: Path) -> None:
    """Three numbers for each that learns: with 167,000 Gaussians some 140 MB, not more."""
    tensors = load_file(path)
    learned = sum(v.numel() for k, v in tensors.items() if k.startswith("value."))
    assert sum(v.numel() for v in tensors.values()) < 3.2 * learned
