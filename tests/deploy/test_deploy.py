"""What is in deploy/ agrees with the program, and where its own tools are installed, with them."""

import argparse
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.cli.main import parser
from streamer import reports
from streamer.metrics import exposition
from streamer.protocol import Delay, Metrics
from tests.fakes.listener import make_broadcast
from tests.fakes.peers import running_server

TOP = Path(__file__).parents[2]
DEPLOY = TOP / "deploy"
DOCKERFILES = sorted(DEPLOY.glob("Dockerfile*"))
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def tool(name: str, *words: str | Path, **wish: Any) -> None:
    """Run a checker, where it is installed."""
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([name, *map(str, words)], capture_output=True, text=True, **wish)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def metrics() -> str:
    """All that /metrics can say of one broadcast on air."""
    delay = Delay(**dict.fromkeys(set(Delay.model_fields) - {"type"}, 50.0))
    said = Metrics(
        delay_ms=delay, fps=25, frames=100, holds={"late_clip": 2}, late_frames=1, viewers=3, render_ms_per_frame=8.0,
        bitrate_bps=900_000, worker_restarts=0, effort="full", interrupt_ms=120,
    )  # fmt: skip
    return exposition([*reports.samples("b", said), *reports.queue_samples("b", dict.fromkeys(reports.QUEUES, 1.0))])


async def served(tmp_path: Path) -> str:
    async with running_server(tmp_path) as running:
        await make_broadcast(running)
        return (await running.http.get("/metrics")).text


def names(queries: list[str]) -> set[str]:
    """The metrics that PromQL queries ask for."""
    return {name for query in queries for name in re.findall(r"\b(?:rostrum|process)_\w+", query)}


# -- metrics ------------------------------------------------------------------------------------------------------------


async def test_every_query_of_the_dashboard_and_the_alerts_names_a_metric_there_is(tmp_path: Path, metrics: str) -> None:
    known = set(re.findall(r"^# TYPE (\w+)", metrics + await served(tmp_path), re.MULTILINE))
    dashboard = json.loads((DEPLOY / "grafana" / "rostrum.json").read_text())
    rules = documents(DEPLOY / "prometheus" / "rules.yml")[0]["groups"][0]["rules"]
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [variable["query"]["query"] for variable in dashboard["templating"]["list"]]
    asked = names(queries + [rule["expr"] for rule in rules])
    assert len(asked) > 15
    assert asked <= known
    assert known - asked <= {"rostrum_frames_total", "rostrum_broadcasts_started_total"}  # the rest is on the dashboard


def test_the_dashboard_is_whole() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "rostrum.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    assert documents(DEPLOY / "grafana/provisioning/datasources/prometheus.yaml")[0]["datasources"][0]["uid"] == "prometheus"


async def test_prometheus_takes_what_is_served_and_its_own_configuration(tmp_path: Path, metrics: str) -> None:
    tool("promtool", "check", "config", DEPLOY / "prometheus" / "prometheus.yml")
    for text in (metrics, await served(tmp_path)):
        wrong = _promtool_on(text)
        assert not [line for line in wrong if "unit" not in line], wrong  # milliseconds are what people say


def _promtool_on(text: str) -> list[str]:
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
    assert done.returncode in (0, 3), done.stderr
    return (done.stdout + done.stderr).splitlines()


# -- images -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_copies_what_is_there_and_pins_what_the_project_pins(path: Path) -> None:
    text = path.read_text()
    kept = (TOP / ".dockerignore").read_text().splitlines()
    for sources in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (TOP / source).exists() and f"!{source}" in kept, source
    extras = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for pin in re.findall(r"[\w-]+(?:\[\w+\])?==[\d.]+", text):
        assert pin in extras["gpu"] + extras["ray"]
    assert "USER root" not in text and re.search(r"^USER \d+$", text, re.MULTILINE)
    tool("hadolint", "-c", DEPLOY / ".hadolint.yaml", path)


# -- compose and Kubernetes ---------------------------------------------------------------------------------------------


def settings() -> set[str]:
    """ROSTRUM_SERVE_… for every setting there is."""
    root = parser("serve")
    (subparsers,) = (action for action in root._actions if isinstance(action, argparse._SubParsersAction))
    flags = (flag for action in subparsers.choices["serve"]._actions for flag in action.option_strings)
    return {f"ROSTRUM_SERVE_{flag[2:].upper().replace('-', '_')}" for flag in flags}


@pytest.mark.parametrize("path", [DEPLOY / "compose.yaml", *DOCKERFILES, *MANIFESTS], ids=lambda path: path.name)
def test_every_setting_in_the_environment_is_one(path: Path) -> None:
    assert set(re.findall(r"\bROSTRUM_SERVE_\w+", path.read_text())) <= settings()


def test_compose_mounts_what_is_there_and_asks_for_what_the_example_sets() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    compose = yaml.safe_load(text)
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"], volume
    assert set(re.findall(r"\$\{(\w+)", text)) == set(
        re.findall(r"^(\w+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE)
    )
    tool("docker-compose", "--env-file", ".env.example", "-f", "compose.yaml", "config", "-q", cwd=DEPLOY)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_names_its_own_parts(path: Path) -> None:
    text = path.read_text()
    claims = {each["metadata"]["name"] for each in documents(path) if each["kind"] == "PersistentVolumeClaim"}
    assert set(re.findall(r"claimName: (\w+)", text)) <= claims
    assert all(each["apiVersion"] and each["metadata"]["name"] for each in documents(path))


def test_broadcasts_have_time_to_drain_wherever_the_server_is_stopped() -> None:
    drain_s = float(re.findall(r"^# drain = ([\d.]+)", (DEPLOY / "rostrum.toml").read_text(), re.MULTILINE)[0])
    (grace,) = re.findall(r"stop_grace_period: (\d+)s", (DEPLOY / "compose.yaml").read_text())
    (termination,) = re.findall(r"terminationGracePeriodSeconds: (\d+)", (DEPLOY / "kubernetes/rostrum.yaml").read_text())
    assert min(float(grace), float(termination)) > drain_s + 5  # uvicorn's own five seconds
