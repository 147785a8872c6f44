// Comparing pairs of videos: which is better, asked five times a pair. What is left and right, the server alone knows.

import { postJson } from "./api.js";
import { byId, dress, el, setIcon } from "./dom.js";

const QUESTIONS = {
  overall: ["Overall", "which would you rather show?"],
  lip_sync: ["Lip sync", "do lips and voice agree?"],
  visual_quality: ["Picture", "sharp, steady, natural?"],
  control: ["As asked", "feeling, action, camera"],
  identity: ["Same person", "as in the picture"],
};
const CHOICES = [["left", "1", "g"], ["same", "Same", "s"], ["right", "2", "b"]];
const IN_STEP_S = 0.03; // by how much the two may run apart before the one that is not heard is hurried or held up

const key = decodeURIComponent(location.hash.slice(1));
const videos = { left: byId("left"), right: byId("right") };
let session = null;
let at = 0;
let began = 0;
let active = 0;
let heard = "left";

const post = (url, body) => postJson(url, body, key);
const pair = () => session.pairs[at];
const answered = (one) => session.criteria.every((name) => one.answers[name]);

function show(state) {
  document.body.dataset.state = state;
  for (const id of ["welcome", "compare", "done", "trouble"]) byId(id).hidden = id !== state;
}

function trouble(problem) {
  byId("trouble-title").textContent = problem.status === 401 ? "This page cannot be opened" : "That did not work";
  byId("trouble-words").textContent = problem.detail || problem.message;
  pause();
  show("trouble");
}

async function join(name) {
  session = await post("/api/session", { rater: name });
  localStorage.setItem("gsb-rater", session.rater);
  byId("who").textContent = session.rater;
  const first = session.pairs.findIndex((one) => !answered(one));
  if (first < 0) finish();
  else openPair(first);
}

// -- one pair --

function openPair(index) {
  at = index;
  active = 0;
  began = performance.now();
  show("compare");
  byId("prompt").textContent = pair().prompt;
  byId("picture").hidden = !pair().picture;
  byId("asked").hidden = !pair().prompt && !pair().picture;
  if (pair().picture) byId("picture").src = pair().picture;
  for (const [side, video] of Object.entries(videos)) {
    video.src = pair()[side];
    video.currentTime = 0;
  }
  hear("left");
  ask();
  progress();
  window.scrollTo(0, 0);
}

function ask() {
  const fields = session.criteria.map((name, i) => {
    const [title, words] = QUESTIONS[name] ?? [name.replaceAll("_", " "), ""];
    const choices = CHOICES.map(([side, word]) => {
      const input = el("input", { type: "radio", name, value: side, checked: pair().answers[name] === side });
      input.addEventListener("change", () => answer(i, side));
      input.addEventListener("focus", () => activate(i));
      return el("label", { "aria-label": `${title}: ${side === "same" ? "both the same" : `video ${word} is better`}` }, input, word);
    });
    return el("fieldset", { class: "question", "data-question": String(i) }, el("legend", {}, title, el("small", {}, words)), el("div", { class: "choices" }, ...choices));
  });
  byId("questions").replaceChildren(...fields);
  activate(0);
  count();
}

function activate(index) {
  active = Math.max(0, Math.min(session.criteria.length - 1, index));
  for (const field of document.querySelectorAll(".question")) field.toggleAttribute("data-active", Number(field.dataset.question) === active);
}

function answer(index, side) {
  const name = session.criteria[index];
  pair().answers[name] = side;
  document.querySelector(`input[name="${name}"][value="${side}"]`).checked = true;
  count();
  const open = session.criteria.findIndex((other, i) => i > index && !pair().answers[other]);
  activate(open < 0 ? index : open);
}

function count() {
  const missing = session.criteria.filter((name) => !pair().answers[name]).length;
  byId("next").disabled = missing > 0;
  byId("back").disabled = at === 0;
  byId("left-to-say").textContent = missing ? `${missing} of ${session.criteria.length} to say` : "";
  byId("next").textContent = at === session.pairs.length - 1 ? "Finish" : "Next";
}

function progress() {
  const done = session.pairs.filter(answered).length;
  byId("progress").textContent = `${at + 1} of ${session.pairs.length}`;
  byId("progress-line").style.width = `${(100 * done) / session.pairs.length}%`;
}

async function next() {
  if (byId("next").disabled) return;
  byId("next").disabled = true;
  pause();
  try {
    await post("/api/votes", { rater: session.rater, pair: at, answers: pair().answers, took_s: (performance.now() - began) / 1000 });
  } catch (problem) {
    trouble(problem);
    return;
  }
  if (at + 1 < session.pairs.length) openPair(at + 1);
  else finish();
}

function finish() {
  const open = session.pairs.findIndex((one) => !answered(one));
  if (open >= 0) return void openPair(open);
  byId("progress").textContent = "";
  byId("progress-line").style.width = "100%";
  byId("done-words").textContent = `Your answers to ${session.pairs.length} ${session.pairs.length === 1 ? "pair" : "pairs"} are kept. You may close this page.`;
  show("done");
}

// -- both videos, as one --

const duration = () => Math.max(videos.left.duration || 0, videos.right.duration || 0);
const playing = () => !videos.left.paused || !videos.right.paused;

function pause() {
  for (const video of Object.values(videos)) video.pause();
}

async function play() {
  if (playing()) return pause();
  if (videos.left.ended || videos.right.ended) seek(0);
  await Promise.allSettled(Object.values(videos).map((video) => video.play()));
}

function seek(time) {
  for (const video of Object.values(videos)) video.currentTime = Math.min(time, video.duration || 0);
}

function hear(side) {
  heard = side;
  for (const [name, video] of Object.entries(videos)) video.muted = name !== side;
  for (const button of document.querySelectorAll("[data-hear]")) {
    const on = button.dataset.hear === side;
    button.setAttribute("aria-pressed", String(on));
    setIcon(button, on ? "sound" : "sound-off");
  }
}

const minutes = (time) => `${Math.floor(time / 60)}:${String(Math.floor(time % 60)).padStart(2, "0")}`;

function follow() {
  const [lead, other] = heard === "left" ? [videos.left, videos.right] : [videos.right, videos.left];
  const behind = lead.ended || other.ended ? 0 : lead.currentTime - other.currentTime;
  lead.playbackRate = 1;
  other.playbackRate = Math.abs(behind) < IN_STEP_S ? 1 : Math.max(0.5, Math.min(2, 1 + 1.5 * behind)); // no seeking: it stutters
  const whole = duration();
  const now = videos[heard].currentTime;
  if (whole && document.activeElement !== byId("seek")) byId("seek").value = String((1000 * now) / whole);
  byId("clock").textContent = `${minutes(now)} / ${minutes(whole)}`;
  byId("play").textContent = playing() ? "Pause" : "Play both";
}

// -- keys and clicks --

const KEYS = {
  " ": play,
  0: () => seek(0),
  1: () => hear("left"),
  2: () => hear("right"),
  ArrowUp: () => activate(active - 1),
  ArrowDown: () => activate(active + 1),
  ArrowLeft: () => at > 0 && openPair(at - 1),
  Enter: next,
  "?": () => byId("keys").showModal(),
};
for (const [side, , letter] of CHOICES) KEYS[letter] = () => answer(active, side);

document.addEventListener("keydown", (event) => {
  if (byId("compare").hidden || byId("keys").open || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act || (event.key === "Enter" && event.target.closest("button"))) return;
  event.preventDefault();
  act();
});
byId("play").addEventListener("click", play);
byId("next").addEventListener("click", next);
byId("back").addEventListener("click", () => openPair(at - 1));
byId("look-again").addEventListener("click", () => openPair(0));
byId("again").addEventListener("click", () => location.reload());
byId("open-keys").addEventListener("click", () => byId("keys").showModal());
byId("seek").addEventListener("input", () => seek((duration() * Number(byId("seek").value)) / 1000));
byId("seek").addEventListener("change", () => byId("seek").blur());
for (const button of document.querySelectorAll("[data-hear]")) button.addEventListener("click", () => hear(button.dataset.hear));
for (const video of Object.values(videos)) {
  video.addEventListener("loadedmetadata", () => byId("pair").toggleAttribute("data-wide", video.videoWidth > video.videoHeight));
  video.addEventListener("error", () => video.src && trouble(new Error("A video cannot be played. Try again; if it stays so, tell whoever sent you the link.")));
}
byId("join").addEventListener("submit", (event) => {
  event.preventDefault();
  join(byId("name").value.trim()).catch(trouble);
});

dress();
setInterval(follow, 100);
byId("name").value = localStorage.getItem("gsb-rater") ?? "";
show("welcome");
byId("name").focus();
