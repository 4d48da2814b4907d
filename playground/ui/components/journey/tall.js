// The same line on a phone: text above tokens above what comes next. Bands run down the right side into the box
// and down the left side out of it.

const TALL = { row: 42, next: 46, core: 54, lane: 50, number: 26 };

function tallPicture(data, width) {
  const [text, tokens, vectors, weights, end] = data.stations;
  const x = { tokens: [0, 0.38 * width], vectors: [0.41 * width, 0.63 * width], weight: width - TALL.lane - 14 };
  const parts = [];
  const heading = (station, number, left, y, room) => {
    const [node, bottom] = tallStation(station, number, left, y, room);
    parts.push(node);
    return bottom;
  };
  let y = heading(text, 1, 0, 0, width);
  const box = tallSentence(data.text, width, y);
  parts.push(box.node);
  y = box.bottom + 10;
  const columns = [[tokens, 0], [vectors, x.vectors[0]], [weights, x.vectors[1] + 12]];
  const rooms = [x.tokens[1], x.vectors[1] - x.vectors[0], width - x.vectors[1] - 12];
  y = Math.max(...columns.map(([station, left], i) => heading(station, i + 2, left, y, rooms[i])));
  const core = { top: y + data.rows.length * TALL.row + 16, width };
  parts.push(...tallRows(data, x, y, core), tallCore(data, core));
  const bottom = core.top + TALL.core;
  const left = TALL.lane + 16;
  y = heading(end, 5, left, bottom + 10, width - left);
  const items = data.next.length ? data.next : data.vector;
  const lines = items.map((_, i) => ({ middle: y + TALL.next * (i + 0.5), height: TALL.next }));
  parts.push(...(data.next.length ? tallNext(data, lines, bottom, [left, width]) : tallVector(data, lines, bottom, [left, width])));
  const drawing = canvas(data, width, y + items.length * TALL.next + 6);
  drawing.classList.add("tall");
  drawing.append(...parts);
  return drawing;
}

/** A station's number and name, its note below; the node, and where it ends. */
function tallStation(station, number, left, y, room) {
  const node = svg("g");
  const stop = svg(station.href ? "a" : "g", { class: station.href ? "station open" : "station" });
  if (station.href) stop.setAttribute("href", station.href);
  const lines = wrap(station.note, room, 13);
  const bottom = y + 32 + 17 * lines.length;
  stop.append(svg("rect", { class: "halo", x: left, y, width: room, height: bottom - y, rx: 8 }));
  stop.append(svg("circle", { cx: left + 13, cy: y + 16, r: 10 }));
  stop.append(label(String(number), { class: "number", x: left + 13, y: y + 21 }));
  stop.append(label(station.title, { class: "title", x: left + TALL.number, y: y + 21 }));
  node.append(stop);
  lines.forEach((line, i) => node.append(label(line, { class: "note", x: left + 2, y: y + 41 + 17 * i })));
  return [node, bottom + 4];
}

function tallSentence(text, width, y) {
  const [size, lines] = fitLines(text, width - 24, 110);
  const height = lines.length * size * 1.45 + 14;
  const node = svg("g", { class: "sentence" });
  node.append(svg("rect", { class: "paper", x: 1, y, width: width - 2, height, rx: 9 }));
  lines.forEach((line, i) => {
    const words = label(line, { class: "words", x: width / 2, y: y + 7 + size * (1.08 + 1.45 * i) });
    words.style.fontSize = `${size}px`;
    node.append(words);
  });
  return { node, bottom: y + height };
}

function tallRows(data, x, top, core) {
  const scale = largestOf(data.rows);
  const height = TALL.row;
  let right = core.width - 2; // of the next band; the first row's runs outermost
  return data.rows.map((row, i) => {
    const y = top + height * (i + 0.5);
    const spot = tokenSpot(row);
    const chip = tokenChip(row, y, height, x.tokens);
    spot.append(svg("rect", { class: "hit", x: 0, y: y - height / 2, width: core.width, height }));
    if (row.values) spot.append(band(chip.right, y - 8, y + 8, x.vectors[0], y - 8, y + 8, "cut"));
    spot.append(...chip.parts);
    if (row.values) spot.append(vector(row.values, scale, y, height, x.vectors));
    const looks = row.weight !== null;
    const thick = looks ? row.weight * TALL.lane : 1.2;
    const from = looks ? x.weight + 6 : (row.values ? x.vectors[1] : chip.right) + 6;
    const half = Math.min(thick, height - 6) / 2;
    if (thick > 0.1) spot.append(intoLane(from, y, half, right - thick, right, core.top, looks ? "look" : "thread"));
    right -= looks ? thick : TALL.lane / data.rows.length;
    if (looks) spot.append(label(row.percent, { class: "weight", x: x.weight, y: y + 5.5 }));
    return spot;
  });
}

function tallCore(data, { top, width }) {
  const shape = svg("g", { class: "core" });
  shape.append(svg("rect", { x: 0, y: top, width, height: TALL.core, rx: 12 }));
  shape.append(label(shorten(data.core.label, width - 24, 18), { class: "name", x: width / 2, y: top + 23 }));
  shape.append(label(data.core.lines.join("  "), { class: "small", x: width / 2, y: top + 43 }));
  return shape;
}

function tallNext(data, lines, bottom, [left, right]) {
  let edge = TALL.lane + 2; // of the next band; the last row's runs outermost
  return data.next.map((row, i) => {
    const { middle: y, height } = lines[i];
    const spot = nextSpot(row, i, y, height, [left, right]);
    const thick = Math.max(row.p * TALL.lane, 0.6);
    spot.prepend(outOfLane(edge - thick, edge, bottom, left - 8, y, Math.min(thick, height - 10) / 2));
    edge -= thick;
    return spot;
  });
}

function tallVector(data, lines, bottom, sides) {
  const [first, last] = [lines[0].middle, lines.at(-1).middle];
  const flow = outOfLane(2, TALL.lane, bottom, sides[0] - 8, (first + last) / 2, (last - first) / 2);
  return [flow, ...vectorSpots(data, lines, sides)];
}

/** From a row to the right, then down to a height. */
function intoLane(from, y, half, left, right, bottom, className) {
  const [top, low] = [y - half, y + half];
  const outer = `M${from},${top}Q${right},${top} ${right},${Math.min(top + 22, bottom)}V${bottom}`;
  return svg("path", { class: `band ${className}`, d: `${outer}H${left}V${Math.min(low + 12, bottom)}Q${left},${low} ${from},${low}Z` });
}

/** Down from a height, then to the right into a row. */
function outOfLane(left, right, top, to, y, half) {
  const [high, low] = [y - half, y + half];
  const outer = `M${left},${top}V${Math.max(low - 22, top)}Q${left},${low} ${to},${low}`;
  return svg("path", { class: "band flow", d: `${outer}V${high}Q${right},${high} ${right},${Math.max(high - 12, top)}V${top}Z` });
}
