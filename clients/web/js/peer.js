// One WHIP (RFC 9725) or WHEP exchange: an offer is posted, the answer comes back, the resource is deleted at the end.

import { refusal, send } from "./api.js";
import { Problem } from "./problems.js";

const GATHER_MS = 1500;
const CONNECT_MS = 12_000;

/** Resolves once the candidates are in, or GATHER_MS later: what is there by then is enough on a healthy network. */
function gathered(pc) {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((done) => {
    const timer = setTimeout(done, GATHER_MS);
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      done();
    });
  });
}

/** STUN and TURN servers out of a `Link: <turn:…>; rel="ice-server"; username="…"; credential="…"` header. */
export function iceServers(link) {
  const servers = [];
  for (const part of (link ?? "").split(/,\s*(?=<)/)) {
    const url = part.match(/<([^>]+)>/)?.[1];
    if (!url || !/rel="?ice-server"?/.test(part)) continue;
    const server = { urls: [url] };
    for (const name of ["username", "credential"]) {
      const value = part.match(new RegExp(`${name}="([^"]*)"`))?.[1];
      if (value !== undefined) server[name] = value;
    }
    servers.push(server);
  }
  return servers;
}

let known = [];

/** A new connection. It knows the STUN and TURN servers that an earlier answer named: a first try rarely needs any. */
export const newConnection = () => new RTCPeerConnection({ iceServers: known, bundlePolicy: "max-bundle" });

/**
 * Offers what `pc` holds to `url`; resolves with the resource's address once media can flow. Throws a Problem. `shape` edits the
 * offer. `keep`: a resource whose connection fails is not deleted (a host's stands for the whole broadcast).
 */
export async function exchange(pc, url, { shape = (sdp) => sdp, keep = false } = {}) {
  const offer = await pc.createOffer();
  await pc.setLocalDescription({ type: "offer", sdp: shape(offer.sdp) });
  await gathered(pc);
  const response = await send(url, { method: "POST", headers: { "content-type": "application/sdp" }, body: pc.localDescription.sdp });
  if (!response.ok) throw await refusalOf(response);
  known = iceServers(response.headers.get("link"));
  const location = response.headers.get("location");
  const resource = location ? new URL(location, new URL(url, document.baseURI)).href : null;
  try {
    await pc.setRemoteDescription({ type: "answer", sdp: await response.text() });
    await connected(pc);
  } catch (error) {
    if (!keep) release(resource);
    throw error;
  }
  return resource;
}

async function refusalOf(response) {
  const problem = await refusal(response);
  problem.code = { 404: "no_broadcast", 409: "hosted" }[response.status] ?? problem.code;
  return problem;
}

function connected(pc) {
  return new Promise((done, fail) => {
    const settle = () => {
      if (pc.connectionState === "connected") finish(done);
      else if (pc.connectionState === "failed" || pc.connectionState === "closed") finish(() => fail(new Problem("ice_failed")));
    };
    const timer = setTimeout(() => finish(() => fail(new Problem("ice_failed"))), CONNECT_MS);
    const finish = (then) => {
      clearTimeout(timer);
      pc.removeEventListener("connectionstatechange", settle);
      then();
    };
    pc.addEventListener("connectionstatechange", settle);
    settle();
  });
}

/** Gives the resource back. `keepalive` lets it go out while the page closes. */
export function release(resource) {
  if (!resource) return Promise.resolve();
  return fetch(resource, { method: "DELETE", keepalive: true }).catch(() => undefined);
}
