// The host's voice, out by WHIP. Comes back by itself when the network does. The resource is never deleted from here: that would
// end the broadcast, which is for `broadcast.js` to say.

import { exchange, newConnection } from "./peer.js";
import { Problem } from "./problems.js";
import { wait } from "./dom.js";

const RETRY_FOR_MS = 30_000;
const DISCONNECTED_FOR_MS = 2500;

/** Opus for speech that drives a face: mono, 64 kb/s, with its own error correction, and never switched off in silence. */
function speechOpus(sdp) {
  const payload = sdp.match(/a=rtpmap:(\d+) opus\/48000/i)?.[1];
  return payload
    ? sdp.replace(new RegExp(`a=fmtp:${payload} .*`), `a=fmtp:${payload} minptime=10;useinbandfec=1;maxaveragebitrate=64000;usedtx=0`)
    : sdp;
}

/** Events: `state` with detail "connected" | "reconnecting" | "lost" (gave up, `problem` says why). */
export class Publisher extends EventTarget {
  #url;
  #track;
  #pc = null;
  #ended = false;

  constructor(url, track) {
    super();
    this.#url = url;
    this.#track = track;
  }

  /** Resolves once sound flows. Throws a Problem. A path that needs a TURN server is found at the second try. */
  async start() {
    try {
      await this.#open();
    } catch (error) {
      if (error.code !== "ice_failed" || this.#ended) throw error;
      await this.#open();
    }
  }

  async #open() {
    const pc = newConnection();
    this.#pc = pc;
    try {
      pc.addTransceiver(this.#track, { direction: "sendonly" });
      await exchange(pc, this.#url, { shape: speechOpus, keep: true });
    } catch (error) {
      pc.close();
      throw error;
    }
    if (this.#ended) return this.stop();
    this.#watch(pc);
    this.#tell("connected");
  }

  #watch(pc) {
    pc.addEventListener("connectionstatechange", async () => {
      if (this.#ended || pc !== this.#pc) return;
      if (pc.connectionState === "disconnected") {
        await wait(DISCONNECTED_FOR_MS);
        if (pc.connectionState !== "disconnected" || this.#ended || pc !== this.#pc) return;
      } else if (pc.connectionState !== "failed") return;
      await this.#again();
    });
  }

  async #again() {
    this.#tell("reconnecting");
    const until = performance.now() + RETRY_FOR_MS;
    let problem = new Problem("ice_failed");
    for (let pause = 500; performance.now() < until && !this.#ended; pause = Math.min(pause * 2, 4000)) {
      this.#pc?.close();
      try {
        return await this.#open();
      } catch (error) {
        problem = error;
        if (error.code === "no_broadcast") break;
      }
      await wait(pause);
    }
    if (!this.#ended) this.#tell("lost", problem);
  }

  /** Exchanges the microphone without a new connection. */
  async replaceTrack(track) {
    this.#track = track;
    await this.#pc?.getSenders()[0]?.replaceTrack(track);
  }

  stop() {
    this.#ended = true;
    this.#pc?.close();
  }

  #tell(state, problem) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, problem } }));
  }
}
