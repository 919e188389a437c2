"""The control branch."""

from __future__ import annotations

import torch

from tests.fill import tensor
from tests.restoration.golden import NETWORK, Golden, assert_close
from tests.restoration.tiny import networks


def test_the_nine_tensors_are_the_golden_ones(golden: Golden) -> None:
    for case in golden.cases("mfem"):
        control, x, want = networks(case).control, case.part("in"), case.part("out")
        hint = control.hint_features(x["hint"])
        assert_close(hint, case.part("mid")["hint_features"], case.limit, f"{case.name}: hint")
        found = control(x["x"], hint, control.modulation(x["t"]))
        assert len(found) == len(want) == 9
        for i, tensor_ in enumerate(found):
            assert_close(tensor_, want[f"control{i}"], case.limit, f"{case.name}: tensor {i}")


def test_memory_order_and_shared_timestep_change_nothing(golden: Golden) -> None:
    control = networks(golden.cases("mfem")[0]).control
    x, faces = tensor("x", (2, 4, 8, 8), 0), tensor("faces", (2, 3, 64, 64), 0)
    plain = control(x, control.hint_features(faces), control.modulation(torch.tensor([7, 7])))
    last = torch.channels_last
    hint = control.hint_features(faces.contiguous(memory_format=last))
    shared = control.modulation(torch.tensor([7]))
    found = control(x.contiguous(memory_format=last), hint.contiguous(memory_format=last), shared)
    for i, (a, b) in enumerate(zip(found, plain, strict=True)):
        assert_close(a, b, NETWORK, f"tensor {i}")
