// Mouse, touch and keys on the canvas: turn, zoom, pan.

const STEP = (15 * Math.PI) / 180; // per key or button press
const PAN = 40; // pixels per key press

export class Input {
  /** touched(byHand): the view has changed; pointed(x, y): the pointer is there, of -1 to 1. */
  constructor(canvas, camera, touched, pointed) {
    this.canvas = canvas;
    this.camera = camera;
    this.touched = touched;
    this.fingers = new Map();
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => this.fingers.delete(event.pointerId));
    }
    // The wheel belongs to the page, unless the view was clicked before or Ctrl is held.
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return;
      if (this.zoom(Math.exp(-event.deltaY * 0.0015))) event.preventDefault();
    }, { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") pointed((2 * event.clientX) / innerWidth - 1, (2 * event.clientY) / innerHeight - 1);
    });
  }

  /** The keys of the view; false for others. */
  key(name, shift) {
    const { camera } = this;
    if (shift && name.startsWith("Arrow")) {
      this.pan(PAN * (Number(name === "ArrowLeft") - Number(name === "ArrowRight")), PAN * (Number(name === "ArrowUp") - Number(name === "ArrowDown")));
    } else if (name === "ArrowLeft") this.turn(STEP, 0);
    else if (name === "ArrowRight") this.turn(-STEP, 0);
    else if (name === "ArrowUp") this.turn(0, STEP / 2);
    else if (name === "ArrowDown") this.turn(0, -STEP / 2);
    else if (name === "+" || name === "=") this.zoom(1.2);
    else if (name === "-") this.zoom(1 / 1.2);
    else if (name === "Home") {
      camera.reset();
      this.touched(true);
    } else return false;
    return true;
  }

  turn(yaw, pitch) {
    this.camera.yaw += yaw;
    this.camera.pitch = Math.max(-0.5, Math.min(1.2, this.camera.pitch + pitch));
    this.touched(true);
  }

  /** Zooms; false at the end of the range. */
  zoom(factor) {
    const zoom = Math.max(0.5, Math.min(10, this.camera.zoom * factor));
    const changed = zoom !== this.camera.zoom;
    this.camera.zoom = zoom;
    this.touched(true);
    return changed;
  }

  /** Moves the picture by pixels of the page. */
  pan(x, y) {
    const { camera, canvas } = this;
    const metres = (camera.scale() * canvas.height) / canvas.clientHeight;
    camera.pan[0] = Math.max(-2, Math.min(2, camera.pan[0] - x * metres));
    camera.pan[1] = Math.max(-2, Math.min(2, camera.pan[1] + y * metres));
    this.touched(true);
  }

  down(event) {
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, pans: event.button === 2 || event.shiftKey });
    this.canvas.setPointerCapture(event.pointerId);
    this.touched(true);
  }

  move(event) {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return;
    const x = event.clientX - finger.x, y = event.clientY - finger.y;
    const before = this.spread();
    finger.x = event.clientX;
    finger.y = event.clientY;
    if (this.fingers.size === 2) {
      this.zoom(this.spread() / Math.max(before, 1));
      this.pan(x / 2, y / 2); // each finger moves its half
    } else if (finger.pans) this.pan(x, y);
    else this.turn(x * -0.008, y * 0.006);
  }

  /** Pixels between two fingers. */
  spread() {
    if (this.fingers.size !== 2) return 1;
    const [a, b] = [...this.fingers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  }
}
