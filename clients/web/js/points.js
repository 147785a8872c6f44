// A dozen points placed by hand, for faces that no detector sees: drawings, animals, masks.

import { byId, svg } from "./dom.js";

// engines/codecs/portrait/points.py: the required points in an order that is quick to click. Left and right are the face's own.
export const POINTS = [
  ["eye_right_outer", "the outer corner of the eye on the left"],
  ["eye_right_inner", "the inner corner of the eye on the left"],
  ["eye_left_inner", "the inner corner of the eye on the right"],
  ["eye_left_outer", "the outer corner of the eye on the right"],
  ["nose_tip", "the tip of the nose"],
  ["mouth_right", "the left corner of the mouth"],
  ["mouth_left", "the right corner of the mouth"],
  ["lip_top", "the top of the upper lip, in the middle"],
  ["lip_bottom", "the bottom of the lower lip, in the middle"],
  ["chin", "the bottom of the chin"],
  ["face_right", "the left edge of the face, level with the eyes"],
  ["face_left", "the right edge of the face, level with the eyes"],
];

/** Events: `change` after each point. Arrow keys move a pointer of its own, so that a mouse is not needed. */
export class PointPlacing extends EventTarget {
  #picture;
  #overlay;
  #placed = [];
  #pointer = null;

  constructor(picture, overlay) {
    super();
    this.#picture = picture;
    this.#overlay = overlay;
    overlay.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const box = overlay.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * this.#width;
      const y = ((event.clientY - box.top) / box.height) * this.#height;
      this.#place([x, y]);
    });
    overlay.addEventListener("keydown", (event) => this.#key(event));
  }

  get #width() {
    return this.#picture.naturalWidth;
  }

  get #height() {
    return this.#picture.naturalHeight;
  }

  start() {
    this.#placed = [];
    this.#pointer = [this.#width / 2, this.#height / 2];
    this.#overlay.setAttribute("viewBox", `0 0 ${this.#width} ${this.#height}`);
    this.#overlay.setAttribute("tabindex", "0");
    this.#overlay.setAttribute("role", "application");
    this.#overlay.setAttribute("aria-label", "Place the points: arrow keys move, Enter places, Backspace takes back");
    this.#overlay.removeAttribute("hidden");
    this.#overlay.focus();
    this.#changed();
  }

  stop() {
    this.#overlay.setAttribute("hidden", "");
  }

  back() {
    this.#placed.pop();
    this.#changed();
  }

  get complete() {
    return this.#placed.length === POINTS.length;
  }

  get num() {
    return this.#placed.length;
  }

  /** "3 of 12: the tip of the nose" */
  get words() {
    if (this.complete) return "All points placed. Look them over, then make the avatar.";
    return `Point ${this.#placed.length + 1} of ${POINTS.length}: mark ${POINTS[this.#placed.length][1]}`;
  }

  /** {name: [x, y]} in pixels of the upright picture. */
  get points() {
    return Object.fromEntries(this.#placed.map((place, index) => [POINTS[index][0], place.map((v) => Math.round(v * 10) / 10)]));
  }

  #key(event) {
    const step = (event.shiftKey ? 0.05 : 0.005) * this.#width;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (move) {
      this.#pointer = [
        Math.min(this.#width - 1, Math.max(0, this.#pointer[0] + move[0])),
        Math.min(this.#height - 1, Math.max(0, this.#pointer[1] + move[1])),
      ];
      this.#draw();
    } else if (event.key === "Enter" || event.key === " ") this.#place(this.#pointer);
    else if (event.key === "Backspace") this.back();
    else return;
    event.preventDefault();
  }

  #place(place) {
    if (this.complete) return;
    this.#placed.push([...place]);
    this.#pointer = [...place];
    this.#changed();
  }

  #changed() {
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }

  #draw() {
    const radius = this.#width / Math.max(1, this.#overlay.clientWidth) * 4.5;
    const dots = this.#placed.map(([cx, cy]) => svg("circle", { cx, cy, r: radius }));
    if (!this.complete && document.activeElement === this.#overlay) {
      dots.push(svg("circle", { class: "chosen", cx: this.#pointer[0], cy: this.#pointer[1], r: radius * 0.6 }));
    }
    this.#overlay.replaceChildren(...dots);
  }
}

/** The sentence under the picture. */
export function sayPoint(placing) {
  const line = byId("points-now");
  line.hidden = false;
  line.textContent = placing.words;
}
