// The on-air picture, in by WHEP. Used by the host's preview and by the viewer page; reconnects by itself for ever.

import { exchange, newConnection, release } from "./peer.js";
import { asProblem } from "./problems.js";
import { wait } from "./dom.js";

const STALLED_FOR_MS = 4000;
const FIRST_FRAME_MS = 8000;
const BLANK_FOR_MS = 30_000;

/** Events: `state` with detail.state "connecting" | "playing" | "off-air" | "locked" | "retrying" (`problem` says why). */
export class Player extends EventTarget {
  #url;
  #video;
  #pc = null;
  #resource = null;
  #ended = false;
  #wake = () => {};

  constructor(url, video) {
    super();
    this.#url = url;
    this.#video = video;
  }

  /** Plays until stop(). */
  async run() {
    let pause = 500;
    while (!this.#ended) {
      this.#tell("connecting");
      try {
        await this.#open();
        this.#tell("playing");
        pause = 500;
        await this.#untilItBreaks();
        if (!this.#ended) this.#tell("retrying");
      } catch (error) {
        const problem = asProblem(error);
        const word = { 401: "locked", 403: "locked", 404: "off-air", 409: "off-air", 410: "off-air" }[problem.status] ?? "retrying";
        if (!this.#ended) this.#tell(word, problem);
      }
      this.#close();
      if (!this.#ended) await Promise.race([wait(pause), new Promise((done) => (this.#wake = done))]);
      pause = Math.min(pause * 1.6, 4000);
    }
  }

  async #open() {
    const pc = newConnection();
    this.#pc = pc;
    const stream = new MediaStream();
    pc.addEventListener("track", ({ track, receiver }) => {
      stream.addTrack(track);
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
    });
    pc.addTransceiver("video", { direction: "recvonly" });
    pc.addTransceiver("audio", { direction: "recvonly" });
    this.#resource = await exchange(pc, this.#url);
    this.#video.srcObject = stream;
    await this.#firstPicture();
  }

  async #firstPicture() {
    this.#video.play().catch(() => {
      // Autoplay with sound is not allowed before a gesture: play without it.
      this.#video.muted = true;
      return this.#video.play();
    });
    await this.#nextFrame(FIRST_FRAME_MS);
    for (const until = performance.now() + BLANK_FOR_MS; isBlank(this.#video) && performance.now() < until; ) {
      await this.#nextFrame(FIRST_FRAME_MS); // one colour all over: the avatar is still being opened
    }
  }

  #nextFrame(timeoutMs) {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error("no picture came")), timeoutMs);
      this.#video.requestVideoFrameCallback(() => {
        clearTimeout(timer);
        done();
      });
    });
  }

  /** Resolves when the connection fails, or when no picture has been decoded for STALLED_FOR_MS. */
  async #untilItBreaks() {
    const pc = this.#pc;
    let decoded = -1;
    let since = performance.now();
    while (!this.#ended && pc.connectionState !== "failed" && pc.connectionState !== "closed") {
      await wait(500);
      const frames = (await this.stats()).frames;
      if (frames !== decoded || document.hidden) [decoded, since] = [frames, performance.now()];
      else if (performance.now() - since > STALLED_FOR_MS) return;
    }
  }

  /** {frames, bufferMs}: pictures decoded so far, and how long the browser keeps a picture before it shows it. */
  async stats() {
    const found = { frames: 0, bufferMs: 0 };
    if (!this.#pc || this.#pc.connectionState === "closed") return found;
    for (const report of (await this.#pc.getStats()).values()) {
      if (report.type !== "inbound-rtp" || report.kind !== "video") continue;
      found.frames = report.framesDecoded ?? 0;
      if (report.jitterBufferEmittedCount) found.bufferMs = (1000 * report.jitterBufferDelay) / report.jitterBufferEmittedCount;
    }
    return found;
  }

  /** Tries again now, without waiting out the pause. */
  hurry() {
    this.#wake();
  }

  /** Leaves for good. `gone`: the viewer goes and the broadcast stays, so the server is told. */
  stop({ gone = false } = {}) {
    this.#ended = true;
    this.#wake();
    if (!gone) this.#resource = null;
    this.#close();
    this.#video.srcObject = null;
  }

  #close() {
    this.#pc?.close();
    release(this.#resource);
    this.#resource = null;
  }

  #tell(state, problem) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, problem } }));
  }
}

const probe = document.createElement("canvas");
probe.width = probe.height = 8;
const pen = probe.getContext("2d", { willReadFrequently: true });

/** Whether the video shows one colour all over. */
function isBlank(video) {
  pen.drawImage(video, 0, 0, 8, 8);
  const { data } = pen.getImageData(0, 0, 8, 8);
  return data.every((value, i) => Math.abs(value - data[i % 4]) < 6);
}
