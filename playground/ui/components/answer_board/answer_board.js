// Answers with scores and a vote. All text comes in through `data`, and leaves as textContent.

export default renewed(({ parentElement, data, setStateValue }) => {
  const root = parentElement.querySelector(".answer-board");
  const signature = JSON.stringify(data);
  if (root.signature !== signature) build(root, data);
  root.signature = signature;
  const stop = new AbortController();
  const act = (event) => {
    const button = event.target.closest?.("button");
    if (!button || button.disabled) return;
    button.disabled = true; // until the board that knows of it comes
    root.signature = "";
    setStateValue("act", { deed: button.dataset.deed, number: Number(button.dataset.number), when: Date.now() });
  };
  root.addEventListener("click", act, { signal: stop.signal });
  return () => stop.abort();
});

function build(root, data) {
  const focused = root.getRootNode().activeElement?.dataset;
  const list = element("ol", "rows");
  list.setAttribute("aria-label", data.words.board);
  list.append(...data.rows.map((row) => drawn(row, data)));
  root.replaceChildren(list);
  if (focused?.number) list.querySelector(`[data-number="${focused.number}"][data-deed="${focused.deed}"]`)?.focus();
}

function drawn([number, text, kind, scores, votes, isMine, hasMyVote, dir], data) {
  const row = element("li", `row ${kind}`);
  const head = element("div", "head");
  head.append(element("span", "number", String(number)), element("span", "kind", isMine ? data.words.mine : data.kinds[kind]));
  const answer = element("div", "text", text);
  answer.dir = dir;
  const figures = element("div", "figures");
  for (const [i, score] of scores.entries()) {
    const figure = element("span", "figure");
    figure.append(element("span", "title", data.titles[i]), element("span", "value", score));
    figures.append(figure);
  }
  const buttons = element("div", "buttons");
  buttons.append(button("vote", number, `▲ ${votes}`, `${data.words.vote}: ${number}. ${data.words.votes}: ${votes}`, hasMyVote));
  if (isMine) buttons.append(button("withdraw", number, data.words.withdraw, `${data.words.withdraw}: ${number}`));
  row.append(head, answer, figures, buttons);
  return row;
}

function button(deed, number, text, label, pressed) {
  const node = element("button", deed, text);
  node.type = "button";
  Object.assign(node.dataset, { deed, number });
  node.setAttribute("aria-label", label);
  if (pressed !== undefined) node.setAttribute("aria-pressed", String(pressed));
  return node;
}
