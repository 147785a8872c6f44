// The control websocket: typed JSON both ways. Comes back by itself; what is said meanwhile is refused, never kept.

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5000;

/** Events: `open`, `gone`, and one named "message:<type>" for each message of the server, with the message as `detail`. */
export class Control extends EventTarget {
  #url;
  #socket = null;
  #ended = false;
  #pause = FIRST_PAUSE_MS;
  #next = 1;

  constructor(url) {
    super();
    const absolute = new URL(url, document.baseURI);
    absolute.protocol = absolute.protocol.replace("http", "ws");
    this.#url = absolute.href;
    this.#connect();
  }

  #connect() {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#pause = FIRST_PAUSE_MS;
      this.dispatchEvent(new Event("open"));
    });
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      this.dispatchEvent(new CustomEvent(`message:${message.type}`, { detail: message }));
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (this.#ended) return;
      this.dispatchEvent(new CustomEvent("gone", { detail: { code, reason } }));
      setTimeout(() => !this.#ended && this.#connect(), this.#pause);
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    });
  }

  /** Sends a message; returns its id, or null while the link is down. */
  send(type, fields = {}) {
    if (this.#socket.readyState !== WebSocket.OPEN) return null;
    const id = `page-${this.#next++}`;
    this.#socket.send(JSON.stringify({ type, id, ...fields }));
    return id;
  }

  close() {
    this.#ended = true;
    this.#socket.close(1000);
  }
}
