// A text with marks, and its tokens with labels. All text comes in through `data`, and leaves as textContent.

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".tagged-text");
  const places = Object.fromEntries(data.kinds.map(([kind], at) => [kind, at]));
  const used = data.views.flatMap(({ parts }) => parts.map(([, kind]) => kind));
  const nodes = data.views.flatMap((view) => [element("div", "title", view.title), text(view, places)]);
  const legend = element("div", "legend");
  legend.append(...data.kinds.map(([kind, words]) => sample(kind, words, places, used.includes(kind))));
  nodes.push(legend);
  if (data.tokens.length) nodes.push(element("div", "title", data.words.tokens), tokens(data, places));
  root.replaceChildren(...nodes);
}

function text({ parts, dir }, places) {
  const node = element("p", "text");
  node.dir = dir;
  node.append(...parts.map(([characters, kind]) => (kind ? mark(characters, kind, places) : characters)));
  return node;
}

function mark(characters, kind, places) {
  const node = element("mark", `kind k${places[kind]}`, characters);
  node.append(element("span", "tag", kind));
  return node;
}

function sample(kind, words, places, isUsed) {
  const node = element("span", isUsed ? "sample" : "sample unused");
  node.append(element("span", `kind k${places[kind]}`, kind), ` ${words}`);
  return node;
}

function tokens({ tokens: all, views }, places) {
  const row = element("div", "tokens");
  row.dir = views[0]?.dir ?? "ltr";
  row.append(
    ...all.map(([token, label, share]) => {
      const kind = label.split("-")[1];
      const node = element("span", kind ? `token kind k${places[kind]}` : "token");
      if (label.startsWith("I-")) node.classList.add("inside");
      node.append(element("span", "piece", token), element("span", "label", label));
      node.append(element("span", "share", `${Math.round(100 * share)}\u00a0%`));
      return node;
    }),
  );
  return row;
}
