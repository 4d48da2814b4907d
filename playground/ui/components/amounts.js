// Amounts as colours, 0 = paper, and canvases that stay sharp when saved.

const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"];
const FADE = 0.12; // up to this share colours come out of the paper

function rgb(colour) {
  const pen = el("canvas", { width: 1, height: 1 }).getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

const mix = (from, to, share) => from.map((value, i) => value + share * (to[i] - value));

/** Colours of 0 to 255: farther from the paper is more, so that the scale turns round on white. */
function amountColours({ paper, dark }) {
  const stops = CIVIDIS.map(rgb);
  if (!dark) stops.reverse();
  const blank = rgb(paper);
  const pixels = new Uint8ClampedArray(4 * 256);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    const colour = mix(stops[low], stops[low + 1], at - low);
    pixels.set([...mix(blank, colour, Math.min(1, i / 255 / FADE)), 255], 4 * i);
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
