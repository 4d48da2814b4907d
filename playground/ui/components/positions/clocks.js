// Each pair of dimensions of a query and a key as two hands of a clock, and the score they make.

const RADIUS = 23;
const ROW_HIGH = 76;
const BARS = 110;

/** Score of a query at m and a key at n, pair by pair. Divided by the square root of the head size. */
export function pairScores(query, key, m, n, speeds) {
  const q = rotate(query, m, speeds);
  const k = rotate(key, n, speeds);
  const half = speeds.length;
  const scale = Math.sqrt(2 * half);
  return Float64Array.from({ length: half }, (_, i) => (q[i] * k[i] + q[half + i] * k[half + i]) / scale);
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

const clocks = {
  moved(panel, name) {
    // A token that is picked stands at its own place, until the reader moves it.
    if (name === "query") panel.settings.m = panel.settings.query;
    if (name === "key") panel.settings.n = panel.settings.key;
  },

  vectors({ head, numbers, settings }) {
    const { d_head, n_tokens } = head.facts;
    const at = (token) => numbers.subarray(token * d_head, (token + 1) * d_head);
    return [at(settings.query), at(n_tokens + settings.key)];
  },

  paint(panel, wide) {
    const { head, settings, theme, picture } = panel;
    const { d_head, base } = head.facts;
    const { m, n, shift } = settings;
    const [query, key] = clocks.vectors(panel);
    const speeds = frequencies(d_head, base);
    const half = d_head / 2;
    panel.here = pairScores(query, key, m, n, speeds);
    panel.there = pairScores(query, key, m + shift, n + shift, speeds);
    const [columns, margin] = wide < 700 ? [8, 2] : [16, 10];
    const cell = (wide - 2 * margin) / columns;
    const radius = Math.min(RADIUS, cell / 2 - 2);
    Object.assign(panel, { columns, margin, cell });
    const hands = [
      [query, m, theme.query, false],
      [key, n, theme.key, false],
      [query, m + shift, theme.query, true],
      [key, n + shift, theme.key, true],
    ];
    for (let i = 0; i < half; i++) {
      const cx = margin + cell * ((i % columns) + 0.5);
      const cy = 30 + ROW_HIGH * Math.floor(i / columns);
      picture.append(svg("circle", { cx, cy, r: radius, fill: "none", stroke: theme.line, "stroke-width": 1.5 }));
      for (const [vector, position, stroke, shifted] of hands) {
        if (shifted && shift === 0) continue;
        const angle = Math.atan2(vector[half + i], vector[i]) + position * speeds[i];
        const x2 = cx + radius * Math.cos(angle);
        const y2 = cy - radius * Math.sin(angle);
        const style = shifted ? { "stroke-width": 1.4, "stroke-dasharray": "3 2" } : { "stroke-width": 2.8 };
        picture.append(svg("line", { x1: cx, y1: cy, x2, y2, stroke, "stroke-linecap": "round", ...style }));
      }
      const label = { x: cx, y: cy + RADIUS + 14, "text-anchor": "middle", "font-size": 11, fill: theme.grey };
      picture.append(svg("text", label, compact((2 * Math.PI) / speeds[i], head.language)));
    }
    const more = lines(head.words.bars, wide - 56, theme).length - 1;
    const top = 30 + ROW_HIGH * Math.ceil(half / columns) + TITLE * more;
    bars(panel, { left: 46, top, width: wide - 56, height: BARS });
    return top + BARS + 24;
  },

  reading({ head, here, there }) {
    const [a, b] = [sum(here), sum(there)];
    return fill(head.words.reading, {
      here: fixed(a, 6),
      there: fixed(b, 6),
      difference: Math.abs(a - b).toExponential(1),
    });
  },

  at(panel, x, y) {
    const { head, here, there, cell, columns, margin, settings } = panel;
    const half = here.length;
    const row = Math.floor((y - 30 + ROW_HIGH / 2) / ROW_HIGH);
    const pair = columns * row + clamp(Math.floor((x - margin) / cell), 0, columns - 1);
    if (row < 0 || pair < 0 || pair >= half || row >= Math.ceil(half / columns)) return null;
    const speed = frequencies(head.facts.d_head, head.facts.base)[pair];
    return fill(head.words.detail, {
      pair,
      speed: speed.toPrecision(4),
      turn: panel.number((2 * Math.PI) / speed),
      angle: fixed((settings.m - settings.n) * speed, 3),
      here: fixed(here[pair], 6),
      there: fixed(there[pair], 6),
    });
  },
};

/** What each pair adds to the score: solid at (m, n), outlined at (m + s, n + s). */
function bars({ head, here, there, theme, picture }, box) {
  const largest = Math.max(1e-9, ...here.map(Math.abs), ...there.map(Math.abs));
  const plot = new Plot(picture, box, { x: [0, here.length], y: [-largest, largest] }, theme);
  plot.axes({ title: head.words.bars, xs: [], ys: [-largest, 0, largest], xTitle: "", language: head.language });
  const wide = box.width / here.length;
  here.forEach((value, i) => {
    const span = (number) => ({ y: Math.min(plot.y(0), plot.y(number)), height: Math.abs(plot.y(number) - plot.y(0)) });
    const x = plot.x(i) + 0.18 * wide;
    plot.add("rect", { x, width: 0.64 * wide, fill: theme.value, ...span(value) });
    const outline = { fill: "none", stroke: theme.after, "stroke-width": 1.4, "stroke-dasharray": "3 2" };
    plot.add("rect", { x: x - 2, width: 0.64 * wide + 4, ...outline, ...span(there[i]) });
  });
}

/** 6.3, 480, 45k, 1.2M. */
function compact(value, language) {
  return value.toLocaleString(language, { notation: "compact", maximumSignificantDigits: 3 });
}

export default component(clocks);
