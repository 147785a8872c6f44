"""Fills a folder with utterances: ``python -m export.train.data.speak --out DIR --engine kokoro --minutes 50 --seed 1``.

One ``.npz`` an utterance (``audio`` int16 at 16 kHz, ``meta`` a JSON object with phones, voice, language, split, text), so
that the slow part, speaking, is done once; a run that was stopped goes on where it was. ``make`` calls this for each engine.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from export.train.data.speech import Phone, Utterance, stretched
from export.train.data.texts import sentence
from export.train.data.voices import Engine, Voice
from export.train.data.voices.espeak import Espeak
from export.train.data.voices.flite import Flite
from export.train.data.voices.hibari import Hibari
from export.train.data.voices.kokoro import Kokoro
from export.train.data.voices.piper import Piper
from export.train.whole import save_whole

ENGINES = ("kokoro", "hibari", "espeak", "piper", "flite")
#: How much of an engine's time each language gets.
LANGUAGE_SHARES: dict[str, dict[str, float]] = {
    "kokoro": {"en": 26, "zh": 24, "ja": 22, "ko": 12, "fr": 3, "es": 4, "it": 3, "pt": 2, "hi": 2, "de": 2},
    "espeak": {"en": 8, "zh": 18, "ja": 18, "ko": 22, "de": 8, "fr": 7, "es": 7, "it": 4, "pt": 4, "hi": 4, "ar": 6},
}


@dataclass(frozen=True, slots=True)
class Spoken:
    """An utterance and the side of the split its voice is on."""

    utterance: Utterance
    split: str


def make_engine(name: str, kokoro_voices: Path | None = None) -> Engine:
    """Raises EngineMissing, and KeyError for an unknown name."""
    if name == "kokoro":
        return Kokoro(kokoro_voices)
    return {"hibari": Hibari, "espeak": Espeak, "piper": Piper, "flite": Flite}[name]()


def speak(engine: Engine, name: str, out: Path, minutes: float, seed: int) -> None:
    """Write ``out/speech/name/00000.npz`` … until they last ``minutes`` together."""
    folder = out / "speech" / name
    folder.mkdir(parents=True, exist_ok=True)
    by_language: dict[str, list[Voice]] = {}
    for voice in engine.cast():
        by_language.setdefault(voice.language, []).append(voice)
    shares = {k: v for k, v in LANGUAGE_SHARES.get(name, {"en": 1.0}).items() if k in by_language}
    languages, weights = list(shares), np.array(list(shares.values()))
    done_s, index = 0.0, 0
    with tqdm(total=round(minutes * 60), desc=f"speaking ({name})", unit="s", mininterval=5) as bar:
        while done_s < minutes * 60:
            path = folder / f"{index:05d}.npz"
            if path.exists():
                seconds = load(path).utterance.duration_s
            else:
                rng = np.random.default_rng([seed, *name.encode(), index])
                language = languages[int(rng.choice(len(languages), p=weights / weights.sum()))]
                voice = by_language[language][int(rng.integers(len(by_language[language])))]
                utterance = engine.speak(voice, sentence(language, rng), rng)
                if name in ("espeak", "flite", "piper") and rng.random() < 0.5:
                    utterance = stretched(utterance, float(np.exp(rng.uniform(-0.14, 0.14))))
                save(path, Spoken(utterance, voice.split))
                seconds = utterance.duration_s
            done_s, index = done_s + seconds, index + 1
            bar.update(round(min(seconds, bar.total - bar.n)))


def save(path: Path, spoken: Spoken) -> None:
    """Levelled to −23 dB RMS of the loud parts, without clipping."""
    utterance = spoken.utterance
    loud = np.sqrt(np.mean(utterance.audio**2)) + 1e-6
    gain = min(0.1 / loud, 0.97 / (np.abs(utterance.audio).max() + 1e-6))
    meta = {
        "phones": [(p.symbol, round(p.start_s, 4), round(p.end_s, 4), p.stress) for p in utterance.phones],
        "voice": utterance.voice, "language": utterance.language, "split": spoken.split, "text": utterance.text,
    }  # fmt: skip
    save_whole(path, audio=np.round(utterance.audio * gain * 32767).astype(np.int16), meta=np.array(json.dumps(meta)))


def load(path: Path) -> Spoken:
    """Read what ``save`` wrote."""
    with np.load(path) as data:
        audio, meta = data["audio"].astype(np.float32) / 32768, json.loads(str(data["meta"]))
    phones = tuple(Phone(str(s), float(a), float(b), int(k)) for s, a, b, k in meta["phones"])
    return Spoken(Utterance(audio, phones, meta["voice"], meta["language"], meta["text"]), meta["split"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kokoro-voices", type=Path, help="folder of Kokoro voices (package/voices of npm's kokoro-js)")
    args = parser.parse_args()
    speak(make_engine(args.engine, args.kokoro_voices), args.engine, args.out, args.minutes, args.seed)


if __name__ == "__main__":
    main()
