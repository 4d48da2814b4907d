// A text in chunks; the cuts move while a slider is dragged. All text comes in through `data`, and leaves as textContent.

// ---------------------------------------------------------------- the cut, as playground/core/chunks.py makes it

/** Number of ascending values that are at most `value`. */
function countUpTo(values, value) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

const between = (ends, start, end) => ends.slice(countUpTo(ends, start), countUpTo(ends, end));

/** Units before a place. */
function weightAt(found, measure, place) {
  if (measure === "characters") return place;
  return countUpTo(measure === "tokens" ? found.tokens : found.sentences, place);
}

/** Places where a chunk may begin or end, 0 and the end of the text included. */
function cutPlaces(found, how) {
  const fits = (start, end) => weightAt(found, how.measure, end) - weightAt(found, how.measure, start) <= how.size;
  const bySentence = how.measure === "sentences" || how.ends === "sentences";
  const places = [0];
  const last = () => places[places.length - 1];
  for (const end of bySentence ? found.sentences : found.words) {
    if (how.measure === "sentences" || fits(last(), end)) {
      places.push(end);
      continue;
    }
    for (const word of between(found.words, last(), end)) {
      if (!fits(last(), word)) places.push(...insideWord(found, how, last(), word));
      places.push(word);
    }
  }
  return places;
}

function insideWord(found, how, start, end) {
  if (how.measure === "tokens") return [...new Set(between(found.tokens, start, end))].filter((place) => place < end);
  return Array.from({ length: end - start - 1 }, (_, i) => start + 1 + i);
}

/** [start, end] of each chunk. */
export function cutText(found, how) {
  const places = cutPlaces(found, how);
  const weights = places.map((place) => weightAt(found, how.measure, place));
  const spans = [];
  let first = 0;
  while (first < places.length - 1) {
    const end = Math.max(first + 1, countUpTo(weights, weights[first] + how.size) - 1);
    spans.push([places[first], places[end]]);
    if (end === places.length - 1) break;
    first += 1;
    while (
      weights[end] - weights[first] > how.overlap ||
      (first < end && weights[end + 1] - weights[first] > how.size)
    )
      first += 1;
  }
  return spans;
}

// ---------------------------------------------------------------- the picture

const HUES_OF_CHUNKS = [205, 40];

export default renewed(({ parentElement, data, setStateValue }) => {
  const root = parentElement.querySelector(".chunk-cuts");
  const { revision, settings, ...given } = data;
  const signature = JSON.stringify(given);
  if (root.signature !== signature) build(root, given);
  if (root.revision !== revision) root.how = { ...settings }; // else the reader's own are newer
  if (root.signature !== signature) root.chosen = null;
  Object.assign(root, { signature, revision });
  paint(root, given);
  return listen(root, given, setStateValue);
});

function build(root, given) {
  const { words } = given;
  const list = (name, options) => {
    const node = el("select", { name });
    node.append(...options.map((one) => el("option", { value: one }, words[one])));
    return el("label", { class: "control" }, element("span", "", words[name]), node);
  };
  const slider = (name) => {
    const value = element("output", "", "");
    return el("label", { class: "control" }, el("span", {}, words[name], " ", value), el("input", { type: "range", name }));
  };
  const controls = element("div", "controls");
  controls.append(
    list("measure", ["characters", "tokens", "sentences"]),
    list("ends", ["sentence_ends", "word_ends"]),
    slider("size"),
    slider("overlap"),
  );
  const said = element("p", "said");
  said.setAttribute("aria-live", "polite");
  const box = el("div", { class: "text", tabindex: 0, role: "group", "aria-label": words.text });
  const legend = element("div", "legend");
  const sample = (className, hueOf, text) => {
    const node = element("span", `part ${className}`, "abc");
    if (hueOf !== null) node.style.setProperty("--hue", HUES_OF_CHUNKS[hueOf]);
    return [node, element("span", "", text)];
  };
  legend.append(...sample("", 0, words.chunk), ...sample("twice", 1, words.twice));
  if (given.found) legend.append(...sample("found", 0, words.found));
  legend.append(element("span", "hint", words.hint));
  root.letters = [...given.text];
  root.replaceChildren(controls, said, box, legend);
}

/** Smallest, largest and step of the size, by measure. */
const limitsOf = (given, how) => given.limits[how.measure];

function paint(root, given) {
  const { how } = root;
  const ready = how.measure !== "tokens" || given.tokens.length > 0;
  controls(root, given, how);
  root.querySelector(".text").classList.toggle("stale", !ready);
  if (!ready) return;
  const ends = { words: given.word_ends, sentences: given.sentences, tokens: given.tokens };
  const spans = cutText(ends, how);
  root.spans = spans;
  if (root.chosen !== null && root.chosen >= spans.length) root.chosen = null;
  root.querySelector(".text").replaceChildren(...parts(root, given, spans));
  tell(root, given);
}

function controls(root, given, how) {
  const at = (name) => root.querySelector(`[name=${name}]`);
  const [low, high, step] = limitsOf(given, how);
  at("measure").value = how.measure;
  at("ends").value = how.measure === "sentences" || how.ends === "sentences" ? "sentence_ends" : "word_ends";
  at("ends").disabled = how.measure === "sentences";
  Object.assign(at("size"), { min: low, max: high, step });
  at("size").value = how.size;
  const most = Math.floor(how.size / 2);
  Object.assign(at("overlap"), { min: 0, max: most, step: Math.max(1, Math.min(step, most)) });
  at("overlap").value = how.overlap;
  at("size").parentNode.querySelector("output").textContent = how.size.toLocaleString(given.language);
  at("overlap").parentNode.querySelector("output").textContent = how.overlap.toLocaleString(given.language);
}

/** The text as spans: each with the chunks that read it. */
function parts(root, given, spans) {
  const borders = new Set([0, root.letters.length]);
  for (const span of given.found ? [...spans, given.found] : spans) for (const place of span) borders.add(place);
  const places = [...borders].filter((place) => place <= root.letters.length).sort((a, b) => a - b);
  const made = [];
  let low = 0;
  for (let i = 0; i + 1 < places.length; i++) {
    const [start, end] = [places[i], places[i + 1]];
    while (spans[low] && spans[low][1] <= start) low += 1;
    const readers = [];
    for (let k = low; k < spans.length && spans[k][0] <= start; k++) if (spans[k][1] > start) readers.push(k);
    const node = element("span", "part", root.letters.slice(start, end).join(""));
    const begun = readers.filter((k) => spans[k][0] === start);
    node.dataset.chunk = readers[readers.length - 1];
    node.style.setProperty("--hue", HUES_OF_CHUNKS[readers[0] % 2]);
    if (readers.length > 1) node.classList.add("twice");
    if (readers.includes(root.chosen)) node.classList.add("chosen");
    if (given.found && start >= given.found[0] && end <= given.found[1]) node.classList.add("found");
    for (const k of begun) made.push(element("span", "number", String(k + 1)));
    made.push(node);
  }
  return made;
}

function tell(root, given) {
  const { spans, letters, chosen } = root;
  const { words, language } = given;
  const shown = (n) => n.toLocaleString(language);
  const twice = spans.reduce((sum, [start, end]) => sum + end - start, 0) - letters.length;
  const lengths = spans.map(([start, end]) => end - start);
  const said = fill(spans.length === 1 ? words.one : words.many, {
    n: shown(spans.length),
    least: shown(Math.min(...lengths, Infinity)),
    most: shown(Math.max(...lengths, 0)),
    share: `${fixed((100 * twice) / Math.max(1, letters.length), 0)} %`,
  });
  const more = chosen === null ? "" : " " + fill(words.chosen, {
    k: shown(chosen + 1),
    start: shown(spans[chosen][0]),
    end: shown(spans[chosen][1]),
    length: shown(lengths[chosen]),
    repeats: shown(chosen ? Math.max(0, spans[chosen - 1][1] - spans[chosen][0]) : 0),
  });
  root.querySelector(".said").textContent = said + more;
}

function listen(root, given, setStateValue) {
  const stop = new AbortController();
  const on = (name, act) => root.addEventListener(name, act, { signal: stop.signal });
  let waits = 0;
  const soon = () => {
    cancelAnimationFrame(waits);
    waits = requestAnimationFrame(() => paint(root, given));
  };
  const send = () => setStateValue("cuts", { ...root.how, revision: root.revision });
  on("input", ({ target }) => {
    const { how } = root;
    if (target.name === "size") {
      how.size = Number(target.value);
      how.overlap = Math.min(how.overlap, Math.floor(how.size / 2));
    } else if (target.name === "overlap") how.overlap = Number(target.value);
    else return;
    soon();
  });
  on("change", ({ target }) => {
    if (target.name === "measure") Object.assign(root.how, { measure: target.value, ...given.defaults[target.value] });
    else if (target.name === "ends") root.how.ends = target.value === "word_ends" ? "words" : "sentences";
    cancelAnimationFrame(waits);
    paint(root, given);
    send();
  });
  const choose = (chunk) => {
    root.chosen = chunk === root.chosen ? null : chunk;
    paint(root, given);
  };
  on("click", (event) => {
    const node = event.target.closest?.(".text .part");
    if (node) choose(Number(node.dataset.chunk));
  });
  on("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.closest?.(".text") || !root.spans?.length) return;
    event.preventDefault();
    const next = root.chosen === null ? 0 : Math.min(root.spans.length - 1, Math.max(0, root.chosen + step));
    if (next === root.chosen) return;
    choose(next);
    root.querySelector(".text .chosen")?.scrollIntoView({ block: "nearest" });
  });
  return () => {
    cancelAnimationFrame(waits);
    stop.abort();
  };
}
