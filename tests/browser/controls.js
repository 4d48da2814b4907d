// Every control that a reader can reach on the page now, in document order, shadow trees included.
// Gives [{place, kind, label, nth}] and keeps the elements in `window.controls` in the same order.
() => {
  const PRESSED = ["button", "tab", "option", "radio", "checkbox", "switch", "menuitem", "menuitemradio", "gridcell", "link"];
  const SKIPPED = "[data-testid^=stElementToolbar], [data-testid=stHeader], [data-testid=stSidebarNav], [data-testid=stStatusWidget]";
  const kindOf = (node) => {
    const role = node.getAttribute("role");
    if (role === "slider" || node.type === "range") return "slider";
    if (role === "combobox") return "list";
    if (node.matches("label[data-baseweb=radio], label[data-baseweb=checkbox]")) return "press";
    if (node.matches("textarea, input:not([type=checkbox], [type=radio], [type=file], [type=range])")) return "field";
    if (node.localName === "select") return "select";
    if (node.localName === "button" || node.localName === "summary" || PRESSED.includes(role)) return "press";
    if (node.getAttribute("tabindex") === "0" && (node.ownerSVGElement || node.localName === "canvas")) return "press";
    return "";
  };
  const isThere = (node) => {
    const box = node.getBoundingClientRect();
    const style = getComputedStyle(node);
    return box.width > 1 && box.height > 1 && style.visibility === "visible" && !node.disabled &&
      node.getAttribute("aria-disabled") !== "true";
  };
  window.controls = [];
  const found = [];
  const count = new Map();
  const walk = (nodes, place, within) => {
    for (const node of nodes) {
      if (node.matches(SKIPPED)) continue;
      const key = [...node.classList].find((name) => name.startsWith("st-key-"));
      const here = key ? key.slice(7) : place;
      const kind = within ? "" : kindOf(node);
      if (kind && isThere(node)) {
        const label = (node.getAttribute("aria-label") || node.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
        const name = JSON.stringify([here, kind, label]);
        const nth = count.get(name) || 0;
        count.set(name, nth + 1);
        window.controls.push(node);
        found.push({ place: here, kind, label, nth });
      }
      if (node.shadowRoot) walk(node.shadowRoot.children, here, within);
      walk(node.children, here, within || kind === "press");
    }
  };
  walk([document.body], "", false);
  return found;
}
