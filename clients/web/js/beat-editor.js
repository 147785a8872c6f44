// The small panel above a beat: what it is, why it is there, and other words for it.

import { byId, el, icon } from "./dom.js";
import { faceOf } from "./faces.js";
import { reasonOf, sayWhen } from "./spans.js";
import { ACTIONS, CAMERA_MOVES, degreeWord, EMOTIONS, paceWord, saySpan } from "./vocabulary.js";

/** Events: `change` with {span, changes}, `remove` with the span. */
export class BeatEditor extends EventTarget {
  #panel = byId("beat-editor");
  #span = null;
  #button = null;
  #actions = ACTIONS;

  constructor() {
    super();
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
    document.addEventListener("pointerdown", ({ target }) => this.#panel.hidden || this.#panel.contains(target) || target.closest(".beat") || this.close());
  }

  /** `committed` and `now` in seconds of the broadcast: what lies before `committed` cannot change any more. */
  open(span, button, now, committed, actions) {
    this.#span = span;
    this.#button = button;
    this.#actions = actions;
    const isFixed = (span.end_s ?? Infinity) <= committed;
    const close = el("button", { class: "button quiet square", type: "button", "aria-label": "Close", onclick: () => this.close() }, icon("close"));
    const remove = el("button", { class: "button", type: "button", onclick: () => this.#remove() }, icon("bin"), "Delete");
    const why = el("p", { class: "beat-why", "data-source": span.source }, reasonOf(span));
    const parts = [el("div", { class: "beat-head" }, el("div", {}, el("h3", { id: "beat-title" }, saySpan(span), el("small", {}, sayWhen(span, now))), why), close)];
    if (isFixed) parts.push(el("p", { class: "hint" }, "This is on air, or being drawn: it cannot change any more."));
    else {
      parts.push(this.#choices(), el("div", { class: "beat-foot" }, this.#amount(), remove));
      if (span.start_s < committed) parts.push(el("p", { class: "hint" }, "What is on air already stays; the rest changes."));
    }
    this.#panel.replaceChildren(...parts);
    this.#panel.hidden = false;
    this.#stand(button);
    (this.#panel.querySelector('[aria-pressed="true"]') ?? close).focus({ preventScroll: true });
  }

  close() {
    if (this.#panel.hidden) return;
    const held = this.#panel.contains(document.activeElement);
    this.#panel.hidden = true;
    if (held && this.#button?.isConnected) this.#button.focus({ preventScroll: true });
  }

  #choices() {
    const { lane, word } = this.#span;
    const entries = { emotion: EMOTIONS, action: this.#actions, camera: CAMERA_MOVES.filter((move) => move.word !== "static") }[lane];
    const choose = (entry) => () => {
      this.#change(lane === "emotion" ? { emotion: entry.word, intensity: this.#span.amount } : { [lane]: entry.word });
    };
    const buttons = entries.map((entry) => {
      const inside = { emotion: () => [faceOf(entry.face), el("span", {}, entry.label)], action: () => [entry.label], camera: () => [icon(entry.word), el("span", {}, entry.label)] }[lane]();
      const name = { emotion: "emotion", action: "chip", camera: "camera" }[lane];
      return el("button", { class: name, type: "button", "aria-pressed": String(entry.word === word), onclick: choose(entry) }, ...inside);
    });
    return el("div", { class: { emotion: "emotions", action: "chips", camera: "cameras" }[lane] }, ...buttons);
  }

  #amount() {
    const { lane, amount } = this.#span;
    if (lane === "action") return el("span");
    const word = el("span", {}, lane === "emotion" ? degreeWord(amount) : paceWord(amount));
    const slider = el("input", { type: "range", min: 0, max: 1, step: 0.05, "aria-label": lane === "emotion" ? "Strength of this emotion" : "Speed of this move" });
    slider.value = amount;
    slider.addEventListener("input", () => (word.textContent = lane === "emotion" ? degreeWord(slider.valueAsNumber) : paceWord(slider.valueAsNumber)));
    slider.addEventListener("change", () => this.#change(lane === "emotion" ? { intensity: slider.valueAsNumber } : { camera_speed: slider.valueAsNumber }));
    return el("label", { class: "strength" }, slider, word);
  }

  #change(changes) {
    this.dispatchEvent(new CustomEvent("change", { detail: { span: this.#span, changes } }));
    this.close();
  }

  #remove() {
    this.dispatchEvent(new CustomEvent("remove", { detail: this.#span }));
    this.close();
  }

  /** Above the beat, inside the stage; on a phone the stylesheet makes it a sheet at the foot. */
  #stand(button) {
    const room = this.#panel.parentElement.getBoundingClientRect();
    const beat = button.getBoundingClientRect();
    const middle = (Math.max(beat.left, room.left) + Math.min(beat.right, room.right)) / 2 - room.left;
    const left = Math.min(room.width - this.#panel.offsetWidth, Math.max(0, middle - this.#panel.offsetWidth / 2));
    this.#panel.style.setProperty("--left", `${left}px`);
  }
}
