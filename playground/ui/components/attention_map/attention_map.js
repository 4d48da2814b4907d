// One head. Pointing at a row lights the sentence up at once; only a click and a released slider reach Python.

const HIGH = { share: 0.25, min: 190, max: 400 }; // of the map, by the window's: it is to stand above the fold
const CELL = { max: 40, labelled: 14 };
const NARROW = 92; // room for the label of the row pointed at, when the others do not fit
const TAIL = 56; // room right of the map for the label of the last column
const KEY = [230, 159, 0];
const SCALE = { wide: 240, high: 12, ticks: [0, 0.1, 0.25, 0.5, 1] };
const SEND_AFTER_MS = 150;
const instances = new WeakMap();

/** The fewest keys that hold this share of the row, as core.attention.smallest_set chooses them. */
export function smallestSet(row, coverage) {
  const order = Array.from(row, (_, i) => i).sort((a, b) => row[b] - row[a] || a - b);
  let sum = 0;
  const sums = order.map((i) => (sum += row[i]));
  const n = sums.findIndex((held) => held >= coverage * sum - 1e-12) + 1;
  return new Set(order.slice(0, n));
}

/** A sentence with tokens in it; one that is written from the right leaves the others in their order. */
const spoken = (template, values) =>
  template.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? el("bdi", {}, String(values[part])) : part));

const exact = (weight) => (weight === 0 ? "0" : weight.toPrecision(4));

class AttentionMap {
  constructor(root) {
    Object.assign(this, { root, pointed: null, tokens: [] });
    this.sentence = el("div", { class: "sentence", role: "group" });
    this.canvas = el("canvas", { role: "application", tabindex: "0" });
    this.holder = el("div", { class: "holder" }, this.canvas);
    this.told = el("p", { class: "pointed", "aria-live": "polite" });
    this.removed = el("p", { class: "removed" });
    this.range = el("input", { type: "range", step: "1" });
    this.title = el("span");
    this.set = el("p", { class: "set" });
    this.scale = el("canvas");
    const control = el("label", { class: "control" }, this.title, this.range);
    this.legendWords = el("p", { class: "legend" });
    const scale = el("div", { class: "scale" }, this.scale, this.legendWords);
    const side = el("div", { class: "side" }, this.told, this.removed, control, this.set, scale);
    root.replaceChildren(this.sentence, el("div", { class: "below" }, this.holder, side));
    this.observer = new ResizeObserver(() => this.head && this.paint());
    this.observer.observe(root);
    this.listen();
  }

  listen() {
    this.root.addEventListener("transitionend", (event) => event.target === this.root && this.paint());
    this.canvas.addEventListener("pointermove", (event) => this.point(this.at(event)));
    this.canvas.addEventListener("pointerleave", (event) => isGone(event) && this.point(null));
    this.canvas.addEventListener("click", (event) => {
      this.select(this.at(event)?.[0]);
      this.point(this.at(event));
    });
    this.canvas.addEventListener("blur", () => this.point(null));
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    const keyOf = (event) => event.target.closest?.(".token.key")?.dataset.key;
    this.sentence.addEventListener("pointerover", (event) => {
      const key = keyOf(event);
      this.point(key === undefined ? null : [this.row(true), Number(key)]);
    });
    this.sentence.addEventListener("pointerleave", (event) => isGone(event) && this.point(null));
    this.sentence.addEventListener("click", (event) => {
      const key = keyOf(event);
      if (key !== undefined && this.oneText) this.select(Number(key));
    });
    this.range.addEventListener("input", () => this.cover(Number(this.range.value)));
    this.range.addEventListener("change", () => this.tell());
  }

  press(event) {
    const { queries, keys } = this.head;
    const [query, key] = this.pointed ?? [this.row(), 0];
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (step) {
      const to = [query + step[0], key + step[1]];
      if (!this.pointed) this.point([query, key]);
      else if (to[0] in queries && to[1] in keys) this.point(to);
    } else if (event.key === "Enter" || event.key === " ") this.select(query);
    else if (event.key === "Escape") this.point(null);
    else return;
    event.preventDefault();
  }

  receive(bytes, send) {
    const { head, rest } = unpacked(bytes);
    const numbers = new Float32Array(rest.buffer);
    const n = head.queries.length * head.keys.length;
    Object.assign(this, { send, head, weights: numbers.subarray(0, n), gone: numbers.subarray(n) });
    this.oneText = JSON.stringify(head.queries) === JSON.stringify(head.keys);
    const asked = this.pointed && this.pointed[0] in head.queries && this.pointed[1] in head.keys;
    if (!asked || head.revision !== this.revision) this.pointed = null;
    if (head.revision !== this.revision) this.view = head.view;
    this.revision = head.revision;
    this.label();
    this.paint();
    this.follow();
  }

  dispose() {
    clearTimeout(this.timer);
    this.observer.disconnect();
  }

  label() {
    const { words, keys, dir, limits } = this.head;
    this.canvas.setAttribute("aria-label", words.map);
    this.title.textContent = words.coverage;
    Object.assign(this.range, { min: limits[0], max: limits[1], value: this.view.percent });
    this.tokens = keys.map((text, key) => el("span", { class: "token key", "data-key": key, dir: "auto" }, text));
    this.asker = el("span", { class: "token query", dir: "auto" });
    const before = this.oneText ? [] : [this.asker, el("span", { class: "arrow" }, dir === "rtl" ? "←" : "→")];
    this.sentence.dir = dir;
    this.sentence.replaceChildren(...before, ...this.tokens);
  }

  /** The query whose row is shown. */
  row(ofView = false) {
    const last = this.head.queries.length - 1;
    return (ofView ? null : this.pointed?.[0]) ?? Math.min(this.view.selected ?? last, last);
  }

  weightsOf(query) {
    const n = this.head.keys.length;
    return this.weights.subarray(query * n, (query + 1) * n);
  }

  hidden(query, key) {
    return this.head.causal && key > query;
  }

  at(event) {
    const [x, y] = placeIn(this.canvas, event);
    const { left, top, cell } = this.layout;
    const key = Math.floor((x - left) / cell);
    const query = Math.floor((y - top) / cell);
    return query in this.head.queries && key in this.head.keys ? [query, key] : null;
  }

  select(query) {
    if (query === undefined || query === this.view.selected) return;
    this.view = { ...this.view, selected: query };
    this.show();
    this.follow();
    this.tell();
  }

  /** Scroll a long sentence, and nothing else, to the selected token. */
  follow() {
    const token = this.oneText && this.tokens[this.row(true)];
    if (!token) return;
    const [box, inside] = [this.sentence.getBoundingClientRect(), token.getBoundingClientRect()];
    if (inside.top < box.top || inside.bottom > box.bottom)
      this.sentence.scrollTop += (inside.top - box.top - (box.height - inside.height) / 2) / enlarged(token);
  }

  /** The slider is being dragged: paint, send nothing. */
  cover(percent) {
    this.view = { ...this.view, percent };
    this.show();
  }

  /** Python gets the view once; a held arrow key changes the slider many times. */
  tell() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send("view", { ...this.view, revision: this.revision }), SEND_AFTER_MS);
  }

  point(at) {
    if (String(at) === String(this.pointed)) return;
    this.pointed = at;
    this.show();
  }

  /** What depends on size and colours; then what depends on the reader. */
  paint() {
    this.theme = graphTheme(this.root);
    this.root.style.setProperty("--query", this.theme.query);
    this.root.style.setProperty("--hatch", this.theme.hatch);
    this.place();
    const { queries, keys } = this.head;
    const amounts = Uint8Array.from(this.weights, (weight) => Math.round(255 * Math.sqrt(weight)));
    this.image = amountImage(amounts, queries.length, keys.length, this.theme.colours);
    this.legend();
    this.show();
  }

  place() {
    const { queries, keys } = this.head;
    const pen = this.canvas.getContext("2d");
    pen.font = `13px ${this.theme.code}`;
    const longest = (labels) => Math.min(110, Math.max(44, ...labels.map((label) => pen.measureText(label).width)));
    const room = this.root.clientWidth || 900;
    const high = Math.min(HIGH.max, Math.max(HIGH.min, HIGH.share * innerHeight));
    const sized = (left, tail) => Math.floor(Math.min(CELL.max, high / queries.length, (room - left - tail) / keys.length));
    const labelled = sized(longest(queries) + 12, TAIL) >= CELL.labelled;
    const left = labelled ? Math.ceil(longest(queries)) + 12 : NARROW;
    const top = labelled ? Math.ceil(0.82 * longest(keys)) + 20 : 32;
    this.layout = { labelled, left, top, cell: Math.max(1, sized(left, labelled ? TAIL : 8)), tail: labelled ? TAIL : 8 };
  }

  show() {
    this.draw();
    const query = this.row();
    const row = this.weightsOf(query);
    const chosen = row.some((weight) => weight > 0) ? smallestSet(row, this.view.percent / 100) : new Set();
    this.mark(this.pen, query, chosen);
    this.light(query, row, chosen);
    this.describe(query, row, chosen);
  }

  draw() {
    const { queries, keys, causal } = this.head;
    const { left, top, cell, labelled, tail } = this.layout;
    const [wide, high] = [keys.length * cell, queries.length * cell];
    const pen = freshPen(this.canvas, left + wide + tail, top + high + 4);
    this.pen = pen;
    pen.fillStyle = this.theme.paper;
    pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    pen.drawImage(this.image, left, top, wide, high);
    if (causal) this.mask(pen);
    frame(pen, this.theme.line, 1, left - 0.5, top - 0.5, wide + 1, high + 1);
    this.axisNames(pen);
    if (!labelled) return;
    queries.forEach((_, i) => this.rowLabel(pen, i));
    keys.forEach((_, i) => this.columnLabel(pen, i));
  }

  axisNames(pen) {
    const { left, top } = this.layout;
    const { words } = this.head;
    Object.assign(pen, { fillStyle: this.theme.grey, font: `12px ${this.theme.font}`, textAlign: "right" });
    pen.fillText(`${words.key} →`, left - 6, top - 20);
    pen.fillText(`${words.query} ↓`, left - 6, top - 6);
  }

  /** Hatching where no query may look. */
  mask(pen) {
    const { queries, keys } = this.head;
    const { left, top, cell } = this.layout;
    pen.fillStyle = hatching(pen, this.theme.hatch, 5);
    for (let i = 0; i < queries.length && i + 1 < keys.length; i++)
      pen.fillRect(left + (i + 1) * cell, top + i * cell, (keys.length - i - 1) * cell, cell);
  }

  rowLabel(pen, query, bold = false) {
    const { left, top, cell } = this.layout;
    const style = { fillStyle: bold ? this.theme.query : this.theme.text, textAlign: "right" };
    Object.assign(pen, style, { font: `${bold ? "bold " : ""}13px ${this.theme.code}` });
    pen.fillText(clippedTo(pen, this.head.queries[query], left - 12), left - 6, top + (query + 0.5) * cell + 4);
  }

  columnLabel(pen, key, bold = false) {
    const { left, top, cell, labelled } = this.layout;
    Object.assign(pen, { fillStyle: this.theme.text, font: `${bold ? "bold " : ""}13px ${this.theme.code}` });
    pen.textAlign = labelled || key < this.head.keys.length / 2 ? "left" : "right";
    pen.save();
    pen.translate(left + (key + 0.5) * cell + (labelled ? 3 : 0), top - 6);
    if (labelled) pen.rotate(-0.87);
    pen.fillText(clippedTo(pen, this.head.keys[key], 110), 0, 0);
    pen.restore();
  }

  /** The row shown, the smallest set in it, and the cell pointed at. */
  mark(pen, query, chosen) {
    const { left, top, cell, labelled } = this.layout;
    const { query: blue, text, paper } = this.theme;
    const y = top + query * cell;
    if (cell >= 6)
      for (const key of chosen)
        for (const [colour, thick] of [[paper, 3.5], [text, 1.5]])
          frame(pen, colour, thick, left + key * cell + 3, y + 3, cell - 6, cell - 6);
    frame(pen, blue, cell < 6 ? 1.5 : 2.5, left - 1.5, y - 1.5, this.head.keys.length * cell + 3, cell + 3);
    if (!labelled) this.rowLabel(pen, query, true);
    if (!this.pointed) return;
    const [, key] = this.pointed;
    frame(pen, text, 2, left + key * cell - 1, y - 1, cell + 2, cell + 2);
    if (!labelled) this.columnLabel(pen, key);
  }

  /** The sentence: background = weight of the key, outlined = smallest set, blue = the query. */
  light(query, row, chosen) {
    const paper = rgb(this.theme.paper);
    this.sentence.setAttribute("aria-label", fill(this.head.words.sentence, { query: this.head.queries[query] }));
    this.asker.textContent = this.head.queries[query];
    this.tokens.forEach((token, key) => {
      const [r, g, b] = mix(paper, KEY, row[key]);
      const bright = 0.299 * r + 0.587 * g + 0.114 * b > 110;
      token.style.backgroundColor = `rgb(${KEY.join(" ")} / ${row[key]})`;
      token.style.color = bright ? "#111" : "#fff";
      token.style.opacity = this.hidden(query, key) ? 0.45 : 1;
      token.classList.toggle("chosen", chosen.has(key));
      token.classList.toggle("query", this.oneText && key === query);
    });
  }

  describe(query, row, chosen) {
    const { words, queries, keys } = this.head;
    const largest = row.indexOf(Math.max(...row));
    const [, key] = this.pointed ?? [query, largest];
    const told = !this.pointed ? (chosen.size ? words.largest : words.nothing) : this.hidden(query, key) ? words.masked : words.weight;
    const values = { query: queries[query], key: keys[key], weight: exact(row[key]) };
    this.told.replaceChildren(...spoken(told, values));
    const seen = this.head.causal ? Math.min(query + 1, keys.length) : keys.length;
    const { percent } = this.view;
    this.set.textContent = fill(words.set, { n: chosen.size, total: seen, percent });
    this.range.setAttribute("aria-valuetext", this.set.textContent);
    this.title.textContent = `${words.coverage} ${percent} %`;
    this.removed.textContent = this.gone.length ? fill(words.removed, { mass: exact(this.gone[query]) }) : "";
  }

  /** Which colour is which weight; colours go by the square root, so that small weights are seen. */
  legend() {
    const { wide, high, ticks } = SCALE;
    const pen = freshPen(this.scale, wide + 20, high + 36);
    const ramp = Uint8Array.from({ length: 256 }, (_, i) => i);
    pen.drawImage(amountImage(ramp, 1, 256, this.theme.colours), 10, 18, wide, high);
    frame(pen, this.theme.line, 1, 9.5, 17.5, wide + 1, high + 1);
    Object.assign(pen, { fillStyle: this.theme.grey, font: `12px ${this.theme.font}`, textAlign: "left" });
    pen.fillText(this.head.words.scale, 9, 12);
    pen.textAlign = "center";
    for (const tick of ticks) pen.fillText(String(tick), 10 + wide * Math.sqrt(tick), high + 32);
    const swatch = (kind) => el("i", { class: `swatch ${kind}` });
    const { tokens, chosen, query, masked } = this.head.words.legend;
    const parts = [["orange", tokens], ["query", query], ["chosen", chosen]];
    if (this.head.causal) parts.push(["masked", masked]);
    this.legendWords.replaceChildren(...parts.map(([kind, words]) => el("span", {}, swatch(kind), words)));
  }
}

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".attention-map");
  if (!instances.has(root)) instances.set(root, new AttentionMap(root));
  const map = instances.get(root);
  map.receive(data, setStateValue);
  return () => {
    map.dispose();
    instances.delete(root);
  };
}
