// The 3D view as a page: loads an avatar that moves, or one that stands still, and shows it.
// Query: rig, splat, video (paths on the server), title. In a page of its own the data stand inside.

import { decoded, download } from "./download.js";
import { Input } from "./input.js";
import { Panel } from "./panel.js";
import { readMotions, readRig } from "./rig.js";
import { readSplats } from "./splats.js";
import { Stage, stillRig } from "./stage.js";

const STEP = (15 * Math.PI) / 180; // per button press
const find = (selector) => document.querySelector(selector);
const query = new URLSearchParams(location.search);
const inside = find("#avatar"); // the avatar in base64, where the page is a file of its own
// Otherwise this page lies behind the same prefix as the files it may show; nothing else is fetched.
const base = location.pathname.split("/gradio_api/file=")[0] + "/gradio_api/file=";
const address = (path) => base + path.split("/").map(encodeURIComponent).join("/");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const canvas = find("canvas");
/** @type {Stage} */
let stage = null;
/** @type {Panel} */
let panel = null;
/** @type {Input} */
let input = null;

function frame(now) {
  if (!stage) return;
  if (stage.step(now)) {
    panel.tick();
    if (stage.drawing.stride === 1 && !document.body.classList.contains("ready")) appear();
    if (document.body.dataset.drawn !== String(stage.drawing.count)) document.body.dataset.drawn = String(stage.drawing.count);
  }
  requestAnimationFrame(frame);
}

/** All of it has been drawn for the first time. */
function appear() {
  document.body.classList.add("ready");
  if (calm.matches || stage.stride > 1 || stage.moved) return;
  const first = stage.rig.motions.find((one) => one.name === "wave");
  if (first) stage.choose(first, true);
  else stage.spin(true);
}

const deeds = {
  left: () => input.turn(STEP, 0),
  right: () => input.turn(-STEP, 0),
  in: () => input.zoom(1.2),
  out: () => input.zoom(1 / 1.2),
  spin: () => stage.spin(!stage.spinning),
  play: () => stage.play(!stage.playing),
  reset: () => stage.view(0, false),
  panel: () => opened(find("#panel").hidden),
};

function opened(on) {
  find("#panel").hidden = !on;
  find('[data-do="panel"]').setAttribute("aria-expanded", String(on));
}

function listen() {
  input = new Input(canvas, stage.camera, () => {
    if (stage.spinning) stage.spin(false);
    stage.touch();
  }, (x, y) => stage?.point(x, y));
  find("nav").addEventListener("click", (event) => deeds[event.target.closest("button")?.dataset.do]?.());
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") opened(false);
    if (event.target !== canvas || event.ctrlKey || event.metaKey || event.altKey) return;
    const space = stage.rig.motions.length ? "play" : "spin";
    if (event.key === " ") deeds[space]();
    else if (!input.key(event.key, event.shiftKey)) return;
    event.preventDefault();
  });
  new ResizeObserver(() => stage?.resize()).observe(canvas);
  new IntersectionObserver(([entry]) => {
    if (stage) stage.seen = entry.isIntersecting;
    stage?.touch();
  }).observe(canvas);
  canvas.addEventListener("webglcontextlost", (event) => {
    event.preventDefault();
    fallBack("The 3D view ran out of graphics memory.");
  });
  calm.addEventListener("change", () => {
    if (!calm.matches) return;
    stage?.spin(false);
    stage?.play(false);
  });
  addEventListener("pagehide", dispose);
}

/** Shows the turntable video in place of the 3D view. */
function fallBack(reason) {
  dispose();
  for (const one of [canvas, find("#load"), find("#dock"), find("#panel")]) one.hidden = true;
  const source = query.get("video") ? address(query.get("video")) : inside ? "turntable.mp4" : "";
  const message = find("#message");
  message.hidden = false;
  message.textContent = reason;
  if (!source) return;
  const video = document.createElement("video");
  Object.assign(video, { src: source, loop: true, muted: true, playsInline: true, controls: true, autoplay: !calm.matches });
  video.setAttribute("aria-label", document.title);
  video.onerror = () => { message.textContent = reason; video.remove(); };
  find("main").prepend(video);
  message.textContent = `${reason} Here is the turntable video instead.`;
}

function dispose() {
  const old = stage;
  stage = null;
  old?.dispose();
}

/** The avatar that moves, or the one that stands still where there is no such file. */
async function load(told) {
  if (inside) return readRig(decoded(inside.textContent));
  if (query.get("rig")) return readRig(await download(address(query.get("rig")), told));
  const { cloud, box } = readSplats(await download(address(query.get("splat") || ""), told));
  return stillRig(cloud, box);
}

/** The worker's script: in a page of its own it stands inside, too. */
function sorter() {
  const script = find("#sorter");
  return script ? URL.createObjectURL(new Blob([script.textContent], { type: "text/javascript" })) : new URL("sort.js", import.meta.url);
}

async function start() {
  document.title = query.get("title") || document.title;
  find("h1").textContent = document.title;
  canvas.setAttribute("aria-label", document.title);
  if (!document.createElement("canvas").getContext("webgl2")) return fallBack("This browser cannot show the 3D view (no WebGL2).");
  const bar = find("#load");
  try {
    const rig = await load((share) => {
      bar.firstElementChild.style.width = `${100 * (share ?? 0.5)}%`;
      bar.setAttribute("aria-valuenow", Math.round(100 * (share ?? 0.5)));
    });
    stage = new Stage(canvas, rig, sorter(), () => panel?.tell(), () => fallBack("The 3D view could not be started."));
    panel = new Panel(stage, calm);
    listen();
    stage.begin();
    requestAnimationFrame(frame);
    Object.assign(globalThis, { avatar: { stage, panel, readMotions } }); // for pages around this one, and tests
  } catch (error) {
    fallBack(`The 3D view could not be shown: ${error.message}.`);
  }
}

/** A motion that the visitor brought to the page around this one. */
async function bring(path) {
  if (!stage?.rig.motions.length) return;
  try {
    panel.bring(readMotions(await download(address(path), () => {})));
  } catch (error) {
    find("#message").hidden = false;
    find("#message").textContent = `The motion could not be shown: ${error.message}.`;
  }
}

if (parent !== window && !inside) {
  addEventListener("message", (event) => {
    if (event.origin !== location.origin || event.source !== parent) return;
    if (event.data?.kind === "theme") document.documentElement.classList.toggle("dark", Boolean(event.data.dark));
    if (event.data?.kind === "motion") bring(String(event.data.path));
  });
  parent.postMessage({ kind: "viewer-ready" }, location.origin);
}
document.documentElement.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);
start();
