"""Pack the potion-base-8M static embedding (model2vec, MIT) into int8 rows.

python -m export.train.text potion-base-8M/ engines/weights/text
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """float32 and float16 tensors of a .safetensors file (8-byte header length, JSON header, raw bytes)."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    header.pop("__metadata__", None)
    types = {"F32": np.float32, "F16": np.float16}
    tensors = {}
    for name, entry in header.items():
        low, high = entry["data_offsets"]
        tensors[name] = np.frombuffer(raw[8 + size + low : 8 + size + high], types[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    table = read_safetensors(args.model / "model.safetensors")["embeddings"].astype(np.float32)
    unit = np.sqrt(np.mean(table**2))
    peak = np.abs(table).max(axis=1)
    rows = np.round(table / np.maximum(peak, 1e-9)[:, None] * 127).astype(np.int8)
    args.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out / "table.npz", rows=rows, scales=(peak / 127 / unit).astype(np.float32))
    shutil.copy(args.model / "tokenizer.json", args.out / "tokenizer.json")


if __name__ == "__main__":
    main()
