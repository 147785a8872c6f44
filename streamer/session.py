"""One broadcast: the only file that knows the order of the stages.

    ingest → voice window → planning (blueprint → keyframes) → rendering (sub-clips, by the render pool) → on air

`run()` owns its tasks in one TaskGroup; when it returns, nothing of the broadcast is left.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from engines.avatar_library import AvatarError
from streamer import logs, protocol, reports, subclips
from streamer.attendance import Attendance
from streamer.avatar_switch import AvatarSwitch
from streamer.clock import Clock
from streamer.config import BroadcastSettings, ServerSettings
from streamer.control import Answer, ControlRoom, Role
from streamer.desk import Desk, Refused
from streamer.director import EmbeddedDirector
from streamer.director_service import DirectorService
from streamer.directors.model_director import ModelDirector
from streamer.features import VoiceWindow
from streamer.ingest import Ingest
from streamer.listener import Listener
from streamer.media import Picture, Sound
from streamer.metrics import Arrivals
from streamer.on_air import OnAir
from streamer.outputs.board import OutputRefused
from streamer.peer import Peer
from streamer.plan import Keyframe, Look, Pts, Storyline, SubClipJob, pts_from_s, s_from_pts, ticks_per_frame
from streamer.planning import Planning
from streamer.previews import Previews
from streamer.protocol import Accepted, ErrorMessage, State
from streamer.render_pool import RenderPool
from streamer.render_share import RenderShare
from streamer.rendering import Rendering
from streamer.scribe import Scribe, SpeechToText
from streamer.speech import voice_of
from streamer.stage import Stage
from streamer.teleprompter import Teleprompter
from streamer.voice_over import Line, VoiceOver
from streamer.webrtc import OfferError
from streamer.worker_process import RenderFailed, WorkerLost

log = logging.getLogger(__name__)

_AT_LEAST = 0.5  # of what sub-clips take at present: the next one may be quicker


class Session:
    """One broadcast. Made, then run(); commands and peers may come at any time until it has ended."""

    def __init__(
        self,
        broadcast: str,
        folder_of: Callable[[str], Path],
        settings: BroadcastSettings,
        server: ServerSettings,
        pool: RenderPool,
        clock: Clock,
        director: ModelDirector | None = None,
        recogniser: SpeechToText | None = None,
    ) -> None:
        """folder_of: where an avatar lies, by name; raises AvatarError for one that is not there. director: a model's."""
        self.broadcast = broadcast
        self.settings = settings
        self.state: State = "connecting"
        self.end_reason = ""
        self._server = server
        self._clock = clock
        self._frame = ticks_per_frame(settings.fps)
        self._segment = pts_from_s(settings.segment_s)

        self.voice_over = VoiceOver()
        self.ingest = Ingest(clock, over=self._said_over)
        self.voice = VoiceWindow()
        self.desk = Desk(EmbeddedDirector(), self._tell_storyline)
        self._seed = secrets.randbits(31)
        self._news = asyncio.Event()  # voice, a blueprint, or room for a sub-clip
        self.share = RenderShare(pool, Look(folder_of(settings.avatar), settings.width, settings.height, settings.background))
        self.control = ControlRoom(self.command)
        self.on_air = OnAir(broadcast, settings, server, clock, self._note_aired, self.control.tell)
        self.avatar = AvatarSwitch(self.share, settings.avatar, self._tell_status)
        self.previews = Previews(self.share, self.control, self.avatar, near=Pts(self._segment // 2))
        self.planning = Planning(
            self.share, self.voice, clock, settings.fps, self._segment, self._seed,
            changed=self._news.set, planned=self.previews.plan, lost=self._lose,
        )  # fmt: skip
        self.rendering = Rendering(
            self.share, self.on_air, self.voice, clock, settings.fps, self._segment, changed=self._news.set, lost=self._lose
        )

        self._anchor = subclips.first_anchor(Pts(0), self._segment, settings.fps)  # the last committed: all later may change
        self._over = asyncio.Event()
        self._arrivals = Arrivals()

        # What hosts have switched on.
        self._folder_of = folder_of
        self._muted = False

        self.listener = Listener(self.desk, self.voice, self._revisable, lambda: self.share.look.avatar)
        stage = self._stage(has_scribe=recogniser is not None)
        self.directing = DirectorService(director, stage, server.director) if director else None
        self.scribe = Scribe(recogniser, self.voice, stage.note_written) if recogniser else None
        self.teleprompter = Teleprompter(
            voice_of(server.speech), self.voice_over, tell=self._tell_everybody, heard=self._note_words
        )
        self.agents = 0  # connections that push sound
        self.attendance = Attendance(broadcast, self.ingest, server, clock, self._is_attended)

    @property
    def storyline(self) -> Storyline:
        """What the avatar is to do, as it stands now."""
        return self.desk.line

    # -- the pipeline ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until it is ended, by anybody. Never raises; what went wrong is told to the host and logged."""
        logs.about(self.broadcast)
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self._hear(), name=f"{self.broadcast}-hear"),
                    tasks.create_task(self._render(), name=f"{self.broadcast}-render"),
                    tasks.create_task(self.on_air.run(), name=f"{self.broadcast}-play"),
                    tasks.create_task(self._report(), name=f"{self.broadcast}-report"),
                    tasks.create_task(self.previews.run(self._position), name=f"{self.broadcast}-preview"),
                    tasks.create_task(self.listener.run(), name=f"{self.broadcast}-listen"),
                    tasks.create_task(self.teleprompter.run(), name=f"{self.broadcast}-say"),
                ]
                if self.directing:
                    running.append(tasks.create_task(self.directing.run(), name=f"{self.broadcast}-direct"))
                if self.scribe:
                    running.append(tasks.create_task(self._write_down(self.scribe), name=f"{self.broadcast}-write"))
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
            self.on_air.push_voice(chunk.sound)
            self._arrivals.note(self.voice.end, self._clock.now_s())
            self._news.set()

    def _said_over(self, pts: Pts, sound: Sound) -> Sound:
        """What is heard at `pts`: the line that is being said, else the microphone. Mute is for the microphone alone. What is
        to be said waits while the avatar rests, and until it is on air: the first words would be lost."""
        if self.desk.is_at_rest:
            return np.zeros_like(sound)
        microphone = np.zeros_like(sound) if self._muted else sound
        return microphone if self.on_air.position is None else self.voice_over.over(pts, microphone)

    async def _write_down(self, scribe: Scribe) -> None:
        await scribe.run()
        text = f"what you say is not written down any more, and no cue word is heard: {scribe.problem}"
        self.control.tell(ErrorMessage(code="no_transcript", message=text))

    async def _render(self) -> None:
        """One sub-clip after the other, each as soon as its voice is in and it can be joined to the one before."""
        try:
            self.on_air.rest(await self.share.open())
        except (RenderFailed, WorkerLost) as error:
            return self.end(f"the avatar could not be opened: {error}")
        self._plan_ahead()
        while not self.voice.end:
            await self._wait_for_news()
        self._anchor = subclips.first_anchor(self.voice.end, self._segment, self.settings.fps)
        for job_id in itertools.count(1):
            last = self._worth_drawing(await self._next_anchor(), is_first=job_id == 1)
            job = self._cut(job_id, last)
            self._anchor = last
            self.avatar.at_cut(job.start)
            self.rendering.begin(job, self._arrivals.flight(job, self._clock.now_s()))

    async def _next_anchor(self) -> Keyframe:
        """The anchor after the last committed one, out of the newest blueprint, once the sub-clip up to it can be begun."""
        while True:
            self._plan_ahead()
            if self.rendering.may_begin() and (last := self._due_after(self._anchor)):
                return last
            await self._wait_for_news()

    def _worth_drawing(self, last: Keyframe, is_first: bool) -> Keyframe:
        """`last`, or the first anchor after it with which something of a sub-clip can still be in time, if that is due already.

        What was said while the first blueprint was drawn is left out: a broadcast that begins would carry it as delay.
        """
        in_time = self._position() + pts_from_s(_AT_LEAST * self.rendering.takes_s)
        while (is_first or last.pts < in_time) and (later := self._due_after(last)):
            if not is_first:
                self.rendering.skip(s_from_pts(Pts(last.pts - self._anchor.pts)), s_from_pts(Pts(in_time - last.pts)))
            self._anchor, last = last, later
        return last

    def _due_after(self, anchor: Keyframe) -> Keyframe | None:
        """The anchor after this one, if all of the voice up to it is in."""
        later = self.planning.next_anchor(anchor, self.rendering.segment)
        return later if later and subclips.is_due(later, self.voice, self.settings.fps) else None

    def _cut(self, job_id: int, last: Keyframe) -> SubClipJob:
        history, overlap = self.rendering.before() or (None, None)
        approach = 0 if self.rendering.is_apart else subclips.approach_frames(self.settings.fps)
        return subclips.cut(
            job_id, self.share.epoch, self.storyline, self._anchor, last, self.voice, self.settings.fps,
            seed=self._seed, history=history, overlap=overlap, approach=approach,
        )  # fmt: skip

    def _plan_ahead(self) -> None:
        self.planning.roll(self.storyline, self._anchor, self.rendering.effort.level)

    def _lose(self, what: str, error: Exception) -> None:
        log.error("broadcast %s: %s is lost: %s", self.broadcast, what, error)
        text = f"{what} could not be drawn, the picture is held meanwhile: {error}"
        self.control.tell(ErrorMessage(code="worker_lost", message=text))

    async def _wait_for_news(self) -> None:
        self._news.clear()
        await self._news.wait()

    # -- the host -------------------------------------------------------------------------------------------------------

    async def host(self, offer: str) -> tuple[Peer, str]:
        """A host's connection and the answer to its offer. Raises OfferError: 409 while another host is heard."""
        if self.state == "ended":
            raise OfferError(f"this broadcast is over: {self.end_reason}", 404)
        return await self.attendance.host(offer)

    def peer(self, peer_id: str) -> Peer | None:
        """The host's or a viewer's."""
        return self.attendance.peer(peer_id) or self.on_air.viewers.get(peer_id)

    def speak_without_host(self) -> None:
        """From now on nobody needs to send a microphone: whoever types or pushes sound is the host."""
        self.attendance.begin_without_host()

    def _is_attended(self) -> bool:
        """Whether somebody who may type or push is there, or something is still to be said."""
        return bool(self.control.has_hosts or self.agents or len(self.voice_over) or len(self.teleprompter))

    def _follow_host(self) -> None:
        if (follows := self.attendance.verdict(self.state)) is None:
            return
        state, reason = follows
        if state == "ended":
            self.end(reason)
        else:
            self._enter(state, reason)

    def _enter(self, state: State, reason: str) -> None:
        if self.state == "ended":
            return
        log.info("broadcast %s is %s: %s", self.broadcast, state, reason)
        self.state = state
        self.control.tell(protocol.StateMessage(state=state, reason=reason), hosts_only=False)

    # -- commands -------------------------------------------------------------------------------------------------------

    def command(self, message: protocol.Command) -> Answer:
        """A host's command; the answer to it. A change to the storyline begins after the last committed anchor."""
        self.desk.forget_before(self._position())
        at = self._revisable()
        try:
            match message:
                case protocol.End():
                    self.end("the host ended it")
                    return None
                case protocol.Mute(on=on):
                    return self._mute(message, on)
                case protocol.Idle(on=on):
                    return self._rest(message, on, at)
                case protocol.Say():
                    return self._say(message)
                case protocol.Interrupt():
                    return self._interrupt(message)
                case protocol.SwitchAvatar():
                    return self._open_avatar(message)
                case protocol.StartOutput() | protocol.StopOutput():
                    return self._accept(message, self._position(), self.on_air.outputs.take(message))
                case protocol.Prompt() if self.directing:
                    return self.directing.direct(message)
                case _:
                    done = self.desk.take(message, at)
                    if self.directing:
                        self.directing.note(message)
        except (Refused, OutputRefused) as refused:
            return refused.answer(message)
        return self._accept(message, done.at, *done.understood, undrawn=done.undrawn, cues=done.cues)

    def _position(self) -> Pts:
        """What goes on air next; 0 before the first clip."""
        return self.on_air.position or Pts(0)

    def _revisable(self) -> Pts:
        """The first frame that is not committed yet."""
        return Pts(self._anchor.pts + self._frame)

    def _accept(
        self, message: protocol.Command, at: Pts, *understood: str, undrawn: tuple[str, ...] = (), cues: tuple[str, ...] = ()
    ) -> Accepted:
        hears = (self.scribe and not self.scribe.problem) or (self.directing and self.directing.can_hear)
        note = "" if hears else reports.unheard(cues, self.scribe.problem if self.scribe else "")
        return reports.accepted(message, self.storyline, at, self._position(), understood, undrawn, cues, note)

    def _tell_storyline(self) -> None:
        self._plan_ahead()
        self.control.tell(self.desk.report())

    def _mute(self, message: protocol.Mute, on: bool) -> BaseModel:
        """What was said before and is not on air yet is not heard either; the plan stays."""
        self._muted, at = on, self._revisable() if on else self.voice.end
        if on and not self.voice_over.is_in_flight:
            at = self._cut_short()
        self._tell_status()
        return self._accept(message, at, "muted" if on else "heard")

    def _rest(self, message: protocol.Idle, on: bool, at: Pts) -> BaseModel:
        self.desk.rest(on, at)
        if self.directing:
            self.directing.note(message)
        self._tell_status()
        return self._accept(message, at, "idle" if on else "back")

    def _interrupt(self, message: protocol.Interrupt) -> BaseModel:
        """Stop: all that was to be said, and all that was to be done."""
        self.teleprompter.clear()
        self.voice_over.cut(self._position())
        stops = self._drop_unaired()
        self.desk.stop(self._revisable())
        if self.directing:
            self.directing.note(message)
        return self._accept(message, stops, "interrupt")

    def silence(self, line: Line) -> None:
        """One line is said no further, and nothing of it that is not on air yet ever is."""
        was_in_flight = line.is_in_flight
        self.voice_over.cut(self._position(), line)
        if was_in_flight:
            self._drop_unaired()

    def _say(self, message: protocol.Say) -> BaseModel:
        count = self.teleprompter.say(message)
        self.speak_without_host()
        at = Pts(self.voice.end + pts_from_s(self.voice_over.buffered_s))
        return self._accept(message, at, f"says {count} sentence{'s' if count > 1 else ''}")

    def _note_words(self, words: str) -> None:
        """A sentence reaches the media clock: cues among its words ring."""
        try:
            self.desk.say(words, self._revisable())
        except Refused as refused:
            log.warning("a cue was said and not carried out: %s", refused)

    def _drop_unaired(self) -> Pts:
        """What is planned and not on air yet is planned anew; from where on nothing of before is seen."""
        stops = self._cut_short()
        self.planning.stay_at(self._anchor)
        return stops

    def _cut_short(self) -> Pts:
        """Nothing said so far is heard any more, nor seen from the moment that is given back; a new epoch goes on then."""
        position, stops = self.on_air.position, self._revisable()
        self.share.supersede(self.share.epoch + 1)
        if position is not None:
            if cut := self.rendering.cut_short(position):
                self._anchor, stops = cut
            self.voice.silence(position)
            self.on_air.interrupt(stops)
        self._news.set()
        return stops

    # -- another avatar -------------------------------------------------------------------------------------------------

    def _open_avatar(self, message: protocol.SwitchAvatar) -> Answer:
        try:
            folder = self._folder_of(message.avatar)
        except AvatarError as error:
            return ErrorMessage(id=message.id, code="unknown_avatar", path="avatar.avatar", message=str(error))
        return self.avatar.change(message, folder, self._show_still, self._accept_avatar)

    def _accept_avatar(self, message: protocol.SwitchAvatar, at: Pts) -> BaseModel:
        self.previews.forget()
        return self._accept(message, at, message.avatar)

    def _show_still(self, still: Picture) -> None:
        """Another avatar stands by. Where nobody is heard yet there is no segment to wait for."""
        if self.voice.end == 0:
            self.on_air.rest(still)
            self.avatar.at_cut(Pts(0))

    def welcome(self, role: Role) -> list[BaseModel]:
        """What a new control connection is told first."""
        told: list[BaseModel] = [reports.hello(self.broadcast, role, self.state, self.avatar.on_air, self.settings)]
        if role != "viewer":
            told += [self.desk.report(), self.status(), self.on_air.outputs.message(), *self.previews.latest]
            told += [self.directing.report()] if self.directing else []
        return told

    # -- reports --------------------------------------------------------------------------------------------------------

    def horizon(self) -> protocol.Horizon:
        """How far each stage has come."""
        return reports.horizon(self.on_air.position, self.voice.end, self._revisable(), self.planning.end(), self.storyline)

    def status(self) -> protocol.Status:
        """What is switched on."""
        return protocol.Status(
            avatar=self.avatar.on_air, opening=self.avatar.opening, muted=self._muted, idle=self.desk.is_at_rest
        )

    def _tell_status(self) -> None:
        self.control.tell(self.status())

    def _tell_everybody(self, message: BaseModel) -> None:
        self.control.tell(message, hosts_only=isinstance(message, ErrorMessage))

    def _note_aired(self, job: SubClipJob) -> None:
        self.control.tell(reports.aired(job))

    def metrics(self) -> protocol.Metrics:
        return self.on_air.metrics(self.share.restarts, self.rendering.effort.level.name)

    def queues(self) -> dict[str, float]:
        """What waits where, each as it is counted."""
        return {
            "voice_packets": self.ingest.backlog,
            "sentences": len(self.teleprompter),
            "lines_seconds": self.voice_over.buffered_s,
            "voice_seconds": s_from_pts(self.voice.end - self._position()),
            "pictures_seconds": s_from_pts(self._revisable() - self._position()),
            "blueprints": self.planning.num_drawing,
            "controllers": len(self.control),
            "agents": self.agents,
        }

    async def _report(self) -> None:
        for turn in itertools.count():
            await asyncio.sleep(0.1)
            self._follow_host()
            self.voice_over.note_aired(self._position())
            if len(self.control):
                level = protocol.Level(db=round(self.voice.level_db(), 1), speaking=self.listener.is_speaking())
                self.control.tell(level)
                if turn % 2 == 0:
                    self.control.tell(self.horizon())
                if turn % 10 == 0:
                    self.control.tell(self.metrics())

    def _stage(self, *, has_scribe: bool) -> Stage:
        """What a director that takes its time sees of this broadcast."""
        return Stage(
            self.desk,
            self.voice,
            revisable=self._revisable,
            accept=lambda prompt, done: self._accept(prompt, done.at, *done.understood, undrawn=done.undrawn, cues=done.cues),
            folder=lambda: self._folder_of(self.avatar.on_air),
            tell=self.control.tell,
            has_scribe=has_scribe,
        )

    async def _release(self) -> None:
        await self.planning.close()
        await self.rendering.close()
        if self.directing:
            await self.directing.close()
        self.voice_over.cut(self._position())
        await self.teleprompter.close()
        await self.avatar.close()
        self.control.close()
        await self.attendance.close()
        self.share.close()
        await self.on_air.close()
