// Tokens that a click hides behind a mask. All text comes in through `data`, and leaves as textContent.

export default renewed(({ parentElement, data, setStateValue }) => {
  const root = parentElement.querySelector(".mask-chips");
  const { revision, masked, ...text } = data;
  const signature = JSON.stringify(text);
  if (root.revision !== revision || root.signature !== signature) root.masked = new Set(masked);
  if (root.signature !== signature) build(root, text);
  Object.assign(root, { revision, signature });
  paint(root, text);
  return listen(root, text, setStateValue);
});

function build(root, text) {
  const row = element("div", "tokens");
  row.dir = text.dir;
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", text.words.tokens);
  const fixed = new Set(text.fixed);
  row.append(...text.labels.map((_, at) => chip(text, at, fixed.has(at))));
  const legend = element("div", "legend");
  const sample = element("span", "token masked", text.mask);
  legend.append(sample, element("span", "", text.words.legend), element("span", "", `· ${text.words.hint}`));
  root.replaceChildren(row, legend);
  const first = row.querySelector("button");
  if (first) first.tabIndex = 0;
}

function chip(text, at, isFixed) {
  const node = element(isFixed ? "span" : "button", isFixed ? "token fixed" : "token");
  if (isFixed) {
    node.textContent = text.labels[at];
    if (text.typed.includes(at)) node.classList.add("masked");
    else node.title = text.words.frame;
    return node;
  }
  node.type = "button";
  node.tabIndex = -1;
  node.dataset.position = at;
  node.style.setProperty("--hue", hue(text.ids[at]));
  return node;
}

function paint(root, text) {
  for (const node of root.querySelectorAll("button")) {
    const at = Number(node.dataset.position);
    const isMasked = root.masked.has(at);
    node.classList.toggle("masked", isMasked);
    node.setAttribute("aria-pressed", String(isMasked));
    node.replaceChildren(element("span", "", isMasked ? text.mask : text.labels[at]));
    if (isMasked) node.append(element("span", "was", text.labels[at]));
  }
}

function listen(root, text, setStateValue) {
  const stop = new AbortController();
  const row = root.querySelector(".tokens");
  const on = (name, act) => row.addEventListener(name, act, { signal: stop.signal });
  on("click", (event) => {
    const node = event.target.closest?.("button");
    if (!node) return;
    const at = Number(node.dataset.position);
    if (!root.masked.delete(at)) root.masked.add(at);
    paint(root, text);
    rove(row, node);
    setStateValue("view", { masked: [...root.masked].sort((a, b) => a - b), revision: root.revision });
  });
  on("keydown", (event) => {
    const all = [...row.querySelectorAll("button")];
    const at = all.indexOf(event.target.closest?.("button"));
    const forward = text.dir === "rtl" ? -1 : 1;
    const step = { ArrowRight: forward, ArrowLeft: -forward, ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = { Home: 0, End: all.length - 1 }[event.key] ?? (step && at + step);
    if (at < 0 || next === undefined || !all[next]) return;
    event.preventDefault();
    rove(row, all[next]);
    all[next].focus();
  });
  return () => stop.abort();
}

function rove(row, node) {
  for (const one of row.querySelectorAll("button[tabindex='0']")) one.tabIndex = -1;
  node.tabIndex = 0;
}
