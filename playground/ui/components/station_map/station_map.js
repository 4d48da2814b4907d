// Groups of stations with arrows between them. All text comes in through `data`, and leaves as textContent.

const SIGNS = { done: "●", seen: "◐", open: "○", yes: "✓", no: "✕", unclear: "?" };

export default renewed(({ parentElement, data }) => {
  const root = parentElement.querySelector(".station-map");
  const signature = JSON.stringify(data);
  if (root.signature !== signature) build(root, data);
  root.signature = signature;
  const stop = new AbortController();
  root.addEventListener("click", open, { signal: stop.signal });
  return () => stop.abort();
});

/** A plain click stays in this tab and its session; with a key held, the browser does what it does with links. */
function open(event) {
  const link = event.target.closest?.("a");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  visit(link.getAttribute("href"));
}

function build(root, data) {
  const list = element("ol", "groups");
  list.setAttribute("aria-label", data.label);
  list.append(...data.groups.map(group));
  const nodes = [list];
  if (data.back) {
    const back = element("div", "back");
    back.append(element("span", "loop", "↻"), element("span", "words", data.back));
    nodes.push(back);
  }
  root.replaceChildren(...nodes);
}

function group({ title, stations }) {
  const node = element("li", "group");
  const list = element("ul", "stations");
  list.append(...stations.map(station));
  node.append(element("div", "title", title), list);
  return node;
}

function station([id, title, ask, fact, mark, told, link]) {
  const item = element("li", "item");
  const node = element("a", `station ${mark}`);
  node.href = link;
  node.dataset.id = id;
  const head = element("span", "head");
  const sign = element("span", "sign", SIGNS[mark]);
  sign.setAttribute("aria-hidden", "true");
  head.append(sign, element("span", "name", title));
  node.append(head, element("span", "ask", ask), element("span", "fact", fact || told));
  if (fact) node.append(element("span", "unseen", told));
  item.append(node);
  return item;
}
