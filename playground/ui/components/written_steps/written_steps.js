// A target, step by step. The slider moves the light over the source; nothing reaches Python.

const TICKS = [0, 0.05, 0.25, 0.5, 1];
const KEY = [230, 159, 0];
const CELL = { max: 30, least: 16 };
const LABEL = { most: 84, font: 13 };
const TAIL = 50;
const instances = new WeakMap();

const percent = (share) => (share > 0 && share < 0.0005 ? "< 0.1 %" : `${fixed(100 * share, 1)} %`);

class WrittenSteps {
  constructor(root) {
    Object.assign(this, { root, step: 0 });
    this.source = el("div", { class: "row" });
    this.target = el("div", { class: "row" });
    this.title = el("span");
    this.range = el("input", { type: "range", step: "1", min: "1" });
    const control = el("label", { class: "control" }, this.title, this.range);
    this.told = el("p", { class: "told", "aria-live": "polite" });
    this.canvas = el("canvas", { role: "img" });
    this.others = el("div", { class: "others" });
    this.legend = el("div", { class: "legend" });
    const holder = el("div", { class: "holder" }, this.canvas);
    const below = el("div", { class: "below" }, holder, this.others);
    root.replaceChildren(control, this.source, this.target, this.told, below, this.legend);
    this.observer = new ResizeObserver(() => this.head && this.paint());
    this.observer.observe(root);
    root.addEventListener("transitionend", (event) => event.target === root && this.paint());
    this.range.addEventListener("input", () => this.to(Number(this.range.value) - 1));
    this.canvas.addEventListener("click", (event) => {
      const row = Math.floor((placeIn(this.canvas, event)[1] - this.top) / this.cell);
      if (row in this.head.steps) this.to(row);
    });
  }

  receive(bytes) {
    const { head, rest } = unpacked(bytes);
    const same = this.head && JSON.stringify(this.head.steps.map((step) => step.label)) === JSON.stringify(head.steps.map((step) => step.label));
    Object.assign(this, { head, weights: new Float32Array(rest.buffer) });
    if (!same) this.step = 0;
    this.range.max = head.steps.length;
    const { words } = head;
    this.canvas.setAttribute("aria-label", words.map);
    this.keys = head.source.map((label) => el("span", { class: "token", dir: "auto" }, label));
    this.source.replaceChildren(el("span", { class: "name" }, words.source), ...this.keys);
    this.writes = head.steps.map((step, i) => {
      const button = el("button", { class: "token", type: "button", dir: "auto" }, step.label);
      button.addEventListener("click", () => this.to(i));
      return button;
    });
    this.target.replaceChildren(el("span", { class: "name" }, words.target), ...this.writes);
    this.paint();
  }

  dispose() {
    this.observer.disconnect();
  }

  to(step) {
    this.step = step;
    this.show();
  }

  row(step) {
    const n = this.head.source.length;
    return this.weights.subarray(step * n, (step + 1) * n);
  }

  paint() {
    this.theme = graphTheme(this.root);
    this.root.style.setProperty("--query", this.theme.query);
    this.root.style.setProperty("--value", this.theme.value);
    const amounts = Uint8Array.from(this.weights, (weight) => Math.round(255 * Math.sqrt(Math.min(1, weight))));
    this.image = amountImage(amounts, this.head.steps.length, this.head.source.length, this.theme.colours);
    const scale = el("span", {}, this.head.words.scale, amountLegend(this.theme.colours, TICKS));
    this.legend.replaceChildren(scale, this.head.words.light);
    this.show();
  }

  show() {
    const { words, source, steps } = this.head;
    const now = steps[this.step];
    const row = this.row(this.step);
    const largest = row.indexOf(Math.max(...row));
    const paper = rgb(this.theme.paper);
    this.range.value = this.step + 1;
    this.title.textContent = fill(words.step, { n: this.step + 1, total: steps.length });
    this.keys.forEach((token, key) => {
      const [r, g, b] = mix(paper, KEY, row[key]);
      token.style.backgroundColor = `rgb(${KEY.join(" ")} / ${row[key]})`;
      token.style.color = 0.299 * r + 0.587 * g + 0.114 * b > 110 ? "#111" : "#fff";
    });
    this.writes.forEach((token, i) => {
      token.classList.toggle("now", i === this.step);
      token.classList.toggle("later", i > this.step);
      token.setAttribute("aria-pressed", String(i === this.step));
    });
    const values = { n: this.step + 1, token: now.label, prob: percent(now.prob), key: source[largest], weight: percent(row[largest]) };
    this.told.textContent = fill(words.told, values);
    this.range.setAttribute("aria-valuetext", this.told.textContent);
    const bar = ([label, prob]) =>
      el("div", { class: "bar" }, el("span", { dir: "auto" }, label), el("span", {}, el("i", { style: `width: ${100 * prob}%` })), el("span", {}, percent(prob)));
    this.others.replaceChildren(el("p", {}, words.others), ...now.others.map(bar));
    this.draw();
  }

  draw() {
    const { source, steps } = this.head;
    let pen = this.canvas.getContext("2d");
    pen.font = `${LABEL.font}px ${this.theme.code}`;
    const longest = (labels) => Math.ceil(Math.min(LABEL.most, Math.max(30, ...labels.map((label) => pen.measureText(label).width))));
    const left = longest(steps.map((step) => step.label)) + 12;
    this.top = Math.ceil(0.82 * longest(source)) + 16;
    const room = Math.min(620, this.root.clientWidth || 620) - left - TAIL;
    this.cell = Math.max(CELL.least, Math.min(CELL.max, room / source.length));
    const [wide, high] = [source.length * this.cell, steps.length * this.cell];
    pen = freshPen(this.canvas, left + wide + TAIL, this.top + high + 6);
    pen.fillStyle = this.theme.paper;
    pen.fillRect(0, 0, left + wide + TAIL, this.top + high + 6);
    pen.drawImage(this.image, left, this.top, wide, high);
    frame(pen, this.theme.line, 1, left - 0.5, this.top - 0.5, wide + 1, high + 1);
    steps.forEach((step, i) => {
      const bold = i === this.step ? "bold " : "";
      Object.assign(pen, { fillStyle: bold ? this.theme.query : this.theme.text, font: `${bold}${LABEL.font}px ${this.theme.code}`, textAlign: "right" });
      pen.fillText(clippedTo(pen, step.label, LABEL.most), left - 6, this.top + (i + 0.5) * this.cell + 4);
    });
    Object.assign(pen, { fillStyle: this.theme.text, font: `${LABEL.font}px ${this.theme.code}`, textAlign: "left" });
    source.forEach((label, i) => {
      pen.save();
      pen.translate(left + (i + 0.5) * this.cell + 3, this.top - 6);
      pen.rotate(-0.87);
      pen.fillText(clippedTo(pen, label, LABEL.most), 0, 0);
      pen.restore();
    });
    frame(pen, this.theme.query, 2.5, left - 1.5, this.top + this.step * this.cell - 1.5, wide + 3, this.cell + 3);
  }
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".written-steps");
  if (!instances.has(root)) instances.set(root, new WrittenSteps(root));
  const steps = instances.get(root);
  steps.receive(data);
  return () => {
    steps.dispose();
    instances.delete(root);
  };
}
