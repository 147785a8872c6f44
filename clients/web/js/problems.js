// What can go wrong between a host and the air, in the host's words: what it is, and the way out.

/** An error that already knows how to tell the host about itself. */
export class Problem extends Error {
  constructor(code, { status = 0, detail = "" } = {}) {
    super(detail || code);
    this.code = code;
    this.status = status;
    this.detail = detail;
  }
}

const here = () => `http://127.0.0.1:${location.port || 80}`;

/** "the host is lost" → "The host is lost." */
const sentence = (text) => text && text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, ".");

const avatarWords = (problem) => ["The avatar could not be used", problem.detail || "Choose another one."];

const WORDS = {
  insecure: () => [
    "This address is not secure, so the browser keeps the microphone shut",
    `Open ${here()} on the computer that runs Rostrum, or serve it over https.`,
  ],
  mic_denied: () => [
    "The microphone is blocked for this page",
    "Allow it with the icon at the left end of the address bar, then try again.",
  ],
  mic_missing: () => ["No microphone was found", "Plug one in, or switch it on in the system's sound settings, then try again."],
  mic_busy: () => [
    "The microphone is in use by another program",
    "Close the other program or choose another microphone, then try again.",
  ],
  mic_ended: () => ["The microphone was unplugged", "Plug it in again or choose another one. Until then nothing is heard."],
  ice_failed: () => [
    "Sound and picture cannot reach the server",
    "The network between here and the server blocks UDP. Allow it in the firewall, or set up a TURN server in Rostrum's configuration.",
  ],
  server_gone: () => ["The server does not answer", "Check that Rostrum is still running. This page keeps trying."],
  control_gone: () => ["Lost the link for prompts", "The broadcast goes on; prompts work again as soon as the link is back."],
  hosted: () => [
    "This broadcast already has a host",
    "Another tab or program is sending sound into it. End it there, or go live again for a new broadcast.",
  ],
  no_broadcast: (problem) => ["The broadcast has ended", `${sentence(problem.detail) || "The server closed it."} Go live again to start a new one.`],
  unknown_broadcast: (problem) => ["The broadcast has ended", `${sentence(problem.detail)} Go live again to start a new one.`],
  draining: (problem) => ["The server is about to stop", sentence(problem.detail)],
  busy: (problem) => ["The server carries all the broadcasts it can", problem.detail || "End another one, or wait for one to end."],
  not_found: avatarWords,
  corrupt_avatar: avatarWords,
  bad_setting: (problem) => ["The server does not take these settings", problem.detail],
  no_token: () => [
    "This page has no key to the server",
    `Open the host's link, which Rostrum prints when it starts, or ${here()} on the computer that runs it. Cookies must be allowed.`,
  ],
  cross_origin: (problem) => ["The server does not know this address", sentence(problem.detail)],
  too_many: (problem) => ["Too much was asked of the server at once", sentence(problem.detail)],
  no_avatars: () => ["There are no avatars yet", "Add a picture: drop it anywhere on this page."],
  unknown: (problem) => ["Something went wrong", problem.detail || "Try again. The server's log says more."],
};

/** {title, text} for a problem. */
export function words(problem) {
  const [title, text] = (WORDS[problem.code] ?? WORDS.unknown)(problem);
  return { title, text };
}

/** The Problem that a failed getUserMedia stands for. */
export function microphoneProblem(error) {
  const code = {
    NotAllowedError: "mic_denied",
    SecurityError: "mic_denied",
    NotFoundError: "mic_missing",
    OverconstrainedError: "mic_missing",
    NotReadableError: "mic_busy",
    AbortError: "mic_busy",
  }[error.name];
  return new Problem(code ?? "unknown", { detail: error.message });
}

/** The Problem that any caught value stands for. */
export function asProblem(error) {
  return error instanceof Problem ? error : new Problem("unknown", { detail: error?.message ?? String(error) });
}
