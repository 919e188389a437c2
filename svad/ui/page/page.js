() => {
  // Runs before the page is drawn, so that nothing a visitor does is missed.
  // Tells the 3D views whether the page is dark, and screen readers what changed.
  const dark = () => document.body.classList.contains("dark") || document.documentElement.classList.contains("dark");
  const tell = (frame) => frame.contentWindow?.postMessage({ kind: "theme", dark: dark() }, location.origin);
  /** @returns {NodeListOf<HTMLIFrameElement>} */
  const frames = () => document.querySelectorAll("iframe.viewer");
  addEventListener("message", (event) => {
    if (event.origin !== location.origin || event.data?.kind !== "viewer-ready") return;
    for (const frame of frames()) if (frame.contentWindow === event.source) tell(frame);
  });
  new MutationObserver(() => frames().forEach(tell)).observe(document.body, { attributeFilter: ["class"] });

  document.documentElement.lang = "en";
  const live = document.createElement("div");
  live.id = "live";
  live.setAttribute("role", "status");
  document.body.append(live);
  /** @type {string[]} */
  let said = [];
  let refused = ""; // why the last file was not sent
  let clip = false; // whether it was a clip
  // What stands in the place of the photo; gradio has no words of ours there.
  // Fingers click and drop nothing.
  const words = matchMedia("(hover: none)").matches ? TOUCH_WORDS : DROP_WORDS;
  document.documentElement.style.setProperty("--drop", JSON.stringify(words.join("\n")).replaceAll("\\n", "\\a "));
  // Shown again whenever the server's late answer about an earlier photo has been drawn over it.
  /** @returns {HTMLElement | null} */
  const checked = () => document.querySelector("#check .check");
  const explain = () => {
    const box = checked();
    if (!refused || !box || box.dataset.refused) return;
    box.dataset.refused = box.className = "check bad";
    box.replaceChildren(Object.assign(document.createElement("h2"), { textContent: clip ? BAD_CLIP : BAD_PHOTO }), Object.assign(document.createElement("p"), { textContent: refused }));
  };
  // Videos beside each other stay in step with the first.
  document.addEventListener("timeupdate", (event) => {
    /** @type {NodeListOf<HTMLVideoElement>} */
    const films = document.querySelectorAll(".beside video");
    if (event.target !== films[0]) return;
    for (const film of films) {
      const apart = Math.abs(film.currentTime - films[0].currentTime);
      if (apart > 0.2 && apart < film.duration - 0.2) film.currentTime = films[0].currentTime;
    }
  }, true);
  // The open job stands in the address and in this browser's memory, nowhere else.
  const LAST = "svad-last";
  const memory = {
    /** @param {string} job */
    keep: (job) => { try { localStorage.setItem(LAST, job); } catch { /* the visitor does not want it */ } },
    read: () => { try { return localStorage.getItem(LAST) || ""; } catch { return ""; } },
    forget: () => { try { localStorage.removeItem(LAST); } catch { /* nothing is kept */ } },
  };
  let open = "";
  /** @param {string} job */
  const address = (job) => {
    const url = new URL(location.href);
    if (job) url.searchParams.set("job", job);
    else url.searchParams.delete("job");
    url.searchParams.delete("avatar");
    history.replaceState(history.state, "", url);
    // the Hub shows a Space in a frame, and puts this into its own address
    if (parent !== window) parent.postMessage({ queryString: url.searchParams.toString() }, HUB_PAGE);
  };
  const comeBack = () => {
    /** @type {HTMLElement | null} */
    const mark = document.querySelector("#mark [data-job]");
    const job = mark?.dataset.job || "";
    if (mark?.dataset.forget && mark.dataset.forget === memory.read()) memory.forget();
    if (mark && job !== open) {
      address(open = job);
      if (job) memory.keep(job);
    }
    /** @type {HTMLElement | null} */
    const panel = document.querySelector("#last .last");
    const query = new URLSearchParams(location.search);
    const last = query.has("job") || query.has("avatar") || open ? "" : memory.read();
    if (panel && panel.hidden !== !last) {
      panel.hidden = !last;
      panel.querySelector("a").href = `?job=${encodeURIComponent(last)}`;
    }
  };
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-forget-last]")) return;
    memory.forget();
    comeBack();
  });
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  new MutationObserver(() => {
    /** @type {NodeListOf<HTMLElement>} */
    const saying = document.querySelectorAll("[data-say]");
    const says = [...saying].map((one) => one.dataset.say);
    const news = says.filter((one) => !said.includes(one)); // what stands there was read before
    said = says;
    if (news.length) live.textContent = news.join(" ");
    explain();
    comeBack();
    // Gradio writes no name where it shows none.
    for (const [id, name] of Object.entries(GROUP_NAMES)) {
      const group = document.getElementById(id);
      if (group && group.getAttribute("aria-label") !== name) group.setAttribute("aria-label", name);
    }
    // Gradio's label says other words than the button shows.
    const place = document.querySelector("#photo button[aria-dropeffect]");
    const label = place?.classList.contains("icon-mode") ? ADD_WORDS : words.join(" ");
    if (place && place.getAttribute("aria-label") !== label) place.setAttribute("aria-label", label);
    /** @type {NodeListOf<HTMLVideoElement>} */
    const playing = document.querySelectorAll("video[autoplay]");
    if (calm.matches) playing.forEach((one) => { one.autoplay = false; one.pause(); });
  }).observe(document.body, { childList: true, subtree: true });

  document.addEventListener("click", async (event) => {
    /** @type {HTMLElement} */
    const button = event.target instanceof Element && event.target.closest("button[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(new URL(button.dataset.copy, location.href).href);
    button.textContent = button.dataset.done;
  });

  // The way to what is shown; gradio would take the link for one to another page.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href^='#']");
    /** @type {HTMLElement} */
    const place = link && document.querySelector(link.getAttribute("href"));
    if (!place) return;
    event.preventDefault();
    place.focus({ preventScroll: true });
    place.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth" });
  });

  // A motion that was brought goes to the 3D view, which is on the first tab.
  document.addEventListener("click", (event) => {
    /** @type {HTMLElement} */
    const button = event.target instanceof Element && event.target.closest("button[data-motion]");
    if (!button) return;
    const message = { kind: "motion", path: button.dataset.motion };
    frames().forEach((frame) => frame.contentWindow?.postMessage(message, location.origin));
    /** @type {HTMLElement} */
    const tab = document.querySelector("#tabs button[role=tab]");
    tab?.click();
  });

  // Files above the server's limit are refused here, in words, before they are sent.
  const isClip = (file) => file.type.startsWith("video/") || /\.(mp4|mov|m4v|webm|mkv|avi|3gp)$/i.test(file.name);
  const limit = (file) => (isClip(file) ? CLIP_MB : LIMIT_MB);
  const refuse = (event, files) => {
    refused = "";
    const file = [...(files || [])].find((one) => one.size > limit(one) * 1e6);
    if (!file) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.target.value) event.target.value = "";
    clip = isClip(file);
    const text = clip ? CLIP_TOO_LARGE : TOO_LARGE;
    refused = live.textContent = text.replace("{size}", String(Math.ceil(file.size / 1e6))).replace("{limit}", String(limit(file)));
    const box = checked();
    if (box) delete box.dataset.refused; // of the file before
    explain();
  };
  addEventListener("click", (event) => {
    const cross = "#photo button[aria-label='Clear']";
    if (event.target instanceof Element && event.target.closest(cross)) refused = "";
  }, true);
  addEventListener("change", (event) => {
    const field = event.target;
    if (field instanceof HTMLInputElement && field.type === "file") refuse(event, field.files);
  }, true);
  addEventListener("drop", (event) => refuse(event, event.dataTransfer?.files), true);
  // Beside a picture that is there already gradio takes no drop; the browser would open the file.
  const beside = (target) => target instanceof Element && target.closest("#photo") && !target.closest("[aria-dropeffect]");
  addEventListener("dragover", (event) => {
    if (beside(event.target)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!beside(event.target) || event.defaultPrevented) return;
    event.preventDefault();
    /** @type {HTMLInputElement} */
    const field = document.querySelector("#photo input[type=file]");
    if (!field || !event.dataTransfer?.files.length) return;
    field.files = event.dataTransfer.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
