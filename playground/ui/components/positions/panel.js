// What the pictures of positions share: sliders that paint while they move and tell Python when let go.

const SEND_AFTER_MS = 150; // a held arrow key fires a change event for each step
const LOG_STEPS = 240;
const TITLE = 16; // pixels of a line of a plot's title
const instances = new WeakMap();

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Three significant digits, thousands grouped. */
function short(value, language) {
  if (value === 0) return "0";
  return Number(value.toPrecision(3)).toLocaleString(language, { maximumSignificantDigits: 3 });
}

function themeOf(element) {
  const theme = pageTheme(element);
  const { dark } = theme;
  return {
    ...theme,
    grey: dark ? "#9aa3ad" : "#5f6770",
    query: dark ? "#56B4E9" : "#0072B2",
    key: dark ? "#E69F00" : "#B87400",
    value: dark ? "#2EC79A" : "#007A59",
    after: dark ? "#F0803C" : "#D55E00",
    negative: dark ? [224, 130, 20] : [179, 88, 6],
    positive: dark ? [178, 171, 210] : [84, 39, 136],
    zero: dark ? [15, 18, 22] : [255, 255, 255],
  };
}

const SHADES = 256; // on each side of 0

/** Colours of the values from -1 to 1, paper at 0, as pixels of an image. */
function shades({ zero, negative, positive }) {
  const pixels = new Uint8ClampedArray(4 * (2 * SHADES + 1));
  for (let i = -SHADES; i <= SHADES; i++) {
    const share = (Math.abs(i) / SHADES) ** 0.8;
    const end = i < 0 ? negative : positive;
    pixels.set([...zero.map((from, c) => from + share * (end[c] - from)), 255], 4 * (i + SHADES));
  }
  return new Uint32Array(pixels.buffer);
}

/** A matrix as an image of one pixel a number, largest number full colour. */
function matrixImage(rows, nRows, nColumns, largest, theme) {
  const canvas = el("canvas", { width: nColumns, height: nRows });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(nColumns, nRows);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = shades(theme);
  for (let i = 0; i < rows.length; i++)
    pixels[i] = colours[SHADES + Math.round(SHADES * clamp(rows[i] / largest, -1, 1))];
  pen.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

/** A plot's title in lines of at most this width. */
function lines(title, width, theme) {
  const pen = el("canvas").getContext("2d");
  pen.font = `600 13.5px ${theme.font}`;
  const found = [""];
  for (const word of title.split(" ")) {
    const longer = `${found.at(-1)} ${word}`.trim();
    if (found.at(-1) && pen.measureText(longer).width > width) found.push(word);
    else found[found.length - 1] = longer;
  }
  return found;
}

/** A line plot in a box: axes with few ticks, then whatever the caller adds with x() and y(). */
class Plot {
  constructor(parent, box, { x: [x0, x1], y: [y0, y1] }, theme) {
    Object.assign(this, { parent, box, theme, y0, y1 });
    this.x = (value) => box.left + ((value - x0) / (x1 - x0 || 1)) * box.width;
    this.y = (value) => box.top + box.height - ((value - y0) / (y1 - y0 || 1)) * box.height;
  }

  add(name, attributes, text = null) {
    const node = svg(name, attributes, text);
    this.parent.append(node);
    return node;
  }

  axes({ title, xs, ys, xTitle, language }) {
    const { left, top, width, height } = this.box;
    const { theme } = this;
    const small = { "font-size": 12, fill: theme.grey };
    const bold = { "font-size": 13.5, "font-weight": 600, fill: theme.text };
    lines(title, width, theme).forEach((line, i, all) => {
      this.add("text", { ...bold, x: left, y: top - 9 - TITLE * (all.length - 1 - i) }, line);
    });
    for (const value of ys) {
      this.add("line", { x1: left, x2: left + width, y1: this.y(value), y2: this.y(value), stroke: theme.line });
      this.add("text", { ...small, x: left - 6, y: this.y(value) + 4, "text-anchor": "end" }, short(value, language));
    }
    for (const value of xs) {
      const at = { ...small, x: this.x(value), y: top + height + 15, "text-anchor": "middle" };
      this.add("text", at, short(value, language));
    }
    this.add("text", { ...small, x: left + width, y: top + height + 30, "text-anchor": "end" }, xTitle);
  }

  path(values, attributes, at = (i) => i) {
    const points = Array.from(values, (value, i) => `${fixed(this.x(at(i)), 2)},${fixed(this.y(value), 2)}`);
    return this.add("polyline", { points: points.join(" "), fill: "none", "stroke-width": 2, ...attributes });
  }
}

/** Round numbers from 0 to `last`, about `n` of them. */
function ticks(last, n = 4) {
  const raw = last / n;
  const power = 10 ** Math.floor(Math.log10(raw || 1));
  const step = Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw));
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
}

class Panel {
  constructor(root, view) {
    Object.assign(this, { root, view, fields: {}, sent: "", aimed: null });
    this.observer = new ResizeObserver(() => this.head && this.paint());
    this.controls = el("div", { class: "controls" });
    this.sentence = el("p", { class: "sentence" });
    this.picture = svg("svg", { role: "img" });
    this.holder = el("div", { class: "picture" }, this.picture);
    this.detail = el("p", { class: "detail" });
    this.status = el("span", { class: "unseen", role: "status" });
    root.replaceChildren(this.controls, this.sentence, this.holder, this.detail, this.status);
    for (const name of ["pointermove", "click"])
      this.holder.addEventListener(name, (event) => this.point(this.placeOf(event)));
    this.holder.addEventListener("pointerleave", (event) => isGone(event) && this.point(null));
    this.observer.observe(this.holder);
  }

  dispose() {
    clearTimeout(this.timer);
    this.observer.disconnect();
  }

  /** New data from Python: a head in JSON, then float32 numbers. */
  receive(bytes, send) {
    this.send = send;
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const text = new TextDecoder().decode(bytes.subarray(4, 4 + length));
    if (text !== this.text) {
      this.text = text;
      this.head = JSON.parse(text);
      if (this.revision !== this.head.revision) {
        this.settings = { ...this.head.settings };
        this.sent = JSON.stringify(this.settings);
      }
      this.revision = this.head.revision;
      this.build();
    }
    this.numbers = new Float32Array(bytes.slice(4 + length).buffer);
    this.picture.setAttribute("aria-label", this.head.words.picture);
    this.paint();
  }

  build() {
    const { controls, words } = this.head;
    const signature = JSON.stringify([controls, controls.map(({ name }) => words[name])]);
    if (signature !== this.signature) {
      this.signature = signature;
      this.controls.replaceChildren(...controls.map((control) => this.control(control)));
      this.controls.style.setProperty("--n", controls.length);
    }
    this.show();
  }

  control(control) {
    const { name, low, high, step, log, options } = control;
    const title = el("span", { class: "name" }, this.head.words[name]);
    if (options.length) {
      const select = el("select", { "data-name": name });
      select.append(...options.map((text, i) => el("option", { value: i }, text)));
      select.addEventListener("change", () => (this.move(control, +select.value), this.release()));
      this.fields[name] = { select, control };
      return el("label", { class: "control" }, title, select);
    }
    const limits = log ? { min: 0, max: LOG_STEPS, step: 1 } : { min: low, max: high, step };
    const range = el("input", { type: "range", ...limits, "data-name": name });
    const number = el("input", { type: "number", min: low, max: high, step: "any", "data-name": name });
    range.setAttribute("aria-label", this.head.words[name]);
    number.setAttribute("aria-label", fill(this.head.words.exact, { name: this.head.words[name] }));
    const value = () => (log ? +(low * (high / low) ** (range.value / LOG_STEPS)).toPrecision(2) : +range.value);
    range.addEventListener("input", () => this.move(control, value()));
    range.addEventListener("change", () => this.release());
    number.addEventListener("change", () => {
      if (Number.isFinite(number.valueAsNumber)) this.move(control, number.valueAsNumber);
      this.show();
      this.release();
    });
    this.fields[name] = { range, number, control };
    return el("label", { class: "control" }, title, range, number);
  }

  /** Put the settings into the fields. */
  show() {
    for (const [name, { range, number, select, control }] of Object.entries(this.fields)) {
      const value = this.settings[name];
      if (select) select.value = value;
      else {
        const { low, high, log } = control;
        number.value = String(value);
        range.value = log ? Math.round((LOG_STEPS * Math.log(value / low)) / Math.log(high / low)) : value;
      }
    }
  }

  /** A slider is being dragged: paint, send nothing. */
  move({ name, low, high, step, log }, value) {
    const whole = log ? value : low + Math.round((value - low) / step) * step;
    this.settings = { ...this.settings, [name]: clamp(whole, low, high) };
    this.view.moved?.(this, name); // settings that follow from this one
    this.show();
    this.paint();
  }

  /** Let go: Python gets the values once. */
  release() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.status.textContent = this.sentence.textContent;
      const text = JSON.stringify(this.settings);
      if (text === this.sent) return;
      this.sent = text;
      this.send("settings", { ...this.settings, revision: this.revision });
    }, SEND_AFTER_MS);
  }

  paint() {
    this.theme = themeOf(this.root.host ?? this.root);
    const { narrowest = 280 } = this.view;
    const least = typeof narrowest === "function" ? narrowest(this) : narrowest;
    const wide = Math.max(least, this.holder.clientWidth);
    this.picture.replaceChildren();
    const high = this.view.paint(this, wide);
    for (const [name, value] of Object.entries({ width: wide, height: high, viewBox: `0 0 ${wide} ${high}` }))
      this.picture.setAttribute(name, value);
    this.picture.setAttribute("font-family", this.theme.font);
    const { holder } = this; // which keys move where it is larger than its place
    const scrolls = holder.scrollWidth > holder.clientWidth || holder.scrollHeight > holder.clientHeight;
    if (scrolls) holder.tabIndex = 0;
    else holder.removeAttribute("tabindex");
    this.sentence.textContent = this.view.reading(this);
    this.point(this.aimed);
  }

  placeOf(event) {
    return placeIn(this.picture, event);
  }

  /** Exact values of what the pointer is on, or the finger was last. */
  point(place) {
    this.aimed = place;
    this.detail.textContent = (place && this.view.at(this, ...place)) ?? this.head.words.legend;
  }

  number(value) {
    return short(value, this.head.language);
  }
}

function component(view) {
  return ({ parentElement, data, setStateValue }) => {
    const root = parentElement.querySelector(".positions");
    if (!instances.has(root)) instances.set(root, new Panel(root, view));
    const panel = instances.get(root);
    panel.receive(data, setStateValue);
    return () => {
      panel.dispose();
      instances.delete(root);
    };
  };
}
