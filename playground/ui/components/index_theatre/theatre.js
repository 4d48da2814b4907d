// The theatre: one index over the chunks of the page. Sliders and steps move here; nothing reaches Python.

const HIGH = { wide: 430, narrow: 330 };
const NARROW = 640;
const instances = new WeakMap();

class Theatre {
  constructor(root) {
    Object.assign(this, { root, at: {}, selected: null });
    const part = (name) => (this[name] = el("div", { class: name }));
    this.canvas = el("canvas", { role: "application", tabindex: 0 });
    this.told = el("p", { class: "told", "aria-live": "polite" });
    const holder = el("div", { class: "holder" }, this.canvas);
    const picture = el("div", { class: "picture" }, holder, part("legend"), this.told);
    root.replaceChildren(part("controls"), el("div", { class: "stage" }, picture, part("side")), part("chunk"), part("below"));
    this.chunk.setAttribute("aria-live", "polite");
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    this.observer = new ResizeObserver(() => this.head && root.clientWidth !== this.drawnWide && this.paint());
    this.observer.observe(root);
    root.addEventListener("transitionend", (event) => event.target === root && this.paint());
    this.canvas.addEventListener("click", (event) => this.select(this.near(...placeIn(this.canvas, event))));
  }

  receive(bytes) {
    const block = unpacked(bytes);
    const before = this.head;
    Object.assign(this, block.head.given, { head: block.head, ...arraysOf(block) });
    if (before?.same !== this.head.same) Object.assign(this, { at: {}, selected: null });
    this.view = VIEWS[this.head.kind](this);
    this.controls.replaceChildren(...(this.view.controls ?? []));
    this.paint();
  }

  /** Another value of a slider of this view. */
  move(name, value) {
    this.at[name] = value;
    this.paint();
  }

  select(place) {
    if (place === null) return;
    this.selected = place;
    this.paint();
  }

  /** Arrow keys go from chunk to chunk, the nearest to the query first, past those that are not in the picture. */
  press(event) {
    const chunks = Array.from({ length: this.head.n }, (_, i) => i).filter((i) => !this.view.hidden?.(i));
    const order = nearestOf(chunks, this.distances, chunks.length);
    const at = order.indexOf(this.selected); // -1 at first
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: order.length - 1 }[event.key];
    if (to === undefined && event.key !== "Escape") return;
    event.preventDefault();
    this.selected = to === undefined ? null : (order[Math.max(0, to)] ?? this.selected);
    this.paint();
  }

  near(x, y) {
    let [best, least] = [null, REACH];
    for (let i = 0; i < this.head.n; i++) {
      if (this.view.hidden?.(i)) continue;
      const [px, py] = this.spot(i);
      const far = Math.hypot(px - x, py - y);
      if (far < least) [best, least] = [i, far];
    }
    return best;
  }

  spot(i) {
    return this.view.spot ? this.view.spot(i) : this.place(this.xy[2 * i], this.xy[2 * i + 1]);
  }

  paint() {
    this.theme = graphTheme(this.root);
    for (const name of ["query", "value"]) this.root.style.setProperty(`--${name}`, this.theme[name]);
    this.drawnWide = this.root.clientWidth;
    const room = this.drawnWide || 620;
    const narrow = room < NARROW;
    const wide = narrow ? room : Math.min(760, Math.round(room * 0.62));
    const high = narrow ? HIGH.narrow : HIGH.wide;
    this.place = placer([...this.xy, ...this.head.query_xy], wide, high);
    this.canvas.closest(".picture").style.width = `${wide}px`;
    const pen = freshPen(this.canvas, wide, high);
    Object.assign(pen, { fillStyle: this.theme.paper, font: `12px ${this.theme.font}`, imageSmoothingEnabled: true });
    pen.fillRect(0, 0, wide, high);
    frame(pen, this.theme.line, 1, 0.5, 0.5, wide - 1, high - 1);
    this.radius = this.head.n > 600 ? 2.4 : 3.6;
    const shown = this.view.show(pen, wide, high);
    this.told.textContent = shown.told;
    this.canvas.setAttribute("aria-label", `${this.head.words.map}. ${shown.told}`);
    this.legend.replaceChildren(...shown.legend);
    const buttons = () => [...this.root.querySelectorAll(".side button, .below button")];
    const focused = buttons().indexOf(this.root.getRootNode().activeElement);
    this.side.replaceChildren(...shown.side);
    this.below.replaceChildren(...(shown.below ?? []));
    buttons()[focused]?.focus({ preventScroll: true });
    this.tell(shown.focus);
  }

  /** The query, and the chunk that was tapped, above everything else. */
  top(pen) {
    diamond(pen, this.place(...this.head.query_xy), 8, this.theme.query, this.theme.paper);
    if (this.selected !== null) ring(pen, this.spot(this.selected), this.radius + 5, this.theme.text, 2.5);
  }

  /** The chunk that was tapped, otherwise the one that the view speaks of: its number, its distance, its words. */
  tell(focus) {
    const place = this.selected ?? focus ?? null;
    const { words, chunks } = this.head;
    if (place === null) {
      this.chunk.replaceChildren(el("span", {}, words.hint));
      return;
    }
    const facts = fill(words.chunk, { n: place + 1, distance: short(this.distances[place]), cosine: fixed(1 - this.distances[place] / 2, 4) });
    this.chunk.replaceChildren(el("b", {}, facts), el("q", { dir: "auto" }, chunks[place]));
  }

  /** A list of chunks with their distances; a tap selects one. */
  list(title, scored, { most = 10, mark = () => "" } = {}) {
    const items = scored.slice(0, most).map(([distance, place]) => {
      const button = el("button", { type: "button", class: `item ${mark(place)}` }, el("span", {}, `#${place + 1}`), el("span", {}, short(distance)));
      if (place === this.selected) button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => this.select(place));
      return button;
    });
    const more = scored.length > most ? [el("span", { class: "more" }, fill(this.head.words.more, { n: scored.length - most }))] : [];
    return el("section", { class: "list" }, el("h3", {}, title), el("div", { class: "items" }, ...items, ...more));
  }

  /** The chunks found, those that the exact answer has too marked. */
  answer(found, distances = this.distances) {
    const { exact, words } = this.head;
    const mark = (place) => (exact.includes(place) ? "right" : "wrong");
    return this.list(words.answer, found.map((place) => [distances[place], place]), { mark });
  }

  marks() {
    const { words } = this.head;
    return [entry("diamond", this.theme.query, words.query), entry("dot", this.theme.value, words.found), entry("ring", this.theme.text, words.exact)];
  }

  /** The exact answer as rings, what was found filled. */
  results(pen, found) {
    for (const place of found) dot(pen, this.spot(place), this.radius + 1.5, this.theme.value);
    for (const place of this.head.exact) ring(pen, this.spot(place), this.radius + 3, this.theme.text, 1.5);
  }
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".theatre");
  if (!instances.has(root)) instances.set(root, new Theatre(root));
  const theatre = instances.get(root);
  theatre.receive(data);
  return () => {
    theatre.observer.disconnect();
    instances.delete(root);
  };
}
