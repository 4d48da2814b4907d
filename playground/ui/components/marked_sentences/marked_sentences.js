// An answer whose sentences are marked. All text comes in through `data` and reaches the page only as textContent.

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".marked-sentences");
  const signature = JSON.stringify(data);
  if (root.signature === signature) return;
  root.signature = signature;
  draw(root, data);
}

function draw(root, { sentences, dir, words }) {
  const legend = element("div", "legend");
  for (const verdict of ["both", "words", "vector", "neither"]) {
    legend.append(element("span", `sentence ${verdict}`, words[verdict]));
  }
  const text = element("div", "text");
  text.dir = dir;
  text.setAttribute("role", "group");
  text.setAttribute("aria-label", words.text);
  const detail = element("div", "detail");
  const marks = sentences.map(([said, verdict, told, source], at) => {
    const mark = element("button", `sentence ${verdict}`, said);
    mark.type = "button";
    mark.title = words[verdict];
    mark.addEventListener("click", () => choose(at));
    return mark;
  });
  const choose = (at) => {
    marks.forEach((mark, i) => mark.setAttribute("aria-pressed", String(i === at)));
    const [, , told, source] = sentences[at];
    detail.replaceChildren(element("p", "told", told));
    if (source) detail.append(element("p", "name", words.nearest), element("p", "source", source));
  };
  text.append(...marks);
  root.replaceChildren(legend, text, detail, element("div", "hint", words.hint));
  if (marks.length) choose(0);
}
