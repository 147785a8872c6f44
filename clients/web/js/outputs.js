// Where the broadcast goes besides its viewers: recording, HLS, and whatever takes RTMP, SRT or WHIP.

import { copy } from "./copying.js";
import { byId, el, icon } from "./dom.js";

const KINDS = {
  rtmp: { name: "RTMP", address: "rtmp://server/app", key: "Stream key" },
  srt: { name: "SRT", address: "srt://server:port", key: "Passphrase, where one is needed" },
  whip: { name: "WHIP", address: "https://server/whip/room", key: "Token, where one is needed" },
  record: { name: "Recording" },
  hls: { name: "HLS" },
};
const STATES = { starting: "starting…", on: "on", retrying: "trying again", failed: "failed", ended: "ended" };
const RUNNING = new Set(["starting", "on", "retrying"]);

/** `send(type, fields)` returns the message's id, or null while nobody is on air. */
export class Outputs {
  #send;
  #asked = new Set(); // ids of messages whose refusal is shown here
  #live = false;
  #query = "";
  #obs = { overlay: "", whip: "", token: "" };
  #latest = [];
  #sheet = byId("outputs");
  #kind = byId("output-kind");
  #url = byId("output-url");
  #key = byId("output-key");

  constructor(send) {
    this.#send = send;
    this.#kind.value = localStorage.getItem("rostrum.output.kind") ?? "rtmp";
    this.#url.value = localStorage.getItem("rostrum.output.url") ?? "";
    this.#kind.addEventListener("change", () => this.#showKind());
    byId("open-outputs").addEventListener("click", () => this.#sheet.showModal());
    byId("outputs-close").addEventListener("click", () => this.#sheet.close());
    for (const [id, what, name] of [["copy-overlay", "Browser source", "overlay"], ["copy-whip", "WHIP server", "whip"], ["copy-whip-token", "Bearer token", "token"]]) {
      byId(id).addEventListener("click", () => copy(byId(id), this.#obs[name], what));
    }
    byId("start-record").addEventListener("click", () => this.#start({ kind: "record" }));
    byId("start-hls").addEventListener("click", () => this.#start({ kind: "hls" }));
    byId("outputs-form").addEventListener("submit", (event) => {
      event.preventDefault();
      localStorage.setItem("rostrum.output.kind", this.#kind.value);
      localStorage.setItem("rostrum.output.url", this.#url.value);
      this.#start({ kind: this.#kind.value, url: this.#url.value.trim(), key: this.#key.value.trim() });
    });
    this.#showKind();
    this.show([]);
  }

  /** Off air nothing can be started, but what was recorded stays in reach. `broadcast`: a `Broadcast`, or null. */
  setLive(live, broadcast) {
    if (broadcast) {
      this.#query = new URL(broadcast.watchUrl).search; // what opens the broadcast to viewers opens its HLS
      const isGreen = broadcast.info.background === "green";
      const overlay = isGreen ? "overlay=clear" : "overlay";
      this.#obs = { overlay: `${broadcast.watchUrl}${this.#query ? "&" : "?"}${overlay}`, whip: broadcast.whipUrl, token: broadcast.info.tokens.host ?? "" };
      byId("obs-picture").textContent = isGreen
        ? "The browser source has the person alone, without the green, and the sound."
        : "The browser source has the picture and its sound. With the background Green the person stands in your scene.";
      byId("copy-whip-token").hidden = !this.#obs.token; // nobody asks for one
    }
    if (live === this.#live) return;
    this.#live = live;
    if (!live) this.#sheet.close();
    this.show(live ? [] : this.#latest.map((output) => (RUNNING.has(output.state) ? { ...output, state: "ended", reason: "" } : output)));
  }

  /** What runs, and the last of what is over, as the server tells it. */
  show(outputs) {
    this.#latest = outputs;
    byId("open-outputs").disabled = !this.#live && !outputs.some(({ kind }) => kind === "record");
    byId("outputs-form").inert = !this.#live;
    for (const button of document.querySelectorAll(".obs button")) button.disabled = !this.#live;
    const running = outputs.filter(({ state }) => RUNNING.has(state));
    const troubled = outputs.some(({ state }) => state === "retrying" || state === "failed");
    byId("outputs-word").textContent = running.length ? `Outputs ${running.length}` : "Outputs";
    byId("open-outputs").dataset.weight = troubled ? "warn" : "";
    byId("start-record").disabled = !this.#live || running.some(({ kind }) => kind === "record");
    byId("start-hls").disabled = !this.#live || running.some(({ kind }) => kind === "hls");
    const list = byId("outputs-list");
    const rows = new Map([...list.children].map((row) => [row.dataset.id, row]));
    list.replaceChildren(...outputs.map((output) => this.#row(output, rows.get(output.id))));
  }

  /** The server refused one of ours, and says why. */
  refused(id, why) {
    if (!this.#asked.delete(id)) return false;
    this.#complain(why);
    return true;
  }

  /** The server took it: a key stays on the page no longer than it must. */
  accepted(id) {
    if (this.#asked.delete(id)) this.#key.value = "";
  }

  #row(output, row = this.#newRow(output)) {
    const [word, reason] = [row.querySelector(".output-word"), row.querySelector(".output-reason")];
    row.dataset.state = output.state;
    word.textContent = [STATES[output.state], output.sent_bytes ? size(output.sent_bytes) : ""].filter(Boolean).join(" · ");
    reason.textContent = output.reason;
    reason.hidden = !output.reason;
    row.querySelector(".output-stop").hidden = !RUNNING.has(output.state);
    return row;
  }

  #newRow({ id, kind, to, link }) {
    const stop = el("button", { class: "button quiet output-stop", type: "button", "aria-label": `Stop ${KINDS[kind].name}` }, "Stop");
    stop.addEventListener("click", () => this.#send("stop_output", { output: id }));
    const name = el("span", { class: "output-name", title: to }, KINDS[kind].name, " ", el("span", { class: "output-to" }, to));
    return el(
      "li",
      { "data-id": id },
      name,
      el("span", { class: "output-word figures" }),
      el("span", { class: "output-buttons" }, { record: () => this.#download(link), hls: () => this.#copy(link + this.#query) }[kind]?.(), stop),
      el("p", { class: "output-reason" }),
    );
  }

  #download(link) {
    return el("a", { class: "button quiet", href: link, download: "", "aria-label": "Download the recording so far" }, "Download");
  }

  #copy(link) {
    const address = new URL(link, location.href).href;
    const button = el("button", { class: "button quiet", type: "button", title: address, "aria-label": "Copy the HLS address" }, icon("link"), el("span", {}, "Address"));
    button.addEventListener("click", () => copy(button, address, "HLS address"));
    return button;
  }

  #start(fields) {
    this.#complain("");
    const id = this.#send("start_output", fields);
    if (id) this.#asked.add(id);
    else this.#complain("The link to the server is down; try again in a moment.");
  }

  #complain(why) {
    const error = byId("outputs-error");
    error.textContent = why;
    error.hidden = !why;
  }

  #showKind() {
    const { address, key } = KINDS[this.#kind.value];
    this.#url.placeholder = address;
    byId("output-key-word").textContent = key;
  }
}

/** 3276800 → "3.3 MB". */
const size = (bytes) => (bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`);
