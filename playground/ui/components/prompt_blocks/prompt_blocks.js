// A prompt in blocks. All text comes in through `data` and reaches the page only as textContent.

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".prompt-blocks");
  const signature = JSON.stringify(data);
  if (root.signature === signature) return;
  root.signature = signature;
  draw(root, data);
}

function draw(root, data) {
  const text = element("div", root.asTokens ? "text tokens" : "text");
  text.tabIndex = 0;
  text.setAttribute("role", "region");
  text.setAttribute("aria-label", data.words.prompt);
  text.append(...data.blocks.map((block) => stretch(block, data, root.asTokens)));
  root.replaceChildren(head(root, data), text, meter(data));
  text.scrollTop = text.scrollHeight; // the query is what the model answers
}

function head(root, data) {
  const line = element("div", "head");
  for (const kind of ["instruction", "demonstration", "label", "chunk", "query", "template"]) {
    if (data.blocks.some((block) => block.kind === kind)) {
      line.append(element("span", `block ${kind}`, data.words[kind]));
    }
  }
  const box = el("input", { type: "checkbox" });
  box.checked = Boolean(root.asTokens);
  box.addEventListener("change", () => {
    root.asTokens = box.checked;
    draw(root, data);
    root.querySelector("input").focus();
  });
  const label = element("label", "switch");
  label.append(box, ` ${data.words.as_tokens}`);
  line.append(label);
  return line;
}

function stretch({ kind, text, number, dir, tokens }, { words }, asTokens) {
  const node = element("span", `block ${kind}`);
  node.dir = dir;
  node.title = number ? `${words[kind]} ${number}` : words[kind];
  if (!asTokens) {
    node.textContent = text;
    return node;
  }
  for (const [label, id] of tokens) {
    const token = element("span", "token", label);
    token.title = id;
    node.append(token, label.includes("⏎") ? "\n" : "");
  }
  return node;
}

/** The context window, filled block by block. */
function meter({ blocks, limit, words }) {
  const line = element("div", "meter");
  const track = element("div", "track");
  let n = 0;
  for (const block of blocks) {
    const part = element("span", `part ${block.kind}`);
    part.style.width = `${(100 * block.tokens.length) / limit}%`;
    track.append(part);
    n += block.tokens.length;
  }
  const told = fill(words.filled, { n: n.toLocaleString(), limit: limit.toLocaleString() });
  line.append(track, element("span", "told", told));
  return line;
}
