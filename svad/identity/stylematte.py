"""The matting net of the published tracker (StyleMatte): a head crop to its opacity.

Module names are the keys of the published file. A Swin backbone and Mask2Former's pixel decoder
give maps at strides 4 to 32; a small pyramid joins them; a guided filter brings the result to the
size of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from svad.identity.pixel_decoder import PixelDecoder
from svad.identity.swin import Swin
from svad.weights.strict import State, fill

NAME = "stylematte_synth.pt"
RADIUS, EPSILON = 1, 1e-4  # of the guided filter, px of the small picture
REDUCED = 0.25  # size of the small picture
COMPUTED = "relative_position_index"  # tables in the file that follow from the window's size


@dataclass(frozen=True, kw_only=True)
class MatteSizes:
    """Sizes of the published net (Swin-tiny)."""

    width: int = 96
    depths: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (3, 6, 12, 24)
    decoder: int = 256
    hidden: int = 1024
    layers: int = 6


class StyleMatte(nn.Module):
    """Opacity of the person in a picture."""

    def __init__(self, sizes: MatteSizes) -> None:
        super().__init__()
        self.fpn = Pyramid(sizes.decoder)
        encoder = Swin(sizes.width, sizes.depths, sizes.heads)
        decoder = PixelDecoder(encoder.widths, sizes.decoder, sizes.hidden, sizes.layers)
        self.pixel_decoder = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
        self.conv = nn.Conv2d(sizes.decoder, 1, 3, padding=1)

    def features(
        self,
        image: Tensor,  # [B, 3, H, W] ImageNet-normalised
    ) -> tuple[list[Tensor], Tensor]:  # [B, C, h, w] at strides 32, 16 and 8, and at 4
        """Refined maps, and the finest one."""
        return self.pixel_decoder["decoder"](self.pixel_decoder["encoder"](image))

    def forward(self, image: Tensor) -> Tensor:  # [B, 3, H, W] ImageNet-normalised -> [B, 1, H, W]
        small = self.conv(self.fpn(*self.features(image)))
        guide = image.mean(1, keepdim=True)
        reduced = functional.interpolate(
            guide, scale_factor=REDUCED, mode="bicubic", align_corners=True
        )
        return guided_filter(reduced, small, guide).sigmoid()


class Pyramid(nn.Module):
    """Joins the maps from coarse to fine."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1x1 = nn.ModuleList([nn.Conv2d(width, width, 1) for _ in range(3)])
        # the published file names one layer three times
        self.smooth_conv = nn.ModuleList([nn.Conv2d(width, width, 3, padding=1) for _ in range(3)])
        self.conv_fusion = nn.Sequential(
            nn.Conv2d(2 * width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )

    def forward(
        self,
        coarse: list[Tensor],  # [B, C, h, w] each, at strides 32, 16 and 8
        fine: Tensor,  # [B, C, h, w] at stride 4
    ) -> Tensor:  # [B, C, h, w] at stride 4
        first, *others = (conv(x) for conv, x in zip(self.conv1x1, coarse, strict=True))
        x = first
        for smooth, finer in zip(self.smooth_conv, [*others, fine], strict=True):
            x = _enlarged(smooth(x), finer.shape[-2:]) + finer
        return self.conv_fusion(torch.cat([x, fine], 1))


def guided_filter(
    small_guide: Tensor,  # [B, 1, h, w]
    small: Tensor,  # [B, 1, h, w], what is enlarged
    guide: Tensor,  # [B, 1, H, W]
) -> Tensor:  # [B, 1, H, W]
    """Enlarges along the edges of a guide: a line from guide to value around each pixel."""
    mean_x, mean_y = _box_mean(small_guide), _box_mean(small)
    covariance = _box_mean(small_guide * small) - mean_x * mean_y
    variance = _box_mean(small_guide * small_guide) - mean_x * mean_x
    slope = covariance / (variance + EPSILON)
    offset = mean_y - slope * mean_x
    size = guide.shape[-2:]
    return _enlarged(slope, size) * guide + _enlarged(offset, size)


def load_stylematte(
    state: State,  # by published key
    sizes: MatteSizes,
    dtype: torch.dtype = torch.float32,
) -> StyleMatte:
    """The net with the tensors of the published file. Raises `WeightsMismatch`."""
    with torch.device("meta"):
        network = StyleMatte(sizes)
    fill(network, {k: v for k, v in state.items() if not k.endswith(COMPUTED)}, NAME, dtype)
    return network.eval()


def _box_mean(x: Tensor) -> Tensor:
    """Mean over a box; at the border over what is inside."""
    size = 2 * RADIUS + 1
    return functional.avg_pool2d(x, size, 1, RADIUS, count_include_pad=False)


def _enlarged(x: Tensor, size: torch.Size) -> Tensor:
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=True)
