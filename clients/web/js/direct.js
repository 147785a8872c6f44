// Directing: the prompt box, the one-tap words, and what the server said to each.

import { byId, el, icon } from "./dom.js";
import { faceOf } from "./faces.js";
import { Presets } from "./presets.js";
import { ACTIONS, CAMERA_MOVES, degreeWord, EMOTIONS, labelOf, paceWord, PIXEL_ACTIONS } from "./vocabulary.js";

const NUM_SHOWN = 4;

/** `send(type, fields)` returns the message's id, or null while nobody is on air. */
export class Direct {
  #send;
  #said = new Map(); // id → {row, when, airsAt, word}; airsAt as performance.now() has it
  #prompt = byId("prompt");
  #intensity = byId("intensity");
  #speed = byId("speed");
  #live = false;
  #presets = new Presets((text) => this.#sendText(text));
  actions = ACTIONS;

  constructor(send) {
    this.#send = send;
    this.#drawButtons();
    byId("prompt-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendPrompt();
    });
    this.#prompt.addEventListener("input", () => this.#enable());
    this.#prompt.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#sendPrompt();
      } else if (event.key === "Escape") this.#prompt.blur();
    });
    this.#intensity.addEventListener("input", () => (byId("intensity-word").textContent = degreeWord(this.#intensity.valueAsNumber)));
    this.#intensity.addEventListener("change", () => this.#pressed("emotions") && this.#emotion(this.#pressed("emotions")));
    this.#speed.addEventListener("input", () => (byId("speed-word").textContent = paceWord(this.#speed.valueAsNumber)));
    setInterval(() => this.#count(), 100);
    this.setLive(false);
  }

  /** Nothing can be sent while off air, except that a prompt written before goes out first thing. */
  setLive(live) {
    this.#live = live;
    this.#presets.setLive(live);
    this.#enable();
    if (!live) {
      for (const button of document.querySelectorAll('.direct [aria-pressed="true"]')) button.setAttribute("aria-pressed", "false");
    }
    this.#hint();
  }

  /** A new broadcast: nothing has been said yet. */
  clear() {
    this.#said.clear();
    byId("accepted").replaceChildren();
    this.#hint();
  }

  /** The prompt as it stands, taken out of the box: for the moment of going live. */
  get text() {
    return this.#prompt.value.trim();
  }

  sendPending() {
    if (this.text) this.#sendPrompt();
  }

  focus() {
    this.#prompt.focus();
  }

  /** What the model on air draws (words of the hello message): hands are offered only where there are any. */
  setDrawn(words) {
    this.actions = [...ACTIONS, ...PIXEL_ACTIONS].filter(({ word }) => words.includes(word));
    this.#drawActions();
    this.#enable();
  }

  /** The preset of this place in the row, by keyboard. */
  pressPreset(index) {
    this.#presets.press(index);
  }

  /** The emotion of this place in the row, by keyboard. */
  press(index) {
    if (this.#live) this.#emotion(EMOTIONS[index].word);
  }

  /** The server took the message: it goes on air in `inS` seconds, as it was understood. */
  accepted(id, inS, { understood, undrawn, cues, note }) {
    const said = this.#said.get(id);
    if (!said) return;
    said.airsAt = performance.now() + 1000 * inS;
    if (understood.length && said.isPrompt) said.row.append(el("span", { class: "understood", title: understood.join("\n") }, understood.join(" · ")));
    if (undrawn.length) said.row.append(el("span", { class: "undrawn" }, `Not drawn, no hands in view: ${undrawn.map(labelOf).join(", ").toLowerCase()}`));
    if (note) said.row.append(el("span", { class: "undrawn whole" }, note));
    said.cues = cues;
    this.#mark(said, cues.length ? "waiting" : "accepted");
    if (cues.length) said.when.textContent = `waits for “${cues[0]}”`;
    this.#count();
  }

  /** The server refused it, and says why. True where the message was one of ours. */
  refused(id, why) {
    const said = this.#said.get(id);
    if (!said) return false;
    said.when.textContent = why.replace(/`([^`]*)`/g, "“$1”");
    this.#mark(said, "refused");
    return true;
  }

  /** These cue words have been heard: what waited for them goes on air. */
  heard(cues) {
    for (const said of this.#said.values()) {
      if (said.word !== "waiting" || !said.cues.some((cue) => cues.includes(cue))) continue;
      said.airsAt = performance.now();
      this.#mark(said, "accepted");
    }
    this.#count();
  }

  /** What the storyline now says: the buttons show it. */
  showBeat({ emotion, camera }) {
    for (const [group, word] of [["emotions", emotion], ["cameras", camera]]) {
      for (const button of byId(group).children) button.setAttribute("aria-pressed", String(button.dataset.word === word));
    }
  }

  #drawActions() {
    byId("actions").replaceChildren(...this.actions.map((entry) => button("chip", entry, (event) => this.#action(entry.word, event.currentTarget), entry.label)));
  }

  #drawButtons() {
    byId("emotions").append(
      ...EMOTIONS.map((entry) => button("emotion", entry, () => this.#emotion(entry.word), faceOf(entry.face), el("span", {}, entry.label))),
    );
    this.#drawActions();
    byId("cameras").append(
      ...CAMERA_MOVES.map((entry) => button("camera", entry, () => this.#camera(entry.word), icon(entry.word), el("span", {}, entry.label))),
    );
  }

  #pressed(group) {
    return byId(group).querySelector('[aria-pressed="true"]')?.dataset.word ?? null;
  }

  #press(group, word) {
    for (const button of byId(group).children) button.setAttribute("aria-pressed", String(button.dataset.word === word));
  }

  #emotion(word) {
    const intensity = this.#intensity.valueAsNumber;
    if (this.#say(`${labelOf(word)}, ${degreeWord(intensity)}`, "emotion", { emotion: word, intensity })) this.#press("emotions", word);
  }

  #action(word, button) {
    if (!this.#say(labelOf(word), "action", { action: word })) return;
    button.classList.add("sent");
    setTimeout(() => button.classList.remove("sent"), 700);
  }

  #camera(word) {
    const speed = this.#speed.valueAsNumber;
    const text = word === "static" ? "Camera still" : `${labelOf(word)}, ${paceWord(speed)}`;
    if (this.#say(text, "camera", { move: word, speed })) this.#press("cameras", word);
  }

  #sendPrompt() {
    if (!this.text || !this.#sendText(this.text)) return;
    this.#prompt.value = "";
    this.#prompt.dispatchEvent(new Event("input"));
  }

  #sendText(text) {
    return this.#say(text, "prompt", { text });
  }

  #say(text, type, fields) {
    const id = this.#send(type, fields);
    if (id === null) return false;
    const when = el("span", { class: "when" }, "sent…");
    const row = el("li", { "data-word": "sent" }, el("span", { class: "said", title: text }, text), when);
    this.#said.set(id, { row, when, airsAt: Infinity, word: "sent", isPrompt: type === "prompt" });
    const list = byId("accepted");
    list.prepend(row);
    while (list.children.length > NUM_SHOWN) list.lastChild.remove();
    this.#hint();
    for (const [old, { row: gone }] of this.#said) if (!gone.isConnected) this.#said.delete(old);
    return true;
  }

  #hint() {
    byId("prompt-hint").hidden = this.#said.size > 0;
  }

  #mark(said, word) {
    said.word = word;
    said.row.dataset.word = word;
  }

  #count() {
    for (const said of this.#said.values()) {
      if (said.word !== "accepted") continue;
      const left = (said.airsAt - performance.now()) / 1000;
      if (left <= 0) this.#mark(said, "aired");
      const text = left > 0 ? `on air in ${left.toFixed(1)} s` : "on air";
      if (said.when.textContent !== text) said.when.textContent = text;
    }
  }

  #enable() {
    for (const button of document.querySelectorAll(".direct :is(.emotion, .chip, .camera)")) button.disabled = !this.#live;
    byId("send").disabled = !this.#live || !this.text;
  }
}

/** One word of the vocabulary as a button. */
function button(name, entry, act, ...inside) {
  const pressed = name === "chip" ? undefined : "false";
  return el("button", { class: name, type: "button", title: entry.title, "data-word": entry.word, "aria-pressed": pressed, onclick: act }, ...inside);
}
