// HTTP, with errors as Problems.

import { Problem } from "./problems.js";

/** fetch, where "no answer at all" is the Problem server_gone. */
export async function send(url, options = {}) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("server_gone", { detail: error.message });
  }
}

/** The Problem a refused request stands for: {error: {code, message}} where the server wrote one. */
export async function refusal(response) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // Not JSON: the status says what there is to say.
  }
  const detail = error.message ?? `The server answered ${response.status} ${response.statusText}`.trim();
  return new Problem(error.code ?? "unknown", { status: response.status, detail });
}

async function json(url, options) {
  const response = await send(url, options);
  if (!response.ok) throw await refusal(response);
  return response.status === 204 ? null : response.json();
}

export const getJson = (url) => json(url, { headers: { accept: "application/json" } });

/** key: shown as a bearer's token, for pages that have one. */
export const postJson = (url, body, key = "") =>
  json(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
  });

export const remove = (url) => json(url, { method: "DELETE" });

/** Sends a picture's bytes as they are. */
export const postPicture = (url, file) =>
  json(url, { method: "POST", headers: { "content-type": file.type || "application/octet-stream" }, body: file });
