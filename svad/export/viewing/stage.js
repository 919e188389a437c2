// An avatar on its way to the screen: motion, sliders, camera, order, picture.

import { Camera } from "./camera.js";
import { Drawing } from "./draw.js";
import { duration, sample } from "./motion.js";
import { Sorter } from "./order.js";
import { Puppet } from "./puppet.js";
import { JOINTS, Skeleton } from "./skeleton.js";

const SPIN = (14 * Math.PI) / 180; // per second
const QUICK = 80; // ms a picture may take while the view moves; slower machines then draw fewer
const PROBE = 40000; // Gaussians drawn to find out how fast this machine is, and at least
const REST = 300; // ms without movement until all are drawn
const LONGEST = 0.1; // seconds between two pictures that count: a tab that was away goes on where it was
const PORTRAIT = 0.42; // metres above and below the joint of the head in a portrait, together

/** What stands still as a rig: one joint that never moves. */
export function stillRig(cloud, box) {
  const parents = new Int32Array(JOINTS);
  parents[0] = -1;
  return {
    cloud, parents, joints: new Float32Array(3 * JOINTS), names: [], expressions: [], steps: new Float32Array(0),
    rigid: 0, floor: box.low[1] - 0.01, motions: [], box,
  };
}

export class Stage {
  /** told(): something a person sees in the buttons has changed; failed(): no picture can be made. */
  constructor(canvas, rig, worker, told, failed) {
    this.canvas = canvas;
    this.rig = rig;
    this.told = told;
    this.skeleton = new Skeleton(rig.joints, rig.parents);
    this.puppet = new Puppet(rig.names, rig.expressions);
    this.motion = rig.motions[0] ?? null;
    this.camera = new Camera(rig.box ?? this.motion);
    this.seconds = 0; // of the motion
    this.speed = 1;
    this.playing = this.spinning = false;
    this.seen = true;
    this.dirty = true; // the picture is not what it should be
    this.posed = true; // nor is the order
    this.stride = Infinity; // while the view moves, one of so many Gaussians is drawn
    this.last = this.moved = 0;
    this.drawn = 0; // pictures
    this.drawing = new Drawing(canvas, rig.cloud, rig.rigid);
    const { low, high } = this.camera;
    this.radius = Math.max(high[0] - low[0], 0.9);
    this.repose();
    this.sorter = new Sorter(worker, rig.cloud, (order, count, stride) => this.arrive(order, count, stride), failed);
  }

  /** The first order, of a few: the machine's speed is measured with it. */
  begin() {
    this.resize();
    this.sorter.ask(this.skeleton.table, this.camera, Math.max(1, Math.floor(this.rig.cloud.count / PROBE)), true);
  }

  /** An order has come. */
  arrive(order, count, stride) {
    this.drawing.arrange(order, count, stride);
    this.dirty = true;
    if (this.stride !== Infinity) return;
    this.drawing.time(this.camera); // the first picture also compiles
    const whole = (this.drawing.time(this.camera) * this.rig.cloud.count) / count;
    this.stride = Math.max(1, Math.min(Math.ceil(whole / QUICK), Math.floor(this.rig.cloud.count / PROBE)));
  }

  /** One picture's worth of time; true where a picture was drawn. */
  step(now) {
    const pause = Math.min((now - this.last) / 1000, LONGEST);
    this.last = now;
    if (!this.seen || this.stride === Infinity) return false;
    this.advance(pause);
    if (this.spinning) {
      this.camera.yaw += SPIN * pause;
      this.touch();
    }
    if (this.camera.ease(pause)) this.touch();
    const wanted = now - this.moved > REST ? 1 : this.stride;
    if (!this.dirty && !this.posed && this.drawing.stride === wanted) return false;
    this.camera.look(this.canvas.width, this.canvas.height);
    if (this.sorter.ask(this.skeleton.table, this.camera, wanted, this.posed)) this.posed = false;
    if (!this.dirty || this.drawing.stride < wanted) return false;
    this.dirty = false;
    this.drawing.draw(this.camera);
    this.drawn++;
    return true;
  }

  /** Motion, pointer and sliders go on by some seconds. */
  advance(pause) {
    const turned = this.puppet.follow(pause);
    if (this.playing) this.seek(this.seconds + pause * this.speed);
    else if (turned) this.repose();
  }

  /** To a moment of the motion; one that does not loop ends there. */
  seek(seconds) {
    const length = duration(this.motion);
    if (length && this.motion.looped) seconds -= length * Math.floor(seconds / length);
    else if (seconds >= length && this.playing) {
      seconds = length;
      this.playing = false;
      this.told();
    }
    this.seconds = Math.max(0, seconds);
    this.repose();
  }

  /** The skeleton as motion and sliders want it. */
  repose() {
    const { skeleton, motion, drawing, camera } = this;
    if (motion) {
      sample(motion, this.seconds, skeleton);
      this.puppet.move(skeleton);
    }
    skeleton.pose(this.rig.steps);
    drawing.pose(skeleton.table, skeleton.shift);
    const x = motion ? skeleton.places[0] + skeleton.shift[0] : (camera.low[0] + camera.high[0]) / 2;
    const z = motion ? skeleton.places[2] + skeleton.shift[2] : (camera.low[2] + camera.high[2]) / 2;
    drawing.ground[0] = x;
    drawing.ground[1] = this.rig.floor;
    drawing.ground[2] = z;
    drawing.ground[3] = this.radius;
    this.posed = true;
    this.touch();
  }

  /** Begins a motion. */
  choose(motion, playing) {
    this.motion = motion;
    this.seconds = 0;
    this.playing = playing && duration(motion) > 0;
    if (!this.camera.head) this.camera.wanted = motion;
    this.repose();
    this.told();
  }

  /** Plays on, or stops. */
  play(on) {
    this.playing = on && this.motion && duration(this.motion) > 0;
    if (this.playing && !this.motion.looped && this.seconds >= duration(this.motion)) this.seconds = 0;
    this.told();
  }

  spin(on) {
    this.spinning = on;
    this.told();
  }

  /** Looks from a side (radians), at all of the person or at the head. */
  view(yaw, head) {
    const { camera, skeleton } = this;
    camera.reset();
    camera.yaw = yaw;
    camera.head = head;
    camera.wanted = this.rig.box ?? this.motion;
    if (head) {
      const at = 3 * this.puppet.head, half = PORTRAIT / 2;
      const [x, y, z] = [0, 1, 2].map((k) => skeleton.places[at + k] + skeleton.shift[k]);
      camera.pitch = 0;
      camera.wanted = { low: [x - half, y - 0.8 * half, z - 0.1], high: [x + half, y + 1.2 * half, z + 0.1] };
    }
    this.spin(false);
    this.touch();
  }

  /** The pointer is at a place of the picture, -1 to 1 to the right and down. */
  point(x, y) {
    const { camera, puppet } = this;
    if (!puppet.following || puppet.head < 0) return;
    // Towards the camera as seen from the body, and from there to where the pointer is.
    const away = ((camera.yaw + Math.PI) % (2 * Math.PI) + 2 * Math.PI) % (2 * Math.PI) - Math.PI;
    const front = Math.abs(away) < 2 ? 1 : 0; // nobody looks behind
    puppet.wanted[0] = front * Math.max(-65, Math.min(65, (180 / Math.PI) * (away + 0.7 * x)));
    puppet.wanted[1] = front * Math.max(-28, Math.min(28, (180 / Math.PI) * (0.45 * y - camera.pitch + 0.15)));
  }

  /** The view has changed. */
  touch() {
    this.moved = this.last;
    this.dirty = true;
  }

  resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2), { canvas } = this;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    const dock = document.querySelector("#dock").clientHeight;
    this.camera.covered = Math.min(0.4, dock / Math.max(1, canvas.clientHeight));
    this.camera.look(canvas.width, canvas.height);
    this.dirty = true;
  }

  /** Whether the last picture shows everything as it is. */
  get settled() {
    return !this.dirty && !this.posed && !this.sorter.busy && this.drawing.stride === 1;
  }

  dispose() {
    this.sorter.dispose();
    this.drawing.dispose();
  }
}
