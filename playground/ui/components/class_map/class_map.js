// The class by page. Nicknames come in through `data` and leave as textContent.

export default renewed(({ parentElement, data }) => {
  const root = parentElement.querySelector(".class-map");
  const signature = JSON.stringify(data);
  if (root.signature !== signature) {
    root.signature = signature;
    root.replaceChildren(...drawn(data));
  }
  return () => {};
});

function drawn({ rows, n_others: others, words }) {
  const list = element("dl", "rows");
  list.setAttribute("aria-label", words.map);
  for (const [title, here, away] of rows) list.append(...row(title, here, away, words));
  if (!rows.length) list.append(element("dt", "page quiet", words.nobody), element("dd", "chips", ""));
  const unknown = element("dd", "chips");
  unknown.append(element("b", "count", String(others)), chip("", "other"));
  list.append(element("dt", "page quiet", words.others), unknown);
  return [list, legend(words)];
}

function row(title, here, away, words) {
  const chips = element("dd", "chips");
  chips.append(
    element("b", "count", String(here.length)),
    ...here.map((name) => chip(name, "here")),
    ...away.map((name) => chip(name, "away", words.away)),
  );
  return [element("dt", "page", title), chips];
}

function chip(name, kind, told) {
  const node = element("span", `chip ${kind}`, name);
  node.dir = "auto";
  if (told) {
    node.title = told;
    node.append(element("span", "unseen", ` (${told})`));
  }
  return node;
}

function legend(words) {
  const line = element("div", "legend");
  for (const kind of ["here", "away", "other"]) {
    const part = element("span", "part");
    part.append(chip("", kind), document.createTextNode(` ${words[kind === "other" ? "others" : kind]}`));
    line.append(part);
  }
  line.setAttribute("aria-hidden", "true");
  return line;
}
