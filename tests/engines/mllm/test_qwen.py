"""Local Qwen2.5 checkpoints: the real classes and processors, with tiny random weights."""

import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engines.mllm.chat import CannotPerceive, ChatError, ChatMessage, ChatRequest, Part, Picture, Sound
from engines.mllm.qwen import QwenChat
from streamer.briefing import Briefing
from streamer.director import EmbeddedDirector, opening
from streamer.directors.answer import PortraitAnswer, StorylineAnswer, VoiceAnswer, parse, read
from streamer.directors.prompting import portrait_request, storyline_request, voice_request
from streamer.plan import Pts
from tests.fakes.tiny_qwen import write_omni, write_vl

SCHEMA = {
    "type": "object",
    "properties": {"mood": {"enum": ["joy", "anger"]}, "how": {"type": "string", "maxLength": 6}, "sure": {"type": "boolean"}},
    "required": ["mood", "how", "sure"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def omni_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("omni")
    write_omni(folder)
    return folder


@pytest.fixture(scope="module")
def omni(omni_folder: Path) -> QwenChat:
    return QwenChat(omni_folder, "cpu")


@pytest.fixture(scope="module")
def vl(tmp_path_factory: pytest.TempPathFactory) -> QwenChat:
    folder = tmp_path_factory.mktemp("vl")
    write_vl(folder)
    return QwenChat(folder, "cpu")


def _question(*parts: Part, max_tokens: int = 120, schema: dict[str, Any] = SCHEMA) -> ChatRequest:
    return ChatRequest((ChatMessage("system", ("Be brief.",)), ChatMessage("user", parts)), "answer", schema, max_tokens)


def _voice(hz: float = 220.0, seconds: float = 1.0) -> Sound:
    return Sound((9000 * np.sin(2 * np.pi * hz * np.arange(int(16_000 * seconds)) / 16_000)).astype(np.int16))


def _picture(shade: int = 90) -> Picture:
    out = io.BytesIO()
    Image.fromarray(np.full((84, 112, 3), shade, np.uint8)).save(out, "PNG")
    return Picture(out.getvalue(), "image/png")


def test_the_weights_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    written = write_omni(tmp_path).state_dict()
    loaded = QwenChat(tmp_path, "cpu")._model.state_dict()
    assert len(loaded) == len(written)
    for name, weights in loaded.items():
        torch.testing.assert_close(weights, written[f"thinker.{name}"])


@pytest.mark.parametrize("parts", [("Hello?",), (_voice(), "What is this?"), (_picture(), "And this?")])
def test_omni_answers_text_sound_and_pictures_within_the_schema(omni: QwenChat, parts: tuple[Part, ...]) -> None:
    assert omni.hears and omni.sees
    answer = json.loads(omni.answer(_question(*parts)))
    assert answer["mood"] in ("joy", "anger")
    assert len(answer["how"]) <= 6
    assert isinstance(answer["sure"], bool)


def test_sound_and_pictures_really_reach_the_model(omni: QwenChat) -> None:
    def logits(*parts: Part) -> torch.Tensor:
        with torch.inference_mode():
            return omni._model(**omni._inputs(_question(*parts))).logits[0, -1]

    for one, other in ((_voice(220), _voice(3000)), (_picture(20), _picture(230))):
        assert not torch.allclose(logits(one), logits(other), atol=1e-6)
        torch.testing.assert_close(logits(one), logits(one))


def test_sound_is_not_padded_to_the_longest_that_the_model_knows(omni: QwenChat) -> None:
    assert omni._inputs(_question(_voice(seconds=2.0)))["input_features"].shape == (1, 128, 200)


def _short(request: ChatRequest) -> ChatRequest:
    """The same question with short lines in its answer: random weights fill them to the last letter."""
    schema = json.loads(re.sub(r'"maxLength": \d+', '"maxLength": 3', json.dumps(request.schema)))
    if "beats" in schema["properties"]:
        schema["properties"]["beats"] |= {"minItems": 2, "maxItems": 2}
    return replace(request, schema=schema)


def test_the_directors_own_questions_are_answered_in_their_types(omni: QwenChat) -> None:
    briefing = Briefing(opening(), Pts(0), "like a sly fox")
    storyline = parse(omni.answer(_short(storyline_request(briefing))), StorylineAnswer)
    assert len(storyline.beats) == 2
    plan = read(storyline, briefing, EmbeddedDirector()).plan(briefing, "transformers")
    assert all(beat.sources.emotion != "user" for beat in plan.storyline.beats)  # random words quote nobody
    parse(omni.answer(_short(voice_request(_voice()))), VoiceAnswer)
    parse(omni.answer(_short(portrait_request(_picture()))), PortraitAnswer)


def test_vl_sees_and_says_that_it_does_not_hear(vl: QwenChat) -> None:
    assert vl.sees and not vl.hears
    assert json.loads(vl.answer(_question(_picture(), "What is it?")))["mood"] in ("joy", "anger")
    with pytest.raises(CannotPerceive, match="Omni"):
        vl.answer(_question(_voice()))


def test_an_answer_that_is_cut_off_is_none(omni: QwenChat) -> None:
    with pytest.raises(ChatError, match="cut off"):
        omni.answer(_question("Hello?", max_tokens=5))


def test_a_question_can_be_taken_back_between_two_words(omni: QwenChat) -> None:
    asked = 0

    def is_cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    with pytest.raises(ChatError, match="cancelled"):
        omni.answer(_question("Hello?"), is_cancelled)
    assert asked < 8


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path: Path, omni_folder: Path) -> None:
    with pytest.raises(ChatError, match="is not a checkpoint"):
        QwenChat(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ChatError, match=r"bert.*qwen2_5_omni or qwen2_5_vl"):
        QwenChat(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ChatError, match="not JSON"):
        QwenChat(tmp_path)
    shutil.rmtree(tmp_path)
    shutil.copytree(omni_folder, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(ChatError, match="cannot be loaded"):
        QwenChat(tmp_path)


def test_a_checkpoint_with_weights_missing_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    write_vl(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    dropped = next(name for name in weights if "mlp" in name)
    save_file({name: w for name, w in weights.items() if name != dropped}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ChatError, match=r"lacks 1 of its weights"):
        QwenChat(tmp_path)
