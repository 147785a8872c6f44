// The Say box: text that the avatar says in place of the microphone, and what of it is on air.

import { byId } from "./dom.js";

/** `send(type, fields)` returns the message's id, or null while nobody is on air. */
export class Say {
  #send;
  #live = false;
  #text = byId("say");
  #sent = new Map(); // id → what was typed

  constructor(send) {
    this.#send = send;
    byId("say-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    this.#text.addEventListener("input", () => this.#enable());
    this.#text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#say();
      } else if (event.key === "Escape") this.#text.blur();
    });
    this.#enable();
  }

  setLive(live) {
    this.#live = live;
    this.#enable();
    if (!live) this.#show("", "");
  }

  /** A new broadcast: nothing has been said yet. */
  clear() {
    this.#sent.clear();
    this.#show("", "");
  }

  focus() {
    this.#text.focus();
  }

  /** A sentence begins or is over. */
  caption({ text, state }) {
    if (state === "on_air") this.#show(text, state);
    else if (byId("say-now").textContent === text) this.#show("", "");
  }

  /** The server refused it, and says why: it comes back into the box. True where the message was one of ours. */
  refused(id, why) {
    if (!this.#sent.has(id)) return false;
    this.#show(why.replace(/`([^`]*)`/g, "“$1”"), "refused");
    if (!this.#text.value) this.#text.value = this.#sent.get(id);
    this.#sent.delete(id);
    this.#enable();
    return true;
  }

  #say() {
    const text = this.#text.value.trim();
    if (!text || !this.#live) return;
    const id = this.#send("say", { text });
    if (id === null) return;
    this.#sent.set(id, text);
    if (this.#sent.size > 100) this.#sent.delete(this.#sent.keys().next().value);
    this.#text.value = "";
    this.#show("", "");
    this.#enable();
  }

  #show(text, state) {
    const now = byId("say-now");
    now.textContent = now.title = text;
    now.dataset.state = state;
  }

  #enable() {
    byId("say-send").disabled = !this.#live || !this.#text.value.trim();
  }
}
