"""The control websocket's messages, version 1: JSON objects told apart by their `type`.

A client may give any message an `id`; the answer to it (`accepted`, `error` or `pong`) carries the same one. Times are
seconds on the broadcast's media clock, where 0 is the host's first sample.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS
from streamer.effort import EffortName
from streamer.plan import Storyline
from streamer.storyline_schema import Action, CameraMove, Emotion, StorylineJson, Unit

PROTOCOL_VERSION = 1
MAX_MESSAGE_BYTES = 16 * 1024
MAX_PROMPT_CHARACTERS = 2_000

State = Literal["connecting", "live", "idle", "ended"]
OutputKind = Literal["record", "hls", "rtmp", "srt", "whip"]
OutputState = Literal["starting", "on", "retrying", "failed", "ended"]


class Message(BaseModel):
    """What every message has: a `type`, and nothing that is not declared."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# -- client to server ---------------------------------------------------------------------------------------------------


class Request(Message):
    id: str | None = Field(default=None, max_length=64, description="echoed by the answer")


class Timed(Request):
    """A change that holds from the first frame that can still change, or from `at_pts` where that is later."""

    at_pts: int | None = Field(default=None, ge=0, description="ticks of 1/48000 s on the media clock")


class Prompt(Timed):
    """Free text for the director, such as ``very happy, nods, then slow zoom in``."""

    type: Literal["prompt"]
    text: str = Field(min_length=1, max_length=MAX_PROMPT_CHARACTERS)
    cue: str | None = Field(default=None, min_length=1, max_length=100, description="words: not before the host says them")


class SetEmotion(Timed):
    type: Literal["emotion"]
    emotion: Emotion
    intensity: Unit = 0.7


class DoAction(Timed):
    type: Literal["action"]
    action: Action


class MoveCamera(Timed):
    type: Literal["camera"]
    move: CameraMove
    speed: Unit = 0.5


class EditBeat(Request):
    """Other words for what is still to come of one beat. Fields that are left out stay."""

    type: Literal["edit"]
    start_pts: int = Field(ge=0, description="names the beat: its `start_pts` in the newest storyline")
    end_pts: int | None = Field(default=None, ge=0, description="later beats that start before this are changed with it")
    emotion: Emotion | None = None
    intensity: Unit | None = None
    action: Action | None = Field(default=None, description="null takes the action out")
    camera: CameraMove | None = None
    camera_speed: Unit | None = None

    def changes(self) -> dict[str, Any]:
        """The fields that were given, as `director.edit` takes them."""
        given = self.model_dump(include=self.model_fields_set - {"type", "id", "start_pts", "end_pts"})
        return {name: value for name, value in given.items() if value is not None or name == "action"}

    @model_validator(mode="after")
    def _says_something(self) -> EditBeat:
        if not self.changes():
            raise ValueError("say what to change: emotion, intensity, action, camera or camera_speed")
        return self


class DeleteBeat(Request):
    """What is still to come of one beat is taken out: the emotion before it lasts, nothing else does."""

    type: Literal["delete"]
    start_pts: int = Field(ge=0, description="names the beat: its `start_pts` in the newest storyline")
    end_pts: int | None = Field(default=None, ge=0, description="later beats that start before this, too")
    field: Literal["emotion", "action", "camera"] | None = Field(default=None, description="this alone; null: all of it")


class SwitchAvatar(Request):
    """Another portrait from a segment cut on. It is opened beside the broadcast first; `accepted` comes at that cut."""

    type: Literal["avatar"]
    avatar: str = Field(min_length=1, max_length=64, description="a name of GET /api/avatars")


class Say(Request):
    """Text to be said, sentence by sentence, after what waits already. While it is said the microphone is not heard."""

    type: Literal["say"]
    text: str = Field(min_length=1, max_length=MAX_PROMPT_CHARACTERS)
    voice: str | None = Field(default=None, min_length=1, max_length=64, description="a name that the server's voice knows")
    language: str | None = Field(default=None, min_length=2, max_length=16, description="en, fr, cmn …; null: by the letters")


class Interrupt(Request):
    """At once: sound and pictures that are not on air yet are dropped, and actions, camera moves and cues still to come."""

    type: Literal["interrupt"]


class Undo(Request):
    """The storyline as it was before the last change, from the first moment that can still change."""

    type: Literal["undo"]


class Mute(Request):
    """The host's voice off the air, or on again. The storyline goes on; the face is silent."""

    type: Literal["mute"]
    on: bool = True


class Idle(Request):
    """The avatar rests: voice off the air, calm, camera still, until `on` is false."""

    type: Literal["idle"]
    on: bool = True


class StartOutput(Request):
    """Send the broadcast somewhere else, too; how it goes is told in `outputs`."""

    type: Literal["start_output"]
    kind: OutputKind
    url: str = Field(default="", max_length=2000, description="where to: rtmp, srt and whip need it")
    key: str = Field(default="", max_length=2000, description="RTMP: stream key; SRT: passphrase; WHIP: bearer token")


class StopOutput(Request):
    type: Literal["stop_output"]
    output: str = Field(min_length=1, max_length=64, description="an `id` of `outputs`")


class End(Request):
    """Ends the broadcast for everybody."""

    type: Literal["end"]


class Ping(Request):
    type: Literal["ping"]


Change = Prompt | SetEmotion | DoAction | MoveCamera | EditBeat | DeleteBeat | Undo
Command = Change | SwitchAvatar | Say | Interrupt | Mute | Idle | StartOutput | StopOutput | End
ClientMessage = Annotated[Command | Ping, Field(discriminator="type")]

# -- server to client ---------------------------------------------------------------------------------------------------


class Hello(Message):
    """First message on every connection: what this broadcast is, and the words it understands."""

    type: Literal["hello"] = "hello"
    protocol: int = PROTOCOL_VERSION
    broadcast: str
    role: Literal["host", "controller", "viewer"]
    state: State
    avatar: str
    width: int
    height: int
    fps: int
    emotions: tuple[str, ...] = EMOTIONS
    actions: tuple[str, ...] = Field(default=ACTIONS, description="those that the model on air draws")
    camera_moves: tuple[str, ...] = CAMERA_MOVES


class Accepted(Message):
    """A change to the storyline, and when viewers will see it."""

    type: Literal["accepted"] = "accepted"
    id: str | None = None
    version: int = Field(description="storyline version that holds the change")
    on_air_pts: int = Field(description="ticks of 1/48000 s on the media clock")
    on_air_in_s: float = Field(description="from now, on this server's clock")
    understood: tuple[str, ...]
    undrawn: tuple[str, ...] = Field(default=(), description="actions still to come that the model on air cannot draw")
    cues: tuple[str, ...] = Field(default=(), description="words that have to be heard before some of it happens")
    note: str = Field(default="", description="what of it cannot happen on this server, and the way out")


class StorylineMessage(StorylineJson):
    """The storyline from now on: when somebody joins, and after each change."""

    type: Literal["storyline"] = "storyline"
    can_undo: bool
    because: str = Field(description="the last change in a few words, a prompt in the host's own")

    @classmethod
    def told(cls, line: Storyline, can_undo: bool, because: str) -> StorylineMessage:
        given = {name: getattr(StorylineJson.of(line), name) for name in StorylineJson.model_fields}
        return cls(**given, can_undo=can_undo, because=because)


class Horizon(Message):
    """How far each stage has come, about five times a second: aired <= committed <= planned <= intended."""

    type: Literal["horizon"] = "horizon"
    aired_s: float = Field(description="what viewers have been sent")
    heard_s: float = Field(description="voice that has arrived")
    committed_s: float = Field(description="queued, rendering or rendered: cannot change any more")
    planned_s: float = Field(description="anchors chosen: revisable")
    intended_s: float = Field(description="storyline only")


class Status(Message):
    """What is switched on, when somebody joins and after each change."""

    type: Literal["status"] = "status"
    avatar: str
    opening: str | None = Field(description="the avatar that is being opened, to be switched to at a segment cut")
    muted: bool
    idle: bool


class KeyframeMessage(Message):
    """A thumbnail of a planned anchor. It replaces what was shown near that time."""

    type: Literal["keyframe"] = "keyframe"
    pts: int = Field(description="ticks of 1/48000 s on the media clock")
    start_s: float
    version: int = Field(description="of the storyline that planned it")
    avatar: str
    image: str = Field(description="a data: URL of a JPEG, 96 pixels square")


CaptionState = Literal["on_air", "ended", "interrupted", "failed"]


class Caption(Message):
    """A sentence that was to be said: when it goes on air, and when it is over. Viewers are told too."""

    type: Literal["caption"] = "caption"
    id: str | None = Field(description="of the `say` it comes from")
    number: int = Field(description="of the sentence in that text, from 0")
    text: str
    state: CaptionState
    start_pts: int | None = Field(description="ticks of 1/48000 s on the media clock; null where it was never said")
    start_s: float | None
    played_s: float = Field(description="how much of it has been on air")


class Draining(Message):
    """The server is about to stop. No broadcast can be begun any more; this one is ended for everybody when the time is up."""

    type: Literal["draining"] = "draining"
    ends_in_s: float
    reason: str


class Aired(Message):
    """A sub-clip has begun to go on air."""

    type: Literal["aired"] = "aired"
    version: int = Field(description="of the storyline it was drawn from")
    start_pts: int
    end_pts: int
    start_s: float
    end_s: float


class Heard(Message):
    """What the host says, written down, where the server has a recogniser. A later one with the same start takes its place."""

    type: Literal["heard"] = "heard"
    start_s: float
    end_s: float
    text: str
    is_final: bool = Field(description="the utterance is over")
    cues: tuple[str, ...] = Field(default=(), description="the cue words in it that have just been heard")


class Delay(Message):
    """Mic to viewer, by parts, in milliseconds: medians over the last sub-clips. `total` is their sum."""

    jitter: float = Field(description="its sound came this much later than it was spoken")
    segment: float = Field(description="the sound of one sub-clip, from its first sample to its last")
    right_context: float = Field(description="the sound after it that its last lips need")
    render: float = Field(description="queue, transformer and the first picture")
    playout: float = Field(description="finished and waiting for its turn")
    encode: float = Field(description="encoding and handing to the network")
    network: float = Field(description="one way to the viewers, by half of their round trips")
    total: float


class Metrics(Message):
    """Once a second."""

    type: Literal["metrics"] = "metrics"
    delay_ms: Delay | None = Field(description="null until the first sub-clip has been on air")
    fps: float = Field(description="frames put on air in the last second")
    frames: int
    holds: dict[str, int] = Field(description="frames repeated since the start, by reason")
    late_frames: int = Field(description="frames dropped because they came past their time")
    viewers: int
    render_ms_per_frame: float | None
    bitrate_bps: int
    worker_restarts: int
    effort: EffortName = Field(description="what is left out while the machine cannot keep up: denoising steps, pictures")
    interrupt_ms: float | None = Field(
        description="from the last interrupt or mute to the first picture after what it dropped; the sound stops at once"
    )


class OutputReport(BaseModel):
    """One way out. `failed` is for good; `retrying` says in `reason` what went wrong and when it is tried again."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)

    id: str
    kind: OutputKind
    to: str = Field(description="where to, without key or token")
    state: OutputState
    reason: str
    link: str = Field(description="path on this server: of the recording, or of the HLS playlist")
    sent_bytes: int
    retries: int
    dropped_turns: int = Field(description="pictures, with their sound, that it could not take in time")


class OutputsMessage(Message):
    """Where the broadcast goes besides its viewers: on joining, at each change, and once a second while there are any."""

    type: Literal["outputs"] = "outputs"
    outputs: tuple[OutputReport, ...]


class Level(Message):
    """The host's voice as the server hears it, about ten times a second."""

    type: Literal["level"] = "level"
    db: float = Field(description="RMS of the last 100 ms below full scale; -100 is digital silence")
    speaking: bool


class DirectorMessage(Message):
    """Where a language model directs: how it stands, on joining and at each change, and what became of a prompt.

    `asking`: a prompt is with the model. `resting`: it failed and is left alone, meanwhile the embedded planner plans alone.
    """

    type: Literal["director"] = "director"
    backend: str
    state: Literal["ready", "asking", "resting"]
    retry_in_s: float | None = Field(default=None, description="while resting: until it is tried again")
    reason: str = Field(default="", description="of the last failure, empty once there was an answer")
    notes: tuple[str, ...] = Field(default=(), description="what falls short, such as a model that takes no sound")
    id: str | None = Field(default=None, description="of the prompt this is about")
    planned_by: str | None = Field(default=None, description="whose plan for it is on the storyline; null: none yet, or none")
    note: str = Field(default="", description="why, where it is not the model's, or not the model's alone")
    refused: tuple[str, ...] = Field(default=(), description="what the model proposed without the authority for it")


class StateMessage(Message):
    """`connecting` until the host's sound arrives, `live`, `idle` while the host is lost, `ended` for good."""

    type: Literal["state"] = "state"
    state: State
    reason: str


Code = Literal[
    "bad_json", "unknown_type", "invalid", "too_large", "not_understood", "not_drawn", "unknown_beat", "too_many_beats",
    "nothing_to_undo", "unknown_avatar", "avatar_failed", "superseded", "busy", "forbidden", "unknown_broadcast", "worker_lost",
    "ended", "no_voice", "speech_failed", "no_transcript", "not_written", "bad_output", "unknown_output",
]  # fmt: skip


class ErrorMessage(Message):
    """Something in a message, or in the broadcast, went wrong; the connection stays open."""

    type: Literal["error"] = "error"
    id: str | None = None
    code: Code
    message: str
    path: str | None = Field(default=None, description="where in the client's message, such as `emotion.intensity`")


class Pong(Message):
    type: Literal["pong"] = "pong"
    id: str | None = None


ServerMessage = Annotated[
    Hello
    | Status
    | Accepted
    | StorylineMessage
    | Horizon
    | KeyframeMessage
    | Aired
    | Caption
    | Draining
    | Metrics
    | OutputsMessage
    | Level
    | Heard
    | DirectorMessage
    | StateMessage
    | ErrorMessage
    | Pong,
    Field(discriminator="type"),
]

_CLIENT: TypeAdapter[Command | Ping] = TypeAdapter(ClientMessage)
_SERVER: TypeAdapter[Any] = TypeAdapter(ServerMessage)


class BadMessage(ValueError):
    """A client's message that cannot be taken; `answer` says why."""

    def __init__(self, answer: ErrorMessage) -> None:
        super().__init__(answer.message)
        self.answer = answer


def parse(text: str | bytes) -> Command | Ping:
    """One client message. Raises BadMessage for anything else."""
    size = len(text) if isinstance(text, bytes) else len(text.encode())
    if size > MAX_MESSAGE_BYTES:
        raise BadMessage(ErrorMessage(code="too_large", message=f"a message may have {MAX_MESSAGE_BYTES} bytes, not {size}"))
    try:
        return _CLIENT.validate_json(text)
    except ValidationError as error:
        raise BadMessage(_explain(error, _id_of(text))) from None


def _id_of(text: str | bytes) -> str | None:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return None
    request_id = given.get("id") if isinstance(given, dict) else None
    return request_id if isinstance(request_id, str) and len(request_id) <= 64 else None


def _explain(error: ValidationError, request_id: str | None) -> ErrorMessage:
    first = error.errors(include_url=False)[0]
    match first["type"]:
        case "json_invalid":
            return ErrorMessage(code="bad_json", message=f"not JSON: {first['msg']}")
        case "union_tag_invalid" | "union_tag_not_found":
            known = ", ".join(_CLIENT.json_schema()["discriminator"]["mapping"])
            return ErrorMessage(code="unknown_type", id=request_id, path="type", message=f"`type` must be one of {known}")
    path = ".".join(str(part) for part in first["loc"]) or None
    return ErrorMessage(code="invalid", id=request_id, path=path, message=f"{path or 'message'}: {first['msg']}")


def schema() -> dict[str, Any]:
    """JSON Schema of both directions."""
    return {
        "protocol": PROTOCOL_VERSION,
        "client": _CLIENT.json_schema(),
        "server": _SERVER.json_schema(mode="serialization"),
    }
