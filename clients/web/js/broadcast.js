// One broadcast from the host's side: made on the server, voice out, picture in, control link. Ends whole.

import { postJson } from "./api.js";
import { Control } from "./control.js";
import { Player } from "./player.js";
import { Publisher } from "./publisher.js";

export class Broadcast {
  /** The server's own description: id, avatar, size, fps, watch_url and the rest. */
  info;
  control;
  publisher = null; // without a microphone there is none
  player;

  /** Makes a broadcast on the server. choices: avatar, size, fps, background, bitrate; without a track the host types what is said. Throws a Problem. */
  static async make(choices, track, video) {
    const info = await postJson("/api/broadcasts", { ...choices, microphone: Boolean(track) });
    return new Broadcast(info, track, video);
  }

  constructor(info, track, video) {
    this.info = info;
    const { avatar, size, fps, background, bitrate } = info; // a server that was started anew makes the same broadcast again
    this.control = new Control(`${here(info.control_url)}?role=host`);
    if (track) this.publisher = new Publisher(`${here(info.whip_url)}?${new URLSearchParams({ avatar, size, fps, background, bitrate })}`, track);
    this.player = new Player(here(info.whep_url), video);
  }

  /** Resolves once the voice flows; the picture follows by itself. Throws a Problem. */
  async start() {
    await this.publisher?.start();
    this.player.run();
  }

  /** For viewers, as an address they can open. */
  get watchUrl() {
    return address(this.info.watch_url);
  }

  /** Where another encoder sends the host's voice. */
  get whipUrl() {
    return address(this.info.whip_url);
  }

  /** Ends it for everybody. `over`: the server has ended it already. */
  async end({ over = false } = {}) {
    const told = over || this.control.send("end") !== null;
    this.player.stop();
    this.publisher?.stop();
    this.control.close();
    if (!told) await this.#delete();
  }

  /** The page is closing: one request that outlives it. */
  abandon() {
    this.#delete();
  }

  #delete() {
    const url = `/api/broadcasts/${encodeURIComponent(this.info.id)}`;
    return fetch(url, { method: "DELETE", keepalive: true }).catch(() => undefined);
  }
}

/** Path and token alone: by whatever name and proxy this page was reached, the server is reached by the same. */
const here = (url) => {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
};

/** The same as a whole address, to be opened elsewhere. */
const address = (url) => new URL(here(url), location.href).href;
