// Addresses and words that the host carries elsewhere.

import { setIcon } from "./dom.js";
import { announce } from "./notices.js";

const SHOWN_FOR_MS = 1800;

/** Puts `text` on the clipboard, and says so on the button (which has an icon and its word in a span); where there is no
 * clipboard the text is shown, to be taken by hand. `what`: "Viewer link". */
export async function copy(button, text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    prompt(what, text);
    return;
  }
  const word = button.querySelector("span");
  button.dataset.word ??= word.textContent;
  word.textContent = "Copied";
  setIcon(button, "check");
  announce(`${what} copied`);
  setTimeout(() => {
    word.textContent = button.dataset.word;
    setIcon(button, "link");
  }, SHOWN_FOR_MS);
}
