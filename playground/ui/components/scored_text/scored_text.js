// A text coloured by surprisal. All text comes in through `data` and reaches the page only as textContent.

const TINT = 70; // per cent of colour for the largest surprisal

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".scored-text");
  // the time makes the same wish a new one
  root.branch = (at, id) => setStateValue("branch", { at, id, when: Date.now() });
  const signature = JSON.stringify(data);
  if (root.signature !== signature) {
    root.signature = signature;
    draw(root, data);
  }
}

function draw(root, data) {
  const text = element("div", "tokens");
  text.dir = data.dir;
  text.setAttribute("role", "listbox");
  text.setAttribute("aria-label", data.words.text);
  const chips = data.labels.map((_, at) => chip(data, at));
  text.append(...chips);
  const detail = element("div", "detail");
  root.replaceChildren(legend(data), text, detail, element("div", "hint", data.words.hint));
  const choose = (at) => {
    chips.forEach((one, i) => {
      one.setAttribute("aria-selected", String(i === at));
      one.tabIndex = i === at ? 0 : -1;
    });
    describe(detail, data, at, root);
  };
  choose(data.selected);
  listen(text, chips, choose);
}

function chip({ labels, bits, most }, at) {
  const node = element("span", bits[at] === null ? "token first" : "token", labels[at]);
  node.dataset.position = at;
  node.style.setProperty("--tint", `${tint(bits[at] ?? 0, most)}%`);
  node.setAttribute("role", "option");
  return node;
}

const tint = (bits, most) => (TINT * Math.min(bits, most)) / most;

function legend({ most, words }) {
  const node = element("div", "legend", `${words.legend}: `);
  for (const bits of [0, 1, 2, 4, 8, most]) {
    const said = fill(bits === 1 ? words.bit : words.bits, { n: bits === most ? `${most}+` : bits });
    const one = element("span", "token", said);
    one.style.setProperty("--tint", `${tint(bits, most)}%`);
    node.append(one);
  }
  return node;
}

/** What the model expected in place of a token. */
function describe(detail, data, at, root) {
  const { words, labels, bits, ranks, entropy, expected, is_own } = data;
  if (bits[at] === null) {
    detail.textContent = fill(words.first, { token: labels[at] });
    return;
  }
  const p = 2 ** -bits[at];
  const told = fill(words.told, {
    token: labels[at],
    bits: fixed(bits[at], 2),
    p: p < 1e-4 ? p.toExponential(2) : fixed(p, 4),
    rank: ranks[at].toLocaleString(),
    entropy: fixed(entropy[at], 2),
  });
  const rows = expected[at].map(([label, prob], place) => {
    const row = element("div", is_own[at].includes(place) ? "row own" : "row");
    const bar = element("span", "bar");
    bar.style.width = `${100 * prob}%`;
    const track = element("span", "track");
    track.append(bar);
    row.append(element("span", "name", label), track, element("span", "share", `${fixed(100 * prob, 1)} %`));
    if (data.ids.length && !is_own[at].includes(place)) {
      const button = element("button", "branch", words.branch);
      button.type = "button";
      button.setAttribute("aria-label", `${words.branch}: ${label}`);
      button.addEventListener("click", () => root.branch(at, data.ids[at][place]));
      row.append(button);
    }
    return row;
  });
  const list = element("div", "expected");
  list.append(...rows);
  detail.replaceChildren(element("p", "", told), list);
}

function listen(text, chips, choose) {
  const positionOf = (event) => Number(event.target.closest?.(".token")?.dataset.position ?? -1);
  text.addEventListener("click", (event) => positionOf(event) >= 0 && choose(positionOf(event)));
  text.addEventListener("keydown", (event) => {
    const at = positionOf(event);
    const last = chips.length - 1;
    const forward = text.dir === "rtl" ? -1 : 1;
    const go = { ArrowRight: at + forward, ArrowLeft: at - forward, Home: 0, End: last, Enter: at, " ": at }[event.key];
    if (at < 0 || go === undefined) return;
    event.preventDefault();
    const next = Math.min(last, Math.max(0, go));
    choose(next);
    chips[next].focus();
  });
}
