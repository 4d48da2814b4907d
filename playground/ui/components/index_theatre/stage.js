// The stage that all indexes share: a map of the chunks, which is only a picture; every distance comes from Python.

const TYPES = { f4: Float32Array, i4: Int32Array, u2: Uint16Array, u1: Uint8Array };
const INK = { query: "#0072B2", key: "#E69F00", value: "#009E73", before: "#56B4E9", grey: "#7D858E" };
const MARGIN = 22;
const REACH = 24; // pixels: a point this near to a tap was meant

/** Arrays of the block of bytes by their names; `arrays` of the head says how they lie in it. */
function arraysOf({ head, rest }) {
  const found = {};
  let at = 0;
  for (const [name, type, length] of head.arrays) {
    const bytes = length * TYPES[type].BYTES_PER_ELEMENT;
    found[name] = new TYPES[type](rest.buffer.slice(at, at + bytes));
    at += bytes;
  }
  return found;
}

/** Where a place of the map lies on the canvas; both directions have one scale. */
function placer(xs, wide, high) {
  const [least, most] = [[Infinity, Infinity], [-Infinity, -Infinity]];
  for (let i = 0; i < xs.length; i++) {
    least[i % 2] = Math.min(least[i % 2], xs[i]);
    most[i % 2] = Math.max(most[i % 2], xs[i]);
  }
  const [spanX, spanY] = [Math.max(1e-9, most[0] - least[0]), Math.max(1e-9, most[1] - least[1])];
  const scale = [(wide - 2 * MARGIN) / spanX, (high - 2 * MARGIN) / spanY];
  return (x, y) => [MARGIN + (x - least[0]) * scale[0], high - MARGIN - (y - least[1]) * scale[1]];
}

function dot(pen, [x, y], radius, fill, alpha = 1) {
  pen.globalAlpha = alpha;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = fill;
  pen.fill();
  pen.globalAlpha = 1;
}

function ring(pen, [x, y], radius, colour, thick = 2) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  Object.assign(pen, { strokeStyle: colour, lineWidth: thick });
  pen.stroke();
}

function line(pen, [x, y], [toX, toY], colour, thick = 1, alpha = 1) {
  pen.globalAlpha = alpha;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(toX, toY);
  Object.assign(pen, { strokeStyle: colour, lineWidth: thick });
  pen.stroke();
  pen.globalAlpha = 1;
}

function diamond(pen, [x, y], size, fill, edge) {
  pen.beginPath();
  pen.moveTo(x, y - size);
  pen.lineTo(x + size, y);
  pen.lineTo(x, y + size);
  pen.lineTo(x - size, y);
  pen.closePath();
  Object.assign(pen, { fillStyle: fill, strokeStyle: edge, lineWidth: 1.5 });
  pen.fill();
  pen.stroke();
}

/** An entry of a legend: how it is drawn, and its words. `look` is dot, ring, line, diamond or square. */
const entry = (look, colour, words) =>
  el("span", { class: "entry" }, el("i", { class: look, style: `--ink: ${colour}` }), words);

const short = (distance) => fixed(distance, 4);

/** The places of the smallest distances among these, nearest first; of equal ones the first. */
function nearestOf(places, distances, k) {
  return [...places].sort((a, b) => distances[a] - distances[b] || a - b).slice(0, k);
}

const shareOf = (found, exact) => exact.filter((place) => found.includes(place)).length / Math.max(1, exact.length);

/** A slider with its title and two buttons, for fingers and for keys; `to` gets the new value. */
class Stepper {
  constructor(words, to) {
    this.title = el("span");
    this.range = el("input", { type: "range", step: "1" });
    const button = (sign, by, name) => {
      const made = el("button", { type: "button", class: "step", "aria-label": name, title: name }, sign);
      made.addEventListener("click", () => to(Math.min(Number(this.range.max), Math.max(Number(this.range.min), Number(this.range.value) + by))));
      return made;
    };
    this.back = button("◀", -1, words.back);
    this.on = button("▶", 1, words.on);
    this.range.addEventListener("input", () => to(Number(this.range.value)));
    this.node = el("div", { class: "stepper" }, el("label", {}, this.title, this.range), this.back, this.on);
  }

  show(value, min, max, title) {
    Object.assign(this.range, { min, max });
    this.range.value = value;
    this.title.textContent = title;
    this.range.setAttribute("aria-valuetext", title);
    this.back.disabled = value <= min;
    this.on.disabled = value >= max;
  }
}
