// Flat and IVF: all vectors, or those of the cells nearest to the query.

const CELL_HUES = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B5A800", "#7D858E"];
const VIEWS = {};

VIEWS.flat = (theatre) => ({
  show(pen) {
    const { head, distances } = theatre;
    const { words, exact, n } = head;
    const query = theatre.place(...head.query_xy);
    for (let i = 0; i < n; i++) dot(pen, theatre.spot(i), theatre.radius, INK.grey, 0.55);
    for (const place of exact) line(pen, query, theatre.spot(place), theatre.theme.value, 1, 0.6);
    theatre.results(pen, exact);
    theatre.top(pen);
    return {
      told: fill(words.told_flat, { n, k: exact.length, first: exact[0] + 1, distance: short(distances[exact[0]]) }),
      legend: [entry("dot", INK.grey, words.vector), ...theatre.marks()],
      side: [theatre.answer(exact)],
      focus: exact[0],
    };
  },
});

VIEWS.ivf = (theatre) => {
  const { head } = theatre;
  const { words, order } = head;
  const stepper = new Stepper(words, (value) => theatre.move("nprobe", value));
  const hue = (cell) => CELL_HUES[cell % CELL_HUES.length];
  const sizes = new Array(order.length).fill(0);
  for (const cell of theatre.cells) sizes[cell] += 1;
  return {
    controls: [stepper.node],
    show(pen) {
      const nprobe = Math.min(theatre.at.nprobe ?? 1, order.length);
      stepper.show(nprobe, 1, order.length, fill(words.nprobe, { n: nprobe, total: order.length }));
      const probed = new Set(order.slice(0, nprobe));
      const read = [];
      for (let i = 0; i < head.n; i++) {
        const inside = probed.has(theatre.cells[i]);
        if (inside) read.push(i);
        dot(pen, theatre.spot(i), theatre.radius, hue(theatre.cells[i]), inside ? 0.95 : 0.22);
        if (inside) ring(pen, theatre.spot(i), theatre.radius + 0.5, theatre.theme.text, 0.7);
      }
      const found = nearestOf(read, theatre.distances, head.k);
      theatre.results(pen, found);
      this.middles(pen, probed);
      theatre.top(pen);
      const values = { cells: order.length, nprobe, read: read.length, total: order.length + read.length, n: head.n, right: found.filter((place) => head.exact.includes(place)).length, k: head.exact.length };
      return {
        told: fill(words.told_ivf, values),
        legend: [entry("square", INK.grey, words.cell), entry("edged", INK.grey, words.probed), ...theatre.marks()],
        side: [this.table(nprobe), theatre.answer(found)],
        focus: found[0],
      };
    },
    middles(pen, probed) {
      for (const cell of [...order].reverse()) {
        const spot = theatre.place(theatre.middles[2 * cell], theatre.middles[2 * cell + 1]);
        const inside = probed.has(cell);
        pen.globalAlpha = inside ? 1 : 0.55;
        dot(pen, spot, 9, theatre.theme.paper, pen.globalAlpha);
        ring(pen, spot, 9, hue(cell), inside ? 3 : 1);
        Object.assign(pen, { fillStyle: theatre.theme.text, textAlign: "center", globalAlpha: inside ? 1 : 0.7 });
        pen.fillText(String(cell + 1), spot[0], spot[1] + 4);
      }
      Object.assign(pen, { textAlign: "left", globalAlpha: 1 });
    },
    table(nprobe) {
      const rows = order.map((cell, rank) => {
        const name = el("span", { class: "cell", style: `--ink: ${hue(cell)}` }, String(cell + 1));
        const row = el("div", { class: rank < nprobe ? "row in" : "row" }, name, el("span", {}, short(head.centroid_distances[rank])), el("span", {}, fill(words.size, { n: sizes[cell] })));
        return row;
      });
      return el("section", { class: "list" }, el("h3", {}, words.cells), el("div", { class: "rows", tabindex: "0" }, ...rows));
    },
  };
};
