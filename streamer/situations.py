"""What a prompt means when none of its words names a feeling: "you just won the lottery" is excitement.

A clause is compared, by the mean of its word-piece embeddings, with situations that each emotion is felt in. English only:
the embedding is.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engines.text import TextEncoder

SITUATIONS: dict[str, tuple[str, ...]] = {
    "calm": (
        "breathe and take it easy", "a quiet evening by the lake", "like a news anchor reading", "meditation", "keep your cool",
        "slow down and unwind", "nothing can rattle you",
    ),
    "joy": (
        "you feel wonderful", "wonderful news", "a birthday party with friends", "everything is going great today",
        "falling in love", "so proud of you", "a lovely sunny day", "christmas morning presents", "life is good",
        "greet an old friend", "your baby's first steps", "you got the job", "on cloud nine", "tickled pink", "rub your hands with glee",
    ),
    "excitement": (
        "you won the lottery jackpot", "the crowd goes wild", "we did it, champions", "big party energy, dance",
        "fans scream at the concert", "like a sports commentator at a goal", "sell it with hype", "get them fired up",
        "the life of the party", "countdown to launch", "like a kid in a candy store", "bouncing off the walls",
    ),
    "confusion": (
        "you have no idea what is going on", "you cannot make sense of this", "a difficult maths problem", "nothing adds up",
        "trying to remember something", "what did they just say", "it is all greek to you", "the instructions make no sense",
        "you have lost your train of thought",
    ),
    "sadness": (
        "your dog died", "a funeral", "you lost somebody you loved", "condolences", "a broken heart", "the end of a tragic film",
        "bad news from the hospital", "saying goodbye forever", "all alone at night", "you failed and let everybody down",
        "the weight of the world on your shoulders", "down in the dumps",
    ),
    "surprise": (
        "you did not see that coming", "an unexpected twist", "your eyes pop out", "no way", "out of the blue", "a surprise party",
        "you could be knocked over with a feather", "totally shook", "your jaw hits the floor", "a plot twist nobody expected",
    ),
    "anger": (
        "steam out of your ears", "your blood boils", "you have had enough of this nonsense", "somebody cut you off in traffic",
        "shout at them, lose your temper", "slam your fist on the table", "they lied to you and stole your money",
        "you are about to explode", "fed up", "hit the roof",
    ),
    "fear": (
        "you see a ghost", "a monster is coming, run", "footsteps behind you in the dark", "a horror film", "shaking in your boots",
        "a deer in headlights", "a spider on your arm", "the plane is going down", "your heart pounds, danger", "chill down the spine",
    ),
    "disgust": (
        "something smells rotten", "spoiled milk and garbage", "a cockroach in your food", "you taste something foul",
        "vomit on the floor", "a dirty toilet", "makes your skin crawl", "turns your stomach",
    ),
    "contempt": (
        "look down your nose at them", "roll your eyes at these amateurs", "they are beneath you", "as if they were nobody",
        "you are better than all of them", "what a pathetic attempt", "could not care less what they think",
    ),
}  # fmt: skip
INTENSITY = 0.7
_LIKENESS = 0.55  # cosine; set on the open part of the director's suite, where prompts without a feeling stay below 0.5


class Situations:
    """Reads a feeling out of a clause that names none."""

    def __init__(self, words: TextEncoder) -> None:
        self._words = words
        self._emotions = [emotion for emotion, said in SITUATIONS.items() for _ in said]
        self._vectors = np.stack([self._embed(text) for said in SITUATIONS.values() for text in said])

    def emotion(self, clause: str) -> str | None:
        """The emotion of the likest situation, or None where nothing is like it."""
        likeness = self._vectors @ self._embed(clause)
        best = int(np.argmax(likeness))
        return self._emotions[best] if likeness[best] >= _LIKENESS else None

    def knows(self, word: str) -> bool:
        """Whether it is a word, as far as the embedding's vocabulary goes."""
        return self._words.knows(word)

    def _embed(self, text: str) -> NDArray[np.float32]:
        tokens, mask = self._words.encode(text)
        mean = tokens[mask].sum(axis=0)
        return mean / (np.linalg.norm(mean) + np.float32(1e-9))


@lru_cache(maxsize=1)
def shipped() -> Situations:
    """With the embedding that comes with the package; loaded once."""
    return Situations(TextEncoder())
