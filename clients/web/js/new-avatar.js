// The sheet that makes an avatar of a picture: name it, send it, and place points by hand where no face was found.

import { postPicture } from "./api.js";
import { byId } from "./dom.js";
import { PointPlacing, sayPoint } from "./points.js";
import { asProblem, words } from "./problems.js";

const MAX_BYTES = 20 * 1024 * 1024;
/** The server's codes for pictures in which points placed by hand can help. */
const POINTS_HELP = new Set(["no_face", "face_turned_away", "face_cut_off"]);

/** Events: `made` with the avatar's name as `detail`. */
export class NewAvatar extends EventTarget {
  #sheet = byId("new-avatar");
  #picture = byId("new-avatar-picture");
  #name = byId("new-avatar-name");
  #make = byId("new-avatar-make");
  #placing = new PointPlacing(this.#picture, byId("points-overlay"));
  #byHand = false;
  #file = null;

  constructor() {
    super();
    byId("new-avatar-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    byId("new-avatar-cancel").addEventListener("click", () => this.#sheet.close());
    byId("points-start").addEventListener("click", () => this.#startPoints());
    byId("points-undo").addEventListener("click", () => this.#placing.back());
    this.#placing.addEventListener("change", () => {
      sayPoint(this.#placing);
      this.#make.disabled = !this.#placing.complete;
      byId("points-undo").disabled = this.#placing.num === 0;
    });
    this.#picture.addEventListener("error", () => {
      if (!this.#picture.getAttribute("src")) return;
      this.#say("This file cannot be read as a picture. Take a JPEG, PNG or WebP.", false);
      this.#make.disabled = true;
    });
    this.#sheet.addEventListener("close", () => {
      URL.revokeObjectURL(this.#picture.src);
      this.#picture.removeAttribute("src");
    });
  }

  open(file) {
    this.#file = file;
    this.#byHand = false;
    this.#placing.stop();
    for (const id of ["new-avatar-error", "points-now", "points-undo", "points-start"]) byId(id).hidden = true;
    this.#make.disabled = false;
    this.#picture.src = URL.createObjectURL(file);
    this.#name.value = nameFor(file.name);
    if (!this.#sheet.open) this.#sheet.showModal();
    this.#name.select();
    if (file.size > MAX_BYTES) this.#say("This file has more than 20 MB. Save the picture smaller and try again.", false);
  }

  #startPoints() {
    this.#byHand = true;
    byId("new-avatar-error").hidden = true;
    byId("points-start").hidden = true;
    byId("points-undo").hidden = false;
    this.#placing.start();
  }

  async #send() {
    const query = new URLSearchParams({ name: this.#name.value, title: titleFor(this.#name.value) });
    if (this.#byHand) query.set("points", JSON.stringify(this.#placing.points));
    byId("new-avatar-error").hidden = true;
    this.#make.disabled = true;
    this.#make.textContent = "Making…";
    try {
      const avatar = await postPicture(`/api/avatars?${query}`, this.#file);
      this.#sheet.close();
      this.dispatchEvent(new CustomEvent("made", { detail: avatar.name }));
    } catch (error) {
      const problem = asProblem(error);
      this.#say(problem.detail || words(problem).title, POINTS_HELP.has(problem.code));
    } finally {
      this.#make.textContent = "Make avatar";
    }
  }

  #say(text, pointsHelp) {
    const line = byId("new-avatar-error");
    line.textContent = text;
    line.hidden = false;
    byId("points-start").hidden = !pointsHelp || this.#byHand;
    this.#make.disabled = false;
  }
}

/** "My Photo (2).JPG" → "my-photo-2" */
function nameFor(fileName) {
  const plain = fileName.replace(/\.[^.]*$/, "").normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return plain.replace(/^-+|-+$/g, "").slice(0, 32) || "avatar";
}

/** "my-photo-2" → "My photo 2" */
const titleFor = (name) => name.charAt(0).toUpperCase() + name.slice(1).replace(/[-_]+/g, " ");
