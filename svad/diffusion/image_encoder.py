"""Image encoder: the vision tower of CLIP with its projection, one vector per photo."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.diffusion.sizes import CLIP_IMAGE, ClipSizes


class SelfAttention(nn.Module):
    """Multi-head self-attention, all projections with bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:  # [B, L, C] -> the same
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        return self.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """Two layers with the quick GELU, x sigmoid(1.702 x)."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:  # [B, L, C] -> the same
        y = self.fc1(x)
        return self.fc2(y * torch.sigmoid(1.702 * y))


class Layer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        self.self_attn = SelfAttention(sizes.hidden, sizes.heads)
        self.layer_norm1 = nn.LayerNorm(sizes.hidden)
        self.mlp = Mlp(sizes.hidden, sizes.intermediate)
        self.layer_norm2 = nn.LayerNorm(sizes.hidden)

    def forward(self, x: Tensor) -> Tensor:  # [B, L, C] -> the same
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Embeddings(nn.Module):
    """Class token and patches, with learnt positions."""

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.zeros(sizes.hidden))
        self.patch_embedding = nn.Conv2d(3, sizes.hidden, sizes.patch, sizes.patch, bias=False)
        places = (CLIP_IMAGE // sizes.patch) ** 2 + 1
        self.position_embedding = nn.Embedding(places, sizes.hidden)

    def forward(self, pixels: Tensor) -> Tensor:  # [B, 3, 224, 224] -> [B, L, C]
        patches = self.patch_embedding(pixels).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(pixels), 1, -1)
        return torch.cat([first, patches], 1) + self.position_embedding.weight


class Encoder(nn.Module):
    """The stack of layers."""

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer(sizes) for _ in range(sizes.layers)])

    def forward(self, x: Tensor) -> Tensor:  # [B, L, C] -> the same
        for layer in self.layers:
            x = layer(x)
        return x


class VisionModel(nn.Module):
    """The tower; its result is the normalised class token."""

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        self.embeddings = Embeddings(sizes)
        self.pre_layrnorm = nn.LayerNorm(sizes.hidden)  # spelt so in the published files
        self.encoder = Encoder(sizes)
        self.post_layernorm = nn.LayerNorm(sizes.hidden)

    def forward(self, pixels: Tensor) -> Tensor:  # [B, 3, 224, 224] -> [B, C]
        x = self.encoder(self.pre_layrnorm(self.embeddings(pixels)))
        return self.post_layernorm(x[:, 0])


class ImageEncoder(nn.Module):
    """CLIP's vision tower with projection (Radford et al. 2021), under its published names."""

    def __init__(self, sizes: ClipSizes) -> None:
        super().__init__()
        self.vision_model = VisionModel(sizes)
        self.visual_projection = nn.Linear(sizes.hidden, sizes.proj, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:  # [B, 3, 224, 224] -> [B, proj], not normalised
        return self.visual_projection(self.vision_model(pixels))
