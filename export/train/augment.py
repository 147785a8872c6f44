"""Harm done to clean speech before its features are taken, so that real rooms, microphones and lines are no news.

Everything here maps sound float32 [n] at 16 kHz to sound of the same length and timing, except `resampled`.
"""

from __future__ import annotations

import io

import av
import numpy as np
from numpy.typing import NDArray
from scipy import signal

from engines.specs import SAMPLE_RATE_HZ

Sound = NDArray[np.float32]


def resampled(sound: Sound, rate: float) -> Sound:
    """Played `rate` times as fast: pitch and formants rise by it, and the motion has to be hurried along."""
    num = round(len(sound) / rate)
    return np.interp(np.arange(num) * rate, np.arange(len(sound)), sound).astype(np.float32)


def formants_shifted(sound: Sound, factor: float) -> Sound:
    """The spectral envelope stretched by `factor` over an unchanged fine structure; timing and pitch stay."""
    _, _, spectrum = signal.stft(sound, nperseg=512, noverlap=384)
    log_size = np.log(np.abs(spectrum) + 1e-6)
    cepstrum = np.fft.irfft(log_size, axis=0)
    cepstrum[24:-23] = 0.0
    envelope = np.fft.rfft(cepstrum, axis=0).real
    bins = np.arange(len(envelope))
    source = np.minimum(bins / factor, len(envelope) - 1)
    low = source.astype(int)
    high = np.minimum(low + 1, len(envelope) - 1)
    part = (source - low)[:, None]
    stretched = envelope[low] * (1 - part) + envelope[high] * part
    _, out = signal.istft(spectrum * np.exp(np.clip(stretched - envelope, -6, 6)), nperseg=512, noverlap=384)
    return fitted(out.astype(np.float32), len(sound))


def coloured_noise(num: int, slope_db_per_octave: float, rng: np.random.Generator) -> Sound:
    """Noise of unit power whose spectrum falls by the slope: 0 is white, −3 pink, −6 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(num))
    hz = np.maximum(np.fft.rfftfreq(num, 1 / SAMPLE_RATE_HZ), 20.0)
    noise = np.fft.irfft(spectrum * hz ** (slope_db_per_octave / 6.02), num)
    return (noise / (noise.std() + 1e-9)).astype(np.float32)


def music(num: int, rng: np.random.Generator) -> Sound:
    """Chords of decaying harmonics over a beat, unit power."""
    out = np.zeros(num, np.float32)
    beat = int(SAMPLE_RATE_HZ * rng.uniform(0.25, 0.6))
    root = rng.uniform(80, 220)
    for start in range(0, num, beat):
        time = np.arange(min(4 * beat, num - start)) / SAMPLE_RATE_HZ
        for step in rng.choice([0, 2, 4, 5, 7, 9, 11, 12], size=3):
            hz = root * 2 ** (step / 12)
            for harmonic in range(1, 6):
                level = rng.uniform(0.3, 1.0) / harmonic
                out[start : start + len(time)] += level * np.sin(2 * np.pi * hz * harmonic * time) * np.exp(-3 * time)
    return out / (out.std() + 1e-9)


def with_background(sound: Sound, background: Sound, snr_db: float) -> Sound:
    """Mixed so that speech (its louder half) stands `snr_db` above the background."""
    power = np.square(sound)
    loud = float(np.mean(power[power >= np.median(power)])) + 1e-10
    scale = np.sqrt(loud / 10 ** (snr_db / 10) / (np.mean(np.square(background)) + 1e-10))
    return sound + (scale * fitted(background, len(sound))).astype(np.float32)


def reverberated(sound: Sound, rt60_s: float, direct_db: float, rng: np.random.Generator) -> Sound:
    """A room of exponentially dying noise; the direct sound keeps its time and stands `direct_db` above the room."""
    time = np.arange(int(rt60_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    room = rng.standard_normal(len(time)) * 10 ** (-3 * time / rt60_s)
    room[: int(0.002 * SAMPLE_RATE_HZ)] = 0.0
    room *= 10 ** (-direct_db / 20) / (np.sqrt(np.sum(room**2)) + 1e-9)
    room[0] = 1.0
    return signal.fftconvolve(sound, room)[: len(sound)].astype(np.float32)


def band_limited(sound: Sound, low_hz: float, high_hz: float) -> Sound:
    sections = signal.butter(4, [low_hz, min(high_hz, 7900.0)], "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return signal.sosfilt(sections, sound).astype(np.float32)


def tilted(sound: Sound, db_per_octave: float) -> Sound:
    """A microphone that favours low (negative) or high tones; 1 kHz is left as it is."""
    spectrum = np.fft.rfft(sound)
    hz = np.clip(np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ), 100.0, None)
    return np.fft.irfft(spectrum * (hz / 1000.0) ** (db_per_octave / 6.02), len(sound)).astype(np.float32)


def mu_law(sound: Sound) -> Sound:
    """Telephone quantisation (G.711's curve, 8 bits)."""
    curve = np.sign(sound) * np.log1p(255 * np.abs(np.clip(sound, -1, 1))) / np.log(256)
    curve = np.round(curve * 127) / 127
    return (np.sign(curve) * np.expm1(np.abs(curve) * np.log(256)) / 255).astype(np.float32)


def through_opus(sound: Sound, bit_rate: int) -> Sound:
    """Coded and decoded by libopus, the delay taken out."""
    file = io.BytesIO()
    pcm = (np.clip(sound, -1, 1) * 32767).astype(np.int16)
    with av.open(file, "w", format="ogg") as ogg:
        stream = ogg.add_stream("libopus", rate=SAMPLE_RATE_HZ, layout="mono", bit_rate=bit_rate)
        for start in range(0, len(pcm), 320):
            block = np.zeros((1, 320), np.int16)
            piece = pcm[start : start + 320]
            block[0, : len(piece)] = piece
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, start
            ogg.mux(stream.encode(frame))
        ogg.mux(stream.encode(None))
    file.seek(0)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    with av.open(file, "r") as coded:
        parts = [out.to_ndarray()[0] for frame in coded.decode(audio=0) for out in resampler.resample(frame)]
    return fitted(np.concatenate(parts), len(sound))


def fitted(sound: Sound, num: int) -> Sound:
    """Cut, or repeated with silence after it, to `num` samples."""
    if len(sound) >= num:
        return sound[:num]
    return np.pad(sound, (0, num - len(sound)))


def harmed(sound: Sound, others: list[Sound], rng: np.random.Generator) -> Sound:
    """One random life of a recording: voice, room, background, line, level. `others` are voices for babble."""
    num = len(sound)
    if rng.random() < 0.4:
        sound = formants_shifted(sound, rng.uniform(0.86, 1.18))
    if rng.random() < 0.5:
        sound = tilted(sound, rng.uniform(-4, 3))
    if rng.random() < 0.45:
        sound = reverberated(sound, rng.uniform(0.1, 0.7), rng.uniform(-2, 12), rng)
    kind = rng.random()
    if kind < 0.45:
        sound = with_background(sound, coloured_noise(num, rng.uniform(-7, 0), rng), rng.uniform(5, 35))
    elif kind < 0.6 and others:
        babble = sum(fitted(np.roll(other, rng.integers(len(other))), num) for other in others)
        sound = with_background(sound, np.asarray(babble, np.float32), rng.uniform(6, 25))
    elif kind < 0.7:
        sound = with_background(sound, music(num, rng), rng.uniform(5, 25))
    peak = float(np.abs(sound).max()) + 1e-6
    line = rng.random()
    if line < 0.2:
        sound = band_limited(sound, rng.uniform(60, 250), rng.uniform(3500, 7500))
    elif line < 0.27:
        sound = mu_law(band_limited(sound / peak * 0.7, 300, 3400))
    elif line < 0.5:
        sound = through_opus(sound / peak * 0.7, int(rng.choice([12_000, 16_000, 24_000, 32_000])))
    peak = float(np.abs(sound).max()) + 1e-6
    sound = sound / peak * 10 ** (rng.uniform(-32, 0) / 20)
    if rng.random() < 0.1:
        sound = np.clip(sound * rng.uniform(1.5, 4), -0.5, 0.5)
    return sound.astype(np.float32)
