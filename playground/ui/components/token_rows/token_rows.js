// Several tokenizers over one text. All text comes in through `data` and reaches the page only as textContent.

const NAME = 9.6 * 17 + 8; // the names' column and its gap in pixels
const EDGES = 18;
const PHONE = 600; // below, names stand above their rows

export default renewed(({ parentElement, data, setStateValue }) => {
  const root = parentElement.querySelector(".rows");
  const about = parentElement.querySelector(".about");
  const view = { root, about, data, setStateValue };
  const signature = JSON.stringify({ ...data, selected: null });
  if (root.signature !== signature) {
    root.signature = signature;
    draw(view);
  }
  select(view);
  const stop = new AbortController();
  listen(view, stop.signal);
  const watch = new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - root.drawnWidth) < 8) return;
    draw(view);
    select(view);
  });
  watch.observe(root);
  return () => {
    stop.abort();
    watch.disconnect();
  };
});

// ---------------------------------------------------------------- lines

function draw({ root, data }) {
  root.style.maxHeight = `${data.height}px`;
  root.style.setProperty("--rows", data.rows.length);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.words.rows);
  root.drawnWidth = root.clientWidth;
  root.classList.toggle("phone", root.clientWidth < PHONE);
  const columns = columnsOf(data);
  root.replaceChildren(...cutLines(columns, data.breaks, root.clientWidth - EDGES - (root.clientWidth < PHONE ? 0 : NAME)).map((line) => drawLine(data, columns, line)));
  root.scrollTop = 0;
}

/** Width in pixels of every character's column, wide enough for the chips below; then the marks before and after. */
function columnsOf(data) {
  const widths = data.characters.map((character) => Math.max(12, pixels(character, 17) + 2));
  const edges = [0, 0];
  for (const row of data.rows) {
    for (const [start, stop, first, last] of row.cells) {
      const many = last - first > 1;
      let needed = 5;
      for (let i = first; i < last; i++) needed += chipWidth(row, i, many);
      if (start === stop) edges[start === 0 ? 0 : 1] += needed;
      else grow(widths, start, stop, needed);
    }
  }
  return { widths, edges };
}

function chipWidth(row, position, many) {
  const small = many || row.kinds[position] === "bytes";
  return pixels(row.labels[position], small ? 11.6 : 15.6) + (small ? 5 : 6);
}

function grow(widths, start, stop, needed) {
  let has = 0;
  for (let i = start; i < stop; i++) has += widths[i];
  if (has >= needed) return;
  for (let i = start; i < stop; i++) widths[i] += (needed - has) / (stop - start);
}

function pixels(text, size) {
  let width = 0;
  for (const char of text) width += size * (char.codePointAt(0) < 0x1100 ? 0.61 : 1.02);
  return width;
}

/** Where lines begin and end, broken where no token of any row reaches across, if there is such a place. */
function cutLines({ widths, edges }, breaks, room) {
  const mayBreak = new Set(breaks);
  const lines = [];
  let start = 0;
  let used = edges[0];
  let last = 0;
  for (let i = 0; i < widths.length; i++) {
    if (mayBreak.has(i)) last = i;
    used += widths[i];
    if (used > room && i > start) {
      const stop = last > start ? last : i;
      lines.push([start, stop]);
      start = stop;
      used = 0;
      for (let j = start; j <= i; j++) used += widths[j];
    }
  }
  lines.push([start, widths.length]);
  return lines;
}

function drawLine(data, { widths, edges }, [start, stop]) {
  const line = element("div", "line");
  const before = start === 0 ? edges[0] : 0;
  const after = stop === data.characters.length ? edges[1] : 0;
  const sizes = [before, ...widths.slice(start, stop), after].map((width) => `${fixed(width, 1)}px`).join(" ");
  const text = track("track text", sizes, data.dir);
  for (let i = start; i < stop; i++) {
    const character = element("span", "character", data.characters[i]);
    character.dataset.character = i;
    place(character, i - start + 2, i - start + 3);
    text.append(character);
  }
  line.append(element("span", "name"), text);
  data.rows.forEach((row, r) => line.append(rowName(row, start === 0), drawRow(row, r, sizes, start, stop, data)));
  return line;
}

function rowName(row, first) {
  const name = element("span", "name");
  name.title = row.name;
  name.append(element("b", "", row.name));
  if (first) name.append(row.note);
  return name;
}

function drawRow(row, r, sizes, start, stop, data) {
  const line = track("track", sizes, data.dir);
  line.setAttribute("role", "listbox");
  line.setAttribute("aria-orientation", "horizontal");
  line.setAttribute("aria-label", row.name);
  const end = data.characters.length;
  row.cells.forEach(([from, to, first, last], c) => {
    const none = from === to;
    const here = none ? (from === 0 ? start === 0 : stop === end) : from < stop && to > start;
    if (!here) return;
    const cell = element("span", last - first > 1 ? "cell shared many" : "cell");
    if (to <= stop && row.cells[c + 1]?.[0] !== to) cell.classList.add("end");
    if (from < start) cell.classList.add("goes-on");
    if (none) place(cell, from === 0 ? 1 : stop - start + 2, from === 0 ? 2 : stop - start + 3);
    else place(cell, Math.max(from, start) - start + 2, Math.min(to, stop) - start + 2);
    for (let i = first; i < last; i++) cell.append(chip(row, r, i));
    // several marks before the text share one column
    const taken = none && line.querySelector(`.cell[data-edge="${from === 0}"]`);
    if (taken) taken.append(...cell.childNodes);
    else {
      if (none) cell.dataset.edge = from === 0;
      line.append(cell);
    }
  });
  return line;
}

function chip(row, r, position) {
  const node = element("span", `chip ${row.kinds[position] ?? "text"}`, row.labels[position]);
  node.dataset.row = r;
  node.dataset.position = position;
  node.style.setProperty("--hue", hue(row.ids[position]));
  node.setAttribute("role", "option");
  node.setAttribute("aria-selected", "false");
  node.tabIndex = position === 0 ? 0 : -1;
  return node;
}

/** Columns that begin where the text does, so that a letter stands over its own chip. */
function track(className, sizes, dir) {
  const node = element("div", className);
  node.dir = dir;
  node.style.gridTemplateColumns = sizes;
  return node;
}

function place(node, from, to) {
  node.style.gridColumn = `${from} / ${to}`;
  node.style.gridRow = "1";
}

// ---------------------------------------------------------------- pointing and choosing

function select({ root, about, data }) {
  for (const chip of root.querySelectorAll(".chip[aria-selected=true]")) chip.setAttribute("aria-selected", "false");
  for (const chip of chips(root, 0, data.selected)) chip.setAttribute("aria-selected", "true");
  describe(about, data, data.selected === null ? null : [0, data.selected]);
}

function chips(root, row, position) {
  return root.querySelectorAll(`.chip[data-row="${row}"][data-position="${position}"]`);
}

function listen({ root, about, data, setStateValue }, signal) {
  const on = (name, act) => root.addEventListener(name, act, { signal });
  const placeOf = (event) => {
    const chip = event.target.closest?.(".chip");
    return chip ? [Number(chip.dataset.row), Number(chip.dataset.position)] : null;
  };
  const point = (at) => {
    light(root, data, at);
    describe(about, data, at ?? (data.selected === null ? null : [0, data.selected]));
  };
  const choose = ([row, position]) => {
    if (row === 0 && data.selects) setStateValue("clicked", position === data.selected ? null : position);
  };
  on("pointerover", (event) => point(placeOf(event)));
  on("pointerleave", (event) => isGone(event) && point(null));
  on("focusin", (event) => point(placeOf(event)));
  on("focusout", () => point(null));
  on("click", (event) => {
    const at = placeOf(event);
    if (at) choose(at);
  });
  on("keydown", (event) => {
    const at = placeOf(event);
    if (!at) return;
    if (event.key === "Enter" || event.key === " ") choose(at);
    else {
      const next = neighbour(data, at, event.key);
      const target = next && chips(root, ...next)[0];
      if (!target) return;
      target.focus({ preventScroll: true });
      target.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    event.preventDefault();
  });
}

/** The token to the left or right, or the one over the same character in the row above or below. */
function neighbour(data, [row, position], key) {
  if (key === "ArrowRight" || key === "ArrowLeft") {
    const next = position + ((key === "ArrowRight") === (data.dir !== "rtl") ? 1 : -1);
    return next >= 0 && next < data.rows[row].labels.length ? [row, next] : null;
  }
  const other = row + { ArrowDown: 1, ArrowUp: -1 }[key];
  if (!data.rows[other]) return null;
  const [from, to] = spanOf(data.rows[row], position);
  const cell = data.rows[other].cells.find(([start, stop]) => start < Math.max(to, from + 1) && stop > from);
  return cell ? [other, cell[2]] : null;
}

function spanOf(row, position) {
  return row.cells.find(([, , first, last]) => first <= position && position < last);
}

function light(root, data, at) {
  for (const node of root.querySelectorAll(".lit")) node.classList.remove("lit");
  if (!at) return;
  const [from, to] = spanOf(data.rows[at[0]], at[1]);
  for (let i = from; i < to; i++) root.querySelector(`.character[data-character="${i}"]`)?.classList.add("lit");
  data.rows.forEach((row, r) => {
    for (const [start, stop, first, last] of row.cells) {
      if (start >= to || stop <= from) continue;
      for (let i = first; i < last; i++) if (r !== at[0]) for (const chip of chips(root, r, i)) chip.classList.add("lit");
    }
  });
}

function describe(about, data, at) {
  about.replaceChildren();
  const row = at && data.rows[at[0]];
  if (!row || row.labels[at[1]] === undefined) {
    about.textContent = data.words.hint;
    return;
  }
  const [start, stop] = row.spans[at[1]];
  const { words } = data;
  const where = start === stop ? words.special : start + 1 === stop ? words.character : words.characters;
  const values = { n: at[1] + 1, total: row.labels.length, id: row.ids[at[1]], bytes: row.bytes[at[1]], start: start + 1, stop };
  about.append(element("b", "", row.labels[at[1]]), element("span", "fact", row.name));
  for (const fact of [words.token, words.id, row.bytes[at[1]] && words.bytes, where].filter(Boolean))
    about.append(element("span", "fact", fill(fact, values)));
}
