// Prompts kept in this browser, offered as one-tap buttons.

import { byId, el, icon } from "./dom.js";

const KEY = "rostrum.presets";
const MAX = 12;
const STARTERS = ["warm smile, nods, slow zoom in", "serious and calm, leans in", "surprised, raises the brows", "at first calm, then very happy"];

/** `send(text)` returns whether it went out. */
export class Presets {
  #send;
  #prompt = byId("prompt");
  #list = byId("presets");
  #keep = byId("keep");
  #texts = read();
  #live = false;

  constructor(send) {
    this.#send = send;
    this.#keep.addEventListener("click", () => this.#add(this.#prompt.value.trim()));
    this.#prompt.addEventListener("input", () => this.#enable());
    this.#draw();
  }

  setLive(live) {
    this.#live = live;
    this.#enable();
  }

  /** The preset of this place in the row, by keyboard. */
  press(index) {
    if (this.#live && this.#texts[index]) this.#send(this.#texts[index]);
  }

  #add(text) {
    if (!text) return;
    this.#texts = [text, ...this.#texts.filter((other) => other !== text)].slice(0, MAX);
    this.#save();
    this.#keep.classList.add("sent");
    setTimeout(() => this.#keep.classList.remove("sent"), 700);
  }

  #remove(text) {
    this.#texts = this.#texts.filter((other) => other !== text);
    this.#save();
    this.#list.querySelector("button")?.focus();
  }

  #save() {
    localStorage.setItem(KEY, JSON.stringify(this.#texts));
    this.#draw();
  }

  #draw() {
    const rows = this.#texts.map((text, index) => {
      const hint = index < 9 ? `${text}\nShift ${index + 1}` : text;
      const use = el("button", { class: "preset", type: "button", title: hint, onclick: () => this.#send(text) }, text);
      const drop = el("button", { class: "preset-drop", type: "button", "aria-label": `Forget the preset “${text}”`, title: "Forget", onclick: () => this.#remove(text) }, icon("close"));
      return el("li", {}, use, drop);
    });
    this.#list.replaceChildren(...rows);
    this.#enable();
  }

  #enable() {
    for (const button of this.#list.querySelectorAll(".preset")) button.disabled = !this.#live;
    const text = this.#prompt.value.trim();
    this.#keep.disabled = !text || this.#texts.includes(text);
  }
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (Array.isArray(kept)) return kept.filter((text) => typeof text === "string" && text.trim()).slice(0, MAX);
  } catch {
    // Somebody else's data under our key: begin anew.
  }
  return [...STARTERS];
}
