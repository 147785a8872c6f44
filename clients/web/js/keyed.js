// A video with its flat green taken out, drawn on a canvas by WebGL: what a page behind it shows comes through.

/** The green that `background: green` paints: CHROMA_GREEN_RGB of engines/codecs/portrait/layers.py. */
const GREEN = [0, 177 / 255, 64 / 255];

const CORNERS = `
attribute vec2 corner;
varying vec2 at;
void main() {
  at = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

// A pixel is the person's colour over green. What it has of green beyond red and blue is green's share (Vlahos 1964), and that
// much green is taken off, so that hair keeps no rim of it. Ends are cut short: codecs leave some noise on both.
const KEY = `
precision mediump float;
uniform sampler2D picture;
uniform vec3 green;
varying vec2 at;
void main() {
  vec3 colour = texture2D(picture, at).rgb;
  float excess = (colour.g - max(colour.r, colour.b)) / (green.g - max(green.r, green.b));
  float through = clamp((excess - 0.06) / 0.84, 0.0, 1.0);
  vec3 person = max(colour - max(excess, 0.0) * green, 0.0);
  gl_FragColor = vec4(min(person, vec3(1.0 - through)), 1.0 - through);
}`;

/** Draws every picture of `video` on `canvas` from now on. Throws an Error where the browser has no WebGL. */
export function key(video, canvas) {
  const gl = canvas.getContext("webgl", { premultipliedAlpha: true, antialias: false });
  if (!gl) throw new Error("this browser has no WebGL, which takes the green out");
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, CORNERS], [gl.FRAGMENT_SHADER, KEY]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`the keyer does not link: ${gl.getProgramInfoLog(program)}`);
  gl.useProgram(program);
  gl.uniform3fv(gl.getUniformLocation(program, "green"), GREEN);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
  const corner = gl.getAttribLocation(program, "corner");
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  for (const [what, how] of [[gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE], [gl.TEXTURE_MIN_FILTER, gl.LINEAR]]) {
    gl.texParameteri(gl.TEXTURE_2D, what, how);
  }

  const draw = () => {
    if (canvas.width !== video.videoWidth || canvas.height !== video.videoHeight) {
      [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
      gl.viewport(0, 0, canvas.width, canvas.height);
    }
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, video);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    video.requestVideoFrameCallback(draw);
  };
  video.requestVideoFrameCallback(draw);
}
