// What a reader with a phone would not like about the page that is shown.
() => {
  const LEAST_TYPE = 11; // pixels
  const LEAST_TARGET = 39.5;
  const TARGETS = "button, .chip.text";
  const TAPPED_OFTEN = ".st-key-token_chips, [data-testid=stButtonGroup], .bar, .controls, .orders, .buttons";
  const main = document.querySelector("[data-testid=stMain]");
  const block = document.querySelector("[data-testid=stMainBlockContainer]");
  const all = [];
  const walk = (root) => {
    for (const node of root.querySelectorAll("*")) {
      all.push(node);
      if (node.shadowRoot) walk(node.shadowRoot);
    }
  };
  walk(block);
  const up = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  const within = (node, selector) => {
    for (let at = node; at; at = up(at)) if (at.matches(selector)) return true;
    return false;
  };
  const key = (node) => {
    for (let at = node; at; at = up(at)) {
      const found = /st-key-\S+/.exec(at.getAttribute("class") ?? "");
      if (found) return found[0];
    }
    return "the page";
  };
  const said = (node) => `${node.localName} "${node.textContent.trim().slice(0, 30)}" in ${key(node)}`;
  const found = [];
  const sides = [document.documentElement.scrollWidth, main.scrollWidth].filter((width) => width > innerWidth);
  if (sides.length) found.push(`the page is ${sides[0]} wide`);
  for (const node of all) {
    if (!node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    if (within(node, ".unseen, .katex, [data-testid=stMultiSelect], [data-testid=stDataFrame]")) continue;
    const { width, height } = node.getBoundingClientRect();
    if (width <= 1) continue;
    const style = getComputedStyle(node);
    const hasText = [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    if (hasText) {
      const scale = node.ownerSVGElement ? Math.hypot(node.getScreenCTM().c, node.getScreenCTM().d) : 1;
      const size = parseFloat(style.fontSize) * scale;
      if (size < LEAST_TYPE - 0.05) found.push(`type of ${size.toFixed(1)} px: ${said(node)}`);
      const hides = style.overflowX === "hidden" && !(node instanceof SVGElement);
      if (hides && node.scrollWidth > node.clientWidth + 1) found.push(`cut: ${said(node)}`);
    }
    if (height < LEAST_TARGET && node.matches(TARGETS) && within(node, TAPPED_OFTEN))
      found.push(`a target ${height.toFixed(0)} px high: ${said(node)}`);
  }
  return found;
}
