"""Fits the lip predictor that `rostrum evaluate` ships: `python -m export.evaluate.lip_fit --talking DIR [--out FILE]`.

2,304 numbers, a ridge regression from speech features to inner-lip aperture and jaw height (`export.evaluate.lips`), fitted
on recordings of real people talking (`export.evaluate.talking` says in which form) that may be shipped from: ten GRID clips
(Cooke et al. 2006, CC BY 4.0) and two US party weekly addresses. Says how well it goes with the people of all the other
clips."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engines.features import SpeechEncoder
from export.evaluate.face_track import FaceTrack, from_landmarks
from export.evaluate.judging import PREDICTOR
from export.evaluate.lips import Frames, LipPredictor, LipRegression, agreement, frame_features
from export.evaluate.talking import read_folder


def fitted_on(folder: Path) -> LipPredictor:
    """A predictor fitted on every clip of a folder. Raises ClipError."""
    return _regression(_clips(folder)).fit()


def main() -> None:
    from export.train.data.real import permitted  # what `rostrum evaluate` uses of this module needs no SciPy

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--talking", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, default=PREDICTOR, metavar="FILE")
    options = parser.parse_args()
    clips = _clips(options.talking)
    fitted = _regression({name: clip for name, clip in clips.items() if permitted(name)}).fit()
    np.savez(options.out, weights=fitted.weights.astype(np.float32))
    others = [clip for name, clip in clips.items() if not permitted(name)]
    shown = [agreement(fitted.predict(features), track.lips, track.found) for features, track in others]
    scores = [one.r for one in shown]
    lowest, in_step = np.percentile(scores, 10), np.mean([abs(one.lag_frames) <= 1 for one in shown])
    print(f"fitted on {len(clips) - len(others)} clips")
    print(f"the other {len(others)}: r {np.median(scores):.3f} (p10 {lowest:.3f}), lag within a frame {in_step:.2f}")


def _clips(folder: Path) -> dict[str, tuple[Frames, FaceTrack]]:
    """Features and lips of each, by name."""
    encoder = SpeechEncoder()
    return {
        clip.name: (frame_features(encoder, clip.audio), from_landmarks(clip.landmarks, clip.found))
        for clip in read_folder(folder)
    }


def _regression(clips: Mapping[str, tuple[Frames, FaceTrack]]) -> LipRegression:
    regression = LipRegression()
    for name, (features, track) in clips.items():
        regression.add(name, features, track.lips, track.found)
    return regression


if __name__ == "__main__":
    main()
