// The component; no message leaves the browser while a slider moves.

const SEND_AFTER_MS = 150; // a held arrow key fires a change event for each step
const N_PRINTED = 20; // rows of an exported picture
const instances = new WeakMap();

class Sampler {
  constructor(root) {
    this.root = root;
    this.active = -1;
    this.sent = "";
    this.build();
    this.wide = 0;
    this.observer = new ResizeObserver(() => {
      this.wide = Math.max(280, this.scroller.clientWidth);
      if (this.data) this.paint();
    });
    this.observer.observe(this.scroller);
  }

  dispose() {
    clearTimeout(this.timer);
    this.observer.disconnect();
  }

  /** New data from Python. Same bytes: only the theme may have changed. */
  receive(bytes, send) {
    this.send = send;
    if (!same(bytes, this.bytes)) {
      const { head, rest: packed } = unpacked(bytes);
      this.data = head;
      if (!same(packed, this.packed)) this.ranked = new Ranked(unpack(packed, this.data.n_finite));
      this.packed = packed;
      this.bytes = bytes;
      if (this.revision !== this.data.revision) {
        this.settings = { ...this.data.settings };
        this.sent = JSON.stringify(this.settings);
      }
      this.revision = this.data.revision;
      this.label();
      this.sliders.show();
      this.settle();
    }
    this.theme = themeOf(this.root);
    this.paint();
  }

  build() {
    this.sliders = new Sliders(this);
    this.sentence = el("p", { class: "sentence" });
    this.status = el("span", { class: "unseen", role: "status" });
    this.svg = svg("svg", { "aria-hidden": "true" });
    this.picture = new Picture(this.svg, 64);
    this.options = el("div", { class: "unseen" });
    this.scroller = el("div", { class: "rows", role: "listbox", tabindex: "0" }, this.svg, this.options);
    this.detail = el("p", { class: "detail" });
    this.buttons = el("div", { class: "buttons" });
    for (const [name, act] of [["reset", () => this.reset()], ["png", () => this.save("png")], ["svg", () => this.save("svg")]]) {
      const button = el("button", { type: "button", "data-name": name });
      button.addEventListener("click", act);
      this.buttons.append(button);
    }
    this.orders = el("div", { class: "orders", role: "radiogroup" });
    this.chain = el("ol", { class: "chain" });
    this.root.replaceChildren(this.sliders.node, this.orders, this.chain, this.sentence, this.scroller, this.detail, this.buttons, this.status);
    this.listen();
  }

  /** The libraries side by side: each with how many tokens it keeps; a click takes its order. */
  drawOrders() {
    const { words, language } = this.data;
    if (this.orders.children.length !== LIBRARIES.length + 1) {
      const buttons = LIBRARIES.map((name) => {
        const button = el("button", { type: "button", role: "radio", "data-name": name });
        button.addEventListener("click", () => this.choose(name));
        return button;
      });
      this.orders.replaceChildren(el("span", { class: "name" }), ...buttons);
    }
    const [title, ...buttons] = this.orders.children;
    write(title, words.order);
    this.orders.setAttribute("aria-label", words.order);
    buttons.forEach((button) => {
      const { name } = button.dataset;
      const { first, n } = this.libraries[name];
      write(button, fill(words.library, { name: name === "vllm" ? "vLLM" : name, n: (n - first).toLocaleString(language) }));
      button.setAttribute("aria-checked", String(name === this.settings.order));
    });
  }

  /** What each step of the chosen order leaves. */
  drawChain() {
    const { words, language } = this.data;
    const count = (n) => n.toLocaleString(language);
    const { steps } = this.d;
    while (this.chain.children.length > steps.length) this.chain.lastChild.remove();
    while (this.chain.children.length < steps.length) this.chain.append(el("li", {}, el("b"), el("span")));
    steps.forEach((step, at) => {
      const [name, told] = this.chain.children[at].children;
      const cut = fill(words.step_cut, { n: count(step.before - step.after), mass: percent(Math.max(0, step.cut)) });
      const shape = step.value === 0 ? words.step_greedy : words.step_shape;
      write(name, step.off ? words[step.name] : `${words[step.name]} ${+step.value.toPrecision(3)}`);
      write(told, step.off ? words.step_off : step.name === "temperature" ? shape : cut);
      this.chain.children[at].className = step.off ? "off" : "";
    });
  }

  choose(order) {
    this.settings = inOrder(this.settings, order);
    this.sliders.show();
    this.release();
  }

  listen() {
    const rowAt = (event) => Math.floor((placeIn(this.svg, event)[1] - HEAD) / ROW);
    for (const name of ["pointermove", "click"])
      this.scroller.addEventListener(name, (event) => this.point(rowAt(event)));
    this.scroller.addEventListener("pointerleave", (event) => isGone(event) && this.root.getRootNode().activeElement !== this.scroller && this.point(-1));
    this.scroller.addEventListener("focus", () => this.active < 0 && this.point(0));
    this.scroller.addEventListener("blur", () => this.point(-1));
    this.scroller.addEventListener("keydown", (event) => {
      const last = this.data.texts.length - 1;
      const go = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, Home: 0, End: last }[event.key];
      if (go === undefined) return;
      event.preventDefault();
      this.point(clamp(go, 0, last));
      const top = HEAD + this.active * ROW;
      const { scrollTop, clientHeight } = this.scroller;
      if (top < scrollTop + HEAD) this.scroller.scrollTop = top - HEAD;
      else if (top + ROW > scrollTop + clientHeight) this.scroller.scrollTop = top + ROW - clientHeight;
    });
  }

  /** Words in the reader's language. */
  label() {
    const { words, texts } = this.data;
    this.sliders.label(words);
    for (const button of this.buttons.children) button.textContent = words[button.dataset.name];
    this.scroller.setAttribute("aria-label", words.picture);
    this.options.replaceChildren(
      ...texts.map((text, i) => el("div", { role: "option", id: `row-${i}`, "aria-selected": "false" }, text)),
    );
  }

  /** A slider is being dragged: paint, send nothing. */
  move(name, value) {
    this.settings = { ...this.settings, [name]: this.sliders.limited(name, value) };
    this.sliders.moved(name);
    this.axis = Math.max(this.axis, axisFor(this.compute()));
    this.paint();
  }

  /** A slider was let go: fit the axis, and Python gets the values once. */
  release() {
    this.settle();
    this.paint();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.status.textContent = this.sentence.textContent;
      const text = JSON.stringify(this.settings);
      if (text === this.sent) return;
      this.sent = text;
      this.send("settings", { ...this.settings, revision: this.revision });
    }, SEND_AFTER_MS);
  }

  reset() {
    this.settings = { ...this.data.defaults };
    this.sliders.show();
    this.release();
  }

  compute() {
    return this.ranked.distribution(this.settings);
  }

  settle() {
    this.axis = axisFor(this.compute());
  }

  paint() {
    this.d = this.compute();
    const { settings, d } = this;
    const kept = { first: d.first, n: d.first + d.n_kept };
    this.libraries = Object.fromEntries(
      LIBRARIES.map((order) => [order, order === settings.order ? kept : this.ranked.kept(inOrder(settings, order))]),
    );
    this.drawOrders();
    this.drawChain();
    this.picture.draw({ ...this.drawing(), wide: this.wide || 900, active: this.active });
    this.sentence.textContent = this.reading();
    this.point(this.active);
  }

  drawing() {
    const { texts, words } = this.data;
    const { each, cumulative } = this.ranked.weights(1);
    const own = (i) => each[i] / cumulative[this.ranked.length - 1];
    const { d, settings, axis, theme, libraries } = this;
    return { d, own, texts, words, settings, axis, theme, libraries };
  }

  /** The picture in one sentence. */
  reading() {
    const { words, n_vocab, language } = this.data;
    const count = (n) => n.toLocaleString(language);
    const greedy = this.d.mass > 0 ? words.reading_greedy : words.reading_greedy_cut;
    return fill(this.settings.temperature === 0 ? greedy : words.reading, {
      n: count(this.d.n_kept),
      total: count(n_vocab),
      mass: percent(this.d.mass),
      entropy: fixed(this.d.entropy_bits, 2),
    });
  }

  /** Point at a row: exact values below the picture. */
  point(row) {
    const { texts, ids, words } = this.data;
    this.active = row >= 0 && row < texts.length ? row : -1;
    this.picture.rows.forEach(({ back }, i) => set(back, { opacity: i === this.active ? 0.14 : 0 }));
    const option = this.options.children[this.active];
    this.scroller.setAttribute("aria-activedescendant", option ? option.id : "");
    if (!option) {
      this.detail.textContent = words.legend;
      return;
    }
    const kept = this.active >= this.d.first && this.active < this.d.first + this.d.n_kept;
    const exact = (p) => (p === 0 ? "0" : p.toPrecision(6));
    this.detail.textContent = fill(kept ? words.detail_kept : words.detail_cut, {
      rank: this.active + 1,
      token: texts[this.active],
      id: ids[this.active],
      logit: fixed(this.ranked.logits[this.active], 4),
      own: exact(this.drawing().own(this.active)),
      before: exact(this.d.before(this.active)),
      after: exact(this.d.after(this.active)),
      cumulative: exact(this.d.cumulative(this.active)),
    });
    option.textContent = this.detail.textContent;
    for (const other of this.options.children) other.setAttribute("aria-selected", String(other === option));
  }

  /** Download what is on the screen: the first rows, with the sentence as a title. */
  save(kind) {
    const wide = 1000;
    const image = svg("svg", { xmlns: "http://www.w3.org/2000/svg" });
    const inner = svg("svg", { y: 34 });
    const n = Math.min(N_PRINTED, this.data.texts.length);
    new Picture(inner, n).draw({ ...this.drawing(), wide });
    const high = 34 + HEAD + n * ROW + 10;
    set(image, { width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, "font-family": this.theme.font });
    const title = svg("text", { x: 12, y: 22, fill: this.theme.text, "font-size": 15 }, this.reading());
    image.append(svg("rect", { width: wide, height: high, fill: this.theme.paper }), title, inner);
    const blob = new Blob([new XMLSerializer().serializeToString(image)], { type: "image/svg+xml" });
    if (kind === "svg") download(blob, "sampling.svg");
    else toPng(blob, wide, high).then((png) => download(png, "sampling.png"));
  }
}

function same(a, b) {
  if (!a || !b || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

async function toPng(blob, wide, high) {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = el("canvas", { width: 2 * wide, height: 2 * high });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * wide, 2 * high);
  URL.revokeObjectURL(url);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function download(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".sampler");
  if (!instances.has(root)) instances.set(root, new Sampler(root));
  const sampler = instances.get(root);
  sampler.receive(data, setStateValue);
  return () => {
    sampler.dispose();
    instances.delete(root);
  };
}
