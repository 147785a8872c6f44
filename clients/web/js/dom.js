// The few lines of DOM that every module wants.

/** The element with this id; a missing one is a mistake in the page, so it throws. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/** An element with properties (`class`, `data-*` and `aria-*` are set as attributes) and children. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.includes("-") || name === "class" || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** One icon of icons.svg. */
export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `/web/icons.svg#${name}` }));
}

/** Puts its icon into everything that asks for one: <button data-icon="mic">. */
export function dress() {
  for (const bare of document.querySelectorAll("[data-icon]")) bare.prepend(icon(bare.dataset.icon));
}

/** Exchanges the icon inside a button. */
export function setIcon(button, name) {
  button.querySelector("use").setAttribute("href", `/web/icons.svg#${name}`);
}

/** A canvas made as sharp as the screen; returns its 2-D context and its size in CSS pixels. */
export function sharpen(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

const stillness = window.matchMedia("(prefers-reduced-motion: reduce)");

/** Calls `draw` for each picture of the screen, or four times a second for people who asked for less motion. */
export function animate(draw) {
  const turn = () => {
    draw();
    if (stillness.matches) setTimeout(turn, 250);
    else requestAnimationFrame(turn);
  };
  turn();
}

/** 3725 → "1:02:05". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${pad(minutes)}:${pad(rest)}`;
}

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));
