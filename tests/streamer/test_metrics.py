"""What is measured on air."""

import numpy as np

from streamer.metrics import Arrivals, DelayMeter, Flight, RateMeter, Sample, exposition
from streamer.plan import Beat, Pts, SubClipJob

_JOB = SubClipJob(1, 0, 1, Pts(0), Pts(19_200), 25, (Beat(Pts(0)),), np.zeros(0, np.int16), Pts(0), 0)


def test_the_delay_is_told_by_its_parts() -> None:
    meter = DelayMeter()
    assert meter.delay() is None
    for extra in (0.0, 0.1, 0.0):
        meter.note(
            Flight(_JOB, heard_s=1.0, due_s=1.5, cut_s=1.5, drawn_s=1.6 + extra, aired_s=1.7 + extra, sent_s=1.705 + extra)
        )
    delay = meter.delay(network_ms=12.0)
    assert delay is not None
    assert delay.model_dump() == {
        "jitter": 20.0, "segment": 400.0, "right_context": 80.0, "render": 100.0, "playout": 100.0, "encode": 5.0,
        "network": 12.0, "total": 717.0,
    }  # fmt: skip


def test_when_a_sample_arrived_is_when_its_packet_did() -> None:
    arrivals = Arrivals()
    for packet in range(1, 2000):
        arrivals.note(Pts(packet * 960), packet * 0.02)
    assert arrivals.when(Pts(1900 * 960)) == 1901 * 0.02
    assert arrivals.when(Pts(1900 * 960 - 1)) == 1900 * 0.02
    assert arrivals.when(Pts(5000 * 960)) is None


def test_a_rate_counts_the_last_second_only() -> None:
    meter = RateMeter()
    for i in range(100):
        meter.note(2, i * 0.1)
    assert meter.rate(9.9) == 20 + 2
    assert meter.rate(30.0) == 0


def test_prometheus_reads_every_name_once_with_its_labels_escaped() -> None:
    samples = [
        Sample("a_total", "counter", "As.", 3, {"who": 'x"\\\n'}),
        Sample("b", "gauge", "Bs.", 0.5, {}),
        Sample("a_total", "counter", "As.", 4, {}),
    ]
    assert exposition(samples).splitlines() == [
        "# HELP a_total As.",
        "# TYPE a_total counter",
        'a_total{who="x\\"\\\\\\n"} 3',
        "a_total 4",
        "# HELP b Bs.",
        "# TYPE b gauge",
        "b 0.5",
    ]
