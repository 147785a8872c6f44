"""flite (Debian; CMU voices, BSD-like): American, Scottish and other English speakers, some of them natural."""

from __future__ import annotations

import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

from export.train.data.speech import SILENCE, Utterance, from_segments, to_16k
from export.train.data.voices import EngineMissing, Voice

#: CMU phone set → IPA.
ARPABET = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "b": "b", "ch": "tʃ", "d": "d",
    "dh": "ð", "dx": "ɾ", "eh": "ɛ", "el": "l", "em": "m", "en": "n", "er": "ɚ", "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h",
    "hv": "h", "ih": "ɪ", "iy": "i", "jh": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "nx": "n", "ow": "oʊ",
    "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ", "uh": "ʊ", "uw": "u", "v": "v", "w": "w",
    "y": "j", "z": "z", "zh": "ʒ", "pau": SILENCE, "sil": SILENCE, "h#": SILENCE, "brth": SILENCE,
}  # fmt: skip
_VOICES = {"slt": "train", "awb": "train", "rms": "val", "kal16": "train"}


class Flite:
    """Raises EngineMissing when the program is not installed."""

    def cast(self) -> list[Voice]:
        return [Voice("flite", name, "en", split) for name, split in _VOICES.items()]

    def speak(self, voice: Voice, text: str, rng: np.random.Generator) -> Utterance:
        """Duration stretch 0.8–1.25 at random."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            stretch = f"duration_stretch={rng.uniform(0.8, 1.25):.2f}"
            command = ["flite", "-voice", voice.name, "--setf", stretch, "-psdur", "-t", text, "-o", str(path)]
            try:
                printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            except FileNotFoundError as error:
                raise EngineMissing("flite is not installed: apt-get install flite") from error
            with wave.open(str(path)) as file:
                pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32768)
                audio = to_16k(pcm, file.getframerate())
        duration_s = len(audio) / 16000
        segments, start, offset = [], 0.0, 0.0
        for item in printed.split():
            name, _, end_text = item.rpartition(":")
            end = offset + float(end_text)
            if end < start:  # times begin again with each sentence
                offset = start
                end = offset + float(end_text)
            segments.append((ARPABET[name], start, min(end, duration_s), 0))
            start = end
        phones = from_segments(segments, duration_s)
        return Utterance(audio, phones, f"flite:{voice.name}", "en", text)
