// A finger reads a chart as a mouse does: Vega tells a mark's values to pointers that move over it, and a tap moves over
// nothing. Loaded once for the whole page.

const REACH = 24; // pixels: a mark this near to a tap was meant
const EDGE = 4; // between the words and the edge of the screen
const RINGS = 4;
const AROUND = 12; // places looked at on a ring
let told = null;

const tooltip = () => document.querySelector(".vg-tooltip.visible");

function* near(x, y) {
  yield [x, y];
  for (let ring = 1; ring <= RINGS; ring++)
    for (let i = 0; i < AROUND; i++) {
      const [angle, radius] = [(2 * Math.PI * i) / AROUND, (REACH * ring) / RINGS];
      yield [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
    }
}

function tap({ target, clientX, clientY }) {
  const before = told;
  told = null;
  before?.dispatchEvent(new MouseEvent("mouseout", { bubbles: true }));
  const chart = target.closest?.("[data-testid=stVegaLiteChart]");
  if (!chart) return;
  for (const [x, y] of near(clientX, clientY)) {
    const node = document.elementFromPoint(x, y);
    if (!node || !chart.contains(node)) continue;
    node.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: x, clientY: y, pointerType: "mouse" }));
    const words = tooltip();
    if (!words) continue;
    told = node;
    const room = document.documentElement.clientWidth - words.offsetWidth - EDGE;
    words.style.left = `${Math.max(EDGE, Math.min(parseFloat(words.style.left), room))}px`;
    return;
  }
}

document.addEventListener("click", (event) => event.pointerType === "touch" && tap(event));
// The mouse that browsers pretend after a tap leaves the mark when the words appear over it: they stay until the next tap.
document.addEventListener("mouseout", (event) => told && event.stopImmediatePropagation(), true);
document.addEventListener("pointermove", (event) => event.isTrusted && event.pointerType === "mouse" && (told = null), true);
