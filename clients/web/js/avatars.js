// The avatar picker: pictures in a radio group, and the tile that adds one.

import { getJson } from "./api.js";
import { byId, el, icon } from "./dom.js";

/** Events: `change` when another avatar is chosen; `wish` with its name while live; `add` with a picture File as `detail`. */
export class Avatars extends EventTarget {
  #group = byId("avatars");
  #picture = byId("picture");
  all = [];
  #mode = "choose"; // or "wait", or "live": who is tapped is asked for, and chosen once the server says so
  #opening = null;
  chosen = null;

  constructor() {
    super();
    this.#group.replaceChildren(...Array.from({ length: 6 }, () => el("div", { class: "avatar ghost" })));
    this.#group.addEventListener("keydown", (event) => this.#arrow(event));
    this.#picture.addEventListener("change", () => {
      if (this.#picture.files[0]) this.#add(this.#picture.files[0]);
      this.#picture.value = "";
    });
    this.#takeDrops();
  }

  /** Asks the server; chooses `name`, or keeps the choice, or takes the first. Throws a Problem. */
  async load(name) {
    const avatars = await getJson("/api/avatars");
    this.all = avatars;
    const wanted = name ?? this.chosen?.name ?? localStorage.getItem("rostrum.avatar");
    this.#choose(avatars.find((avatar) => avatar.name === wanted) ?? avatars[0] ?? null);
  }

  /** "choose" off air, "live" on air, "wait" between. */
  setMode(mode) {
    this.#mode = mode;
    if (mode !== "live") this.#opening = null;
    this.#draw();
  }

  /** Who is on air, and who is being opened (null: nobody), as the server says. */
  setOnAir(name, opening) {
    this.#opening = opening;
    const onAir = this.all.find((avatar) => avatar.name === name);
    if (onAir) this.#choose(onAir);
  }

  #tap(avatar) {
    if (this.#mode === "choose") this.#choose(avatar);
    else if (avatar.name !== (this.#opening ?? this.chosen?.name)) this.dispatchEvent(new CustomEvent("wish", { detail: avatar.name }));
  }

  #choose(avatar) {
    const changed = avatar?.name !== this.chosen?.name;
    this.chosen = avatar;
    if (avatar) localStorage.setItem("rostrum.avatar", avatar.name);
    this.#draw();
    if (changed) this.dispatchEvent(new Event("change"));
  }

  #draw() {
    const tiles = this.all.map((avatar) => {
      const checked = avatar.name === this.chosen?.name;
      const properties = {
        class: "avatar",
        type: "button",
        role: "radio",
        "aria-checked": String(checked),
        "data-name": avatar.name,
        tabIndex: checked ? 0 : -1,
        "aria-busy": avatar.name === this.#opening ? "true" : undefined,
        disabled: this.#mode === "wait",
        onclick: () => this.#tap(avatar),
      };
      return el("button", properties, el("img", { src: avatar.thumbnail_url, alt: "", loading: "lazy" }), el("span", {}, avatar.title));
    });
    const upload = el(
      "button",
      { class: "avatar upload", type: "button", disabled: this.#mode !== "choose", onclick: () => this.#picture.click() },
      icon("plus"),
      "Add picture",
    );
    const focused = document.activeElement?.closest?.("#avatars [data-name]")?.dataset.name;
    this.#group.replaceChildren(...tiles, upload);
    if (focused) this.#group.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
  }

  #arrow(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || this.#mode !== "choose" || !this.all.length || event.target.getAttribute("role") !== "radio") return;
    event.preventDefault();
    const at = this.all.findIndex((avatar) => avatar.name === this.chosen?.name);
    this.#choose(this.all[(at + step + this.all.length) % this.all.length]);
    this.#group.querySelector('[aria-checked="true"]').focus();
  }

  get #takesPictures() {
    return this.#mode === "choose";
  }

  #add(file) {
    this.dispatchEvent(new CustomEvent("add", { detail: file }));
  }

  #takeDrops() {
    const drop = byId("drop");
    const holdsFile = (event) => event.dataTransfer?.types.includes("Files");
    let depth = 0;
    addEventListener("dragenter", (event) => {
      if (!holdsFile(event) || !this.#takesPictures) return;
      event.preventDefault();
      depth += 1;
      drop.hidden = false;
    });
    addEventListener("dragover", (event) => holdsFile(event) && event.preventDefault());
    addEventListener("dragleave", (event) => {
      if (!holdsFile(event) || !this.#takesPictures) return;
      depth = Math.max(0, depth - 1);
      drop.hidden = depth === 0;
    });
    addEventListener("drop", (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      depth = 0;
      drop.hidden = true;
      if (this.#takesPictures && event.dataTransfer.files[0]) this.#add(event.dataTransfer.files[0]);
    });
  }
}
