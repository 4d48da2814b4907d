// What Streamlit's own parts lack for readers without a mouse or without sight. Loaded once for the whole page.

const SCROLLERS = "[data-testid=stVegaLiteChart], [data-testid=stVerticalBlock][overflow=auto]";
const REACHED = "a[href], button, input, select, textarea, [tabindex='0']";
const LONG_MS = 2_000; // what is done sooner is not announced
const LOOK_MS = 500;
const RESTS_MS = 5_000; // a bar that says the same for so long belongs to what has ended, or shows shares
const RUNNING = "[data-testid=stApp]:not([data-test-script-state=notRunning])";
const BAR = "[data-testid=stMain] [data-testid=stProgress]";

/** Parts that scroll stop the Tab key, as they do in some browsers of their own accord; arrows then move them. */
function stopAtScrollers() {
  for (const node of document.querySelectorAll(SCROLLERS)) {
    const scrolls = node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1;
    if (scrolls && !node.querySelector(REACHED)) node.tabIndex = 0;
    else node.removeAttribute("tabindex");
  }
}

document.addEventListener("keydown", (event) => event.key === "Tab" && stopAtScrollers(), true);

const spoken = Object.assign(document.createElement("div"), { role: "status", ariaLive: "polite" });
spoken.style.cssText = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)";
document.body.append(spoken);
let words = null;
let since = 0;
let isTold = false;
let firstSeen = new Map(); // what a bar says -> since when

/** What the first bar says that still moves, undefined if none does. */
function moving() {
  const now = performance.now();
  const told = Array.from(document.querySelectorAll(BAR), (bar) => bar.textContent.trim());
  firstSeen = new Map(told.map((text) => [text, firstSeen.get(text) ?? now]));
  return told.find((text) => now - firstSeen.get(text) < RESTS_MS);
}

/** Say once that something takes longer, with what its bar says, and once that it is done. */
function follow() {
  const bar = moving();
  if (bar !== undefined || document.querySelector(RUNNING)) {
    since ||= performance.now();
    if (isTold || performance.now() - since < LONG_MS) return;
    isTold = true;
    spoken.textContent = [words.busy, bar].filter(Boolean).join(": ");
  } else {
    if (isTold) spoken.textContent = words.done;
    since = 0;
    isTold = false;
  }
}

/** A chart is one picture with one description: Vega names each of its marks and axes too, in English. */
function nameCharts() {
  for (const drawn of document.querySelectorAll("[data-testid=stVegaLiteChart] svg:not([aria-hidden])")) {
    drawn.setAttribute("aria-hidden", "true");
    drawn.closest("[data-testid=stVegaLiteChart]").setAttribute("aria-roledescription", words.chart);
  }
}

/** Streamlit's own parts in the reader's language; `ownName` keeps the English one for when that changes. */
function nameParts() {
  for (const node of document.querySelectorAll("[data-own-name]"))
    node.ariaLabel = words.own[node.dataset.ownName] ?? node.dataset.ownName;
  for (const [own, said] of Object.entries(words.own))
    for (const node of document.querySelectorAll(`[aria-label="${own}"]`)) {
      node.dataset.ownName = own;
      node.ariaLabel = said;
    }
}

function look() {
  follow();
  nameCharts();
  nameParts();
}

/** Words in the reader's language: {busy, done, chart, own: {Streamlit's name: name}}. */
function announce(given) {
  if (!words) setInterval(look, LOOK_MS);
  words = given;
}
