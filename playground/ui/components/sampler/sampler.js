// The next-token distribution under five sliders, computed here from every logit of the vocabulary, in the order
// of one of three libraries. The same algorithm as playground/core/sampling.py; no message leaves the browser
// while a slider moves.

const BLOCK = 256;
const ZERO_WEIGHT = -800; // exp of it is 0 in double precision
export const ORDERS = {
  transformers: ["temperature", "top_k", "top_p", "min_p", "typical_p"],
  vllm: ["temperature", "min_p", "top_k", "top_p"],
  "llama.cpp": ["top_k", "typical_p", "top_p", "min_p", "temperature"],
};
const OFF = { temperature: 1, top_k: 0, top_p: 1, min_p: 0, typical_p: 1 };

/** Undo packing.py: n float32 logits, largest first. */
export function unpack(bytes, n) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nBlocks = Math.ceil((n - 1) / BLOCK);
  const patterns = new Int32Array(n);
  let ordered = view.getInt32(0, true);
  let bit = 8 * (4 + nBlocks);
  const next = () => (bytes[bit >> 3] >> (7 - (bit++ & 7))) & 1;
  for (let i = 0; i < n; i++) {
    if (i > 0) {
      const r = bytes[4 + Math.floor((i - 1) / BLOCK)];
      let gap = 0;
      while (!next()) gap++;
      for (let j = 0; j < r; j++) gap = gap * 2 + next();
      ordered -= gap;
    }
    patterns[i] = ordered ^ ((ordered >> 31) & 0x7fffffff);
  }
  return new Float32Array(patterns.buffer);
}

/** Logits sorted once; `distribution` re-weights and cuts them. Mirrors core.sampling.RankedLogits. */
export class Ranked {
  constructor(logits) {
    this.logits = logits;
    this.known = new Map();
  }

  get length() {
    return this.logits.length;
  }

  weights(temperature) {
    const known = this.known.get(temperature);
    if (known) return known;
    const { logits } = this;
    const n = logits.length;
    const each = new Float64Array(n);
    const cumulative = new Float64Array(n);
    const scaled = new Float64Array(n);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      scaled[i] = Math.max((logits[i] - logits[0]) / temperature, ZERO_WEIGHT);
      each[i] = Math.exp(scaled[i]);
      cumulative[i] = sum += each[i];
    }
    for (const old of [...this.known.keys()].filter((t) => t !== 1)) this.known.delete(old);
    const made = { each, cumulative, scaled };
    this.known.set(temperature, made);
    return made;
  }

  /** Which ranks are kept, first to n - 1, and what each step in the library's order cut away; after greedy none does. */
  kept(settings) {
    let [first, n] = [0, this.length];
    let weights = this.weights(1);
    const steps = [];
    for (const name of ORDERS[settings.order]) {
      const value = settings[name];
      const before = { n: n - first, mass: massOf(weights, first, n) };
      const greedy = name === "temperature" && value === 0;
      if (greedy) [first, n] = this.greediest(first);
      else if (name === "temperature") weights = this.weights(value);
      else if (value !== OFF[name]) [first, n] = CUTS[name](this, weights, first, n, value);
      const mass = name === "temperature" ? before.mass : massOf(weights, first, n);
      steps.push({ name, value, off: value === OFF[name], before: before.n, after: n - first, cut: 1 - mass / before.mass });
      if (greedy) break;
    }
    return { first, n, weights, steps };
  }

  /** n_kept, entropy_bits, mass (kept probability before the cuts), and both probabilities of a rank. */
  distribution(settings) {
    const { first, n, weights, steps } = this.kept(settings);
    if (settings.temperature === 0) return this.greedy(first, steps);
    const { each, cumulative, scaled } = weights;
    const all = cumulative[this.length - 1];
    // Far down the difference of two running sums may have no correct digit, and a weight may be 0.
    const top = scaled[first];
    const weight = first === 0 ? (i) => each[i] : (i) => Math.exp(scaled[i] - top);
    let total = 0;
    let dot = 0;
    for (let i = first; i < n; i++) {
      total += weight(i);
      dot += weight(i) * (scaled[i] - top);
    }
    return {
      first,
      n_kept: n - first,
      steps,
      mass: (total * Math.exp(top)) / all,
      entropy_bits: Math.max(0, Math.log(total) - dot / total) / Math.LN2,
      before: (i) => each[i] / all,
      after: (i) => (i >= first && i < n ? weight(i) / total : 0),
      cumulative: (i) => cumulative[i] / all,
    };
  }

  /** The rank of the greedy choice from this one on: of equal ones the last, which has the smallest id. */
  greediest(first) {
    const after = countAtLeast(this.logits, this.logits[first], this.length);
    return [after - 1, after];
  }

  /**
   * All mass on the token of this rank. Before the cuts it was on the most probable one; where that was cut, the
   * cuts came first and saw the model's own distribution.
   */
  greedy(first, steps) {
    const [top] = this.greediest(0);
    const after = (i) => (i === first ? 1 : 0);
    const greedy = { first, n_kept: 1, steps, entropy_bits: 0, after };
    if (first === top) return { ...greedy, mass: 1, before: after, cumulative: (i) => (i >= top ? 1 : 0) };
    const { each, cumulative } = this.weights(1);
    const all = cumulative[this.length - 1];
    return { ...greedy, mass: 0, before: (i) => each[i] / all, cumulative: (i) => cumulative[i] / all };
  }
}

/** The same settings in the order of a library, without the ones that it has not. */
function inOrder(settings, order) {
  const missing = Object.entries(OFF).filter(([name]) => !ORDERS[order].includes(name));
  return { ...settings, ...Object.fromEntries(missing), order };
}

const massOf = ({ cumulative }, first, n) => cumulative[n - 1] - (first > 0 ? cumulative[first - 1] : 0);

/** Each cut: first and last + 1 of the ranks that it leaves of ranks first to n - 1. */
const CUTS = {
  top_k: ({ logits, length }, _weights, first, n, k) => [first, k < n ? countAtLeast(logits, logits[k - 1], length) : n],
  top_p({ length }, { cumulative }, first, n, p) {
    const before = first > 0 ? cumulative[first - 1] : 0;
    return [first, Math.min(n, countBelow(cumulative, before + p * (cumulative[n - 1] - before), n) + 1)];
  },
  min_p: (_ranked, { each }, first, n, share) => [first, countAtLeast(each, share * each[first], n)],
  /** Grows around the entropy, the nearest surprisal first, until the mass is reached. */
  typical_p(_ranked, { each, cumulative, scaled }, first, n, mass) {
    const total = cumulative[n - 1];
    let dot = 0;
    for (let i = 0; i < n; i++) dot += each[i] * scaled[i];
    const entropy = Math.log(total) - dot / total;
    const distance = (i) => (i < 0 || i >= n ? Infinity : Math.abs(Math.log(total) - scaled[i] - entropy));
    let high = bisect(n, (i) => Math.log(total) - scaled[i] < entropy);
    let low = high;
    let reached = 0;
    let limit = 0;
    while (reached < mass * total && (low > 0 || high < n)) {
      const next = distance(low - 1) <= distance(high) ? --low : high++;
      limit = distance(next);
      reached += each[next];
    }
    while (distance(low - 1) <= limit) low--;
    while (distance(high) <= limit) high++;
    return [low, high];
  },
};

/** How many of the first n values of a descending array are `limit` or more. */
function countAtLeast(descending, limit, n) {
  return bisect(n, (i) => descending[i] >= limit);
}

/** How many of the first n values of an ascending array are below `limit`. */
function countBelow(ascending, limit, n) {
  return bisect(n, (i) => ascending[i] < limit);
}

function bisect(n, holds) {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

// ---------------------------------------------------------------- controls

const SETTINGS = ["temperature", "top_k", "top_p", "min_p", "typical_p"];
const K_STEPS = 200; // positions of the top-k slider: 1 ... vocabulary on a logarithmic scale, the last is "all"
const SEND_AFTER_MS = 150; // a held arrow key fires a change event for each step

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const SCALES = {
  temperature: { max: 300, toValue: (s) => s / 100, toSlider: (v) => Math.round(v * 100) },
  top_k: {
    max: K_STEPS,
    toValue: (s, n) => (s >= K_STEPS ? 0 : Math.round(n ** (s / K_STEPS))),
    toSlider: (v, n) => (v === 0 || v >= n ? K_STEPS : Math.round((K_STEPS * Math.log(v)) / Math.log(n))),
  },
  top_p: { max: 100, min: 1, toValue: (s) => s / 100, toSlider: (v) => Math.round(v * 100) },
  min_p: { max: 100, toValue: (s) => s / 100, toSlider: (v) => Math.round(v * 100) },
  typical_p: { max: 100, min: 1, toValue: (s) => s / 100, toSlider: (v) => Math.round(v * 100) },
};
const LIMITS = {
  temperature: (v) => clamp(v, 0, 3),
  top_k: (v, n) => clamp(Math.round(v), 0, n),
  top_p: (v) => clamp(v, 0.001, 1),
  min_p: (v) => clamp(v, 0, 1),
  typical_p: (v) => clamp(v, 0.001, 1),
};

// ---------------------------------------------------------------- words and numbers


/** Three significant digits: 58.9 %, 0.0123 %. */
export function percent(p) {
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

// ---------------------------------------------------------------- the picture

const ROW = 20;
const HEAD = 40;
const LABEL_CELLS = 15;
const LIBRARIES = Object.keys(ORDERS);
const PHONE = 520; // below, fewer columns
const MARKS = 54; // pixels on the right: one small square for each library
const AXES = [0.02, 0.05, 0.1, 0.2, 0.5, 1];
const KEPT = "#0072B2";
const KEPT_DARK = "#56B4E9";
const CUMULATIVE = "#D55E00";

function themeOf(element) {
  const theme = pageTheme(element);
  return {
    ...theme,
    kept: theme.dark ? KEPT_DARK : KEPT,
    cumulative: theme.dark ? "#E69F00" : CUMULATIVE,
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

// ---------------------------------------------------------------- the component

const N_PRINTED = 20; // rows of an exported picture
const instances = new WeakMap();

class Sampler {
  constructor(root) {
    this.root = root;
    this.active = -1;
    this.fields = {};
    this.sent = "";
    this.build();
    this.wide = 0;
    this.observer = new ResizeObserver(() => {
      this.wide = Math.max(280, this.scroller.clientWidth);
      if (this.data) this.paint();
    });
    this.observer.observe(this.scroller);
  }

  dispose() {
    clearTimeout(this.timer);
    this.observer.disconnect();
  }

  /** New data from Python. Same bytes: only the theme may have changed. */
  receive(bytes, send) {
    this.send = send;
    if (!same(bytes, this.bytes)) {
      const { head, rest: packed } = unpacked(bytes);
      this.data = head;
      if (!same(packed, this.packed)) this.ranked = new Ranked(unpack(packed, this.data.n_finite));
      this.packed = packed;
      this.bytes = bytes;
      if (this.revision !== this.data.revision) {
        this.settings = { ...this.data.settings };
        this.sent = JSON.stringify(this.settings);
      }
      this.revision = this.data.revision;
      this.label();
      this.show();
      this.settle();
    }
    this.theme = themeOf(this.root);
    this.paint();
  }

  build() {
    const controls = el("div", { class: "controls" });
    for (const name of SETTINGS) controls.append(this.control(name));
    this.sentence = el("p", { class: "sentence" });
    this.status = el("span", { class: "unseen", role: "status" });
    this.svg = svg("svg", { "aria-hidden": "true" });
    this.picture = new Picture(this.svg, 64);
    this.options = el("div", { class: "unseen" });
    this.scroller = el("div", { class: "rows", role: "listbox", tabindex: "0" }, this.svg, this.options);
    this.detail = el("p", { class: "detail" });
    this.buttons = el("div", { class: "buttons" });
    for (const [name, act] of [["reset", () => this.reset()], ["png", () => this.save("png")], ["svg", () => this.save("svg")]]) {
      const button = el("button", { type: "button", "data-name": name });
      button.addEventListener("click", act);
      this.buttons.append(button);
    }
    this.orders = el("div", { class: "orders", role: "radiogroup" });
    this.chain = el("ol", { class: "chain" });
    this.root.replaceChildren(controls, this.orders, this.chain, this.sentence, this.scroller, this.detail, this.buttons, this.status);
    this.listen();
  }

  control(name) {
    const { max, min = 0 } = SCALES[name];
    const range = el("input", { type: "range", min, max, step: 1, "data-name": name });
    const number = el("input", { type: "number", step: "any", "data-name": name, inputmode: "decimal" });
    const title = el("span", { class: "name" });
    range.addEventListener("input", () => this.move(name, SCALES[name].toValue(+range.value, this.data.n_vocab)));
    range.addEventListener("change", () => this.release());
    number.addEventListener("change", () => {
      if (Number.isFinite(number.valueAsNumber)) this.move(name, number.valueAsNumber);
      this.show();
      this.release();
    });
    this.fields[name] = { range, number, title };
    return el("label", { class: "control" }, title, number, range);
  }

  /** The libraries side by side: each with how many tokens it keeps; a click takes its order. */
  drawOrders() {
    const { words, language } = this.data;
    if (this.orders.children.length !== LIBRARIES.length + 1) {
      const buttons = LIBRARIES.map((name) => {
        const button = el("button", { type: "button", role: "radio", "data-name": name });
        button.addEventListener("click", () => this.choose(name));
        return button;
      });
      this.orders.replaceChildren(el("span", { class: "name" }), ...buttons);
    }
    const [title, ...buttons] = this.orders.children;
    write(title, words.order);
    this.orders.setAttribute("aria-label", words.order);
    buttons.forEach((button) => {
      const { name } = button.dataset;
      const { first, n } = this.libraries[name];
      write(button, fill(words.library, { name: name === "vllm" ? "vLLM" : name, n: (n - first).toLocaleString(language) }));
      button.setAttribute("aria-checked", String(name === this.settings.order));
    });
  }

  /** What each step of the chosen order leaves. */
  drawChain() {
    const { words, language } = this.data;
    const count = (n) => n.toLocaleString(language);
    const { steps } = this.d;
    while (this.chain.children.length > steps.length) this.chain.lastChild.remove();
    while (this.chain.children.length < steps.length) this.chain.append(el("li", {}, el("b"), el("span")));
    steps.forEach((step, at) => {
      const [name, told] = this.chain.children[at].children;
      const cut = fill(words.step_cut, { n: count(step.before - step.after), mass: percent(Math.max(0, step.cut)) });
      const shape = step.value === 0 ? words.step_greedy : words.step_shape;
      write(name, step.off ? words[step.name] : `${words[step.name]} ${+step.value.toPrecision(3)}`);
      write(told, step.off ? words.step_off : step.name === "temperature" ? shape : cut);
      this.chain.children[at].className = step.off ? "off" : "";
    });
  }

  choose(order) {
    this.settings = inOrder(this.settings, order);
    this.show();
    this.release();
  }

  listen() {
    const rowAt = (event) => Math.floor((event.clientY - this.svg.getBoundingClientRect().top - HEAD) / ROW);
    for (const name of ["pointermove", "click"])
      this.scroller.addEventListener(name, (event) => this.point(rowAt(event)));
    this.scroller.addEventListener("pointerleave", (event) => isGone(event) && this.root.getRootNode().activeElement !== this.scroller && this.point(-1));
    this.scroller.addEventListener("focus", () => this.active < 0 && this.point(0));
    this.scroller.addEventListener("blur", () => this.point(-1));
    this.scroller.addEventListener("keydown", (event) => {
      const last = this.data.texts.length - 1;
      const go = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, Home: 0, End: last }[event.key];
      if (go === undefined) return;
      event.preventDefault();
      this.point(clamp(go, 0, last));
      const top = HEAD + this.active * ROW;
      const { scrollTop, clientHeight } = this.scroller;
      if (top < scrollTop + HEAD) this.scroller.scrollTop = top - HEAD;
      else if (top + ROW > scrollTop + clientHeight) this.scroller.scrollTop = top + ROW - clientHeight;
    });
  }

  /** Words in the reader's language. */
  label() {
    const { words, texts } = this.data;
    for (const name of SETTINGS) {
      this.fields[name].title.textContent = words[name];
      this.fields[name].range.setAttribute("aria-label", words[name]);
      this.fields[name].number.setAttribute("aria-label", fill(words.exact, { name: words[name] }));
    }
    for (const button of this.buttons.children) button.textContent = words[button.dataset.name];
    this.scroller.setAttribute("aria-label", words.picture);
    this.options.replaceChildren(
      ...texts.map((_, i) => el("div", { role: "option", id: `row-${i}`, "aria-selected": "false" })),
    );
  }

  /** Put the settings into the sliders and fields. */
  show() {
    const n = this.data.n_vocab;
    for (const name of SETTINGS) {
      const { range, number } = this.fields[name];
      range.value = SCALES[name].toSlider(this.settings[name], n);
      this.tell(name);
      number.value = String(this.settings[name]);
      range.disabled = number.disabled = !ORDERS[this.settings.order].includes(name);
    }
  }

  tell(name) {
    const { words, n_vocab } = this.data;
    const value = this.settings[name];
    const special = { temperature: value === 0 && words.greedy, top_k: value === 0 && words.all }[name];
    this.fields[name].range.setAttribute("aria-valuetext", special || value.toLocaleString(this.data.language));
    this.fields[name].number.title = name === "top_k" ? fill(words.top_k_range, { n: n_vocab.toLocaleString() }) : "";
    this.fields[name].title.dataset.note = (name === "top_k" && special) || ""; // greedy is said below, with more room
  }

  /** A slider is being dragged: paint, send nothing. */
  move(name, value) {
    this.settings = { ...this.settings, [name]: LIMITS[name](value, this.data.n_vocab) };
    this.fields[name].number.value = String(this.settings[name]);
    this.tell(name);
    this.axis = Math.max(this.axis, axisFor(this.compute()));
    this.paint();
  }

  /** A slider was let go: fit the axis, and Python gets the values once. */
  release() {
    this.settle();
    this.paint();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.status.textContent = this.sentence.textContent;
      const text = JSON.stringify(this.settings);
      if (text === this.sent) return;
      this.sent = text;
      this.send("settings", { ...this.settings, revision: this.revision });
    }, SEND_AFTER_MS);
  }

  reset() {
    this.settings = { ...this.data.defaults };
    this.show();
    this.release();
  }

  compute() {
    return this.ranked.distribution(this.settings);
  }

  settle() {
    this.axis = axisFor(this.compute());
  }

  paint() {
    this.d = this.compute();
    const { settings, d } = this;
    const kept = { first: d.first, n: d.first + d.n_kept };
    this.libraries = Object.fromEntries(
      LIBRARIES.map((order) => [order, order === settings.order ? kept : this.ranked.kept(inOrder(settings, order))]),
    );
    this.drawOrders();
    this.drawChain();
    this.picture.draw({ ...this.drawing(), wide: this.wide || 900, active: this.active });
    this.sentence.textContent = this.reading();
    this.point(this.active);
  }

  drawing() {
    const { texts, words } = this.data;
    const { each, cumulative } = this.ranked.weights(1);
    const own = (i) => each[i] / cumulative[this.ranked.length - 1];
    const { d, settings, axis, theme, libraries } = this;
    return { d, own, texts, words, settings, axis, theme, libraries };
  }

  /** The picture in one sentence. */
  reading() {
    const { words, n_vocab, language } = this.data;
    const count = (n) => n.toLocaleString(language);
    const greedy = this.d.mass > 0 ? words.reading_greedy : words.reading_greedy_cut;
    return fill(this.settings.temperature === 0 ? greedy : words.reading, {
      n: count(this.d.n_kept),
      total: count(n_vocab),
      mass: percent(this.d.mass),
      entropy: fixed(this.d.entropy_bits, 2),
    });
  }

  /** Point at a row: exact values below the picture. */
  point(row) {
    const { texts, ids, words } = this.data;
    this.active = row >= 0 && row < texts.length ? row : -1;
    this.picture.rows.forEach(({ back }, i) => set(back, { opacity: i === this.active ? 0.14 : 0 }));
    const option = this.options.children[this.active];
    this.scroller.setAttribute("aria-activedescendant", option ? option.id : "");
    if (!option) {
      this.detail.textContent = words.legend;
      return;
    }
    const kept = this.active >= this.d.first && this.active < this.d.first + this.d.n_kept;
    const exact = (p) => (p === 0 ? "0" : p.toPrecision(6));
    this.detail.textContent = fill(kept ? words.detail_kept : words.detail_cut, {
      rank: this.active + 1,
      token: texts[this.active],
      id: ids[this.active],
      logit: fixed(this.ranked.logits[this.active], 4),
      own: exact(this.drawing().own(this.active)),
      before: exact(this.d.before(this.active)),
      after: exact(this.d.after(this.active)),
      cumulative: exact(this.d.cumulative(this.active)),
    });
    option.textContent = this.detail.textContent;
    for (const other of this.options.children) other.setAttribute("aria-selected", String(other === option));
  }

  /** Download what is on the screen: the first rows, with the sentence as a title. */
  save(kind) {
    const wide = 1000;
    const image = svg("svg", { xmlns: "http://www.w3.org/2000/svg" });
    const inner = svg("svg", { y: 34 });
    const n = Math.min(N_PRINTED, this.data.texts.length);
    new Picture(inner, n).draw({ ...this.drawing(), wide });
    const high = 34 + HEAD + n * ROW + 10;
    set(image, { width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, "font-family": this.theme.font });
    const title = svg("text", { x: 12, y: 22, fill: this.theme.text, "font-size": 15 }, this.reading());
    image.append(svg("rect", { width: wide, height: high, fill: this.theme.paper }), title, inner);
    const blob = new Blob([new XMLSerializer().serializeToString(image)], { type: "image/svg+xml" });
    if (kind === "svg") download(blob, "sampling.svg");
    else toPng(blob, wide, high).then((png) => download(png, "sampling.png"));
  }
}

function axisFor(d) {
  const largest = Math.max(d.after(d.first), d.before(0));
  return AXES.find((axis) => largest <= axis) ?? 1;
}

function same(a, b) {
  if (!a || !b || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

async function toPng(blob, wide, high) {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = el("canvas", { width: 2 * wide, height: 2 * high });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * wide, 2 * high);
  URL.revokeObjectURL(url);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function download(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".sampler");
  if (!instances.has(root)) instances.set(root, new Sampler(root));
  const sampler = instances.get(root);
  sampler.receive(data, setStateValue);
  return () => {
    sampler.dispose();
    instances.delete(root);
  };
}
