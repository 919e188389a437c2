// Worker: orders the Gaussians from far to near by counting sort.

const BUCKETS = 65536;
let positions = new Float32Array(0);

onmessage = ({ data }) => {
  if (data.positions) {
    positions = data.positions;
    return;
  }
  const order = sorted(data.forward, data.stride);
  postMessage({ order, stride: data.stride }, [order.buffer]);
};

/** Every stride-th index, by falling depth along `forward` [3]. */
function sorted([fx, fy, fz], stride) {
  const count = Math.ceil(positions.length / 3 / stride);
  const depths = new Float32Array(count);
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < count; i++) {
    const at = 3 * stride * i;
    const depth = fx * positions[at] + fy * positions[at + 1] + fz * positions[at + 2];
    depths[i] = depth;
    if (depth < low) low = depth;
    if (depth > high) high = depth;
  }
  const factor = high > low ? (BUCKETS - 1) / (high - low) : 0;
  const starts = new Uint32Array(BUCKETS + 1);
  const keys = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    keys[i] = (high - depths[i]) * factor; // 0 is the farthest
    starts[keys[i] + 1]++;
  }
  for (let k = 0; k < BUCKETS; k++) starts[k + 1] += starts[k];
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[starts[keys[i]]++] = stride * i;
  return order;
}
