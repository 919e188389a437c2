// The skeleton in a pose: joint turns become what the shader blends, as svad/body/skin.py does it.

export const JOINTS = 55;
export const FLOATS = 20; // of a joint: dual quaternion 4 + 4, rows of the rigid transform 12
export const FACES = 128; // coefficients, whatever expressions there are

/** out = a b, for quaternions w, x, y, z at places in arrays. */
export function multiply(out, o, a, i, b, j) {
  const w = a[i], x = a[i + 1], y = a[i + 2], z = a[i + 3];
  const v = b[j], r = b[j + 1], s = b[j + 2], t = b[j + 3];
  out[o] = w * v - x * r - y * s - z * t;
  out[o + 1] = w * r + x * v + y * t - z * s;
  out[o + 2] = w * s - x * t + y * v + z * r;
  out[o + 3] = w * t + x * s - y * r + z * v;
}

export class Skeleton {
  /** joints [165] metres at rest; parents [55], the root's is -1, parents before children. */
  constructor(joints, parents) {
    this.joints = joints;
    this.parents = parents;
    this.turns = new Float64Array(4 * JOINTS); // relative to the parent; what is to be set
    this.shift = new Float64Array(3); // of the body, metres, after skinning
    this.faces = new Float32Array(FACES); // coefficients
    this.world = new Float64Array(4 * JOINTS);
    this.places = new Float64Array(3 * JOINTS); // without the shift
    this.table = new Float32Array(FLOATS * JOINTS + FACES); // for the shader
    this.still();
  }

  /** The rest pose. */
  still() {
    this.turns.fill(0);
    for (let j = 0; j < JOINTS; j++) this.turns[4 * j] = 1;
    this.shift.fill(0);
    this.faces.fill(0);
  }

  /** Fills the table from turns; steps: metres of one step of each expression's directions. */
  pose(steps) {
    const { turns, world, parents } = this;
    for (let j = 0; j < JOINTS; j++) {
      const q = 4 * j, parent = parents[j];
      // Each joint lies in the hemisphere of its parent, so the blend takes the short way round.
      if (turns[q] < 0) for (let k = q; k < q + 4; k++) turns[k] = -turns[k];
      if (parent < 0) for (let k = q; k < q + 4; k++) world[k] = turns[k];
      else multiply(world, q, world, 4 * parent, turns, q);
      this.place(j, parent);
    }
    for (let e = 0; e < steps.length; e++) this.table[FLOATS * JOINTS + e] = this.faces[e] * steps[e];
  }

  /** The row of the table of one joint, and where it is. */
  place(j, parent) {
    const { joints, places, world, table } = this;
    const w = world[4 * j], x = world[4 * j + 1], y = world[4 * j + 2], z = world[4 * j + 3];
    const at = FLOATS * j, p = 3 * j;
    if (parent < 0) {
      for (let k = 0; k < 3; k++) places[p + k] = joints[p + k];
    } else {
      // The parent's row is filled: it says where this joint goes with it.
      const row = FLOATS * parent + 8;
      for (let k = 0; k < 3; k++) {
        const r = row + 4 * k;
        places[p + k] = table[r] * joints[p] + table[r + 1] * joints[p + 1] + table[r + 2] * joints[p + 2] + table[r + 3];
      }
    }
    const m = at + 8;
    table[m] = 1 - 2 * (y * y + z * z); table[m + 1] = 2 * (x * y - w * z); table[m + 2] = 2 * (x * z + w * y);
    table[m + 4] = 2 * (x * y + w * z); table[m + 5] = 1 - 2 * (x * x + z * z); table[m + 6] = 2 * (y * z - w * x);
    table[m + 8] = 2 * (x * z - w * y); table[m + 9] = 2 * (y * z + w * x); table[m + 10] = 1 - 2 * (x * x + y * y);
    for (let k = 0; k < 3; k++) {
      const r = m + 4 * k;
      table[r + 3] = places[p + k] - table[r] * joints[p] - table[r + 1] * joints[p + 1] - table[r + 2] * joints[p + 2];
    }
    const a = table[m + 3], b = table[m + 7], c = table[m + 11];
    table[at] = w; table[at + 1] = x; table[at + 2] = y; table[at + 3] = z;
    table[at + 4] = -0.5 * (a * x + b * y + c * z); // half of (0, a, b, c) times the real part
    table[at + 5] = 0.5 * (a * w + b * z - c * y);
    table[at + 6] = 0.5 * (b * w + c * x - a * z);
    table[at + 7] = 0.5 * (c * w + a * y - b * x);
  }
}
