// Lists of chunks side by side. All text comes in through `data`, and leaves as textContent.

export default renewed(({ parentElement, data, setStateValue }) => {
  const root = parentElement.querySelector(".hit-lists");
  const signature = JSON.stringify(data.lists);
  if (root.signature !== signature) build(root, data);
  root.signature = signature;
  for (const node of root.querySelectorAll(".card")) {
    node.setAttribute("aria-pressed", String(Number(node.dataset.number) === data.selected));
  }
  return listen(root, setStateValue);
});

function build(root, { lists, words }) {
  const row = element("div", "row");
  row.append(...lists.map((one) => column(one, words)));
  const legend = element("div", "legend");
  if (lists.some(({ cards }) => cards.some(({ marks }) => marks.length))) {
    legend.append(element("mark", "", "abc"), element("span", "", words.marked));
  }
  legend.append(element("span", "", words.hint));
  root.replaceChildren(row, legend);
}

function column({ name, score, cards }, words) {
  const list = el("ol", { "aria-label": name });
  list.append(...cards.map((one, rank) => el("li", {}, card(one, rank))));
  const head = element("div", "head");
  head.append(element("strong", "", name), element("span", "score", score));
  const node = element("section", "column");
  node.append(head, cards.length ? list : element("p", "none", words.none));
  return node;
}

function card({ number, value, place, text, marks, note }, rank) {
  const node = el("button", { type: "button", class: "card", "data-number": number });
  const top = element("span", "top");
  top.append(element("span", "rank", String(rank + 1)), element("span", "value", value), element("span", "place", place));
  const body = element("span", "text");
  const letters = [...text];
  let from = 0;
  const piece = (start, end) => letters.slice(start, end).join("");
  for (const [start, end] of marks) {
    body.append(piece(from, start), element("mark", "", piece(start, end)));
    from = end;
  }
  body.append(piece(from, letters.length));
  node.append(top, body);
  if (note) node.append(element("span", "note", note));
  return node;
}

function listen(root, setStateValue) {
  const stop = new AbortController();
  const on = (name, act) => root.addEventListener(name, act, { signal: stop.signal });
  const light = (event, lit) => {
    const number = event.target.closest?.(".card")?.dataset.number;
    for (const node of root.querySelectorAll(".card")) node.classList.toggle("lit", lit && node.dataset.number === number);
  };
  for (const name of ["pointerover", "focusin"]) on(name, (event) => light(event, true));
  for (const name of ["pointerleave", "focusout"]) on(name, (event) => light(event, false));
  on("click", (event) => {
    const node = event.target.closest?.(".card");
    if (node) setStateValue("picked", { number: Number(node.dataset.number), at: Date.now() });
  });
  return () => stop.abort();
}
