// Skins Gaussians and draws each as an ellipse in a square, and the shadow on the floor.

import { WIDTH } from "./cloud.js";
import { FACES, FLOATS, JOINTS } from "./skeleton.js";

export const VERTEX = `#version 300 es
precision highp float;
precision highp int;
uniform highp usampler2D splats;  // see cloud.js
uniform highp isampler2D faces;   // dx, dy, dz, expression
uniform highp usampler2D order;   // far to near
layout(std140) uniform Pose {
  vec4 joints[${(JOINTS * FLOATS) / 4}];  // dual quaternion w x y z + w x y z, three rows of the transform
  vec4 coefficients[${FACES / 4}];  // times the metres of a step
};
uniform vec3 low, span;   // metres
uniform vec2 logSizes;
uniform float rigid;      // share of dual quaternions in the blend
uniform vec3 move;        // metres, of the body, after skinning
uniform float growth;     // of the area of each Gaussian, where only some are drawn
uniform mat3 turn;        // world to camera
uniform vec3 shift;
uniform vec2 focal;       // pixels
uniform vec2 size;        // pixels
uniform float largest;    // pixels, of a point
flat out vec4 conic;      // inverse of the covariance: xx, xy, yy; and the side of the square, pixels
flat out vec4 paint;

vec4 unpack(uint word) { return vec4(word & 255u, (word >> 8) & 255u, (word >> 16) & 255u, word >> 24); }
float byte(uint word, int up) { return float(int(word << up) >> 24); }
uvec4 words(int i) { return texelFetch(splats, ivec2(i % ${WIDTH}, i / ${WIDTH}), 0); }
mat3 matrix(vec4 q) {  // w x y z
  vec3 a = 2.0 * q.y * q.yzw, b = 2.0 * q.z * q.yzw, w = 2.0 * q.x * q.yzw;
  float zz = 2.0 * q.w * q.w;
  return mat3(1.0 - b.y - zz, a.y + w.z, a.z - w.y, a.y - w.z, 1.0 - a.x - zz, b.z + w.x, a.z + w.y, b.z - w.x, 1.0 - a.x - b.y);
}

void main() {
  // One point each: with the four corners of a square all this would be done four times.
  gl_Position = vec4(2.0, 2.0, 2.0, 1.0);            // outside: not drawn
  gl_PointSize = 1.0;
  int at = 2 * int(texelFetch(order, ivec2(gl_VertexID % ${WIDTH}, gl_VertexID / ${WIDTH}), 0).x);
  uvec4 a = words(at), b = words(at + 1);
  vec3 rest = low + span * vec3(a.x & 0xffffu, a.x >> 16, a.y & 0xffffu) / 65535.0;
  int first = int(b.w & 0xffffffu), end = first + int(b.w >> 24);
  for (int i = first; i < end; i++) {
    ivec4 face = texelFetch(faces, ivec2(i % ${WIDTH}, i / ${WIDTH}), 0);
    rest += coefficients[face.w >> 2][face.w & 3] * vec3(face.xyz);
  }
  vec4 real = vec4(0), dual = vec4(0), r0 = vec4(0), r1 = vec4(0), r2 = vec4(0);
  for (int k = 0; k < 4; k++) {
    float weight = float((b.z >> (8 * k)) & 255u) / 255.0;
    if (weight == 0.0) break;
    int j = ${FLOATS / 4} * int((b.y >> (8 * k)) & 255u);
    real += weight * joints[j];
    dual += weight * joints[j + 1];
    r0 += weight * joints[j + 2];
    r1 += weight * joints[j + 3];
    r2 += weight * joints[j + 4];
  }
  float scale = inversesqrt(max(dot(real, real), 1e-16));
  real *= scale;
  dual *= scale;
  mat3 turned = matrix(real);
  vec3 straight = vec3(dot(r0.xyz, rest) + r0.w, dot(r1.xyz, rest) + r1.w, dot(r2.xyz, rest) + r2.w);
  // Kavan et al. 2008, algorithm 1
  vec3 slide = 2.0 * (real.x * dual.yzw - dual.x * real.yzw + cross(real.yzw, dual.yzw));
  vec3 p = turn * (mix(straight, turned * rest + slide, rigid) + move) + shift;
  if (p.z < 0.05) return;
  vec3 deviations = exp(logSizes.x + logSizes.y * vec3((a.y >> 16) & 255u, a.y >> 24, a.z & 255u) / 255.0);
  vec4 quat = normalize(vec4(byte(a.w, 24), byte(a.w, 16), byte(a.w, 8), byte(a.w, 0)));
  mat3 axes = turn * turned * matrix(quat);
  axes[0] *= deviations.x;
  axes[1] *= deviations.y;
  axes[2] *= deviations.z;
  // EWA splatting (Zwicker et al. 2001): the projection made linear around the centre.
  vec2 slope = clamp(p.xy / p.z, -1.3 * size / focal, 1.3 * size / focal);
  vec2 near = focal / p.z;
  vec3 u = near.x * (vec3(axes[0].x, axes[1].x, axes[2].x) - slope.x * vec3(axes[0].z, axes[1].z, axes[2].z));
  vec3 v = near.y * (vec3(axes[0].y, axes[1].y, axes[2].y) - slope.y * vec3(axes[0].z, axes[1].z, axes[2].z));
  float xx = growth * dot(u, u) + 0.3, yy = growth * dot(v, v) + 0.3, xy = growth * dot(u, v);
  paint = unpack(b.x) / 255.0;
  float reach = sqrt(2.0 * log(max(255.0 * paint.a, 1.01)));   // where alpha falls below 1/255
  float side = min(2.0 * reach * sqrt(max(xx, yy)) + 1.0, largest);
  conic = vec4(vec3(yy, -xy, xx) / max(xx * yy - xy * xy, 1e-9), side);
  gl_PointSize = side;
  gl_Position = vec4(2.0 * focal * p.xy / p.z / size * vec2(1, -1), 0.0, 1.0);
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
flat in vec4 conic;
flat in vec4 paint;
out vec4 color;
void main() {
  vec2 d = conic.w * (gl_PointCoord - 0.5);   // pixels, y down
  float alpha = min(0.999, paint.a * exp(-0.5 * (conic.x * d.x * d.x + 2.0 * conic.y * d.x * d.y + conic.z * d.y * d.y)));
  if (alpha < 1.0 / 255.0) discard;
  color = vec4(paint.rgb * alpha, alpha);
}`;

export const GROUND_VERTEX = `#version 300 es
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

export const GROUND_FRAGMENT = `#version 300 es
precision highp float;
in vec2 offset;
out vec4 color;
void main() { color = vec4(0.0, 0.0, 0.0, 0.34 * exp(-5.0 * dot(offset, offset)) * smoothstep(1.0, 0.7, length(offset))); }`;
