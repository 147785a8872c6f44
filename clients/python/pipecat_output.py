"""Pipecat speaks through an avatar: put `RostrumOutput(voice)` behind the text-to-speech service. Needs `pipecat-ai` (1.x).

Speech goes to the avatar and no further; an interruption clears it; the pipeline is told when the avatar speaks and stops.
"""

from __future__ import annotations

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InterruptionFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from clients.python.agent import AvatarVoice, Playback


class RostrumOutput(FrameProcessor):
    """`voice` must be open already, and at the sample rate of the text-to-speech service; mono."""

    def __init__(self, voice: AvatarVoice) -> None:
        super().__init__(name="Rostrum")
        self._voice = voice
        voice.on_started = self._started
        voice.on_finished = self._finished

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            await self._voice.push_audio(frame.audio)
            return
        if isinstance(frame, TTSStoppedFrame):
            await self._voice.end_segment()
        elif isinstance(frame, InterruptionFrame):
            await self._voice.clear_buffer()
        await self.push_frame(frame, direction)

    def _started(self) -> None:
        self.create_task(self.push_frame(BotStartedSpeakingFrame(), FrameDirection.UPSTREAM))

    def _finished(self, _: Playback) -> None:
        self.create_task(self.push_frame(BotStoppedSpeakingFrame(), FrameDirection.UPSTREAM))
