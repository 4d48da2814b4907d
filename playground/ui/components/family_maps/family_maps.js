// Maps of families on one canvas, beside each other or, on a phone, below each other. Nothing reaches Python.

const TICKS = [0, 0.05, 0.25, 0.5, 1];
const NARROW = 640;
const GAP = 22;
const TITLE = 24;
const CELL = { max: 34, labelled: 9 };
const HIGH = { share: 0.34, min: 190, max: 330 }; // of a map, by the window's
const LABEL = { most: 84, font: 13, least: 11 };
const instances = new WeakMap();

const exact = (weight) => (weight === 0 ? "0" : weight.toPrecision(3));

/** True if the row may look at the column: at what all see, at itself, and at what is before it. */
export const mayLook = (map, query, key) => key < map.seen || key <= query;

/** Two tokens that share a character of one text. */
export function sameCharacters([a, b], [c, d]) {
  return a < d && c < b;
}

class FamilyMaps {
  constructor(root) {
    Object.assign(this, { root, pointed: null });
    this.canvas = el("canvas", { class: "map", role: "application", tabindex: "0" });
    this.told = el("p", { class: "told", "aria-live": "polite" });
    this.legend = el("div", { class: "legend" });
    this.returns = el("div", { class: "returns" });
    root.replaceChildren(this.canvas, el("div", { class: "line" }, this.told, this.legend), this.returns);
    this.observer = new ResizeObserver(() => this.maps && this.paint());
    this.observer.observe(root);
    root.addEventListener("transitionend", (event) => event.target === root && this.paint());
    this.canvas.addEventListener("pointermove", (event) => this.point(this.at(event)));
    this.canvas.addEventListener("pointerleave", (event) => isGone(event) && this.point(null));
    this.canvas.addEventListener("click", (event) => this.point(this.at(event)));
    this.canvas.addEventListener("blur", () => this.point(null));
    this.canvas.addEventListener("keydown", (event) => this.press(event));
  }

  receive(bytes) {
    const { head, rest } = unpacked(bytes);
    const numbers = new Float32Array(rest.buffer);
    let at = 0;
    this.maps = head.maps.map((map) => {
      const n = map.labels.length;
      const weights = numbers.subarray(at, (at += n * n));
      return { ...map, n, weights };
    });
    Object.assign(this, { words: head.words, pointed: null });
    this.canvas.setAttribute("aria-label", head.words.picture);
    const told = (map) => [el("p", { class: "title" }, map.title), ...map.returns.map((line) => el("p", { dir: "auto" }, line))];
    this.returns.replaceChildren(...this.maps.map((map) => el("div", {}, ...told(map))));
    this.paint();
  }

  dispose() {
    this.observer.disconnect();
  }

  press(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [which, query, key] = this.pointed ?? [0, 0, -step[1]];
    let to = [which, query + step[0], key + step[1]];
    if (to[2] < 0 && which > 0) to = [which - 1, 0, this.maps[which - 1].n - 1];
    else if (to[2] >= this.maps[which].n && which + 1 < this.maps.length) to = [which + 1, 0, 0];
    const { n } = this.maps[to[0]];
    if (to[1] >= 0 && to[2] >= 0 && to[1] < n && to[2] < n) this.point(to);
  }

  at(event) {
    const [x, y] = placeIn(this.canvas, event);
    for (const [which, place] of this.places.entries()) {
      const key = Math.floor((x - place.x) / place.cell);
      const query = Math.floor((y - place.y) / place.cell);
      const { n } = this.maps[which];
      if (query >= 0 && key >= 0 && query < n && key < n) return [which, query, key];
    }
    return null;
  }

  point(at) {
    if (String(at) === String(this.pointed)) return;
    this.pointed = at;
    this.draw();
  }

  paint() {
    this.theme = graphTheme(this.root);
    this.root.style.setProperty("--hatch", this.theme.hatch);
    for (const map of this.maps) {
      const amounts = Uint8Array.from(map.weights, (weight) => Math.round(255 * Math.sqrt(Math.min(1, weight))));
      map.image = amountImage(amounts, map.n, map.n, this.theme.colours);
    }
    this.place();
    const { scale, cut, answer } = this.words;
    const parts = [
      el("span", {}, scale, amountLegend(this.theme.colours, TICKS)),
      el("span", {}, el("i", { class: "swatch" }), cut),
    ];
    if (this.maps.some((map) => map.seen > 0 && map.seen < map.n)) parts.push(el("span", {}, answer));
    this.legend.replaceChildren(...parts);
    this.draw();
  }

  /** Where each map stands on the canvas. */
  place() {
    const pen = this.canvas.getContext("2d");
    pen.font = `${LABEL.font}px ${this.theme.code}`;
    const room = Math.max(240, this.root.clientWidth || 900);
    this.narrow = room < NARROW;
    this.root.classList.toggle("narrow", this.narrow);
    const columns = this.narrow ? 1 : this.maps.length;
    const wide = Math.floor((room - (columns - 1) * GAP) / columns);
    const most = Math.min(HIGH.max, Math.max(HIGH.min, HIGH.share * innerHeight));
    let below = 0;
    this.places = this.maps.map((map, which) => {
      const longest = Math.min(LABEL.most, Math.max(30, ...map.labels.map((label) => pen.measureText(label).width)));
      const sized = (left, tail) => Math.min(CELL.max, most / map.n, (wide - left - tail) / map.n);
      const tail = Math.min(40, Math.ceil(0.6 * longest) + 8); // of the last label, which leans out
      const labelled = sized(longest + 10, tail) >= CELL.labelled;
      const left = labelled ? Math.ceil(longest) + 10 : 10;
      const top = TITLE + (labelled ? Math.ceil(0.82 * longest) + 14 : 10);
      const cell = Math.max(1.5, sized(left, labelled ? tail : 8));
      const font = Math.max(LABEL.least, Math.min(LABEL.font, Math.floor(cell)));
      const x = (this.narrow ? 0 : which * (wide + GAP)) + left;
      const y = (this.narrow ? below : 0) + top;
      below = this.narrow ? y + map.n * cell + GAP : Math.max(below, y + map.n * cell + 6);
      return { x, y, cell, labelled, left, top, wide, font };
    });
    this.size = [room, Math.ceil(below)];
  }

  draw() {
    const pen = freshPen(this.canvas, ...this.size);
    pen.fillStyle = this.theme.paper;
    pen.fillRect(0, 0, ...this.size);
    this.maps.forEach((map, which) => this.drawMap(pen, map, this.places[which], which));
    this.describe();
  }

  drawMap(pen, map, { x, y, cell, labelled, left, top, wide, font }, which) {
    const size = map.n * cell;
    Object.assign(pen, { fillStyle: this.theme.text, font: `600 15px ${this.theme.font}`, textAlign: "left" });
    pen.fillText(clippedTo(pen, map.title, wide), x - left, y - top + 16);
    pen.drawImage(map.image, x, y, size, size);
    this.mask(pen, map, x, y, cell);
    frame(pen, this.theme.line, 1, x - 0.5, y - 0.5, size + 1, size + 1);
    if (map.seen > 0 && map.seen < map.n) {
      pen.fillStyle = this.theme.text;
      pen.fillRect(x, y + map.seen * cell - 1, size, 2);
      pen.fillRect(x + map.seen * cell - 1, y, 2, size);
    }
    const lit = this.lit(map, which);
    if (labelled) map.labels.forEach((label, i) => this.label(pen, label, i, x, y, cell, font, lit.has(i)));
    for (const i of lit) frame(pen, this.theme.query, cell < 6 ? 1.5 : 2.5, x - 1, y + i * cell - 1, size + 2, cell + 2);
    if (!this.pointed || this.pointed[0] !== which) return;
    const [, query, key] = this.pointed;
    frame(pen, this.theme.text, 2, x + key * cell - 1, y + query * cell - 1, cell + 2, cell + 2);
  }

  /** Hatching where no query may look. */
  mask(pen, map, x, y, cell) {
    pen.fillStyle = hatching(pen, this.theme.hatch, 5);
    for (let query = 0; query < map.n; query++) {
      const first = Math.max(map.seen, query + 1);
      if (first < map.n) pen.fillRect(x + first * cell, y + query * cell, (map.n - first) * cell, cell);
    }
  }

  label(pen, text, i, x, y, cell, font, bold) {
    Object.assign(pen, { fillStyle: bold ? this.theme.query : this.theme.text, textAlign: "right" });
    pen.font = `${bold ? "bold " : ""}${font}px ${this.theme.code}`;
    pen.fillText(clippedTo(pen, text, LABEL.most), x - 6, y + (i + 0.5) * cell + 4);
    pen.save();
    pen.textAlign = "left";
    pen.translate(x + (i + 0.5) * cell + 3, y - 6);
    pen.rotate(-0.87);
    pen.fillText(clippedTo(pen, text, LABEL.most), 0, 0);
    pen.restore();
  }

  /** The tokens whose characters are those of the query pointed at. */
  lit(map, which) {
    if (!this.pointed) return new Set();
    const [from, query] = this.pointed;
    if (from === which) return new Set([query]);
    const asked = this.maps[from];
    if (asked.text !== map.text) return new Set();
    return new Set(map.spans.flatMap((span, i) => (sameCharacters(span, asked.spans[query]) ? [i] : [])));
  }

  describe() {
    if (!this.pointed) {
      this.told.textContent = this.words.point;
      return;
    }
    const [which, query, key] = this.pointed;
    const map = this.maps[which];
    const template = mayLook(map, query, key) ? this.words.weight : this.words.masked;
    const values = { query: map.labels[query], key: map.labels[key], weight: exact(map.weights[query * map.n + key]) };
    this.told.textContent = `${map.title} · ${fill(template, values)}`;
  }
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".family-maps");
  if (!instances.has(root)) instances.set(root, new FamilyMaps(root));
  const maps = instances.get(root);
  maps.receive(data);
  return () => {
    maps.dispose();
    instances.delete(root);
  };
}
