// Text that fits its room.

let ruler;
let fonts = { code: "monospace", body: "sans-serif" };

function measure(text, size, code = false) {
  ruler ??= document.createElement("canvas").getContext("2d");
  ruler.font = `${size}px ${code ? fonts.code : fonts.body}`;
  return ruler.measureText(text).width;
}

const segments = (text) => Array.from(new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text), (s) => s.segment);

function shorten(text, room, size) {
  const parts = segments(text);
  if (measure(text, size, true) <= room) return text;
  let keep = parts.length;
  const cut = () => `${parts.slice(0, Math.ceil(keep / 2)).join("")}…${parts.slice(parts.length - Math.floor(keep / 2)).join("")}`;
  while (keep > 2 && measure(cut(), size, true) > room) keep -= 1;
  return cut();
}

// The largest size at which the text fits, words whole if any size allows it; the middle of a long text is left out.
function fitLines(text, room, tall) {
  const sizes = [19, 17, 15, 13];
  const whole = (size) => text.split(/[ \n]/).every((word) => measure(word, size) <= room);
  for (const size of [...sizes.filter(whole), ...sizes]) {
    const lines = wrap(text, room, size);
    if (lines.length * size * 1.45 <= tall) return [size, lines];
  }
  const lines = wrap(text, room, 13);
  const fit = Math.floor(tall / (13 * 1.45));
  const head = Math.ceil((fit - 1) / 2);
  return [13, [...lines.slice(0, head), "⋯", ...lines.slice(lines.length - (fit - 1 - head))]];
}

function wrap(text, room, size) {
  return text.split("\n").flatMap((paragraph) => {
    const lines = [""];
    for (const word of paragraph.split(/(?<= )/u)) {
      const pieces = measure(word.trimEnd(), size) > room ? segments(word) : [word];
      for (const piece of pieces) {
        if (lines.at(-1) && measure((lines.at(-1) + piece).trimEnd(), size) > room) lines.push(piece);
        else lines[lines.length - 1] += piece;
      }
    }
    return lines.map((line) => line.trimEnd());
  });
}
