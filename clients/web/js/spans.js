// Beats say everything at once; people read them in lanes. A span is one word of one lane for as long as it holds.

const LANES = ["emotion", "action", "camera"];
const WHO = {
  user: ["You asked", "you asked"],
  audio: ["Heard in the voice", "heard in the voice"],
  image: ["Seen in the picture", "seen in the picture"],
  default: ["By default", "by default"],
};

/** Who decided, in a few words: {user, audio, image, default} → "heard in the voice". */
export const sourceWord = (source) => WHO[source][1];

/** "You asked: “very happy”" */
export function reasonOf({ source, said }) {
  return source === "user" && said ? `${WHO.user[0]}: “${said}”` : WHO[source][0];
}

/** "on air now" | "in 3.2 s" | "was on air" */
export function sayWhen({ start_s: start, end_s: end }, now) {
  if (start <= now) return (end ?? Infinity) > now ? "on air now" : "was on air";
  return `in ${(start - now).toFixed(1)} s`;
}

/**
 * [{key, lane, word, amount, source, said, start_pts, last_pts, start_s, end_s}] of a storyline's beats, `last_pts` being where
 * the last beat of the span starts. `said` is what was asked for: `because` for what is new since the spans of `before` (by key), what it was for those that were there.
 */
export function spansOf(beats, because, before) {
  const spans = [];
  for (const lane of LANES) {
    let open = null;
    for (const beat of beats) {
      const [word, amount] = { emotion: [beat.emotion, beat.intensity], action: [beat.action, 0], camera: [beat.camera, beat.camera_speed] }[lane];
      const source = beat.sources[lane];
      const goesOn = open && open.word === word && open.amount === amount && open.source === source && open.end_s === beat.start_s;
      if (goesOn) [open.last_pts, open.end_s] = [beat.start_pts, beat.end_s];
      else {
        const { start_pts, start_s, end_s } = beat;
        open = { key: `${lane} ${word} ${amount} ${source} ${start_pts}`, lane, word, amount, source, start_pts, last_pts: start_pts, start_s, end_s };
        if (word !== null && !(lane === "camera" && word === "static")) spans.push(open);
      }
    }
  }
  for (const span of spans) span.said = span.source === "user" ? (before.get(span.key)?.said ?? (before.size ? because : "")) : "";
  return spans;
}
