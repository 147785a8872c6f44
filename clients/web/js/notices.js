// The notices above the picture. One a problem: the same problem again replaces its notice.

import { byId, el, icon } from "./dom.js";
import { words } from "./problems.js";

const shown = new Map();

/** Says what is wrong and the way out. `weight` "mild" is for what mends itself; `again` is run by a "Try again" button. */
export function notify(problem, { weight = "grave", again } = {}) {
  settle(problem.code);
  const { title, text } = words(problem);
  const close = el("button", { class: "button quiet", type: "button", "aria-label": "Dismiss", onclick: () => settle(problem.code) });
  close.append(icon("close"));
  const buttons = el("div", { class: "notice-buttons" });
  if (again) {
    const retry = () => {
      settle(problem.code);
      again();
    };
    buttons.append(el("button", { class: "button", type: "button", onclick: retry }, "Try again"));
  }
  buttons.append(close);
  const properties = { class: "notice", role: weight === "mild" ? "status" : "alert", "data-weight": weight, "data-code": problem.code };
  const notice = el("div", properties, icon("warn"), el("strong", {}, title), el("p", {}, text), buttons);
  shown.set(problem.code, notice);
  byId("notices").append(notice);
}

/** Takes the notice of a problem away, now that it is solved. */
export function settle(...codes) {
  for (const code of codes) {
    shown.get(code)?.remove();
    shown.delete(code);
  }
}

export function settleAll() {
  settle(...shown.keys());
}

/** Tells people who listen to the page rather than see it. */
export function announce(text) {
  byId("announce").textContent = text;
}
