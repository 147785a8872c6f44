// The host's microphone: opening, choosing, muting, and its level at any moment.

import { microphoneProblem, Problem } from "./problems.js";

/** What was wrong at the last try is the Problem thrown by open(). Events: `ended` when the device goes away. */
export class Microphone extends EventTarget {
  #stream = null;
  #context = null;
  #analyser = null;
  #source = null;
  #samples = null;
  muted = false;

  get track() {
    return this.#stream?.getAudioTracks()[0] ?? null;
  }

  get deviceId() {
    return this.track?.getSettings().deviceId ?? "";
  }

  /** Opens a microphone (the default one for ""), closing the one before. `cleanup`: echo, noise and level are the browser's care. */
  async open(deviceId, cleanup) {
    if (!window.isSecureContext || !navigator.mediaDevices) throw new Problem("insecure");
    const constraints = {
      channelCount: 1,
      echoCancellation: cleanup,
      noiseSuppression: cleanup,
      autoGainControl: cleanup,
      ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
    };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: constraints });
    } catch (error) {
      throw microphoneProblem(error);
    }
    this.close();
    this.#stream = stream;
    this.setMuted(this.muted);
    this.track.addEventListener("ended", () => this.dispatchEvent(new Event("ended")));
    this.#listen(stream);
  }

  /** The level is read beside the stream: nothing is ever played back. */
  #listen(stream) {
    this.#context ??= new AudioContext();
    this.#context.resume();
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  /** Devices to choose from: [{id, name}]. Names are known once one was allowed. */
  async devices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all
      .filter((device) => device.kind === "audioinput" && device.deviceId)
      .map((device, index) => ({ id: device.deviceId, name: device.label || `Microphone ${index + 1}` }));
  }

  /** Peak of the last 20 ms or so, in dB of full scale; -Infinity for silence or no microphone. */
  levelDb() {
    if (!this.#analyser || this.muted) return -Infinity;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let peak = 0;
    for (const sample of this.#samples) peak = Math.max(peak, Math.abs(sample));
    return 20 * Math.log10(peak);
  }

  setMuted(muted) {
    this.muted = muted;
    if (this.track) this.track.enabled = !muted;
  }

  close() {
    this.#source?.disconnect();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#analyser = null;
  }
}

/** True where the microphone was allowed on an earlier visit, so that opening it asks nobody anything. */
export async function alreadyAllowed() {
  try {
    return (await navigator.permissions.query({ name: "microphone" })).state === "granted";
  } catch {
    return false;
  }
}
