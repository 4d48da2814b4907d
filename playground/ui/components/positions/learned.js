// A learned table of position embeddings: every number as one pixel.

const HIGH = 330;

const learned = {
  paint(panel, wide) {
    const { head, theme, picture, numbers } = panel;
    const { n_ctx, d_model, largest } = head.facts;
    const box = { left: 56, top: 26, width: wide - 66, height: HIGH - 62 };
    panel.box = box;
    const plot = new Plot(picture, box, { x: [0, d_model], y: [n_ctx, 0] }, theme);
    const place = { x: box.left, y: box.top, width: box.width, height: box.height };
    const image = plot.add("image", { ...place, preserveAspectRatio: "none" });
    const key = panel.text + theme.paper;
    if (panel.drawn?.key !== key)
      panel.drawn = { key, url: matrixImage(numbers, n_ctx, d_model, largest, theme) };
    image.setAttribute("href", panel.drawn.url);
    const small = { "font-size": 12, fill: theme.grey };
    for (const value of ticks(n_ctx - 1))
      plot.add("text", { ...small, x: box.left - 6, y: plot.y(value + 0.5) + 4, "text-anchor": "end" }, value);
    for (const value of ticks(d_model - 1, wide < 480 ? 4 : 8))
      plot.add("text", { ...small, x: plot.x(value + 0.5), y: HIGH - 20, "text-anchor": "middle" }, value);
    const bold = { "font-size": 13.5, "font-weight": 600, fill: theme.text };
    plot.add("text", { ...bold, x: box.left, y: 16 }, head.words.matrix);
    const end = { ...small, x: box.left + box.width, y: HIGH - 5, "text-anchor": "end" };
    plot.add("text", end, head.words.dimensions);
    return HIGH;
  },

  reading({ head }) {
    return head.words.reading;
  },

  at({ box, head, numbers }, x, y) {
    const { n_ctx, d_model } = head.facts;
    const dimension = Math.floor(((x - box.left) / box.width) * d_model);
    const position = Math.floor(((y - box.top) / box.height) * n_ctx);
    if (dimension < 0 || dimension >= d_model || position < 0 || position >= n_ctx) return null;
    const value = numbers[position * d_model + dimension].toPrecision(6);
    return fill(head.words.detail, { position, dimension, value });
  },
};

export default component(learned);
