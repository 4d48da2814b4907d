// The alignment of one source and its target: a cell a weight, and the arithmetic of the row that is picked.

const CELL = { least: 14, most: 32, high: 26, low: 18 };
const MAP = { left: 34, top: 34, gap: 36 };
const TABLE = { wide: 400, row: 22, rows: 6 };
const BELOW = 820; // narrower, the arithmetic stands below the map
const SCALE = { wide: 160, high: 10, ticks: [0, 0.1, 0.5, 1] };

/** Three significant digits, whatever the size. */
function three(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1000 ? fixed(value, 0) : size >= 1e-3 ? value.toPrecision(3) : value.toExponential(1);
  return text.replaceAll("-", "−");
}

/** The arrays of the data, in the order in which Python packs them. */
function taken({ numbers, head }) {
  const { n_source: s, n_steps: t, has_scores } = head.facts;
  const n = s * t;
  return {
    weights: numbers.subarray(0, n),
    scores: has_scores ? numbers.subarray(n, 2 * n) : null,
    values: has_scores ? numbers.subarray(2 * n, 3 * n) : null,
  };
}

/** The places of a row to write out: the chosen one and those of the largest weights, in reading order. */
export function written(row, chosen, most) {
  const order = Array.from(row, (_, i) => i).sort((a, b) => row[b] - row[a] || a - b);
  const first = order.filter((i) => i !== chosen).slice(0, most - 1);
  return [...first, chosen].sort((a, b) => a - b);
}

/** softmax of one score: its exponential, their sum, the weight. */
export function softmaxOf(scores, chosen) {
  const largest = Math.max(...scores);
  const exponentials = Array.from(scores, (score) => Math.exp(score - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return { largest, exponential: exponentials[chosen], sum, weight: exponentials[chosen] / sum };
}

const alignment = {
  narrowest: ({ head }) => Math.max(300, MAP.left + head.facts.n_source * CELL.least + 8),

  paint(panel, wide) {
    const { head, settings, theme, holder } = panel;
    const { n_source: s, n_steps: t } = head.facts;
    const seen = holder.clientWidth || wide;
    const beside = seen >= BELOW && MAP.left + s * CELL.least + MAP.gap + TABLE.wide <= wide;
    const room = wide - MAP.left - 8 - (beside ? TABLE.wide + MAP.gap : 0);
    const cell = Math.min(CELL.most, Math.max(CELL.least, room / s));
    const high = t > 16 ? CELL.low : CELL.high;
    const step = Math.min(settings.step, t) - 1;
    const source = Math.min(settings.character, s - 1);
    Object.assign(panel, { cell, high, step, source, parts: taken(panel) });
    const place = (name, attributes, text) => {
      const node = svg(name, attributes, text);
      panel.picture.append(node);
      return node;
    };
    this.map(panel, place, theme);
    const foot = MAP.top + t * high + this.scale(panel, place, MAP.top + t * high + 14);
    const end = beside
      ? this.arithmetic(panel, panel.picture, MAP.left + s * cell + MAP.gap, MAP.top - 16, TABLE.wide)
      : this.below(panel, foot + 14, Math.min(TABLE.wide, seen - 16));
    holder.onclick = (event) => this.pick(panel, event);
    return Math.max(foot, end);
  },

  map(panel, place, theme) {
    const { head, cell, high, step, source, parts } = panel;
    const { facts, words } = head;
    const { n_source: s, n_steps: t } = facts;
    const amounts = Uint8Array.from(parts.weights, (weight) => Math.round(255 * Math.sqrt(Math.min(1, weight))));
    const href = amountImage(amounts, t, s, amountColours(theme)).toDataURL();
    const box = { x: MAP.left, y: MAP.top, width: s * cell, height: t * high };
    place("image", { ...box, href, preserveAspectRatio: "none", style: "image-rendering: pixelated", "image-rendering": "pixelated" });
    place("rect", { ...box, fill: "none", stroke: theme.line });
    const small = { "font-size": 12, fill: theme.grey };
    place("text", { ...small, x: 2, y: 12 }, `${words.target_axis} ↓   ${words.source_axis} →`);
    const token = { "font-family": theme.code, "font-size": 14, "text-anchor": "middle" };
    facts.sources.forEach((text, i) =>
      place("text", { ...token, x: MAP.left + (i + 0.5) * cell, y: 28, fill: theme.text, "font-weight": i === source ? 700 : 400 }, text),
    );
    facts.outputs.forEach((text, i) =>
      place("text", { ...token, x: MAP.left - 12, y: MAP.top + (i + 0.5) * high + 5, fill: i === step ? theme.query : theme.text, "font-weight": i === step ? 700 : 400 }, text),
    );
    place("rect", { class: "row", x: MAP.left - 1, y: MAP.top + step * high - 1, width: s * cell + 2, height: high + 2, fill: "none", stroke: theme.query, "stroke-width": 2.5 });
    place("rect", { class: "cell", x: MAP.left + source * cell + 1, y: MAP.top + step * high + 1, width: cell - 2, height: high - 2, fill: "none", stroke: theme.key, "stroke-width": 3 });
  },

  scale({ theme, head }, place, y) {
    const ramp = amountImage(Uint8Array.from({ length: 256 }, (_, i) => i), 1, 256, amountColours(theme));
    const box = { x: MAP.left, y, width: SCALE.wide, height: SCALE.high };
    place("image", { ...box, href: ramp.toDataURL(), preserveAspectRatio: "none" });
    place("rect", { ...box, fill: "none", stroke: theme.line });
    const small = { "font-size": 12, fill: theme.grey };
    for (const tick of SCALE.ticks)
      place("text", { ...small, x: MAP.left + SCALE.wide * Math.sqrt(tick), y: y + SCALE.high + 14, "text-anchor": "middle" }, String(tick));
    place("text", { ...small, x: MAP.left + SCALE.wide + 14, y: y + 9 }, head.words.weight);
    return 14 + SCALE.high + 20;
  },

  /** The arithmetic below a map that scrolls: it stays in sight. */
  below(panel, top, wide) {
    const { holder, picture } = panel;
    const group = svg("g", { class: "arithmetic" });
    picture.append(group);
    const stick = () => group.setAttribute("transform", `translate(${holder.scrollLeft} 0)`);
    holder.onscroll = stick;
    stick();
    return this.arithmetic(panel, group, 8, top, wide);
  },

  /** Score, softmax and weighted sum of the row; gives where it ends. */
  arithmetic(panel, parent, left, top, wide) {
    const { head, theme, step, source, parts } = panel;
    const { facts, words } = head;
    const s = facts.n_source;
    const row = Array.from(parts.weights.subarray(step * s, (step + 1) * s));
    let y = top - 8;
    const put = (text, look = {}) => {
      for (const line of lines(text, wide, theme))
        parent.append(svg("text", { x: left, y: (y += TABLE.row), "font-size": 13.5, fill: theme.text, ...look }, line));
    };
    const values = { step: step + 1, source: facts.sources[source], at: source + 1, output: facts.outputs[step], weight: three(row[source]) };
    put(fill(words.cell, values), { "font-weight": 600 });
    if (!parts.scores) {
      put(words.heads);
      return y + 18;
    }
    const scores = Array.from(parts.scores.subarray(step * s, (step + 1) * s));
    const { largest, exponential, sum, weight } = softmaxOf(scores, source);
    put(`1  ${words.score}: ${facts.formula} = ${three(scores[source])}`);
    put(`2  softmax: e^(${three(scores[source])} − ${three(largest)}) / Σ = ${three(exponential)} / ${three(sum)} = ${three(weight)}`.replaceAll("− −", "+ "));
    put(`3  ${fill(words.sum, { i: facts.numbers[step] + 1 })}`);
    return this.table(panel, parent, left, y + 8, wide, row);
  },

  /** Weight times one number of each state; all of them add up to that number of the context vector. */
  table(panel, parent, left, top, wide, row) {
    const { head, theme, step, source, parts } = panel;
    const { facts, words } = head;
    const s = facts.n_source;
    const states = Array.from(parts.values.subarray(step * s, (step + 1) * s));
    const shown = written(row, source, Math.min(TABLE.rows, s));
    const columns = [0.12, 0.4, 0.68, 0.98].map((share) => left + share * wide);
    const line = (y, cells, look = {}) =>
      cells.forEach((text, i) => {
        const at = { x: columns[i], y, "text-anchor": "end", "font-size": 13, fill: theme.text, "font-family": theme.code, ...look };
        parent.append(svg("text", at, text));
      });
    line(top + 16, ["", "α", words.number, words.product], { fill: theme.grey, "font-family": theme.font });
    shown.forEach((i, at) => {
      const y = top + 16 + (at + 1) * TABLE.row;
      if (i === source) parent.append(svg("rect", { x: left, y: y - 16, width: wide, height: TABLE.row, fill: theme.key, opacity: 0.22 }));
      line(y, [facts.sources[i], three(row[i]), three(states[i]), three(row[i] * states[i])], { "font-weight": i === source ? 700 : 400 });
    });
    let y = top + 16 + (shown.length + 1) * TABLE.row;
    const rest = row.map((_, i) => i).filter((i) => !shown.includes(i));
    if (rest.length) {
      const products = rest.reduce((total, i) => total + row[i] * states[i], 0);
      const weights = rest.reduce((total, i) => total + row[i], 0);
      line(y, ["", three(weights), "", three(products)], { fill: theme.grey });
      const others = svg("text", { x: left, y, "font-size": 13, fill: theme.grey }, fill(words.others, { n: rest.length }));
      parent.append(others);
      y += TABLE.row;
    }
    const total = row.reduce((sum, weight, i) => sum + weight * states[i], 0);
    parent.append(svg("line", { x1: left, x2: left + wide, y1: y - 15, y2: y - 15, stroke: theme.grey }));
    line(y, ["Σ", "1", "", three(total)], { "font-weight": 700 });
    const note = svg("text", { x: left, y: y + TABLE.row, "font-size": 12, fill: theme.value, class: "context" });
    note.textContent = fill(words.context, { i: facts.numbers[step] + 1, value: three(facts.contexts[step]) });
    parent.append(note);
    return y + TABLE.row + 12;
  },

  cellAt({ cell, high, head }, x, y) {
    const at = [Math.floor((y - MAP.top) / high), Math.floor((x - MAP.left) / cell)];
    return at[0] >= 0 && at[0] < head.facts.n_steps && at[1] >= 0 && at[1] < head.facts.n_source ? at : null;
  },

  pick(panel, event) {
    const at = this.cellAt(panel, ...placeIn(panel.picture, event));
    if (!at) return;
    panel.move(panel.fields.step.control, at[0] + 1);
    panel.move(panel.fields.character.control, at[1]);
    panel.release();
  },

  reading({ head, step, source, parts }) {
    const { facts, words } = head;
    const values = { output: facts.outputs[step], step: step + 1, source: facts.sources[source], at: source + 1 };
    return fill(words.cell, { ...values, weight: three(parts.weights[step * facts.n_source + source]) });
  },

  at(panel, x, y) {
    const at = this.cellAt(panel, x, y);
    if (!at) return null;
    const { head, parts } = panel;
    const { facts, words } = head;
    const i = at[0] * facts.n_source + at[1];
    const values = { output: facts.outputs[at[0]], step: at[0] + 1, source: facts.sources[at[1]], at: at[1] + 1, weight: fixed(parts.weights[i], 4) };
    return parts.scores ? fill(words.scored, { ...values, score: three(parts.scores[i]) }) : fill(words.cell, values);
  },
};

export default component(alignment);
