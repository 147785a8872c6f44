"""MiniVae: a small causal video VAE, 32 pixels a side and 8 frames to a latent; its decoder carries detail from a known frame.

At 1 : 500, latents cannot hold a face; but a sampler always knows its first frame. So latents say what differs from that frame:
how its pixels move, and what light that does not foretell, each as the first principal components of eight frames of a cell.
The decoder looks at the known frame again, moves its pixels and features along the flow, which it refines, and draws what they
lack: the inside of a mouth, a lid. (Moving what is known rather than drawing it anew is the idea of first-order motion models,
Siarohin et al. 2019.) Its blocks are like TAEHV's: convolutions within frames that also see the frame before, so that it
streams.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.catalog import MiniVaeConfig
from engines.models.streaming import Memory
from engines.models.tiny_vae import TimeGrow

FRAMES_A_LATENT = 8
PIXELS_A_LATENT = 32
FINE = 4  # pixels a side of what is coded at once, and drawn
_CELLS = PIXELS_A_LATENT // FINE  # a side of a latent
_DRAWN_UNIT = 0.1  # steps of an optimizer are then of a per cent of the light


def _conv(dim_in: int, dim_out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(dim_in, dim_out, 3, stride, 1)


def _even(x: Tensor) -> Tensor:
    """x [n, c, h, w] at one strength in all places (RMS norm)."""
    return x * (x.square().mean(1, keepdim=True) + 1e-4).rsqrt()


class _Residual(nn.Module):
    """x [n, c, h, w] and, where there is one, what stood in its place a frame before."""

    def __init__(self, dim: int, seen: int = 1) -> None:
        super().__init__()
        self.conv = nn.Sequential(_conv(seen * dim, dim), nn.SiLU(), _conv(dim, dim))

    def forward(self, x: Tensor, *before: Tensor) -> Tensor:
        return x + self.conv(_even(torch.cat([x, *before], 1)))


class _Remembering(_Residual):
    """A block that sees the frame before as well. x [b, f, c, h, w]."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, 2)

    def forward(self, x: Tensor, memory: Memory) -> Tensor:  # type: ignore[override]
        before = memory.extend(x, 1)[:, :-1]
        return super().forward(x.flatten(0, 1), before.flatten(0, 1)).unflatten(0, x.shape[:2])


class MiniVae(nn.Module):
    """Videos [b, 3, 1 + 8k, 32h, 32w] of −1 to 1 to latents [b, c, 1 + k, h, w] and, with their first frame, back."""

    flow_basis: Tensor  # [flow_channels, 8 frames of (across, down), 8, 8], orthonormal
    flow_spread: Tensor  # [flow_channels], pixels
    light_basis: Tensor  # [the other channels, 8 frames of RGB, 8, 8], orthonormal
    light_spread: Tensor

    def __init__(self, config: MiniVaeConfig) -> None:
        super().__init__()
        a, b, c = config.dims
        fine, channels = config.fine_dim, config.latent_channels
        self.config = config
        for name, count, depth in (("flow", config.flow_channels, 2), ("light", channels - config.flow_channels, 3)):
            self.register_buffer(f"{name}_basis", torch.zeros(count, depth * FRAMES_A_LATENT, _CELLS, _CELLS))
            self.register_buffer(f"{name}_spread", torch.ones(count))
        self.look = nn.ModuleList([
            nn.Sequential(nn.PixelUnshuffle(FINE), _conv(3 * FINE**2, a, 2), _Residual(a)),
            nn.Sequential(_conv(a, b, 2), _Residual(b)),
            nn.Sequential(_conv(b, c, 2), _Residual(c)),
        ])  # fmt: skip
        self.recall = nn.ModuleList([_conv(channels, c), _conv(c, b), _conv(b, a)])
        self.recognise = nn.ModuleList([nn.Conv2d(dim, dim, 1) for dim in (c, b, a)])
        self.grow = TimeGrow(c, FRAMES_A_LATENT)
        self.blocks = nn.ModuleList([nn.ModuleList(_Remembering(dim) for _ in range(n)) for dim, n in ((c, 1), (b, 2), (a, 1))])
        self.refine = _conv(a, 2 * 4)
        self.known = nn.Sequential(nn.PixelUnshuffle(FINE), _conv(3 * FINE**2, fine), nn.SiLU(), _conv(fine, fine))
        self.finer = nn.Sequential(nn.Upsample(scale_factor=2.0, mode="bilinear"), nn.Conv2d(a, fine, 1))
        self.draw = nn.Sequential(_conv(2 * fine, fine), nn.SiLU(), _Residual(fine), _conv(fine, 3 * FINE**2))
        self._initialise()

    def _initialise(self) -> None:
        """Blocks add little at first, and what is coded is seen as it is: nothing is refined or drawn."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, _Residual):
                with torch.no_grad():
                    list(module.conv.parameters())[-2].mul_(0.1)
        nn.init.zeros_(self.refine.weight)
        nn.init.zeros_(self.draw[-1].weight)  # type: ignore[arg-type]

    def encode(self, frames: Tensor, known: Tensor, flow: Tensor, starts: bool = True) -> Tensor:
        """A video's beginning (1 + 8k frames) or its going on (8k).

        known [b, 3, H, W]: the video's first frame; latents say what differs from it. flow [b, f, 2, H / 4, W / 4]: where in it
        the frames' pixels are, as `moved` has it. The first frame stands for the seven before it as well.
        """
        moving = self.coded_flow(flow, starts)
        light = _coded(self.unforeseen(frames, known, moving, starts), self.light_basis, self.light_spread, starts)
        return torch.cat([moving, light], 2).transpose(1, 2)

    def coded_flow(self, flow: Tensor, starts: bool = True) -> Tensor:
        """[b, f, 2, H / 4, W / 4] to latents' first channels [b, k, flow_channels, h, w]."""
        return _coded(flow, self.flow_basis, self.flow_spread, starts)

    def unforeseen(self, frames: Tensor, known: Tensor, moving: Tensor, starts: bool = True) -> Tensor:
        """What light [b, f, 3, H / 4, W / 4] is in frames but not in the known one moved by a coded flow [b, k, c, h, w]."""
        x = frames.transpose(1, 2)
        flow = _uncoded(moving, self.flow_basis, self.flow_spread, starts)
        foretold = moved(known, flow.flatten(0, 1), (known.shape[2], known.shape[3]))
        return F.avg_pool2d(x.flatten(0, 1) - foretold, FINE).unflatten(0, x.shape[:2])

    def recognised(self, known: Tensor) -> Tensor:
        """What is where in frames [b, 3, H, W]: features [b, dims[2], h, w] of one strength."""
        return _even(self._seen(known)[-1])

    def _seen(self, known: Tensor) -> list[Tensor]:
        """Features of frames [b, 3, H, W] where a cell is 8, 16 and 32 pixels."""
        levels = [known]
        for layer in self.look:
            levels.append(layer(levels[-1]))
        return levels[1:]

    def decode(self, latents: Tensor, known: Tensor, past: tuple[Tensor, ...] = ()) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Latents of a video's beginning (1 + 8k frames) or, with pasts, of its going on (8k); gives frames, and the pasts.

        known [b, 3, H, W]: the video's first frame.
        """
        memory = Memory(past, dim=1)
        x = latents.transpose(1, 2)
        moving, light = x.split([self.config.flow_channels, x.shape[2] - self.config.flow_channels], 2)
        foretold = _uncoded(moving, self.flow_basis, self.flow_spread, memory.is_fresh).flatten(0, 1)
        unforeseen = _uncoded(light, self.light_basis, self.light_spread, memory.is_fresh).flatten(0, 1)
        for i, here in enumerate(reversed(self._seen(known))):
            if i:
                x = F.interpolate(x.flatten(0, 1), scale_factor=2.0).unflatten(0, x.shape[:2])
            x = self.recall[i](x.flatten(0, 1)).unflatten(0, x.shape[:2]) + self.recognise[i](here)[:, None]
            if not i:
                x = self.grow(x)[:, FRAMES_A_LATENT - 1 if memory.is_fresh else 0 :]
            for block in list(self.blocks[i].children()):
                x = block(x, memory)
        b, f = x.shape[:2]
        x = _even(x.flatten(0, 1))
        size = known.shape[2], known.shape[3]
        flow = foretold + F.pixel_shuffle(self.refine(x), 2)
        features = moved(self.known(known), flow, size)
        drawn = _DRAWN_UNIT * F.pixel_shuffle(self.draw(torch.cat([self.finer(x), features], 1)), FINE)
        drawn = drawn + F.interpolate(unforeseen, size, mode="bilinear")
        return (moved(known, flow, size) + drawn).unflatten(0, (b, f)).transpose(1, 2), memory.after()


def _coded(x: Tensor, basis: Tensor, spread: Tensor, starts: bool) -> Tensor:
    """[b, f, d, H / 4, W / 4] to [b, k, channels, h, w], each of unit spread. starts: the first stands for seven before it."""
    if starts:
        x = torch.cat([x[:, :1].expand(-1, FRAMES_A_LATENT - 1, -1, -1, -1), x], dim=1)
    eights = x.unflatten(1, (-1, FRAMES_A_LATENT)).flatten(2, 3)
    coded = F.conv2d(eights.flatten(0, 1), basis, stride=_CELLS) / spread[:, None, None]
    return coded.unflatten(0, eights.shape[:2])


def _uncoded(coded: Tensor, basis: Tensor, spread: Tensor, starts: bool) -> Tensor:
    """And back."""
    eights = F.conv_transpose2d(coded.flatten(0, 1) * spread[:, None, None], basis, stride=_CELLS)
    x = eights.unflatten(0, coded.shape[:2]).unflatten(2, (FRAMES_A_LATENT, -1)).flatten(1, 2)
    return x[:, FRAMES_A_LATENT - 1 if starts else 0 :]


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
