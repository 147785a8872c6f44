"""The storyline's vocabulary, and the one line of prose that prompts the transformer for a beat.

The trainer labels its clips with these same lines (and paraphrases of them), so that what the director writes is what the
transformer was taught.
"""

from __future__ import annotations

EMOTIONS = ("calm", "joy", "excitement", "confusion", "sadness", "surprise", "anger", "fear", "disgust", "contempt")
ACTIONS = (
    "nod", "shake", "tilt", "turn_left", "turn_right", "look_left", "look_right", "look_up", "look_down", "lean_in",
    "lean_back", "shrug", "raise_brows", "frown", "wink", "close_eyes", "laugh", "sigh",
)  # fmt: skip
#: Planned as curves (`streamer.gestures`), for which four steps of a sampler are too coarse; it draws the others.
PLANNED_ACTIONS = ("shake", "shrug", "wink", "sigh")
DRAWN_ACTIONS = tuple(action for action in ACTIONS if action not in PLANNED_ACTIONS)
PIXEL_ACTIONS = ("wave", "raise_hand", "point", "clap")  # only a model that draws pixels has hands
CAMERA_MOVES = ("static", "pan_left", "pan_right", "tilt_up", "tilt_down", "zoom_in", "zoom_out", "shake")

_EMOTION_WORDS = {
    "calm": "calm", "joy": "joyful", "excitement": "excited", "confusion": "confused", "sadness": "sad",
    "surprise": "surprised", "anger": "angry", "fear": "afraid", "disgust": "disgusted", "contempt": "contemptuous",
}  # fmt: skip
_ACTION_WORDS = {
    "nod": "nods", "shake": "shakes the head", "tilt": "tilts the head", "turn_left": "turns the head left",
    "turn_right": "turns the head right", "look_left": "looks left", "look_right": "looks right", "look_up": "looks up",
    "look_down": "looks down", "lean_in": "leans in", "lean_back": "leans back", "shrug": "shrugs",
    "raise_brows": "raises the brows", "frown": "frowns", "wink": "winks", "close_eyes": "closes the eyes",
    "laugh": "laughs", "sigh": "sighs", "wave": "waves a hand", "raise_hand": "raises a hand", "point": "points",
    "clap": "claps",
}  # fmt: skip


def degree_word(amount: float) -> str:
    """Five degrees for 0–1: slightly, somewhat, clearly, very, extremely (centres 0.15, 0.35, 0.55, 0.75, 0.95)."""
    return ("slightly", "somewhat", "clearly", "very", "extremely")[min(4, max(0, int((amount - 0.05) / 0.2)))]


def beat_prompt(
    emotion: str, intensity: float, action: str | None = None, camera: str = "static", camera_speed: float = 0.5
) -> str:
    """One line of prose for a beat, such as ``very joyful; nods; camera zooms in slowly``.

    Raises KeyError for a word outside the vocabulary.
    """
    line = f"{degree_word(intensity)} {_EMOTION_WORDS[emotion]}"
    if action is not None:
        line += f"; {_ACTION_WORDS[action]}"
    if camera != "static":
        if camera not in CAMERA_MOVES:
            raise KeyError(camera)
        verb, _, direction = camera.partition("_")
        words = {"pan": "pans", "tilt": "tilts", "zoom": "zooms", "shake": "shakes"}[verb]
        pace = "slowly" if camera_speed < 0.35 else "steadily" if camera_speed < 0.7 else "fast"
        line += "; camera " + " ".join(filter(None, (words, direction, pace)))
    return line
