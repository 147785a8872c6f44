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
MARGIN_FRAMES = 8  # around a change from speech to silence, where either may still be seen

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
      frames.push({ at: about.mediaTime, db: 20 * Math.log10(Math.max(rms, 1e-9)), picture });
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
    """pictures uint8 [t, 320, 320, 3] RGB; at_s [t]; db [t], loudness heard with each picture."""

    pictures: NDArray[np.uint8]
    at_s: NDArray[np.float64]
    db: NDArray[np.float64]

    @property
    def speech(self) -> NDArray[np.bool_]:
        """Pictures well inside speech: its pauses between words count as speech."""
        near = np.convolve(self.db > SILENT_DB, np.ones(2 * MARGIN_FRAMES + 1), "same") > 0
        return np.convolve(~near, np.ones(2 * MARGIN_FRAMES + 1), "same") == 0

    @property
    def silence(self) -> NDArray[np.bool_]:
        """Pictures well inside silence."""
        return np.convolve(self.db > SILENT_DB, np.ones(2 * MARGIN_FRAMES + 1), "same") == 0

    def face(self) -> FaceTrack:
        """What a face landmarker sees in the pictures. Raises ValueError where it sees no face."""
        with FaceReader() as reader:
            for picture in self.pictures:
                reader.read(picture, fps=25)
            return reader.track()


def record(page: Page, seconds: float) -> Take:
    """What the page's video shows for so long."""
    frames = page.evaluate(RECORD, seconds)
    pictures = [
        cv2.imdecode(np.frombuffer(base64.b64decode(frame["picture"].split(",")[1]), np.uint8), cv2.IMREAD_COLOR_RGB)
        for frame in frames
    ]
    return Take(np.stack(pictures), np.array([frame["at"] for frame in frames]), np.array([frame["db"] for frame in frames]))
