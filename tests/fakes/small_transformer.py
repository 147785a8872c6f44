"""The motion transformer's size in tests: all of its parts, hardly any weights."""

from dataclasses import replace

from engines.catalog import PORTRAIT

SMALL = replace(PORTRAIT, dim=32, ffn_dim=48, num_heads=2, num_blocks=1, audio_hidden_dim=16, rope_split=(16, 0, 0))
