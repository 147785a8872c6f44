"""Other ways to say a beat's line, so that the transformer reads prose and not one fixed pattern."""

from __future__ import annotations

import numpy as np

from engines.prompts import beat_prompt, degree_word

_EMOTION = {
    "calm": ("calm", "relaxed", "neutral", "composed", "serene", "at ease", "matter-of-fact", "peaceful"),
    "joy": ("happy", "joyful", "cheerful", "smiling", "delighted", "warm and friendly", "pleased", "glad"),
    "excitement": ("excited", "enthusiastic", "thrilled", "energetic", "eager", "fired up"),
    "confusion": ("confused", "puzzled", "unsure", "perplexed", "doubtful", "baffled"),
    "sadness": ("sad", "sorrowful", "downcast", "melancholy", "grieving", "heartbroken", "gloomy"),
    "surprise": ("surprised", "astonished", "amazed", "startled", "wide-eyed"),
    "anger": ("angry", "furious", "annoyed", "irritated", "mad", "stern and angry"),
    "fear": ("afraid", "scared", "anxious", "frightened", "nervous", "terrified"),
    "disgust": ("disgusted", "repulsed", "revolted", "grossed out"),
    "contempt": ("contemptuous", "scornful", "smug", "disdainful", "sneering", "sarcastic"),
}
_ACTION = {
    "nod": ("nods", "nodding", "gives a nod", "nods in agreement", "says yes with the head"),
    "tilt": ("tilts the head", "head tilted to one side", "cocks the head"),
    "turn_left": ("turns the head left", "turns left", "turning to the left"),
    "turn_right": ("turns the head right", "turns right", "turning to the right"),
    "look_left": ("looks left", "glances to the left", "eyes to the left"),
    "look_right": ("looks right", "glances to the right", "eyes to the right"),
    "look_up": ("looks up", "glances up", "eyes raised to the sky"),
    "look_down": ("looks down", "glances down", "lowers the eyes"),
    "lean_in": ("leans in", "leaning forward", "comes closer"),
    "lean_back": ("leans back", "moves back a little", "leaning away"),
    "raise_brows": ("raises the brows", "raises eyebrows", "eyebrows go up", "lifts the eyebrows"),
    "frown": ("frowns", "frowning", "knits the brows"),
    "close_eyes": ("closes the eyes", "eyes closed", "shuts their eyes"),
    "laugh": ("laughs", "laughing", "bursts out laughing", "chuckles"),
}
_CAMERA = {
    "pan_left": ("camera pans left", "pan left", "camera moves to the left"),
    "pan_right": ("camera pans right", "pan right", "camera moves to the right"),
    "tilt_up": ("camera tilts up", "tilt up", "camera moves up"),
    "tilt_down": ("camera tilts down", "tilt down", "camera moves down"),
    "zoom_in": ("camera zooms in", "zoom in", "push in", "close in on the face"),
    "zoom_out": ("camera zooms out", "zoom out", "pull back", "widen the shot"),
    "shake": ("camera shakes", "shaky camera", "handheld camera"),
}
_DEGREE = {
    "slightly": ("slightly", "a little", "a bit", "faintly"), "somewhat": ("somewhat", "fairly", "mildly"),
    "clearly": ("clearly", "", "rather"),
    "very": ("very", "really", "strongly"), "extremely": ("extremely", "intensely", "overwhelmingly", "utterly"),
}  # fmt: skip
_PACE = (("slowly", "gently", "slow"), ("steadily", "", "at an even pace"), ("fast", "quickly", "rapidly"))


def line(
    emotion: str,
    intensity: float,
    action: str | None,
    camera: str,
    camera_speed: float,
    rng: np.random.Generator,
    plain: float = 0.6,
) -> str:
    """``beat_prompt``'s line with probability ``plain``, else a paraphrase of the same beat."""
    if rng.random() < plain:
        return beat_prompt(emotion, intensity, action, camera, camera_speed)

    def pick(options: tuple[str, ...]) -> str:
        return options[int(rng.integers(len(options)))]

    feeling = f"{pick(_DEGREE[degree_word(intensity)])} {pick(_EMOTION[emotion])}".strip()
    frame = pick(("{}", "the speaker is {}", "looks {}", "{} expression", "speaking in a {} way", "feeling {}", "{} face"))
    parts = [frame.format(feeling)]
    if action is not None:
        parts.append(pick(_ACTION[action]))
    if camera != "static":
        pace = pick(_PACE[0 if camera_speed < 0.35 else 1 if camera_speed < 0.7 else 2])
        parts.append(f"{pick(_CAMERA[camera])} {pace}".strip())
    elif rng.random() < 0.15:
        parts.append(pick(("static camera", "camera still", "fixed shot")))
    if len(parts) > 1 and rng.random() < 0.25:
        parts = [*parts[1:], parts[0]]
    text = pick((", ", "; ", ". ", " and ")).join(parts)
    return text[0].upper() + text[1:] + "." if rng.random() < 0.4 else text
