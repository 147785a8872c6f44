"""MiniVae: a small causal video VAE, 32 pixels a side and 8 frames to a latent; its decoder carries detail from a known frame.

Blocks are TAEHV's: convolutions within frames that also see the frame before, so that it streams. At 1 : 500, latents cannot
hold a face; but a sampler always knows its first frame. So latents say what differs from that frame, and the decoder moves its
pixels and features along a flow read from them and draws what they lack: the inside of a mouth, a lid. (Moving what is known
rather than drawing it anew is the idea of first-order motion models, Siarohin et al. 2019.)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.catalog import MiniVaeConfig
from engines.models.streaming import Memory
from engines.models.tiny_vae import MemoryBlock, TimeGrow, TimePool, run

FRAMES_A_LATENT = 8
PIXELS_A_LATENT = 32
_PATCH = 8  # pixels a side that the encoder takes at once
_FINE = 4  # pixels a side that the decoder draws at once
_REACH = 48.0  # pixels: how far the flow can go
#: Steps of an optimizer are then tenths of a pixel, and of a per cent of the light.
_FLOW_UNIT, _DRAWN_UNIT = 1.0, 0.1


def _conv(dim_in: int, dim_out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(dim_in, dim_out, 3, stride, 1)


class MiniVae(nn.Module):
    """Videos [b, 3, 1 + 8k, 32h, 32w] of −1 to 1 to latents [b, c, 1 + k, h, w] and, with their first frame, back."""

    def __init__(self, config: MiniVaeConfig) -> None:
        super().__init__()
        a, b, c = config.dims
        self.config = config
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(_PATCH), _conv(6 * _PATCH**2, a), nn.ReLU(), MemoryBlock(a),
            _conv(a, b, 2), nn.ReLU(), MemoryBlock(b), _conv(b, c, 2), nn.ReLU(), MemoryBlock(c),
            TimePool(c, FRAMES_A_LATENT), nn.ReLU(), _conv(c, config.latent_channels),
        )  # fmt: skip
        self.trunk = nn.Sequential(
            _conv(config.latent_channels, c), nn.ReLU(), TimeGrow(c, FRAMES_A_LATENT), MemoryBlock(c),
            nn.Upsample(scale_factor=2.0), _conv(c, b), nn.ReLU(), MemoryBlock(b), MemoryBlock(b),
            nn.Upsample(scale_factor=2.0), _conv(b, a), nn.ReLU(), MemoryBlock(a),
        )  # fmt: skip
        fine = config.fine_dim
        self.flow = _conv(a, 2)
        self.known = nn.Sequential(nn.PixelUnshuffle(_FINE), _conv(3 * _FINE**2, fine), nn.ReLU(), _conv(fine, fine))
        self.finer = nn.Sequential(nn.Upsample(scale_factor=2.0, mode="bilinear"), nn.Conv2d(a, fine, 1), nn.ReLU())
        self.draw = nn.Sequential(_conv(2 * fine, fine), nn.ReLU(), _conv(fine, fine), nn.ReLU(), _conv(fine, 3 * _FINE**2))
        self._initialise()

    def _initialise(self) -> None:
        """Signals keep their strength through the layers (He et al. 2015), memory adds little at first, and the known frame
        stands still: nothing moves, nothing is drawn."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, MemoryBlock):
                with torch.no_grad():
                    for weight in list(module.conv.parameters())[-2:]:
                        weight.mul_(0.1)
        nn.init.zeros_(self.flow.weight)
        nn.init.zeros_(self.draw[-1].weight)  # type: ignore[arg-type]

    def encode(self, frames: Tensor, known: Tensor, past: tuple[Tensor, ...] = ()) -> tuple[Tensor, tuple[Tensor, ...]]:
        """A video's beginning (1 + 8k frames) or, with pasts, its going on (8k); gives latents, and the pasts.

        known [b, 3, H, W]: the video's first frame; latents say what differs from it, each of length √c. It stands for the
        seven before it as well.
        """
        memory = Memory(past, dim=1)
        x = torch.cat([frames, frames - known[:, :, None]], 1).transpose(1, 2)
        if memory.is_fresh:
            x = torch.cat([x[:, :1].expand(-1, FRAMES_A_LATENT - 1, -1, -1, -1), x], dim=1)
        latents = F.normalize(run(self.encoder, x, memory).transpose(1, 2), dim=1)
        return latents * self.config.latent_channels**0.5, memory.after()

    def decode(self, latents: Tensor, known: Tensor, past: tuple[Tensor, ...] = ()) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Latents of a video's beginning (1 + 8k frames) or, with pasts, of its going on (8k); gives frames, and the pasts.

        known [b, 3, H, W]: the video's first frame.
        """
        frames, _, after = self.moved_and_drawn(latents, known, past)
        return frames, after

    def moved_and_drawn(
        self, latents: Tensor, known: Tensor, past: tuple[Tensor, ...] = ()
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """As `decode`, with the flow [b * f, 2, H / 8, W / 8] between."""
        memory = Memory(past, dim=1)
        x = run(self.trunk, latents.transpose(1, 2), memory)
        if memory.is_fresh:
            x = x[:, FRAMES_A_LATENT - 1 :]
        b, f = x.shape[:2]
        x = x.flatten(0, 1)
        size = known.shape[2], known.shape[3]
        flow = (_FLOW_UNIT * self.flow(x)).clamp(-_REACH, _REACH)
        features = moved(self.known(known), flow, size)
        pixels = moved(known, flow, size)
        drawn = _DRAWN_UNIT * F.pixel_shuffle(self.draw(torch.cat([self.finer(x), features], 1)), _FINE)
        return (pixels + drawn).unflatten(0, (b, f)).transpose(1, 2), flow, memory.after()


def moved(x: Tensor, flow: Tensor, size: tuple[int, int]) -> Tensor:
    """x [b, c, H / s, W / s] looked up where a coarser flow [b * f, 2, …] says, in pixels of the full H x W (across, down)."""
    h, w = x.shape[2:]
    scale = flow.new_tensor((2 / size[1], 2 / size[0]))[:, None, None]  # to grid_sample's halves of the picture
    flow = F.interpolate(flow, (h, w), mode="bilinear", align_corners=False)
    rows = (torch.arange(h, device=x.device, dtype=x.dtype) + 0.5) * 2 / h - 1
    columns = (torch.arange(w, device=x.device, dtype=x.dtype) + 0.5) * 2 / w - 1
    place = torch.stack([columns.expand(h, w), rows[:, None].expand(h, w)])
    x = x.repeat_interleave(len(flow) // len(x), 0)
    return F.grid_sample(x, (place + flow * scale).permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
