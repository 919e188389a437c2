// Reads .splat files: 32 bytes per Gaussian (position, scale, RGBA, rotation), y pointing down.

export const BYTES = 32;
export const WIDTH = 1536; // of the texture; every WebGL2 allows 2048
const TEXELS = 3; // per Gaussian in the texture: position, covariance (6), colour, alpha

/** Downloads with progress: told(share in 0..1 or null when the size is unknown). */
export async function download(url, told, signal) {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(`the file could not be loaded (${answer.status})`);
  const total = Number(answer.headers.get("content-length")) || 0;
  const reader = answer.body.getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    told(total ? Math.min(size / total, 1) : null);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.buffer;
}

/** Positions [3N], the texture's contents, and the box that holds nearly all Gaussians. */
export function parse(buffer) {
  const count = Math.floor(buffer.byteLength / BYTES);
  if (!count) throw new Error("the file holds no points");
  const floats = new Float32Array(buffer, 0, count * 8);
  const bytes = new Uint8Array(buffer, 0, count * BYTES);
  const height = Math.ceil((count * TEXELS) / WIDTH);
  const texels = new Float32Array(WIDTH * height * 4);
  const positions = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    const [x, y, z, sx, sy, sz] = floats.subarray(8 * i, 8 * i + 6);
    const quat = [28, 29, 30, 31].map((k) => (bytes[BYTES * i + k] - 128) / 128);
    positions.set([x, y, z], 3 * i);
    const at = 4 * TEXELS * i;
    texels.set([x, y, z], at);
    texels.set(covariance(quat, [sx, sy, sz]), at + 3);
    texels[at + 9] = pack(bytes, BYTES * i + 24);
    texels[at + 10] = bytes[BYTES * i + 27] / 255;
  }
  return { count, positions, texels, height, box: box(positions, count) };
}

/** Red, green and blue as one whole number a float holds exactly. */
function pack(bytes, at) {
  return bytes[at] + 256 * bytes[at + 1] + 65536 * bytes[at + 2];
}

/** R S S^T R^T of a (w, x, y, z) rotation: xx, xy, xz, yy, yz, zz. */
function covariance(quat, scale) {
  const n = Math.hypot(...quat) || 1;
  const [w, x, y, z] = quat.map((v) => v / n);
  const rows = [
    [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ].map((row) => row.map((v, k) => v * scale[k]));
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  return [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]].map(([a, b]) => dot(rows[a], rows[b]));
}

/** Low and high corner without the outermost half percent on each side. */
function box(positions, count) {
  const low = [], high = [];
  for (let axis = 0; axis < 3; axis++) {
    const values = Float32Array.from({ length: count }, (_, i) => positions[3 * i + axis]).sort();
    low.push(values[Math.floor(0.005 * (count - 1))]);
    high.push(values[Math.ceil(0.995 * (count - 1))]);
  }
  return { low, high };
}
