// Where the person is seen from: a turn around it, a height, a distance, a place beside.

export const FOV = (30 * Math.PI) / 180; // vertical
const EASE = 5; // per second, towards the box of another motion
const AIR = 1.1; // of the free height by the person's

export class Camera {
  /** Looks at a box from its front. */
  constructor(box) {
    this.yaw = 0.35; // radians, to the person's left
    this.pitch = 0.06; // radians, from above
    this.zoom = 1;
    this.pan = new Float64Array(2); // metres, to the right and up
    this.low = Float64Array.from(box.low);
    this.high = Float64Array.from(box.high);
    this.wanted = box;
    this.turn = new Float32Array(9); // world to camera, column by column; x right, y down, z forward
    this.shift = new Float32Array(3);
    this.focal = 1; // pixels
    this.head = false; // whether it looks at the head alone
    this.covered = 0; // share of the picture's height, at its foot, that buttons lie over
  }

  /** Back to the front. */
  reset() {
    this.yaw = 0;
    this.pitch = 0.06;
    this.zoom = 1;
    this.pan.fill(0);
  }

  /** Comes nearer to the box that is wanted; true while it moves. */
  ease(seconds) {
    const share = 1 - Math.exp(-EASE * seconds);
    let away = 0;
    for (let k = 0; k < 3; k++) {
      const below = this.wanted.low[k] - this.low[k], above = this.wanted.high[k] - this.high[k];
      this.low[k] += Math.abs(below) < 1e-3 ? below : share * below;
      this.high[k] += Math.abs(above) < 1e-3 ? above : share * above;
      away = Math.max(away, Math.abs(below), Math.abs(above));
    }
    return away > 1e-3;
  }

  /** At the wanted box, at once. */
  jump() {
    for (let k = 0; k < 3; k++) {
      this.low[k] = this.wanted.low[k];
      this.high[k] = this.wanted.high[k];
    }
  }

  /** Metres of the world per pixel, about where the person stands. */
  scale() {
    return this.distance / this.focal;
  }

  /** Fills turn, shift and focal for a picture of so many pixels. */
  look(width, height) {
    const { low, high, zoom, turn, shift } = this;
    const around = Math.hypot(high[0] - low[0], high[2] - low[2]);
    const free = 1 - this.covered;
    const fit = Math.max(((high[1] - low[1]) * AIR) / free, (around * 1.04 * height) / width); // metres of the picture's height
    const distance = fit / 2 / Math.tan(FOV / 2) / zoom + (high[2] - low[2]) / 2;
    const sy = Math.sin(this.yaw), cy = Math.cos(this.yaw), sp = Math.sin(this.pitch), cp = Math.cos(this.pitch);
    turn[0] = cy; turn[3] = 0; turn[6] = -sy; // right
    turn[1] = sp * sy; turn[4] = -cp; turn[7] = sp * cy; // down
    turn[2] = -cp * sy; turn[5] = -sp; turn[8] = -cp * cy; // forward
    const x = (low[0] + high[0]) / 2, z = (low[2] + high[2]) / 2;
    const y = (low[1] + high[1]) / 2 - (0.5 * this.covered * fit) / zoom;
    for (let k = 0; k < 3; k++) shift[k] = -(turn[k] * x + turn[k + 3] * y + turn[k + 6] * z);
    shift[0] -= this.pan[0];
    shift[1] += this.pan[1];
    shift[2] += distance;
    this.distance = distance;
    this.focal = height / 2 / Math.tan(FOV / 2);
  }
}
