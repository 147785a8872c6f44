"""What a counting viewer takes for a picture, a loss and a freeze."""

from clients.bench.counting_viewers import Counted


def _packets(counted: Counted, *packets: tuple[int, bool, float]) -> Counted:
    for sequence, is_last, now in packets:
        counted.take(bytes([0x80, 0x80 * is_last | 99]) + sequence.to_bytes(2, "big") + bytes(8), now, 0.0)
    return counted


def test_a_picture_counts_when_its_last_packet_is_there() -> None:
    counted = _packets(Counted(), (65_534, False, 1.0), (65_535, True, 1.1), (0, False, 1.14), (1, True, 1.14))
    assert (counted.pictures, counted.packets_lost, counted.first_picture_ms) == (2, 0, 1100)


def test_a_picture_that_lost_a_packet_does_not_count() -> None:
    counted = _packets(Counted(), (1, True, 1.0), (2, False, 1.04), (4, True, 1.04), (5, True, 1.08))
    assert (counted.pictures, counted.packets_lost) == (2, 1)


def test_a_packet_that_comes_twice_or_late_changes_nothing() -> None:
    counted = _packets(Counted(), (1, True, 1.0), (2, True, 1.04), (2, True, 1.05), (1, True, 1.05), (3, True, 1.08))
    assert (counted.pictures, counted.packets_lost) == (3, 0)


def test_more_than_200_ms_without_a_picture_is_a_freeze() -> None:
    counted = _packets(Counted(), (1, True, 1.0), (2, True, 1.2), (3, True, 1.41), (4, True, 1.45))
    assert counted.freezes == 1
