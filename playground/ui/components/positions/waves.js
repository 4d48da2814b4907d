// The sinusoidal matrix, one of its dimensions as a wave, and the dot product against distance.

const HIGH = 360;
const TOP = 26;
const NARROW = 560; // below, the curves stand under the matrix

function layout(wide) {
  if (wide < NARROW) {
    const box = { left: 46, width: wide - 56 };
    const matrix = { ...box, top: TOP, height: HIGH - TOP - 36 };
    return { matrix, wave: { ...box, top: HIGH + TOP, height: 110 }, dot: { ...box, top: HIGH + TOP + 180, height: 110 }, high: HIGH + TOP + 330 };
  }
  const height = HIGH - TOP - 36;
  const matrix = { left: 46, top: TOP, width: Math.round(wide * 0.52) - 46, height };
  const left = matrix.left + matrix.width + 70;
  const each = (height - 66) / 2;
  const box = { left, width: wide - left - 10, height: each };
  return { matrix, wave: { ...box, top: TOP }, dot: { ...box, top: TOP + each + 66 }, high: HIGH };
}

const waves = {
  moved({ settings }) {
    settings.dimension = Math.min(settings.dimension, settings.d_model - 1);
  },

  paint(panel, wide) {
    const { n_ctx, d_model, base, dimension } = panel.settings;
    const { theme, picture, head } = panel;
    const { words, language } = head;
    const rows = sinusoidal(n_ctx, d_model, base);
    panel.rows = rows;
    panel.layout = layout(wide);
    const { matrix, wave, dot } = panel.layout;
    const plot = new Plot(picture, matrix, { x: [0, d_model], y: [n_ctx, 0] }, theme);
    const image = plot.add("image", { x: matrix.left, y: matrix.top, width: matrix.width, height: matrix.height });
    image.setAttribute("preserveAspectRatio", "none");
    image.setAttribute("style", "image-rendering: pixelated");
    image.setAttribute("href", matrixImage(rows, n_ctx, d_model, 1, theme));
    const small = { "font-size": 12, fill: theme.grey };
    for (const value of ticks(n_ctx - 1))
      plot.add("text", { ...small, x: matrix.left - 6, y: plot.y(value + 0.5) + 4, "text-anchor": "end" }, value);
    for (const value of ticks(d_model - 1))
      plot.add("text", { ...small, x: plot.x(value + 0.5), y: HIGH - 20, "text-anchor": "middle" }, value);
    const bold = { "font-size": 13.5, "font-weight": 600, fill: theme.text };
    plot.add("text", { ...bold, x: matrix.left, y: TOP - 9 }, words.matrix);
    const end = { ...small, x: matrix.left + matrix.width, y: HIGH - 5, "text-anchor": "end" };
    plot.add("text", end, words.dimensions);
    const frame = { fill: "none", stroke: theme.query, "stroke-width": 2.5 };
    const column = { x: plot.x(dimension) - 1, width: Math.max(4, matrix.width / d_model + 2) };
    plot.add("rect", { ...frame, ...column, y: matrix.top - 1, height: matrix.height + 2 });

    const values = Array.from({ length: n_ctx }, (_, p) => rows[p * d_model + dimension]);
    const line = new Plot(picture, wave, { x: [0, n_ctx - 1], y: [-1, 1] }, theme);
    const title = fill(words.wave, { dimension });
    line.axes({ title, xs: ticks(n_ctx - 1), ys: [-1, 0, 1], xTitle: words.position, language });
    line.path(values, { stroke: theme.query });
    for (let p = 0; p < n_ctx && n_ctx <= 80; p++)
      line.add("circle", { cx: line.x(p), cy: line.y(values[p]), r: 2.4, fill: theme.query });

    const half = d_model / 2;
    const middle = Math.floor(n_ctx / 2);
    const low = Math.min(0, ...products(rows, 0, n_ctx, d_model));
    const curve = new Plot(picture, dot, { x: [0, n_ctx - 1], y: [low, half] }, theme);
    curve.axes({ title: words.dot, xs: ticks(n_ctx - 1), ys: [0, half], xTitle: words.distance, language });
    curve.path(products(rows, 0, n_ctx, d_model), { stroke: theme.value });
    products(rows, middle, n_ctx, d_model).forEach((product, distance) => {
      const at = { cx: curve.x(distance), cy: curve.y(product), r: 3.2, fill: "none", stroke: theme.after };
      curve.add("circle", { ...at, "stroke-width": 1.4 });
    });
    return panel.layout.high;
  },

  reading(panel) {
    const { n_ctx, d_model, base, dimension } = panel.settings;
    const turn = (i) => panel.number(2 * Math.PI * base ** ((2 * i) / d_model));
    return fill(panel.head.words.reading, {
      dimension,
      turn: turn(Math.floor(dimension / 2)),
      slowest: turn(d_model / 2 - 1),
      n_ctx,
    });
  },

  at(panel, x, y) {
    const { matrix } = panel.layout;
    const { n_ctx, d_model } = panel.settings;
    const dimension = Math.floor(((x - matrix.left) / matrix.width) * d_model);
    const position = Math.floor(((y - matrix.top) / matrix.height) * n_ctx);
    if (dimension < 0 || dimension >= d_model || position < 0 || position >= n_ctx) return null;
    const value = fixed(panel.rows[position * d_model + dimension], 6);
    return fill(panel.head.words.detail, { position, dimension, value });
  },
};

/** Dot product of the row `from` with itself and every later one. */
function products(rows, from, n, d) {
  return Array.from({ length: n - from }, (_, distance) => {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += rows[from * d + i] * rows[(from + distance) * d + i];
    return sum;
  });
}

export default component(waves);
