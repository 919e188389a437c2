// Reads .splat files, which stand still: 32 bytes per Gaussian (place, size, RGBA, turn), y down.

import { WORDS, emptyCloud } from "./cloud.js";

const BYTES = 32;
const SMALLEST = 1e-5; // metres

/** The cloud with y up, bound to a single joint that never moves, and the box that it fills. */
export function readSplats(buffer) {
  const count = Math.floor(buffer.byteLength / BYTES);
  if (!count) throw new Error("the file holds no points");
  const floats = new Float32Array(buffer, 0, count * 8);
  const bytes = new Uint8Array(buffer, 0, count * BYTES);
  const least = [Infinity, Infinity, Infinity], most = [-Infinity, -Infinity, -Infinity];
  let small = Infinity, large = SMALLEST;
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < 3; k++) {
      const place = (k ? -1 : 1) * floats[8 * i + k], size = Math.max(floats[8 * i + 3 + k], SMALLEST);
      if (place < least[k]) least[k] = place;
      if (place > most[k]) most[k] = place;
      if (size < small) small = size;
      if (size > large) large = size;
    }
  }
  const span = most.map((v, k) => Math.max(v - least[k], 1e-6));
  const log = Math.log(small), room = Math.max(Math.log(large) - log, 1e-6);
  const cloud = emptyCloud(count, least, span, [log, room]);
  const words = cloud.words;
  const step = (i, k) => Math.round((((k ? -1 : 1) * floats[8 * i + k] - least[k]) / span[k]) * 65535);
  const size = (i, k) => Math.round(((Math.log(Math.max(floats[8 * i + 3 + k], SMALLEST)) - log) / room) * 255);
  for (let i = 0; i < count; i++) {
    const at = WORDS * i, byte = BYTES * i;
    words[at] = step(i, 0) | (step(i, 1) << 16);
    words[at + 1] = step(i, 2) | (size(i, 0) << 16) | (size(i, 1) << 24);
    words[at + 2] = size(i, 2);
    // Turned by 180 degrees about x: (0, 1, 0, 0) times (w, x, y, z) is (-x, w, -z, y).
    const w = bytes[byte + 28] - 128, x = bytes[byte + 29] - 128, y = bytes[byte + 30] - 128, z = bytes[byte + 31] - 128;
    words[at + 3] = signed(-x) | (signed(w) << 8) | (signed(-z) << 16) | (signed(y) << 24);
    words[at + 4] = bytes[byte + 24] | (bytes[byte + 25] << 8) | (bytes[byte + 26] << 16) | (bytes[byte + 27] << 24);
    words[at + 6] = 255; // all of its weight is on joint 0
  }
  return { cloud, box: box(floats, count) };
}

/** A number from -128 to 128 as a byte. */
function signed(value) {
  return Math.max(-127, Math.min(127, value)) & 255;
}

/** Low and high corner without the outermost half percent on each side. */
function box(floats, count) {
  const low = [], high = [];
  for (let axis = 0; axis < 3; axis++) {
    const values = Float32Array.from({ length: count }, (_, i) => (axis ? -1 : 1) * floats[8 * i + axis]).sort();
    low.push(values[Math.floor(0.005 * (count - 1))]);
    high.push(values[Math.ceil(0.995 * (count - 1))]);
  }
  return { low, high };
}
