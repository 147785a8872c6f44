"""Writes `suite.jsonl`: `python -m export.evaluate.suite_wording` (Chinese needs pypinyin). The file is what counts; this
says how it was made, and a test holds the two together.

Every stated marginal is dealt exactly; what the suite leaves open (emotions, actions, camera moves, lengths, sizes) is dealt
from shuffled decks, so that no two of them go together by more than chance. Sentences come from `export.train.data.texts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS
from export.evaluate.suite import SUITE, Case, write_cases
from export.train.data.texts import sentence

_SEED = 20250911
#: Cases of people and of others, for each language.
GROUPS = {"zh": (136, 14), "en": (136, 14), "ko": (32, 3), "ja": (36, 4)}
NUM_SONGS = 75
NUM_CALM = 24
SIZES = {
    "vertical": ((480, 848), (720, 1280), (1080, 1920)),
    "horizontal": ((848, 480), (1280, 720), (1920, 1080)),
    "square": ((480, 480), (720, 720), (1080, 1080)),
}
SHORTEST_S, LONGEST_S = 8, 120
ACTION_S = (2.0, 3.0, 4.0)  # when an action is asked for
#: How many characters of each language are spoken in a second, at the slowest: texts are never too short.
_CHARACTERS_A_SECOND = {"en": 17.0, "zh": 5.5, "ja": 12.0, "ko": 8.5}

#: adjective by emotion and by language
_FEELING = {
    "en": {
        "calm": "calm", "joy": "happy", "excitement": "excited", "confusion": "confused", "sadness": "sad",
        "surprise": "surprised", "anger": "angry", "fear": "afraid", "disgust": "disgusted", "contempt": "contemptuous",
    },
    "zh": {
        "calm": "平静", "joy": "开心", "excitement": "兴奋", "confusion": "困惑", "sadness": "悲伤", "surprise": "惊讶",
        "anger": "愤怒", "fear": "害怕", "disgust": "恶心", "contempt": "轻蔑",
    },
}  # fmt: skip
_DEGREE = {
    "en": {"none": "", "slight": "slightly ", "clear": "very ", "extreme": "extremely "},
    "zh": {"none": "", "slight": "有点", "clear": "很", "extreme": "极其"},
}
_ACT = {
    "en": {
        "nod": "nod", "shake": "shake the head", "tilt": "tilt the head", "turn_left": "turn left", "turn_right": "turn right",
        "look_left": "look left", "look_right": "look right", "look_up": "look up", "look_down": "look down",
        "lean_in": "lean in", "lean_back": "lean back", "shrug": "shrug", "raise_brows": "raise your eyebrows",
        "frown": "frown", "wink": "wink", "close_eyes": "close your eyes", "laugh": "laugh", "sigh": "sigh",
    },
    "zh": {
        "nod": "点头", "shake": "摇头", "tilt": "歪头", "turn_left": "向左转头", "turn_right": "向右转头",
        "look_left": "向左看", "look_right": "向右看", "look_up": "向上看", "look_down": "向下看",
        "lean_in": "身体前倾", "lean_back": "身体后仰", "shrug": "耸肩", "raise_brows": "挑眉",
        "frown": "皱眉", "wink": "眨一只眼", "close_eyes": "闭上眼睛", "laugh": "大笑",
        "sigh": "叹气",
    },
}  # fmt: skip
_MOVE = {
    "en": {
        "pan_left": "the camera pans left slowly", "pan_right": "the camera pans right slowly",
        "tilt_up": "the camera tilts up slowly", "tilt_down": "the camera tilts down slowly",
        "zoom_in": "the camera zooms in slowly", "zoom_out": "the camera zooms out slowly", "shake": "shaky camera",
    },
    "zh": {
        "pan_left": "镜头缓慢左移", "pan_right": "镜头缓慢右移", "tilt_up": "镜头缓慢上移", "tilt_down": "镜头缓慢下移",
        "zoom_in": "镜头缓慢推近", "zoom_out": "镜头缓慢拉远", "shake": "镜头抖动",
    },
}  # fmt: skip

_T = TypeVar("_T")


def dealt(choices: Sequence[_T], num: int, rng: np.random.Generator) -> list[_T]:
    """`num` of the choices, each as often as the others, give or take one; shuffled anew each time all have had their turn."""
    out: list[_T] = []
    while len(out) < num:
        out += [choices[int(i)] for i in rng.permutation(len(choices))]
    return out[:num]


def wording(emotion: str, intensity: str, action: str, action_s: float, camera: str, language: str = "en") -> str:
    """A prompt in English or Chinese, such as "very happy; after 3 seconds, nod; the camera zooms in slowly"."""
    words = [_DEGREE[language][intensity] + _FEELING[language][emotion]]
    if action != "none":
        act = _ACT[language][action]
        words.append(f"after {action_s:g} seconds, {act}" if language == "en" else f"{action_s:g}秒后{act}")
    if camera != "static":
        words.append(_MOVE[language][camera])
    return ("; " if language == "en" else "，").join(words)


def lines_for(language: str, seconds: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Sentences that last at least so long however fast they are spoken."""
    wanted = seconds * _CHARACTERS_A_SECOND[language]
    lines: list[str] = []
    while sum(map(len, lines)) < wanted:
        lines.append(sentence(language, rng))
    return tuple(lines)


def cases() -> list[Case]:
    """All 375, their Chinese without pinyin."""
    rng = np.random.default_rng(_SEED)
    groups = [
        (language, subject)
        for language, counts in GROUPS.items()
        for subject, num_cases in zip(("human", "other"), counts, strict=True)
        for _ in range(num_cases)
    ]
    num = len(groups)
    sources = _sources(groups)
    voices = dealt(("song", *["speech"] * (num // NUM_SONGS - 1)), num, rng)
    shapes, side = dealt(tuple(SIZES), num, rng), dealt((0, 1, 2), num, rng)
    feelings = [(emotion, degree) for emotion in EMOTIONS[1:] for degree in ("slight", "clear", "extreme")]
    moods = dealt(feelings, num - NUM_CALM, rng)
    for at in sorted(rng.choice(num, NUM_CALM, replace=False)):
        moods.insert(int(at), ("calm", "none"))
    actions = [a for pair in zip(dealt(ACTIONS, num, rng), ["none"] * num, strict=True) for a in pair][:num]
    actions = [actions[int(i)] for i in rng.permutation(num)]
    moves = dealt(("static", "static", CAMERA_MOVES[1:]), num, rng)
    turns = iter(dealt(CAMERA_MOVES[1:], num, rng))
    cameras = [move if isinstance(move, str) else next(turns) for move in moves]
    when = dealt(ACTION_S, num, rng)
    # evenly spread on a logarithmic scale, both ends among them
    lengths = np.round(SHORTEST_S * (LONGEST_S / SHORTEST_S) ** (rng.permutation(num) / (num - 1))).astype(int)
    out = []
    counts: dict[str, int] = {}
    for i, (language, subject) in enumerate(groups):
        counts[language] = counts.get(language, 0) + 1
        (emotion, intensity), action, camera = moods[i], actions[i], cameras[i]
        in_chinese = language == "zh" and counts[language] % 2 == 0
        prompt = wording(emotion, intensity, action, when[i], camera, "zh" if in_chinese else "en")
        seconds = int(lengths[i])
        out.append(Case(
            id=f"{language}-{counts[language]:03d}", subject=subject, source=sources[i], language=language, voice=voices[i],
            seconds=seconds, shape=shapes[i], size=SIZES[shapes[i]][side[i]], emotion=emotion, intensity=intensity,
            action=action, action_s=when[i] if action != "none" else 0.0, camera=camera, prompt=prompt,
            lines=lines_for(language, seconds, rng),
        ))  # fmt: skip
    return out


def _sources(groups: Sequence[tuple[str, str]]) -> list[str]:
    """Real and generated in turn, within people and within others."""
    seen: dict[str, int] = {}
    out = []
    for _, subject in groups:
        seen[subject] = seen.get(subject, 0) + 1
        out.append("real" if seen[subject] % 2 else "generated")
    return out


def with_pinyin(case: Case) -> Case:
    """The Chinese lines as espeak-ng reads them. Raises EngineMissing without pypinyin."""
    from export.train.data.voices.pinyin import numbered_pinyin

    return replace(case, spoken=tuple(map(numbered_pinyin, case.lines))) if case.language == "zh" else case


if __name__ == "__main__":
    write_cases([with_pinyin(case) for case in cases()], SUITE)
