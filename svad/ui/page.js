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
  let said = "";
  let refused = ""; // why the last file was not sent
  // Shown again whenever the server's late answer about an earlier photo has been drawn over it.
  /** @returns {HTMLElement | null} */
  const checked = () => document.querySelector("#check .check");
  const explain = () => {
    const box = checked();
    if (!refused || !box || box.dataset.refused) return;
    box.dataset.refused = box.className = "check bad";
    box.replaceChildren(Object.assign(document.createElement("h2"), { textContent: BAD_PHOTO }), Object.assign(document.createElement("p"), { textContent: refused }));
  };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  new MutationObserver(() => {
    /** @type {NodeListOf<HTMLElement>} */
    const saying = document.querySelectorAll("[data-say]");
    const words = [...saying].map((one) => one.dataset.say).join(" ");
    if (words !== said) live.textContent = said = words;
    explain();
    // Gradio's label says other words than the button shows; without it the words are the label.
    document.querySelector("#photo button[aria-dropeffect][aria-label]")?.removeAttribute("aria-label");
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

  // Files above the server's limit are refused here, in words, before they are sent.
  const limit = LIMIT_MB;
  const refuse = (event, files) => {
    refused = "";
    const file = [...(files || [])].find((one) => one.size > limit * 1e6);
    if (!file) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.target.value) event.target.value = "";
    const words = TOO_LARGE.replace("{size}", String(Math.ceil(file.size / 1e6))).replace("{limit}", String(limit));
    refused = live.textContent = words;
    const box = checked();
    if (box) delete box.dataset.refused; // of the file before
    explain();
  };
  addEventListener("click", (event) => {
    const cross = "#photo button[aria-label='Remove Image']";
    if (event.target instanceof Element && event.target.closest(cross)) refused = "";
  }, true);
  addEventListener("change", (event) => {
    const field = event.target;
    if (field instanceof HTMLInputElement && field.type === "file") refuse(event, field.files);
  }, true);
  addEventListener("drop", (event) => refuse(event, event.dataTransfer?.files), true);
}
