// Two answers to a prompt. All text comes in through `data` and reaches the page only as textContent.

const TINT = 70; // per cent of colour for the largest surprisal

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".answer-cards");
  const signature = JSON.stringify(data);
  if (root.signature === signature) return;
  root.signature = signature;
  draw(root, data);
}

function draw(root, data) {
  const prompt = element("p", "prompt");
  prompt.append(element("span", "name", `${data.words.prompt}: `), element("span", "", data.prompt));
  const cards = element("div", "cards");
  cards.append(...data.cards.map((one) => card(one, data)));
  root.replaceChildren(prompt, cards, legend(data));
}

function card(one, { words, most }) {
  const node = element("section", one.chosen ? "card chosen" : "card");
  const name = fill(words.answer, { name: one.name });
  node.setAttribute("aria-label", name);
  const tokens = element("div", "tokens");
  tokens.dir = one.dir;
  tokens.tabIndex = 0; // it may scroll
  tokens.append(...one.labels.map((label, at) => chip(label, one.bits[at], words, most)));
  node.append(
    element("div", "name", one.chosen ? `${name} · ${words.chosen}` : name),
    tokens,
    element("div", "total", one.total),
  );
  return node;
}

function chip(label, bits, words, most) {
  const node = element("span", "token", label);
  node.style.setProperty("--tint", `${tint(bits, most)}%`);
  node.title = fill(words.bits, { n: fixed(bits, 2) });
  return node;
}

const tint = (bits, most) => (TINT * Math.min(bits, most)) / most;

function legend({ most, words }) {
  const node = element("div", "legend", `${words.legend}: `);
  for (const bits of [0, 1, 4, 8, most]) {
    const said = fill(bits === 1 ? words.bit : words.bits, { n: bits === most ? `${most}+` : bits });
    const one = element("span", "token", said);
    one.style.setProperty("--tint", `${tint(bits, most)}%`);
    node.append(one);
  }
  return node;
}
