"""How often the director hears the right emotion in a voice, and how often it claims one where there is none.

    python -m export.evaluate.voice_emotion --acted DIR --talking DIR... [--json]

DIR of --acted: WAV files whose names hold anger, joy, sadness or neutral. Each is heard as it is and disturbed: pitch, tempo,
level, noise, equalisers, telephone, room, Opus. DIR of --talking: WAV files or `talking` .npz of people who are said to feel
nothing much.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.voice_emotion import VOICE_EMOTIONS
from export.train.augment import (
    band_limited,
    coloured_noise,
    formants_shifted,
    resampled,
    reverberated,
    through_opus,
    tilted,
    with_background,
)
from streamer.hearing import captions_of
from streamer.plan import s_from_pts
from streamer.recording import Recording


def disturbed(voice: NDArray[np.int16]) -> Iterator[tuple[str, NDArray[np.int16]]]:
    """The voice as it is, and in ways that change nothing of what is felt."""
    rng = np.random.default_rng(0)
    sound = (voice / 32768).astype(np.float32)
    yield "as it is", voice
    for name, other in (
        ("20 dB quieter", sound / 10),
        ("pitch and tempo +8 %", resampled(sound, 1.08)),
        ("pitch and tempo -8 %", resampled(sound, 0.92)),
        ("smaller head", formants_shifted(sound, 1.1)),
        ("larger head", formants_shifted(sound, 0.9)),
        ("brighter", tilted(sound, 2.0)),
        ("duller", tilted(sound, -2.0)),
        ("telephone", band_limited(sound, 300, 3400)),
        ("noise at 15 dB", with_background(sound, coloured_noise(len(sound), -3, rng), 15)),
        ("room", reverberated(sound, 0.4, 3, rng)),
        ("Opus at 16 kb/s", through_opus(sound, 16_000)),
    ):
        yield name, (np.clip(other, -1, 1) * 32767).astype(np.int16)


def heard(voice: NDArray[np.int16]) -> dict[str, float]:
    """Share of the recording's time that each emotion is claimed."""
    captions = captions_of(voice)
    ends = [*(s_from_pts(caption.start) for caption in captions[1:]), len(voice) / 16_000]
    shares = dict.fromkeys(VOICE_EMOTIONS, 0.0)
    for caption, end in zip(captions, ends, strict=True):
        shares[caption.emotion] += max(0.0, end - s_from_pts(caption.start)) / (len(voice) / 16_000)
    return shares


def voices(folder: Path) -> Iterator[tuple[str, NDArray[np.int16]]]:
    """Every recording of a folder by its name, int16 at 16 kHz."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".wav":
            yield path.stem, Recording.open(path).voice
        elif path.suffix == ".npz":
            yield path.stem, np.load(path)["audio"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--acted", type=Path)
    parser.add_argument("--talking", type=Path, action="append", default=[])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    report: dict[str, object] = {}
    if args.acted:
        confusion = {emotion: Counter[str]() for emotion in VOICE_EMOTIONS}
        for name, voice in voices(args.acted):
            acted = next(
                e for e, word in zip(VOICE_EMOTIONS, ("neutral", "anger", "joy", "sadness"), strict=True) if word in name
            )
            for how, other in disturbed(voice):
                shares = heard(other)
                most = max(shares, key=lambda emotion: shares[emotion])
                confusion[acted][most] += 1
                print(f"{name:24} {how:22} {most:8} {' '.join(f'{e} {s:.2f}' for e, s in shares.items() if s)}")
        report["acted"] = {acted: dict(found) for acted, found in confusion.items()}
    for folder in args.talking:
        total, length = Counter[str](), 0.0
        for name, voice in voices(folder):
            shares = heard(voice)
            seconds = len(voice) / 16_000
            length += seconds
            total.update({emotion: share * seconds for emotion, share in shares.items()})
            if shares["calm"] < 0.9:
                print(f"{name:24} {' '.join(f'{e} {s:.2f}' for e, s in shares.items() if s)}")
        report[folder.name] = {emotion: round(total[emotion] / length, 3) for emotion in VOICE_EMOTIONS}
    print(json.dumps(report, indent=None if args.json else 2))


if __name__ == "__main__":
    main()
