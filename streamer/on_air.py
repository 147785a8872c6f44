"""The last leg, in real time: playout → encoder → viewers and outputs, one turn every 1/fps, measured as it passes."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from pydantic import BaseModel

from streamer import webrtc
from streamer.clock import Clock
from streamer.config import BroadcastSettings, ServerSettings
from streamer.effort import EffortName
from streamer.encoder import Encoded, Encoder
from streamer.lineage import LineageWriter
from streamer.media import AudioPacket, Picture, Sound
from streamer.metrics import DelayMeter, Flight, RateMeter
from streamer.outputs.board import OutputBoard
from streamer.outputs.feed import Packetised
from streamer.outputs.output import StreamFormat
from streamer.outputs.sender import Packetiser
from streamer.outputs.whep import Viewers
from streamer.plan import TIME_BASE_HZ, Pts, SubClip, SubClipJob, s_from_pts, ticks_per_frame
from streamer.playout import Playout, Shot, Turn
from streamer.protocol import ErrorMessage, Metrics

_MAX_FLIGHTS = 64
_MOST_BEHIND_S, _APART_S = 0.5, 2.5  # the former and two segments: longer a delay is not made, however late pictures come


class OnAir:
    """Takes voice and rendered clips, sends both to everybody who watches. Bounded as `Playout` and `Viewers` are."""

    def __init__(
        self,
        broadcast: str,
        settings: BroadcastSettings,
        server: ServerSettings,
        clock: Clock,
        aired: Callable[[SubClipJob], None],
        tell: Callable[[BaseModel], None] = lambda _: None,
    ) -> None:
        """`aired` is called as the first picture of each sub-clip leaves; `tell` takes what hosts are to know."""
        self._tell = tell
        self._aired = aired
        self._fps = settings.fps
        self._clock = clock
        self._frame = ticks_per_frame(settings.fps)
        self._playout = Playout(settings.fps)
        self.expect_apart(False, settings.segment_s)
        self._encoder = Encoder(settings.width, settings.height, settings.fps, settings.kbps and 1000 * settings.kbps)
        ticks, want_intra = webrtc.WallTicks(), self._encoder.want_intra
        stream = StreamFormat(settings.width, settings.height, settings.fps)
        self.viewers = Viewers(ticks, want_intra, server.max_viewers, server.ice_servers)
        self.outputs = OutputBoard(broadcast, stream, want_intra, tell, server.recordings_root, ticks, server.ice_servers)
        self._lineage = LineageWriter(server.lineage_root / f"{broadcast}.jsonl") if server.lineage_root else None
        self._flights: deque[Flight] = deque(maxlen=_MAX_FLIGHTS)  # in the order they go on air
        self._sending: Flight | None = None
        self._next_turn_s = 0.0
        self._cutters: dict[str, Packetiser] = {}
        self._sound_to_come: deque[AudioPacket] = deque()  # a turn's at most
        self._delay = DelayMeter()
        self._turns = RateMeter()
        self._bits = RateMeter()
        self._skipped_slots = 0
        self._stopping: tuple[Pts, float] | None = None  # from which picture on nothing dropped is seen, and since when
        self._stop_ms: float | None = None
        self._render_ms_per_frame: float | None = None

    @property
    def position(self) -> Pts | None:
        """What goes on air next; None before the first clip."""
        return self._playout.position

    @property
    def newest(self) -> Pts | None:
        """The last picture on air or waiting for its turn; None before the first."""
        return self._playout.newest()

    def time_of(self, pts: Pts) -> float:
        """When this goes on air, as things stand, in seconds of the clock."""
        position = self._playout.position
        return self._clock.now_s() + (0.0 if position is None else s_from_pts(pts - position))

    def rest(self, picture: Picture) -> None:
        """What is shown until the first clip."""
        self._playout.rest(picture)

    def push_voice(self, sound: Sound) -> None:
        """The host's voice at 48 kHz, right behind what came before."""
        self._playout.push_voice(sound)

    def expect_apart(self, is_apart: bool, segment_s: float) -> None:
        """Sub-clips made beside each other take their time, and there is room for it; in a chain a delay only hides a queue."""
        self._playout.max_behind_s = _APART_S if is_apart else _MOST_BEHIND_S + 2 * segment_s

    def expect(self, flight: Flight) -> None:
        """A sub-clip that is being drawn."""
        self._flights.append(flight)

    def push_picture(self, flight: Flight, index: int, picture: Picture, since: int) -> None:
        """Frame `index` of an expected sub-clip, as soon as it is drawn. It stands for those from `since` on."""
        now_s, job = self._clock.now_s(), flight.job
        is_first = not flight.drawn
        flight.drawn += 1
        flight.drawn_s = flight.drawn_s or now_s
        shot = Shot(job.job_id, Pts(job.start + index * self._frame), picture, job.draw_every, is_first)
        until_turn = max(0, round((self._next_turn_s - now_s) * TIME_BASE_HZ))
        flight.late_pictures += not self._playout.push(shot, Pts(job.start + since * self._frame), until_turn)

    def finish(self, flight: Flight, clip: SubClip) -> None:
        """An expected sub-clip has been drawn to its end."""
        flight.clip = clip
        self._render_ms_per_frame = (clip.motion_ms + clip.decode_ms) / clip.job.num_frames
        if flight.sent_s:
            self._write(flight)

    def interrupt(self, keep_until: Pts) -> None:
        """Drop the pictures from `keep_until` on, and all sound that is not on air yet."""
        self._playout.interrupt(keep_until)
        self._sound_to_come.clear()
        while self._flights and self._flights[-1].job.start >= keep_until:
            flight = self._flights.pop()
            if flight.clip:
                flight.clip = replace(flight.clip, notes=(*flight.clip.notes, "interrupted"))
                self._write(flight)
        self._stopping = keep_until, self._clock.now_s()

    async def run(self) -> None:
        """For ever. Woken late, it skips the pictures of the slots that have passed, never their sound."""
        frame_s = 1 / self._fps
        start_s = self._clock.now_s()
        for slot in itertools.count():
            due_s = self._next_turn_s = start_s + slot * frame_s
            await asyncio.sleep(max(0.0, due_s - self._clock.now_s()))
            is_passed = self._clock.now_s() > due_s + frame_s
            self._skipped_slots += is_passed
            turn = self._playout.turn()
            self._next_turn_s = due_s + frame_s
            self._note_aired(turn)
            if len(self.viewers) or len(self.outputs):
                is_old = is_passed or turn.hold == "half_rate"  # viewers have it
                is_left_out = is_old and not len(self.outputs)  # a file's frame rate is constant
                picture = None if is_left_out else turn.picture
                renditions = self.viewers.renditions | self.outputs.renditions
                self._send(await self._encoder.encode(picture, turn.sound, turn.tick, self.outputs.wants_aac, renditions))
            self._sending = None
            if self._stopping and turn.pts is not None and turn.pts >= self._stopping[0]:
                self._stop_ms = round(1e3 * (self._clock.now_s() - self._stopping[1]), 1)
                self._stopping = None

    def _send(self, encoded: Encoded) -> None:
        """To everybody; this turn's sound packets spread over the turn, and none after a later one."""
        while self._sound_to_come:
            self._send_sound()
        self._publish(replace(encoded, audio=encoded.audio[:1]))
        self._sound_to_come.extend(encoded.audio[1:])
        loop = asyncio.get_running_loop()
        for i in range(1, len(encoded.audio)):
            loop.call_later(i / len(encoded.audio) / self._fps, self._send_sound)
        now_s = self._clock.now_s()
        self._bits.note(8 * sum(map(len, encoded.payloads())), now_s)
        if self._sending:
            self._sending.sent_s = now_s
            self._delay.note(self._sending)

    def _send_sound(self) -> None:
        if self._sound_to_come:
            self._publish(Encoded([], [self._sound_to_come.popleft()]))

    def _publish(self, encoded: Encoded) -> None:
        self.viewers.put(Packetised(encoded, self._cutters))
        self.outputs.put(encoded)

    def _note_aired(self, turn: Turn) -> None:
        now_s = self._clock.now_s()
        self._turns.note(1, now_s)
        while turn.first_of is not None and self._flights:
            flight = self._flights.popleft()
            flight.aired_s = flight.sent_s = now_s
            if flight.clip:
                self._write(flight)
            if flight.job.job_id == turn.first_of:
                self._aired(flight.job)
                self._sending = flight
                return

    def _write(self, flight: Flight) -> None:
        if self._lineage and flight.clip:
            self._lineage.put(flight.clip, flight)
            if self._lineage.error:
                text = f"lineage is not written any more, the broadcast goes on: {self._lineage.error}"
                self._lineage = None
                self._tell(ErrorMessage(code="not_written", message=text))

    def metrics(self, worker_restarts: int, effort: EffortName) -> Metrics:
        now_s, counts = self._clock.now_s(), self._playout.counts
        holds = {str(reason): count for reason, count in counts.holds.items()}
        return Metrics(
            delay_ms=self._delay.delay(self.viewers.network_ms()),
            fps=self._turns.rate(now_s),
            frames=counts.aired,
            holds={**holds, "skipped_slot": self._skipped_slots},
            late_frames=counts.late_frames,
            viewers=len(self.viewers),
            render_ms_per_frame=None if self._render_ms_per_frame is None else round(self._render_ms_per_frame, 2),
            bitrate_bps=round(self._bits.rate(now_s)),
            worker_restarts=worker_restarts,
            effort=effort,
            interrupt_ms=self._stop_ms,
        )

    async def close(self) -> None:
        """Let every viewer and output go; what waits to be written is written."""
        await asyncio.gather(self.viewers.close(), self.outputs.close())
        self._encoder.close()
        self._cutters.clear()
        if self._lineage:
            self._lineage.close()
