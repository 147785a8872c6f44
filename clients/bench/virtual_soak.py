"""A broadcast in virtual time for hours: the server's own session and ingest; voice, workers and prompts are made up.

The voice says when it was spoken: each 20 ms of it hold one level, which counts up. The pictures say when they are of. So what
goes on air together can be held against each other, whatever was lost, spliced or held on the way.
"""

from __future__ import annotations

import asyncio
import random
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack

from clients.bench.virtual_time import LoopClock
from engines.avatar_library import SHIPPED_ROOT
from engines.motion import Motion, rest
from streamer.config import BroadcastSettings, ServerSettings
from streamer.media import Picture
from streamer.plan import TIME_BASE_HZ, Blueprint, BlueprintJob, Look, PictureJob, Pts, SubClipJob, ticks_per_frame
from streamer.playout import Turn
from streamer.protocol import DoAction, Interrupt, Mute, Prompt, SetEmotion, Undo
from streamer.render_pool import RenderPool
from streamer.render_process import Done
from streamer.session import Session
from streamer.worker_process import Job, OnPicture

_BLOCK = 960  # 20 ms
_LEAST, _LEVELS = 4000, 12_000
_FPS = 25
_LOST = 0.01  # of the voice's packets
_OUTAGE_EVERY, _OUTAGE = 90_000, 150  # blocks: half an hour, three seconds
_PAUSE_EVERY, _PAUSE = 200, 30  # blocks: speech for 3.4 s, silence for 0.6 s
_COMMAND_EVERY_S = 15.0


class VirtualShow:
    """`async with VirtualShow(seed) as show`, in a `VirtualTimeLoop`: on air inside the block."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        clock = LoopClock()
        self._pool = RenderPool(clock, num_workers=2, start=lambda loop, gently: _Worker())
        chosen = BroadcastSettings("anna", 128, 128, _FPS)
        self.session = Session("soak", lambda name: SHIPPED_ROOT / name, chosen, ServerSettings(Path()), self._pool, clock)
        self._take_turn = self.session.on_air._playout.turn
        vars(self.session.on_air._playout)["turn"] = self._turn
        self._skews: list[float] = []
        self.worst_skew_ms = 0.0
        self.frames = self.commands = 0

    async def __aenter__(self) -> VirtualShow:
        self.session.ingest.attach(_Voice(self._random))
        self._running = asyncio.create_task(self.session.run())
        self._directing = asyncio.create_task(self._direct())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._directing.cancel()
        self.session.end("enough")
        await self._running
        await self._pool.close()

    def skew_ms(self) -> float | None:
        """Picture after sound, the median since this was asked last."""
        skews, self._skews = self._skews, []
        return float(np.median(skews)) if skews else None

    def delay_ms(self) -> float | None:
        """How far what is on air is behind the voice that has arrived."""
        position = self.session.on_air.position
        return None if position is None else (self.session.voice.end - position) / TIME_BASE_HZ * 1e3

    def holds(self) -> dict[str, int]:
        """By reason."""
        return self.session.metrics().holds

    def _turn(self) -> Turn:
        turn = self._take_turn()
        self.frames += 1
        level = int(turn.sound[0])
        if turn.hold is None and turn.pts is not None and turn.picture is not None and level >= _LEAST:
            shown = _pts_in(turn.picture)
            blocks = (shown // _BLOCK - (level - _LEAST) + _LEVELS // 2) % _LEVELS - _LEVELS // 2
            skew_ms = blocks * _BLOCK / TIME_BASE_HZ * 1e3
            self._skews.append(skew_ms)
            if len(self._skews) > 100 and abs(skew_ms) > abs(self.worst_skew_ms):
                self.worst_skew_ms = skew_ms
        return turn

    async def _direct(self) -> None:
        """What a busy controller does."""
        commands: tuple[Any, ...] = (
            Prompt(type="prompt", text="very happy, nods, then slow zoom in"),
            Prompt(type="prompt", text="calm"),
            SetEmotion(type="emotion", emotion="anger"),
            DoAction(type="action", action="nod"),
            Undo(type="undo"),
            Interrupt(type="interrupt"),
            Mute(type="mute", on=True),
        )
        while True:
            await asyncio.sleep(self._random.uniform(0.5, 1.5) * _COMMAND_EVERY_S)
            answer = self.session.command(self._random.choice(commands))
            if asyncio.iscoroutine(answer) or isinstance(answer, asyncio.Future):
                await answer
            self.session.command(Mute(type="mute", on=False))
            self.commands += 1


class _Voice(MediaStreamTrack):
    """20 ms at a time; some are lost, and every half hour three seconds are."""

    kind = "audio"

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._random = rng
        self._block = -1  # the first one heard is at 0 of the media clock
        self._began_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        loop = asyncio.get_running_loop()
        self._began_s = loop.time() if self._began_s is None else self._began_s
        self._block += 1
        while self._block and self._random.random() < _LOST:
            self._block += 1
        if self._block % _OUTAGE_EVERY < _OUTAGE and self._block > _OUTAGE_EVERY:
            self._block += _OUTAGE
        await asyncio.sleep(self._began_s + self._block * _BLOCK / TIME_BASE_HZ - loop.time())
        is_pause = self._block % _PAUSE_EVERY < _PAUSE
        level = 0 if is_pause else _LEAST + self._block % _LEVELS
        frame = av.AudioFrame.from_ndarray(np.full((1, _BLOCK), level, np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = TIME_BASE_HZ, self._block * _BLOCK, Fraction(1, TIME_BASE_HZ)
        return frame


class _Worker:
    """A `streamer.worker_process.WorkerProcess` in this event loop, whose work takes virtual time and no more."""

    def __init__(self) -> None:
        self.pid = 0
        self.ready, self.lost = asyncio.Event(), asyncio.Event()
        self.ready.set()

    async def open(self, look: Look, *, gently: bool) -> Picture:
        return _picture(0)

    def forget(self, look: Look) -> None:
        pass

    async def ask(self, job: Job, timeout_s: float, on_picture: OnPicture | None = None) -> Done:
        began_s = asyncio.get_running_loop().time()
        result: Motion | Blueprint | bytes = b""
        match job:
            case SubClipJob():
                await asyncio.sleep(0.02 + 0.002 * job.num_frames)
                result = _motion(job)
            case BlueprintJob():
                await asyncio.sleep(0.06)
                result = Blueprint(job.storyline_version, job.first.pts, job.interval, rest(job.num_frames))
            case PictureJob():
                for i, pose in enumerate(job.motion):
                    await asyncio.sleep(0.01)
                    assert on_picture
                    on_picture(i, _picture(round(float(pose[0]) * _SCALE)))
        return Done(result, "virtual", asyncio.get_running_loop().time() - began_s)

    def kill(self) -> None:
        self.lost.set()

    async def close(self) -> None:
        self.lost.set()


_SCALE = 2**20  # frames in 1.0 of a pose


def _motion(job: SubClipJob) -> Motion:
    """Each pose says which frame it is of."""
    motion = rest(job.num_frames + job.approach)
    motion[:, 0] = (job.start // ticks_per_frame(_FPS) + np.arange(len(motion))) / _SCALE
    return motion


def _picture(frame: int) -> Picture:
    return np.frombuffer(frame.to_bytes(8, "little") + bytes(424), np.uint8).reshape(36, 12).copy()


def _pts_in(picture: Picture) -> Pts:
    return Pts(int.from_bytes(picture.tobytes()[:8], "little") * ticks_per_frame(_FPS))
