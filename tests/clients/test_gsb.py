"""A blind comparison: what raters see, what is kept, and who may see anything."""

import csv
import json
from pathlib import Path

import httpx
import pytest

from clients.cli import main
from clients.gsb.server import RatingServer
from clients.gsb.study import Study, StudyError, compared, pairs_of, write_csv
from export.evaluate.preference import CRITERIA

NAMES = ("en-001", "en-002", "zh-001", "zh-002")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    for folder in ("ours", "theirs"):
        (tmp_path / folder).mkdir()
        for name in (*NAMES, f"only-{folder}"):
            (tmp_path / folder / f"{name}.mp4").write_bytes(f"{folder} {name}".encode())
    return Study.create(tmp_path / "gsb.sqlite", pairs_of(tmp_path / "ours", tmp_path / "theirs"), ("ours", "theirs"), seed=3)


def client(study: Study, key: str | None = None) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {study.key if key is None else key}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(RatingServer(study).app()), base_url="http://test", headers=headers)


def all_of(side: str) -> dict[str, str]:
    return dict.fromkeys(CRITERIA, side)


def test_videos_of_the_same_name_are_pairs_in_an_order_and_on_sides_of_each_raters_own(study: Study) -> None:
    assert tuple(pair.name for pair in study.pairs) == NAMES
    orders = {tuple(turn.pair.name for turn in study.turns(rater)) for rater in "abcdefgh"}
    assert len(orders) > 3
    assert all(sum(turn.a_left for turn in study.turns(rater)) == 2 for rater in "abcdefgh")
    assert study.turns("a") == study.turns("a")


def test_who_prefers_one_system_wherever_it_stands_is_counted_so(study: Study) -> None:
    for rater in ("ann", "bob"):
        study.join(rater)
        for turn in study.turns(rater):
            study.vote(rater, turn, all_of("left" if turn.a_left else "right"), 4.0)
    assert {answer for _, _, _, answer, *_ in study.votes()} == {"G"}
    whole = compared(study)["all"]["overall"]
    assert whole is not None and (whole.good, whole.same, whole.bad) == (4, 0, 0)
    assert compared(study)["language: zh"]["overall"].num == 2  # type: ignore[union-attr]


def test_said_again_the_later_counts_and_it_is_shown_again_as_the_rater_saw_it(study: Study) -> None:
    study.join("ann")
    turn = study.turns("ann")[0]
    study.vote("ann", turn, all_of("left"), 4.0)
    study.vote("ann", turn, all_of("right") | {"overall": "same"}, 9.0)
    assert study.answers("ann") == {turn.pair.name: all_of("right") | {"overall": "same"}}
    with pytest.raises(StudyError, match="one for each of overall"):
        study.vote("ann", turn, {"overall": "left"}, 1.0)


def test_answers_outlive_the_server_and_other_folders_are_refused(study: Study, tmp_path: Path) -> None:
    study.join("ann")
    study.vote("ann", study.turns("ann")[0], all_of("same"), 2.0)
    again = Study.create(tmp_path / "gsb.sqlite", study.pairs, ("ours", "theirs"), seed=9)
    assert (again.key, again.seed, again.raters(), len(again.votes())) == (study.key, 3, ["ann"], 5)
    with pytest.raises(StudyError, match="compares ours with theirs"):
        Study.create(tmp_path / "gsb.sqlite", study.pairs, ("ours", "others"), seed=0)
    write_csv(again.votes(), tmp_path / "votes.csv")
    with (tmp_path / "votes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["criterion"] for row in rows} == set(CRITERIA) and {row["answer"] for row in rows} == {"S"}


async def test_the_page_gives_pairs_and_takes_votes_and_its_addresses_tell_nothing(study: Study) -> None:
    async with client(study) as http:
        session = (await http.post("/api/session", json={"rater": " Ann  B. "})).json()
        assert session["rater"] == "Ann B." and len(session["pairs"]) == 4
        assert not any(
            word in json.dumps(session["pairs"]).replace("left", "") for word in ("ours", "theirs", "en-001", ".mp4")
        )
        turn = study.turns("Ann B.")[2]
        left = await http.get(session["pairs"][2]["left"])
        assert left.content == turn.left.read_bytes()
        part = await http.get(session["pairs"][2]["right"], headers={"range": "bytes=1-3"})
        assert (part.status_code, part.content) == (206, turn.right.read_bytes()[1:4])
        vote = {"rater": "Ann B.", "pair": 2, "answers": all_of("left"), "took_s": 3.21}
        assert (await http.post("/api/votes", json=vote)).status_code == 204
        assert (await http.post("/api/session", json={"rater": "Ann B."})).json()["pairs"][2]["answers"] == all_of("left")
        assert study.votes()[0][3:6] == ("G" if turn.a_left else "B", "a" if turn.a_left else "b", 3.2)


@pytest.mark.parametrize(
    "body", [{"pair": 9}, {"pair": "0"}, {"answers": {}}, {"answers": 3}, {"rater": "nobody"}, {"rater": 5}]
)
async def test_what_is_no_vote_is_refused(study: Study, body: dict[str, object]) -> None:
    study.join("ann")
    async with client(study) as http:
        answer = await http.post("/api/votes", json={"rater": "ann", "pair": 0, "answers": all_of("left")} | body)
        assert answer.status_code == 400 and answer.json()["error"]["message"]
        assert (await http.post("/api/votes", content=b"[]")).status_code == 400
        assert (await http.post("/api/session", content=b"{" * 20_000)).status_code == 400
    assert study.votes() == []


async def test_without_the_links_key_nothing_is_given(study: Study) -> None:
    async with client(study, "wrong") as http:
        assert (await http.post("/api/session", json={"rater": "ann"})).status_code == 401
        assert (await http.post("/api/votes", json={})).status_code == 401
        assert (await http.get("/media/" + "0" * 32)).status_code == 404
    assert study.raters() == []


def test_the_report_is_a_table_by_category(study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["gsb", "report", str(tmp_path / "gsb.sqlite")]) == 1
    study.join("ann")
    for turn in study.turns("ann"):
        study.vote("ann", turn, all_of("left" if turn.a_left else "right"), 1.0)
    capsys.readouterr()
    assert main.main(["gsb", "report", str(tmp_path / "gsb.sqlite"), "--csv", str(tmp_path / "v.csv")]) == 0
    shown = capsys.readouterr().out
    assert "language: zh" in shown and "overall 4/0/0" in shown
    assert len((tmp_path / "v.csv").read_text().splitlines()) == 1 + 4 * len(CRITERIA)
    assert main.main(["gsb", "report", str(tmp_path / "no.sqlite")]) == 1
    assert "there is no file" in capsys.readouterr().err


def test_folders_without_a_common_name_are_refused(study: Study, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudyError, match="no videos of the same name"):
        pairs_of(tmp_path / "ours", tmp_path / "empty")
    with pytest.raises(StudyError, match="there is no folder"):
        pairs_of(tmp_path / "ours", tmp_path / "nowhere")
