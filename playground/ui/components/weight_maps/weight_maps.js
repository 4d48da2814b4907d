// Small maps of attention weights in rows, each with its words; they wrap where the page is narrow.

const SIDE = { least: 96, most: 168 }; // pixels of a map's longer side
const instances = new WeakMap();

class WeightMaps {
  constructor(root) {
    Object.assign(this, { root });
    this.rows = el("div", { class: "rows" });
    this.told = el("p", { class: "told", "aria-live": "polite" });
    this.legend = el("p", { class: "legend" });
    root.replaceChildren(this.rows, this.legend, this.told);
    root.addEventListener("transitionend", (event) => event.target === root && this.paint());
  }

  receive(bytes) {
    const { head, rest } = unpacked(bytes);
    Object.assign(this, { head, weights: new Float32Array(rest.buffer) });
    this.paint();
  }

  paint() {
    if (!this.head) return;
    const theme = graphTheme(this.root);
    let at = 0;
    this.rows.replaceChildren(
      ...this.head.rows.map(({ title, maps }) => {
        const figures = maps.map((map) => {
          const n = map.rows.length * map.columns.length;
          const weights = this.weights.subarray(at, (at += n));
          return this.figure(map, weights, theme);
        });
        return el("section", {}, el("h3", {}, title), el("div", { class: "maps" }, ...figures));
      }),
    );
    this.told.textContent = this.head.words.hint;
    this.legend.replaceChildren(`${this.head.words.weight} `, amountLegend(theme.colours, [0, 0.1, 0.5, 1]));
  }

  figure(map, weights, theme) {
    const [high, wide] = [map.rows.length, map.columns.length];
    const cell = Math.max(2, Math.min(14, SIDE.most / Math.max(high, wide), Math.max(3, SIDE.least / Math.min(high, wide))));
    const canvas = el("canvas", { role: "application", tabindex: 0, "aria-label": `${map.title}: ${map.text}` });
    const mark = el("i", { class: "mark", hidden: "" });
    const pen = freshPen(canvas, wide * cell + 2, high * cell + 2);
    pen.fillStyle = theme.paper;
    pen.fillRect(0, 0, wide * cell + 2, high * cell + 2);
    const amounts = Uint8Array.from(weights, (weight) => Math.round(255 * Math.sqrt(Math.min(1, weight))));
    pen.drawImage(amountImage(amounts, high, wide, theme.colours), 1, 1, wide * cell, high * cell);
    frame(pen, theme.line, 1, 0.5, 0.5, wide * cell + 1, high * cell + 1);
    const within = (at, n) => Math.min(n - 1, Math.max(0, at));
    let at = null;
    const tell = (row, column) => {
      at = [within(row, high), within(column, wide)];
      const values = { row: map.rows[at[0]], column: map.columns[at[1]], weight: fixed(weights[at[0] * wide + at[1]], 4) };
      this.told.textContent = `${map.title} · ${fill(this.head.words.cell, values)}`;
      Object.assign(mark.style, { left: `${at[1] * cell}px`, top: `${at[0] * cell}px`, width: `${cell + 2}px`, height: `${cell + 2}px` });
    };
    const point = (event) => {
      const [x, y] = placeIn(canvas, event);
      tell(Math.floor(y / cell), Math.floor(x / cell));
    };
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      if (at && !mark.hidden) tell(at[0] + step[0], at[1] + step[1]);
      else tell(0, 0);
      mark.hidden = false;
    });
    canvas.addEventListener("blur", () => (mark.hidden = true));
    for (const name of ["pointermove", "click"]) canvas.addEventListener(name, point);
    const caption = el("figcaption", {}, el("b", {}, map.title), ...(map.text ? [el("span", {}, map.text)] : []));
    return el("figure", {}, el("div", { class: "holder" }, canvas, mark), caption);
  }
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".weight-maps");
  if (!instances.has(root)) instances.set(root, new WeightMaps(root));
  instances.get(root).receive(data);
  return () => instances.delete(root);
}
