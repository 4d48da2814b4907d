// The picture, and what its cells say.

/** Three significant digits: 58.9 %, 0.0123 %. */
function percent(p) {
  if (p === 0) return "0 %";
  if (p < 1e-7) return "< 0.00001 %";
  const digits = clamp(2 - Math.floor(Math.log10(100 * p) + 1e-9), 0, 7);
  return `${fixed(100 * p, p >= 0.9995 ? (p === 1 ? 0 : 2) : digits)} %`;
}

const width = (text) => [...text].reduce((sum, c) => sum + (c.codePointAt(0) > 0x10ff ? 2 : 1), 0);

function shorten(text, cells) {
  if (width(text) <= cells) return text;
  const kept = [];
  let used = 1;
  for (const c of text) {
    used += width(c);
    if (used > cells) break;
    kept.push(c);
  }
  return `${kept.join("")}…`;
}

const ROW = 20;
const HEAD = 40;
const LABEL_CELLS = 15;
const LIBRARIES = Object.keys(ORDERS);
const PHONE = 520; // below, fewer columns
const MARKS = 54; // pixels on the right: one small square for each library
const AXES = [0.02, 0.05, 0.1, 0.2, 0.5, 1];

function themeOf(element) {
  const theme = pageTheme(element);
  return {
    ...theme,
    kept: theme.dark ? "#56B4E9" : "#0072B2",
    cumulative: theme.dark ? "#E69F00" : "#D55E00",
    grey: theme.dark ? "#9aa3ad" : "#6b737c",
  };
}

/** One picture: rows of bars with the cumulative line, on an <svg> that is filled once and updated in place. */
class Picture {
  constructor(root, n) {
    this.root = root;
    this.n = n;
    this.id = `hatch-${Math.random().toString(36).slice(2)}`;
    this.rows = [];
    this.ticks = svg("g");
    this.line = svg("polyline", { fill: "none", "stroke-width": 2, "pointer-events": "none" });
    this.threshold = svg("line", { "stroke-width": 1.5, "stroke-dasharray": "4 3" });
    this.hatch = svg("path", { d: "M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", "stroke-width": 1.6 });
    const pattern = svg("pattern", { id: this.id, width: 6, height: 6, patternUnits: "userSpaceOnUse" });
    pattern.append(this.hatch);
    const defs = svg("defs");
    defs.append(pattern);
    root.replaceChildren(defs, this.ticks);
    for (let i = 0; i < n; i++) {
      const y = HEAD + i * ROW;
      const row = {
        group: svg("g"),
        back: svg("rect", { x: 0, y, height: ROW, opacity: 0 }),
        rank: svg("text", { x: 26, y: y + 14.5, "text-anchor": "end" }, String(i + 1)),
        label: svg("text", { x: 34, y: y + 14.5 }),
        bar: svg("rect", { y: y + 3, height: ROW - 6 }),
        own: svg("line", { y1: y + 2, y2: y + ROW - 2, "stroke-width": 1.5 }),
        value: svg("text", { y: y + 14.5, "text-anchor": "end" }),
        state: svg("text", { y: y + 14.5, "text-anchor": "end" }),
        dot: svg("circle", { cy: y + ROW / 2, r: 2.6, "pointer-events": "none" }),
      };
      row.group.append(...Object.values(row).slice(1));
      row.libraries = LIBRARIES.map((name) => svg("rect", { y: y + 5.5, width: 9, height: 9, rx: 2, "data-name": name }));
      row.group.append(...row.libraries);
      this.rows.push(row);
      root.append(row.group);
    }
    root.append(this.threshold, this.line);
  }

  /** Draw `d` over the ranks first ... n, `wide` pixels wide, the bars' axis ending at `axis`. */
  draw({ d, own, texts, words, settings, axis, wide, theme, libraries, active = -1 }) {
    // on a phone a tap tells the rest
    const phone = wide < PHONE;
    const [left, marks] = phone ? [136, 0] : [175, MARKS];
    const right = wide - (phone ? 76 : 150 + marks);
    const x = (share) => left + clamp(share, 0, 1) * (right - left);
    const n = Math.min(this.n, texts.length);
    const high = HEAD + n * ROW;
    set(this.root, { width: wide, height: high + 4, viewBox: `0 0 ${wide} ${high + 4}`, "font-family": theme.font });
    this.hatch.setAttribute("stroke", theme.grey);
    this.drawTicks(x, high, axis, wide, words, theme);
    const points = [];
    this.rows.forEach((row, i) => {
      set(row.group, { display: i < n ? "inline" : "none" });
      if (i >= n) return;
      const kept = i >= d.first && i < d.first + d.n_kept;
      const share = kept ? d.after(i) : d.before(i);
      const long = x(share / axis) - left;
      points.push(`${fixed(x(d.cumulative(i)), 1)},${HEAD + i * ROW + ROW / 2}`);
      write(row.label, shorten(texts[i], phone ? 11 : LABEL_CELLS));
      write(row.value, percent(share));
      write(row.state, kept ? percent(d.cumulative(i)) : words.cut);
      set(row.back, { width: wide, fill: theme.kept, opacity: i === active ? 0.14 : 0 });
      set(row.bar, { x: left, width: Math.max(long, share > 0 ? 1 : 0), fill: kept ? theme.kept : `url(#${this.id})` });
      set(row.bar, { stroke: kept ? "none" : theme.grey });
      set(row.own, { x1: x(own(i) / axis), x2: x(own(i) / axis), stroke: theme.text, opacity: own(i) > axis ? 0 : 1 });
      set(row.dot, { cx: x(d.cumulative(i)), fill: kept ? theme.cumulative : theme.paper, stroke: theme.cumulative });
      set(row.rank, { fill: theme.grey, "font-size": 12 });
      set(row.label, { fill: theme.text, "font-size": 14, "font-family": theme.code, opacity: kept ? 1 : 0.75 });
      for (const node of [row.state, ...row.libraries]) set(node, { display: phone ? "none" : "inline" });
      row.libraries.forEach((mark, at) => {
        const { first, n } = libraries[LIBRARIES[at]];
        const stays = i >= first && i < n;
        set(mark, { x: wide - MARKS + 3 + 16 * at, fill: stays ? theme.kept : "none", stroke: stays ? theme.kept : theme.grey });
        set(mark, { "data-kept": stays });
      });
      set(row.value, { x: phone ? wide - 6 : wide - 76 - marks, fill: theme.text, "font-size": 13.5, "font-weight": kept ? 600 : 400 });
      set(row.state, { x: wide - 6 - MARKS, fill: kept ? theme.cumulative : theme.grey, "font-size": 13 });
    });
    set(this.line, { points: points.join(" "), stroke: theme.cumulative });
    const alone = settings.top_k === 0 && settings.order !== "llama.cpp" && (settings.order === "transformers" || settings.min_p === 0);
    const shown = settings.temperature > 0 && settings.top_p < 1 && alone;
    set(this.threshold, { x1: x(settings.top_p), x2: x(settings.top_p), y1: HEAD - 4, y2: high });
    set(this.threshold, { stroke: theme.cumulative, opacity: shown ? 1 : 0 });
  }

  /** Two scales over the same width: the bars' probability, and the cumulative line's 0-100 %. */
  drawTicks(x, high, axis, wide, words, theme) {
    const asked = JSON.stringify([high, axis, wide, words.axis_bars, words.axis_line, theme]);
    if (asked === this.ticked) return;
    this.ticked = asked;
    const marks = [];
    for (let i = 0; i <= 4; i++) {
      const at = x(i / 4);
      marks.push(svg("line", { x1: at, x2: at, y1: HEAD, y2: high, stroke: theme.line }));
      const anchor = { x: at, "text-anchor": "middle", "font-size": 12 };
      marks.push(svg("text", { ...anchor, y: 14, fill: theme.kept }, `${+((100 * axis * i) / 4).toPrecision(3)} %`));
      marks.push(svg("text", { ...anchor, y: 31, fill: theme.cumulative }, `${25 * i} %`));
    }
    const name = { x: x(0) - 25, "text-anchor": "end", "font-size": 12 };
    marks.push(svg("text", { ...name, y: 14, fill: theme.kept, "font-weight": 600 }, words.axis_bars));
    marks.push(svg("text", { ...name, y: 31, fill: theme.cumulative, "font-weight": 600 }, words.axis_line));
    if (wide < PHONE) return this.ticks.replaceChildren(...marks);
    LIBRARIES.forEach((name, at) => {
      const place = { x: wide - MARKS + 7.5 + 16 * at, y: 31, "text-anchor": "middle", "font-size": 12, fill: theme.grey };
      const letter = svg("text", place, name[0].toUpperCase());
      letter.append(svg("title", {}, name));
      marks.push(letter);
    });
    this.ticks.replaceChildren(...marks);
  }
}

function axisFor(d) {
  const largest = Math.max(d.after(d.first), d.before(0));
  return AXES.find((axis) => largest <= axis) ?? 1;
}

/** Set only what changed: a drag repaints 64 rows at every step, most of them as they were. */
function set(node, attributes) {
  const known = (node.known ??= {});
  for (const key in attributes) {
    const value = String(attributes[key]);
    if (known[key] !== value) node.setAttribute(key, (known[key] = value));
  }
}

function write(node, text) {
  if (node.written !== text) node.textContent = node.written = text;
}
