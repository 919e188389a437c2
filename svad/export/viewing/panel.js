// Buttons and sliders: motions, time, pose, view, background.

import { duration } from "./motion.js";
import { SLIDERS } from "./sliders.js";

const WALLS = { studio: "Studio", white: "White", black: "Black", green: "Green", none: "None" };
const find = (selector) => document.querySelector(selector);

/** @returns {any} an element with properties, in a parent */
function add(parent, kind, properties, text = "") {
  const one = Object.assign(document.createElement(kind), properties);
  if (text) one.textContent = text;
  parent.append(one);
  return one;
}

export class Panel {
  constructor(stage, calm) {
    this.stage = stage;
    this.time = find("#time input");
    this.label = find("#time output");
    this.shown = -1; // what the bar shows, hundredths of a second
    const movable = stage.rig.motions.length > 0;
    for (const one of document.querySelectorAll("[data-moves]")) /** @type {HTMLElement} */ (one).hidden = !movable;
    if (movable) {
      for (const motion of stage.rig.motions) this.clip(motion);
      this.sliders();
    }
    this.walls();
    this.listen(calm);
    this.tell();
  }

  /** A button for a motion. */
  clip(motion) {
    const button = add(find("#clips"), "button", { type: "button" }, motion.title);
    button.dataset.clip = motion.name;
    button.onclick = () => this.stage.choose(motion, true);
  }

  /** Motions that a visitor brought; one of the same name gives way. */
  bring(motions) {
    const { rig } = this.stage;
    for (const motion of motions) {
      rig.motions = rig.motions.filter((one) => one.name !== motion.name);
      rig.motions.push(motion);
      find(`[data-clip="${CSS.escape(motion.name)}"]`)?.remove();
      this.clip(motion);
    }
    this.stage.choose(motions[0], true);
  }

  sliders() {
    const { puppet } = this.stage;
    for (const [name, { title, least, most }] of Object.entries(SLIDERS)) {
      if (!puppet.has(name)) continue;
      const label = add(find("#pose"), "label", {}, title);
      const input = add(label, "input", { type: "range", min: least, max: most, step: most > 1 ? 1 : 0.01, value: 0 });
      input.dataset.pose = name;
      input.oninput = () => this.pose(name, Number(input.value));
    }
  }

  /** Sets a slider and what it moves. */
  pose(name, value) {
    this.stage.puppet.values[name] = Math.max(SLIDERS[name].least, Math.min(SLIDERS[name].most, value));
    find(`[data-pose="${name}"]`).value = value;
    this.stage.repose();
  }

  walls() {
    for (const [name, words] of Object.entries(WALLS)) {
      const label = add(find("#walls"), "label", { className: `wall ${name}`, title: words });
      const input = add(label, "input", { type: "radio", name: "wall", value: name, checked: name === "studio" });
      add(label, "span", { className: "hidden" }, words);
      input.onchange = () => this.wall(name);
    }
    const own = add(find("#walls"), "label", { className: "wall own", title: "Own colour" });
    const input = add(own, "input", { type: "color", value: "#7dcfc3" });
    add(own, "span", { className: "hidden" }, "Own colour");
    input.oninput = () => this.wall(input.value);
  }

  /** The background: one of the names, or a colour. */
  wall(name) {
    const main = find("main"), own = name.startsWith("#");
    document.documentElement.dataset.wall = own ? "own" : name;
    main.style.background = own ? name : "";
    if (own) for (const one of document.querySelectorAll("[name=wall]")) /** @type {HTMLInputElement} */ (one).checked = false;
    this.stage.drawing.withGround = name !== "none";
    this.stage.touch();
  }

  listen(calm) {
    const { stage } = this;
    this.time.oninput = () => {
      stage.play(false);
      stage.seek((Number(this.time.value) / 1000) * duration(stage.motion));
    };
    find("#speed").onchange = (event) => { stage.speed = Number(event.target.value); };
    const follow = find("#follow");
    follow.disabled = calm.matches;
    calm.addEventListener("change", () => { follow.disabled = calm.matches; this.follow(false); });
    follow.onchange = () => this.follow(follow.checked);
    find("#straight").onclick = () => { for (const name of Object.keys(SLIDERS)) if (stage.puppet.has(name)) this.pose(name, 0); };
    find("#views").onclick = (event) => {
      const { yaw, head } = event.target.dataset;
      if (yaw) stage.view((Number(yaw) * Math.PI) / 180, head === "1");
    };
    find("#save").onclick = () => this.save();
  }

  /** Whether the head goes after the pointer. */
  follow(on) {
    find("#follow").checked = on;
    this.stage.puppet.following = on;
    this.stage.touch();
  }

  /** The picture as it is now, .png; what is transparent stays so. */
  save() {
    const { canvas, drawing, camera } = this.stage;
    const wall = document.documentElement.dataset.wall;
    drawing.draw(camera);
    const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    const context = copy.getContext("2d");
    if (wall !== "none") {
      context.fillStyle = getComputedStyle(find("main")).getPropertyValue("background-color");
      if (!wall || wall === "studio") context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--wall");
      context.fillRect(0, 0, copy.width, copy.height);
    }
    context.drawImage(canvas, 0, 0);
    const link = Object.assign(document.createElement("a"), { download: "avatar.png", href: copy.toDataURL("image/png") });
    link.click();
  }

  /** The buttons show what is. */
  tell() {
    const { stage } = this;
    for (const button of document.querySelectorAll("[data-clip]")) {
      button.setAttribute("aria-pressed", String(stage.motion?.name === /** @type {HTMLElement} */ (button).dataset.clip));
    }
    const play = find('[data-do="play"]');
    play.setAttribute("aria-label", stage.playing ? "Pause" : "Play");
    play.title = stage.playing ? "Pause" : "Play";
    play.classList.toggle("on", stage.playing);
    find('[data-do="spin"]').setAttribute("aria-pressed", String(stage.spinning));
    find("#time").classList.toggle("still", !stage.motion || !duration(stage.motion));
  }

  /** The bar of time, ten times a second at most. */
  tick() {
    const { motion, seconds } = this.stage, length = motion ? duration(motion) : 0;
    const place = Math.floor(10 * seconds);
    if (!length || place === this.shown) return;
    this.shown = place;
    this.time.value = (1000 * seconds) / length;
    this.label.textContent = `${seconds.toFixed(1)} s`;
  }
}
