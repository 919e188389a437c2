// Worker: orders the Gaussians from far to near by counting sort, posed by linear skinning.

const BUCKETS = 65536;
let places = new Float32Array(0), bones = new Uint8Array(0), weights = new Uint8Array(0);
let depths = new Float32Array(0), keys = new Uint16Array(0);
const starts = new Uint32Array(BUCKETS + 1);

onmessage = ({ data }) => {
  if (data.places) {
    ({ places, bones, weights } = data);
    depths = new Float32Array(places.length / 3);
    keys = new Uint16Array(places.length / 3);
    return;
  }
  const begin = performance.now();
  data.count = sorted(data.sight, data.stride, data.order);
  data.took = performance.now() - begin;
  // The same arrays go to and fro: nothing is made anew for a frame.
  postMessage(data, { transfer: [data.sight.buffer, data.order.buffer] });
};

/**
 * Fills `order` with every stride-th index by falling depth and returns how many they are.
 * sight: [4 J], of each joint what takes a rest place to its depth. The pose's dual quaternions
 * move a point by millimetres beyond that, which no order needs.
 */
function sorted(sight, stride, order) {
  const count = Math.ceil(places.length / 3 / stride);
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < count; i++) {
    const at = stride * i, p = 3 * at, b = 4 * at;
    const x = places[p], y = places[p + 1], z = places[p + 2];
    let depth = 0;
    for (let k = b; k < b + 4; k++) {
      const weight = weights[k];
      if (weight === 0) break; // they fall
      const s = 4 * bones[k];
      depth += weight * (sight[s] * x + sight[s + 1] * y + sight[s + 2] * z + sight[s + 3]);
    }
    depths[i] = depth;
    if (depth < low) low = depth;
    if (depth > high) high = depth;
  }
  const factor = high > low ? (BUCKETS - 1) / (high - low) : 0;
  starts.fill(0);
  for (let i = 0; i < count; i++) {
    const key = ((high - depths[i]) * factor) | 0; // 0 is the farthest
    keys[i] = key;
    starts[key + 1]++;
  }
  for (let k = 0; k < BUCKETS; k++) starts[k + 1] += starts[k];
  for (let i = 0; i < count; i++) order[starts[keys[i]]++] = stride * i;
  return count;
}
