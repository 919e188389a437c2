// Plays a motion: its pose at any moment, between two frames.

import { JOINTS } from "./skeleton.js";

const TURN = 1 / 32767, FACE = 1 / 4096; // of what the file has as whole numbers

/** How long a motion takes, seconds; the frame after the last of a looped one is the first. */
export function duration(motion) {
  return motion.frames > 1 ? (motion.looped ? motion.frames : motion.frames - 1) / motion.fps : 0;
}

/** Puts the skeleton into the pose of a moment (seconds); nothing is allocated. */
export function sample(motion, seconds, skeleton) {
  const place = Math.max(0, seconds) * motion.fps;
  const last = motion.frames - 1;
  const first = motion.looped ? Math.floor(place) % motion.frames : Math.min(Math.floor(place), last);
  const next = first < last ? first + 1 : motion.looped ? 0 : last;
  const share = place - Math.floor(place);
  turns(motion.turns, first, next, share, skeleton.turns);
  for (let k = 0; k < 3; k++) {
    const a = motion.shifts[3 * first + k], b = motion.shifts[3 * next + k];
    skeleton.shift[k] = a + share * (b - a);
  }
  const count = motion.faces.length / motion.frames;
  for (let e = 0; e < count; e++) {
    const a = motion.faces[count * first + e], b = motion.faces[count * next + e];
    skeleton.faces[e] = FACE * (a + share * (b - a));
  }
}

/** Straight between the frames' quaternions, then to unit length: frames lie close together. */
function turns(source, first, next, share, out) {
  for (let j = 0; j < JOINTS; j++) {
    const a = 4 * (JOINTS * first + j), b = 4 * (JOINTS * next + j), q = 4 * j;
    let dot = 0, length = 0;
    for (let k = 0; k < 4; k++) dot += source[a + k] * source[b + k];
    const weight = dot < 0 ? -share : share;
    for (let k = 0; k < 4; k++) {
      const value = TURN * ((1 - share) * source[a + k] + weight * source[b + k]);
      out[q + k] = value;
      length += value * value;
    }
    const scale = 1 / Math.sqrt(length || 1);
    for (let k = 0; k < 4; k++) out[q + k] *= scale;
  }
}
