// The microphone's level as a row of lamps, with the last peak held for a moment.

import { animate, sharpen } from "./dom.js";

const FLOOR_DB = -60;
const HOT_DB = -6;
const NUM_LAMPS = 36;
const FALL_DB_PER_S = 26;
const HOLD_MS = 900;

const share = (db) => Math.min(1, Math.max(0, (db - FLOOR_DB) / -FLOOR_DB));

const WORDS = { none: "no sound", quiet: "quiet", good: "good", loud: "too loud" };
const REMEMBERED_S = 8; // a pause in speech is not a quiet microphone

/** "none" | "quiet" | "good" | "loud" for the loudest moments of the last seconds, in dB. */
function judge(peaks) {
  const loudest = Math.max(...peaks);
  if (peaks.at(-1) > -0.3) return "loud";
  return loudest <= -58 ? "none" : loudest < -34 ? "quiet" : "good";
}

/** Draws what `read()` says in dB; once a second says what it comes to: `onword("none" | "quiet" | "good" | "loud")`. */
export function startMeter(meter, canvas, read, onword) {
  let [shown, peak, peakAt, before] = [FLOOR_DB, FLOOR_DB, 0, performance.now()];
  let [loudest, spokenAt] = [FLOOR_DB, before];
  const peaks = [];

  animate(() => {
    const now = performance.now();
    const db = Math.max(FLOOR_DB, read());
    shown = Math.max(db, shown - (FALL_DB_PER_S * (now - before)) / 1000);
    before = now;
    if (db >= peak || now - peakAt > HOLD_MS) [peak, peakAt] = [db, now];
    loudest = Math.max(loudest, db);
    if (now - spokenAt > 1000) {
      peaks.push(loudest);
      if (peaks.length > REMEMBERED_S) peaks.shift();
      const word = judge(peaks);
      meter.setAttribute("aria-valuenow", Math.round(loudest));
      meter.setAttribute("aria-valuetext", WORDS[word]);
      onword(word);
      [loudest, spokenAt] = [FLOOR_DB, now];
    }
    draw();
  });

  function draw() {
    const { context, width, height } = sharpen(canvas);
    const pitch = width / NUM_LAMPS;
    for (let i = 0; i < NUM_LAMPS; i++) {
      const at = (i + 0.5) / NUM_LAMPS;
      const hot = at > share(HOT_DB);
      const isPeak = Math.floor(share(peak) * NUM_LAMPS) === i && peak > FLOOR_DB + 1;
      const lit = at < share(shown) || isPeak;
      context.fillStyle = lit ? (hot ? "#f0443e" : "#e8b765") : hot ? "#3a2220" : "#2b2825";
      context.fillRect(i * pitch, 2, Math.max(1, pitch - 2), height - 4);
    }
  }
}
