"""The four networks of the face restorer: built empty, filled strictly from one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from svad.compute.moved import placed
from svad.restoration.control import ControlBranch
from svad.restoration.decoder import FaceDecoder, autoencoder
from svad.restoration.keys import SQUEEZED, unet_key, vae_key
from svad.restoration.prompt import UNUSED, Prompt
from svad.restoration.schedule import TRAINING_STEPS, betas, signal
from svad.restoration.sizes import Sizes
from svad.restoration.unet import FaceUNet
from svad.weights.strict import State, WeightsMismatch, fill

FILE = "BFRffusion.ckpt"
WRAP = "state_dict"  # training programs wrap the tensors, sometimes more than once
PREFIXES = {
    "unet": "model.diffusion_model.",
    "control": "control_model.",
    "prompt": "cond_stage_model.",
    "decoder": "first_stage_model.",
}
# the noise schedule as buffers; all of them follow from the first, which is checked
SCHEDULE = (
    *("betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod"),
    *("sqrt_one_minus_alphas_cumprod", "log_one_minus_alphas_cumprod"),
    *("sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod", "posterior_variance"),
    *("posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2", "logvar"),
)
SAME = 1e-5  # relative; the buffers are float32


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The networks of one run."""

    unet: FaceUNet
    control: ControlBranch
    prompt: Prompt  # always in float32: it is small and runs once
    decoder: FaceDecoder

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Networks:
        """Moves all networks, convolutions in channels-last order; returns itself."""
        for field in fields(self):
            network: nn.Module = getattr(self, field.name)
            kept = None if field.name == "prompt" else dtype
            placed(network, device, kept, channels_last=True)
        return self


def build_networks(sizes: Sizes) -> Networks:
    """All networks without weights, on the meta device."""
    with torch.device("meta"):
        networks = Networks(
            unet=FaceUNet(sizes),
            control=ControlBranch(sizes),
            prompt=Prompt(sizes),
            decoder=FaceDecoder(sizes),
        )
    for field in fields(networks):
        getattr(networks, field.name).eval().requires_grad_(False)
    return networks


def load_networks(
    state: Mapping[str, Any],  # tensors by published key, below any number of `state_dict`
    sizes: Sizes | None = None,
    dtype: torch.dtype = torch.float32,
) -> Networks:
    """The networks with the tensors of the published file; each of its keys must fit.

    Knowingly unused, and allowed to be absent: the autoencoder's encoder, two matrices of the
    prompt that cannot matter, the schedule's buffers.

    Raises:
        WeightsMismatch: a key is missing, not known or of another shape; or the file was trained
            with another noise schedule.
    """
    sizes = sizes or Sizes()
    networks, tensors = build_networks(sizes), unwrapped(state)
    unused = unused_keys(sizes)
    _check_unused(tensors, unused)
    _check_schedule(tensors)
    parts: dict[str, dict[str, Tensor]] = {name: {} for name in PREFIXES}
    strange = []
    for key, value in tensors.items():
        owner = next((name for name, start in PREFIXES.items() if key.startswith(start)), None)
        if owner is not None and key not in unused:
            parts[owner][key] = value
        elif key not in unused:
            strange.append(key)
    # what belongs to no network is reported with the first one
    parts["unet"] |= {key: tensors[key] for key in strange}
    for name, part in parts.items():
        network: nn.Module = getattr(networks, name)
        names = {mine: published_key(name, mine, sizes) for mine in network.state_dict()}
        kept = torch.float32 if name == "prompt" else dtype
        fill(network, _own(part, names), FILE, kept, lambda key, names=names: names.get(key, key))
    return networks


def unwrapped(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors below `state_dict`, as deep as it goes, nested or with dotted names."""
    while isinstance(state.get(WRAP), Mapping):
        state = state[WRAP]
    start = f"{WRAP}."
    while any(key.startswith(start) for key in state):
        state = {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
    return {key: value for key, value in state.items() if isinstance(value, Tensor)}


def published_key(network: str, key: str, sizes: Sizes) -> str:
    """The key that the published file has for one of a network's module tree."""
    rules: dict[str, Callable[[str], str]] = {
        "unet": lambda k: unet_key(k.removeprefix("net.")),
        "decoder": lambda k: vae_key(k, len(sizes.vae_channels)),
    }
    return PREFIXES[network] + rules.get(network, str)(key)


def unused_keys(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Keys of the published file that are knowingly unused, with their shapes."""
    with torch.device("meta"):
        whole = autoencoder(sizes).state_dict()
    found: dict[str, tuple[int, ...]] = dict.fromkeys(SCHEDULE, (TRAINING_STEPS,))
    for key, value in whole.items():
        if key.startswith(("encoder.", "quant_conv.")):
            kernel = (1, 1) if SQUEEZED.search(key) else ()
            found[published_key("decoder", key, sizes)] = (*value.shape, *kernel)
    hidden = sizes.prompt_hidden
    return found | {PREFIXES["prompt"] + key: (hidden, hidden) for key in UNUSED}


def _own(part: State, names: Mapping[str, str]) -> dict[str, Tensor]:
    """Tensors by key of the module tree; keys that it lacks keep their published names."""
    mine = {published: key for key, published in names.items()}
    found = {}
    for key, value in part.items():
        own = mine.get(key, key)
        kernel = SQUEEZED.search(own) and value.shape[2:] == (1, 1)
        found[own] = value[:, :, 0, 0] if kernel else value
    return found


def _check_unused(tensors: State, unused: Mapping[str, tuple[int, ...]]) -> None:
    """Unused tensors, too, must be those of the published file, or the file is another one."""
    wrong = [
        f"{key} (expected {list(shape)}, found {list(tensors[key].shape)})"
        for key, shape in unused.items()
        if key in tensors and tuple(tensors[key].shape) != shape
    ]
    if wrong:
        raise WeightsMismatch(_message(f"Keys of another shape: {', '.join(wrong[:8])}."))


def _check_schedule(tensors: State) -> None:
    """The steps are computed from the formula; a file of another schedule would give noise."""
    for key, want in (("betas", betas()), ("alphas_cumprod", signal())):
        value = tensors.get(key)
        if value is None or value.is_meta:
            continue
        want = want.to(value.device, torch.float32)
        if not torch.allclose(value.float(), want, rtol=SAME):
            raise WeightsMismatch(_message(f"The noise schedule ({key}) is another one."))


def _message(fault: str) -> str:
    return (
        f"The weights of {FILE} do not fit the network. {fault} "
        "Use the file the manifest names, complete and unchanged."
    )
