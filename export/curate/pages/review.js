// Clips one by one; A accepts, R rejects, U takes the last choice back. Every choice is in the manifest before the next clip shows.

const at = (id) => document.getElementById(id);
const { name, filters, clips } = await (await fetch("clips.json")).json();
let shown = [];
let index = 0;
const made = []; // clips as they were before each choice, newest last

const rules = {
  open: (clip) => !clip.choice,
  passed: (clip) => !clip.rejected_by.length,
  rejected: (clip) => clip.rejected_by.length > 0,
  all: () => true,
};

function list() {
  shown = clips.filter(rules[at("show").value]);
  index = 0;
  draw();
}

function draw() {
  const clip = shown[index];
  const chosen = clips.filter((each) => each.choice).length;
  at("title").textContent = name;
  at("done").style.width = `${(100 * chosen) / Math.max(1, clips.length)}%`;
  at("place").textContent = clip ? `${index + 1} of ${shown.length}` : "";
  at("main").hidden = !clip;
  at("empty").hidden = Boolean(clip);
  for (const id of ["accept", "reject"]) at(id).disabled = !clip;
  if (!clip) {
    at("video").removeAttribute("src");
    at("empty").textContent = clips.length ? `Nothing left here: ${chosen} of ${clips.length} clips have a choice.` : "The set has no clip.";
    return;
  }
  const source = `files/${clip.file}`;
  if (at("video").getAttribute("src") !== source) at("video").src = source;
  at("mark").textContent = { accept: "accepted", reject: "rejected" }[clip.choice] ?? "";
  at("mark").className = `mark ${clip.choice === "accept" ? "good" : "bad"}`;
  at("clip").textContent = clip.clip;
  at("when").textContent = `${clip.start_s.toFixed(1)}–${clip.end_s.toFixed(1)} s, ${clip.width} × ${clip.height}`;
  at("caption").textContent = clip.caption;
  at("transcript").textContent = clip.transcript ? `“${clip.transcript}” (${clip.language})` : "";
  at("verdict").textContent = clip.rejected_by.length ? "A filter would reject it." : "Passes every filter.";
  at("verdict").className = clip.rejected_by.length ? "bad" : "good";
  at("scores").replaceChildren(...filters.flatMap((filter) => {
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    term.textContent = filter.title;
    term.className = "dim";
    value.textContent = clip[filter.name] == null ? "–" : clip[filter.name].toPrecision(3);
    value.className = clip.rejected_by.includes(filter.name) ? "bad" : "";
    return [term, value];
  }));
}

async function note(clip, choice) {
  const answer = await fetch("choice", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ clip: clip.clip, choice }),
  });
  if (!answer.ok) {
    at("mark").textContent = `not kept: ${(await answer.json()).error}`;
    at("mark").className = "mark bad";
    return false;
  }
  Object.assign(clip, await answer.json());
  return true;
}

async function choose(choice) {
  const clip = shown[index];
  if (!clip) return;
  const before = clip.choice;
  if (!(await note(clip, choice))) return;
  made.push({ clip, before });
  if (at("show").value === "open") shown.splice(index, 1);
  else index = Math.min(index + 1, shown.length - 1);
  index = Math.max(0, Math.min(index, shown.length - 1));
  draw();
}

async function undo() {
  const last = made.pop();
  if (!last || !(await note(last.clip, last.before))) return;
  if (!shown.includes(last.clip)) shown.splice(index, 0, last.clip);
  index = shown.indexOf(last.clip);
  draw();
}

function step(by) {
  index = Math.max(0, Math.min(shown.length - 1, index + by));
  draw();
}

let busy = false; // one choice at a time: a key held down must not run through the set
async function once(work) {
  if (busy) return;
  busy = true;
  try { await work(); } finally { busy = false; }
}

const actions = {
  a: () => once(() => choose("accept")), r: () => once(() => choose("reject")), u: () => once(undo),
  ArrowLeft: () => step(-1), ArrowRight: () => step(1),
  " ": () => (at("video").paused ? at("video").play() : at("video").pause()),
};
document.addEventListener("keydown", (event) => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!actions[key] || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
  event.preventDefault();
  actions[key]();
});
for (const [id, key] of [["accept", "a"], ["reject", "r"], ["undo", "u"], ["back", "ArrowLeft"], ["next", "ArrowRight"]]) {
  at(id).addEventListener("click", actions[key]);
}
at("show").addEventListener("change", () => { list(); at("show").blur(); });
list();
