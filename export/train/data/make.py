"""Writes the training set: ``python -m export.train.data.make --out DIR --hours 3 --seed 1 [--talking DIR]``.

First each speech engine fills ``DIR/speech`` (once; a run that was stopped goes on), then ``DIR/clips`` and ``DIR/index.json``
are made anew from it: clips of one voice saying one to four things, clips of nobody speaking, and, given ``--talking``, the
real clips whose recordings may be trained on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from export.train.data import SAMPLE_RATE_HZ, SAMPLES_PER_FRAME
from export.train.data.clips import Clip, as_pcm, perform, storyline, supervised_everywhere
from export.train.data.idle import speech_mask
from export.train.data.real import permitted_clips
from export.train.data.singing import sung
from export.train.data.sounds import KINDS, background
from export.train.data.speak import ENGINES, Spoken, load, make_engine, speak
from export.train.data.speech import SILENCE, Phone, Utterance

#: Share of the hours each engine speaks.
ENGINE_SHARES = {"kokoro": 0.3, "hibari": 0.22, "espeak": 0.33, "flite": 0.09, "piper": 0.06}
IDLE_SHARE = 0.06
#: Share of clips of speech that are sung, whatever the language.
SUNG_SHARE = 0.15


def trimmed(utterance: Utterance, margin_s: float = 0.12) -> Utterance:
    """Without the silence before and after, but for a margin."""
    spoken = [p for p in utterance.phones if p.symbol != SILENCE]
    if not spoken:
        return utterance
    start_s = max(0.0, spoken[0].start_s - margin_s)
    end_s = min(utterance.duration_s, spoken[-1].end_s + margin_s)
    audio = utterance.audio[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]
    phones = tuple(
        replace(p, start_s=max(0.0, p.start_s - start_s), end_s=min(end_s, p.end_s) - start_s)
        for p in utterance.phones
        if p.end_s > start_s and p.start_s < end_s
    )
    return replace(utterance, audio=audio, phones=phones)


def joined(utterances: list[Utterance], rng: np.random.Generator) -> Utterance:
    """One after the other, with pauses before, between and after."""
    audio: list[np.ndarray] = []
    phones: list[Phone] = []
    now_s = 0.0

    def pause(length_s: float) -> None:
        nonlocal now_s
        samples = round(length_s * SAMPLE_RATE_HZ)
        audio.append(np.zeros(samples, np.float32))
        phones.append(Phone(SILENCE, now_s, now_s + samples / SAMPLE_RATE_HZ))
        now_s += samples / SAMPLE_RATE_HZ

    pause(float(rng.uniform(0.1, 0.9)))
    for i, utterance in enumerate(utterances):
        if i:
            pause(float(rng.gamma(2, 0.22) + 0.08))
        audio.append(utterance.audio)
        phones += (replace(p, start_s=p.start_s + now_s, end_s=p.end_s + now_s) for p in utterance.phones)
        now_s += utterance.duration_s
    pause(float(rng.uniform(0.2, 1.2)))
    return replace(utterances[0], audio=np.concatenate(audio), phones=_merged(phones))


def _merged(phones: list[Phone]) -> tuple[Phone, ...]:
    out: list[Phone] = []
    for phone in phones:
        if out and phone.symbol == SILENCE == out[-1].symbol:
            out[-1] = replace(out[-1], end_s=phone.end_s)
        else:
            out.append(phone)
    return tuple(out)


def spoken_clips(folder: Path, seed: int) -> Iterator[Clip]:
    """Clips of 6–14 s from the utterances under ``folder``, each voice by itself."""
    by_voice: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(folder.glob("*/*.npz")):
        utterance = load(path).utterance
        by_voice.setdefault((utterance.voice, utterance.language), []).append(path)
    by_voice = _gather_variations(by_voice)
    for (voice, language), paths in sorted(by_voice.items()):
        rng = np.random.default_rng([seed, *voice.encode(), *language.encode()])
        rng.shuffle(paths)
        pending: list[Spoken] = []
        wanted_s = rng.uniform(4.5, 11.0)
        for path in paths:
            spoken = load(path)
            pending.append(replace(spoken, utterance=trimmed(spoken.utterance)))
            if sum(s.utterance.duration_s for s in pending) >= wanted_s or path is paths[-1]:
                yield from _one_spoken(pending, rng)
                pending, wanted_s = [], rng.uniform(4.5, 11.0)


def _gather_variations(by_voice: dict[tuple[str, str], list[Path]]) -> dict[tuple[str, str], list[Path]]:
    """Resampled utterances have voices of their own, too short to make clips of: one clip may hold several of one speaker."""
    out: dict[tuple[str, str], list[Path]] = {}
    for (voice, language), paths in by_voice.items():
        out.setdefault((voice.split("*")[0], language), []).extend(paths)
    return out


def _one_spoken(pending: list[Spoken], rng: np.random.Generator) -> Iterator[Clip]:
    sing = rng.random() < SUNG_SHARE
    whole = joined([sung(s.utterance, rng) if sing else s.utterance for s in pending], rng)
    num_frames = min(len(whole.audio) // SAMPLES_PER_FRAME, 16 * 50)
    if num_frames < 3 * 50:
        return
    audio = whole.audio[: num_frames * SAMPLES_PER_FRAME]
    beats = storyline(num_frames / 50, rng)
    motion = perform(whole.phones, audio, beats, rng)
    speech = speech_mask(whole.phones, num_frames).astype(np.uint8)
    yield Clip(
        motion, as_pcm(audio, num_frames), beats, supervised_everywhere(), whole.voice.split("*")[0], whole.language, "tts",
        pending[0].split, speech,
    )  # fmt: skip


def idle_clips(total_s: float, seed: int) -> Iterator[Clip]:
    """Clips in which nobody speaks: the mouth stays shut whatever there is to hear."""
    done_s, index = 0.0, 0
    while done_s < total_s:
        rng = np.random.default_rng([seed, 0x1D1E, index])
        num_frames = int(rng.integers(6 * 50, 12 * 50))
        audio = background(KINDS[index % len(KINDS)], num_frames * SAMPLES_PER_FRAME, rng)
        beats = storyline(num_frames / 50, rng)
        phones = (Phone(SILENCE, 0.0, num_frames / 50),)
        motion = perform(phones, audio, beats, rng)
        split = "val" if index % 10 == 9 else "train"
        yield Clip(
            motion, as_pcm(audio, num_frames), beats, supervised_everywhere(), f"nobody:{KINDS[index % len(KINDS)]}",
            "und", "idle", split,
            np.zeros(num_frames, np.uint8),
        )  # fmt: skip
        done_s, index = done_s + num_frames / 50, index + 1


def write(out: Path, clips: Iterator[Clip], rows: list[dict[str, Any]], label: str) -> None:
    """Save the clips as ``out/clips/00000.npz`` …, adding a row of the index for each."""
    (out / "clips").mkdir(parents=True, exist_ok=True)
    for clip in tqdm(clips, desc=f"clips ({label})", unit="clip", mininterval=5):
        name = f"clips/{len(rows):05d}.npz"
        clip.save(out / name)
        row = {"file": name, "voice": clip.voice, "language": clip.language, "kind": clip.kind, "split": clip.split}
        rows.append(row | {"num_frames": len(clip.motion)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--talking", type=Path, help="folder of real talking faces (landmarks and sound)")
    parser.add_argument("--speech", type=Path, help="folder that speech was written to before, in place of OUT")
    parser.add_argument(
        "--engines", nargs="*", choices=ENGINES, default=list(ENGINES), help="speech engines to run; none: use what is there"
    )
    parser.add_argument("--kokoro-voices", type=Path, help="folder of Kokoro voices (package/voices of npm's kokoro-js)")
    args = parser.parse_args()
    source = args.speech or args.out
    for name in args.engines:
        speak(make_engine(name, args.kokoro_voices), name, source, args.hours * 60 * ENGINE_SHARES[name], args.seed)
    rows: list[dict[str, Any]] = []
    write(args.out, spoken_clips(source / "speech", args.seed), rows, "speech")
    spoken_s = sum(row["num_frames"] for row in rows) / 50
    write(args.out, idle_clips(spoken_s * IDLE_SHARE, args.seed), rows, "nobody speaks")
    if args.talking is not None:
        write(args.out, permitted_clips(args.talking), rows, "real")
    (args.out / "index.json").write_text(json.dumps(rows, ensure_ascii=False, indent=0), "utf8")
    print(f"{len(rows)} clips, {sum(row['num_frames'] for row in rows) / 50 / 3600:.2f} h in {args.out}")


if __name__ == "__main__":
    main()
