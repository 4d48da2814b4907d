// What components share. Strings become text nodes, never markup.

const HUES = 12;

/** The colour of a token, in degrees: its id decides, so that it is the same on every page. */
const hue = (id) => (id % HUES) * (360 / HUES);

/** `{name}` replaced by values[name]; unknown names stay. */
function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A number with so many digits behind the point, without the sign of what rounds to zero. */
function fixed(value, digits) {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text;
}

function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function element(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function svg(name, attributes = {}, text = null) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== null) node.textContent = text;
  return node;
}

/** Where a pointer stands in a node and how large the node is, in its own pixels: large type enlarges the page. */
const enlarged = (node) => node.currentCSSZoom ?? 1;

function placeIn(node, { clientX, clientY }) {
  const { left, top } = node.getBoundingClientRect();
  return [(clientX - left) / enlarged(node), (clientY - top) / enlarged(node)];
}

function sizeOf(node) {
  const { width, height } = node.getBoundingClientRect();
  return { width: width / enlarged(node), height: height / enlarged(node) };
}

/** Whether a pointer that leaves is gone: a finger that is lifted still means what it tapped. */
const isGone = (event) => event.pointerType !== "touch";

/** Go to a link of this app, in the language of this tab, as a step of the tab's history. */
function visit(link) {
  const url = new URL(link, location.origin);
  const language = new URLSearchParams(location.search).get("lang");
  if (language) url.searchParams.set("lang", language);
  History.prototype.pushState.call(history, null, "", url.pathname + url.search);
  dispatchEvent(new PopStateEvent("popstate", { state: null }));
}

const ends = new WeakMap();

/**
 * A component that hears with its last data only. Streamlit calls it anew with each new data, but what a call
 * returned only when the component leaves the page: here what `begin` returned is called at both.
 */
function renewed(begin) {
  return (given) => {
    const end = () => ends.get(given.parentElement)?.();
    end();
    ends.set(given.parentElement, begin(given));
    return end;
  };
}

/** Colours and fonts of the page's theme, as plain values so that an exported picture keeps them. */
function pageTheme(node) {
  const style = getComputedStyle(node);
  const value = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const list = (name, otherwise) => value(name, "").split(",").filter(Boolean).length > 1 ? value(name).split(",") : otherwise;
  const paper = value("--st-background-color", "#ffffff");
  const dark = /^#[0-4]/.test(paper) || /^rgb\(\s*\d{1,2},/.test(paper);
  return {
    paper,
    dark,
    text: value("--st-text-color", "#1a1c20"),
    font: value("--st-font", "sans-serif"),
    code: value("--st-code-font", "monospace"),
    line: dark ? "#39424d" : "#d5dbe2",
    amounts: list("--st-chart-sequential-colors", [paper, value("--st-text-color", "#1a1c20")]),
  };
}

/** JSON head and the bytes after it, as `packed` of components/__init__.py lays them out. */
function unpacked(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { head, rest: bytes.slice(4 + length) };
}
