"""A whole broadcast over real WebRTC on this machine, with a stand-in worker whose pictures can be read back."""

import asyncio
import json
import statistics
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from aiortc import VideoStreamTrack

from tests.fakes.listener import Listener, make_broadcast
from tests.fakes.peers import FakeHost, FakeViewer, ToneTrack, bar_place, lamp_is_lit, running_server


async def _until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110, nothing tells
            await asyncio.sleep(0.02)


def _moves(viewer: FakeViewer) -> bool:
    return bool(viewer.frames) and bar_place(viewer.frames[-1][2]) is not None


def _onsets(times: list[tuple[float, bool]]) -> list[float]:
    return [at for (_, before), (at, now) in pairwise(times) if now and not before]


async def test_the_voice_is_seen_and_heard_together_and_every_frame_once(tmp_path: Path) -> None:
    async with running_server(tmp_path, lineage_root=tmp_path / "lineage") as running:
        made = await make_broadcast(running)
        viewer, host = FakeViewer(), FakeHost()
        assert (await viewer.watch(running.http, made["whep_url"])).status_code == 201
        await viewer.until(lambda: bool(viewer.frames))
        assert bar_place(viewer.frames[-1][2]) is None  # at rest until the host speaks
        await host.go_live(running.http, made["whip_url"])
        await viewer.until(lambda: _moves(viewer))
        began = len(viewer.frames)
        await viewer.until(lambda: len(viewer.frames) > began + 80)

        places = [bar_place(frame) for _, _, frame in viewer.frames[began:]]
        steps = [(b - a) % 25 for a, b in pairwise(places) if a is not None and b is not None]
        assert steps.count(1) > 0.8 * len(steps)
        lit = _onsets([(media_s, lamp_is_lit(frame)) for _, media_s, frame in viewer.frames[began:]])
        loud = _onsets([(media_s, peak > 4000) for _, media_s, peak in viewer.sounds])
        skews = [min((sound_s - light_s for sound_s in loud), key=abs) for light_s in lit]
        assert skews
        # Track times begin at each track's first packet; both begin with the same turn.
        assert abs(statistics.median(skews)) <= 0.06
        await running.http.delete(host.location)
        await host.close()
        await viewer.close()
    lines = [json.loads(line) for line in next((tmp_path / "lineage").iterdir()).read_text().splitlines()]
    assert [line["start_s"] for line in lines[1:]] == [line["end_s"] for line in lines[:-1]]
    assert all(line["chained"] for line in lines[1:])


async def test_a_newcomer_sees_a_picture_in_the_middle_of_a_broadcast(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made = await make_broadcast(running)
        first, second, host = FakeViewer(), FakeViewer(), FakeHost()
        await first.watch(running.http, made["whep_url"])
        await host.go_live(running.http, made["whip_url"])
        await first.until(lambda: _moves(first))
        await second.watch(running.http, made["whep_url"])
        await second.until(lambda: bool(second.frames))
        assert bar_place(second.frames[0][2]) is not None
        for peer in (first, second, host):
            await peer.close()


async def test_obs_is_the_microphone_of_a_broadcast_that_began_without_one_and_its_camera_is_left_alone(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made = await make_broadcast(running, microphone=False)
        viewer, obs = FakeViewer(), FakeHost()
        obs.pc.addTransceiver(VideoStreamTrack(), direction="sendonly")
        async with Listener(made["control_url"]) as control:
            await control.until("state", state="live")
            await viewer.watch(running.http, made["whep_url"])
            assert (await obs.go_live(running.http, made["whip_url"])).status_code == 201
            await viewer.until(lambda: any(peak > 4000 for _, _, peak in viewer.sounds))
        await viewer.close()
        await obs.close()


async def test_a_prompt_is_acknowledged_with_when_it_goes_on_air(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made = await make_broadcast(running)
        host = FakeHost()
        async with Listener(made["control_url"]) as control:
            await host.go_live(running.http, made["whip_url"])
            await control.until("state", state="live")
            horizon = await control.until("horizon")
            await control.send(type="prompt", text="very happy, nods", id="p1")
            accepted = await control.until("accepted", id="p1")
            assert accepted["version"] == 2 and len(accepted["understood"]) == 2
            assert accepted["on_air_pts"] / 48_000 >= horizon["aired_s"]
            storyline = [message for message in control.told if message["type"] == "storyline"][-1]
            assert any(beat["emotion"] == "joy" and beat["source"] == "user" for beat in storyline["beats"])
            for command in (
                {"type": "emotion", "emotion": "anger"},
                {"type": "action", "action": "nod"},
                {"type": "camera", "move": "zoom_in"},
            ):
                await control.send(**command, id=command["type"])
                assert (await control.until("accepted", id=command["type"]))["understood"]
            later = await control.until("horizon")
            assert later["aired_s"] <= later["committed_s"] <= later["planned_s"] <= later["intended_s"]
            assert (await control.until("metrics"))["viewers"] == 0
        await host.close()


async def test_ending_tells_everybody_and_leaves_nothing_behind(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    async with running_server(tmp_path) as running:
        made = await make_broadcast(running)
        viewer, host = FakeViewer(), FakeHost()
        async with Listener(made["control_url"]) as control, Listener(f"{made['control_url']}?role=viewer") as watching:
            await viewer.watch(running.http, made["whep_url"])
            await host.go_live(running.http, made["whip_url"])
            await viewer.until(lambda: _moves(viewer))
            await control.send(type="end")
            assert (await control.until("state", state="ended"))["reason"] == "the host ended it"
            await watching.until("state", state="ended")
        assert (await running.http.get(f"/api/broadcasts/{made['id']}")).status_code == 404
        await _until(lambda: not len(running.server.broadcasts))
        left = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith(made["id"])]
        assert not left
        await host.close()
        await viewer.close()
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
    assert not [
        thread for thread in set(threading.enumerate()) - threads if not thread.name.startswith(("asyncio_", "rostrum_"))
    ]


async def test_a_host_that_is_lost_leaves_the_avatar_idling_and_may_come_back(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made = await make_broadcast(running)
        viewer, host, again = FakeViewer(), FakeHost(), FakeHost(ToneTrack(lambda s: True))
        async with Listener(made["control_url"]) as control:
            await viewer.watch(running.http, made["whep_url"])
            await host.go_live(running.http, made["whip_url"])
            await viewer.until(lambda: _moves(viewer))
            await host.close()
            await control.until("state", state="idle")
            seen = len(viewer.frames)
            await viewer.until(lambda: len(viewer.frames) > seen + 25)
            places = {bar_place(frame) for _, _, frame in viewer.frames[seen:]}
            assert len(places - {None}) > 10  # it moves on
            assert (await again.go_live(running.http, made["whip_url"])).status_code == 201
            await control.until("state", state="live")
            await viewer.until(lambda: bool(viewer.frames) and lamp_is_lit(viewer.frames[-1][2]))
        await again.close()
        await viewer.close()


async def test_a_host_that_stays_away_ends_the_broadcast(tmp_path: Path) -> None:
    async with running_server(tmp_path, resume_s=2.5) as running:
        made, host = await make_broadcast(running), FakeHost()
        async with Listener(made["control_url"]) as control:
            await host.go_live(running.http, made["whip_url"])
            await control.until("state", state="live")
            await host.close()
            assert "did not come back" in (await control.until("state", state="ended"))["reason"]


async def test_a_broadcast_whose_host_never_comes_is_ended(tmp_path: Path) -> None:
    async with running_server(tmp_path, connect_timeout_s=0.3) as running:
        made = await make_broadcast(running)
        async with Listener(made["control_url"]) as control:
            assert "no host came" in (await control.until("state", state="ended"))["reason"]


@pytest.mark.parametrize("manner", ["dies", "raises"])
async def test_a_worker_that_fails_costs_a_picture_or_two_not_the_broadcast(tmp_path: Path, manner: str) -> None:
    async with running_server(tmp_path, manner, workers=2) as running:
        made = await make_broadcast(running, manner)
        viewer, host = FakeViewer(), FakeHost()
        async with Listener(made["control_url"]) as control:
            await viewer.watch(running.http, made["whep_url"])
            await host.go_live(running.http, made["whip_url"])
            if manner == "raises":
                await control.until("error", code="worker_lost")
            else:  # another worker has taken over before anybody could notice
                await control.until("metrics", worker_restarts=1)
            seen = len(viewer.frames)
            await viewer.until(lambda: len({bar_place(frame) for _, _, frame in viewer.frames[seen:]} - {None}) > 10)
        await host.close()
        await viewer.close()


async def test_a_worker_slower_than_speech_still_puts_what_it_can_on_air(tmp_path: Path) -> None:
    async with running_server(tmp_path, "slow-600") as running:
        made = await make_broadcast(running, "slow-600")
        viewer, host = FakeViewer(), FakeHost()
        async with Listener(made["control_url"]) as control:
            await viewer.watch(running.http, made["whep_url"])
            await host.go_live(running.http, made["whip_url"])
            await viewer.until(lambda: _moves(viewer))
            while not sum((await control.until("metrics"))["holds"].values()):
                pass
            held = len(viewer.frames)
            await viewer.until(lambda: len(viewer.frames) > held + 25)  # viewers are served all the same
            await control.until("aired")
        await host.close()
        await viewer.close()


async def test_viewers_that_leave_without_a_word_are_forgotten(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made = await make_broadcast(running)
        viewer = FakeViewer()
        await viewer.watch(running.http, made["whep_url"])
        await viewer.until(lambda: bool(viewer.frames))
        await viewer.close()
        session = running.server.broadcasts.get(made["id"])
        assert session is not None
        await _until(lambda: not len(session.on_air.viewers))
