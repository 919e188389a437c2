"""The pretrained networks of this process, loaded when they are first needed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from svad.compute.device import device, half
from svad.config.preset import Preset

if TYPE_CHECKING:
    from svad.diffusion.models import Models
    from svad.identity.models import Models as HeadModels
    from svad.learn.lpips import Perceptual
    from svad.restoration.models import RestorationModels
    from svad.weights.lazy import LazyNetworks


@cache
def perceptual() -> LazyNetworks[Perceptual]:
    """The network of the perceptual loss, if its files are on this machine."""
    from svad import weights
    from svad.learn.lpips import lazy_lpips

    return lazy_lpips(weights.resolve, device())


@cache
def head_networks() -> LazyNetworks[HeadModels]:
    """The head's networks; float16 holds for them where bfloat16 is too coarse."""
    import torch

    from svad import weights
    from svad.identity.models import lazy_models

    on_gpu = device().type == "cuda"
    return lazy_models(weights.resolve, device(), torch.float16 if on_gpu else torch.float32)


@cache
def face_networks() -> LazyNetworks[RestorationModels]:
    """The restoration networks."""
    from svad import weights
    from svad.restoration.models import lazy_models

    return lazy_models(weights.resolve, device())


@cache
def video_networks() -> LazyNetworks[Models]:
    """The video networks of this process, on its device."""
    from svad import weights
    from svad.diffusion.generate import lazy_models

    return lazy_models(weights.resolve, device(), half())


def preload(preset: Preset) -> None:
    """Loads what every run of the preset needs on the GPU; before the page is launched.

    Raises `MissingWeights`.
    """
    if preset.diffusion is not None:
        video_networks()()
