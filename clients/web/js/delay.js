// The measured delay from microphone to air, and where it comes from.

import { byId, el } from "./dom.js";

const SHADES = [1, 0.82, 0.66, 0.54, 0.44, 0.35, 0.28, 0.2];

const NAMES = {
  jitter: "Your network's unevenness",
  segment: "Filling a segment with sound",
  right_context: "Hearing a little further",
  render: "Drawing",
  playout: "Waiting for its turn",
  encode: "Encoding",
  network: "Network to the viewers",
  browser: "This browser's buffer",
};

const nameOf = (part) => NAMES[part] ?? part.replaceAll("_", " ");

export class Delay {
  #button = byId("delay");
  #popover = byId("delay-parts");
  #latest = null;
  #pinned = false;

  constructor() {
    this.#button.addEventListener("click", () => this.#show((this.#pinned = !this.#pinned)));
    this.#button.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && this.#show(true));
    this.#button.addEventListener("pointerleave", () => this.#pinned || this.#show(false));
    document.addEventListener("pointerdown", ({ target }) => this.#button.contains(target) || this.#popover.contains(target) || this.hide());
  }

  /** total in ms (null: not known yet), and its parts in ms in the order in which they happen. */
  set(totalMs, partsMs) {
    this.#latest = totalMs === null ? null : { totalMs, partsMs };
    this.#button.disabled = !this.#latest;
    byId("delay-value").textContent = this.#latest ? `${(totalMs / 1000).toFixed(2)} s` : "–";
    if (!this.#latest) this.hide();
    else if (!this.#popover.hidden) this.#draw();
  }

  hide() {
    this.#pinned = false;
    this.#show(false);
  }

  #show(open) {
    this.#popover.hidden = !open || !this.#latest;
    this.#button.setAttribute("aria-expanded", String(!this.#popover.hidden));
    if (!this.#popover.hidden) this.#draw();
  }

  #draw() {
    const { totalMs, partsMs } = this.#latest;
    const parts = Object.entries(partsMs).filter(([, ms]) => ms >= 0.5);
    const lamp = (index) => `opacity:${SHADES[Math.min(index, SHADES.length - 1)]}`;
    const bar = el("div", { class: "parts-bar", "aria-hidden": "true" });
    const list = el("dl");
    for (const [index, [part, ms]] of parts.entries()) {
      bar.append(el("i", { style: `flex:${ms};${lamp(index)}` }));
      list.append(el("i", { style: lamp(index), "aria-hidden": "true" }), el("dt", {}, nameOf(part)), el("dd", {}, `${Math.round(ms)} ms`));
    }
    const title = el("h3", {}, el("span", {}, "Your voice to the air"), el("span", { class: "figures" }, `${Math.round(totalMs)} ms`));
    this.#popover.replaceChildren(title, ...(parts.length ? [bar, list] : [el("p", {}, "Measured end to end; the parts are not known yet.")]));
  }
}
