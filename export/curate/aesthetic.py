"""The LAION aesthetic predictor (improved, v2): a small head over CLIP ViT-L/14, both by paths that the user gives.

Head: github.com/christophschuhmann/improved-aesthetic-predictor, five linear layers over the image's unit embedding, trained on
ratings from 1 to 10. CLIP: a folder of `openai/clip-vit-large-patch14` in transformers' format.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from export.curate.faces import Picture

_WIDTHS = (1024, 128, 64, 16, 1)
_PLACES = (0, 2, 4, 6, 7)  # of the linear layers in the published file: dropouts lie between
INSTALL = "pip install 'rostrum[video]'"


class AestheticPredictor:
    """Rates pictures from 1 to 10."""

    def __init__(self, head: Path, clip: Path | str) -> None:
        """Raises ImportError that names the extra, FileNotFoundError, and ValueError for a head that is not of this shape."""
        try:
            import torch
            from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection
        except ImportError as error:
            raise ImportError(f"the aesthetic predictor needs torch and transformers ({error}): {INSTALL}") from error
        if not head.is_file():
            raise FileNotFoundError(f"there is no aesthetic head at {head}: give the file sac+logos+ava1-l14-linearMSE.pth")
        try:
            self._clip: Any = CLIPVisionModelWithProjection.from_pretrained(clip).eval()
            self._look: Any = CLIPImageProcessor.from_pretrained(clip)
        except OSError as error:
            raise FileNotFoundError(f"{clip} holds no CLIP in transformers' format: {error}") from error
        dim = self._clip.config.projection_dim
        widths = (dim, *_WIDTHS)
        self._head = torch.nn.Sequential(*(torch.nn.Linear(a, b) for a, b in pairwise(widths)))
        state = torch.load(head, map_location="cpu", weights_only=True)
        names = {f"layers.{place}.{kind}": f"{i}.{kind}" for i, place in enumerate(_PLACES) for kind in ("weight", "bias")}
        if set(state) != set(names):
            raise ValueError(f"{head} is not LAION's improved aesthetic predictor: it holds {', '.join(sorted(state)[:4])} …")
        try:
            self._head.load_state_dict({names[name]: value for name, value in state.items()})
        except RuntimeError as error:
            raise ValueError(f"{head} does not fit this CLIP, whose embeddings have {dim} numbers: {error}") from error

    def rate(self, pictures: Sequence[Picture]) -> float:
        """The median over RGB pictures [h, w, 3]. Raises ValueError without any."""
        import torch

        if not pictures:
            raise ValueError("no picture to rate")
        with torch.inference_mode():
            pixels = self._look(images=list(pictures), return_tensors="pt")["pixel_values"]
            embedding = self._clip(pixel_values=pixels).image_embeds
            scores = self._head(embedding / embedding.norm(dim=-1, keepdim=True))[:, 0]
        return float(np.median(scores.numpy()))
