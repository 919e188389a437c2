// The worker that sorts, from the side that draws: what it is sent, and what comes back.

import { WIDTH, WORDS, unpackPlaces } from "./cloud.js";
import { FLOATS, JOINTS } from "./skeleton.js";

const TURNED = 0.9995; // cosine between two directions that one order does for

export class Sorter {
  /** arrived(order, count, stride) is called with each order; failed() where none can be made. */
  constructor(source, cloud, arrived, failed) {
    this.worker = new Worker(source);
    this.busy = false;
    this.stride = 0; // of the last order that was asked for
    this.forward = new Float32Array(3);
    this.took = 0; // ms, of the last one
    this.message = {
      sight: new Float32Array(4 * JOINTS),
      order: new Uint32Array(WIDTH * Math.max(1, Math.ceil(cloud.count / WIDTH))),
      stride: 1,
      count: 0,
      took: 0,
    };
    this.given = [null, null];
    this.worker.onerror = failed;
    this.worker.onmessage = ({ data }) => {
      this.message = data;
      this.busy = false;
      this.took = data.took;
      arrived(data.order, data.count, data.stride);
    };
    const { bones, weights } = bindings(cloud);
    this.worker.postMessage({ places: unpackPlaces(cloud), bones, weights });
  }

  /** Asks for an order unless one is being made, or the last one will do; moved: a new pose. */
  ask(table, camera, stride, moved) {
    if (this.busy) return false;
    const { turn } = camera, { forward } = this;
    const same = turn[2] * forward[0] + turn[5] * forward[1] + turn[8] * forward[2] > TURNED;
    if (same && !moved && stride === this.stride) return true;
    forward[0] = turn[2];
    forward[1] = turn[5];
    forward[2] = turn[8];
    this.stride = stride;
    const { message, given } = this, { sight } = message;
    for (let j = 0; j < JOINTS; j++) {
      const row = FLOATS * j + 8;
      for (let k = 0; k < 4; k++) {
        sight[4 * j + k] = forward[0] * table[row + k] + forward[1] * table[row + 4 + k] + forward[2] * table[row + 8 + k];
      }
    }
    message.stride = stride;
    given[0] = sight.buffer;
    given[1] = message.order.buffer;
    this.busy = true;
    this.worker.postMessage(message, given);
    return true;
  }

  dispose() {
    this.worker.terminate();
  }
}

/** Joints and weights of all Gaussians, bytes by four. */
function bindings({ count, words }) {
  const bones = new Uint8Array(4 * count), weights = new Uint8Array(4 * count);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < 4; k++) {
      bones[4 * i + k] = words[WORDS * i + 5] >>> (8 * k);
      weights[4 * i + k] = words[WORDS * i + 6] >>> (8 * k);
    }
  }
  return { bones, weights };
}
