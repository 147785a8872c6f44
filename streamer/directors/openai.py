"""A model behind an OpenAI-compatible server: vLLM, SGLang, Ollama, a cloud. Chat completions, streamed.

The server is not trusted: what it sends is bounded in size, and every way of failing becomes a ChatError that says what to do.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import wave
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2

from engines.mllm.chat import SOUND_RATE_HZ, CannotPerceive, ChatError, ChatRequest, Picture, Sound
from streamer.refusals import message, refusal

log = logging.getLogger(__name__)

MAX_ANSWER_CHARACTERS = 32 * 1024
_MAX_EVENT_BYTES = 64 * 1024
_MAX_BODY_BYTES = 256 * 1024
_CONNECT_S = 3.0

Format = Literal["json_schema", "json_object", "text"]
_FORMATS: tuple[Format, ...] = ("json_schema", "json_object", "text")  # each is asked for where the one before it is refused
_REFUSALS = (400, 415, 422, 501)  # a server that does not know a field, or a kind of content
_UNUSED = ("title", "default", "minLength", "maxLength", "minItems")  # some servers refuse them in a strict schema


class OpenAIModel:
    """`model` at `url`, which ends before `/chat/completions` (http://127.0.0.1:8000/v1).

    key: sent as the bearer token, never logged. Sound goes to `hearing_model`, pictures to `seeing_model`, where given.
    """

    @property
    def backend(self) -> str:
        return "openai"

    def __init__(
        self, url: str, model: str, *, key: str = "", hearing_model: str | None = None, seeing_model: str | None = None
    ) -> None:
        self._model, self._hearing_model, self._seeing_model = model, hearing_model or model, seeing_model or model
        self._where = urlsplit(url).netloc.rpartition("@")[2]
        self._key = key
        self._formats: dict[str, Format] = {}  # by model: the one it last took
        self._client = httpx2.AsyncClient(
            base_url=url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(None, connect=_CONNECT_S),
            limits=httpx2.Limits(max_connections=16),
            follow_redirects=False,
        )

    def start(self) -> None:
        """There is nothing to load."""

    def notes(self) -> tuple[str, ...]:
        """Which models take no JSON Schema."""
        return tuple(
            f"{model} at {self._where} takes no JSON Schema: asked for {taken} instead"
            for model, taken in self._formats.items()
            if taken != "json_schema"
        )

    async def ask(self, request: ChatRequest) -> str:
        """The answer's text. Raises ChatError, or CannotPerceive where the server refuses sound or pictures."""
        model = self._seeing_model if request.has_picture else self._hearing_model if request.has_sound else self._model
        known = self._formats.get(model)
        refusal: ChatError | None = None
        for taken in (known,) if known else _FORMATS:
            try:
                answer = await self._complete(model, request, taken)
            except _Refusal as error:
                refusal = refusal or error
                continue
            if taken != known:
                self._formats[model] = taken
                for note in self.notes():
                    log.warning("%s", note)
            return answer
        assert refusal is not None
        if request.has_sound or request.has_picture:
            raise CannotPerceive(f"{model} takes no {'sound' if request.has_sound else 'pictures'}: {refusal}", is_lasting=True)
        raise refusal

    async def close(self) -> None:
        await self._client.aclose()

    async def _complete(self, model: str, request: ChatRequest, taken: Format) -> str:
        body = payload(request, model, taken)
        try:
            async with self._client.stream("POST", "chat/completions", json=body) as response:
                if response.status_code != 200:
                    raise self._refused(response, await refusal(response, self._key))
                if response.headers.get("content-type", "").startswith("text/event-stream"):
                    return await _streamed(response)
                return _whole(await _read(response))
        except httpx2.ConnectError as error:
            raise ChatError(f"nothing answers at {self._where}: {error}") from error
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise ChatError(f"the connection to {self._where} broke: {type(error).__name__} {error}".rstrip()) from error
        except httpx2.InvalidURL as error:
            raise ChatError(f"{self._where}: {error}", is_lasting=True) from error

    def _refused(self, response: httpx2.Response, said: str) -> ChatError:
        status = response.status_code
        if status in _REFUSALS:
            return _Refusal(f"{self._where} refused the request ({status}): {said}")
        if status in (401, 403):
            return ChatError(f"{self._where} refused the key ({status}): {said}; see --director-key-env", is_lasting=True)
        if status == 404:
            return ChatError(f"{self._where} knows no such model or address (404): {said}", is_lasting=True)
        if status == 429:
            return ChatError(
                f"{self._where} has no room (429): {said}", retry_after_s=_seconds(response.headers.get("retry-after"))
            )
        if 300 <= status < 400:
            return ChatError(f"{self._where} sends elsewhere ({status}); give the address itself", is_lasting=True)
        return ChatError(
            f"{self._where} failed ({status}): {said}", retry_after_s=_seconds(response.headers.get("retry-after"))
        )


class _Refusal(ChatError):
    """The request as such: another format may be taken."""


def payload(request: ChatRequest, model: str, taken: Format) -> dict[str, Any]:
    """The body of a chat completion: https://platform.openai.com/docs/api-reference/chat."""
    messages = [{"role": each.role, "content": _content(each.parts)} for each in request.messages]
    body: dict[str, Any] = {
        "model": model,
        "messages": messages,
        "max_tokens": request.max_tokens,
        "temperature": 0,
        "stream": True,
    }
    if taken == "json_schema":
        schema = {"name": request.schema_name, "strict": True, "schema": strict(request.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    else:
        fits = (
            f"Answer with one JSON object, nothing before or after it, that fits this JSON Schema: {json.dumps(request.schema)}"
        )
        messages.insert(1, {"role": "system", "content": fits})
        if taken == "json_object":
            body["response_format"] = {"type": "json_object"}
    return body


def strict(schema: Any) -> Any:
    """A schema in the subset that strict servers take: every property required, none besides, no lengths and defaults."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {
        name: {key: strict(value) for key, value in part.items()} if name in ("properties", "$defs") else strict(part)
        for name, part in schema.items()
        if name not in _UNUSED
    }
    if "properties" in kept:
        kept |= {"required": list(kept["properties"]), "additionalProperties": False}
    return kept


def wav(sound: Sound) -> bytes:
    """16-bit mono WAV."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_RATE_HZ)
        file.writeframes(sound.samples.astype("<i2").tobytes())
    return out.getvalue()


def _content(parts: tuple[str | Sound | Picture, ...]) -> str | list[dict[str, Any]]:
    if all(isinstance(part, str) for part in parts):
        return "\n\n".join(map(str, parts))
    content: list[dict[str, Any]] = []
    for part in parts:
        match part:
            case str():
                content.append({"type": "text", "text": part})
            case Sound():
                content.append({"type": "input_audio", "input_audio": {"data": _base64(wav(part)), "format": "wav"}})
            case Picture():
                content.append({"type": "image_url", "image_url": {"url": f"data:{part.mime};base64,{_base64(part.data)}"}})
    return content


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


# -- answers ------------------------------------------------------------------------------------------------------------


async def _streamed(response: httpx2.Response) -> str:
    """Server-sent events up to `[DONE]`."""
    pieces: list[str] = []
    length = 0
    reason = None
    async for event in httpx2.EventSource(response, max_event_size=_MAX_EVENT_BYTES):
        if event.data.strip() == "[DONE]":
            break
        chunk = _json(event.data)
        if isinstance(error := chunk.get("error"), dict | str):
            raise ChatError(f"the server broke off: {message(error)}")
        choice = _choice(chunk)
        delta = choice.get("delta")
        piece = delta.get("content") if isinstance(delta, dict) else None
        reason = choice.get("finish_reason") or reason
        if isinstance(piece, str):
            pieces.append(piece)
            length += len(piece)
            if length > MAX_ANSWER_CHARACTERS:
                raise ChatError(f"the model rambles: more than {MAX_ANSWER_CHARACTERS} characters")
    return _finished("".join(pieces), reason)


def _whole(body: bytes) -> str:
    """One JSON body, from a server that does not stream."""
    choice = _choice(_json(body.decode("utf-8", "replace")))
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    if not isinstance(text, str):
        raise ChatError("the server's answer has no message content")
    if len(text) > MAX_ANSWER_CHARACTERS:
        raise ChatError(f"the model rambles: more than {MAX_ANSWER_CHARACTERS} characters")
    return _finished(text, choice.get("finish_reason"))


def _finished(text: str, reason: Any) -> str:
    if not text.strip():
        raise ChatError("the model's answer is empty")
    if reason == "length":
        raise ChatError("the model's answer was cut off at its longest")
    return text


def _choice(chunk: dict[str, Any]) -> dict[str, Any]:
    """The first choice; a chunk of usage figures has none."""
    choices = chunk.get("choices")
    if not isinstance(choices, list) or not all(isinstance(each, dict) for each in choices):
        raise ChatError("the server does not speak chat completions: its answer has no choices")
    return choices[0] if choices else {}


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ChatError(f"the server does not speak chat completions: not JSON: {text[:80]!r}") from None
    if not isinstance(found, dict):
        raise ChatError("the server does not speak chat completions: not a JSON object")
    return found


async def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            raise ChatError(f"the server's answer has more than {_MAX_BODY_BYTES} bytes")
    return bytes(body)


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds; a date is not read."""
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
