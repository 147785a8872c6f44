// A small face for each emotion, drawn from the numbers in vocabulary.js.

import { svg } from "./dom.js";

/** An <svg> of 30 × 30 units. */
export function faceOf({ brow: [inner, outer], eyes, mouth: [curve, open, skew], lopsided = false }) {
  const picture = svg("svg", { viewBox: "0 0 30 30", "aria-hidden": "true" });
  picture.append(svg("circle", { cx: 15, cy: 15, r: 12.5, "stroke-opacity": 0.45 }));
  for (const side of [-1, 1]) {
    const [up, out] = lopsided && side > 0 ? [0.2, 0.2] : [inner, outer];
    const x = 15 + side * 4.6;
    picture.append(
      svg("path", { d: `M${x - side * 2.2} ${9.6 - up}L${x + side * 2.4} ${9.6 - out}` }),
      eyes < 0.5
        ? svg("path", { d: `M${x - 1.7} 13.2h3.4` })
        : svg("ellipse", { cx: x, cy: 13.2, rx: 1.05, ry: 1.2 * eyes, fill: "currentColor", stroke: "none" }),
    );
  }
  const y = 20 - curve / 3;
  const [left, right] = [y - skew / 2, y + skew / 2];
  picture.append(
    open > 0
      ? svg("path", { d: `M10.8 ${left}Q15 ${y + curve - open * 0.35} 19.2 ${right}Q15 ${y + curve + open * 1.35} 10.8 ${left}Z` })
      : svg("path", { d: `M10.8 ${left}Q15 ${y + curve * 1.3} 19.2 ${right}` }),
  );
  return picture;
}
