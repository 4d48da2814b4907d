// Texts as tokens: matched n-grams are underlined, a line a length; a common subsequence is joined by lines.
// All text comes in through `data`, and leaves as textContent.

const GAP = 74; // pixels between two rows that lines join
const watchers = new WeakMap();

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".matched-tokens");
  watchers.get(root)?.disconnect();
  const texts = data.linked ? joined(data) : data.rows.flatMap((row) => [titled(row), tokens(row)]);
  root.replaceChildren(...[texts].flat(), ...product(data.factors), legend(data.legend));
  if (!data.linked) return;
  const watcher = new ResizeObserver(() => drawLines(root, data.links));
  watcher.observe(root);
  watchers.set(root, watcher);
  drawLines(root, data.links);
}

const titled = (row) => element("div", "title", row.title);

function tokens(row) {
  const line = element("div", "tokens");
  line.dir = row.dir;
  line.append(...row.tokens.map(token));
  if (!row.tokens.length) line.append(element("span", "none", "∅"));
  return line;
}

function token([label, orders, clipped]) {
  const node = element("span", clipped ? "token clipped" : "token");
  node.append(element("span", "label", label));
  const marks = element("span", "marks");
  for (const order of [1, 2, 3, 4]) marks.append(element("i", orders.includes(order) ? `mark n${order}` : "mark"));
  node.append(marks);
  return node;
}

function joined(data) {
  const [first, second] = data.rows;
  const scroller = element("div", "scroller");
  scroller.tabIndex = 0;
  const inside = element("div", "inside");
  const lines = svg("svg", { class: "lines", height: GAP, "aria-hidden": "true" });
  inside.append(tokens(first), lines, tokens(second));
  scroller.append(inside);
  return [titled(first), scroller, titled(second)];
}

function drawLines(root, links) {
  const inside = root.querySelector(".inside");
  const lines = inside.querySelector(".lines");
  const [above, below] = [...inside.querySelectorAll(".tokens")].map((row) => [...row.children]);
  const width = Math.max(...[above, below].map((row) => (row.length ? end(row[row.length - 1]) : 0)), 10);
  lines.setAttribute("width", width);
  const middle = (node) => node.offsetLeft + node.offsetWidth / 2;
  lines.replaceChildren(
    ...links.map(([i, j]) => svg("line", { x1: middle(above[i]), y1: 0, x2: middle(below[j]), y2: GAP })),
  );
  above.forEach((node, i) => node.classList.toggle("linked", links.some(([at]) => at === i)));
  below.forEach((node, j) => node.classList.toggle("linked", links.some(([, at]) => at === j)));
}

const end = (node) => node.offsetLeft + node.offsetWidth + 8;

function product(factors) {
  if (!factors.length) return [];
  const chain = element("div", "chain");
  for (const [sign, name, value, told] of factors) {
    const factor = element("div", sign === "=" ? "factor result" : "factor");
    factor.append(element("span", "name", name), element("span", "value", value), element("span", "told", told));
    const group = element("div", "group");
    if (sign) group.append(element("span", "sign", sign));
    group.append(factor);
    chain.append(group);
  }
  return [chain];
}

function legend(words) {
  const line = element("div", "legend");
  for (const [kind, text] of words) {
    const entry = element("span", "entry");
    entry.append(element("i", `swatch ${/\d/.test(kind) ? `n${kind}` : kind}`), element("span", "", text));
    line.append(entry);
  }
  return line;
}
