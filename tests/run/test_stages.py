"""The table of stages agrees with rooms, settings, manifest and builders."""

from __future__ import annotations

import ast
import pickle
from dataclasses import fields, is_dataclass, replace
from types import SimpleNamespace

import pytest

from svad.compute.engine import DEFAULT_SECONDS
from svad.config.preset import Preset
from svad.config.presets import CLIP, PAPER, PRESETS, PREVIEW, QUICK, training
from svad.run import stages
from svad.run.imports import own_graph
from svad.run.stages import (
    STAGES,
    InWorker,
    Stage,
    asked,
    needs_gpu,
    on_gpu,
    shown,
    stage,
    stage_makers,
)
from svad.weights.manifest import load_manifest

NAMES = [row.name for row in STAGES]


def test_every_row_has_a_room_settings_and_a_title() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for row in STAGES:
        assert (own_graph().package / row.room / "stage.py").is_file()
        assert row.title and any(is_dataclass(row.of(preset)) for preset in PRESETS.values())


def test_every_setting_belongs_to_a_row() -> None:
    named = {
        f.name for f in fields(Preset) for p in (PAPER, CLIP) if is_dataclass(getattr(p, f.name))
    }
    assert named == set(NAMES)


def test_stages_that_take_a_clip_follow_one_another() -> None:
    takes = [row.takes_clip for row in STAGES]
    first, last = takes.index(True), len(takes) - takes[::-1].index(True)
    assert all(takes[first:last]) and 0 < first < last < len(takes)


def test_what_a_preset_shows() -> None:
    photo = [n for n in NAMES if n not in ("footage", "film")]
    assert [row.name for row in shown(PAPER)] == photo == [row.name for row in shown(QUICK)]
    assert [row.name for row in shown(PREVIEW)] == [n for n in photo if n != "diffusion"]
    assert [row.name for row in shown(CLIP)] == [
        *("footage", "subject", "relief", "film", "avatar", "package")
    ]
    trained = {"diffusion", "identity", "restoration", "avatar"}
    assert {row.name for row in on_gpu(QUICK)} == trained
    closed = replace(QUICK, avatar=replace(QUICK.avatar, train=None))
    assert {row.name for row in on_gpu(closed)} == trained - {"avatar"}
    assert asked(closed) < asked(QUICK)  # the training is paid for
    assert on_gpu(PREVIEW) == ()


def test_a_training_alone_needs_no_gpu() -> None:
    assert {row.name for row in on_gpu(CLIP)} == {"avatar"}
    assert needs_gpu(QUICK) and not needs_gpu(CLIP) and not needs_gpu(PREVIEW)
    row = stage("avatar")
    assert row.typical(CLIP) > 60 > row.typical(PREVIEW)


def test_on_a_gpu_a_clip_is_trained_as_quick_is() -> None:
    quick, usual = QUICK.avatar.train, CLIP.avatar.train
    there = training(CLIP, gpu=True)
    assert (there.steps, there.batch) == (quick.steps, quick.batch) != (usual.steps, usual.batch)
    assert replace(there, steps=usual.steps, batch=usual.batch) == usual == training(CLIP, False)
    own = replace(CLIP, avatar=replace(CLIP.avatar, train=replace(usual, steps=50)))
    assert training(own, gpu=True).steps == 50  # what somebody asked for stays
    for preset in (PREVIEW, QUICK, PAPER):
        assert training(preset, gpu=True) is preset.avatar.train


def test_every_group_of_pretrained_files_belongs_to_a_row() -> None:
    groups = {group for row in STAGES for group in (*row.weights, *row.any_weights)}
    body = {"body"}  # every stage stands on it: its hash is where the chain of keys begins
    assert {entry.stage for entry in load_manifest().values()} == groups | body


def test_a_stage_for_the_worker_is_built_there() -> None:
    made = stage_makers(QUICK)
    for row in STAGES:
        if row.where == "worker":
            assert made[row.name]() == InWorker(row.name, QUICK)
    assert set(made) == {*NAMES, "look", "strip", "refine", "follow"}


@pytest.mark.parametrize("row", [r for r in STAGES if r.build is None], ids=lambda r: r.name)
def test_without_a_builder_the_rooms_class_is_taken(row: Stage) -> None:
    made = row.made(PREVIEW)
    assert type(made).__module__ == f"svad.{row.room}.stage"
    assert made.config is row.of(PREVIEW)


@pytest.mark.parametrize("row", [r for r in STAGES if r.build is not None], ids=lambda r: r.name)
def test_what_a_builder_hands_over_counts_as_the_stages_code(row: Stage) -> None:
    graph = own_graph()
    files = (graph.package / "run" / "makers").glob("*.py")
    nodes = [node for file in files for node in ast.parse(file.read_text("utf-8")).body]
    functions = {f.name: f for f in nodes if isinstance(f, ast.FunctionDef)}
    waiting, seen, names = [row.build.__name__], set(), set()
    while waiting:
        function = functions[waiting.pop()]
        seen.add(function.name)
        own = {argument.arg for argument in ast.walk(function) if isinstance(argument, ast.arg)}
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom):
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            if isinstance(node, ast.Name) and node.id in functions.keys() - seen - own:
                waiting.append(node.id)
    reached = graph.of_room(row.room, row.parts)
    names.discard(graph.package.name)  # it only says the version
    modules = {path for path in graph.package.rglob("*.py") if _name(path) in names}
    assert modules and modules <= reached


def _name(path) -> str:
    inner = path.relative_to(own_graph().package.parent).with_suffix("")
    return ".".join(inner.parts).removesuffix(".__init__")


def test_a_stage_for_the_worker_takes_its_preset_along(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple] = []

    def far_away(work, *arguments, seconds, report):
        sent.append((pickle.loads(pickle.dumps((work, arguments))), seconds))
        return work(*arguments, report=report)

    monkeypatch.setattr(stages.engine, "run", far_away)
    theirs = SimpleNamespace(run=lambda subject, clip, report: [subject, clip])
    monkeypatch.setattr(stages, "_made_there", lambda name, preset: theirs)
    assert InWorker("identity", QUICK).run("subject", "clip", print) == ["subject", "clip"]
    ((_, arguments), seconds) = sent[0]
    assert arguments == ("identity", QUICK, "subject", "clip")
    assert seconds == QUICK.gpu_seconds["identity"]
    InWorker("identity", PAPER).run("subject", "clip", print)
    assert sent[1][1] == DEFAULT_SECONDS


def test_presets_are_told_from_each_other_by_what_they_do() -> None:
    assert len(set(PRESETS.values())) == len(PRESETS)
    assert stage("avatar").of(QUICK) is QUICK.avatar
