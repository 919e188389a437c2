// The 3D view: loads one .splat, lets a person turn it. Query: splat, video (paths), title.

import { Drawing } from "./draw.js";
import { download, parse } from "./splats.js";

const FOV = (30 * Math.PI) / 180; // vertical
const SPIN = (14 * Math.PI) / 180; // per second
const STEP = (15 * Math.PI) / 180; // per key or button press
const QUICK = 80; // ms a picture may take while the view moves; slower machines then draw fewer
const PROBE = 40000; // Gaussians drawn to find out how fast this machine is, and at least
const REST = 300; // ms without movement until all are drawn
const find = (selector) => document.querySelector(selector);
const query = new URLSearchParams(location.search);
// This page lies behind the same prefix as the files it may show; nothing else is ever fetched.
const base = location.pathname.split("/gradio_api/file=")[0] + "/gradio_api/file=";
const address = (name) => base + (query.get(name) || "").split("/").map(encodeURIComponent).join("/");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const canvas = find("canvas");
const home = { yaw: 0.35, pitch: 0.06, zoom: 1 };
const view = { ...home };
let drawing = null, cloud = null, worker = null;
let spinning = false, dirty = true, seen = true, last = 0, moved = 0;
let stride = Infinity; // while the view moves, one of so many Gaussians is drawn
let asked = { forward: [0, 0, 0], stride: 0 }, sorting = false;

/** World to camera as columns, and the shift, for the present view; x right, y down, z forward. */
function camera() {
  const { low, high } = cloud.box;
  const middle = low.map((v, k) => (v + high[k]) / 2);
  const aspect = canvas.width / canvas.height;
  const around = Math.hypot(high[0] - low[0], high[2] - low[2]);
  const fit = Math.max((high[1] - low[1]) * 1.22, (around * 1.04) / aspect);
  middle[1] += 0.04 * fit / view.zoom; // room for the buttons
  const distance = fit / 2 / Math.tan(FOV / 2) / view.zoom + (high[2] - low[2]) / 2;
  const [sy, cy, sp, cp] = [Math.sin(view.yaw), Math.cos(view.yaw), Math.sin(view.pitch), Math.cos(view.pitch)];
  const rows = [[cy, 0, sy], [sp * sy, cp, -sp * cy], [-cp * sy, sp, cp * cy]];
  const shift = rows.map((row) => -row.reduce((sum, v, k) => sum + v * middle[k], 0));
  shift[2] += distance;
  const turn = [0, 1, 2].flatMap((column) => rows.map((row) => row[column]));
  return { turn, shift, focal: canvas.height / 2 / Math.tan(FOV / 2), forward: rows[2] };
}

function frame(now) {
  if (!drawing) return;
  const pause = Math.min(now - last, 100);
  last = now;
  if (spinning && seen && !document.hidden) {
    view.yaw += (SPIN * pause) / 1000;
    touch();
  }
  const wanted = stride === Infinity || now - moved > REST ? 1 : stride;
  if (seen && (dirty || drawing.stride !== wanted)) {
    const sight = camera();
    sort(sight.forward, wanted);
    if (dirty && drawing.stride >= wanted) {
      dirty = false;
      drawing.draw(sight);
      document.body.dataset.drawn = drawing.count;
      if (wanted === 1) document.body.classList.add("ready");
    }
  }
  requestAnimationFrame(frame);
}

/** The view has changed. */
function touch() {
  moved = performance.now();
  dirty = true;
}

/** Asks the worker for a new order when the direction of sight or the number has changed. */
function sort(forward, wanted) {
  const same = forward.reduce((sum, v, k) => sum + v * asked.forward[k], 0);
  if (sorting || (same > 0.9995 && wanted === asked.stride)) return;
  sorting = true;
  asked = { forward, stride: wanted };
  worker.postMessage(asked);
}

/** The worker's answer; the first one also tells how fast this machine draws. */
function arrange(order, of) {
  if (!drawing) return;
  drawing.arrange(order, of);
  sorting = false;
  dirty = true;
  if (stride !== Infinity) return;
  drawing.time(camera()); // the first picture also compiles
  const whole = (drawing.time(camera()) * cloud.count) / order.length;
  stride = Math.max(1, Math.min(Math.ceil(whole / QUICK), Math.floor(cloud.count / PROBE)));
  spin(stride === 1 && !calm.matches);
  requestAnimationFrame(frame);
}

function resize() {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  dirty = true;
}

function spin(on) {
  spinning = on;
  find('[data-do="spin"]').setAttribute("aria-pressed", on);
}

const deeds = {
  left: () => turnBy(STEP, 0),
  right: () => turnBy(-STEP, 0),
  up: () => turnBy(0, STEP / 2),
  down: () => turnBy(0, -STEP / 2),
  in: () => zoomBy(1.2),
  out: () => zoomBy(1 / 1.2),
  spin: () => spin(!spinning),
  reset: () => { spin(false); Object.assign(view, home, { yaw: 0 }); touch(); },
};
const keys = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", "+": "in", "=": "in", "-": "out", Home: "reset", " ": "spin" };

function turnBy(yaw, pitch) {
  spin(false);
  view.yaw += yaw;
  view.pitch = Math.max(-0.5, Math.min(1.2, view.pitch + pitch));
  touch();
}

/** Zooms; false at the end of the range. */
function zoomBy(factor) {
  const zoom = Math.max(0.6, Math.min(6, view.zoom * factor));
  const changed = zoom !== view.zoom;
  view.zoom = zoom;
  touch();
  return changed;
}

function listen() {
  find("nav").addEventListener("click", (event) => deeds[event.target.closest("button")?.dataset.do]?.());
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    deeds[keys[event.key]]();
  });
  const fingers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    canvas.setPointerCapture(event.pointerId);
    spin(false);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const spread = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
    const old = fingers.size === 2 ? spread() : 0;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (fingers.size === 2) zoomBy(spread() / Math.max(old, 1));
    else turnBy((event.clientX - before[0]) * -0.008, (event.clientY - before[1]) * 0.006);
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
  // The wheel belongs to the page, unless the view was clicked before or Ctrl is held.
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== canvas) return;
    if (zoomBy(Math.exp(-event.deltaY * 0.0015))) event.preventDefault();
  }, { passive: false });
  new ResizeObserver(resize).observe(canvas);
  new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; dirty = true; }).observe(canvas);
  canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); fallBack("The 3D view ran out of graphics memory."); });
  calm.addEventListener("change", () => spin(spinning && !calm.matches));
  addEventListener("pagehide", dispose);
}

/** Shows the turntable video in place of the 3D view. */
function fallBack(reason) {
  dispose();
  for (const one of [canvas, find("#load"), find("nav")]) one.hidden = true;
  const video = query.get("video") ? document.createElement("video") : null;
  if (video) {
    Object.assign(video, { src: address("video"), loop: true, muted: true, playsInline: true, controls: true, autoplay: !calm.matches });
    video.setAttribute("aria-label", document.title);
    find("main").prepend(video);
  }
  find("#message").hidden = false;
  find("#message").textContent = reason + (video ? " Here is the turntable video instead." : "");
}

function dispose() {
  worker?.terminate();
  const old = drawing;
  drawing = null;
  old?.dispose();
}

async function start() {
  document.title = query.get("title") || "3D view";
  find("h1").textContent = document.title;
  canvas.setAttribute("aria-label", document.title);
  if (!document.createElement("canvas").getContext("webgl2")) return fallBack("This browser cannot show the 3D view (no WebGL2).");
  listen();
  const bar = find("#load");
  try {
    const buffer = await download(address("splat"), (share) => {
      bar.firstElementChild.style.width = `${100 * (share ?? 0.5)}%`;
      bar.setAttribute("aria-valuenow", Math.round(100 * (share ?? 0.5)));
    });
    cloud = parse(buffer);
    drawing = new Drawing(canvas, cloud);
    worker = new Worker(new URL("sort.js", import.meta.url));
    worker.onmessage = ({ data }) => arrange(data.order, data.stride);
    worker.onerror = () => fallBack("The 3D view could not be started.");
    worker.postMessage({ positions: cloud.positions });
    resize();
    sort(camera().forward, Math.max(1, Math.floor(cloud.count / PROBE)));
  } catch (error) {
    fallBack(`The 3D view could not be shown: ${error.message}.`);
  }
}

addEventListener("message", (event) => {
  if (event.origin !== location.origin || event.source !== parent || event.data?.kind !== "theme") return;
  document.documentElement.classList.toggle("dark", Boolean(event.data.dark));
});
document.documentElement.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);
parent.postMessage({ kind: "viewer-ready" }, location.origin);
start();
