// What is behind the person: three kinds, and pictures of the host's own, which are sent here and kept by the server.

import { getJson, postPicture, remove } from "./api.js";
import { byId, el } from "./dom.js";
import { asProblem, words } from "./problems.js";

const KEPT = "rostrum.background";

export class Backgrounds {
  #select = byId("background");
  #picture = byId("background-picture");
  #remove = byId("background-remove");
  #error = byId("background-error");
  #add = this.#select.querySelector('[value="add"]');
  #chosen = this.#select.value;

  constructor() {
    this.#select.addEventListener("change", () => {
      if (this.#select.value !== "add") return this.#choose(this.#select.value);
      this.#select.value = this.#chosen; // until there is a picture
      this.#picture.click();
    });
    this.#picture.addEventListener("change", () => {
      const [file] = this.#picture.files;
      this.#picture.value = "";
      if (file) this.#try(() => this.#send(file));
    });
    this.#remove.addEventListener("click", () => this.#try(() => this.#forget(this.#chosen)));
  }

  get chosen() {
    return this.#chosen;
  }

  set disabled(is) {
    this.#select.disabled = this.#remove.disabled = is;
  }

  /** Asks the server for the host's own; what was chosen last is chosen again. Throws a Problem. */
  async load() {
    for (const background of await getJson("/api/backgrounds")) this.#offer(background);
    this.#choose(localStorage.getItem(KEPT));
  }

  async #send(file) {
    const background = await postPicture(`/api/backgrounds?${new URLSearchParams({ title: file.name })}`, file);
    this.#offer(background);
    this.#choose(background.name);
  }

  async #forget(name) {
    await remove(`/api/backgrounds/${encodeURIComponent(name)}`);
    this.#option(name)?.remove();
    this.#choose("keep");
  }

  #offer({ name, title }) {
    if (!this.#option(name)) this.#add.before(el("option", { value: name, "data-own": "" }, `Picture: ${title}`));
  }

  #option(name) {
    return [...this.#select.options].find((option) => option.value === name && option !== this.#add);
  }

  #choose(name) {
    if (this.#option(name)) this.#chosen = name;
    this.#select.value = this.#chosen;
    this.#remove.hidden = this.#option(this.#chosen).dataset.own === undefined;
    localStorage.setItem(KEPT, this.#chosen);
  }

  async #try(work) {
    this.#error.hidden = true;
    this.disabled = true;
    try {
      await work();
    } catch (error) {
      const problem = asProblem(error);
      this.#error.textContent = problem.detail || words(problem).title;
      this.#error.hidden = false;
    } finally {
      this.disabled = false;
    }
  }
}
