// One sentence from text to next token, drawn as one line. Draws the numbers it is given and computes none.
// All text comes in through `data` and reaches the page only as textContent.

const HEIGHT = 400;
const NARROWEST = 860; // below, the picture is drawn smaller
const PHONE = 640; // below, its stations stand below each other
const LEAST = 280; // while a page is laid out a picture may have no width at all
const TOP = 100; // below the station names
const BOTTOM = 396;
const COLUMNS = {
  text: [0, 0.145],
  tokens: [0.175, 0.325],
  vectors: [0.345, 0.46],
  weights: [0.465, 0.54],
  core: [0.668, 0.752],
  end: [0.79, 1],
};

export default renewed(({ parentElement, data }) => {
  const frame = parentElement.querySelector(".journey");
  const about = parentElement.querySelector(".about");
  const stop = new AbortController();
  let drawn = 0;
  const draw = () => {
    if (!frame.clientWidth) return; // not laid out yet: the observer below draws
    const style = getComputedStyle(frame);
    fonts = { code: style.getPropertyValue("--st-code-font"), body: style.getPropertyValue("--st-font") };
    drawn = frame.clientWidth;
    frame.replaceChildren(drawn < PHONE ? tallPicture(data, Math.max(drawn, LEAST)) : picture(data, Math.max(drawn, NARROWEST), drawn));
    rest(frame, about, data);
  };
  draw();
  parentElement.querySelector(".legend").replaceChildren(...data.say.legend.map(legendEntry));
  const watch = new ResizeObserver(() => {
    if (frame.clientWidth !== drawn) draw();
  });
  watch.observe(frame);
  listen(frame, about, data, stop.signal);
  return () => {
    watch.disconnect();
    stop.abort();
  };
});

// ---------------------------------------------------------------- the picture

function canvas(data, width, height, scale = 1) {
  const size = { viewBox: `0 0 ${width} ${height}`, width: "100%", height: height * scale };
  return svg("svg", { ...size, role: "group", "aria-label": data.say.picture });
}

function picture(data, width, room) {
  const drawing = canvas(data, width, HEIGHT, Math.min(1, room / width));
  const x = Object.fromEntries(Object.entries(COLUMNS).map(([k, [a, b]]) => [k, [a * width, b * width]]));
  const lines = layOut(data.rows, TOP, BOTTOM, 50);
  const core = coreBox(data, x);
  const flows = svg("g", { class: "flows", "aria-hidden": "true" });
  drawing.append(rail(data.stations, x), flows);
  for (const piece of tokenRows(data, lines, x, core)) drawing.append(piece);
  drawing.append(sentence(data, x));
  drawing.append(core.shape);
  for (const piece of data.next.length ? nextRows(data, x, core) : sentenceVector(data, x, core, flows))
    drawing.append(piece);
  return drawing;
}

function layOut(items, top, bottom, most) {
  const height = Math.min((bottom - top) / items.length, most);
  const start = (top + bottom - height * items.length) / 2;
  return items.map((_, i) => ({ middle: start + height * (i + 0.5), height }));
}

function rail(stations, x) {
  const group = svg("g", { class: "rail" });
  const centres = [middle(x.text), middle(x.tokens), middle(x.vectors), (x.weights[0] + x.core[1]) / 2, middle(x.end)];
  group.append(svg("line", { class: "track", x1: centres[0], x2: centres.at(-1), y1: 20, y2: 20 }));
  stations.forEach((station, i) => {
    const stop = svg(station.href ? "a" : "g", { class: station.href ? "station open" : "station" });
    if (station.href) stop.setAttribute("href", station.href);
    const name = label(station.title, { class: "title", x: centres[i], y: 57 });
    const halo = svg("rect", { class: "halo", x: centres[i] - 60, y: 2, width: 120, height: 62, rx: 8 });
    stop.append(halo, svg("circle", { cx: centres[i], cy: 20, r: 13 }), name);
    stop.append(label(String(i + 1), { class: "number", x: centres[i], y: 25.5 }));
    group.append(stop, label(station.note, { class: "note", x: centres[i], y: 77 }));
  });
  return group;
}

function sentence(data, x) {
  const [left, right] = x.text;
  const group = svg("g", { class: "sentence" });
  const room = right - left - 20;
  const tall = BOTTOM - TOP - 16;
  const [size, lines] = fitLines(data.text, room, tall);
  const height = Math.max(lines.length * size * 1.45, fanShare(data.rows) * data.rows.length) + 16;
  const indent = (height - lines.length * size * 1.45) / 2;
  const top = (TOP + BOTTOM - height) / 2;
  group.append(svg("rect", { class: "paper", x: left + 1, y: top, width: right - left - 2, height, rx: 9 }));
  lines.forEach((line, i) => {
    const text = label(line, { class: "words", x: (left + right) / 2, y: top + indent + size * (1.08 + 1.45 * i) });
    text.style.fontSize = `${size}px`;
    group.append(text);
  });
  return group;
}

// Pixels of the sentence's edge that each token leaves from.
const fanShare = (rows) => Math.min(24, (BOTTOM - TOP - 40) / rows.length);

function tokenSpot(row) {
  const spot = svg("g", { class: "spot", role: "img", "aria-label": row.about, tabindex: -1 });
  spot.dataset.about = row.about;
  spot.style.setProperty("--hue", hue(row.id));
  if (row.selected) spot.classList.add("selected");
  if (row.query) spot.classList.add("query");
  if (row.kind === "gap") spot.classList.add("many");
  return spot;
}

const largestOf = (rows) => Math.max(...rows.flatMap((row) => row.values ?? []).map(Math.abs), 1e-9);

function tokenRows(data, lines, x, core) {
  const scale = largestOf(data.rows);
  const share = fanShare(data.rows);
  let into = core.top;
  return data.rows.map((row, i) => {
    const { middle: y, height } = lines[i];
    const spot = tokenSpot(row);
    const tied = Math.min(share, height - 8) / 2;
    const from = (TOP + BOTTOM) / 2 + (i + 0.5 - data.rows.length / 2) * share;
    const chip = tokenChip(row, y, height, x.tokens);
    const wide = x.weights[1] - x.tokens[0];
    spot.append(svg("rect", { class: "hit", x: x.tokens[0], y: y - height / 2, width: wide, height }));
    spot.append(band(x.text[1] - 4, from - share / 2, from + share / 2, chip.left, y - tied, y + tied, "cut"));
    if (row.values) spot.append(band(chip.right, y - tied, y + tied, x.vectors[0], y - tied, y + tied, "cut"));
    spot.append(...chip.parts);
    if (row.values) spot.append(vector(row.values, scale, y, height, x.vectors));
    if (row.weight === null) {
      const start = row.values ? x.vectors[1] + 6 : chip.right + 6;
      spot.append(band(start, y, y, x.core[0], (TOP + BOTTOM) / 2, (TOP + BOTTOM) / 2, "thread"));
    } else {
      const thick = row.weight * core.height;
      const half = Math.min(thick, height - 6) / 2;
      if (thick > 0.1) spot.append(band(x.weights[1] + 6, y - half, y + half, x.core[0], into, into + thick, "look"));
      into += thick;
      spot.append(label(row.percent, { class: "weight", x: x.weights[1], y: y + 5.5 }));
    }
    return spot;
  });
}

function tokenChip(row, y, height, [left, right]) {
  const of = shorten(row.of.replace(/^·/, ""), 44, 15);
  const aside = of ? measure(of, 15, true) + 8 : 0;
  const limit = right - left - aside;
  const base = row.kind === "bytes" || row.kind === "gap" ? 15 : 19;
  const size = Math.max(11, Math.min(base, (base * (limit - 16)) / measure(row.label, base, true)));
  const shown = size > 11 ? row.label : shorten(row.label, limit - 16, 11);
  const wide = Math.max(measure(shown, size, true) + 16, 26);
  const tall = Math.min(height - 6, 34);
  const centre = (left + right + aside) / 2;
  const start = centre - wide / 2;
  const text = label(shown, { class: `token ${row.kind}`, x: centre, y: y + 5.5 });
  text.style.fontSize = `${size}px`;
  const parts = [text];
  if (row.kind !== "gap")
    parts.unshift(svg("rect", { class: "chip", x: start, y: y - tall / 2, width: wide, height: tall, rx: 6 }));
  if (of) parts.push(label(of, { class: "of", x: start - 5, y: y + 5 }));
  return { parts, left: start - aside, right: centre + wide / 2 };
}

function vector(values, scale, y, height, [left, right]) {
  const group = svg("g", { class: "vector" });
  const step = (right - left) / values.length;
  const tall = height / 2 - 4;
  group.append(svg("rect", { class: "bed", x: left - 3, y: y - height / 2 + 2, width: right - left + 6, height: height - 4, rx: 4 }));
  group.append(svg("line", { class: "zero", x1: left, x2: right, y1: y, y2: y }));
  values.forEach((value, i) => {
    const size = Math.max((Math.abs(value) / scale) * tall, 0.75);
    const box = { x: left + i * step + 1.5, y: value > 0 ? y - size : y, width: step - 3, height: size, rx: 1.5 };
    group.append(svg("rect", { class: value > 0 ? "plus" : "minus", ...box }));
  });
  return group;
}

function coreBox(data, x) {
  const height = 168;
  const top = (TOP + BOTTOM - height) / 2;
  const [left, right] = x.core;
  const shape = svg("g", { class: "core" });
  shape.append(svg("rect", { x: left, y: top, width: right - left, height, rx: 12 }));
  const size = Math.max(11, Math.min(18, (18 * (right - left - 12)) / measure(data.core.label, 18, true)));
  const name = label(size > 11 ? data.core.label : shorten(data.core.label, right - left - 12, 11), {
    class: "name",
    x: (left + right) / 2,
    y: top + height / 2 - 16,
  });
  name.style.fontSize = `${size}px`;
  shape.append(name);
  data.core.lines.forEach((line, i) =>
    shape.append(label(line, { class: "small", x: (left + right) / 2, y: top + height / 2 + 12 + i * 19 })),
  );
  return { shape, top, height };
}

function nextRows(data, x, core) {
  const lines = layOut(data.next, TOP - 4, BOTTOM, 58);
  let out = core.top;
  return data.next.map((row, i) => {
    const { middle: y, height } = lines[i];
    const spot = nextSpot(row, i, y, height, x.end);
    const thick = row.p * core.height;
    const half = Math.min(thick, height - 10) / 2;
    spot.prepend(band(x.core[1], out, out + thick, x.end[0] - 8, y - half, y + half, "flow"));
    out += thick;
    return spot;
  });
}

function nextSpot(row, i, y, height, [left, right]) {
  const spot = svg("g", { class: `spot next${i ? "" : " first"}${row.kind === "rest" ? " rest" : ""}`, role: "img", tabindex: -1 });
  spot.setAttribute("aria-label", row.about);
  spot.dataset.about = row.about;
  const number = label(row.percent, { class: "percent", x: right, y: y + 2 });
  const room = right - left - measure(row.percent, i ? 15 : 19) - 14;
  const base = row.kind === "rest" ? 14 : row.kind === "bytes" ? 15 : i ? 17 : 21;
  const size = Math.max(11, Math.min(base, (base * room) / measure(row.label, base, row.kind !== "rest")));
  const name = label(size > 11 ? row.label : shorten(row.label, room, 11), { class: `token ${row.kind}`, x: left, y: y + 2 });
  name.style.fontSize = `${size}px`;
  const track = { x: left, y: y + 9, width: right - left, height: 8, rx: 4 };
  spot.append(svg("rect", { class: "hit", x: left - 6, y: y - height / 2, width: right - left + 6, height }));
  spot.append(svg("rect", { class: "scale", ...track }));
  spot.append(svg("rect", { class: "bar", ...track, width: Math.max((right - left) * row.p, 2) }), name, number);
  return spot;
}

function sentenceVector(data, x, core, flows) {
  const lines = layOut(data.vector, TOP, BOTTOM, 50);
  flows.append(band(x.core[1], core.top, core.top + core.height, x.end[0] - 8, lines[0].middle - 14, lines.at(-1).middle + 14, "flow"));
  return vectorSpots(data, lines, x.end);
}

function vectorSpots(data, lines, [left, right]) {
  const zero = (left + right) / 2 + 6;
  const scale = Math.max(...data.vector.map((entry) => Math.abs(entry.value)), 1e-9);
  return data.vector.map((entry, i) => {
    const { middle: y, height } = lines[i];
    const spot = svg("g", { class: "spot next", role: "img", tabindex: -1, "aria-label": entry.about });
    spot.dataset.about = entry.about;
    const size = Math.max((Math.abs(entry.value) / scale) * ((right - left) / 2 - 58), 1);
    spot.append(svg("rect", { class: "hit", x: left - 4, y: y - height / 2, width: right - left + 4, height }));
    spot.append(label(String(i), { class: "index", x: left + 22, y: y + 5 }));
    spot.append(svg("line", { class: "zero", x1: zero, x2: zero, y1: y - height / 2, y2: y + height / 2 }));
    const from = entry.value > 0 ? zero : zero - size;
    spot.append(svg("rect", { class: entry.value > 0 ? "plus" : "minus", x: from, y: y - 9, width: size, height: 18, rx: 2 }));
    spot.append(label(entry.number, { class: "percent", x: right, y: y + 5 }));
    return spot;
  });
}

function band(x0, top0, bottom0, x1, top1, bottom1, className) {
  const bend = (x0 + x1) / 2;
  if (bottom0 - top0 < 1.2) [top0, bottom0] = [(top0 + bottom0) / 2 - 0.6, (top0 + bottom0) / 2 + 0.6];
  if (bottom1 - top1 < 1.2) [top1, bottom1] = [(top1 + bottom1) / 2 - 0.6, (top1 + bottom1) / 2 + 0.6];
  const there = `M${x0},${top0}C${bend},${top0} ${bend},${top1} ${x1},${top1}`;
  const back = `L${x1},${bottom1}C${bend},${bottom1} ${bend},${bottom0} ${x0},${bottom0}Z`;
  return svg("path", { class: `band ${className}`, d: there + back });
}

// ---------------------------------------------------------------- hover, focus, keys, links

function rest(frame, about, data) {
  about.textContent = data.say.hint;
  const first = frame.querySelector(".spot");
  if (first) first.setAttribute("tabindex", 0);
}

function listen(frame, about, data, signal) {
  const on = (name, act) => frame.addEventListener(name, act, { signal });
  const show = (spot) => {
    frame.firstChild.classList.toggle("aimed", Boolean(spot));
    frame.querySelector(".spot.aim")?.classList.remove("aim");
    spot?.classList.add("aim");
    about.textContent = spot ? spot.dataset.about : data.say.hint;
  };
  const focused = () => frame.getRootNode().activeElement?.closest?.(".spot") ?? null;
  on("pointerover", (event) => show(event.target.closest(".spot") ?? focused()));
  on("pointerleave", (event) => isGone(event) && show(focused()));
  on("focusin", (event) => show(event.target.closest(".spot")));
  on("focusout", () => show(null));
  on("keydown", (event) => {
    const spot = event.target.closest(".spot");
    const move = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!spot || !move) return;
    const spots = [...frame.querySelectorAll(".spot")];
    const next = spots[Math.min(Math.max(spots.indexOf(spot) + move, 0), spots.length - 1)];
    spot.setAttribute("tabindex", -1);
    next.setAttribute("tabindex", 0);
    next.focus();
    event.preventDefault();
  });
  on("click", (event) => {
    const link = event.target.closest("a.station");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    // The menu's own link changes the page without a new session; where there is none, the address does.
    const address = new URL(link.href.baseVal, document.baseURI);
    const menu = [...document.querySelectorAll("[data-testid='stSidebarNavLink']")];
    const same = menu.find((entry) => new URL(entry.href).pathname === address.pathname);
    if (!same) return;
    event.preventDefault();
    same.click();
  });
}

// ---------------------------------------------------------------- drawing nodes

/** One colour and what it says. */
function legendEntry([part, words]) {
  return el("span", {}, el("i", { class: `swatch ${part}`, "aria-hidden": "true" }), words);
}

const label = (text, attributes) => svg("text", attributes, text);

const middle = ([left, right]) => (left + right) / 2;
