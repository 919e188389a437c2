"""The time-aware prompt."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from svad.restoration.networks import PREFIXES
from tests.fill import tensor
from tests.restoration.golden import NETWORK, Case, Golden, assert_close
from tests.restoration.tiny import networks


def test_the_prompt_is_the_golden_one(golden: Golden) -> None:
    for case in golden.cases("prompt"):
        found = networks(case).prompt(case.part("in")["t"])
        assert_close(found, case.part("out")["prompt"], case.limit, case.name)


def written_out(case: Case, e: Tensor, p: Tensor) -> Tensor:
    """Attention of the tokens p [L, C] to e [R, C], repeated L times, with all its matrices."""
    start = f"{PREFIXES['prompt']}atten."
    w = {k.removeprefix(start): v for k, v in case.state().items() if k.startswith(start)}
    heads = case.config["prompt"]["heads"]
    repeated = e[:, None].expand(-1, len(p), -1)

    def split(x: Tensor, name: str) -> Tensor:
        return (x @ w[f"to_{name}.weight"].T).unflatten(-1, (heads, -1)).transpose(-2, -3)

    q = split(p.expand(len(e), -1, -1), "q")
    y = F.scaled_dot_product_attention(q, split(repeated, "k"), split(repeated, "v"))
    y = y.transpose(1, 2).flatten(2)
    return y @ w["to_out.0.weight"].T + w["to_out.0.bias"]


def test_its_attention_needs_no_queries(golden: Golden) -> None:
    for case in golden.cases("prompt"):
        prompt = networks(case).prompt
        width = prompt.atten.to_v.in_features
        e, p = tensor("e", (3, width), 0), tensor("p", (5, width), 0)
        found = prompt.atten(e)[:, None].expand(-1, 5, -1)
        assert_close(found, written_out(case, e, p), NETWORK, "the folded attention")


def test_one_row_a_timestep(golden: Golden) -> None:
    prompt = networks(golden.cases("prompt")[0]).prompt
    together = prompt(torch.tensor([1, 501]))
    assert_close(together[1], prompt(torch.tensor([501]))[0], NETWORK, "the second row")
    assert torch.allclose(together.norm(dim=1), torch.ones(()))  # along the tokens
