// The microphone panel: allowing, choosing, cleaning up, and what the level says.

import { byId, el, setIcon } from "./dom.js";
import { startMeter } from "./meter.js";
import { alreadyAllowed, Microphone } from "./mic.js";
import { notify, settle } from "./notices.js";
import { asProblem, Problem } from "./problems.js";

const MIC_PROBLEMS = ["insecure", "mic_denied", "mic_missing", "mic_busy", "mic_ended"];
const SILENT_AFTER_S = 4;

const LEVEL_HINTS = {
  none: "No sound arrives. Is the microphone switched on, and is it the right one?",
  quiet: "Quiet. Come closer or turn the microphone up.",
  loud: "Too loud: it clips. Turn the microphone down a little.",
  good: "Sounds good.",
};

/** Events: `track` with the new track as `detail`; `muted`. */
export class Setup extends EventTarget {
  mic = new Microphone();
  #device = byId("mic-device");
  #cleanup = byId("mic-cleanup");
  #mutedByServer = false;
  #seconds = 0; // since the microphone was opened

  constructor() {
    super();
    this.#cleanup.checked = localStorage.getItem("rostrum.cleanup") !== "no";
    byId("allow-mic").addEventListener("click", () => this.open());
    this.#device.addEventListener("change", () => this.open(this.#device.value));
    this.#cleanup.addEventListener("change", () => {
      localStorage.setItem("rostrum.cleanup", this.#cleanup.checked ? "yes" : "no");
      this.open(this.#device.value);
    });
    const types = byId("no-mic");
    types.checked = localStorage.getItem("rostrum.types") === "yes";
    types.addEventListener("change", () => {
      localStorage.setItem("rostrum.types", types.checked ? "yes" : "no");
      this.dispatchEvent(new Event("types"));
    });
    byId("mute").addEventListener("click", () => this.setMuted(!this.muted));
    this.mic.addEventListener("ended", () => {
      notify(new Problem("mic_ended"), { again: () => this.open() });
    });
    navigator.mediaDevices?.addEventListener("devicechange", () => this.mic.track && this.#list());
    startMeter(byId("meter"), byId("meter-canvas"), () => this.mic.levelDb(), (word) => this.#level(word));
  }

  /** Opens the microphone where that asks nobody anything. */
  async openQuietly() {
    if (!window.isSecureContext || !navigator.mediaDevices) await this.open();
    else if (await alreadyAllowed()) await this.open(localStorage.getItem("rostrum.mic") ?? "");
  }

  /** Opens a microphone; false, with a notice, where that fails. */
  async open(deviceId = "") {
    settle(...MIC_PROBLEMS);
    try {
      await this.mic.open(deviceId, this.#cleanup.checked);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.code === "mic_missing" && deviceId) return this.open();
      notify(problem, problem.code === "insecure" ? {} : { again: () => this.open(deviceId) });
      return false;
    }
    this.#seconds = 0;
    if (deviceId) localStorage.setItem("rostrum.mic", deviceId);
    byId("allow-mic").hidden = true;
    byId("mic-chosen").hidden = false;
    byId("mute").disabled = false;
    await this.#list();
    this.dispatchEvent(new CustomEvent("track", { detail: this.mic.track }));
    return true;
  }

  async #list() {
    const devices = await this.mic.devices();
    this.#device.replaceChildren(...devices.map(({ id, name }) => el("option", { value: id }, name)));
    this.#device.value = this.mic.deviceId;
    if (!this.#device.value && devices[0]) this.#device.value = devices[0].id;
  }

  /** Whether the host goes live without a microphone, and types what is said. */
  get types() {
    return byId("no-mic").checked;
  }

  /** Whether viewers hear nothing: switched off here, or by somebody else who directs this broadcast. */
  get muted() {
    return this.mic.muted || this.#mutedByServer;
  }

  setMuted(muted) {
    if (!this.mic.track) return;
    this.mic.setMuted(muted);
    this.#mutedByServer &&= muted;
    this.#showMuted();
    this.dispatchEvent(new Event("muted"));
  }

  /** The server says whether it keeps the voice off the air. A microphone switched off here stays off. */
  setMutedByServer(muted) {
    if (this.#mutedByServer === muted) return;
    this.#mutedByServer = muted;
    this.#showMuted();
  }

  #showMuted() {
    const button = byId("mute");
    button.setAttribute("aria-pressed", String(this.muted));
    setIcon(button, this.muted ? "mic-off" : "mic");
  }

  #level(word) {
    if (!this.mic.track) return;
    const hint = byId("mic-hint");
    this.#seconds += 1;
    if (word === "none" && this.#seconds < SILENT_AFTER_S && !this.muted) return;
    hint.textContent = this.muted ? "Muted." : LEVEL_HINTS[word];
    hint.dataset.weight = word === "good" || this.muted ? "" : "warn";
  }
}
