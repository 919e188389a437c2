// What a person adds to a motion with sliders and the pointer: head, arms, jaw, brows, smile.

import { multiply } from "./skeleton.js";

const RADIANS = Math.PI / 180;
const NECK = 0.4; // share of the neck in a turn of the head
const COLLAR = 0.2; // share of the collar bones in a lift of the arms
const FOLLOW = 6; // per second: how fast the head comes after the pointer
export const LEAST = { turn: -60, nod: -30, arms: -40, jaw: 0, brows: -1, smile: -1 };
export const MOST = { turn: 60, nod: 30, arms: 130, jaw: 1, brows: 1, smile: 1 };
/** Which expressions a slider moves, up and down. */
const SHAPES = {
  jaw: [["jawOpen"], []],
  brows: [["browInnerUp", "browOuterUpLeft", "browOuterUpRight"], ["browDownLeft", "browDownRight"]],
  smile: [["mouthSmileLeft", "mouthSmileRight"], ["mouthFrownLeft", "mouthFrownRight"]],
};

export class Puppet {
  constructor(names, expressions) {
    const joint = (name) => names.indexOf(name);
    this.values = { turn: 0, nod: 0, arms: 0, jaw: 0, brows: 0, smile: 0 }; // degrees, then shares
    this.following = false;
    this.wanted = new Float64Array(2); // where the pointer is: turn and nod, degrees
    this.gaze = new Float64Array(2); // where the head has got to
    this.neck = joint("neck");
    this.head = joint("head");
    this.jaw = joint("jaw");
    this.arms = [["left_collar", COLLAR], ["left_shoulder", 1 - COLLAR], ["right_collar", -COLLAR], ["right_shoulder", COLLAR - 1]]
      .map(([name, share]) => [joint(name), share]);
    this.shapes = {};
    for (const [name, sides] of Object.entries(SHAPES)) {
      this.shapes[name] = sides.map((side) => side.map((one) => expressions.indexOf(one)).filter((e) => e >= 0));
    }
    this.turnBy = new Float64Array(4);
    this.product = new Float64Array(4);
  }

  /** Whether a slider moves anything of this avatar. */
  has(name) {
    return !this.shapes[name] || name === "jaw" || this.shapes[name][0].length > 0;
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
    const { values, gaze } = this;
    this.aim(skeleton, values.turn + gaze[0], values.nod + gaze[1]);
    if (values.arms) for (const [joint, share] of this.arms) this.lift(skeleton, joint, share * values.arms);
    for (const name in this.shapes) {
      const value = values[name], side = this.shapes[name][value < 0 ? 1 : 0];
      for (const e of side) skeleton.faces[e] = Math.min(1.2, skeleton.faces[e] + Math.abs(value));
    }
    if (values.jaw && !this.shapes.jaw[0].length) this.about(skeleton, this.jaw, 1, 20 * values.jaw, true);
  }

  /** Turns the head to the person's left, and down. */
  aim(skeleton, turn, nod) {
    const yaw = Math.max(-75, Math.min(75, turn)), pitch = Math.max(-45, Math.min(45, nod));
    if (!yaw && !pitch) return;
    this.about(skeleton, this.neck, 2, NECK * yaw, true);
    this.about(skeleton, this.head, 2, (1 - NECK) * yaw, true);
    this.about(skeleton, this.neck, 1, NECK * pitch, true);
    this.about(skeleton, this.head, 1, (1 - NECK) * pitch, true);
  }

  lift(skeleton, joint, degrees) {
    this.about(skeleton, joint, 3, degrees, false);
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
