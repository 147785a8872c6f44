"""Controllers of a running broadcast: they see the same things in the same order, and what they ask for happens on air."""

import asyncio
from itertools import pairwise
from pathlib import Path

from tests.fakes.listener import Listener, make_broadcast
from tests.fakes.peers import FakeHost, FakeViewer, Running, ToneTrack, bar_place, lamp_is_lit, running_server


def lit(viewer: FakeViewer) -> bool:
    return bool(viewer.frames) and lamp_is_lit(viewer.frames[-1][2])


def loud(viewer: FakeViewer) -> bool:
    return bool(viewer.sounds) and viewer.sounds[-1][2] > 4000


async def live(running: Running, made: dict[str, str], host: FakeHost, control: Listener) -> None:
    await host.go_live(running.http, made["whip_url"])
    await control.until("aired")


async def test_several_controllers_see_every_change_in_the_same_order(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made, host = await make_broadcast(running), FakeHost()
        async with Listener(made["control_url"]) as one, Listener(made["control_url"]) as two:
            await live(running, made, host, one)
            emotions = ("joy", "anger", "fear", "sadness")
            for i, word in enumerate(emotions):
                await (one, two)[i % 2].send(type="emotion", emotion=word, id=word)
            await one.until("accepted", id="fear")
            await two.until("accepted", id="sadness")
            await one.send(type="undo", id="last")
            await one.until("accepted", id="last")
            await two.until("storyline", because="undo")
            lines = [[m for m in each.told if m["type"] == "storyline"] for each in (one, two)]
            assert lines[0] == lines[1]
            assert [line["version"] for line in lines[0]] == list(range(1, len(emotions) + 3))
            assert not [m for m in two.told if m.get("id") in ("joy", "fear", "last")]  # answers are for who asked
            async with Listener(made["control_url"]) as late:
                assert (await late.until("storyline"))["version"] == lines[0][-1]["version"]
                assert (await late.until("status"))["avatar"] == "plain"
        await host.close()


async def test_planned_anchors_are_seen_before_they_are_on_air(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made, host = await make_broadcast(running), FakeHost()
        async with Listener(made["control_url"]) as control:
            await live(running, made, host, control)
            before = await control.until("horizon")
            keyframe = await control.until("keyframe")
            after = await control.until("horizon")
            assert before["aired_s"] < keyframe["start_s"] <= after["planned_s"]
            assert keyframe["image"].startswith("data:image/jpeg;base64,") and keyframe["avatar"] == "plain"
            aired = await control.until("aired")
            assert aired["version"] == 1 and aired["end_pts"] > aired["start_pts"]
        await host.close()


async def test_an_interrupt_silences_and_empties_what_was_queued_and_the_broadcast_goes_on(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made, viewer = await make_broadcast(running), FakeViewer()
        host = FakeHost(ToneTrack(lambda s: True))
        async with Listener(made["control_url"]) as control:
            await viewer.watch(running.http, made["whep_url"])
            await live(running, made, host, control)
            await viewer.until(lambda: bool(viewer.frames) and lamp_is_lit(viewer.frames[-1][2]))
            await control.send(type="camera", move="zoom_in", id="z")
            await control.until("accepted", id="z")
            before, heard = await control.until("horizon"), len(viewer.sounds)
            await control.send(type="interrupt", id="i")
            accepted = await control.until("accepted", id="i")
            line = [m for m in control.told if m["type"] == "storyline"][-1]
            assert {beat["camera"] for beat in line["beats"] if beat["end_s"] is None} == {"static"}
            assert accepted["on_air_pts"] / 48_000 <= before["committed_s"] + 0.5
            await viewer.until(lambda: any(peak < 500 for _, _, peak in viewer.sounds[heard:]))
            await viewer.until(lambda: loud(viewer))  # what is said since is heard
            await viewer.until(lambda: bool(viewer.frames) and lamp_is_lit(viewer.frames[-1][2]))
            assert (await control.until("metrics"))["interrupt_ms"] > 0
        await host.close()
        await viewer.close()


async def test_muted_the_voice_is_neither_heard_nor_seen_until_it_is_back(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made, viewer = await make_broadcast(running), FakeViewer()
        host = FakeHost(ToneTrack(lambda s: True))
        async with Listener(made["control_url"]) as control, Listener(made["control_url"]) as other:
            await viewer.watch(running.http, made["whep_url"])
            await live(running, made, host, control)
            await viewer.until(lambda: bool(viewer.frames) and lamp_is_lit(viewer.frames[-1][2]))
            await control.send(type="mute")
            assert (await other.until("status", muted=True))["idle"] is False
            await viewer.until(lambda: not loud(viewer) and not lit(viewer))
            seen = len(viewer.frames)
            await viewer.until(
                lambda: len({bar_place(frame) for _, _, frame in viewer.frames[seen:]} - {None}) > 10
            )  # it moves on
            await other.send(type="mute", on=False)
            await viewer.until(lambda: loud(viewer) and lit(viewer))
        await host.close()
        await viewer.close()


async def test_idle_rests_and_comes_back_to_what_was_directed(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made, host = await make_broadcast(running), FakeHost()
        async with Listener(made["control_url"]) as control:
            await live(running, made, host, control)
            await control.send(type="emotion", emotion="joy")
            await control.send(type="idle", id="on")
            await control.until("accepted", id="on")
            assert [m for m in control.told if m["type"] == "storyline"][-1]["beats"][-1]["emotion"] == "calm"
            await control.send(type="idle", on=False, id="off")
            await control.until("accepted", id="off")
            assert [m for m in control.told if m["type"] == "storyline"][-1]["beats"][-1]["emotion"] == "joy"
            assert [m["idle"] for m in control.told if m["type"] == "status"] == [False, True, False]
        await host.close()


async def test_another_avatar_takes_over_at_a_cut_without_a_gap(tmp_path: Path) -> None:
    async with running_server(tmp_path, "plain", "slow-30") as running:
        made, host, viewer = await make_broadcast(running), FakeHost(), FakeViewer()
        async with Listener(made["control_url"]) as control:
            await viewer.watch(running.http, made["whep_url"])
            await live(running, made, host, control)
            before = (await control.until("metrics"))["worker_restarts"]
            seen = len(viewer.frames)
            await control.send(type="avatar", avatar="slow-30", id="a")
            assert (await control.until("status", opening="slow-30"))["avatar"] == "plain"
            await control.until("status", opening=None, avatar="slow-30")
            accepted = await control.until("accepted", id="a")
            while (await control.until("aired"))["start_pts"] < accepted["on_air_pts"]:
                pass
            assert (await control.until("keyframe", avatar="slow-30"))["image"]
            after = await control.until("metrics")
            assert after["worker_restarts"] == before
            gaps = [b[1] - a[1] for a, b in pairwise(viewer.frames[seen:])]
            assert max(gaps) < 1.0  # of the broadcast's own time
            assert (await running.http.get(f"/api/broadcasts/{made['id']}")).json()["avatar"] == "slow-30"
        await host.close()
        await viewer.close()


async def test_an_avatar_may_be_switched_before_the_host_is_heard(tmp_path: Path) -> None:
    async with running_server(tmp_path, "plain", "other") as running:
        made = await make_broadcast(running)
        async with Listener(made["control_url"]) as control:
            await control.send(type="avatar", avatar="other", id="a")
            await control.until("accepted", id="a")
            host = FakeHost()
            await live(running, made, host, control)
            assert (await control.until("keyframe"))["avatar"] == "other"
        await host.close()


async def test_an_unknown_avatar_or_one_asked_for_too_soon_after_is_answered(tmp_path: Path) -> None:
    async with running_server(tmp_path, "plain", "one", "two") as running:
        made, host = await make_broadcast(running), FakeHost()
        async with Listener(made["control_url"]) as control:
            await live(running, made, host, control)
            await control.send(type="avatar", avatar="nobody", id="x")
            error = await control.until("error", id="x")
            assert (error["code"], error["path"]) == ("unknown_avatar", "avatar.avatar")
            await control.send(type="avatar", avatar="one", id="1")
            await control.send(type="avatar", avatar="two", id="2")
            assert (await control.until("error", id="1"))["code"] == "superseded"
            assert (await control.until("status", opening=None))["avatar"] == "two"
            await control.until("accepted", id="2")
        await host.close()


async def test_ending_while_another_avatar_opens_leaves_nothing_behind(tmp_path: Path) -> None:
    async with running_server(tmp_path, "plain", "other") as running:
        made, host = await make_broadcast(running), FakeHost()
        async with Listener(made["control_url"]) as control:
            await live(running, made, host, control)
            await control.send(type="avatar", avatar="other")
            await control.send(type="end")
            await control.until("state", state="ended")
        await host.close()
        while len(running.server.broadcasts):  # noqa: ASYNC110, nothing tells
            await asyncio.sleep(0.02)
        names = ("open-", "control-", made["id"])
        async with asyncio.timeout(60):
            while [task for task in asyncio.all_tasks() if task.get_name().startswith(names)]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
