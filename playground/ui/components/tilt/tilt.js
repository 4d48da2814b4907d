// A reference tilted by a reward. The slider moves in the browser alone: nothing is sent.

const STEPS = 300, CURVE = 120;
const CURVE_HIGH = 230, EDGE = { left: 52, right: 16, top: 18, bottom: 40 };
const COLOURS = { before: "#56B4E9", after: "#D55E00", best: "#7D858E", trained: ["#0072B2", "#009E73"] };

/** Probabilities proportional to p exp(reward / beta), expected reward and KL; as core/policy/outcomes.py. */
export function tiltedBy(probs, rewards, beta) {
  const most = Math.max(...rewards.filter((_, i) => probs[i] > 0));
  const raw = probs.map((p, i) => (p > 0 ? p * Math.exp((rewards[i] - most) / beta) : 0));
  const sum = raw.reduce((all, one) => all + one, 0);
  const after = raw.map((one) => one / sum);
  const reward = after.reduce((all, q, i) => all + q * rewards[i], 0);
  const kl = after.reduce((all, q, i) => all + (q > 0 ? q * Math.log(q / probs[i]) : 0), 0);
  return { after, reward, kl: Math.max(0, kl) };
}

const betaAt = ([low, high], at) => low * (high / low) ** (at / STEPS);
const placeOf = ([low, high], beta) => Math.round((STEPS * Math.log(beta / low)) / Math.log(high / low));

export default renewed(({ parentElement, data }) => {
  const root = parentElement.querySelector(".tilt");
  const signature = JSON.stringify(data);
  if (root.signature !== signature) {
    build(root, data);
    root.at ??= placeOf(data.ends, data.beta);
    root.signature = signature;
  }
  const slider = root.querySelector("input");
  slider.value = root.at;
  const stop = new AbortController();
  slider.addEventListener("input", () => {
    root.at = Number(slider.value);
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

function build(root, { words, labels, rewards, rest, trained, language }) {
  const slider = el("input", { type: "range", min: 0, max: STEPS, "aria-label": words.slider });
  const ends = element("div", "ends");
  ends.append(element("span", "", words.short), element("span", "", words.long));
  const said = element("p", "said");
  said.setAttribute("aria-live", "polite");
  const bars = el("div", { class: "bars", role: "img", "aria-label": words.bars });
  labels.forEach((label, i) => bars.append(row(label, fill(words.reward, { value: short(rewards[i], language) }))));
  if (rest[0].length) bars.append(row(words.rest, ""));
  root.replaceChildren(
    element("p", "question", words.slider), slider, ends, said,
    element("div", "curve"), legend([["best", words.best], ["now", words.now], ...trained.map((one, i) => [`trained-${i}`, one.name])]),
    legend([["before", words.before], ["after", words.after]]), bars,
  );
}

function row(label, reward) {
  const one = element("div", "row");
  const name = element("span", "name", label);
  name.dir = "auto";
  const both = element("span", "both");
  both.append(element("span", "bar before"), element("span", "bar after"));
  const numbers = element("span", "numbers");
  numbers.append(element("span", "before"), element("span", "after"));
  one.append(name, element("span", "worth", reward), both, numbers);
  return one;
}

function legend(entries) {
  const list = element("div", "legend");
  for (const [name, said] of entries) list.append(element("span", `sign ${name}`), element("span", "", said));
  return list;
}

const short = (value, language) => value.toLocaleString(language, { maximumSignificantDigits: 3 });
const share = (value) => `${value === 0 || value >= 0.001 ? fixed(100 * value, 1) : Number((100 * value).toPrecision(2))} %`;

function paint(root, data) {
  const { probs, rewards, rest, ends, words, language } = data;
  const beta = betaAt(ends, root.at);
  const [all, worth] = [[...probs, ...rest[0]], [...rewards, ...rest[1]]];
  const found = tiltedBy(all, worth, beta);
  const before = all.reduce((sum, p, i) => sum + p * worth[i], 0);
  const others = (values) => values.slice(probs.length).reduce((sum, one) => sum + one, 0);
  root.querySelectorAll(".row").forEach((node, i) => {
    const [p, q] = i < probs.length ? [all[i], found.after[i]] : [others(all), others(found.after)];
    node.querySelector(".bar.before").style.width = `${100 * p}%`;
    node.querySelector(".bar.after").style.width = `${100 * q}%`;
    node.querySelector(".numbers .before").textContent = share(p);
    node.querySelector(".numbers .after").textContent = share(q);
  });
  const two = (value) => value.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  root.querySelector(".said").textContent = fill(words.said, {
    beta: short(beta, language), before: two(before), after: two(found.reward), kl: two(found.kl), left: two(found.reward - beta * found.kl),
  });
  const line = Array.from({ length: CURVE + 1 }, (_, i) => {
    const one = tiltedBy(all, worth, betaAt(ends, (STEPS * i) / CURVE));
    return [one.kl, one.reward];
  });
  root.querySelector(".curve").replaceChildren(drawn(root, { line: [[0, before], ...line.reverse()], now: [found.kl, found.reward], data }));
}

function drawn(root, { line, now, data }) {
  const { trained, words } = data;
  const theme = pageTheme(root);
  const wide = Math.max(260, sizeOf(root).width);
  const points = [...line, ...trained.flatMap((one) => one.points)];
  const xEnd = niceEnd(Math.max(0.1, ...points.map(([kl]) => kl)));
  const ys = points.map(([, reward]) => reward);
  const [low, high] = roomy(Math.min(...ys), Math.max(...ys));
  const right = wide - EDGE.right, bottom = CURVE_HIGH - EDGE.bottom;
  const x = (kl) => EDGE.left + (kl / xEnd) * (right - EDGE.left);
  const y = (reward) => EDGE.top + ((high - reward) / (high - low)) * (bottom - EDGE.top);
  const picture = svg("svg", { width: wide, height: CURVE_HIGH, role: "img", "aria-label": words.curve });
  const text = (at, below, said, more = {}) =>
    picture.append(svg("text", { x: at, y: below, fill: theme.text, "font-size": 12, "font-family": theme.font, "text-anchor": "middle", ...more }, said));
  for (let i = 0; i <= 4; i++) {
    const [kl, reward] = [(xEnd * i) / 4, low + ((high - low) * i) / 4];
    picture.append(svg("line", { x1: EDGE.left, x2: right, y1: y(reward), y2: y(reward), stroke: theme.line, "stroke-opacity": 0.6 }));
    text(EDGE.left - 6, y(reward) + 4, fixed(reward, high - low < 4 ? 2 : 1), { "text-anchor": "end" });
    text(x(kl), bottom + 16, fixed(kl, xEnd < 4 ? 2 : 1));
  }
  text((EDGE.left + right) / 2, CURVE_HIGH - 6, words.x, { "font-weight": 600 });
  text(EDGE.left + 6, EDGE.top - 4, words.y, { "text-anchor": "start", "font-weight": 600 });
  const joined = (list) => list.map(([kl, reward], i) => `${i ? "L" : "M"}${fixed(x(kl), 1)} ${fixed(y(reward), 1)}`).join("");
  picture.append(svg("path", { d: joined(line), fill: "none", stroke: COLOURS.best, "stroke-width": 2.5 }));
  trained.forEach((one, i) => {
    const look = { fill: COLOURS.trained[i], stroke: theme.paper };
    picture.append(svg("path", { d: joined(one.points), fill: "none", stroke: COLOURS.trained[i], "stroke-width": 1.2, "stroke-dasharray": i ? "2 3" : "6 3" }));
    one.points.forEach(([kl, reward]) =>
      picture.append(i ? svg("rect", { x: x(kl) - 3.5, y: y(reward) - 3.5, width: 7, height: 7, ...look }) : svg("circle", { cx: x(kl), cy: y(reward), r: 4, ...look })));
  });
  picture.append(svg("circle", { cx: x(now[0]), cy: y(now[1]), r: 7, fill: COLOURS.after, stroke: theme.paper, "stroke-width": 1.5 }));
  return picture;
}

/** 1, 2, 4 or 8 times a power of ten, at or above a value. */
export function niceEnd(value) {
  const ten = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 8, 10].map((times) => times * ten).find((end) => end >= value - 1e-12);
}

/** Ends of an axis with a little room around two values, which may be one. */
export function roomy(low, high) {
  const room = Math.max(high - low, 0.1 * Math.abs(high), 0.1) * 0.08;
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}
