// The host's page: puts the parts together, and is the only one that knows in which state the page is.

import { Avatars } from "./avatars.js";
import { Backgrounds } from "./backgrounds.js";
import { BeatEditor } from "./beat-editor.js";
import { Broadcast } from "./broadcast.js";
import { Captions } from "./captions.js";
import { copy } from "./copying.js";
import { Delay } from "./delay.js";
import { Direct } from "./direct.js";
import { byId, clock, dress, el, setIcon } from "./dom.js";
import { NewAvatar } from "./new-avatar.js";
import { announce, notify, settle, settleAll } from "./notices.js";
import { Outputs } from "./outputs.js";
import { asProblem, Problem } from "./problems.js";
import { Say } from "./say.js";
import { Setup } from "./setup.js";
import { Timeline } from "./timeline.js";
import { labelOf } from "./vocabulary.js";

const FORMATS = [
  ["512x512", 25, "Square, 512 × 512, 25 fps"],
  ["720x720", 25, "Square, 720 × 720, 25 fps"],
  ["1280x720", 25, "Wide, 1280 × 720, 25 fps"],
  ["1920x1080", 25, "Wide, 1920 × 1080, 25 fps"],
  ["1920x1080", 48, "Wide, 1920 × 1080, 48 fps"],
  ["720x1280", 25, "Tall, 720 × 1280, 25 fps"],
];
const TICKS_PER_S = 48_000; // of the media clock
const TALLY = { idle: ["off", "Off air"], starting: ["wait", "Starting"], live: ["on", "On air"], reconnecting: ["wait", "Reconnecting"] };

dress();
const [video, still, screen] = [byId("onair"), byId("still"), byId("screen")];
const avatars = new Avatars();
const backgrounds = new Backgrounds();
const setup = new Setup();
const newAvatar = new NewAvatar();
const timeline = new Timeline();
const editor = new BeatEditor();
const delay = new Delay();
const captions = new Captions();
const tell = (type, fields) => broadcast?.control.send(type, fields) ?? null;
const direct = new Direct(tell);
const prompter = new Say(tell);
const outputs = new Outputs(tell);

let broadcast = null;
let state = "idle";
let liveSince = 0;
let committedS = 0;
let status = { idle: false };

// -- state --------------------------------------------------------------------------------------------------------------

function enter(next) {
  state = next;
  document.body.dataset.state = next;
  const [tally, word] = TALLY[next];
  byId("tally").dataset.tally = tally;
  byId("tally-word").textContent = word;
  const onAir = next === "live" || next === "reconnecting";
  byId("golive").hidden = onAir;
  byId("golive").disabled = next === "starting" || !avatars.chosen;
  byId("golive").textContent = next === "starting" ? "Starting…" : "Go live";
  byId("end").hidden = !onAir;
  for (const id of ["timeline", "idle", "interrupt"]) byId(id).hidden = !onAir;
  byId("preview-sound").hidden = !onAir;
  byId("copy-link").disabled = !onAir;
  byId("format").disabled = byId("bitrate").disabled = backgrounds.disabled = next !== "idle";
  byId("viewers-reading").hidden = !onAir;
  avatars.setMode({ idle: "choose", starting: "wait" }[next] ?? "live");
  direct.setLive(onAir);
  prompter.setLive(onAir);
  outputs.setLive(onAir, broadcast);
  if (!onAir) {
    screen.dataset.picture = avatars.chosen ? "still" : "none";
    byId("tally-clock").textContent = "";
    byId("health").textContent = "";
    delay.set(null, {});
    timeline.clear();
    editor.close();
    captions.clear();
    showStatus({ muted: false, idle: false });
  }
  document.title = next === "live" ? "● On air – Rostrum" : "Rostrum";
  say();
}

/** The line beside the buttons: what to do next, or what is going on. */
function say() {
  byId("transport-word").textContent = {
    idle: !avatars.chosen ? "" : setup.mic.track || setup.types ? "Ready." : "Your browser will ask for the microphone.",
    starting: setup.types ? "Preparing the avatar…" : "Preparing the avatar and your microphone…",
    live: status.opening ? `Opening ${titleOf(status.opening)}…` : status.idle ? "Resting: your voice is off the air." : setup.muted ? "Muted: viewers hear nothing." : "",
    reconnecting: "The link to the server broke. Trying again…",
  }[state];
}

async function goLive() {
  if (state !== "idle" || !avatars.chosen) return;
  settleAll();
  if (!setup.types && !setup.mic.track && !(await setup.open())) return;
  enter("starting");
  announce("Going live");
  direct.clear();
  prompter.clear();
  const [size, fps] = byId("format").value.split("@");
  try {
    const track = setup.types ? null : setup.mic.track;
    const choices = { avatar: avatars.chosen.name, size, fps: Number(fps), background: backgrounds.chosen, bitrate: byId("bitrate").value };
    broadcast = await Broadcast.make(choices, track, video);
    listen(broadcast);
    await broadcast.start();
  } catch (error) {
    await stop();
    notify(asProblem(error), { again: goLive });
  }
}

async function stop({ over = false } = {}) {
  const ended = broadcast;
  broadcast = null;
  enter("idle");
  await ended?.end({ over });
}

async function end() {
  const lasted = clock((performance.now() - liveSince) / 1000);
  settle("control_gone", "server_gone", "ice_failed");
  await stop();
  announce("Off air");
  byId("transport-word").textContent = `The broadcast has ended after ${lasted}.`;
}

// -- one broadcast --------------------------------------------------------------------------------------------------------

function listen(mine) {
  const { control, publisher, player } = mine;
  const on = (target, name, act) => target.addEventListener(name, ({ detail }) => mine === broadcast && act(detail));

  if (publisher) on(publisher, "state", ({ state: link, problem }) => {
    if (link === "reconnecting") enter("reconnecting");
    else if (link === "connected" && state === "reconnecting") {
      settle("server_gone", "ice_failed");
      enter("live");
      announce("Back on air");
    } else if (link === "lost") {
      stop();
      notify(asProblem(problem), { again: goLive });
    }
  });

  on(player, "state", ({ state: picture, problem }) => {
    screen.dataset.picture = picture === "playing" ? "live" : "still";
    if (picture === "playing") {
      if (state === "starting") onAir();
    } else if (picture === "retrying" && problem && problem.code !== "unknown" && state === "live") notify(problem, { weight: "mild" });
  });

  on(control, "open", () => {
    settle("control_gone");
    if (setup.mic.muted) tell("mute", { on: true });
  });
  on(control, "gone", () => state === "live" && notify(new Problem("control_gone"), { weight: "mild" }));
  let [beats, changedAtS] = [[], 0];
  on(control, "message:hello", ({ actions }) => direct.setDrawn(actions));
  on(control, "message:accepted", (message) => {
    changedAtS = message.on_air_pts / TICKS_PER_S;
    outputs.accepted(message.id);
    direct.accepted(message.id, message.on_air_in_s, message);
  });
  on(control, "message:storyline", (message) => {
    beats = message.beats;
    timeline.setStoryline(message);
    byId("undo").disabled = !message.can_undo;
    byId("cues").replaceChildren(...message.cues.map(cueLine));
  });
  on(control, "message:caption", (message) => prompter.caption(message));
  on(control, "message:draining", ({ ends_in_s: leftS, reason }) => notify(new Problem("draining", { detail: `${reason}: this broadcast ends within ${Math.ceil(leftS)} seconds` }), { weight: "mild" }));
  on(control, "message:keyframe", (message) => timeline.addKeyframe(message));
  on(control, "message:status", showStatus);
  on(control, "message:heard", (message) => {
    captions.show(message);
    direct.heard(message.cues);
  });
  on(control, "message:outputs", (message) => outputs.show(message.outputs));
  on(control, "message:director", showDirector);
  on(control, "message:horizon", (message) => {
    committedS = message.committed_s;
    timeline.setHorizon(message);
    const shownS = Math.max(message.aired_s, changedAtS); // what was asked for last, until that is past
    const beat = beats.findLast(({ start_s: start }) => start <= shownS + 0.001);
    if (beat) direct.showBeat(beat);
  });
  on(control, "message:metrics", async (message) => {
    byId("viewers").textContent = Math.max(0, message.viewers - 1);
    showHealth(message);
    if (!message.delay_ms) return;
    const { total, ...parts } = message.delay_ms;
    const browser = (await player.stats()).bufferMs;
    if (mine === broadcast) delay.set(total + browser, { ...parts, browser });
  });
  on(control, "message:state", ({ state: word, reason }) => {
    if (word === "idle" && state === "live") byId("transport-word").textContent = "The server does not hear you…";
    else if (word === "live") say();
    if (word !== "ended") return;
    stop({ over: true });
    notify(new Problem("no_broadcast", { detail: reason }));
  });
  on(control, "message:error", ({ id, code, message }) => {
    if (id && (direct.refused(id, message) || prompter.refused(id, message) || outputs.refused(id, message))) return;
    if (code === "unknown_broadcast" && publisher) return; // the way back is under way
    if (code === "unknown_broadcast") stop({ over: true });
    notify(new Problem(code, { detail: message }), { weight: "mild" });
  });
}

/** “goodbye”: sad */
function cueLine({ words, directives }) {
  const title = `When “${words}” is heard`;
  return el("li", { title }, `“${words}” → ${directives.map(({ word }) => labelOf(word).toLowerCase()).join(", ")}`);
}

/** What is switched on for everybody, as the server says. */
function showStatus(message) {
  status = message;
  setup.setMutedByServer(message.muted);
  byId("idle").setAttribute("aria-pressed", String(message.idle));
  if (message.avatar) avatars.setOnAir(message.avatar, message.opening);
  say();
}

/** Which director plans; a word only where a language model is asked. */
function showDirector({ backend, state: how, reason, planned_by: planner }) {
  const word = byId("director-word");
  const slow = how === "resting" || (planner && planner !== backend);
  word.hidden = backend === "embedded";
  word.dataset.weight = slow ? "warn" : "";
  word.textContent = how === "asking" ? `${backend} is thinking…` : slow ? `${backend} fails, planned without it` : backend;
  word.title = reason;
}

/** What is left out while the machine cannot keep up: a word for it, and what it means. */
const LEFT_OUT = {
  fewer_steps: ["simpler motion", "motion is worked out in fewer steps"],
  half_rate: ["half rate", "every second picture is drawn"],
  third_rate: ["third rate", "every third picture is drawn, and motion is simpler"],
};

/** "25 fps · 0.9 Mb/s · 2 held": what a streamer glances at, and first of all what is left out. */
function showHealth({ fps, bitrate_bps: bitrate, holds, effort }) {
  const held = Object.values(holds).reduce((sum, count) => sum + count, 0);
  const [word, meaning] = LEFT_OUT[effort] ?? [];
  const readings = [`${Math.round(fps)} fps`, `${(bitrate / 1e6).toFixed(1)} Mb/s`, held ? `${held} held` : "no holds"];
  const health = byId("health");
  health.textContent = (word ? [word, ...readings] : readings).join(" · ");
  health.title = word ? `The server is busy: ${meaning}. It goes back by itself; a smaller picture or fewer programs beside it help.` : "";
  health.toggleAttribute("data-busy", Boolean(word));
}

function onAir() {
  liveSince = performance.now();
  byId("tally-clock").textContent = clock(0);
  byId("copy-link").title = broadcast.watchUrl;
  enter("live");
  announce("You are on air");
  direct.sendPending();
}

// -- the page -------------------------------------------------------------------------------------------------------------

const titleOf = (name) => avatars.all.find((avatar) => avatar.name === name)?.title ?? name;

function rest() {
  tell("idle", { on: !status.idle });
}

function interrupt() {
  if (state === "live" && tell("interrupt")) announce("Dropped what was not on air yet");
}

function removeSpan({ lane, start_pts, last_pts }) {
  tell("delete", { start_pts, end_pts: last_pts + 1, field: lane });
}

function showAvatar() {
  const { chosen } = avatars;
  byId("screen-empty").hidden = Boolean(chosen);
  still.hidden = !chosen;
  if (chosen) still.src = chosen.picture_url;
  byId("slate").textContent = chosen?.title ?? "";
  if (state === "idle") enter(state);
}

function showFormat() {
  const [width, height] = byId("format").value.split("@")[0].split("x").map(Number);
  screen.style.setProperty("--shape", width / height);
  localStorage.setItem("rostrum.format", byId("format").value);
}

function hear(audible) {
  video.muted = !audible;
  const button = byId("preview-sound");
  button.setAttribute("aria-pressed", String(audible));
  button.setAttribute("aria-label", audible ? "Silence the broadcast" : "Hear the broadcast");
  setIcon(button, audible ? "sound" : "sound-off");
}

/** What was chosen is chosen again when the page is opened again, where it is still there. */
function keep(select, name) {
  const kept = localStorage.getItem(name);
  if ([...select.options].some((option) => option.value === kept)) select.value = kept;
  select.addEventListener("change", () => localStorage.setItem(name, select.value));
}

function copyLink() {
  if (broadcast) copy(byId("copy-link"), broadcast.watchUrl, "Viewer link");
}

function fullscreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else screen.requestFullscreen();
}

function key(event) {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    event.preventDefault();
    direct.sendPending();
    return;
  }
  if (event.key === "Escape") delay.hide();
  const typing = event.target.closest?.("input:not([type=range], [type=checkbox]), textarea, select, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const digit = event.code.match(/^Digit([0-9])$/)?.[1];
  if (digit && event.shiftKey) direct.pressPreset(Number(digit) - 1);
  else if (/^[0-9]$/.test(event.key)) direct.press((Number(event.key) + 9) % 10);
  const act = { "/": () => direct.focus(), "?": () => byId("keys").showModal(), s: () => prompter.focus(), t: () => timeline.focus(), z: () => tell("undo"), i: rest, x: interrupt, m: () => setup.setMuted(!setup.muted), u: () => hear(video.muted), c: () => captions.toggle(), f: fullscreen }[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
}

async function loadAvatars(name) {
  try {
    await avatars.load(name);
    await backgrounds.load();
    settle("server_gone", "no_avatars");
    if (!avatars.chosen) notify(new Problem("no_avatars"), { weight: "mild" });
  } catch (error) {
    notify(asProblem(error), { again: () => loadAvatars(name) });
    setTimeout(() => state === "idle" && !avatars.chosen && loadAvatars(name), 4000);
  }
}

byId("format").append(...FORMATS.map(([size, fps, text]) => el("option", { value: `${size}@${fps}` }, text)));
const kept = localStorage.getItem("rostrum.format");
if (FORMATS.some(([size, fps]) => `${size}@${fps}` === kept)) byId("format").value = kept;
byId("format").addEventListener("change", showFormat);
keep(byId("bitrate"), "rostrum.bitrate");
byId("golive").addEventListener("click", goLive);
byId("end").addEventListener("click", end);
byId("preview-sound").addEventListener("click", () => hear(video.muted));
byId("fullscreen").addEventListener("click", fullscreen);
byId("copy-link").addEventListener("click", copyLink);
byId("idle").addEventListener("click", rest);
byId("interrupt").addEventListener("click", interrupt);
byId("undo").addEventListener("click", () => tell("undo"));
timeline.addEventListener("pick", ({ detail: { span, button } }) => editor.open(span, button, timeline.now ?? 0, committedS, direct.actions));
timeline.addEventListener("remove", ({ detail: span }) => removeSpan(span));
editor.addEventListener("remove", ({ detail: span }) => removeSpan(span));
editor.addEventListener("change", ({ detail: { span, changes } }) => {
  tell("edit", { start_pts: span.start_pts, end_pts: span.last_pts + 1, ...changes });
});
avatars.addEventListener("wish", ({ detail: avatar }) => tell("avatar", { avatar }));
byId("open-keys").addEventListener("click", () => byId("keys").showModal());
document.addEventListener("keydown", key);
avatars.addEventListener("change", showAvatar);
avatars.addEventListener("add", ({ detail: file }) => newAvatar.open(file));
newAvatar.addEventListener("made", ({ detail: name }) => loadAvatars(name));
setup.addEventListener("track", ({ detail: track }) => {
  broadcast?.publisher?.replaceTrack(track);
  say();
});
setup.addEventListener("types", say);
setup.addEventListener("muted", () => {
  tell("mute", { on: setup.mic.muted });
  say();
});
addEventListener("pagehide", () => broadcast?.abandon());
setInterval(() => state === "live" && (byId("tally-clock").textContent = clock((performance.now() - liveSince) / 1000)), 500);

showFormat();
enter("idle");
loadAvatars();
setup.openQuietly();
