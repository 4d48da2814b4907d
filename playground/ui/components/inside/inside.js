// The way through the layers: parts on the left, what the model would answer after each on the right.
// Every text comes in through `data` and reaches the page only as textContent.

// Layer numbers; a block, of which attention and MLP take what their parameters take, each enough for its name; the
// line of the residual stream; the lowest row and the narrowest column of the table, in pixels.
const WIDE = { left: 34, blocks: 236, part: 94, stream: 20, row: 17, cell: 0 };
const PHONE = { left: 24, blocks: 124, part: 62, stream: 14, row: 24, cell: 72 }; // below 600: the table scrolls
const HEAD = 15; // between two lines above a column
let ruler = null;
const [ATTENTION, MLP, END, ANSWER] = ["#e69f00", "#009e73", "#56b4e9", "#0072b2"];

export default renewed(({ parentElement, data, setStateValue }) => {
  const host = parentElement.querySelector(".inside");
  const detail = parentElement.querySelector(".detail");
  const n = (data.top ?? data.cosines).length;
  let focus = home(data, n);

  function draw() {
    const theme = graphTheme(host);
    const room = host.clientWidth || 900;
    const box = layout(room, n, data.tokens);
    const picture = svg("svg", {
      viewBox: `0 0 ${box.width} ${box.height}`, width: box.width, height: box.height, tabindex: 0,
      role: "application", "aria-label": data.words.picture,
    });
    const parts = svg("g", { class: "parts" });
    parts.append(...architecture(data, box, theme, n));
    picture.append(...table(data, box, theme, n), parts);
    host.replaceChildren(picture);
    const chosen = box.left + home(data, n).column * box.cell;
    host.scrollLeft = Math.max(0, chosen + box.cell - room);
    parentElement.querySelector(".legend").replaceChildren(...legend(data, theme));
    say(focus);
  }

  function say(at) {
    detail.textContent = at.column < 0 ? stationAt(data, at).about : reading(data, at);
  }

  function choose(at) {
    const station = at.id ?? stationAt(data, at).id;
    const value = at.column < 0 ? { station } : { station, position: data.tokens[at.column][0] };
    setStateValue("clicked", { ...value, at: Date.now() }); // the same place may be chosen twice
  }

  const stop = new AbortController();
  const on = (name, act) => host.addEventListener(name, act, { signal: stop.signal });
  const place = (event) => {
    const found = event.target.closest?.("[data-column]")?.dataset;
    return found ? { row: Number(found.row), column: Number(found.column), id: found.id } : null;
  };
  on("pointerover", (event) => say(place(event) ?? focus));
  on("pointerleave", (event) => isGone(event) && say(focus));
  on("scroll", () => host.style.setProperty("--left", `${host.scrollLeft}px`));
  on("click", (event) => {
    const at = place(event);
    if (at) choose(at);
  });
  on("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] }[event.key];
    if (move) {
      const row = Math.max(0, Math.min(n, focus.row + move[0]));
      const column = Math.max(-2, Math.min(data.tokens.length - 1, focus.column + move[1]));
      focus = { row: column < 0 ? row : Math.min(row, n - 1), column };
      mark(host, focus);
      say(focus);
    } else if (event.key === "Enter" || event.key === " ") choose(focus);
    else return;
    event.preventDefault();
  });
  const watcher = new ResizeObserver(draw);
  watcher.observe(host);
  draw();
  if (data.wants && host.dataset.asked !== data.wants) {
    host.dataset.asked = data.wants; // once, however often this is drawn
    setStateValue("asked", data.wants);
  }
  return () => {
    stop.abort();
    watcher.disconnect();
  };
});

/** The cell of the selected position next to the selected part. */
function home(data, n) {
  const [kind, layer] = data.station.split(".");
  const row = kind === "embedding" ? 0 : layer === undefined ? n - 1 : Number(layer) + 1;
  return { row, column: Math.max(0, data.tokens.findIndex(([position]) => position === data.position)) };
}

function layout(width, n, tokens) {
  const sizes = width < 600 ? PHONE : WIDE;
  const row = Math.max(sizes.row, Math.min(34, Math.floor(580 / n)));
  const left = sizes.left + sizes.blocks + sizes.stream + 14;
  const cell = Math.max(sizes.cell, Math.min(150, (width - left - 2) / tokens.length));
  const head = HEAD * (Math.max(...tokens.map(([, , lines = [""]]) => lines.length)) - 1); // what two lines need more than one
  const top = row + 9 + head;
  const all = Math.max(width, left + cell * tokens.length + 2);
  return { ...sizes, width: all, row, left, cell, top, head, numbers: sizes.left, height: top + n * row + 26 + head, y: (at) => top + (n - 1 - at) * row };
}

function stationAt(data, { row, column, id }) {
  const n = (data.top ?? data.cosines).length;
  const wanted =
    id ?? (row === 0 ? "embedding" : row >= n ? (column === -2 ? "norm" : "logits") : `${column === -2 ? "attention" : "mlp"}.${row - 1}`);
  return data.stations.find((station) => station.id === wanted) ?? data.stations[0];
}

function architecture(data, box, theme, n) {
  const nodes = [];
  const { numbers: first, blocks, part: least } = box;
  const x = first + blocks + box.stream / 2 + 2;
  const middle = (row) => box.y(row) + box.row / 2;
  nodes.push(svg("rect", { x: 0, y: 0, width: box.left - 1, height: box.height, fill: theme.paper }));
  nodes.push(svg("line", { x1: x, x2: x, y1: middle(0), y2: box.top - 10, stroke: theme.text, "stroke-width": 3, opacity: 0.55 }));
  nodes.push(svg("path", { d: `M${x - 5},${box.top - 8}l5,-9l5,9z`, fill: theme.text, opacity: 0.7 }));
  const numbers = { "text-anchor": "end", "font-size": 12, "font-family": theme.code, fill: theme.text };
  for (let row = 0; row < n; row += 1) {
    nodes.push(svg("text", { ...numbers, x: first - 6, y: middle(row) + 4 }, String(row)));
    if (row) nodes.push(svg("circle", { cx: x, cy: middle(row), r: 4, fill: theme.paper, stroke: theme.text, "stroke-width": 1.5 }));
  }
  const put = (id, row, column, left, width, y) => {
    const station = data.stations.find((one) => one.id === id);
    if (station) nodes.push(part(data, station, { row, column, x: left, y, width, height: box.row - 3 }, theme));
  };
  put("embedding", 0, -1, first, blocks, box.y(0) + 1.5);
  const half = (blocks < WIDE.blocks ? 0.62 : 0.5) * blocks;
  put("norm", n, -2, first, half - 2, box.top - box.row - 3);
  put("logits", n, -1, first + half, blocks - half, box.top - box.row - 3);
  for (let row = 1; row < n; row += 1) {
    const [attention, mlp] = ["attention", "mlp"].map((kind) => data.stations.find((one) => one.id === `${kind}.${row - 1}`));
    const share = attention.n_parameters / (attention.n_parameters + mlp.n_parameters || 1);
    const width = Math.max(least, Math.min(blocks - least, share * blocks));
    put(attention.id, row, -2, first, width - 2, box.y(row) + 1.5);
    put(mlp.id, row, -1, first + width, blocks - width, box.y(row) + 1.5);
  }
  return nodes;
}

function part(data, station, at, theme) {
  const kind = station.id.split(".")[0];
  const colour = { attention: ATTENTION, mlp: MLP }[kind] ?? END;
  const chosen = station.id === data.station;
  const group = svg("g", { class: "part", role: "img", "aria-label": station.about });
  Object.assign(group.dataset, { row: at.row, column: at.column, id: station.id });
  const { x, y, width, height } = at;
  group.append(
    svg("rect", {
      x, y, width, height, rx: 3, fill: colour, "fill-opacity": chosen ? 1 : 0.28,
      stroke: chosen ? theme.text : colour, "stroke-width": chosen ? 2 : 1,
    }),
    svg("text", {
      x: x + (width < 94 ? 3 : 6), y: y + height / 2 + 4, "font-size": 11.5, "font-family": theme.font,
      fill: chosen ? "#000" : theme.text,
    }, fitted(station.label, width - 8, theme.font)),
  );
  return group;
}

function table(data, box, theme, n) {
  const nodes = [];
  const room = Math.max(1, Math.floor((box.cell - 8) / 7.3));
  data.tokens.forEach(([position, label, lines = [label]], column) => {
    const x = box.left + column * box.cell;
    const chosen = position === data.position;
    const style = { "font-size": 13, "font-family": theme.code, fill: theme.text, "font-weight": chosen ? 700 : 400 };
    for (const y of [box.top - 8 - box.head, box.height - 9 - box.head])
      lines.forEach((line, i) =>
        nodes.push(svg("text", { ...style, x: x + 4, y: y + i * HEAD, "text-decoration": chosen ? "underline" : "none" }, cut(line, room))));
    for (let row = 0; row < n; row += 1)
      nodes.push(cell(data, { row, column, x, y: box.y(row), width: box.cell, height: box.row, room }, theme));
  });
  const chosen = home(data, n);
  const frame = { x: box.left + chosen.column * box.cell, y: box.y(chosen.row), width: box.cell, height: box.row };
  nodes.push(svg("rect", { ...frame, class: "frame", fill: "none", stroke: theme.text, "stroke-width": 2.5, "pointer-events": "none" }));
  return nodes;
}

function cell(data, at, theme) {
  if (isPending(data, at)) return pending(at, theme);
  const amount = data.top ? data.probs[at.row][at.column][0] : Math.max(0, data.cosines[at.row][at.column]);
  const text = data.top ? inCell(data.labels[data.top[at.row][at.column][0]]) : fixed(data.cosines[at.row][at.column], 2);
  const right = data.top && data.ranks[at.row][at.column] === 0;
  const fill = shade(amount, theme);
  const group = svg("g", { class: "cell" });
  Object.assign(group.dataset, { row: at.row, column: at.column });
  const { x, y, width, height } = at;
  group.append(
    svg("rect", { x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1, fill: fill.colour }),
    svg("text", {
      x: x + 4, y: y + height / 2 + 4.5, "font-size": 12.5, "font-family": theme.code, fill: fill.ink,
      "font-weight": right ? 700 : 400,
    }, cut(text, at.room)),
  );
  if (right) group.append(svg("rect", { x: x + width - 5, y: y + 2, width: 3.5, height: height - 4, fill: ANSWER, stroke: fill.ink, "stroke-width": 0.5 }));
  return group;
}

/** A part's name, with how many parameters it has where there is room for both. */
function fitted(text, room, font) {
  ruler ??= document.createElement("canvas").getContext("2d");
  ruler.font = `11.5px ${font}`;
  const fits = (words) => ruler.measureText(words).width <= room;
  if (fits(text)) return text;
  const letters = [...text.replace(/ [\d.,]+( M)?$/, "")];
  const name = letters.join("");
  while (letters.length && !fits(`${letters.join("")}…`)) letters.pop();
  return fits(name) ? name : `${letters.join("")}…`;
}

/** Whether a cell's column is still being computed. */
function isPending(data, { row, column }) {
  return Boolean(data.top) && !data.top[row][column];
}

function pending(at, theme) {
  const group = svg("g", { class: "cell pending" });
  Object.assign(group.dataset, { row: at.row, column: at.column });
  const { x, y, width, height } = at;
  group.append(svg("rect", { x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1, fill: theme.line, "fill-opacity": 0.35 }));
  return group;
}

/** The colour of an amount from 0 to 1, and the ink that reads best on it. */
function shade(amount, { colours }) {
  const colour = rgb24(colours[Math.round(255 * Math.max(0, Math.min(1, amount)))]);
  return { colour: `rgb(${colour.join(",")})`, ink: inkOn(colour) };
}

/** Which colour is which amount, and what the mark of a cell says. */
function legend(data, theme) {
  const { words } = data;
  const scale = amountLegend(theme.colours, [0, 0.25, 0.5, 0.75, 1], (amount) => amount);
  const mark = el("i", { class: "answer" });
  mark.style.background = ANSWER;
  return [el("span", {}, words.amount, scale), ...(data.top ? [el("span", {}, mark, words.answer)] : [])];
}

function cut(text, room) {
  const characters = [...text];
  const wide = (character) => (character.codePointAt(0) > 0x2e80 ? 2 : 1);
  let used = 0;
  const kept = [];
  for (const character of characters) {
    used += wide(character);
    if (used > room) return `${kept.slice(0, -1).join("")}…`;
    kept.push(character);
  }
  return text;
}

function reading(data, { row, column }) {
  const [position, token] = data.tokens[column];
  if (isPending(data, { row, column })) return fill(data.words.pending, { position, token });
  if (!data.top) return fill(data.words.cosine, { layer: row, position, token, value: fixed(data.cosines[row][column], 4) });
  const percent = (value) => `${fixed(100 * value, 1)} %`;
  const guesses = data.top[row][column].map((place, i) => `${data.labels[place]} ${percent(data.probs[row][column][i])}`);
  const answer = data.labels[data.top.at(-1)[column][0]];
  const rank = (data.ranks[row][column] + 1).toLocaleString("en-US");
  return fill(data.words.cell, { layer: row, position, token, guesses: guesses.join(" | "), answer, rank });
}

/** A part of a character fits as that character: `84 (도)` as `(도)`; pointing at the cell says all of it. */
function inCell(label) {
  return /^[0-9A-F]{2}(?: [0-9A-F]{2})* (\(.+\))$/u.exec(label)?.[1] ?? label;
}

function mark(host, at) {
  const target = host.querySelector(`[data-row="${at.row}"][data-column="${at.column}"] rect`);
  const frame = host.querySelector(".frame");
  if (!target) return;
  for (const name of ["x", "y", "width", "height"]) frame.setAttribute(name, target.getAttribute(name));
}
