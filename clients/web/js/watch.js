// The viewer's page: plays the broadcast, comes back by itself, says so when it is off air.
//
// `&overlay` in its address leaves the picture and its sound alone, for OBS's browser source; `&overlay=clear` takes the green
// background out as well, so that the scene shows behind the person. Off air there is nothing.

import { byId, dress, setIcon } from "./dom.js";
import { key } from "./keyed.js";
import { Player } from "./player.js";
import { words } from "./problems.js";

const id = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1));
const video = byId("onair");
const asked = new URLSearchParams(location.search);
const overlay = asked.get("overlay"); // null: the whole page
asked.delete("overlay");
const player = new Player(`/whep/${encodeURIComponent(id)}?${asked}`, video); // with the link's token
let wantsSound = overlay !== null;

const CURTAINS = {
  connecting: () => ["Connecting", ""],
  retrying: (problem) => ["One moment", problem && problem.code !== "unknown" ? words(problem).title + "." : "The picture stopped. Trying again."],
  "off-air": () => ["Off air", "This page begins to play by itself when the host goes live."],
  locked: () => ["This link is not whole", "Ask for it again, and open all of it: it ends in a word that opens this broadcast."],
  playing: () => ["", ""],
};
const TALLY = { locked: ["off", "Locked"], connecting: ["wait", "Connecting"], retrying: ["wait", "Reconnecting"], "off-air": ["off", "Off air"], playing: ["on", "Live"] };

function show(state, problem) {
  const before = document.body.dataset.state;
  if (state === "connecting" && before !== "connecting") return; // the last word stands until there is news
  document.body.dataset.state = state;
  const [title, text] = CURTAINS[state](problem);
  byId("curtain-title").textContent = title;
  byId("curtain-text").textContent = text;
  const [tally, word] = TALLY[state];
  byId("tally").dataset.tally = tally;
  byId("tally-word").textContent = word;
  byId("hear").hidden = wantsSound || state !== "playing";
}

function sound(on) {
  wantsSound = on;
  video.muted = !on;
  if (on) video.play();
  const button = byId("sound");
  button.setAttribute("aria-pressed", String(on));
  button.setAttribute("aria-label", on ? "Sound off" : "Sound on");
  setIcon(button, on ? "sound" : "sound-off");
  byId("hear").hidden = on || document.body.dataset.state !== "playing";
}

function fullscreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (byId("theatre").requestFullscreen) byId("theatre").requestFullscreen();
  else video.webkitEnterFullscreen(); // the only way on an iPhone
}

dress();
if (overlay !== null) {
  document.body.dataset.overlay = overlay;
  video.muted = false;
}
if (overlay === "clear") {
  try {
    key(video, byId("keyed"));
    byId("keyed").hidden = false;
  } catch (error) {
    document.body.dataset.overlay = ""; // the picture as it is, green and all, and the reason with it
    byId("theatre").append(Object.assign(document.createElement("p"), { className: "overlay-problem", textContent: error.message }));
  }
}
player.addEventListener("state", ({ detail }) => show(detail.state, detail.problem));
byId("hear").addEventListener("click", () => sound(true));
byId("sound").addEventListener("click", () => sound(video.muted));
byId("fullscreen").addEventListener("click", fullscreen);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.toLowerCase() === "m") sound(video.muted);
  if (event.key.toLowerCase() === "f") fullscreen();
});
addEventListener("online", () => player.hurry());
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
addEventListener("pagehide", () => player.stop({ gone: true }));
player.run();
