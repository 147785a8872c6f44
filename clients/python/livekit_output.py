"""LiveKit Agents speak through an avatar: `session.output.audio = RostrumAudioOutput(voice)`. Needs `livekit-agents` (1.x).

The picture and the voice leave by WHEP, or go into the room by WHIP ingress; the agent is told when its words have been played.
"""

from __future__ import annotations

import asyncio
import time

from livekit import rtc
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

from clients.python.agent import AvatarVoice, Playback


class RostrumAudioOutput(AudioOutput):
    """`voice` must be open already, and at `sample_rate`."""

    def __init__(self, voice: AvatarVoice, sample_rate: int = 24_000) -> None:
        super().__init__(label="Rostrum", capabilities=AudioOutputCapabilities(pause=False), sample_rate=sample_rate)
        self._voice = voice
        voice.on_started = lambda: self.on_playback_started(created_at=time.time())
        voice.on_finished = self._finished
        self._sending: set[asyncio.Task[None]] = set()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Waits while ten seconds are not said yet."""
        await super().capture_frame(frame)
        await self._voice.push_audio(bytes(frame.data))

    def flush(self) -> None:
        super().flush()
        self._soon(self._voice.end_segment())

    def clear_buffer(self) -> None:
        self._soon(self._voice.clear_buffer())

    def _soon(self, sending) -> None:  # type: ignore[no-untyped-def]
        task = asyncio.ensure_future(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def _finished(self, playback: Playback) -> None:
        self.on_playback_finished(playback_position=playback.position_s, interrupted=playback.interrupted)
