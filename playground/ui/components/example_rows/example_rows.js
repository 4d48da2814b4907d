// Rows of tokens of a training example. All text comes in through `data`, and leaves as textContent.

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".example-rows");
  const legend = element("div", "legend");
  legend.append(...data.legend.map(([kind, words]) => element("span", `token ${kind}`, words)));
  root.replaceChildren(...data.rows.flatMap(drawn), legend);
}

function drawn({ title, pieces, dir }) {
  const row = element("div", "pieces");
  row.dir = dir;
  row.tabIndex = 0; // a long one scrolls
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", title);
  row.append(...pieces.map(piece));
  return [element("div", "title", title), row];
}

function piece([label, kind, below]) {
  const node = element("span", "piece");
  node.append(element("span", `token ${kind}`, label));
  if (below) node.append(element("span", "below", below));
  return node;
}
