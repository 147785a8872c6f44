// The horizon as a slim bar: aired | committed | planned | intended, under a present that stands still.

import { sharpen, animate } from "./dom.js";
import { labelOf } from "./vocabulary.js";

const BEHIND_S = 2.5;
const AHEAD_S = 7.5;
const COLOURS = { aired: "#5a534b", committed: "#e8b765", planned: "#e8b76566", line: "#e8b76577", text: "#b3aa9e", lit: "#f1ece3" };
const FONT = '500 11.5px Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** Times are seconds of the broadcast: what viewers see now, and how far each kind reaches. */
export class Horizon {
  #canvas;
  #edges = null;
  #at = 0;
  #beats = [];

  constructor(canvas) {
    this.#canvas = canvas;
    animate(() => this.#edges && !canvas.closest("[hidden]") && this.#draw());
  }

  /** {aired, committed, planned} in seconds, just measured. */
  set(edges) {
    this.#edges = edges;
    this.#at = performance.now();
    const ahead = (edge) => Math.max(0, edge - edges.aired).toFixed(1);
    this.#canvas.setAttribute(
      "aria-label",
      `Committed ${ahead(edges.committed)} seconds ahead, planned ${ahead(edges.planned)} seconds ahead`,
    );
  }

  /** The storyline's beats: [{start, emotion, action, camera, source}], start in seconds. */
  setBeats(beats) {
    this.#beats = beats;
  }

  clear() {
    this.#edges = null;
    this.#beats = [];
  }

  /** What viewers see at this moment, in seconds of the broadcast; null before the first frame. */
  get now() {
    return this.#edges && this.#edges.aired + Math.min(1.5, (performance.now() - this.#at) / 1000);
  }

  #draw() {
    const { context: pen, width, height } = sharpen(this.#canvas);
    const now = this.now;
    const drift = now - this.#edges.aired;
    const x = (time) => ((time - now + BEHIND_S) / (BEHIND_S + AHEAD_S)) * width;
    const [top, thick] = [height - 26, 12];
    const bar = (from, to, colour) => {
      const [left, right] = [Math.max(0, x(from)), Math.min(width, x(to))];
      if (right <= left) return;
      pen.fillStyle = colour;
      pen.fillRect(left, top, right - left, thick);
    };

    pen.save();
    pen.beginPath();
    pen.roundRect(0, top, width, thick, 3);
    pen.clip();
    bar(0, now, COLOURS.aired);
    bar(now, this.#edges.committed + drift, COLOURS.committed);
    bar(this.#edges.committed + drift, this.#edges.planned + drift, COLOURS.planned);
    pen.restore();
    pen.strokeStyle = COLOURS.line;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.roundRect(0.5, top + 0.5, width - 1, thick - 1, 3);
    pen.stroke();

    pen.font = FONT;
    pen.textBaseline = "alphabetic";
    this.#drawSeconds(pen, x, now, height, width);
    this.#drawBeats(pen, x, now, top, thick, width);
    pen.fillStyle = COLOURS.lit;
    pen.fillRect(Math.round(x(now)) - 1, top - 4, 2, thick + 8);
  }

  #drawSeconds(pen, x, now, height, width) {
    pen.textAlign = "center";
    for (let s = -2; s <= AHEAD_S; s++) {
      const at = x(now + s);
      if (at < 12 || at > width - 14 || (width < 420 && s % 2)) continue;
      pen.fillStyle = s === 0 ? COLOURS.lit : COLOURS.text;
      pen.fillText(s === 0 ? "on air" : `${s > 0 ? "+" : "−"}${Math.abs(s)} s`, at, height - 1);
    }
  }

  #drawBeats(pen, x, now, top, thick, width) {
    let free = -Infinity;
    pen.textAlign = "left";
    const visible = this.#beats.filter((beat) => x(beat.start) < width);
    const current = visible.findLastIndex((beat) => x(beat.start) <= 0);
    for (const [index, beat] of visible.entries()) {
      if (index < current) continue;
      const at = Math.max(0, x(beat.start));
      const words = [beat.emotion, beat.action, beat.camera === "static" ? null : beat.camera].filter(Boolean).map(labelOf);
      const text = words.join(" · ").toLowerCase();
      const aired = visible[index + 1]?.start <= now;
      const marked = x(beat.start) >= 0 && beat.start > 0;
      const left = at + (marked ? 5 : 0);
      const fits = left >= free + 10;
      pen.fillStyle = aired ? COLOURS.text : COLOURS.lit;
      if (marked) pen.fillRect(Math.round(at), top - (fits ? 12 : 0), 1, thick + (fits ? 12 : 0));
      if (!fits) continue;
      pen.fillText(text, left, top - 5);
      free = left + pen.measureText(text).width;
    }
  }
}
