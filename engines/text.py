"""Prompt features: a static embedding a word piece (potion-base-8M, MIT, stored as int8 rows with a scale each).

Static means that a token's vector does not know its neighbours; the transformer's own `text_context` convolution binds them
("looks left" against "pans left").
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from engines.specs import NUM_TEXT_TOKENS, TEXT_DIM

WEIGHTS = Path(__file__).parent / "weights" / "text"


class TextEncoder:
    """One line of prose to token vectors of about unit variance."""

    def __init__(self, folder: Path = WEIGHTS) -> None:
        """Raises FileNotFoundError naming the missing file and how to make it."""
        for name in ("table.npz", "tokenizer.json"):
            if not (folder / name).is_file():
                raise FileNotFoundError(
                    f"{folder / name} is missing: reinstall rostrum, or write it with python -m export.train.text"
                )
        with np.load(folder / "table.npz") as file:
            self._rows: NDArray[np.int8] = file["rows"]
            self._scales: NDArray[np.float32] = file["scales"].astype(np.float32)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._unknown = self._tokenizer.token_to_id("[UNK]")
        self.encode = lru_cache(maxsize=256)(self._encode)

    def knows(self, word: str) -> bool:
        """Whether the table has a row for the whole word, in lower case."""
        return self._tokenizer.token_to_id(word) is not None

    def _encode(self, text: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(tokens float32 [24, 256], mask bool [24]); longer text is cut, unknown word pieces are left out, "" is all False."""
        ids = [i for i in self._tokenizer.encode(text, add_special_tokens=False).ids if i != self._unknown][:NUM_TEXT_TOKENS]
        tokens = np.zeros((NUM_TEXT_TOKENS, TEXT_DIM), np.float32)
        mask = np.zeros(NUM_TEXT_TOKENS, np.bool_)
        tokens[: len(ids)] = self._rows[ids].astype(np.float32) * self._scales[ids, None]
        mask[: len(ids)] = True
        tokens.flags.writeable = mask.flags.writeable = False
        return tokens, mask
