"""The matting net against its golden run, its strict loading, and its windows by property."""

from __future__ import annotations

from pathlib import Path

import torch

from svad.identity.stylematte import (
    COMPUTED,
    MatteSizes,
    StyleMatte,
    guided_filter,
    load_stylematte,
)
from svad.identity.swin import Block, windows
from tests.identity.golden import cases, schema


def test_parity(golden_root: Path) -> None:
    for case in cases(golden_root, "stylematte*"):
        network = load_stylematte(case.state(), MatteSizes())
        image = case.inputs["x"]
        with torch.no_grad():
            coarse, fine = network.features(image)
            case.check("mask_features_sub", fine[:, ::8])
            for i, level in enumerate(coarse):
                case.check(f"ms{i}_sub", level[:, ::8])
            case.check("alpha", network(image))
        given = (case.inputs[f"guided.{name}"] for name in ("lr", "y", "hr"))
        case.check("guided", guided_filter(*given))


def test_the_published_keys_are_the_nets_own(golden_root: Path) -> None:
    with torch.device("meta"):
        network = StyleMatte(MatteSizes())
    wanted = schema(golden_root / "head", "schema_stylematte.json")
    used = {key: shape for key, shape in wanted.items() if not key.endswith(COMPUTED)}
    assert {k: tuple(v.shape) for k, v in network.state_dict().items()} == used
    assert len(wanted) - len(used) == 12  # one table a block, known to be unused


def test_windows_are_cut_row_by_row() -> None:
    x = torch.arange(2 * 14 * 21).view(2, 14, 21, 1)
    cut = windows(x)
    assert cut.shape == (2 * 2 * 3, 49, 1)
    assert torch.equal(cut[4].view(7, 7), x[0, 7:, 7:14, 0])


def test_a_shift_does_not_join_opposite_sides() -> None:
    torch.manual_seed(0)
    block = Block(8, 2).eval()
    torch.nn.init.normal_(block.attention.self.relative_position_bias_table)
    x = torch.randn(1, 14, 14, 8)
    changed = x.clone()
    changed[:, :3] += 1  # the top rows
    with torch.no_grad():
        moved = (block(x, 3) - block(changed, 3)).abs().amax((0, 2, 3))
    assert (moved[:3] > 0.1).all() and (moved[11:] == 0).all()


def test_a_guided_filter_keeps_a_line_of_its_guide() -> None:
    guide = torch.rand(1, 1, 32, 40, generator=torch.Generator().manual_seed(0))
    small = guide[..., ::4, ::4]
    found = guided_filter(small, 3 * small - 1, guide)
    assert (found - (3 * guide - 1)).abs().mean() < 0.02  # the filter smooths flat places a little
