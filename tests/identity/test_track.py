"""A photo is tracked from end to end with filled weights; who cannot be tracked is told why."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from svad.body.flame import Flame, make_flame
from svad.config.identity import HeadFitConfig
from svad.core.errors import MissingWeights, NothingToDo
from svad.identity.emica import Emica, EmicaSizes, Face
from svad.identity.fit import project, start_rotation
from svad.identity.headbox import face_size, head_box
from svad.identity.hrnet import HRNetSizes, LandmarkNet
from svad.identity.stylematte import MatteSizes, StyleMatte
from svad.identity.track import (
    PARTS,
    TrackModels,
    TrackSizes,
    find_landmarks,
    head_picture,
    load_track_models,
    place,
    track,
)
from svad.identity.tracked import Tracked
from svad.weights.convert import read_checkpoint
from svad.weights.lazy import PartFiles
from svad.weights.manifest import load_manifest
from svad.weights.store import Store
from tests.identity.golden import filled
from tests.identity.synth_flame import synth_flame

SMALL = TrackSizes(
    emica=EmicaSizes(
        arcface_blocks=(1, 1, 1, 1), arcface_width=4, arcface_vector=16,
        resnet_blocks=(1, 1), resnet_width=4, hidden=8,
    ),
    landmarks=HRNetSizes(width=4, stem=4, blocks=1, modules=(1, 1, 1)),
    matting=MatteSizes(
        width=4, depths=(1, 2, 1, 1), heads=(1, 1, 2, 2), decoder=32, hidden=8, layers=1
    ),
)  # fmt: skip
SHORT = HeadFitConfig(steps=30)
FILES = {
    "gagavatar_flame": "flame",
    "gagavatar_track:emica/EMICA-CVT_flame2020_notexture.pt": "emica",
    "gagavatar_track:vgghead/lmks_2d.pt": "landmarks",
    "gagavatar_track:matting/stylematte_synth.pt": "matting",
}


@pytest.fixture(scope="module")
def resolve(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The tracker's files, filled, as the store would hand them out."""
    folder = tmp_path_factory.mktemp("weights")
    networks = {"emica": Emica(SMALL.emica), "landmarks": LandmarkNet(SMALL.landmarks)}
    networks["matting"] = StyleMatte(SMALL.matting)
    states: dict[str, dict[str, Tensor]] = {"flame": synth_flame(0)}
    for name, network in networks.items():
        shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
        # an untrained regressor should not ask for impossible heads
        states[name] = filled(shapes, 0, [(r"layers\.2\.|output\.", 0.05, 0.0)])
    for name, state in states.items():
        save_file({k: v.contiguous() for k, v in state.items()}, folder / f"{name}.safetensors")
    return lambda name: folder / f"{FILES[name]}.safetensors"


@pytest.fixture(scope="module")
def models(resolve: Callable[[str], Path]) -> TrackModels:
    return load_track_models(PartFiles(PARTS, resolve), sizes=SMALL)


def face_points(middle: tuple[float, float], size: float, turn: float = 0.0) -> np.ndarray:
    """68 points of a plain face; `size` is the distance from eyes to chin in px."""
    contour = np.linspace(np.pi, 0, 17)
    points = [np.stack([0.62 * np.cos(contour), 0.1 + 0.9 * np.sin(contour)], 1)]
    side = np.linspace(-0.5, -0.12, 5)
    brows = np.concatenate([side, -side[::-1]])
    points.append(np.stack([brows, np.full(10, -0.22)], 1))
    points.append(np.stack([np.zeros(4), np.linspace(-0.05, 0.28, 4)], 1))
    points.append(np.stack([np.linspace(-0.14, 0.14, 5), np.full(5, 0.36)], 1))
    for x in (-0.26, 0.26):
        angle = np.pi - np.arange(6) * np.pi / 3
        points.append(np.stack([x + 0.12 * np.cos(angle), -0.05 * np.sin(angle)], 1))
    for count, width in ((12, 0.25), (8, 0.2)):
        angle = np.pi - np.arange(count) * 2 * np.pi / count
        points.append(np.stack([width * np.cos(angle), 0.62 - 0.08 * np.sin(angle)], 1))
    return np.concatenate(points) * (size * np.cos(turn), size) + middle


def photo(seed: int = 0, height: int = 400, width: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """A picture and a matte that covers most of it."""
    rng = np.random.default_rng(seed)
    rgb = np.kron(rng.integers(0, 256, (height // 20, width // 20, 3)), np.ones((20, 20, 1)))
    matte = np.zeros((height, width), np.uint8)
    matte[20:, 30:-30] = 255
    return rgb.astype(np.uint8), matte


def silent(done: int, total: int, note: str, picture: object = None) -> None:
    assert 0 <= done <= total and note


def same(one: Tracked, two: Tracked) -> bool:
    pairs = ((getattr(one, f.name), getattr(two, f.name)) for f in fields(Tracked))
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs)


def test_the_same_photo_gives_the_same_bytes_and_another_does_not(models: TrackModels) -> None:
    rgb, matte = photo()
    points = face_points((150, 150), 120)
    first, second = (track(rgb, matte, points, models, silent, SHORT) for _ in range(2))
    assert same(first, second)
    assert first.crop.shape == (512, 512, 3) and first.crop.dtype == np.uint8
    shapes = {"shape": (300,), "expression": (100,), "pose": (6,), "eyes": (6,), "camera": (3, 4)}
    for name, shape in shapes.items():
        value = getattr(first, name)
        assert value.shape == shape and value.dtype == torch.float32 and value.isfinite().all()
    assert not first.pose[:3].any() and first.camera[2, 3] > 1 and not first.warnings
    turn = first.camera[:, :3]
    assert torch.allclose(turn @ turn.T, torch.eye(3), atol=1e-5)
    other = track(photo(1)[0], matte, points, models, silent, SHORT)
    assert not torch.equal(first.shape, other.shape)


def test_progress_is_told_and_stopping_works(models: TrackModels) -> None:
    rgb, matte = photo()
    seen: list[int] = []

    def report(done: int, total: int, note: str, picture: object = None) -> None:
        seen.append(done)
        if len(seen) > 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track(rgb, matte, face_points((150, 150), 120), models, report, SHORT)
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (None, "No face was found"),
        (np.full((68, 2), np.nan), "No face was found"),
        (face_points((0, 150), 120), "cut off or covered"),
        (face_points((150, -30), 120), "cut off or covered"),
        (face_points((150, 150), 12), "pixels large"),
        (face_points((150, 150), 120, turn=1.2), "turned away"),
    ],
)
def test_without_a_usable_face_there_is_nothing_to_do(
    models: TrackModels, points: np.ndarray | None, words: str
) -> None:
    with pytest.raises(NothingToDo, match=words):
        track(*photo(), points, models, silent, SHORT)


def test_a_small_face_is_warned_about(models: TrackModels) -> None:
    points = face_points((150, 150), 50)
    found = track(*photo(), points, models, silent, HeadFitConfig(steps=1))
    assert f"{face_size(points):.0f} pixels" in found.warnings[0]


def test_the_crop_follows_the_face() -> None:
    points = face_points((150, 150), 116)
    box = head_box(points)
    assert np.allclose(box[2:] - box[:2], 182) and np.allclose(box[:2] + 91, (150, 155.8), atol=1)
    moved = head_box(points * 2 + (7, -3))
    assert np.allclose(moved, box * 2 + (7, -3, 7, -3))
    aside = head_box(face_points((150, 150), 116, turn=0.7))
    assert np.allclose(aside[2:] - aside[:2], box[2:] - box[:2])  # a turn does not shrink a head


def test_the_picture_is_the_head_on_black() -> None:
    rgb, matte = photo()
    found = head_picture(rgb, matte, (-100, -100, 412, 412))
    whole = rgb.astype(float) * (matte[..., None] / 255)
    assert not found[:100].any() and not found[:, :100].any()
    assert np.abs(found[100:500, 100:400] - whole).max() <= 1


def test_the_matting_net_decides_only_near_the_person(resolve: Callable[[str], Path]) -> None:
    net = load_track_models(PartFiles(PARTS, resolve), sizes=SMALL, matting=True).matting
    assert net is not None
    rgb, matte = photo()
    box = (-106, -56, 406, 456)
    plain, netted = head_picture(rgb, matte, box), head_picture(rgb, matte, box, net)
    assert not np.array_equal(plain, netted)
    far = np.ones((512, 512), bool)
    far[56 + 20 - 17 : 456 + 17, 106 + 30 - 17 : 106 + 270 + 17] = False
    assert not netted[far].any()


def test_landmarks_come_back_into_the_crop(models: TrackModels) -> None:
    """A net that always sees the middle of its picture gives the middle of the head's box."""

    class Middle(LandmarkNet):
        def forward(self, head: Tensor) -> Tensor:
            assert head.shape == (1, 3, 256, 256)
            return torch.full((1, 98, 2), 128.0)

    head = np.array([101.0, 81.0, 411.0, 391.0])
    found = find_landmarks(torch.zeros(3, 512, 512), head, Middle(SMALL.landmarks))
    assert torch.allclose(found, torch.tensor([256.0, 236.0]).expand(1, 70, 2), atol=1)


@pytest.mark.parametrize("angle", [0.0, -0.5])
def test_a_head_is_placed_where_its_points_are(angle: float) -> None:
    """Points drawn from a known camera: the placed head projects onto them."""
    flame: Flame = make_flame(synth_flame(0))
    generator = torch.Generator().manual_seed(2)
    shape, expression = (torch.randn(1, n, generator=generator) for n in (300, 100))
    turn, jaw = torch.tensor([[0.05, angle, 0.02]]), torch.tensor([[0.1, 0.0, 0.0]])
    camera = torch.cat([start_rotation(turn), torch.tensor([[[0.1], [0.05], [9.6]]])], -1)
    rest = flame.express(flame.identity(shape), expression)
    eyes = torch.tensor([[0.02, 0.05, 0.0, 0.02, 0.05, 0.0]])
    mesh = flame.pose(rest, torch.cat([torch.zeros(1, 3), jaw], 1), eyes)
    seen = project(flame.landmarks(mesh), camera)
    guess = Face(shape, expression, jaw, turn + torch.tensor([0.03, -0.04, 0.0]))
    found = place(guess, seen[:, :68], seen, flame, HeadFitConfig())
    mesh = flame.pose(rest, torch.cat([torch.zeros(1, 3), jaw], 1), found.eyes)
    error = (project(flame.landmarks(mesh), found.camera) - seen).norm(dim=-1).mean()
    assert error < 1.0  # px of 512


def test_missing_files_are_named(resolve: Callable[[str], Path]) -> None:
    def absent(name: str) -> Path:
        if name.startswith("gagavatar_track"):
            raise MissingWeights("track_resources.tar", "the Hub", "research only")
        return resolve(name)

    with pytest.raises(MissingWeights, match="track_resources.tar"):
        load_track_models(PartFiles(PARTS, absent), sizes=SMALL)


def test_the_files_come_out_of_the_published_archive(
    resolve: Callable[[str], Path], models: TrackModels, tmp_path: Path
) -> None:
    """As the Hub has them: a pickled FLAME, and a tar of pickled checkpoints."""
    own, parts = tmp_path / "own", {}
    own.mkdir()
    for name in FILES:
        parts[name] = read_checkpoint(resolve(name))
    flame: dict[str, dict[str, Tensor]] = {}
    for key, value in parts.pop("gagavatar_flame").items():
        part, _, entry = key.partition(".")
        flame.setdefault(part, {})[entry] = value
    torch.save(flame, own / "FLAME_with_eye.pt")
    with tarfile.open(own / "track_resources.tar", "w") as tar:
        for name, state in parts.items():
            torch.save(state, tmp_path / "net.pt")
            tar.add(tmp_path / "net.pt", name.partition(":")[2])
        tar.add(own / "FLAME_with_eye.pt", "flame/FLAME_with_eye.pt")
    store = Store(load_manifest(), tmp_path / "cache", own)
    again = load_track_models(PartFiles(PARTS, store.resolve), sizes=SMALL)
    points = face_points((150, 150), 120)
    first, second = (track(*photo(), points, m, silent, SHORT) for m in (models, again))
    assert same(first, second)
