"""A run of the face restorer on tiny networks."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor

from svad.core.errors import Stopped
from svad.restoration.networks import load_networks
from svad.restoration.restorer import (
    FacesFailed,
    Restorer,
    face_pictures,
    face_pixels,
    load_restorer,
    start_noise,
)
from svad.restoration.schedule import steps
from tests.fill import tensor
from tests.restoration.golden import LEVELS, Golden, assert_close, silent
from tests.restoration.tiny import networks, restorer, sizes

SIDE, COUNT = 64, 2  # px, steps


def faces(count: int, side: int = SIDE) -> np.ndarray:
    values = tensor("faces", (count, side, side, 3), 0) * 60 + 128
    return values.clamp(0, 255).to(torch.uint8).numpy()


def noise(seed: int = 42) -> Tensor:
    return start_noise(seed, SIDE, SIDE)


def test_a_run_is_the_golden_one(golden: Golden) -> None:
    for case in golden.cases("ddim"):
        run, x, mid = Restorer(networks(case)), case.part("in"), case.part("mid")
        assert [s.timestep for s in steps(case.entry["steps"])] == case.entry["timesteps"]

        def compare(k: int, latents: Tensor, clean: Tensor, case=case, mid=mid) -> None:
            assert_close(latents, mid[f"step{k}_x"], case.limit, f"{case.name}: x after {k}")
            assert_close(clean, mid[f"step{k}_x0"], case.limit, f"{case.name}: x0 of {k}")

        latents = run.denoise(x["hint"], x["x_T"], run.plan(case.entry["steps"]), compare)
        assert_close(latents, case.part("out")["latent"], case.limit, f"{case.name}: latent")
        pixels = run.decode(latents)
        assert_close(pixels, case.part("out")["image"], case.limit, f"{case.name}: image")
        want = case.part("out")["image_u8_bgr"].numpy()[..., ::-1].astype(int)
        assert np.abs(face_pictures(pixels) - want).max() <= LEVELS


def test_eight_together_are_eight_alone(golden: Golden) -> None:
    crops, run = faces(8), restorer(golden)
    together = run.restore(crops, noise(), COUNT, silent, batch=8).astype(int)
    alone = np.concatenate([run.restore(c[None], noise(), COUNT, silent) for c in crops])
    # the same formula in other kernels: a value on the edge may round to the next level
    assert np.abs(together - alone).max() <= LEVELS
    assert (together != alone).mean() < 1e-3
    assert all(np.abs(together[i] - together[0]).mean() > 1 for i in range(1, 8))


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(golden: Golden) -> None:
    crops, run = faces(3), restorer(golden)
    first, again, other = (run.restore(crops, noise(s), COUNT, silent, 2) for s in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()
    assert first.shape == crops.shape and first.dtype == np.uint8


def test_equal_crops_give_equal_faces(golden: Golden) -> None:
    crops = np.repeat(faces(1), 4, 0)
    found = restorer(golden).restore(crops, noise(), COUNT, silent, batch=2).astype(int)
    assert np.abs(found - found[0]).max() <= LEVELS


def test_crops_need_not_be_square(golden: Golden) -> None:
    crops = faces(2)[:, :, :SIDE].repeat(2, 2)
    found = restorer(golden).restore(crops, start_noise(0, SIDE, 2 * SIDE), COUNT, silent)
    assert found.shape == crops.shape


def test_memory_order_changes_little(golden: Golden) -> None:
    case = golden.cases("ddim")[0]
    ordered = load_restorer(case.state(), sizes(case)).to("cpu")
    found = ordered.restore(faces(2), noise(), COUNT, silent).astype(int)
    want = restorer(golden).restore(faces(2), noise(), COUNT, silent)
    assert np.abs(found - want).max() <= LEVELS


def test_half_precision_is_near(golden: Golden) -> None:
    case = golden.cases("ddim")[0]
    half = Restorer(load_networks(case.state(), sizes(case), torch.bfloat16))
    found = half.restore(faces(2), noise(), 4, silent).astype(float)
    want = restorer(golden).restore(faces(2), noise(), 4, silent)
    psnr = 10 * np.log10(255**2 / np.mean((found - want) ** 2))
    assert psnr > 30, f"{psnr:.1f} dB"


def test_progress_comes_before_every_call_and_ends_full(golden: Golden) -> None:
    told = []

    def report(done: int, total: int, note: str, picture: np.ndarray | None = None) -> None:
        told.append((done, total, note, picture))

    crops = faces(3)
    found = restorer(golden).restore(crops, noise(), COUNT, report, batch=2)
    assert [(done, total) for done, total, _, _ in told] == [
        *((n, 9) for n in (0, 2, 4, 6)), *((n, 9) for n in (6, 7, 8, 9)),
    ]  # fmt: skip
    assert told[0][2] == "faces 1 to 2 of 3, step 1 of 2"
    pictures = [picture for *_, picture in told if picture is not None]
    assert [p.tobytes() for p in pictures] == [found[1].tobytes(), found[2].tobytes()]


def test_stop_reaches_it_between_two_steps(golden: Golden) -> None:
    calls = iter(range(100))

    def report(done: int, total: int, note: str, picture: object = None) -> None:
        if next(calls) == 3:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        restorer(golden).restore(faces(2), noise(), 10, report)
    assert next(calls) == 4


@pytest.fixture
def breakable(golden: Golden) -> Iterator[Restorer]:
    """A restorer of its own."""
    return deepcopy(restorer(golden))


def test_a_failed_face_keeps_its_crop_and_is_named(
    breakable: Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = faces(5)
    want = breakable.restore(crops, noise(), COUNT, silent, batch=3)
    decode, seen = breakable.decode, []

    def broken(latents: Tensor) -> Tensor:
        pixels = decode(latents)
        for row in range(len(pixels)):
            if len(seen) in (1, 3):
                pixels[row, 0, 5, 5] = float("nan")
            seen.append(row)
        return pixels

    monkeypatch.setattr(breakable, "decode", broken)
    found = breakable.attempt(crops, noise(), COUNT, silent, batch=3)
    assert found.failed == (1, 3)
    for i in range(5):
        assert np.array_equal(found.rgb[i], crops[i] if i in found.failed else want[i])
    seen.clear()
    with pytest.raises(FacesFailed, match=r"2 of 5 faces .* \(number 2, 4\)"):
        breakable.restore(crops, noise(), COUNT, silent, batch=3)


def test_a_full_device_gets_smaller_batches(
    breakable: Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = faces(5)
    want = breakable.restore(crops, noise(), COUNT, silent, batch=1)
    predict, batches = breakable.predict, []

    def small(x: Tensor, *others: object) -> Tensor:
        batches.append(len(x))
        if len(x) > 2:
            raise torch.OutOfMemoryError("full")
        return predict(x, *others)

    monkeypatch.setattr(breakable, "predict", small)
    found = breakable.restore(crops, noise(), COUNT, silent, batch=4)
    assert batches == [4, 2, 2, 2, 2, 1, 1]
    assert np.abs(found.astype(int) - want).max() <= LEVELS

    def never(x: Tensor, *others: object) -> Tensor:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(breakable, "predict", never)
    with pytest.raises(torch.OutOfMemoryError):
        breakable.restore(crops, noise(), COUNT, silent)


def test_wrong_inputs_are_refused(golden: Golden) -> None:
    run = restorer(golden)
    with pytest.raises(ValueError, match="30 steps"):
        run.restore(faces(1), noise(), 30, silent)
    with pytest.raises(ValueError, match="multiples of 64 px, not 32x32"):
        run.restore(faces(1, 32), noise(), COUNT, silent)
    with pytest.raises(ValueError, match="noise"):
        run.restore(faces(1), start_noise(0), COUNT, silent)
    with pytest.raises(ValueError, match="uint8"):
        run.restore(faces(1).astype(float), noise(), COUNT, silent)


def test_no_faces_are_no_work(golden: Golden) -> None:
    assert restorer(golden).restore(faces(1)[:0], noise(), COUNT, silent).shape == (0, 64, 64, 3)


def test_levels_survive_the_way_in_and_out() -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    pixels = face_pixels(levels)
    assert pixels.shape == (1, 3, 16, 16) and pixels.dtype == torch.float32
    assert np.array_equal(face_pictures(pixels * 2 - 1), levels)
    outside = torch.tensor([-3.0, 3.0]).expand(1, 3, 1, 2)
    assert face_pictures(outside)[0, 0].tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.gpu
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 40), (torch.bfloat16, 30)])
def test_a_gpu_gives_nearly_the_same(golden: Golden, dtype: torch.dtype, limit: float) -> None:
    case = golden.cases("ddim")[0]
    device = load_restorer(case.state(), sizes(case), dtype).to("cuda")
    found = device.restore(faces(3), noise(), 4, silent)
    assert found.tobytes() == device.restore(faces(3), noise(), 4, silent).tobytes()
    want = restorer(golden).restore(faces(3), noise(), 4, silent).astype(float)
    psnr = 10 * np.log10(255**2 / np.mean((found - want) ** 2))
    assert psnr > limit, f"{psnr:.1f} dB"
