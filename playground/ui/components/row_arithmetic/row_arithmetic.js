// One row of attention: q·k, divided, masked, softmax, what each key writes. As playground/core/attention.py.

/** q·k of each key, dimension by dimension: key after key. */
export function products(numbers, d) {
  const made = new Float64Array(numbers.length - d);
  for (let i = 0; i < made.length; i++) made[i] = numbers[i % d] * numbers[d + i];
  return made;
}

/** Sum of each run of d. */
export function sums(values, d) {
  return Float64Array.from({ length: values.length / d }, (_, row) =>
    values.subarray(row * d, (row + 1) * d).reduce((a, b) => a + b, 0),
  );
}

/** softmax(scores / divisor + mask). */
export function rowWeights(scores, allowed, divisor) {
  const scaled = Array.from(scores, (score, i) => (allowed[i] ? score / divisor : -Infinity));
  const top = Math.max(...scaled);
  if (top === -Infinity) return scaled.map(() => 0);
  const each = scaled.map((score) => Math.exp(score - top));
  const total = each.reduce((a, b) => a + b, 0);
  return each.map((value) => value / total);
}

export function entropyBits(weights) {
  return Math.abs(weights.reduce((sum, w) => (w > 0 ? sum + w * Math.log2(w) : sum), 0));
}

/** Length of what all keys write together. */
export function lengthOfSum(weights, overlaps) {
  const n = overlaps.length;
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sum += weights[i] * weights[j] * overlaps[i][j];
  return Math.sqrt(Math.max(0, sum));
}

// ---------------------------------------------------------------- the picture

const ROW = 22;
const TOP = 48;
const SEEN = 12; // rows, before they scroll
const NUMBER = 66; // pixels of a number beside a bar
const BARS = 96;
const LABEL = 15; // characters
const SATURATED = 0.99; // the largest weight from which on softmax is said to saturate
const SNAP = 0.012; // of the logarithm: a slider step away from √d is √d

/** Three significant digits, whatever the size. */
function three(value) {
  if (value === 0) return "0";
  if (value === -Infinity) return "−∞";
  const size = Math.abs(value);
  const text = size >= 1000 ? fixed(value, 0) : size >= 1e-3 ? value.toPrecision(3) : value.toExponential(2);
  return text.replaceAll("-", "−");
}

const exact = (value) => (value === -Infinity ? "−∞" : `${value}`.replaceAll("-", "−"));
const shorten = (text) => ([...text].length > LABEL ? [...text].slice(0, LABEL - 1).join("") + "…" : text);

function columns(wide) {
  const free = wide - 392 - 2 * NUMBER;
  const weight = { left: 376, width: Math.round(free * 0.6) };
  const told = weight.left + weight.width + NUMBER; // right edge of the weights
  const left = told + 16;
  return { score: 204, scaled: 284, mask: 356, weight, told, written: { left, width: wide - 10 - NUMBER - left } };
}

/** Everything that the settings decide, computed once a paint. */
function calculate({ head, numbers, settings }) {
  const { d_head: d, allowed, rest, overlaps } = head.facts;
  const each = products(numbers, d);
  const scores = sums(each, d);
  const n = scores.length;
  const every = [...scores, ...rest];
  const may = [...allowed, ...rest.map(() => true)];
  const root = Math.sqrt(d);
  const all = rowWeights(every, may, settings.divisor);
  const own = rowWeights(every, may, root);
  const lengths = overlaps.map((row, i) => Math.sqrt(row[i]));
  const order = Array.from({ length: n }, (_, i) => i);
  if (settings.order === 1) order.sort((a, b) => own[b] - own[a] || scores[b] - scores[a] || a - b);
  const left = all.slice(n).reduce((a, b) => a + b, 0);
  return { d, n, each, scores, root, all, own, lengths, order, left, allowed, rest, overlaps };
}

const row = {
  narrowest: 640, // below, it scrolls: the numbers do not fit

  moved({ settings, head }, name) {
    const root = Math.sqrt(head.facts.d_head);
    if (name === "divisor" && Math.abs(Math.log(settings.divisor / root)) < SNAP) settings.divisor = root;
  },

  paint(panel, wide) {
    const found = calculate(panel);
    const x = columns(wide);
    const rows = found.n + (found.rest.length ? 1 : 0);
    const foot = TOP + rows * ROW;
    const high = foot + ROW + 14 + BARS + 34;
    Object.assign(panel, { found, columns: x, foot, high, wide });
    const place = (name, parent, attributes, text) => {
      const node = svg(name, attributes, text);
      parent.append(node);
      return node;
    };
    this.keys(panel, place);
    this.headings(panel, place);
    this.sum(panel, place);
    this.dimensions(panel, place);
    this.scroll(panel, high - (rows - Math.min(rows, SEEN)) * ROW);
    return high;
  },

  keys({ found, columns: x, picture, head, settings, theme, wide }, place) {
    const { scores, all, own, lengths, order, allowed } = found;
    const longest = Math.max(...lengths, 1e-12);
    const labels = head.controls.find(({ name }) => name === "key").options;
    const number = { "font-size": 13, "font-family": theme.code, fill: theme.text };
    order.forEach((key, at) => {
      const line = place("g", picture, { class: "row", "data-key": key });
      const y = TOP + at * ROW;
      const picked = key === settings.key;
      place("rect", line, { x: 0, y, width: wide, height: ROW, fill: theme.line, opacity: picked ? 0.55 : 0 });
      const middle = y + 15.5;
      const told = { ...number, "text-anchor": "end", y: middle, opacity: allowed[key] ? 1 : 0.55 };
      const label = { ...number, x: 10, y: middle, "font-weight": picked ? 700 : 400, opacity: told.opacity };
      place("text", line, label, shorten(labels[key]));
      place("text", line, { ...told, x: x.score }, three(scores[key]));
      place("text", line, { ...told, x: x.scaled }, three(scores[key] / settings.divisor));
      place("text", line, { ...told, x: x.mask }, allowed[key] ? "0" : "−∞");
      if (!allowed[key]) return;
      const bar = { y: y + 4, height: ROW - 8 };
      place("rect", line, { ...bar, x: x.weight.left, width: all[key] * x.weight.width, fill: "#E69F00" });
      if (settings.divisor !== found.root) {
        const mark = { x: x.weight.left + own[key] * x.weight.width - 1, y: y + 1, width: 2, height: ROW - 2 };
        place("rect", line, { ...mark, class: "own", fill: theme.text });
      }
        place("text", line, { ...told, class: "weight", x: x.told }, three(all[key]));
      const written = all[key] * lengths[key];
      const green = { ...bar, x: x.written.left, width: (written / longest) * x.written.width };
      place("rect", line, { ...green, fill: theme.value });
      place("text", line, { ...told, x: wide - 10 }, three(written));
    });
    if (!found.rest.length) return;
    const y = TOP + found.n * ROW + 15.5;
    const told = { ...number, y, fill: theme.grey };
    const outside = found.rest.length === 1 ? head.words.outside_one : head.words.outside;
    place("text", picture, { ...told, x: 10 }, fill(outside, { n: found.rest.length }));
    place("text", picture, { ...told, x: x.told, "text-anchor": "end" }, three(found.left));
  },

  headings({ found, columns: x, picture, head, settings, theme, wide }, place) {
    const { words } = head;
    const top = place("g", picture, { class: "top" });
    place("rect", top, { x: 0, y: 0, width: wide, height: TOP, fill: theme.paper });
    place("line", top, { x1: 0, x2: wide, y1: TOP - 0.5, y2: TOP - 0.5, stroke: theme.grey });
    const usual = settings.divisor === found.root;
    const by = usual ? `÷ √${found.d}` : `÷ ${three(settings.divisor)}`;
    const titles = [
      [10, "start", words.key_token, "k"],
      [x.score, "end", words.product, "q·k"],
      [x.scaled, "end", usual ? `= ${three(found.root)}` : `√${found.d} = ${three(found.root)}`, by],
      [x.mask, "end", words.mask, "+ mask"],
      [x.weight.left, "start", words.weight, "w = softmax"],
      [x.written.left, "start", words.written, "‖w · v · W_O‖"],
    ];
    for (const [at, anchor, name, formula] of titles) {
      const both = { x: at, "text-anchor": anchor, fill: theme.text };
      place("text", top, { ...both, y: 19, "font-size": 13.5, "font-weight": 600 }, formula);
      place("text", top, { ...both, y: 37, "font-size": 12, fill: theme.grey }, name);
    }
  },

  sum({ found, columns: x, picture, head, theme, foot, high, wide }, place) {
    const group = place("g", picture, { class: "foot" });
    place("rect", group, { x: 0, y: foot, width: wide, height: high - foot, fill: theme.paper });
    place("line", group, { x1: 0, x2: wide, y1: foot + 0.5, y2: foot + 0.5, stroke: theme.grey });
    const told = { y: foot + 17, "font-size": 13, "font-weight": 600, fill: theme.text };
    place("text", group, { ...told, x: 10 }, head.words.sum);
    const end = { ...told, "text-anchor": "end", "font-family": theme.code };
    const total = found.all.reduce((a, b) => a + b, 0);
    place("text", group, { ...end, class: "total", x: x.told }, three(Number(fixed(total, 12))));
    if (found.rest.length) return;
    place("text", group, { ...told, x: x.written.left }, "‖Σ w · v · W_O‖");
    place("text", group, { ...end, class: "length", x: wide - 10 }, three(lengthOfSum(found.all, found.overlaps)));
  },

  /** q·k of the picked key, dimension by dimension. */
  dimensions(panel, place) {
    const { found, picture, head, settings, theme, foot, wide } = panel;
    const { d } = found;
    const group = picture.querySelector(".foot");
    const values = found.each.subarray(settings.key * d, (settings.key + 1) * d);
    const largest = Math.max(...values.map(Math.abs), 1e-12);
    const box = { left: 66, top: foot + ROW + 30, width: wide - 76, height: BARS };
    panel.box = box;
    const middle = box.top + BARS / 2;
    const token = head.controls.find(({ name }) => name === "key").options[settings.key];
    const title = fill(head.words.dimensions, { query: head.facts.query, key: token, sum: three(found.scores[settings.key]) });
    place("line", group, { x1: 0, x2: wide, y1: foot + ROW + 5, y2: foot + ROW + 5, stroke: theme.line });
    const bold = { "font-size": 13.5, "font-weight": 600, fill: theme.text };
    place("text", group, { ...bold, class: "title", x: 10, y: foot + ROW + 21 }, title);
    const small = { "font-size": 12, fill: theme.grey, "text-anchor": "end", x: box.left - 6 };
    for (const share of [1, 0, -1])
      place("text", group, { ...small, y: middle - (share * BARS) / 2 + 4 }, three(share * largest));
    place("line", group, { x1: box.left, x2: box.left + box.width, y1: middle, y2: middle, stroke: theme.grey });
    const step = box.width / d;
    values.forEach((value, i) => {
      const height = (Math.abs(value) / largest) * (BARS / 2);
      const colour = `rgb(${(value < 0 ? theme.negative : theme.positive).join(",")})`;
      const bar = { x: box.left + i * step, width: Math.max(1, step - 1.5), height, fill: colour };
      place("rect", group, { ...bar, class: "dimension", y: value < 0 ? middle : middle - height });
    });
  },

  /** At most SEEN keys at once, headings and sum in sight; a click picks a key. */
  scroll(panel, seen) {
    const { holder } = panel;
    const stick = () => {
      panel.hidden = Math.max(0, panel.high - seen - holder.scrollTop);
      holder.style.setProperty("--top", `${holder.scrollTop}px`);
      holder.style.setProperty("--foot", `${-panel.hidden}px`);
    };
    holder.style.maxHeight = `${seen}px`;
    holder.onscroll = stick;
    holder.onclick = (event) => {
      const key = this.pointed(panel, placeIn(panel.picture, event)[1]);
      if (key === null) return;
      panel.move(panel.fields.key.control, key);
      panel.release();
    };
    stick();
  },

  /** The key below a height in the picture, scrolled as it is. */
  pointed({ found, foot, hidden, holder }, y) {
    const at = Math.floor((y - TOP) / ROW);
    const covered = y < TOP + holder.scrollTop || y > foot - hidden;
    return covered || at >= found.n ? null : found.order[at];
  },

  reading({ head, settings, found }) {
    const { words, facts } = head;
    const at = (weights) => ({ bits: fixed(entropyBits(weights), 2), largest: three(Math.max(...weights)) });
    const own = at(found.own);
    const best = found.own.indexOf(Math.max(...found.own.slice(0, found.n)));
    const n = found.allowed.filter(Boolean).length + found.rest.length;
    const values = { d: found.d, own_bits: own.bits, own_largest: own.largest, n, most: fixed(Math.log2(n), 2) };
    const token = head.controls.find(({ name }) => name === "key").options[best];
    Object.assign(values, at(found.all), { divisor: three(settings.divisor), query: facts.query, key: token });
    const usual = settings.divisor === found.root;
    const sharper = Math.max(...found.all) >= SATURATED ? words.saturated : words.sharper;
    return fill(usual ? words.usual : settings.divisor < found.root ? sharper : words.flatter, values);
  },

  at(panel, x, y) {
    const { found, head, settings, numbers, box, hidden } = panel;
    const { d } = found;
    const labels = head.controls.find(({ name }) => name === "key").options;
    const i = Math.floor(((x - box.left) / box.width) * d);
    const below = y + hidden;
    if (i >= 0 && i < d && below >= box.top && below <= box.top + box.height) {
      const [q, k] = [numbers[i], numbers[(settings.key + 1) * d + i]];
      const values = { i, q: exact(q), k: exact(k), product: exact(found.each[settings.key * d + i]) };
      return fill(head.words.dimension, values);
    }
    const key = this.pointed(panel, y);
    if (key === null) return null;
    return fill(found.allowed[key] ? head.words.detail : head.words.hidden, {
      key: labels[key],
      score: exact(found.scores[key]),
      scaled: exact(found.scores[key] / settings.divisor),
      weight: exact(found.all[key]),
      own: exact(found.own[key]),
      written: exact(found.all[key] * found.lengths[key]),
    });
  },
};

export default component(row);
