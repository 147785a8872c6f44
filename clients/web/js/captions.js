// What the host says, written down under the picture, where the server has a recogniser.

import { byId, el } from "./dom.js";

const LINGERS_MS = 4000;
const KEY = "rostrum.captions";

export class Captions {
  #line = byId("caption");
  #timer = 0;
  #isOn = localStorage.getItem(KEY) !== "off";

  /** A heard message: it takes the place of the one before. Cue words that were heard in it stand out. */
  show({ text, cues }) {
    clearTimeout(this.#timer);
    if (!this.#isOn || !text) return this.clear();
    const heard = cues.map((cue) => el("b", {}, `“${cue}” heard`));
    this.#line.replaceChildren(...heard, el("span", {}, text));
    this.#line.hidden = false;
    this.#timer = setTimeout(() => this.clear(), LINGERS_MS);
  }

  toggle() {
    this.#isOn = !this.#isOn;
    localStorage.setItem(KEY, this.#isOn ? "on" : "off");
    if (!this.#isOn) this.clear();
  }

  clear() {
    this.#line.hidden = true;
  }
}
