// Amounts as colours, 0 = paper, and canvases that stay sharp when saved.

function rgb(colour) {
  const pen = el("canvas", { width: 1, height: 1 }).getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

const mix = (from, to, share) => from.map((value, i) => value + share * (to[i] - value));

/** Colours of 0 to 255, as the charts have them: 0 is the paper, farther from it is more. */
function amountColours({ amounts }) {
  const stops = amounts.map(rgb);
  const pixels = new Uint8ClampedArray(4 * 256);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    const colour = mix(stops[low], stops[low + 1], at - low);
    pixels.set([...colour, 255], 4 * i);
  }
  return new Uint32Array(pixels.buffer);
}

/** Values 0 to 255, row after row, as an image of one pixel each. */
function amountImage(values, nRows, nColumns, colours) {
  const canvas = el("canvas", { width: nColumns, height: nRows });
  const image = new ImageData(nColumns, nRows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < values.length; i++) pixels[i] = colours[values[i]];
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** A pen for an empty canvas of this size in CSS pixels; twice as fine at least, for saved pictures. */
function freshPen(canvas, wide, high) {
  const ratio = Math.max(2, devicePixelRatio);
  Object.assign(canvas, { width: Math.round(wide * ratio), height: Math.round(high * ratio) });
  Object.assign(canvas.style, { width: `${wide}px`, height: `${high}px` });
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.imageSmoothingEnabled = false;
  return pen;
}

/** Diagonal lines: what was cut, or cannot be. */
function hatching(pen, colour, step) {
  const tile = el("canvas", { width: 2 * step, height: 2 * step });
  const ink = tile.getContext("2d");
  Object.assign(ink, { strokeStyle: colour, lineWidth: 1.5 });
  for (const shift of [-2 * step, 0, 2 * step]) {
    ink.moveTo(shift - 1, 2 * step + 1);
    ink.lineTo(shift + 2 * step + 1, -1);
  }
  ink.stroke();
  const pattern = pen.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(0.5));
  return pattern;
}

/** Which colour is which amount, 0 to 1; `scale` says how far along the colours an amount lies. */
function amountLegend(colours, ticks, scale = Math.sqrt) {
  const strip = amountImage(Uint8Array.from({ length: 256 }, (_, i) => i), 1, 256, colours);
  const labels = ticks.map((tick) => el("span", { style: `left: ${100 * scale(tick)}%` }, String(tick)));
  return el("span", { class: "amounts" }, strip, ...labels);
}

/** A colour of `amountColours` as red, green and blue. */
const rgb24 = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];

/** Dark or light ink, whichever reads better on a colour. */
function inkOn(colour) {
  const [r, g, b] = colour.map((part) => (part / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000000" : "#ffffff";
}

/** As much of a text as has room on a canvas. */
function clippedTo(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  const letters = [...text];
  while (letters.length && pen.measureText(`${letters.join("")}…`).width > room) letters.pop();
  return `${letters.join("")}…`;
}

function frame(pen, colour, thick, x, y, wide, high) {
  Object.assign(pen, { strokeStyle: colour, lineWidth: thick });
  pen.strokeRect(x, y, wide, high);
}

function graphTheme(node) {
  const theme = pageTheme(node);
  const { dark } = theme;
  return {
    ...theme,
    grey: dark ? "#9aa3ad" : "#5f6770",
    query: dark ? "#56B4E9" : "#0072B2",
    value: dark ? "#2EC79A" : "#009E73",
    hatch: dark ? "#4a5562" : "#b9c0c8",
    colours: amountColours(theme),
  };
}
