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
        "slow down and unwind", "nothing can rattle you", "you are a yoga teacher", "read a bedtime story", "like a doctor explaining",
        "like a professor giving a lecture", "sitting by the fireplace with a cup of tea", "as cool as ice", "lower your voice and rest",
    ),
    "joy": (
        "you just aced the test", "this is the best day of your life", "your first kiss", "everybody claps for you", "sunshine after the rain",
        "you feel wonderful", "wonderful news", "a birthday party with friends", "everything is going great today",
        "falling in love", "so proud of you", "a lovely sunny day", "christmas morning presents", "life is good",
        "greet an old friend", "your baby's first steps", "you got the job", "rub your hands with glee", "you got promoted today",
        "you just heard the best news ever", "you passed the exam", "it is your wedding day", "first day of the holidays",
        "a puppy licks your face", "you found money in your pocket", "your favourite song comes on", "you are having the time of your life",
        "somebody paid you a lovely compliment", "your dream came true", "you are home again with your family", "tell a funny story",
        "you have just become a grandmother", "like a child opening a present", "a dear friend surprises you with flowers",
    ),
    "excitement": (
        "announcing the winner of a million dollars", "the final lap of the race", "our biggest sale ever starts now", "the rocket takes off",
        "you won the lottery jackpot", "the crowd goes wild", "we did it, champions", "big party energy, dance",
        "fans scream at the concert", "like a sports commentator at a goal", "sell it with hype", "get them fired up",
        "the life of the party", "countdown to launch", "like a kid in a candy store", "bring the energy",
        "your team just won the world cup", "like a game show host announcing the grand prize", "get ready to rumble",
        "we hit one million followers", "it is the moment everybody was waiting for", "new year's eve fireworks",
        "you are about to ride a roller coaster", "last minute winning goal", "your band goes on stage in a minute",
        "scream it from the rooftops", "you cannot sit still", "let's go, let's do this", "give it everything you have got",
    ),
    "confusion": (
        "somebody asked you a riddle", "puzzling over a strange message", "none of this makes any sense",
        "you have no idea what is going on", "you cannot make sense of this", "a difficult maths problem", "nothing adds up",
        "trying to remember something", "what did they just say", "it is all greek to you", "the instructions make no sense",
        "you have lost your train of thought", "you cannot follow the explanation", "wait what", "did I miss something",
        "somebody speaks to you in a language you do not know", "you forgot why you came into the room", "the map is upside down",
        "this does not compute", "you do not get the joke", "where did I put my keys", "the numbers do not add up",
        "that is over your head", "you are all at sea",
    ),
    "sadness": (
        "your puppy ran away", "an old photograph of somebody who died", "the last day of school", "you are far from home at christmas", "your marriage is over",
        "your dog died", "a funeral", "you lost somebody you loved", "condolences", "a broken heart", "the end of a tragic film",
        "bad news from the hospital", "saying goodbye forever", "all alone at night", "you failed and let everybody down",
        "the weight of the world on your shoulders", "your best friend moved away", "you just lost your best friend", "you miss home",
        "your grandfather passed away", "she left you and will not come back", "you got fired", "your team lost the final",
        "nobody came to your party", "you have lost everything", "reading a eulogy", "your heart sinks", "rainy day and nobody calls",
        "the love of your life is gone", "they broke up with you", "a minute of silence for the victims", "your cat is very ill",
    ),
    "surprise": (
        "your long lost brother walks in", "the answer was there all along", "you find a million dollars in your account",
        "you did not see that coming", "an unexpected twist", "your eyes pop out", "no way", "out of the blue", "a surprise party",
        "you could be knocked over with a feather", "totally shook", "your jaw hits the floor", "a plot twist nobody expected",
        "did that really just happen", "what a turn of events", "you did not expect this at all", "somebody jumps out from behind the door",
        "that is impossible, how did they do that", "you open the box and it is not what you thought", "the magician made it vanish",
        "pinch me", "I never would have guessed", "well I never",
    ),
    "anger": (
        "you want to strangle someone", "they insulted your mother", "somebody spilled coffee on your laptop", "your internet went down again", "they ate your lunch from the fridge", "that is so unfair",
        "steam out of your ears", "your blood boils", "you have had enough of this nonsense", "somebody cut you off in traffic",
        "shout at them, lose your temper", "slam your fist on the table", "they lied to you and stole your money",
        "you are about to explode", "fed up", "hit the roof", "you have had it up to here", "give them a piece of your mind",
        "they keyed your car", "how dare they", "your boss took the credit for your work", "the last straw", "read them the riot act",
        "somebody stole your parking space", "the referee robbed us", "you have been on hold for two hours", "tell them off",
        "your neighbour plays loud music at three in the morning", "they broke their promise again", "get out of my house",
        "your flight is cancelled again and nobody helps", "you want revenge",
    ),
    "fear": (
        "there is someone behind you with a knife", "the doctor has bad news", "you hear a noise downstairs at night", "the bridge is about to collapse", "you are lost in the forest at night",
        "you see a ghost", "a monster is coming, run", "footsteps behind you in the dark", "a horror film", "shaking in your boots",
        "a deer in headlights", "a spider on your arm", "the plane is going down", "your heart pounds, danger", "chill down the spine",
        "you are being chased by wolves", "something is hiding under the bed", "white as a sheet", "a killer is in the house",
        "you are trapped in the lift", "a bear stands in front of you", "the lights go out and you hear breathing", "a bomb is ticking",
        "you are standing on the edge of a cliff", "waiting for the exam results", "alone in a haunted house", "a snake on the floor",
        "somebody is following you home", "the ground starts to shake", "a shark in the water", "you hear a scream in the night",
    ),
    "disgust": (
        "someone sneezed on your food", "the smell of a rubbish dump", "chewing gum under the table",
        "something smells rotten", "spoiled milk and garbage", "a cockroach in your food", "you taste something foul",
        "vomit on the floor", "a dirty toilet", "makes your skin crawl", "turns your stomach", "smells like a sewer",
        "you just bit into a rotten apple", "a hair in your soup", "you stepped in dog poo", "maggots in the meat", "moldy bread",
        "a rat in the kitchen", "the fish has gone off", "sour milk", "that is nasty", "somebody picks their nose and eats it",
        "the bin has not been emptied for weeks", "you swallowed a fly", "sweaty socks",
    ),
    "contempt": (
        "their work is beneath your standards", "look who thinks he is clever", "what a joke of a performance",
        "look down your nose at them", "roll your eyes at these amateurs", "they are beneath you", "as if they were nobody",
        "you are better than all of them", "what a pathetic attempt", "could not care less what they think", "look at them like dirt",
        "oh please, as if", "is that the best you can do", "these peasants", "what a loser", "you are not worth my time",
        "like a queen looking at a beggar", "amateurs, all of them", "they do not deserve your attention", "how cute, they tried",
        "who do they think they are", "what an idiot",
    ),
}  # fmt: skip
#: Lines of a show that are no feeling: a clause that is more like one of these has none.
NO_FEELING = (
    "let us talk about interest rates",
    "moving on to the next topic",
    "the next slide shows the figures",
    "the weather tomorrow",
    "today we look at the new phone",
    "our guest today is a writer",
    "subscribe to the channel",
    "the link is in the description",
    "this week's numbers",
    "here is how it works",
    "the price is ten dollars",
    "good evening and welcome to the programme",
    "read this text",
    "explain the product",
    "talk to the camera",
    "look at the screen",
    "speak up a little",
    "tell us about it",
    "we will be back after the break",
    "welcome to the stream",
    "test one two three",
    "what time is it",
    "how do I use this",
    "my name is Anna",
    "first question from the chat",
    "can you hear me",
    "the meeting is at nine",
    "use the blue button",
    "put the picture on the left",
    "say hello to everyone",
    "start the show now",
    "turn the volume down",
    "next question please",
    "I am going to read the news",
    "talk about the history of the city",
    "introduce yourself",
    "count to ten",
    "answer the question",
    "thanks for watching",
    "the recipe needs two eggs",
    "a man walks into a bar",
    "do it like this",
    "keep going",
    "one more time",
)
INTENSITY = 0.7
_LIKENESS = 0.55  # cosine; what tells of no feeling stays below it, mostly


class Situations:
    """Reads a feeling out of a clause that names none."""

    def __init__(self, words: TextEncoder) -> None:
        self._words = words
        self._emotions = [emotion for emotion, said in SITUATIONS.items() for _ in said] + [None] * len(NO_FEELING)
        texts = [text for said in SITUATIONS.values() for text in said]
        self._vectors = np.stack([self._embed(text) for text in (*texts, *NO_FEELING)])

    def emotion(self, clause: str) -> str | None:
        """The emotion of the likest situation, or None where nothing is like it, or a line without a feeling is liker."""
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
