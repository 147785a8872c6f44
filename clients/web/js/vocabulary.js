// The words of engines/prompts.py as buttons: each has the server's word, a label, and for emotions a face in numbers.

// Face: brows [inner, outer] up in units of a 30-pixel picture, eyes (0 shut – 1.6 wide), mouth [curve, open, skew].
export const EMOTIONS = [
  { word: "calm", label: "Calm", adjective: "calm", face: { brow: [0, 0], eyes: 0.8, mouth: [0.8, 0, 0] } },
  { word: "joy", label: "Joy", adjective: "joyful", face: { brow: [0.5, 0.8], eyes: 0.7, mouth: [3.6, 1.6, 0] } },
  { word: "excitement", label: "Excited", adjective: "excited", face: { brow: [1.6, 2], eyes: 1.4, mouth: [3.4, 4.4, 0] } },
  { word: "confusion", label: "Confused", adjective: "confused", face: { brow: [1.8, -0.6], eyes: 1, mouth: [-0.6, 0, 1.6], lopsided: true } },
  { word: "sadness", label: "Sad", adjective: "sad", face: { brow: [1.8, -1.6], eyes: 0.7, mouth: [-2.6, 0, 0] } },
  { word: "surprise", label: "Surprised", adjective: "surprised", face: { brow: [2.4, 2.2], eyes: 1.6, mouth: [0, 5, 0] } },
  { word: "anger", label: "Angry", adjective: "angry", face: { brow: [-2, 1.4], eyes: 0.8, mouth: [-1.6, 0, 0] } },
  { word: "fear", label: "Afraid", adjective: "afraid", face: { brow: [2.4, 0], eyes: 1.6, mouth: [-1.4, 2.2, 0] } },
  { word: "disgust", label: "Disgust", adjective: "disgusted", face: { brow: [-1.2, 0.2], eyes: 0.45, mouth: [-2.4, 0, 1.2] } },
  { word: "contempt", label: "Contempt", adjective: "contemptuous", face: { brow: [-0.4, 0.8], eyes: 0.6, mouth: [0.4, 0, -2.2] } },
];

export const ACTIONS = [
  ["nod", "Nod"],
  ["shake", "Shake head"],
  ["tilt", "Tilt"],
  ["shrug", "Shrug"],
  ["laugh", "Laugh"],
  ["sigh", "Sigh"],
  ["frown", "Frown"],
  ["wink", "Wink"],
  ["close_eyes", "Close eyes"],
  ["raise_brows", "Raise brows"],
  ["lean_in", "Lean in"],
  ["lean_back", "Lean back"],
  ["turn_left", "Turn left", "To the avatar's own left"],
  ["turn_right", "Turn right", "To the avatar's own right"],
  ["look_left", "Look left", "To the avatar's own left"],
  ["look_right", "Look right", "To the avatar's own right"],
  ["look_up", "Look up"],
  ["look_down", "Look down"],
].map(([word, label, title]) => ({ word, label, title }));

/** Offered only where the model on air draws them. */
export const PIXEL_ACTIONS = [
  ["wave", "Wave"],
  ["raise_hand", "Raise hand"],
  ["point", "Point"],
  ["clap", "Clap"],
].map(([word, label]) => ({ word, label }));

export const CAMERA_MOVES = [
  ["static", "Still"],
  ["zoom_in", "Zoom in"],
  ["zoom_out", "Zoom out"],
  ["shake", "Shake"],
  ["pan_left", "Pan left"],
  ["pan_right", "Pan right"],
  ["tilt_up", "Tilt up"],
  ["tilt_down", "Tilt down"],
].map(([word, label]) => ({ word, label }));

const DEGREES = ["slightly", "somewhat", "clearly", "very", "extremely"];

/** The word for an intensity of 0–1, as engines/prompts.py has it. */
export const degreeWord = (amount) => DEGREES[Math.min(4, Math.max(0, Math.floor((amount - 0.05) / 0.2)))];

/** The word for a camera speed of 0–1. */
export const paceWord = (speed) => (speed < 0.35 ? "slowly" : speed < 0.7 ? "steadily" : "fast");

/** "Very joyful" | "Nod" | "Zoom in": a span as people say it. */
export function saySpan({ lane, word, amount }) {
  if (lane !== "emotion" || word === "calm") return labelOf(word);
  const text = `${degreeWord(amount)} ${EMOTIONS.find((entry) => entry.word === word).adjective}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A word of the vocabulary as people say it. */
export function labelOf(word) {
  return [...EMOTIONS, ...ACTIONS, ...PIXEL_ACTIONS, ...CAMERA_MOVES].find((entry) => entry.word === word)?.label ?? word.replaceAll("_", " ");
}
