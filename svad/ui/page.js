() => {
  // Runs before the page is drawn, so that nothing a visitor does is missed.
  // Tells the 3D views whether the page is dark, and screen readers what changed.
  const dark = () => document.body.classList.contains("dark") || document.documentElement.classList.contains("dark");
  const tell = (frame) => frame.contentWindow?.postMessage({ kind: "theme", dark: dark() }, location.origin);
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
  const explain = () => {
    const box = document.querySelector("#check .check");
    if (!refused || !box || box.dataset.refused) return;
    box.dataset.refused = box.className = "check bad";
    box.replaceChildren(Object.assign(document.createElement("h2"), { textContent: BAD_PHOTO }), Object.assign(document.createElement("p"), { textContent: refused }));
  };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  new MutationObserver(() => {
    const words = [...document.querySelectorAll("[data-say]")].map((one) => one.dataset.say).join(" ");
    if (words !== said) live.textContent = said = words;
    explain();
    // Gradio's label says other words than the button shows; without it the words are the label.
    document.querySelector("#photo button[aria-dropeffect][aria-label]")?.removeAttribute("aria-label");
    if (calm.matches) document.querySelectorAll("video[autoplay]").forEach((one) => { one.autoplay = false; one.pause(); });
  }).observe(document.body, { childList: true, subtree: true });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
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
    refused = live.textContent = TOO_LARGE.replace("{size}", Math.ceil(file.size / 1e6)).replace("{limit}", limit);
    delete document.querySelector("#check .check")?.dataset.refused; // of the file before
    explain();
  };
  addEventListener("click", (event) => event.target.closest?.("#photo button[aria-label='Remove Image']") && (refused = ""), true);
  addEventListener("change", (event) => event.target.type === "file" && refuse(event, event.target.files), true);
  addEventListener("drop", (event) => refuse(event, event.dataTransfer?.files), true);
}
