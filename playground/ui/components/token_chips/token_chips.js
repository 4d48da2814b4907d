// The token ribbon. All text comes in through `data` and reaches the page only as textContent.

const AROUND = 10; // characters shown on each side of a token
const BLOCK = 240; // chips per block: blocks off screen are skipped by layout and paint

export default renewed(({ parentElement, data, setStateValue }) => {
  const ribbon = parentElement.querySelector(".ribbon");
  const about = parentElement.querySelector(".about");
  const { selected = null, ...tokens } = data;
  const signature = JSON.stringify(tokens);
  if (ribbon.signature !== signature) {
    ribbon.signature = signature;
    draw(ribbon, tokens);
  }
  const view = { ribbon, about, tokens, setStateValue, chips: ribbon.querySelectorAll(".chip") };
  select(view, selected);
  return listen(view);
});

function draw(ribbon, tokens) {
  ribbon.style.setProperty("--most", `${tokens.height}px`);
  ribbon.setAttribute("aria-label", tokens.say.ribbon);
  ribbon.dir = tokens.dir;
  const opens = new Map(tokens.groups.map((group) => [group[0], group]));
  const blocks = [];
  for (let at = 0, room = 0; at < tokens.labels.length; ) {
    if (room <= 0) {
      blocks.push(element("div", "block"));
      room = BLOCK;
    }
    const group = opens.get(at);
    const stop = group ? group[1] : at + 1;
    const made = range(at, stop).map((position) => chip(tokens, position));
    blocks.at(-1).append(group ? bracket(group[2], made) : made[0]);
    room -= stop - at;
    at = stop;
  }
  ribbon.replaceChildren(...blocks);
  ribbon.scrollTop = 0;
}

function chip(tokens, position) {
  const kind = tokens.kinds[position] ?? "text";
  const node = element("span", `chip ${kind}`, tokens.labels[position]);
  node.dataset.position = position;
  node.style.setProperty("--hue", hue(tokens.ids[position]));
  node.setAttribute("role", "option");
  node.tabIndex = -1;
  return node;
}

function bracket(text, chips) {
  const node = element("span", "shared");
  node.setAttribute("role", "group");
  node.setAttribute("aria-label", text);
  const row = element("span", "bytes-row");
  row.append(...chips);
  node.append(element("span", "character", text), element("span", "bracket"), row);
  return node;
}

function select({ ribbon, about, tokens, chips }, selected) {
  ribbon.querySelector(".chip[aria-selected=true]")?.setAttribute("aria-selected", "false");
  const current = selected === null ? null : chips[selected];
  current?.setAttribute("aria-selected", "true");
  if (chips.length && !ribbon.querySelector(".chip[tabindex='0']")) chips[0].tabIndex = 0;
  if (current) rove(ribbon, current);
  ribbon.selected = current ? selected : null;
  describe(about, tokens, ribbon.selected);
}

function rove(ribbon, chip) {
  const before = ribbon.querySelector(".chip[tabindex='0']");
  if (before) before.tabIndex = -1;
  chip.tabIndex = 0;
}

function describe(about, tokens, position) {
  about.replaceChildren();
  if (position === null || position === undefined) {
    about.textContent = tokens.say.summary;
    return;
  }
  const [start, stop] = tokens.spans[position];
  const place =
    start === stop ? tokens.say.special : start + 1 === stop ? tokens.say.character : tokens.say.characters;
  about.append(element("b", "", tokens.labels[position]), excerpt(tokens.text, start, stop));
  const facts = [tokens.say.token, tokens.say.id, tokens.bytes[position] && tokens.say.bytes, place];
  const values = {
    n: position + 1,
    total: tokens.labels.length,
    id: tokens.ids[position],
    bytes: tokens.bytes[position],
    start: start + 1,
    stop,
  };
  for (const fact of facts.filter(Boolean)) about.append(element("span", "fact", fill(fact, values)));
}

/** Where in the text the token stands: the characters it covers between their neighbours. */
function excerpt(text, start, stop) {
  const characters = [...text].map((character) => (character === "\n" ? "⏎" : character));
  const [from, to] = [Math.max(0, start - AROUND), Math.min(characters.length, stop + AROUND)];
  const node = element("span", "place");
  const part = (a, b) => characters.slice(a, b).join("");
  node.append(from > 0 ? "…" : "", part(from, start), element("mark", "", part(start, stop)), part(stop, to));
  if (to < characters.length) node.append("…");
  return node;
}

function listen({ ribbon, about, tokens, setStateValue, chips }) {
  const stop = new AbortController();
  const on = (name, act) => ribbon.addEventListener(name, act, { signal: stop.signal });
  const positionOf = (event) => {
    const chip = event.target.closest?.(".chip");
    return chip ? Number(chip.dataset.position) : null;
  };
  const choose = (position) => setStateValue("selected", position === ribbon.selected ? null : position);
  on("pointerover", (event) => describe(about, tokens, positionOf(event) ?? ribbon.selected));
  on("pointerleave", (event) => isGone(event) && describe(about, tokens, ribbon.selected));
  on("focusin", (event) => describe(about, tokens, positionOf(event) ?? ribbon.selected));
  on("focusout", () => describe(about, tokens, ribbon.selected));
  on("click", (event) => {
    const position = positionOf(event);
    if (position === null) return;
    rove(ribbon, chips[position]);
    chips[position].focus({ preventScroll: true });
    choose(position);
  });
  on("keydown", (event) => {
    const position = positionOf(event);
    if (position === null) return;
    if (event.key === "Enter" || event.key === " ") choose(position);
    else if (event.key === "Escape") setStateValue("selected", null);
    else {
      const next = target(event.key, position, chips.length, tokens.dir === "rtl");
      if (next === null) return;
      rove(ribbon, chips[next]);
      chips[next].focus();
      chips[next].scrollIntoView({ block: "nearest" });
    }
    event.preventDefault();
  });
  return () => stop.abort();
}

function target(key, position, total, rightToLeft) {
  const forward = rightToLeft ? "ArrowLeft" : "ArrowRight";
  const backward = rightToLeft ? "ArrowRight" : "ArrowLeft";
  if (key === forward || key === "ArrowDown") return Math.min(position + 1, total - 1);
  if (key === backward || key === "ArrowUp") return Math.max(position - 1, 0);
  if (key === "Home") return 0;
  return key === "End" ? total - 1 : null;
}

function range(start, stop) {
  return Array.from({ length: stop - start }, (_, i) => start + i);
}
