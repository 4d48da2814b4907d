// A training of byte pair encoding, step by step. Python trained; here the merges are only applied, so that
// stepping, playing and going back ask nobody. All text reaches the page only as textContent.

const PLAY_MS = 700;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const SHOWN_FIRST = 12; // the first picture has something in it
const ROW = 25;
const GAP = 5; // between the trees of a word
const instances = new WeakMap();

/** The tokens of a word after the first k merges: nodes {id, left, right, step}, merged left to right. */
export function merged(ids, steps, k) {
  let nodes = ids.map((id) => ({ id, left: null, right: null, step: 0 }));
  for (let s = 0; s < k && nodes.length > 1; s++) {
    const [left, right, id] = steps[s];
    if (!nodes.some((node, i) => node.id === left && nodes[i + 1]?.id === right)) continue;
    const next = [];
    for (let i = 0; i < nodes.length; i++) {
      if (nodes[i].id === left && nodes[i + 1]?.id === right) {
        next.push({ id, left: nodes[i], right: nodes[i + 1], step: s + 1 });
        i++;
      } else next.push(nodes[i]);
    }
    nodes = next;
  }
  return nodes;
}

const strict = new TextDecoder("utf-8", { fatal: true });
const isText = (bytes) => {
  try {
    strict.decode(Uint8Array.from(bytes));
    return true;
  } catch {
    return false;
  }
};

/**
 * How a token is shown that is the bytes [start, stop) of a text: bytes that are no text with the characters
 * they are part of. name: how it is shown alone; nameOf: how a byte that is a character is shown.
 */
export function inText(all, start, stop, name, nameOf) {
  const bytes = all.slice(start, stop);
  if (isText(bytes) || !isText(all)) return name;
  const goesOn = (at) => (all[at] & 0xc0) === 0x80;
  while (start > 0 && goesOn(start)) start--;
  while (stop < all.length && goesOn(stop)) stop++;
  return `${hexadecimal(bytes)} (${written(all.slice(start, stop), nameOf)})`;
}

/** Bytes of a text as it is read, white space by its sign. */
export function written(bytes, nameOf) {
  const text = strict.decode(Uint8Array.from(bytes));
  return [...text].map((character) => (character < "\x80" ? nameOf(character.charCodeAt(0)) : character)).join("");
}

// Token id -> byte, in GPT-2's order: first those that are printed, then the others.
const PRINTED = [...Array(256).keys()].filter((byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173));
const BYTES = [...PRINTED, ...[...Array(256).keys()].filter((byte) => !PRINTED.includes(byte))];

const hexadecimal = (bytes) => bytes.map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");

class Lab {
  constructor(root) {
    this.root = root;
    this.k = 0;
    this.chosen = 0;
    this.timer = 0;
    this.build();
  }

  build() {
    const button = (name, sign, act) => {
      const node = element("button", name, sign);
      node.type = "button";
      node.onclick = act;
      return node;
    };
    this.start = button("start", "«", () => this.go(0));
    this.back = button("back", "", () => this.go(this.k - 1));
    this.step = button("step", "", () => this.go(this.k + 1));
    this.play = button("play", "", () => (this.timer ? this.pause() : this.run()));
    this.slider = element("input", "slider");
    Object.assign(this.slider, { type: "range", min: 0, step: 1 });
    this.slider.oninput = () => this.go(Number(this.slider.value));
    this.position = element("span", "position");
    const controls = element("div", "controls");
    controls.append(this.start, this.back, this.step, this.play, this.slider, this.position);
    this.reading = element("p", "reading");
    this.reading.setAttribute("role", "status");
    this.bars = svg("svg", { height: ROW * 10 + 8, role: "img" });
    this.observer = new ResizeObserver(() => this.data && this.drawBars());
    this.observer.observe(this.bars);
    this.merges = element("ol", "merges");
    this.merges.tabIndex = 0;
    this.words = element("div", "words");
    this.tree = element("div", "tree");
    this.tree.tabIndex = 0;
    this.heads = ["pairs", "list", "text", "tree"].map(() => element("h3", "head"));
    const panels = element("div", "panels");
    const panel = (...children) => {
      const node = element("div", "panel");
      node.append(...children);
      return node;
    };
    panels.append(
      panel(this.heads[0], this.bars),
      panel(this.heads[1], this.merges),
      panel(this.heads[2], this.words),
      panel(this.heads[3], this.tree),
    );
    this.root.replaceChildren(controls, this.reading, panels);
  }

  receive(data) {
    const signature = JSON.stringify(data.steps);
    this.data = data;
    this.bytes = BYTES.map((byte) => [byte]);
    for (const [left, right, id] of data.steps) this.bytes[id] = [...this.bytes[left], ...this.bytes[right]];
    if (signature !== this.signature) {
      this.signature = signature;
      this.stop();
      this.k = Math.min(SHOWN_FIRST, Math.floor(data.steps.length / 2));
    }
    const words = JSON.stringify(data.words);
    if (words !== this.wordsOf) this.chosen = data.has_word ? 0 : this.mostMerged();
    this.wordsOf = words;
    const { say } = data;
    for (const name of ["back", "step"]) this[name].textContent = say[name];
    this.start.setAttribute("aria-label", say.start);
    this.slider.setAttribute("aria-label", say.slider);
    this.slider.max = data.steps.length;
    ["pairs", "list", "text"].forEach((name, i) => (this.heads[i].textContent = say[name]));
    this.draw();
  }

  /** The word with most merges so far whose tree fits. */
  mostMerged() {
    const room = this.tree.clientWidth || 340;
    const { words, steps } = this.data;
    let [best, most] = [0, -1];
    words.forEach((ids, i) => {
      const n = merged(ids, steps, this.k).length;
      const width = this.names(ids).reduce((sum, name) => sum + leafWidth(name), 12 + GAP * n);
      if (ids.length - n > most && width <= room) [best, most] = [i, ids.length - n];
    });
    return best;
  }

  go(k) {
    this.k = Math.max(0, Math.min(this.data.steps.length, k));
    if (this.k === this.data.steps.length) this.stop();
    this.draw();
  }

  run() {
    if (this.k === this.data.steps.length) this.k = 0;
    this.timer = setInterval(() => this.go(this.k + 1), PLAY_MS);
    this.draw();
  }

  pause() {
    this.stop();
    this.draw();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
  }

  draw() {
    const { k, data } = this;
    const n = data.steps.length;
    this.slider.value = k;
    this.position.textContent = fill(data.say.position, { k, n });
    this.start.disabled = this.back.disabled = k === 0;
    this.step.disabled = k === n;
    this.play.disabled = n === 0;
    this.play.hidden = STILL.matches; // then steps are clicks
    this.play.textContent = this.timer ? data.say.pause : data.say.play;
    this.reading.textContent = this.read();
    this.drawBars();
    this.drawMerges();
    this.drawWords();
    this.drawTree();
  }

  read() {
    const { k, data } = this;
    if (k === data.steps.length) return data.say.end;
    const [left, right, id, count, n] = data.steps[k];
    const [a, b] = this.names([left, right]);
    const values = { left: a, right: b, token: this.name(id), count, n };
    return fill(n > 1 ? data.say.tie : data.say.winner, values);
  }

  name(id) {
    return this.data.labels[id];
  }

  /** Labels of tokens that stand side by side. */
  names(ids) {
    const all = ids.flatMap((id) => this.bytes[id]);
    let at = 0;
    return ids.map((id) => this.nameIn(all, at, (at += this.bytes[id].length), id));
  }

  nameIn(all, start, stop, id) {
    return inText(all, start, stop, this.name(id), (byte) => this.nameOfByte(byte));
  }

  readPair([left, right, count]) {
    const [a, b] = this.names([left, right]);
    return fill(this.data.say.row, { left: a, right: b, count });
  }

  nameOfByte(byte) {
    return this.name(BYTES.indexOf(byte));
  }

  drawBars() {
    const { k, data } = this;
    const rows = data.candidates[k] ?? [];
    const wide = Math.max(280, this.bars.clientWidth || 560);
    const start = Math.min(220, Math.round(0.4 * wide)); // of the bars
    const room = wide - start - 70; // for the longest, its count beside it
    this.bars.setAttribute("viewBox", `0 0 ${wide} ${ROW * 10 + 8}`);
    const most = rows.length ? rows[0][2] : 1;
    this.bars.setAttribute("aria-label", rows.map((row) => this.readPair(row)).join(", "));
    this.bars.replaceChildren(
      ...rows.map(([left, right, count], i) => {
        const group = svg("g", { class: i === 0 ? "first" : count === most ? "tied" : "" });
        const y = i * ROW + 18;
        const [a, b] = this.names([left, right]);
        group.append(label(`${shorten(a)} + ${shorten(b)}`, { class: "pair", x: start - 10, y }));
        group.append(svg("rect", { class: "bar", x: start, y: y - 14, width: (room * count) / most, height: 18 }));
        group.append(label(`${count}${i > 0 && count === most ? " =" : ""}`, { class: "count", x: start + 6 + (room * count) / most, y }));
        return group;
      }),
    );
  }

  drawMerges() {
    const have = this.merges.children.length;
    if (this.mergesOf !== this.signature || have > this.k) {
      this.merges.replaceChildren();
      this.mergesOf = this.signature;
    }
    for (let i = this.merges.children.length; i < this.k; i++) {
      const [left, right, id, count] = this.data.steps[i];
      const [a, b] = this.names([left, right]);
      this.merges.append(element("li", "", `${a} + ${b} → ${this.name(id)}  (${count})`));
    }
    this.merges.scrollTop = this.merges.scrollHeight;
  }

  drawWords() {
    this.words.replaceChildren(
      ...this.data.words.slice(this.data.has_word ? 1 : 0).map((ids, i) => {
        const at = i + (this.data.has_word ? 1 : 0);
        const word = element("button", "word");
        word.type = "button";
        word.setAttribute("aria-pressed", String(at === this.chosen));
        word.onclick = () => {
          this.chosen = at;
          this.draw();
          this.words.children[i].focus({ preventScroll: true });
        };
        const nodes = merged(ids, this.data.steps, this.k);
        const names = this.names(nodes.map((node) => node.id));
        for (const [n, node] of nodes.entries()) {
          const chip = element("span", node.step === this.k && this.k ? "chip new" : "chip", names[n]);
          chip.style.setProperty("--hue", hue(node.id));
          word.append(chip);
        }
        return word;
      }),
    );
  }

  drawTree() {
    const ids = this.data.words[this.chosen] ?? [];
    const nodes = merged(ids, this.data.steps, this.k);
    const all = ids.map((id) => BYTES[id]);
    this.heads[3].textContent = fill(this.data.say.tree, { word: written(all, (byte) => this.nameOfByte(byte)) });
    const high = Math.max(0, ...nodes.map(depth));
    const tree = svg("svg", { height: high * 44 + 40, role: "img" });
    tree.setAttribute("aria-label", this.heads[3].textContent);
    let [x, at] = [6, 0];
    const put = (node, level) => {
      const text = this.nameIn(all, at, at + this.bytes[node.id].length, node.id);
      const y = 18 + level * 44;
      if (!node.left) {
        const width = leafWidth(text);
        at += this.bytes[node.id].length;
        x += width;
        tree.append(label(text, { x: x - width / 2, y, class: level === 0 ? "top" : "" }));
        return x - width / 2;
      }
      const [a, b] = [put(node.left, level + 1), put(node.right, level + 1)];
      const here = (a + b) / 2;
      for (const end of [a, b]) tree.append(svg("line", { class: "edge", x1: here, y1: y + 17, x2: end, y2: y + 30 }));
      tree.append(label(text, { x: here, y, class: level === 0 ? "top" : "" }), label(`#${node.step}`, { x: here, y: y + 13, class: "when" }));
      return here;
    };
    for (const node of nodes) {
      put(node, 0);
      x += GAP;
    }
    tree.style.width = `${x + 6}px`;
    this.tree.replaceChildren(tree);
  }
}

function depth(node) {
  return node.left ? 1 + Math.max(depth(node.left), depth(node.right)) : 0;
}

function leafWidth(text) {
  return Math.max(24, 10 * [...text].length + 10);
}

function shorten(text) {
  const characters = [...text];
  return characters.length > 10 ? `${characters.slice(0, 9).join("")}…` : text;
}

const label = (text, attributes) => svg("text", attributes, text);

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".lab");
  if (!instances.has(root)) instances.set(root, new Lab(root));
  const lab = instances.get(root);
  lab.receive(data);
  return () => {
    lab.observer.disconnect();
    lab.stop();
    instances.delete(root);
  };
}
