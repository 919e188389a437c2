// Reads the compact avatar that moves (viewer.rig): safetensors, laid out as docs/format.md says.

import { WORDS, WIDTH, emptyCloud } from "./cloud.js";

const KINDS = { U8: Uint8Array, I8: Int8Array, U16: Uint16Array, I16: Int16Array, U32: Uint32Array, I32: Int32Array, F32: Float32Array };

/** The arrays of a safetensors file by name, and what the file says of itself. */
function readArrays(buffer) {
  const size = Number(new DataView(buffer).getBigUint64(0, true));
  if (size > buffer.byteLength - 8) throw new Error("the file is cut short");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, size)));
  /** @type {Record<string, any>} */
  const arrays = {};
  for (const [name, { dtype, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const Kind = KINDS[dtype], [begin, end] = data_offsets;
    if (end > buffer.byteLength - 8 - size) throw new Error("the file is cut short");
    arrays[name] = new Kind(buffer.slice(8 + size + begin, 8 + size + end));
  }
  const about = JSON.parse(header.__metadata__?.viewer ?? "{}");
  if (about.format !== "svad-viewer") throw new Error("the file is no avatar");
  if (about.version !== 1) throw new Error("the avatar was made by another version");
  return { arrays, about };
}

/** An avatar: its cloud, skeleton, expressions and motions. */
export function readRig(buffer) {
  const { arrays, about } = readArrays(buffer);
  const motions = about.motions.map((one) => readMotion(arrays, one));
  return {
    cloud: packed(arrays, about),
    joints: arrays.joints,
    parents: arrays.parents,
    names: about.joint_names,
    expressions: about.expression_names,
    steps: Float32Array.from(about.face_steps),
    rigid: about.rigid,
    floor: about.floor,
    motions,
  };
}

/** The motions of a file that holds nothing else. */
export function readMotions(buffer) {
  const { arrays, about } = readArrays(buffer);
  return about.motions.map((one) => readMotion(arrays, one));
}

function readMotion(arrays, one) {
  const part = (name) => arrays[`${one.name}.${name}`];
  return { ...one, turns: part("turns"), shifts: part("shifts"), faces: part("faces") };
}

/** Fills the shader's words. */
function packed(arrays, about) {
  const { places, sizes, turns, colors, bones, weights } = arrays;
  const count = colors.length / 4;
  const cloud = emptyCloud(count, about.low, about.span, about.log_sizes);
  const words = cloud.words;
  const four = (bytes, i) => (bytes[4 * i] & 255) | ((bytes[4 * i + 1] & 255) << 8) | ((bytes[4 * i + 2] & 255) << 16) | (bytes[4 * i + 3] << 24);
  for (let i = 0; i < count; i++) {
    const at = WORDS * i;
    words[at] = places[3 * i] | (places[3 * i + 1] << 16);
    words[at + 1] = places[3 * i + 2] | (sizes[3 * i] << 16) | (sizes[3 * i + 1] << 24);
    words[at + 2] = sizes[3 * i + 2];
    words[at + 3] = four(turns, i);
    words[at + 4] = four(colors, i);
    words[at + 5] = four(bones, i);
    words[at + 6] = four(weights, i);
  }
  faces(cloud, arrays);
  return cloud;
}

/** The directions of all expressions in one row; word 7 says where a Gaussian's begin, and how many. */
function faces(cloud, { face_splats: splats, face_counts: counts, face_names: names, face_dirs: dirs }) {
  const height = Math.max(1, Math.ceil(names.length / WIDTH));
  const texels = new Int8Array(4 * WIDTH * height);
  for (let i = 0; i < names.length; i++) {
    texels[4 * i] = dirs[3 * i];
    texels[4 * i + 1] = dirs[3 * i + 1];
    texels[4 * i + 2] = dirs[3 * i + 2];
    texels[4 * i + 3] = names[i];
  }
  for (let k = 0, first = 0; k < splats.length; first += counts[k++]) {
    cloud.words[WORDS * splats[k] + 7] = first | (counts[k] << 24);
  }
  cloud.faces = texels;
  cloud.faceCount = names.length;
}
