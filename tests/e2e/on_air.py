"""Reading a broadcast off the page: decoded pictures, the loudness heard with each, and what the face in them does."""

import base64
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from export.evaluate.face_track import FaceReader, FaceTrack

#: Loudness below this is silence; speech in the sample peaks 40 dB above.
SILENT_DB = -50
HELD = 0.05  # grey levels: one picture encoded over and over differs by 0.02, a face at rest by 0.1
FEWEST_A_S = 5.0  # pictures that move: fewer and nothing can be read from lips
TRIES = 4
GUARD_S = 0.3  # around a change from speech to silence, where lips are on their way from the one to the other
LONGEST_LAG_S = 0.6
_STEP_S = 0.02

RECORD = """
async (seconds) => {
  const video = document.getElementById("onair");
  const hearing = new AudioContext();
  await hearing.resume();
  const analyser = hearing.createAnalyser();
  analyser.fftSize = 2048;
  hearing.createMediaStreamSource(video.srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 320;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const frames = [];
  const until = performance.now() + 1000 * seconds;
  await new Promise((done) => {
    const take = (now, about) => {
      pen.drawImage(video, 0, 0, 320, 320);
      analyser.getFloatTimeDomainData(samples);
      const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
      const picture = canvas.toDataURL("image/jpeg", 0.9);
      frames.push({ at: about.mediaTime, ticks: about.rtpTimestamp, db: 20 * Math.log10(Math.max(rms, 1e-9)), picture });
      if (performance.now() < until) video.requestVideoFrameCallback(take);
      else done();
    };
    video.requestVideoFrameCallback(take);
  });
  await hearing.close();
  return frames;
}
"""


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """pictures uint8 [t, 320, 320, 3] RGB; at_s [t], rising; ticks [t], its RTP time; db [t], loudness heard with it."""

    pictures: NDArray[np.uint8]
    at_s: NDArray[np.float64]
    ticks: NDArray[np.int64]
    db: NDArray[np.float64]

    def moving(self) -> "Take":
        """Without the pictures that were held: what stands still while the machine is busy tells nothing of the face."""
        seen = self.pictures.astype(np.int16)
        new = np.full(len(seen), True)
        for back in (1, 2):  # held, it is encoded now one way and now another
            new[back:] &= np.abs(seen[back:] - seen[:-back]).mean(axis=(1, 2, 3)) > HELD
        return Take(self.pictures[new], self.at_s[new], self.ticks[new], self.db[new])

    def face(self) -> FaceTrack:
        """What a face landmarker sees in the pictures. Raises ValueError where it sees no face."""
        with FaceReader() as reader:
            for picture in self.pictures:
                reader.read(picture)
            return reader.track()


@dataclass(frozen=True, slots=True, eq=False)
class Speaking:
    """Lips set against what is heard in the same take: aperture in speech [n], in silence [m]; how far lips follow, and when.

    lag_s: how much later than its sound a mouth moves, as the page shows it. likeness: correlation at that lag.
    """

    speech: NDArray[np.float64]
    silence: NDArray[np.float64]
    lag_s: float
    likeness: float


def speaking(take: Take) -> Speaking:
    """The lips of a take. A page's sound and pictures come by two ways and a busy browser drops pictures: both are measured."""
    aperture = take.face().aperture
    grid = np.arange(take.at_s[0], take.at_s[-1], _STEP_S)
    lips = np.interp(grid, take.at_s, aperture)
    reach = round(LONGEST_LAG_S / _STEP_S)
    likeness = {
        lag: float(np.corrcoef(np.interp(grid - lag * _STEP_S, take.at_s, np.clip(take.db, -60, -20)), lips)[0, 1])
        for lag in range(-reach, reach + 1)
    }
    best = max(likeness, key=likeness.__getitem__)
    heard = np.interp(take.at_s - best * _STEP_S, take.at_s, take.db) > SILENT_DB
    near = np.abs(take.at_s[:, None] - take.at_s) <= GUARD_S
    in_silence = ~(near & heard).any(axis=1)
    in_speech = heard & ~(near & in_silence).any(axis=1)
    return Speaking(aperture[in_speech], aperture[in_silence], best * _STEP_S, likeness[best])


def record_moving(page: Page, seconds: float) -> Take:
    """As `record`, once more where a busy machine held too many of the pictures to read a face from the others."""
    for _ in range(TRIES):
        take = record(page, seconds)
        if len(take.moving().at_s) >= FEWEST_A_S * seconds:
            break
    return take


def record(page: Page, seconds: float) -> Take:
    """What the page's video shows for so long, each picture once."""
    frames = page.evaluate(RECORD, seconds)
    frames = [frame for i, frame in enumerate(frames) if i == 0 or frame["at"] > frames[i - 1]["at"]]
    pictures = [
        cv2.imdecode(np.frombuffer(base64.b64decode(frame["picture"].split(",")[1]), np.uint8), cv2.IMREAD_COLOR_RGB)
        for frame in frames
    ]
    at_s, ticks, db = (np.array([frame[what] for frame in frames]) for what in ("at", "ticks", "db"))
    return Take(np.stack(pictures), at_s, ticks, db)
