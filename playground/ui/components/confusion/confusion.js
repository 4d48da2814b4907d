// A confusion matrix of buttons. All text comes in through `data`, and leaves as textContent.

const STRONGEST = 55; // per cent of colour for a cell that has all items of its row

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".confusion");
  // the time makes the same choice a new one
  root.choose = (row, column) => setStateValue("cell", { row, column, when: Date.now() });
  const signature = JSON.stringify(data);
  if (root.signature === signature) return;
  root.signature = signature;
  const focused = root.querySelector(":focus")?.dataset.place;
  root.replaceChildren(matrix(root, data), legend(data));
  if (focused) root.querySelector(`[data-place="${focused}"]`)?.focus();
}

function matrix(root, data) {
  const { counts, names, words } = data;
  const table = element("table", "matrix");
  table.setAttribute("aria-label", words.matrix);
  const top = element("tr");
  top.append(element("td", "axis", words.right), headed("col", words.answer, names.length, "axis"));
  const head = element("tr");
  head.append(element("td"), ...names.map((name) => headed("col", name, 1, "name")));
  table.append(top, head, ...counts.map((row, at) => line(root, data, row, at)));
  listen(table, names.length);
  const first = table.querySelector("button:not(:disabled)");
  const chosen = table.querySelector("button[aria-pressed='true']");
  if (chosen ?? first) (chosen ?? first).tabIndex = 0;
  return table;
}

function headed(scope, text, span, className) {
  const node = element("th", className, text);
  node.scope = scope;
  node.colSpan = span;
  return node;
}

function line(root, { names, selected, words }, row, at) {
  const node = element("tr");
  const total = row.reduce((sum, n) => sum + n, 0);
  const cells = row.map((n, column) => {
    const cell = element("td");
    const button = element("button", at === column ? "cell good" : "cell bad", String(n));
    button.type = "button";
    button.disabled = n === 0;
    button.tabIndex = -1;
    button.dataset.place = `${at} ${column}`;
    button.style.setProperty("--tint", `${total ? (STRONGEST * n) / total : 0}%`);
    button.setAttribute("aria-pressed", String(Boolean(selected) && selected[0] === at && selected[1] === column));
    button.setAttribute("aria-label", fill(words.cell, { row: names[at], column: names[column], n }));
    button.addEventListener("click", () => root.choose(at, column));
    cell.append(button);
    return cell;
  });
  node.append(headed("row", names[at], 1, "name"), ...cells);
  return node;
}

function legend({ words }) {
  const node = element("div", "legend");
  const sample = (kind, text) => {
    const one = element("span", `sample ${kind}`, text);
    one.style.setProperty("--tint", `${STRONGEST / 2}%`);
    return one;
  };
  node.append(sample("good", words.good), sample("bad", words.bad), `${words.more} · ${words.hint}`);
  return node;
}

/** Arrow keys move from cell to cell, past those that are empty. */
function listen(table, n) {
  table.addEventListener("keydown", (event) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const place = event.target.closest?.("button")?.dataset.place;
    if (!step || !place) return;
    event.preventDefault();
    let [row, column] = place.split(" ").map(Number);
    for (;;) {
      row += step[0];
      column += step[1];
      if (row < 0 || column < 0 || row >= n || column >= n) return;
      const next = table.querySelector(`[data-place="${row} ${column}"]`);
      if (next.disabled) continue;
      for (const one of table.querySelectorAll("button[tabindex='0']")) one.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      return;
    }
  });
}
