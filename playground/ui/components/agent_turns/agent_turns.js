// A run of an agent as cards. All text comes in through `data` and reaches the page only as textContent.

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".agent-turns");
  const signature = JSON.stringify(data);
  if (root.signature === signature) return;
  const opened = new Set([...root.querySelectorAll("details[open]")].map((one) => one.dataset.prompt));
  root.signature = signature;
  const list = element("ol", "turns");
  list.setAttribute("aria-label", data.words.turns);
  data.turns.forEach((turn) => list.append(drawTurn(turn, data.words, opened)));
  root.replaceChildren(list);
}

function drawTurn({ told, cards, prompt, written }, words, opened) {
  const item = element("li", "turn");
  if (told) item.append(element("div", "told", told));
  for (const [kind, name, text, note, dir] of cards) {
    const card = element("div", `card ${kind}`);
    card.append(element("span", "name", name));
    const said = element("span", "said", text);
    said.dir = dir;
    card.append(said);
    if (note) card.append(element("span", "note", note));
    item.append(card);
  }
  if (prompt) item.append(drawPrompt(prompt, written, words, opened));
  return item;
}

function drawPrompt(prompt, written, words, opened) {
  const details = element("details", "prompt");
  details.dataset.prompt = prompt;
  details.open = opened.has(prompt);
  details.append(element("summary", "", words.open));
  const text = element("pre", "text");
  text.tabIndex = 0;
  const added = element("mark", "written", written);
  added.title = words.written;
  text.append(element("span", "", prompt), added);
  details.append(text);
  return details;
}
