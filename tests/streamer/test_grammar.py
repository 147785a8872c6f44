"""What hosts write, and when it is to happen. Left out of every list: prompts of the bench's suite."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.briefing import Briefing
from streamer.director import EmbeddedDirector, heard, opening
from streamer.plan import Beat, Pts, Storyline, pts_from_s, s_from_pts

DIRECTOR = EmbeddedDirector()


def plan(prompt: str, end_s: float | None = 10.0) -> Storyline:
    return DIRECTOR.plan(Briefing(opening(), Pts(0), prompt, None if end_s is None else pts_from_s(end_s))).storyline


def beat_at(prompt: str, at_s: float) -> Beat:
    return plan(prompt).at(pts_from_s(at_s))


def emotions(prompt: str, end_s: float | None = 10.0) -> list[tuple[float, str]]:
    """(start in seconds, emotion), neighbours of the same joined."""
    runs: list[tuple[float, str]] = []
    for beat in plan(prompt, end_s).beats:
        if not runs or runs[-1][1] != beat.emotion:
            runs.append((round(s_from_pts(beat.start), 2), beat.emotion))
    return runs


def actions(prompt: str, end_s: float | None = 10.0) -> list[tuple[float, str]]:
    return [(round(s_from_pts(beat.start), 2), beat.action) for beat in plan(prompt, end_s).beats if beat.action]


# When


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("for the first three seconds look sad, then happy", [(0, "sadness"), (3, "joy")]),
        ("joyful from 2 to 6 seconds", [(0, "calm"), (2, "joy"), (6, "calm")]),
        ("look angry, after five seconds", [(0, "calm"), (5, "anger")]),
        ("wait three seconds, then smile", [(0, "calm"), (3, "joy")]),
        ("be scared until second 4, then relieved", [(0, "fear"), (4, "joy")]),
        ("happy for four seconds, then sad", [(0, "joy"), (4, "sadness")]),
        ("two seconds before the end look shocked", [(0, "calm"), (8, "surprise")]),
        ("angry at 2 s, and 3 seconds later calm", [(0, "calm"), (2, "anger"), (5, "calm")]),
        ("calm -> furious -> sad", [(0, "calm"), (3.33, "anger"), (6.67, "sadness")]),
        ("start calm, get angrier and angrier", [(0, "calm"), (5, "anger")]),
        ("go from calm to furious", [(0, "calm"), (5, "anger")]),
        ("his smile fades into sadness", [(0, "joy"), (5, "sadness")]),
        ("happy now, sad later", [(0, "joy"), (5, "sadness")]),
        ("two thirds of the way through, look terrified", [(0, "calm"), (6.67, "fear")]),
        ("表情从平静变成震惊", [(0, "calm"), (5, "surprise")]),
        ("先平静地讲，讲到第五秒生气", [(0, "calm"), (5, "anger")]),
        ("笑到第五秒然后生气", [(0, "joy"), (5, "anger")]),
        ("halfway through, look disgusted", [(0, "calm"), (5, "disgust")]),
        ("前三秒难过，之后开心", [(0, "sadness"), (3, "joy")]),
        ("从第2秒到第5秒显得惊讶", [(0, "calm"), (2, "surprise"), (5, "calm")]),
        ("生气三秒钟", [(0, "anger"), (3, "calm")]),
        ("先笑后哭", [(0, "joy"), (5, "sadness")]),
        ("前五秒平静，后五秒愤怒", [(0, "calm"), (5, "anger")]),
        ("一开始平静，后来越来越激动", [(0, "calm"), (5, "excitement")]),
        ("3秒後に笑顔になって", [(0, "calm"), (3, "joy")]),
        ("처음 4초 동안 슬프게", [(0, "sadness"), (4, "calm")]),
    ],
)
def test_a_feeling_begins_and_ends_when_the_prompt_says(prompt: str, expected: list[tuple[float, str]]) -> None:
    assert emotions(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("at 3s nod, at 6s shake your head", [(3, "nod"), (6, "shake")]),
        ("0:03 nod, 0:06 shake your head", [(3, "nod"), (6, "shake")]),
        ("smile after nodding", [(0, "nod")]),
        ("start with a laugh, end with a wink", [(0, "laugh"), (9.2, "wink")]),
        ("calm at first, then angry and shaking your head", [(5, "shake")]),
        ("look left for 2 seconds, then look right", [(0, "look_left"), (2.3, "look_right")]),
        ("wink, nod, wink", [(0, "wink"), (1.1, "nod"), (2.8, "wink")]),
        ("wait two seconds, nod, then wait three more seconds and shake your head", [(2, "nod"), (5, "shake")]),
        ("等五秒，点头，再等两秒，摇头", [(5, "nod"), (7, "shake")]),
        ("第3秒点头，第7秒摇头", [(3, "nod"), (7, "shake")]),
        ("先点头再摇头", [(0, "nod"), (1.7, "shake")]),
        ("结束时点头", [(8.6, "nod")]),
    ],
)
def test_an_action_is_done_when_the_prompt_says(prompt: str, expected: list[tuple[float, str]]) -> None:
    assert actions(prompt) == expected


def test_every_four_seconds_is_over_and_over_and_bounded_live() -> None:
    assert [at for at, _ in actions("nod every 4 seconds")] == [0, 4, 8]
    assert 10 <= len(actions("每隔两秒点一次头", end_s=None)) <= 32


def test_live_a_then_follows_after_some_seconds() -> None:
    assert emotions("confused, then delighted", end_s=None) == [(0, "confusion"), (4, "joy")]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("when I say goodbye, wave", "goodbye"),
        ('laugh when you hear "banana"', "banana"),
        ("as soon as we mention the price raise your eyebrows", "price"),
        ("听到“开始”就鼓掌", "开始"),
        ("我一说再见你就挥手", "再见"),
        ("「さようなら」と言ったら手を振って", "さようなら"),
        ('"안녕"이라고 말하면 손을 흔들어', "안녕"),
    ],
)
def test_a_cue_is_kept_until_it_is_heard(prompt: str, words: str) -> None:
    story = plan(prompt, end_s=None)
    assert [(cue.words, cue.once) for cue in story.cues] == [(words, True)]
    assert {beat.action for beat in story.beats} == {None}
    done, _ = heard(story, f"... {words} ...", pts_from_s(7))
    assert done.at(pts_from_s(7)).action is not None


def test_every_time_means_that_the_cue_stays() -> None:
    story = plan("every time I say no, shake your head", end_s=None)
    once, _ = heard(story, "oh no", pts_from_s(1))
    twice, _ = heard(once, "no", pts_from_s(5))
    assert [s_from_pts(beat.start) for beat in twice.beats if beat.action == "shake"] == [1, 5]


def test_until_a_word_holds_on_and_lets_go_when_it_is_heard() -> None:
    story = plan("smile until I say stop", end_s=None)
    assert story.at(pts_from_s(500)).emotion == "joy"
    stopped, _ = heard(story, "stop", pts_from_s(9))
    assert [stopped.at(pts_from_s(at)).emotion for at in (8, 9)] == ["joy", "calm"]
    assert stopped.cues == ()


# How much


@pytest.mark.parametrize(
    ("prompt", "low", "high"),
    [
        ("a touch irritated", 0.0, 0.45),
        ("livid", 0.8, 1.0),
        ("smile, but not too much", 0.0, 0.5),
        ("just a hint of fear", 0.0, 0.35),
        ("90% angry", 0.9, 0.9),
        ("scared out of your wits", 0.8, 1.0),
        ("稍微有点生气", 0.0, 0.45),
        ("开心得不得了", 0.8, 1.0),
        ("少しだけ怖そうに", 0.0, 0.45),
        ("매우 슬프게", 0.7, 1.0),
    ],
)
def test_degree_is_heard_in_the_words(prompt: str, low: float, high: float) -> None:
    beat = beat_at(prompt, 5)
    assert beat.emotion != "calm"
    assert low <= beat.intensity <= high


def test_a_pace_said_afterwards_is_the_cameras() -> None:
    assert beat_at("zoom in, slowly", 1).camera_speed < 0.35
    assert beat_at("zoom in on me, fast", 1).camera_speed > 0.7


# What not


@pytest.mark.parametrize(
    "prompt",
    [
        "no smiling please", "lose the smile", "do not nod or shake your head", "avoid looking down",
        "without moving your head", "you aren't sad", "不要笑", "别点头", "不许生气", "没有生气", "千万别哭",
        "うなずかないで", "笑わないでください", "웃지 마",
    ],
)  # fmt: skip
def test_nothing_that_is_forbidden_happens(prompt: str) -> None:
    assert {(beat.emotion, beat.action) for beat in plan(prompt).beats} == {("calm", None)}


@pytest.mark.parametrize(
    ("prompt", "emotion"),
    [
        ("hide your anger and smile", "joy"),
        ("don't forget to smile", "joy"),
        ("not angry but disappointed", "sadness"),
        ("rather than smiling, look worried", "fear"),
        ("smile instead of a frown", "joy"),
        ("不是难过，而是生气", "anger"),
        ("忍不住笑了", "joy"),
        ("怒不可遏", "anger"),
        ("不开心", "sadness"),
        ("화내지 말고 웃어 줘", "joy"),
    ],
)
def test_a_negation_reaches_no_further_than_it_should(prompt: str, emotion: str) -> None:
    assert beat_at(prompt, 5).emotion == emotion


def test_what_is_not_to_be_is_taken_from_the_plan_and_the_rest_of_it_stays() -> None:
    first = plan("furious, nod at 5 seconds, wink at 8 seconds")
    then = DIRECTOR.plan(Briefing(first, Pts(0), "don't nod, don't smile", pts_from_s(10)))
    assert [beat.action for beat in then.storyline.beats if beat.action] == ["wink"]
    assert then.storyline.at(pts_from_s(5)).emotion == "anger"


def test_told_to_follow_the_voice_the_director_lets_go_of_what_the_user_decided() -> None:
    told = plan("furious, slow zoom in", end_s=None)
    free = DIRECTOR.plan(Briefing(told, pts_from_s(2), "follow my voice again")).storyline
    assert free.at(pts_from_s(3)).source == "default"
    assert free.at(pts_from_s(1)).emotion == "anger"


# What it takes for an instruction


@pytest.mark.parametrize(
    ("prompt", "emotion"),
    [
        ("you just heard that you passed the exam", "joy"),
        ("there is a cockroach in your soup", "disgust"),
        ("they stole your bike and lied about it", "anger"),
        ("you hear footsteps on the stairs at night", "fear"),
        ("your grandmother's funeral", "sadness"),
        ("u look so suprised", "surprise"),
        ("be exicted", "excitement"),
        ("super 惊讶", "surprise"),
        ("又惊又喜", "surprise"),
        ("像中了彩票一样", "excitement"),
    ],
)
def test_a_feeling_is_understood_without_its_name_or_its_spelling(prompt: str, emotion: str) -> None:
    assert beat_at(prompt, 5).emotion == emotion


@pytest.mark.parametrize(
    "prompt",
    [
        "moving on to the next slide", "the camera shop opens at nine", "welcome to the show", "今天我们聊聊音乐和可乐",
        "麻烦看一下价格", "what kind of phone is it",
    ],
)  # fmt: skip
def test_lines_of_the_show_ask_for_nothing_and_are_said_to_be_unclear(prompt: str) -> None:
    answer = DIRECTOR.plan(Briefing(opening(), Pts(0), prompt))
    assert answer.storyline == opening()
    assert answer.unclear != ()


def test_left_and_right_are_the_speakers_for_actions_and_the_pictures_for_the_camera() -> None:
    beat = beat_at("glance to your left, the camera drifts right", 0.5)
    assert (beat.action, beat.camera) == ("look_left", "pan_right")


def test_of_contradictory_feelings_the_later_is_meant_and_of_kindred_ones_the_stronger() -> None:
    assert beat_at("sad, no wait: happy", 5).emotion == "joy"
    assert beat_at("thrilled, with a warm smile", 5).emotion == "excitement"


@given(
    st.text(
        alphabet=st.sampled_from("smile nod 3s then at the end 先点头再三秒后笑不要「」“”うなずいて웃어\n.,;:->%"), max_size=120
    )
)
def test_whatever_is_typed_the_plan_is_a_storyline(prompt: str) -> None:
    story = plan(prompt, end_s=None)
    starts = [beat.start for beat in story.beats]
    assert starts == sorted(set(starts)) and starts[0] == 0
    assert all(beat.end == following for beat, following in zip(story.beats, starts[1:], strict=False))
    assert story.beats[-1].end is None


@pytest.mark.parametrize("piece", ["1", "点一下", "as ", "then smile ", "“"])
def test_of_a_prompt_without_end_the_beginning_is_read_and_the_rest_is_said_to_be_unread(piece: str) -> None:
    prompt = "be happy. " + piece * (2000 // len(piece))
    answer = DIRECTOR.plan(Briefing(opening(), Pts(0), prompt))
    assert answer.storyline.at(Pts(0)).emotion == "joy"
    assert prompt[-100:] in answer.unclear[-1]
