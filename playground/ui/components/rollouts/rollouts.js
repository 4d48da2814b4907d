// Reward and KL of runs over their rollouts, with the answers of one. The slider moves in the browser alone.

const HIGH = 118, GAP = 26, EDGE = { left: 50, right: 14, top: 18, bottom: 34 };
const LOOKS = {
  free: { colour: "#D55E00", dash: "", sign: "circle" },
  leashed: { colour: "#0072B2", dash: "6 3", sign: "square" },
  live: { colour: "#009E73", dash: "2 3", sign: "diamond" },
};

export default renewed(({ parentElement, data }) => {
  const root = parentElement.querySelector(".rollouts");
  const signature = JSON.stringify(data);
  if (root.signature !== signature) {
    build(root, data);
    root.signature = signature;
  }
  const reached = Math.max(0, ...data.runs.map((one) => one.rewards.length - 1));
  const place = () => Math.min(data.last, root.at ?? data.first ?? reached);
  const slider = root.querySelector("input");
  slider.value = place();
  const stop = new AbortController();
  slider.addEventListener("input", () => {
    root.at = Number(slider.value);
    paint(root, data, place());
  }, { signal: stop.signal });
  const watch = new ResizeObserver(() => paint(root, data, place()));
  watch.observe(root);
  paint(root, data, place());
  return () => {
    stop.abort();
    watch.disconnect();
  };
});

function build(root, { runs, last, words }) {
  const slider = el("input", { type: "range", min: 0, max: last, step: 1, "aria-label": words.slider });
  const head = element("div", "head");
  head.append(element("span", "question", words.slider), element("output", "at"), slider);
  const written = element("div", "written");
  for (const one of runs) {
    const column = element("section", `run ${one.kind}`);
    const title = element("div", "title");
    title.append(element("span", `sign ${one.kind}`), element("b", "", one.name));
    const said = element("p", "said");
    said.setAttribute("aria-live", "polite");
    column.append(title, said, element("div", "answers"));
    written.append(column);
  }
  const both = element("div", "together");
  both.append(element("div", "picture"), written);
  root.replaceChildren(head, both);
}

function paint(root, data, at) {
  const { runs, words, language } = data;
  // means of eight answers end in 5: round them as Python does, so that the sentence below says the same
  const two = (value) => value.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2, roundingMode: "halfEven" });
  const brief = (value) => value.toLocaleString(language, { maximumFractionDigits: 2 });
  root.querySelector(".at").textContent = String(at);
  root.querySelector(".picture").replaceChildren(drawn(root, data, at));
  root.querySelectorAll(".run").forEach((node, i) => {
    const one = runs[i], isThere = at < one.rewards.length;
    const values = isThere ? { n: at, reward: two(one.rewards[at]), kl: two(one.kl[at]) } : null;
    node.querySelector(".said").textContent = values ? fill(words.at, values) : words.none;
    const lines = (isThere ? one.answers[at] ?? [] : []).map(([said, reward]) => {
      const line = element("p", "answer");
      line.dir = "auto";
      line.append(element("span", "worth", fill(words.worth, { value: brief(reward) })), element("span", "text", said || words.empty));
      return line;
    });
    node.querySelector(".answers").replaceChildren(...lines);
  });
}

function drawn(root, { runs, last, words }, at) {
  const theme = pageTheme(root);
  const wide = Math.max(260, sizeOf(root.querySelector(".picture")).width);
  const high = EDGE.top + 2 * HIGH + GAP + EDGE.bottom;
  const picture = svg("svg", { width: wide, height: high, role: "img", "aria-label": words.picture });
  const right = wide - EDGE.right;
  const x = (rollout) => EDGE.left + (rollout / Math.max(1, last)) * (right - EDGE.left);
  const text = (to, below, said, more = {}) =>
    picture.append(svg("text", { x: to, y: below, fill: theme.text, "font-size": 12, "font-family": theme.font, "text-anchor": "middle", ...more }, said));
  for (const [row, field, title] of [[0, "rewards", words.reward], [1, "kl", words.kl]]) {
    const top = EDGE.top + row * (HIGH + GAP);
    const values = runs.flatMap((one) => one[field]);
    const [low, most] = axisOf(values, field === "kl");
    const y = (value) => top + ((most - value) / (most - low)) * HIGH;
    for (const part of [0, 0.5, 1]) {
      const value = low + part * (most - low);
      picture.append(svg("line", { x1: EDGE.left, x2: right, y1: y(value), y2: y(value), stroke: theme.line }));
      text(EDGE.left - 6, y(value) + 4, fixed(value, most - low < 4 ? 1 : 0), { "text-anchor": "end" });
    }
    text(EDGE.left, top - 5, title, { "text-anchor": "start", "font-weight": 600 });
    picture.append(svg("line", { x1: x(at), x2: x(at), y1: top, y2: top + HIGH, stroke: theme.text, "stroke-width": 1.5, "stroke-opacity": 0.6 }));
    for (const one of runs) line(picture, one[field].map((value, i) => [x(i), y(value)]), LOOKS[one.kind], theme, at);
  }
  const bottom = high - EDGE.bottom;
  const every = Math.max(1, Math.ceil(last / (wide < 480 ? 5 : 10)));
  for (let rollout = 0; rollout <= last; rollout += every) text(x(rollout), bottom + 16, String(rollout));
  text((EDGE.left + right) / 2, high - 3, words.slider, { "font-weight": 600 });
  return picture;
}

function line(picture, points, { colour, dash, sign }, theme, at) {
  if (!points.length) return;
  const path = points.map(([px, py], i) => `${i ? "L" : "M"}${fixed(px, 1)} ${fixed(py, 1)}`).join("");
  picture.append(svg("path", { d: path, fill: "none", stroke: colour, "stroke-width": 2.2, "stroke-dasharray": dash }));
  const place = points[at];
  if (!place) return;
  const [cx, cy] = place, look = { fill: colour, stroke: theme.paper, "stroke-width": 1.5 };
  if (sign === "circle") picture.append(svg("circle", { cx, cy, r: 6, ...look }));
  else if (sign === "square") picture.append(svg("rect", { x: cx - 5.5, y: cy - 5.5, width: 11, height: 11, ...look }));
  else picture.append(svg("path", { d: `M${cx} ${cy - 7}l7 7l-7 7l-7 -7z`, ...look }));
}

/** Ends of an axis: 0 is on it; 1, 2, 5 or 10 times a power of ten around the values. */
export function axisOf(values, isPositive) {
  const nice = (value) => {
    if (!(value > 0)) return 0;
    const ten = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].map((times) => times * ten).find((end) => end >= value * 0.999);
  };
  const low = isPositive ? 0 : -nice(-Math.min(0, ...values));
  return [low, nice(Math.max(0, ...values)) || (low < 0 ? 0 : 1)];
}
