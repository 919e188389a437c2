"""Control branch: turns the soft face and the noisy latents into nine tensors for the UNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.restoration.schedule import time_waves
from svad.restoration.sizes import LATENT_CHANNELS, Sizes

HINT = (16, 16, 32, 32, 96, 96, 256)  # widths of the hint encoder before the last convolution
HINT_STRIDES = (1, 1, 2, 1, 2, 1, 2, 1)

Modulation = Mapping[str, Tensor]  # block -> [R, C or 6 C], what a timestep fixes


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each pixel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.LayerNorm(width, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        return self.body(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ChannelAttention(nn.Module):
    """Attention between channels: each of them attends to those of its head."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.empty(heads, 1, 1))
        self.qkv = nn.Conv2d(width, 3 * width, 1, bias=False)
        self.qkv_dwconv = _depthwise(3 * width)
        self.project_out = nn.Conv2d(width, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        parts = self.qkv_dwconv(self.qkv(x)).flatten(2).chunk(3, 1)  # each [B, C, H * W]
        heads = len(self.temperature)
        q, k, v = (part.unflatten(1, (heads, -1)) for part in parts)  # [B, heads, c, H * W]
        q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
        # cosines, so the logits stay within the temperature in any precision
        logits = (q @ k.transpose(-1, -2)).float() * self.temperature.float()
        y = logits.softmax(-1).to(v.dtype) @ v
        y = y.flatten(1, 2).unflatten(-1, x.shape[-2:])
        return self.project_out(_like(y, x))


class GatedFeedForward(nn.Module):
    """Three branches of each pixel's channels, two of which see their neighbours."""

    def __init__(self, width: int, expansion: float) -> None:
        super().__init__()
        self.inner = int(expansion * width)
        self.project_in = nn.Conv2d(width, 3 * self.inner, 1, bias=False)
        self.dwconv = _depthwise(2 * self.inner)
        self.pwconw = nn.Conv2d(self.inner, self.inner, 1, bias=False)  # so spelt in the file
        self.project_out = nn.Conv2d(self.inner, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        a, rest = self.project_in(x).split((self.inner, 2 * self.inner), 1)
        b, c = self.dwconv(rest).chunk(2, 1)
        return self.project_out((F.gelu(a) + F.gelu(b)) * c + self.pwconw(c))


class TransformerBlock(nn.Module):
    """Channel attention and feed-forward, both shifted, scaled and gated by the timestep."""

    def __init__(self, width: int, heads: int, time: int, expansion: float) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(width)
        self.attn = ChannelAttention(width, heads)
        self.norm2 = ChannelNorm(width)
        self.ffn = GatedFeedForward(width, expansion)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(time, 6 * width))

    def forward(
        self,
        x: Tensor,  # [B, C, H, W]
        modulation: Tensor,  # [1 or B, 6 C] of `adaLN_modulation`
    ) -> Tensor:  # [B, C, H, W]
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = (
            part[:, :, None, None] for part in modulation.chunk(6, 1)
        )
        x = x + gate_a * self.attn(self.norm1(x) * (1 + scale_a) + shift_a)
        return x + gate_f * self.ffn(self.norm2(x) * (1 + scale_f) + shift_f)


class ResidualBlock(nn.Module):
    """Two normalised convolutions with a shift by the timestep between them."""

    def __init__(self, width: int, time: int, groups: int) -> None:
        super().__init__()

        def normalised(*between: nn.Module) -> nn.Sequential:
            norm = nn.GroupNorm(groups, width, eps=1e-5)
            return nn.Sequential(norm, nn.SiLU(), *between, nn.Conv2d(width, width, 3, padding=1))

        self.in_layers = normalised()
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(time, width))
        self.out_layers = normalised(nn.Identity())  # the place of a dropout

    def forward(self, x: Tensor, shift: Tensor) -> Tensor:  # [B, C, H, W], [1 or B, C]
        return x + self.out_layers(self.in_layers(x) + shift[:, :, None, None])


class Down(nn.Module):
    """Half the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:  # [B, Cin, h, w] -> [B, Cout, h / 2, w / 2]
        return self.op(x)


class Up(nn.Module):
    """Twice the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:  # [B, Cin, h, w] -> [B, Cout, 2 h, 2 w]
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class ControlBranch(nn.Module):
    """The "MFEM" of BFRffusion; module names are the published keys."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        widths, heads = sizes.block_out_channels, sizes.control_heads
        time = sizes.control_time_width
        c1, c2, c3, c4 = widths
        self.waves = c1
        self.time_embed = nn.Sequential(nn.Linear(c1, time), nn.SiLU(), nn.Linear(time, time))
        self.input_hint_block = _hint_encoder(c1)
        self.input_blocks = nn.ModuleList([nn.Conv2d(LATENT_CHANNELS, c1, 3, padding=1)])
        self.resblock = ResidualBlock(c1, time, sizes.norm_num_groups)

        def block(level: int) -> TransformerBlock:
            return TransformerBlock(widths[level], heads[level], time, sizes.ffn_expansion)

        self.encoder1, self.encoder2, self.encoder3 = block(0), block(1), block(2)
        self.mid1, self.mid2, self.mid3 = block(3), block(3), block(3)
        self.decoder3, self.decoder2, self.decoder1 = block(2), block(1), block(0)
        self.down1, self.down2, self.down3 = Down(c1, c2), Down(c2, c3), Down(c3, c4)
        self.up3, self.up2, self.up1 = Up(c4, c3), Up(c3, c2), Up(c2, c1)
        self.reduce_chan_level3 = nn.Conv2d(2 * c3, c3, 1, bias=False)
        self.reduce_chan_level2 = nn.Conv2d(2 * c2, c2, 1, bias=False)
        self.reduce_chan_level1 = nn.Conv2d(2 * c1, c1, 1, bias=False)
        outputs = (c1, c2, c3, c4, c4, c4, c3, c2, c1)
        self.zero_convs_module = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(width, width, 1)) for width in outputs]
        )

    def hint_features(self, faces: Tensor) -> Tensor:  # [B, 3, 8h, 8w] in 0..1 -> [B, C, h, w]
        """What the branch sees of the soft faces: the same at all steps."""
        return self.input_hint_block(faces)

    def modulation(self, timesteps: Tensor) -> Modulation:  # [R]
        """What R timesteps fix in each block."""
        waves = time_waves(timesteps, self.waves).to(next(self.time_embed.parameters()).dtype)
        embedding = self.time_embed(waves)
        found = {"resblock": self.resblock.emb_layers(embedding)}
        for name, module in self.named_children():
            if isinstance(module, TransformerBlock):
                found[name] = module.adaLN_modulation(embedding)
        return found

    def forward(
        self,
        x: Tensor,  # [B, 4, h, w], noisy latents; h and w divide by 8
        hint: Tensor,  # [B, C, h, w] of `hint_features`
        modulation: Modulation,  # of 1 or B timesteps
    ) -> list[Tensor]:  # nine tensors, in the order in which the UNet takes them
        m = modulation
        x = self.resblock(self.input_blocks[0](x) + hint, m["resblock"])
        e1 = self.encoder1(x, m["encoder1"])
        e2 = self.encoder2(self.down1(e1), m["encoder2"])
        e3 = self.encoder3(self.down2(e2), m["encoder3"])
        m1 = self.mid1(self.down3(e3), m["mid1"])
        m2 = self.mid2(m1, m["mid2"])
        m3 = self.mid3(m2, m["mid3"])
        d3 = self.reduce_chan_level3(torch.cat([self.up3(m3), e3], 1))
        d3 = self.decoder3(d3, m["decoder3"])
        d2 = self.reduce_chan_level2(torch.cat([self.up2(d3), e2], 1))
        d2 = self.decoder2(d2, m["decoder2"])
        d1 = self.reduce_chan_level1(torch.cat([self.up1(d2), e1], 1))
        d1 = self.decoder1(d1, m["decoder1"])
        return self._outputs([e1, e2, e3, m1, m2, m3, d3, d2, d1])

    def _outputs(self, stages: Sequence[Tensor]) -> list[Tensor]:
        return [conv(x) for conv, x in zip(self.zero_convs_module, stages, strict=True)]


def _hint_encoder(width: int) -> nn.Sequential:
    """Eight convolutions to an eighth of the size, SiLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs, stride in zip((3, *HINT), (*HINT, width), HINT_STRIDES, strict=True):
        layers += [nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def _depthwise(width: int) -> nn.Conv2d:
    return nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)


def _like(y: Tensor, x: Tensor) -> Tensor:
    """`y` in the memory order of `x`."""
    last = x.is_contiguous(memory_format=torch.channels_last)
    return y.contiguous(memory_format=torch.channels_last) if last else y
