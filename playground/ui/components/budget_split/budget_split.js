// One budget, spent on parameters or on tokens. The slider moves in the browser alone: nothing is sent.

const HIGH = 290, EDGE = { left: 54, right: 16, top: 14, bottom: 44 };
const STEPS = 400, DECADES = 2.2; // of the slider: to both sides of the best split
const CURVE = 120;
const COLOURS = { curve: "#7D858E", mine: "#0072B2", best: "#009E73", rule: "#E69F00" };
const SIGNS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** Three digits of an amount: 12.3k, 1.5M, 70B, 1.4T, 3.15·10²³; as playground/ui/scaling/amounts.py. */
export function short(value) {
  if (!(value > 0)) return "0";
  const rounded = Number(value.toExponential(2));
  const power = Math.floor(Math.log10(rounded) + 1e-9);
  if (power >= 15 || power < -3) {
    const digits = String(Number((rounded / 10 ** power).toPrecision(3)));
    return `${digits}·10${[...String(power)].map((sign) => SIGNS[sign]).join("")}`;
  }
  const group = Math.max(0, Math.floor(power / 3));
  return `${Number((rounded / 10 ** (3 * group)).toPrecision(3))}${["", "k", "M", "B", "T"][group]}`;
}

/** Predicted loss, as playground/core/scaling_laws.py. */
export const lossOf = (law, n, d) => law.E + law.A * n ** -law.alpha + law.B * d ** -law.beta;

/** Parameters and tokens where the slider stands: 0 is the smallest model, 1 the largest. */
export function splitAt(budget, best, at) {
  const n = best * 10 ** ((2 * at - 1) * DECADES);
  return [n, budget / (6 * n)];
}

export default renewed(({ parentElement, data }) => {
  const root = parentElement.querySelector(".budget-split");
  const signature = JSON.stringify(data);
  if (root.signature !== signature) {
    build(root, data);
    root.at = keptPlace(root, data);
    root.signature = signature;
  }
  const slider = root.querySelector("input");
  slider.value = Math.round(root.at * STEPS);
  const stop = new AbortController();
  slider.addEventListener("input", () => {
    root.at = Number(slider.value) / STEPS;
    paint(root, data);
  }, { signal: stop.signal });
  const watch = new ResizeObserver(() => paint(root, data));
  watch.observe(root);
  paint(root, data);
  return () => {
    stop.abort();
    watch.disconnect();
  };
});

/** The size that the reader had chosen, where this budget has it; at first a model that is too large. */
function keptPlace(root, { best }) {
  if (root.chosen === undefined) return 0.8;
  const at = (Math.log10(root.chosen / best[0]) / DECADES + 1) / 2;
  return at >= 0 && at <= 1 ? at : 0.8;
}

function build(root, { words }) {
  const slider = el("input", { type: "range", min: 0, max: STEPS, "aria-label": words.slider });
  const ends = element("div", "ends");
  ends.append(element("span", "", words.few), element("span", "", words.many));
  const said = element("p", "said");
  said.setAttribute("aria-live", "polite");
  const legend = element("div", "legend");
  for (const name of ["mine", "best", ...(words.marked ? ["rule"] : [])]) {
    const sign = element("span", `sign ${name}`);
    legend.append(sign, element("span", "", words[name]));
  }
  root.replaceChildren(element("p", "question", words.slider), slider, ends, element("div", "picture"), legend, said);
}

function paint(root, data) {
  const { law, budget, best, rule, words, language } = data;
  const [n, d] = splitAt(budget, best[0], root.at);
  root.chosen = n;
  const curve = Array.from({ length: CURVE + 1 }, (_, i) => {
    const [size, tokens] = splitAt(budget, best[0], i / CURVE);
    return [size, lossOf(law, size, tokens)];
  });
  const loss = lossOf(law, n, d), least = lossOf(law, ...best);
  root.querySelector(".picture").replaceChildren(drawn(root, { curve, mine: [n, loss], best: [best[0], least], rule, budget, law, words }));
  const shown = (value) => value.toLocaleString(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  const told = (template, size, tokens, value) =>
    fill(template, { n: short(size), d: short(tokens), ratio: short(tokens / size), loss: shown(value), token: words.token });
  root.querySelector(".said").textContent = `${told(words.said, n, d, loss)} ${told(words.better, ...best, least)}`;
}

function drawn(root, { curve, mine, best, rule, budget, law, words }) {
  const theme = pageTheme(root);
  const wide = Math.max(260, sizeOf(root).width);
  const [first, last] = [curve[0][0], curve[CURVE][0]];
  const losses = curve.map(([, loss]) => loss);
  const low = Math.min(...losses), high = Math.max(low * 1.05, Math.min(Math.max(...losses), low + 1.6 * (law.E > 0 ? Math.max(low - law.E, low * 0.2) : low)));
  const pad = (high - low) * 0.08;
  const x = (n) => EDGE.left + ((Math.log(n) - Math.log(first)) / (Math.log(last) - Math.log(first))) * (wide - EDGE.left - EDGE.right);
  const y = (loss) => EDGE.top + ((high + pad - Math.min(loss, high + pad)) / (high - low + 2 * pad)) * (HIGH - EDGE.top - EDGE.bottom);
  const picture = svg("svg", { width: wide, height: HIGH, role: "img", "aria-label": words.picture });
  const text = (at, below, said, more = {}) =>
    picture.append(svg("text", { x: at, y: below, fill: theme.text, "font-size": 12, "font-family": theme.font, "text-anchor": "middle", ...more }, said));
  const line = (from, to, stroke, more = {}) =>
    picture.append(svg("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], stroke, ...more }));
  const bottom = HIGH - EDGE.bottom;
  line([EDGE.left, bottom], [wide - EDGE.right, bottom], theme.line);
  const every = wide < 480 ? 2 : 1;
  for (let power = Math.ceil(Math.log10(first)); 10 ** power <= last; power += every) {
    line([x(10 ** power), bottom], [x(10 ** power), bottom + 5], theme.line);
    text(x(10 ** power), bottom + 18, short(10 ** power));
  }
  text((EDGE.left + wide - EDGE.right) / 2, HIGH - 8, words.x, { "font-weight": 600 });
  for (let i = 0; i <= 4; i++) {
    const value = low + ((high - low) * i) / 4;
    line([EDGE.left, y(value)], [wide - EDGE.right, y(value)], theme.line, { "stroke-opacity": 0.5 });
    text(EDGE.left - 6, y(value) + 4, fixed(value, 2), { "text-anchor": "end" });
  }
  text(EDGE.left + 6, EDGE.top + 4, words.y, { "text-anchor": "start", "font-weight": 600 });
  const path = curve.map(([n, loss], i) => `${i ? "L" : "M"}${Math.round(x(n) * 10) / 10} ${Math.round(y(loss) * 10) / 10}`).join("");
  picture.append(svg("path", { d: path, fill: "none", stroke: COLOURS.curve, "stroke-width": 2.5 }));
  if (rule > 0) {
    const n = Math.sqrt(budget / (6 * rule));
    if (n > first && n < last) line([x(n), EDGE.top + 14], [x(n), bottom], COLOURS.rule, { "stroke-width": 2, "stroke-dasharray": "2 4" });
  }
  line([x(best[0]), y(best[1])], [x(best[0]), bottom], COLOURS.best, { "stroke-dasharray": "5 4", "stroke-width": 1.5 });
  line([x(mine[0]), y(mine[1])], [x(mine[0]), bottom], COLOURS.mine, { "stroke-width": 1.5 });
  const [bx, by] = [x(best[0]), y(best[1])];
  picture.append(svg("path", { d: `M${bx} ${by - 8}l8 8l-8 8l-8 -8z`, fill: COLOURS.best }));
  picture.append(svg("circle", { cx: x(mine[0]), cy: y(mine[1]), r: 7, fill: COLOURS.mine, stroke: theme.paper, "stroke-width": 1.5 }));
  return picture;
}
