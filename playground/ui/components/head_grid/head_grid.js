// Layers x heads as small maps on one canvas, a bar for the score below each. Layers and heads are counted from 0
// in data and from 1 where they are read.

const FONT = 12; // pixels; nothing on a page is smaller than 11
const BAR = 4;
const GAP = 3;
const LARGE = 144;
const instances = new WeakMap();

const same = (a, b) => a[0] === b[0] && a[1] === b[1];

class HeadGrid {
  constructor(root) {
    Object.assign(this, { root, pointed: -1, mode: "look" });
    this.canvas = el("canvas");
    this.rows = el("div", { class: "unseen" });
    this.holder = el("div", { class: "holder", role: "grid", tabindex: "0" }, this.canvas, this.rows);
    this.large = el("canvas", { class: "large", "aria-hidden": "true", hidden: "" });
    this.detail = el("p", { class: "detail", "aria-live": "polite" });
    this.modes = el("div", { class: "modes", role: "radiogroup" });
    this.restore = el("button", { type: "button", class: "restore" });
    this.legend = el("p", { class: "legend" });
    for (const mode of ["look", "switch"]) {
      const button = el("button", { type: "button", role: "radio", "data-mode": mode });
      button.addEventListener("click", () => this.setMode(mode));
      this.modes.append(button);
    }
    root.replaceChildren(
      this.holder, this.large, this.legend, el("div", { class: "bar" }, this.detail, this.modes, this.restore),
    );
    this.observer = new ResizeObserver(() => this.head && this.paint());
    this.observer.observe(this.holder);
    this.listen();
  }

  listen() {
    this.root.addEventListener("transitionend", (event) => event.target === this.root && this.paint());
    this.restore.addEventListener("click", () => this.change({ off: [] }));
    this.canvas.addEventListener("pointermove", (event) => this.point(this.at(event)));
    this.canvas.addEventListener("pointerleave", () => this.point(-1));
    this.canvas.addEventListener("click", (event) => {
      this.act(this.at(event), event.shiftKey);
      if (!isGone(event)) this.tapped(this.at(event));
    });
    this.holder.addEventListener("focus", () => {
      if (this.pointed < 0 && this.holder.matches(":focus-visible")) this.point(this.indexOf(this.view.selected));
    });
    this.holder.addEventListener("blur", () => this.point(-1));
    this.holder.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    const from = this.pointed < 0 ? this.indexOf(this.view.selected) : this.pointed;
    const { columns } = this.layout;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (step !== undefined) {
      const stays = Math.abs(step) === 1 && Math.floor((from + step) / columns) !== Math.floor(from / columns);
      if (!stays && this.order[from + step]) this.point(from + step, true);
    } else if (event.key === "Enter" || event.key === " ") this.act(from, event.shiftKey);
    else if (event.key === "x") this.act(from, true);
    else return;
    event.preventDefault();
  }

  receive(bytes, send) {
    const { head, rest } = unpacked(bytes);
    Object.assign(this, { send, head, pixels: rest });
    if (head.revision !== this.revision) this.view = head.view;
    this.revision = head.revision;
    const [nLayers, nHeads] = head.shape;
    const all = Array.from({ length: nLayers * nHeads }, (_, i) => [i % nLayers, Math.floor(i / nLayers)]);
    const rank = (at) => this.score(at) ?? -Infinity;
    this.order = head.by_score ? all.sort((a, b) => rank(b) - rank(a) || a[0] - b[0] || a[1] - b[1]) : all;
    this.label();
    this.paint();
    if (this.shown !== String(this.view.selected)) this.follow(this.indexOf(this.view.selected));
    this.shown = String(this.view.selected);
  }

  dispose() {
    this.observer.disconnect();
  }

  score([layer, head]) {
    return this.head.scores[layer * this.head.shape[1] + head];
  }

  isOff(at) {
    return this.view.off.some((other) => same(other, at));
  }

  indexOf(at) {
    return this.order.findIndex((other) => same(other, at));
  }

  /** Which cell an event is on, -1 for none. */
  at(event) {
    return this.layout.at(...placeIn(this.canvas, event));
  }

  /** Select a head or switch it; Python learns it once. */
  act(index, switches) {
    const at = this.order[index];
    if (!at) return;
    if (!switches && this.mode === "look") return this.change({ selected: at });
    const others = this.view.off.filter((other) => !same(other, at));
    this.change({ off: others.length < this.view.off.length ? others : [...others, at] });
  }

  change(part) {
    const before = JSON.stringify(this.view);
    this.view = { ...this.view, ...part };
    if (JSON.stringify(this.view) === before) return;
    this.paint();
    this.send("view", { ...this.view, revision: this.revision });
  }

  setMode(mode) {
    this.mode = mode;
    for (const button of this.modes.children)
      button.setAttribute("aria-checked", String(button.dataset.mode === mode));
  }

  label() {
    const { words, by_score } = this.head;
    this.holder.setAttribute("aria-label", by_score ? words.sorted : words.grid);
    this.modes.setAttribute("aria-label", words.click);
    for (const button of this.modes.children) button.textContent = words[button.dataset.mode];
    this.restore.textContent = words.restore;
    this.setMode(this.mode);
  }

  paint() {
    this.theme = graphTheme(this.root);
    this.layout = new Layout(this.head, this.holder.clientWidth || 900);
    this.holder.style.height = `${this.layout.room}px`;
    const [nLayers, nHeads, nQueries, nKeys] = this.head.shape;
    this.image = amountImage(this.pixels, nLayers * nHeads * nQueries, nKeys, this.theme.colours);
    this.restore.disabled = this.view.off.length === 0;
    this.explain();
    this.draw();
    this.describe();
  }

  draw() {
    const { left, top, wide, high, across, rows, band, bands } = this.layout;
    const deep = this.head.by_score ? top + rows * high : bands * band;
    const pen = freshPen(this.canvas, left + across * wide + 2, deep + 2);
    pen.fillStyle = this.theme.paper;
    pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    pen.hatch = hatching(pen, this.theme.text, 4);
    if (!this.head.by_score) this.axes(pen);
    this.order.forEach((at, i) => this.thumbnail(pen, at, this.layout.corner(i)));
    this.mark(pen);
  }

  axes(pen) {
    const { left, top, wide, high, across, bands, band } = this.layout;
    const [nLayers, nHeads] = this.head.shape;
    const { words } = this.head;
    Object.assign(pen, { fillStyle: this.theme.text, font: `${FONT}px ${this.theme.font}`, textAlign: "center" });
    for (let i = 0; i < nLayers; i++)
      pen.fillText(i + 1, left + ((i % across) + 0.5) * wide, Math.floor(i / across) * band + top - 6);
    for (let nth = 0; nth < bands; nth++) {
      const y = nth * band;
      for (let i = 0; i < nHeads; i++) pen.fillText(i + 1, left - 9, y + top + (i + 0.5) * high + 4);
      pen.save();
      pen.textAlign = "left";
      pen.fillText(words.layer, 0, y + top - 6, left + wide / 2 - 10);
      pen.textAlign = "center";
      pen.translate(13, y + top + (nHeads * high) / 2);
      pen.rotate(-Math.PI / 2);
      pen.fillText(words.head, 0, 0);
      pen.restore();
    }
  }

  source([layer, head]) {
    const [, nHeads, nQueries, nKeys] = this.head.shape;
    return [0, (layer * nHeads + head) * nQueries, nKeys, nQueries];
  }

  thumbnail(pen, at, { x, y }) {
    const { cell } = this.layout;
    const { line, text, value } = this.theme;
    const [wide, high] = [cell[0] - GAP, cell[1] - GAP - BAR];
    pen.drawImage(this.image, ...this.source(at), x + 1, y + 1, wide, high);
    frame(pen, line, 1, x + 0.5, y + 0.5, wide + 1, high + 1);
    const score = this.score(at);
    if (score !== null) {
      const [low, top] = this.head.limits;
      pen.fillStyle = line;
      pen.fillRect(x, y + high + 2, wide + 2, BAR - 1);
      pen.fillStyle = value;
      pen.fillRect(x, y + high + 2, (wide + 2) * Math.min(1, Math.max(0, (score - low) / (top - low))), BAR - 1);
    }
    if (this.isOff(at)) this.cross(pen, x, y, wide + 2, high + 2);
    if (!this.head.by_score) return;
    Object.assign(pen, { fillStyle: text, font: `${FONT}px ${this.theme.code}`, textAlign: "center" });
    pen.fillText(at.map((number) => number + 1).join("."), x + cell[0] / 2, y + cell[1] + LABEL - 5);
  }

  cross(pen, x, y, wide, high) {
    pen.globalAlpha = 0.72;
    pen.fillStyle = this.theme.paper;
    pen.fillRect(x, y, wide, high);
    pen.globalAlpha = 0.6;
    pen.fillStyle = pen.hatch;
    pen.fillRect(x, y, wide, high);
    pen.globalAlpha = 1;
    Object.assign(pen, { strokeStyle: this.theme.text, lineWidth: 2 });
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + wide, y + high);
    pen.moveTo(x + wide, y);
    pen.lineTo(x, y + high);
    pen.stroke();
  }

  /** Frames of the selected head and of the one pointed at. */
  mark(pen) {
    const { cell } = this.layout;
    const side = [cell[0] + 1, cell[1] - BAR + 1];
    const chosen = this.indexOf(this.view.selected);
    for (const [index, colour, thick] of [[chosen, this.theme.query, 3], [this.pointed, this.theme.text, 2]]) {
      if (!this.order[index]) continue;
      const { x, y } = this.layout.corner(index);
      frame(pen, colour, thick, x - 1, y - 1, ...side);
    }
  }

  point(index, scrolls = false) {
    if (index === this.pointed) return;
    this.pointed = index;
    this.draw();
    this.describe();
    if (scrolls) this.follow();
    this.enlarge();
  }

  /** A finger says which head the words are about; the large map would lie where the next tap goes. */
  tapped(index) {
    this.pointed = index;
    this.large.hidden = true;
    this.draw();
    this.describe();
  }

  follow(index = this.pointed) {
    const { x, y } = this.layout.corner(index);
    const { wide, high } = this.layout;
    const { holder } = this;
    holder.scrollLeft = Math.min(x - 4, Math.max(holder.scrollLeft, x + wide + 4 - holder.clientWidth));
    holder.scrollTop = Math.min(y - 4, Math.max(holder.scrollTop, y + high + 4 - holder.clientHeight));
  }

  enlarge() {
    const at = this.order[this.pointed];
    this.large.hidden = !at;
    if (!at) return;
    const pen = freshPen(this.large, LARGE, LARGE);
    pen.drawImage(this.image, ...this.source(at), 0, 0, LARGE, LARGE);
    const { x, y } = this.layout.corner(this.pointed);
    const { cell } = this.layout;
    const [from, down] = [x - this.holder.scrollLeft, y - this.holder.scrollTop];
    const right = from + cell[0] + 10;
    const left = right + LARGE + 4 < this.root.clientWidth ? right : from - LARGE - 14;
    const top = Math.max(0, Math.min(down + cell[1] / 2 - LARGE / 2, this.holder.clientHeight - LARGE - 4));
    Object.assign(this.large.style, { left: `${left}px`, top: `${top}px` });
  }

  /** Which colour is which weight, and what the bar below each map is. */
  explain() {
    const { words, limits } = this.head;
    const number = (value) => (Number.isInteger(value) ? String(value) : fixed(value, 1));
    const bar = el("i", { class: "score" });
    bar.style.background = this.theme.value;
    this.legend.replaceChildren(
      el("span", {}, words.weight, amountLegend(this.theme.colours, [0, 0.1, 0.25, 0.5, 1])),
      el("span", {}, bar, `${words.tells}, ${limits.map(number).join("–")}`),
    );
  }

  /** One head in words: the one pointed at, else the selected one. */
  describe() {
    const { words } = this.head;
    const at = this.order[this.pointed] ?? this.view.selected;
    this.detail.replaceChildren(this.sentence(at));
    if (this.pointed < 0) this.detail.append(el("span", { class: "more" }, `  ${words.hint}`));
    this.cells();
    const cell = this.rows.querySelector(`#head-${at.join("-")}`);
    this.holder.setAttribute("aria-activedescendant", cell ? cell.id : "");
  }

  sentence(at) {
    const { words } = this.head;
    const score = this.score(at);
    const values = { layer: at[0] + 1, head: at[1] + 1, score: words.score, value: score === null ? "–" : fixed(score, 3) };
    return fill(words.detail, values) + (this.isOff(at) ? ` · ${words.off}` : "");
  }

  /** The grid for screen readers. */
  cells() {
    const { columns } = this.layout;
    const signature = JSON.stringify([this.view, this.head.scores, this.head.words, columns, this.head.by_score]);
    if (signature === this.signature) return;
    this.signature = signature;
    const cells = this.order.map((at) => {
      const selected = String(same(at, this.view.selected));
      const id = `head-${at.join("-")}`;
      return el("div", { role: "gridcell", id, "aria-selected": selected }, this.sentence(at));
    });
    const nRows = Math.ceil(cells.length / columns);
    const row = (i) => el("div", { role: "row" }, ...cells.slice(i * columns, (i + 1) * columns));
    this.rows.replaceChildren(...Array.from({ length: nRows }, (_, i) => row(i)));
  }
}

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".head-grid");
  if (!instances.has(root)) instances.set(root, new HeadGrid(root));
  const grid = instances.get(root);
  grid.receive(data, setStateValue);
  return () => {
    grid.dispose();
    instances.delete(root);
  };
}
