// A cloud of Gaussians as the shader reads it: 8 whole numbers of 32 bits each, see docs/format.md.

export const WIDTH = 2048; // of every texture; all of WebGL2 allow that many
export const WORDS = 8; // per Gaussian, two texels

/** Memory for `count` Gaussians whose places lie in a box and whose sizes are logarithms. */
export function emptyCloud(count, low, span, logSizes) {
  const height = Math.max(1, Math.ceil((count * WORDS) / 4 / WIDTH));
  return {
    count,
    height,
    words: new Uint32Array(WIDTH * height * 4),
    low: Float32Array.from(low),
    span: Float32Array.from(span),
    logSizes: Float32Array.from(logSizes),
    faces: new Int8Array(4), // dx, dy, dz, expression
    faceCount: 0,
  };
}

/** Places [3N] in metres, for the worker that sorts. */
export function unpackPlaces(cloud) {
  const { count, words, low, span } = cloud;
  const places = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const xy = words[WORDS * i], z = words[WORDS * i + 1];
    places[3 * i] = low[0] + (span[0] * (xy & 0xffff)) / 65535;
    places[3 * i + 1] = low[1] + (span[1] * (xy >>> 16)) / 65535;
    places[3 * i + 2] = low[2] + (span[2] * (z & 0xffff)) / 65535;
  }
  return places;
}
