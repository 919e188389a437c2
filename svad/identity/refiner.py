"""Refiner: a drawn picture of 32 channels to the colours of a face."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.compute.moved import placed
from svad.identity.sizes import RefinerSizes

SLOPE = 0.2  # of every leaky ReLU
SMALL = 1e-8  # added before roots
SMALLEST = 4  # px, where the encoder ends and the decoder begins


def resized(x: Tensor, factor: float) -> Tensor:  # [B, C, h, w] -> [B, C, factor h, factor w]
    """Bilinear with pixel centres at halves, half as large or twice as large."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


class ResidualBlock(nn.Module):
    """Two convolutions with a change of size between, beside a 1 x 1 shortcut."""

    def __init__(self, inputs: int, outputs: int, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.conv1 = nn.Conv2d(inputs, inputs, 3, padding=1)
        self.conv2 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:  # [B, inputs, h, w] -> [B, outputs, h', w']
        y = resized(F.leaky_relu_(self.conv1(x), SLOPE), self.factor)
        return F.leaky_relu_(self.conv2(y), SLOPE) + self.skip(resized(x, self.factor))


class ModulatedConv(nn.Module):
    """A convolution whose inputs are weighted by the style (StyleGAN2, Karras et al. 2020).

    The weights are shared by all pictures: the style scales the channels before and after, which
    equals modulating and demodulating the kernel.
    """

    def __init__(self, inputs: int, outputs: int, size: int, style: int, demodulate: bool) -> None:
        super().__init__()
        self.demodulate = demodulate
        self.weight = nn.Parameter(torch.zeros(1, outputs, inputs, size, size))
        self.modulation = nn.Linear(style, inputs)

    def forward(
        self,
        x: Tensor,  # [B, inputs, H, W]
        style: Tensor,  # [B, style] float32
        bias: Tensor,  # [1, outputs, 1, 1]
        factor: float = 1,  # of the size, before the convolution
    ) -> Tensor:  # [B, outputs, H', W']
        scale = self.modulation(style)
        after = None
        if self.demodulate:
            energy = self.weight[0].float().square().sum((2, 3))  # [outputs, inputs]
            after = (F.linear(scale.square(), energy) + SMALL).rsqrt()
            # the mean is applied before, so that nothing grows beyond half precision between
            mean = after.mean(1, keepdim=True)
            scale, after = scale * mean, after / mean * math.sqrt(2)
        x = x * scale[:, :, None, None].to(x)
        x = x if factor == 1 else resized(x, factor)
        x = F.conv2d(x, self.weight[0], padding=self.weight.shape[-1] // 2)
        if after is None:
            return x + bias
        return torch.addcmul(bias.to(x), x, after[:, :, None, None].to(x))


class StyledConv(nn.Module):
    """Modulated 3 x 3 convolution, noise, bias, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, style: int, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.modulated_conv = ModulatedConv(inputs, outputs, 3, style, demodulate=True)
        self.weight = nn.Parameter(torch.zeros(1))  # strength of the noise
        self.bias = nn.Parameter(torch.zeros(1, outputs, 1, 1))

    def forward(
        self,
        x: Tensor,  # [B, inputs, h, w]
        style: Tensor,  # [B, style] float32
        noise: Tensor | None,  # [1 or B, 1, h', w']
    ) -> Tensor:  # [B, outputs, h', w']
        x = self.modulated_conv(x, style, self.bias, self.factor)
        if noise is not None:
            x += (self.weight * noise).to(x)
        return F.leaky_relu_(x, SLOPE)


class ToRgb(nn.Module):
    """The picture of one level, in float32, on the one of the level before."""

    def __init__(self, inputs: int, style: int) -> None:
        super().__init__()
        self.modulated_conv = ModulatedConv(inputs, 3, 1, style, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(
        self,
        x: Tensor,  # [B, inputs, h, w]
        style: Tensor,  # [B, style] float32
        before: Tensor | None,  # [B, 3, h / 2, w / 2] float32
    ) -> Tensor:  # [B, 3, h, w] float32
        rgb = self.modulated_conv(x, style, self.bias)  # float32, as the bias
        return rgb if before is None else rgb + resized(before, 2)


class StyleMlp(nn.Sequential):
    """The style vector, brought to length one per channel, through dense layers."""

    def __init__(self, width: int, layers: int) -> None:
        stack: list[nn.Module] = [nn.Identity()]  # where the published list has the division
        for _ in range(layers):
            stack += [nn.Linear(width, width), nn.LeakyReLU(SLOPE)]
        super().__init__(*stack)

    def forward(self, style: Tensor) -> Tensor:  # [B, style] -> the same
        return super().forward(style * (style.square().mean(1, keepdim=True) + SMALL).rsqrt())


class ConstantInput(nn.Module):
    """The picture the decoder starts from."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, channels, SMALLEST, SMALLEST))


class Decoder(nn.Module):
    """StyleGAN2's generator whose features the encoder scales and shifts."""

    def __init__(self, sizes: RefinerSizes) -> None:
        super().__init__()
        width = [2 * sizes.width(SMALLEST << level) for level in range(sizes.levels + 1)]
        self.style_mlp = StyleMlp(sizes.style, sizes.layers)
        self.constant_input = ConstantInput(width[0])
        self.style_conv1 = StyledConv(width[0], width[0], sizes.style, 1)
        self.to_rgb1 = ToRgb(width[0], sizes.style)
        self.style_convs, self.to_rgbs = nn.ModuleList(), nn.ModuleList()
        for before, after in itertools.pairwise(width):
            self.style_convs.append(StyledConv(before, after, sizes.style, 2))
            self.style_convs.append(StyledConv(after, after, sizes.style, 1))
            self.to_rgbs.append(ToRgb(after, sizes.style))
        self.noises = nn.Module()
        for i, px in enumerate(noise_sizes(sizes)):
            self.noises.register_buffer(f"noise{i}", torch.zeros(1, 1, px, px))

    def forward(
        self,
        style: Tensor,  # [B, style] float32
        conditions: Sequence[tuple[Tensor, Tensor]],  # [B, C, h, w]: scale, shift by level
        noise: Sequence[Tensor | None],  # [1 or B, 1, h, w] per styled convolution
    ) -> Tensor:  # [B, 3, image, image] float32, before the sigmoid
        style = self.style_mlp(style)
        kind = conditions[0][0]
        x = self.constant_input.weight.to(kind).expand(len(style), -1, -1, -1)
        x = self.style_conv1(x, style, noise[0])
        rgb = self.to_rgb1(x, style, None)
        for level, (scale, shift) in enumerate(conditions):
            x = self.style_convs[2 * level](x, style, noise[2 * level + 1])
            x = torch.addcmul(shift, x, scale)
            x = self.style_convs[2 * level + 1](x, style, noise[2 * level + 2])
            rgb = self.to_rgbs[level](x, style, rgb)
        return rgb


class Refiner(nn.Module):
    """Encoder with skips and the decoder it conditions (as GFPGAN, Wang et al. 2021)."""

    def __init__(self, sizes: RefinerSizes, channels: int) -> None:
        super().__init__()
        levels = sizes.levels
        # widths from the picture's size down to 4 px
        widths = [sizes.width(sizes.image >> level) for level in range(levels + 1)]
        coarse = widths[::-1]
        self.conv_body_first = nn.Conv2d(channels, widths[0], 1)
        self.conv_body_down = nn.ModuleList(
            [ResidualBlock(widths[i], widths[i + 1], 0.5) for i in range(levels)]
        )
        self.final_conv = nn.Conv2d(coarse[0], coarse[0], 3, padding=1)
        self.final_linear = nn.Linear(coarse[0] * SMALLEST**2, sizes.style)
        self.conv_body_up = nn.ModuleList(
            [ResidualBlock(coarse[i], coarse[i + 1], 2) for i in range(levels)]
        )
        self.condition_scale = nn.ModuleList([_condition(width) for width in coarse[1:]])
        self.condition_shift = nn.ModuleList([_condition(width) for width in coarse[1:]])
        self.stylegan_decoder = Decoder(sizes)

    @property
    def stored_noise(self) -> list[Tensor]:
        """The maps of the published file, one [1, 1, h, w] for each styled convolution."""
        return list(self.stylegan_decoder.noises.buffers())

    def forward(
        self,
        x: Tensor,  # [B, channels, image, image]
        noise: Sequence[Tensor] | None,  # [1 or B, 1, h, w] per styled convolution; None = off
    ) -> Tensor:  # [B, 3, image, image] float32, before the sigmoid
        x = x.to(self.conv_body_first.weight.dtype)
        x = F.leaky_relu_(self.conv_body_first(x), SLOPE)
        skips = []
        for block in self.conv_body_down:
            x = block(x)
            skips.append(x)
        x = F.leaky_relu_(self.final_conv(x), SLOPE)
        style = self.final_linear(x.float().flatten(1))
        conditions = []
        for i, block in enumerate(self.conv_body_up):
            x = block(x + skips.pop())
            conditions.append((self.condition_scale[i](x), self.condition_shift[i](x)))
        maps = [None] * (2 * len(conditions) + 1) if noise is None else noise
        return self.stylegan_decoder(style, conditions, maps)

    @property
    def is_half(self) -> bool:
        return self.conv_body_first.weight.dtype != torch.float32

    def in_float32(self) -> Refiner:
        """A copy with the same weights that computes in float32."""
        other = copy.deepcopy(self)
        other.convolutions_to(torch.float32)
        return other

    def convolutions_to(self, dtype: torch.dtype) -> None:
        """Convolutions in another precision and in channels-last order; styles stay float32."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                placed(module, dtype=dtype, channels_last=True)
            elif isinstance(module, ModulatedConv):
                kernel = placed(module.weight.data[0], dtype=dtype, channels_last=True)
                module.weight.data = kernel[None]


def noise_sizes(sizes: RefinerSizes) -> list[int]:
    """Pixels along a side of the noise of each styled convolution, in order."""
    return [SMALLEST] + [SMALLEST << (1 + i // 2) for i in range(2 * sizes.levels)]


def _condition(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1),
        nn.LeakyReLU(SLOPE, inplace=True),
        nn.Conv2d(width, 2 * width, 3, padding=1),
    )
