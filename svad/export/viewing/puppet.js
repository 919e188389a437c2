// What a person adds to a motion with sliders and the pointer: head, arms, jaw, brows, smile.

import { multiply } from "./skeleton.js";
import { SLIDERS } from "./sliders.js";

const RADIANS = Math.PI / 180;
const FOLLOW = 6; // per second: how fast the head comes after the pointer
const GAZE = { turn: [0, 75], nod: [1, 45] }; // of the pointer, and degrees up to which slider and pointer add up
const FULL = 1.2; // up to which a motion's expression and a slider's add up
const AXES = { x: 1, y: 2, z: 3 };

export class Puppet {
  constructor(names, expressions) {
    this.values = Object.fromEntries(Object.keys(SLIDERS).map((name) => [name, 0])); // degrees, or shares
    this.following = false;
    this.wanted = new Float64Array(2); // where the pointer is: turn and nod, degrees
    this.gaze = new Float64Array(2); // where the head has got to
    this.head = names.indexOf("head");
    this.rows = Object.entries(SLIDERS).map(([name, told]) => {
      const sides = [told.up ?? [], told.down ?? []].map((side) => side.map((one) => expressions.indexOf(one)).filter((e) => e >= 0));
      const moved = told.joints ?? (sides[0].length ? [] : told.without ?? []);
      const joints = moved.map(([joint, axis, share, whose]) => ({ joint: names.indexOf(joint), axis: AXES[axis], share, own: whose === "own" }));
      return { name, sides, joints, gaze: GAZE[name] };
    });
    this.turnBy = new Float64Array(4);
    this.product = new Float64Array(4);
  }

  /** Whether a slider moves anything of this avatar. */
  has(name) {
    const row = this.rows.find((one) => one.name === name);
    return row.joints.length > 0 || row.sides[0].length > 0;
  }

  /** The head goes after the pointer; true while it moves. */
  follow(seconds) {
    const share = 1 - Math.exp(-FOLLOW * seconds);
    let away = 0;
    for (let k = 0; k < 2; k++) {
      const step = (this.following ? this.wanted[k] : 0) - this.gaze[k];
      this.gaze[k] += Math.abs(step) < 0.05 ? step : share * step;
      away = Math.max(away, Math.abs(step));
    }
    return away > 0.05;
  }

  /** Adds all of it to a skeleton that a motion has posed. */
  move(skeleton) {
    for (const { name, sides, joints, gaze } of this.rows) {
      let value = this.values[name];
      if (gaze) value = Math.max(-gaze[1], Math.min(gaze[1], value + this.gaze[gaze[0]]));
      if (!value) continue;
      for (const { joint, axis, share, own } of joints) this.about(skeleton, joint, axis, share * value, own);
      for (const e of sides[value < 0 ? 1 : 0]) skeleton.faces[e] = Math.min(FULL, skeleton.faces[e] + Math.abs(value));
    }
  }

  /** Turns a joint about its own axis (1 x, 2 y, 3 z), or about its parent's. */
  about(skeleton, joint, axis, degrees, own) {
    const half = 0.5 * RADIANS * degrees, q = 4 * joint;
    this.turnBy.fill(0);
    this.turnBy[0] = Math.cos(half);
    this.turnBy[axis] = Math.sin(half);
    if (own) multiply(this.product, 0, skeleton.turns, q, this.turnBy, 0);
    else multiply(this.product, 0, this.turnBy, 0, skeleton.turns, q);
    for (let k = 0; k < 4; k++) skeleton.turns[q + k] = this.product[k];
  }
}
