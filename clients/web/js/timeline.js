// The timeline: keyframes and beats scroll by under a present that stands still; what is still to come can be taken hold of.

import { animate, byId, el, icon, sharpen } from "./dom.js";
import { faceOf } from "./faces.js";
import { reasonOf, sayWhen, spansOf } from "./spans.js";
import { EMOTIONS, saySpan } from "./vocabulary.js";

const KEPT_S = 8; // of what has been on air
const THUMB_PX = 46;
const REBASE_S = 600;
const INK = { aired: "#5a534b", committed: "#e8b765", planned: "#e8b76570", wash: "#e8b7650d", line: "#4a443d", text: "#8f877c", lit: "#f1ece3" };
const FONT = '500 11px Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** Events: `pick` with {span, button} as `detail` when a beat is chosen, `remove` with the span when it is to go. */
export class Timeline extends EventTarget {
  #canvas = byId("timeline-canvas");
  #track = byId("timeline-track");
  #edges = null; // {aired, committed, planned} in seconds
  #at = 0; // when they were measured
  #shown = null; // the present, in seconds of the broadcast
  #drawnAt = 0;
  #origin = 0; // seconds at the track's left end
  #spans = new Map(); // key → {span, button}
  #thumbs = new Map(); // pts → {seconds, version, image}
  #scale = 0;

  constructor() {
    super();
    this.#track.addEventListener("keydown", (event) => this.#key(event));
    animate(() => this.#edges && !this.#canvas.closest("[hidden]") && this.#draw());
  }

  /** How far each stage has come, just measured. */
  setHorizon({ aired_s: aired, committed_s: committed, planned_s: planned }) {
    this.#edges = { aired, committed, planned };
    this.#at = performance.now();
    const ahead = (edge) => Math.max(0, edge - aired).toFixed(1);
    this.#canvas.setAttribute("aria-label", `Committed ${ahead(committed)} seconds ahead, planned ${ahead(planned)} seconds ahead`);
  }

  /** The storyline message. What it no longer tells of has been on air, and scrolls out. */
  setStoryline({ beats, because }) {
    const before = new Map([...this.#spans].map(([key, { span }]) => [key, span]));
    const spans = spansOf(beats, because, before);
    const told = new Set(spans.map(({ key }) => key));
    for (const [key, { span, button }] of this.#spans) {
      if (told.has(key)) continue;
      const isPast = this.#shown !== null && span.start_s < this.#shown && span.start_s < beats[0].start_s + 0.001;
      if (isPast) {
        span.end_s = Math.min(span.end_s ?? Infinity, beats[0].start_s);
      } else {
        button.remove();
        this.#spans.delete(key);
      }
    }
    for (const span of spans) this.#put(span);
    this.#order();
  }

  /** A keyframe message: it replaces thumbnails near it, and those of an older plan after it. */
  addKeyframe({ pts, start_s: seconds, version, image }) {
    for (const [at, thumb] of this.#thumbs) {
      const near = Math.abs(thumb.seconds - seconds) < 0.3;
      const outdated = thumb.version < version && thumb.seconds > seconds;
      if (near || outdated) this.#drop(at);
    }
    const picture = el("img", { class: "thumb", src: image, alt: "", draggable: false, decoding: "async" });
    this.#thumbs.set(pts, { seconds, version, picture });
    this.#placeThumb(this.#thumbs.get(pts));
    this.#thin();
  }

  /** The beat that holds, or the next one, takes the keyboard. */
  focus() {
    this.#order();
    this.#track.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  }

  clear() {
    this.#edges = this.#shown = null;
    this.#spans.clear();
    this.#thumbs.clear();
    this.#track.replaceChildren();
  }

  /** What viewers see at this moment, in seconds of the broadcast; null before the first picture. */
  get now() {
    return this.#shown;
  }

  #drop(pts) {
    this.#thumbs.get(pts).picture.remove();
    this.#thumbs.delete(pts);
  }

  #put(span) {
    const known = this.#spans.get(span.key);
    const button = known?.button ?? el("button", { class: "beat", type: "button", tabIndex: -1, "data-lane": span.lane });
    this.#spans.set(span.key, { span, button });
    if (!known) {
      button.addEventListener("click", () => this.#pick(span.key));
      this.#track.append(button);
    }
    const label = el("span", { class: "beat-label" }, glyphOf(span), el("span", {}, saySpan(span)));
    button.dataset.source = span.source;
    button.style.setProperty("--amount", span.lane === "emotion" ? span.amount : 0);
    button.replaceChildren(label);
    this.#place(span, button);
  }

  #pick(key) {
    const { span, button } = this.#spans.get(key);
    this.dispatchEvent(new CustomEvent("pick", { detail: { span, button } }));
  }

  /** One stop for the Tab key; arrows go on from there. */
  #order() {
    const list = this.#sorted();
    const chosen = list.find(({ button }) => button === document.activeElement) ?? list.find(({ span }) => (span.end_s ?? Infinity) > (this.#shown ?? 0));
    for (const each of list) each.button.tabIndex = each === chosen ? 0 : -1;
  }

  #sorted() {
    return [...this.#spans.values()].sort((a, b) => a.span.start_s - b.span.start_s || a.span.lane.localeCompare(b.span.lane));
  }

  #key(event) {
    const list = this.#sorted();
    const at = list.findIndex(({ button }) => button === event.target.closest(".beat"));
    if (at < 0) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      list[Math.min(list.length - 1, Math.max(0, at + step))].button.focus({ preventScroll: true });
      this.#order();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.dispatchEvent(new CustomEvent("remove", { detail: list[at].span }));
    }
  }

  // -- geometry ---------------------------------------------------------------------------------------------------------

  #place(span, button) {
    const left = (span.start_s - this.#origin) * this.#scale;
    button.style.left = `${left}px`;
    button.style.width = `${Math.max(6, ((span.end_s ?? span.start_s + 3600) - span.start_s) * this.#scale - 2)}px`;
  }

  #placeThumb({ seconds, picture }) {
    picture.style.left = `${(seconds - this.#origin) * this.#scale - THUMB_PX / 2}px`;
  }

  #layOut(scale) {
    this.#scale = scale;
    for (const { span, button } of this.#spans.values()) this.#place(span, button);
    for (const thumb of this.#thumbs.values()) this.#placeThumb(thumb);
    this.#thin();
  }

  /** Whoever is in sight stays so; others come into sight where there is room. */
  #thin() {
    const all = [...this.#thumbs.values()].sort((a, b) => b.picture.isConnected - a.picture.isConnected || a.seconds - b.seconds);
    const taken = [];
    for (const { seconds, picture } of all) {
      const fits = taken.every((other) => Math.abs(other - seconds) * this.#scale >= THUMB_PX + 2);
      if (!fits) picture.remove();
      else {
        taken.push(seconds);
        if (!picture.isConnected) this.#track.append(picture);
      }
    }
  }

  #advance() {
    const time = performance.now();
    const target = this.#edges.aired + Math.min(1.5, (time - this.#at) / 1000);
    const passed = (time - this.#drawnAt) / 1000;
    this.#drawnAt = time;
    const far = this.#shown === null || Math.abs(target - this.#shown) > 1;
    this.#shown = far ? target : this.#shown + passed + Math.min(1, 3 * passed) * (target - this.#shown - passed);
    return this.#shown;
  }

  #draw() {
    const { context: pen, width, height } = sharpen(this.#canvas);
    const now = this.#advance();
    const [behind, ahead] = width < 560 ? [1.5, 5] : [3, 9];
    const scale = width / (behind + ahead);
    if (now - this.#origin > REBASE_S || now < this.#origin) this.#origin = Math.floor(now);
    if (scale !== this.#scale || this.#laidOut !== this.#origin) this.#layOut(scale);
    this.#laidOut = this.#origin;
    const x = (seconds) => (seconds - now + behind) * scale;
    const drift = Math.max(0, now - this.#edges.aired);
    const edges = { now: x(now), committed: x(this.#edges.committed + drift), planned: x(this.#edges.planned + drift) };

    this.#track.style.transform = `translateX(${(behind - (now - this.#origin)) * scale}px)`;
    this.#scroll(now, now - behind);
    drawGround(pen, edges, width, height);
    drawSeconds(pen, x, now, ahead, width, height);
  }

  #laidOut = 0;

  /** Labels stay in sight while their beat does; what is past fades and is let go of. */
  #scroll(now, left) {
    for (const [key, { span, button }] of this.#spans) {
      const end = span.end_s ?? Infinity;
      if (end < now - KEPT_S) {
        button.remove();
        this.#spans.delete(key);
        continue;
      }
      const hidden = Math.max(0, (left - span.start_s) * this.#scale);
      const inset = hidden ? `${Math.round(hidden)}px` : "0px";
      if (button.style.getPropertyValue("--inset") !== inset) button.style.setProperty("--inset", inset);
      const phase = end <= now ? "past" : span.start_s <= now ? "now" : span.start_s < this.#edges.committed ? "committed" : "ahead";
      if (button.dataset.phase === phase) continue;
      button.dataset.phase = phase;
      button.setAttribute("aria-label", `${saySpan(span)}, ${sayWhen(span, now)}. ${reasonOf(span)}.`);
      button.title = `${saySpan(span)}\n${reasonOf(span)}`;
    }
    for (const [pts, thumb] of this.#thumbs) {
      if (thumb.seconds < now - KEPT_S) this.#drop(pts);
      thumb.picture.dataset.phase = thumb.seconds <= now ? "past" : thumb.seconds <= this.#edges.committed ? "committed" : "ahead";
    }
  }
}

function glyphOf({ lane, word }) {
  if (lane === "emotion") return faceOf(EMOTIONS.find((entry) => entry.word === word).face);
  return lane === "camera" ? icon(word) : null;
}

/** Aired, committed, planned, intended: a bar along the foot, a wash over what cannot change any more. */
function drawGround(pen, { now, committed, planned }, width, height) {
  const [top, thick] = [height - 24, 5];
  const bar = (from, to, colour) => {
    const [left, right] = [Math.max(0, from), Math.min(width, to)];
    if (right <= left) return;
    pen.fillStyle = colour;
    pen.fillRect(left, top, right - left, thick);
  };
  pen.fillStyle = INK.wash;
  pen.fillRect(Math.max(0, now), 0, Math.max(0, Math.min(width, committed) - now), top);
  bar(0, now, INK.aired);
  bar(now, committed, INK.committed);
  bar(committed, planned, INK.planned);
  pen.fillStyle = INK.line;
  const rest = Math.max(planned, committed, 0);
  if (rest < width) pen.fillRect(rest, top + 2, width - rest, 1);
  pen.fillStyle = INK.lit;
  pen.fillRect(Math.round(now) - 1, 0, 2, top + thick + 3);
}

function drawSeconds(pen, x, now, ahead, width, height) {
  pen.font = FONT;
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  for (let s = -2; s <= ahead; s++) {
    const at = x(now + s);
    if (at < 14 || at > width - 16) continue;
    pen.fillStyle = s === 0 ? INK.lit : INK.text;
    pen.fillText(s === 0 ? "on air" : `${s > 0 ? "+" : "−"}${Math.abs(s)} s`, at, height - 3);
  }
}
