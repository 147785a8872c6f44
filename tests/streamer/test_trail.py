"""What was drawn last, and where it is cut."""

from engines.motion import INDEX, rest
from streamer.plan import Pts, ticks_per_frame
from streamer.trail import Trail

FRAME = ticks_per_frame(25)


def test_of_the_frames_there_is_time_for_the_one_with_the_lips_nearest_to_shut_is_the_calmest() -> None:
    trail = Trail(25)
    for start, jaws in ((0, (0.0, 0.5, 0.6)), (3, (0.4, 0.1, 0.3))):
        motion = rest(3)
        motion[:, INDEX["jawOpen"]] = jaws
        trail.add(Pts(start * FRAME), motion)
    assert trail.calmest(Pts(FRAME), Pts(5 * FRAME)) == 4 * FRAME
    assert trail.calmest(Pts(FRAME), Pts(3 * FRAME)) == 3 * FRAME
    assert trail.calmest(Pts(9 * FRAME), Pts(12 * FRAME)) == 12 * FRAME  # nothing is known: as late as may be
