// Draws Gaussians with WebGL2: one screen-aligned ellipse each, far to near, premultiplied alpha.

import { WIDTH } from "./splats.js";

const BATCH = 128; // Gaussians per instance: one each would be slow, above all without a graphics card

const FILL = 1.5; // larger than their share, as the ones that are left do not lie evenly

const VERTEX = `#version 300 es
precision highp float;
uniform highp sampler2D splats;
uniform highp usampler2D order;  // far to near
uniform int count;
uniform float growth;     // of the area of each Gaussian, where only some are drawn
uniform mat3 turn;        // world to camera
uniform vec3 shift;
uniform vec2 focal;       // pixels
uniform vec2 size;        // pixels
out vec2 offset;          // in standard deviations
out vec4 paint;

vec4 texel(int i) { return texelFetch(splats, ivec2(i % ${WIDTH}, i / ${WIDTH}), 0); }

void main() {
  gl_Position = vec4(2.0, 2.0, 2.0, 1.0);            // outside: not drawn
  int place = ${BATCH} * gl_InstanceID + gl_VertexID / 4;
  if (place >= count) return;
  vec2 corner = vec2(gl_VertexID & 1, (gl_VertexID >> 1) & 1) * 2.0 - 1.0;
  int at = 3 * int(texelFetch(order, ivec2(place % ${WIDTH}, place / ${WIDTH}), 0).x);
  vec4 a = texel(at), b = texel(at + 1), c = texel(at + 2);
  vec3 p = turn * a.xyz + shift;
  if (p.z < 0.05) return;
  mat3 world = mat3(a.w, b.x, b.y, b.x, b.z, b.w, b.y, b.w, c.x);
  mat3 local = growth * turn * world * transpose(turn);
  // EWA splatting (Zwicker et al. 2001): the projection made linear around the centre.
  vec2 slope = clamp(p.xy / p.z, -1.3 * size / focal, 1.3 * size / focal);
  mat2x3 j = mat2x3(focal.x / p.z, 0, -focal.x * slope.x / p.z, 0, focal.y / p.z, -focal.y * slope.y / p.z);
  mat2 flat2 = transpose(j) * local * j;
  float xx = flat2[0][0] + 0.3, yy = flat2[1][1] + 0.3, xy = flat2[0][1];
  float mid = 0.5 * (xx + yy), span = sqrt(max(0.25 * (xx - yy) * (xx - yy) + xy * xy, 1e-9));
  vec2 axis = normalize(xx > yy ? vec2(mid + span - yy, xy) : vec2(xy, mid + span - xx));
  vec2 deviation = sqrt(vec2(mid + span, max(mid - span, 0.1)));
  float alpha = c.z;
  float reach = sqrt(2.0 * log(max(255.0 * alpha, 1.01)));   // where alpha falls below 1/255
  offset = corner * reach;
  vec2 pixel = offset.x * deviation.x * axis + offset.y * deviation.y * vec2(axis.y, -axis.x);
  vec2 center = focal * p.xy / p.z;
  gl_Position = vec4(2.0 * (center + pixel) / size * vec2(1, -1), 0.0, 1.0);
  float rgb = c.y;
  paint = vec4(mod(rgb, 256.0), mod(floor(rgb / 256.0), 256.0), floor(rgb / 65536.0), 255.0 * alpha) / 255.0;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec2 offset;
in vec4 paint;
out vec4 color;
void main() {
  float alpha = min(0.999, paint.a * exp(-0.5 * dot(offset, offset)));
  if (alpha < 1.0 / 255.0) discard;
  color = vec4(paint.rgb * alpha, alpha);
}`;

const GROUND_VERTEX = `#version 300 es
precision highp float;
uniform mat3 turn;
uniform vec3 shift;
uniform vec2 focal;
uniform vec2 size;
uniform vec4 ground;      // centre, radius
out vec2 offset;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  offset = corner;
  vec3 p = turn * (ground.xyz + ground.w * vec3(corner.x, 0.0, corner.y)) + shift;
  gl_Position = vec4(2.0 * focal * p.xy / size * vec2(1, -1), 0.0, p.z);
}`;

const GROUND_FRAGMENT = `#version 300 es
precision highp float;
in vec2 offset;
out vec4 color;
void main() { color = vec4(0.0, 0.0, 0.0, 0.34 * exp(-5.0 * dot(offset, offset)) * smoothstep(1.0, 0.7, length(offset))); }`;

export class Drawing {
  /** Throws when the browser has no WebGL2. */
  constructor(canvas, cloud) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: true, premultipliedAlpha: true });
    if (!gl) throw new Error("no WebGL2");
    this.gl = gl;
    this.count = 0;
    this.stride = Infinity;
    this.programs = [program(gl, GROUND_VERTEX, GROUND_FRAGMENT), program(gl, VERTEX, FRAGMENT)];
    const { low, high } = cloud.box;
    const middle = low.map((v, k) => (v + high[k]) / 2);
    this.ground = [middle[0], high[1] + 0.01, middle[2], Math.max(high[0] - low[0], 0.9)]; // y is down
    texture(gl, gl.TEXTURE0);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, WIDTH, cloud.height, 0, gl.RGBA, gl.FLOAT, cloud.texels);
    texture(gl, gl.TEXTURE1);
    const quads = Uint16Array.from({ length: 6 * BATCH }, (_, i) => 4 * Math.floor(i / 6) + [0, 1, 2, 2, 1, 3][i % 6]);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, quads, gl.STATIC_DRAW);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Sets the order in which Gaussians are drawn: all (stride 1) or one of `stride`. */
  arrange(order, stride) {
    const gl = this.gl, height = Math.ceil(order.length / WIDTH);
    const padded = new Uint32Array(WIDTH * height);
    padded.set(order);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32UI, WIDTH, height, 0, gl.RED_INTEGER, gl.UNSIGNED_INT, padded);
    this.count = order.length;
    this.stride = stride;
  }

  /** One picture; camera: turn (9 numbers, column by column), shift (3), focal in pixels. */
  draw({ turn, shift, focal }) {
    const gl = this.gl, { width, height } = gl.canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    for (const one of this.programs) {
      gl.useProgram(one);
      gl.uniformMatrix3fv(gl.getUniformLocation(one, "turn"), false, turn);
      gl.uniform3fv(gl.getUniformLocation(one, "shift"), shift);
      gl.uniform2f(gl.getUniformLocation(one, "focal"), focal, focal);
      gl.uniform2f(gl.getUniformLocation(one, "size"), width, height);
    }
    gl.useProgram(this.programs[0]);
    gl.uniform4fv(gl.getUniformLocation(this.programs[0], "ground"), this.ground);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.useProgram(this.programs[1]);
    gl.uniform1i(gl.getUniformLocation(this.programs[1], "order"), 1);
    gl.uniform1i(gl.getUniformLocation(this.programs[1], "count"), this.count);
    gl.uniform1f(gl.getUniformLocation(this.programs[1], "growth"), this.stride > 1 ? FILL * this.stride : 1);
    gl.drawElementsInstanced(gl.TRIANGLES, 6 * BATCH, gl.UNSIGNED_SHORT, 0, Math.ceil(this.count / BATCH));
  }

  /** Milliseconds of one picture, measured to its end. */
  time(sight) {
    const gl = this.gl, begin = performance.now();
    this.draw(sight);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    return performance.now() - begin;
  }

  /** Gives the graphics memory back. */
  dispose() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/** A new texture in the given place; later uploads go to the last one made. */
function texture(gl, place) {
  gl.activeTexture(place);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
}

function program(gl, vertex, fragment) {
  const one = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(one, shader);
  }
  gl.linkProgram(one);
  if (!gl.getProgramParameter(one, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(one) || "shader");
  return one;
}
