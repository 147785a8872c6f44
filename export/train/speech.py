"""Cut the first part of OpenAI's Whisper tiny.en encoder out of its checkpoint, and write it as ONNX with float16 weights.

python -m export.train.speech tiny.en.pt engines/weights/speech/encoder.onnx

The checkpoint is OpenAI's own (MIT); its published sha256 is checked before anything is read from it. What is kept: both
convolutions and the first two of four blocks, for windows of exactly `engines.features.WINDOW_MEL_FRAMES` mel frames.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.features import NUM_MELS, WINDOW_MEL_FRAMES
from export.to_onnx import export_onnx

CHECKPOINT_SHA256 = "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03"
NUM_BLOCKS = 2
DIM = 384
NUM_HEADS = 6


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(DIM, DIM)
        self.key = nn.Linear(DIM, DIM, bias=False)
        self.value = nn.Linear(DIM, DIM)
        self.out = nn.Linear(DIM, DIM)

    def forward(self, x: Tensor) -> Tensor:
        b, t, _ = x.shape
        q, k, v = (f(x).view(b, t, NUM_HEADS, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        weights = torch.softmax(q @ k.transpose(2, 3) * (DIM // NUM_HEADS) ** -0.5, dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(b, t, DIM))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn = Attention()
        self.attn_ln = nn.LayerNorm(DIM)
        self.mlp = nn.Sequential(nn.Linear(DIM, 4 * DIM), nn.GELU(), nn.Linear(4 * DIM, DIM))
        self.mlp_ln = nn.LayerNorm(DIM)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.attn_ln(x))
        return x + self.mlp(self.mlp_ln(x))


class WhisperStem(nn.Module):
    """mel [b, 80, t] to features [b, t / 2, 384]: Whisper's encoder up to and including its second block."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(NUM_MELS, DIM, 3, padding=1)
        self.conv2 = nn.Conv1d(DIM, DIM, 3, stride=2, padding=1)
        self.positional_embedding = nn.Buffer(torch.zeros(WINDOW_MEL_FRAMES // 2, DIM))
        self.blocks = nn.ModuleList(Block() for _ in range(NUM_BLOCKS))

    def forward(self, mel: Tensor) -> Tensor:
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2) + self.positional_embedding
        for block in self.blocks:
            x = block(x)
        return x


def load_stem(checkpoint: Path) -> WhisperStem:
    """Raises ValueError if the file is not OpenAI's tiny.en."""
    if hashlib.sha256(checkpoint.read_bytes()).hexdigest() != CHECKPOINT_SHA256:
        raise ValueError(f"{checkpoint} is not OpenAI's tiny.en.pt (its sha256 differs from the published one)")
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["model_state_dict"]
    stem = WhisperStem()
    own = {name: state[f"encoder.{name}"].float() for name in stem.state_dict() if name != "positional_embedding"}
    own["positional_embedding"] = state["encoder.positional_embedding"][: WINDOW_MEL_FRAMES // 2].float()
    stem.load_state_dict(own)
    return stem.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    mel = torch.randn(2, NUM_MELS, WINDOW_MEL_FRAMES)
    export_onnx(load_stem(args.checkpoint), {"mel": mel}, ["features"], args.out, dynamic={"mel": {0: "b"}})


if __name__ == "__main__":
    main()
