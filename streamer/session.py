"""One broadcast: the only file that knows the order of the stages.

    ingest → voice window → (blueprint → keyframes → sub-clip jobs) → render pool → playout → encoder → viewers

`run()` owns its tasks in one TaskGroup; when it returns, nothing of the broadcast is left.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from engines.motion import ANCHOR_MASK, Motion, rest
from streamer import director, keyframes, protocol, subclips, webrtc
from streamer.blueprint import BlueprintRoller
from streamer.clock import Clock
from streamer.config import BroadcastSettings, ServerSettings
from streamer.control import ControlRoom
from streamer.encoder import Encoded, Encoder
from streamer.features import VoiceWindow
from streamer.grammar import Directive
from streamer.host import Host
from streamer.ingest import Ingest
from streamer.lineage import LineageWriter, line
from streamer.media import blank
from streamer.metrics import Arrivals, DelayMeter, Flight, RateMeter, Sample
from streamer.outputs.whep import Viewers
from streamer.peer import Peer
from streamer.plan import BlueprintJob, Keyframe, Pts, Storyline, SubClip, SubClipJob, pts_from_s, s_from_pts, ticks_per_frame
from streamer.playout import Playout, Turn
from streamer.protocol import Accepted, ErrorMessage, State
from streamer.render_pool import RenderFailed, RenderPool, Superseded, WorkerLost, WorkerSource
from streamer.webrtc import OfferError

log = logging.getLogger(__name__)

_LOST_S = 2.0  # without a packet for so long, the host is taken for lost


class Session:
    """One broadcast. Made, then run(); commands and peers may come at any time until it has ended."""

    def __init__(
        self,
        broadcast: str,
        avatar_folder: Path,
        settings: BroadcastSettings,
        server: ServerSettings,
        workers: WorkerSource,
        clock: Clock,
    ) -> None:
        self.broadcast = broadcast
        self.settings = settings
        self.state: State = "connecting"
        self.end_reason = ""
        self._server = server
        self._clock = clock
        self._frame = ticks_per_frame(settings.fps)
        self._segment = pts_from_s(settings.segment_s)

        self.ingest = Ingest(clock)
        self.voice = VoiceWindow()
        self.director = director.EmbeddedDirector()
        self.storyline = director.opening()
        self.blueprints = BlueprintRoller()
        self.pool = RenderPool(
            workers,
            avatar_folder,
            (settings.width, settings.height),
            threads=server.worker_threads,
            max_frames=round(1.3 * settings.segment_s * settings.fps) + 2,
        )
        self.playout = Playout(settings.fps, blank(settings.width, settings.height))
        self.encoder = Encoder(settings.width, settings.height, settings.fps)
        self.viewers = Viewers(
            settings.fps, webrtc.WallTicks(), self.encoder.want_intra, server.max_viewers, server.ice_servers
        )
        self.control = ControlRoom(self.command)
        self.lineage = LineageWriter(server.lineage_root / f"{broadcast}.jsonl") if server.lineage_root else None

        # What is committed: anchors up to `_landing` are taken, the rest may still change.
        self._anchor = self._landing = Keyframe(Pts(-self._frame), rest(), ANCHOR_MASK)
        self._history: Motion | None = None
        self._drawing: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self._over = asyncio.Event()
        self._host: Host | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._started_s = clock.now_s()

        self._arrivals = Arrivals()
        self._flights: deque[tuple[Flight, SubClip, int]] = deque(maxlen=64)
        self._sending: Flight | None = None
        self.delay = DelayMeter()
        self.turns = RateMeter()
        self.bits = RateMeter()
        self.skipped_slots = 0
        self.skipped_clips = 0
        self.render_ms_per_frame: float | None = None

    # -- the pipeline ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until it is ended, by anybody. Never raises; what went wrong is told to the host and logged."""
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self._hear(), name=f"{self.broadcast}-hear"),
                    tasks.create_task(self._render(), name=f"{self.broadcast}-render"),
                    tasks.create_task(self._play(), name=f"{self.broadcast}-play"),
                    tasks.create_task(self._report(), name=f"{self.broadcast}-report"),
                ]
                await self._over.wait()
                for task in running:
                    task.cancel()
        except* Exception as errors:
            log.exception("broadcast %s failed", self.broadcast)
            self.end(f"the server failed: {errors.exceptions[0]}")
        finally:
            self.end("the server stopped")
            await self._release()

    def end(self, reason: str) -> None:
        """Over, for everybody. The first reason counts."""
        if self._over.is_set():
            return
        self._over.set()
        self.end_reason = reason
        self._enter("ended", reason)

    async def _hear(self) -> None:
        async for chunk in self.ingest:
            self.voice.push(chunk.voice)
            self.playout.push_voice(chunk.sound)
            self._arrivals.note(self.voice.end, self._clock.now_s())
            self._heard.set()

    async def _render(self) -> None:
        """Sub-clips in a chain: each begins where the last one really ended, and lands on its own anchor."""
        try:
            self.playout.rest(await self.pool.open())
        except (RenderFailed, WorkerLost) as error:
            return self.end(f"the avatar could not be opened: {error}")
        await self._until(lambda: self.voice.end > 0)
        self._anchor = self._landing = self._first_anchor()
        for job_id in itertools.count(1):
            self._landing = await self._next_anchor()
            self._plan_ahead()
            await self._until(lambda: subclips.is_due(self._landing, self.voice, self.settings.fps))
            if self._is_past(self._landing):
                self.skipped_clips += 1
                self._history = None
            else:
                await self._render_clip(job_id)
            self._anchor = self._landing

    def _first_anchor(self) -> Keyframe:
        """The picture itself, just before the newest voice that makes a whole clip: what was said before is not caught up."""
        newest = self.voice.end - self._segment - subclips.RIGHT_CONTEXT
        return Keyframe(Pts((max(0, newest) // self._frame - 1) * self._frame), rest(), ANCHOR_MASK)

    async def _render_clip(self, job_id: int) -> None:
        job = self._cut(job_id)
        now_s = self._clock.now_s()
        flight = Flight(job_id, job.start, self._arrivals.when(job.start) or now_s, now_s)
        try:
            clip = await self.pool.render(job)
        except Superseded:
            self._history = None
        except (WorkerLost, RenderFailed) as error:
            self._history = None
            log.error("broadcast %s: sub-clip %d is lost: %s", self.broadcast, job_id, error)
            self.control.tell(ErrorMessage(code="worker_lost", message=f"a render worker failed and is replaced ({error})"))
        else:
            self._history = clip.motion
            flight.rendered_s = self._clock.now_s()
            late = self.playout.push_clip(job_id, job.start, list(clip.frames))
            self._flights.append((flight, clip, late))
            self.render_ms_per_frame = (clip.motion_ms + clip.decode_ms) / job.num_frames

    def _cut(self, job_id: int) -> SubClipJob:
        position = self.playout.position
        return subclips.cut(
            job_id,
            self.pool.epoch,
            self.storyline,
            self._anchor,
            self._landing,
            self.voice,
            self.settings.fps,
            deadline=Pts(self._anchor.pts + self._frame) if position is None else position,
            seed=0,
            history=self._history,
        )

    async def _next_anchor(self) -> Keyframe:
        """The anchor after the last one, out of the newest blueprint."""
        while True:
            self._plan_ahead()
            while self._drawing and not self._drawing.done():
                await asyncio.wait((self._drawing,))
            if self.blueprints.current and (
                chosen := keyframes.choose(self.blueprints.current, self._anchor, self._segment, self.settings.fps)
            ):
                return chosen
            self.blueprints.abandon()
            await asyncio.sleep(0.02)

    def _plan_ahead(self) -> None:
        """Ask for a new blueprint window where one is due: from the first anchor that is committed but not yet left."""
        start = Pts(self._landing.pts - subclips.LEFT_CONTEXT)
        job = self.blueprints.next_job(
            self.storyline, self._landing, self.pool.epoch, self.voice.read(start, self.voice.end), start, seed=0
        )
        if job:
            self._drawing = asyncio.create_task(self._draw_blueprint(job), name=f"{self.broadcast}-blueprint")

    async def _draw_blueprint(self, job: BlueprintJob) -> None:
        try:
            self.blueprints.accept(await self.pool.blueprint(job))
        except (WorkerLost, RenderFailed, Superseded) as error:
            log.warning("broadcast %s: a blueprint is lost: %s", self.broadcast, error)
            self.blueprints.abandon()

    def _is_past(self, landing: Keyframe) -> bool:
        """Whether all of the clip that lands there would come too late."""
        return self.playout.position is not None and landing.pts < self.playout.position

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._heard.clear()
            await self._heard.wait()

    async def _play(self) -> None:
        """One turn every 1/fps. Woken late, it skips the pictures of the slots that have passed, never their sound."""
        frame_s = 1 / self.settings.fps
        start_s = self._clock.now_s()
        for slot in itertools.count():
            now_s = self._clock.now_s()
            due_s = start_s + slot * frame_s
            if now_s < due_s:
                await asyncio.sleep(due_s - now_s)
            is_passed = self._clock.now_s() > due_s + frame_s
            self.skipped_slots += is_passed
            turn = self.playout.turn()
            self._note_aired(turn)
            if len(self.viewers):
                self._send(await self.encoder.encode(None if is_passed else turn.picture, turn.sound, turn.tick))

    def _send(self, encoded: Encoded) -> None:
        """To everybody; this turn's sound packets spread over the turn."""
        self.viewers.put(Encoded(encoded.video, encoded.audio[:1]))
        loop = asyncio.get_running_loop()
        for i, packet in enumerate(encoded.audio[1:], 1):
            loop.call_later(i / len(encoded.audio) / self.settings.fps, self.viewers.put, Encoded([], [packet]))
        now_s = self._clock.now_s()
        self.bits.note(8 * sum(map(len, encoded.payloads())), now_s)
        if self._sending:
            self._sending.sent_s = now_s
            self.delay.note(self._sending)
            self._sending = None

    def _note_aired(self, turn: Turn) -> None:
        now_s = self._clock.now_s()
        self.turns.note(1, now_s)
        if turn.first_of is None:
            return
        while self._flights:
            flight, clip, late = self._flights.popleft()
            flight.aired_s = flight.sent_s = now_s
            if self.lineage:
                self.lineage.put(line(clip, flight, late))
            if flight.job_id == turn.first_of:
                self._sending = flight if not late else None
                return

    # -- the host -------------------------------------------------------------------------------------------------------

    async def host(self, offer: str) -> tuple[Peer, str]:
        """A host's connection and the answer to its offer. Raises OfferError: 409 while another host is heard."""
        if self.state == "ended":
            raise OfferError(f"this broadcast is over: {self.end_reason}", 404)
        if self._host and self.ingest.silent_for_s() < _LOST_S:
            raise OfferError("this broadcast has a host already; end it first, or make another broadcast", 409)
        host = Host(self.ingest.attach, lambda: self._lose_host(host), self._server.ice_servers)
        answer = await host.answer(offer)
        previous, self._host = self._host, host
        if previous:
            await previous.close()
        return host.peer, answer

    def peer(self, peer_id: str) -> Peer | None:
        """The host's or a viewer's."""
        if self._host and self._host.peer.id == peer_id:
            return self._host.peer
        return self.viewers.get(peer_id)

    def _lose_host(self, host: Host) -> None:
        """It closed without a word, or its network did: the avatar idles until it comes back, or for `resume_s`."""
        if self._host is host:
            self._host = None
            self.ingest.detach()
            task = asyncio.get_running_loop().create_task(host.close(), name=f"{self.broadcast}-host-leaves")
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    def _watch_host(self) -> None:
        silent_s = self.ingest.silent_for_s()
        if self.state == "connecting" and self._clock.now_s() - self._started_s > self._server.connect_timeout_s:
            if silent_s == float("inf"):
                self.end(f"no host came within {self._server.connect_timeout_s:.0f} s")
        elif self.state != "live" and silent_s < _LOST_S:
            self._enter("live", "the host is heard")
        elif self.state == "live" and silent_s >= _LOST_S:
            self._enter("idle", "the host's connection is lost; waiting for it to come back")
        elif self.state == "idle" and silent_s > self._server.resume_s:
            self.end(f"the host did not come back within {self._server.resume_s:.0f} s")

    def _enter(self, state: State, reason: str) -> None:
        log.info("broadcast %s is %s: %s", self.broadcast, state, reason)
        self.state = state
        self.control.tell(protocol.StateMessage(state=state, reason=reason), hosts_only=False)

    # -- commands and reports -------------------------------------------------------------------------------------------

    def command(self, message: protocol.Command) -> BaseModel | None:
        """A host's command; the answer to it. A change to the storyline begins after the last committed anchor."""
        if isinstance(message, protocol.End):
            self.end("the host ended it")
            return None
        on_air = Pts(self._landing.pts + self._frame)
        storyline = self.storyline.forget_before(self.playout.position or Pts(0))
        changed, understood = self._direct(message, storyline, on_air)
        if not understood:
            hint = "name an emotion, an action or a camera move, such as `very happy, nods, slow zoom in`"
            return ErrorMessage(id=message.id, code="not_understood", message=f"nothing in this was understood: {hint}")
        self.storyline = changed
        self._plan_ahead()
        self.control.tell(self.storyline_message())
        in_s = s_from_pts(on_air - (self.playout.position or Pts(0)))
        return Accepted(
            id=message.id,
            version=changed.version,
            on_air_pts=on_air,
            on_air_in_s=round(max(0.0, in_s), 3),
            understood=tuple(map(str, understood)),
        )

    def _direct(
        self, message: protocol.Direction, storyline: Storyline, on_air: Pts
    ) -> tuple[Storyline, tuple[Directive, ...]]:
        match message:
            case protocol.Prompt():
                return self.director.plan(message.text, storyline, on_air)
            case protocol.SetEmotion():
                said, length_s = Directive("emotion", message.emotion, message.intensity), None
            case protocol.DoAction():
                said, length_s = Directive("action", message.action, 0.5), director.ACTION_S[message.action]
            case protocol.MoveCamera():
                said, length_s = Directive("camera", message.move, message.speed), director.CAMERA_S
        until = None if length_s is None else Pts(on_air + pts_from_s(length_s))
        changed = director.direct(storyline, said, on_air, until)
        return replace(changed, version=storyline.version + 1), (said,)

    def hello(self, role: str) -> protocol.Hello:
        """What a new control connection is told first."""
        return protocol.Hello(
            broadcast=self.broadcast,
            role="viewer" if role == "viewer" else "host",
            state=self.state,
            avatar=self.settings.avatar,
            width=self.settings.width,
            height=self.settings.height,
            fps=self.settings.fps,
        )

    def storyline_message(self) -> protocol.StorylineMessage:
        beats = tuple(
            protocol.BeatLine(
                start_s=s_from_pts(beat.start),
                end_s=None if beat.end is None else s_from_pts(beat.end),
                emotion=beat.emotion,
                intensity=beat.intensity,
                action=beat.action,
                camera=beat.camera,
                source=beat.source,
                text=beat.text,
            )
            for beat in self.storyline.beats
        )
        return protocol.StorylineMessage(version=self.storyline.version, beats=beats)

    def horizon(self) -> protocol.Horizon:
        aired = max(0.0, s_from_pts(self.playout.position or 0))
        committed = max(aired, s_from_pts(self._landing.pts + self._frame))
        planned = max(committed, s_from_pts(self.blueprints.end()))
        last = self.storyline.beats[-1]
        intended = max(planned, s_from_pts(last.end or last.start))
        return protocol.Horizon(
            aired_s=round(aired, 3),
            heard_s=round(s_from_pts(self.voice.end), 3),
            committed_s=round(committed, 3),
            planned_s=round(planned, 3),
            intended_s=round(intended, 3),
        )

    def metrics(self) -> protocol.Metrics:
        now_s, counts = self._clock.now_s(), self.playout.counts
        return protocol.Metrics(
            delay_ms=self.delay.delay(),
            fps=self.turns.rate(now_s),
            frames=counts.aired,
            holds={**{str(reason): n for reason, n in counts.holds.items()}, "skipped_slot": self.skipped_slots},
            late_frames=counts.late_frames,
            viewers=len(self.viewers),
            render_ms_per_frame=None if self.render_ms_per_frame is None else round(self.render_ms_per_frame, 2),
            bitrate_bps=round(self.bits.rate(now_s)),
            worker_restarts=self.pool.restarts,
        )

    def samples(self) -> list[Sample]:
        """What Prometheus reads of this broadcast."""
        labels, counts, delay = {"broadcast": self.broadcast}, self.playout.counts, self.delay.delay()
        holds = [
            Sample("rostrum_holds_total", "counter", "Frames repeated, by reason.", n, {**labels, "reason": reason})
            for reason, n in counts.holds.items()
        ]
        parts = (
            []
            if delay is None
            else [
                Sample("rostrum_delay_ms", "gauge", "Mic to viewer, by part.", ms, {**labels, "part": part})
                for part, ms in delay.model_dump().items()
            ]
        )
        return [
            Sample(
                "rostrum_fps", "gauge", "Frames put on air in the last second.", self.turns.rate(self._clock.now_s()), labels
            ),
            Sample("rostrum_frames_total", "counter", "Frames aired.", counts.aired, labels),
            Sample("rostrum_late_frames_total", "counter", "Frames dropped for lateness.", counts.late_frames, labels),
            Sample("rostrum_viewers", "gauge", "Viewers connected.", len(self.viewers), labels),
            Sample("rostrum_worker_restarts_total", "counter", "Render workers replaced.", self.pool.restarts, labels),
            *holds,
            *parts,
        ]

    async def _report(self) -> None:
        for turn in itertools.count():
            await asyncio.sleep(0.1)
            self._watch_host()
            if len(self.control):
                level = protocol.Level(db=round(self.voice.level_db(), 1), speaking=self.voice.speaking())
                self.control.tell(level)
                if turn % 2 == 0:
                    self.control.tell(self.horizon())
                if turn % 10 == 0:
                    self.control.tell(self.metrics())

    async def _release(self) -> None:
        if self._drawing:
            self._drawing.cancel()
        self.ingest.detach()
        self.control.close()
        if self._host:
            await self._host.close()
        await asyncio.gather(self.viewers.close(), self.pool.close(), *self._leaving)
        self.encoder.close()
        if self.lineage:
            self.lineage.close()
