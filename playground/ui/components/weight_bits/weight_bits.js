// Bits that a click turns over; what they say is worked out here, at once.

export default renewed(({ parentElement, data, setStateValue }) => {
  const root = parentElement.querySelector(".weight-bits");
  const { revision, bits, ...text } = data;
  const signature = JSON.stringify(text);
  if (root.revision !== revision || root.signature !== signature || root.bits?.length !== bits.length) root.bits = bits;
  if (root.signature !== signature) build(root, text);
  Object.assign(root, { revision, signature });
  paint(root, text);
  return listen(root, text, setStateValue);
});

function build(root, text) {
  const groups = element("div", "groups");
  groups.setAttribute("role", "group");
  groups.setAttribute("aria-label", text.words.all);
  let at = 0;
  for (const { name, n } of text.fields) {
    const group = element("div", `group ${name}`);
    const row = element("div", "bits");
    for (let bit = 0; bit < n; bit += 1, at += 1) {
      const node = element("button", "bit");
      node.type = "button";
      node.dataset.at = at;
      node.tabIndex = at === 0 ? 0 : -1;
      node.setAttribute("aria-label", fill(text.words.bit, { field: text.words[name], n: bit + 1, of: n }));
      row.append(node);
    }
    group.append(element("span", "field", text.words[name]), row);
    groups.append(group);
  }
  root.replaceChildren(groups, element("div", "says"));
}

function paint(root, text) {
  for (const node of root.querySelectorAll(".bit")) {
    const bit = root.bits[Number(node.dataset.at)];
    node.textContent = bit;
    node.classList.toggle("one", bit === "1");
    node.setAttribute("aria-pressed", String(bit === "1"));
  }
  root.querySelector(".says").textContent = said(root.bits, text);
}

function said(bits, { fields, bias, infinity, scale }) {
  if (fields.length === 1) {
    const raw = parseInt(bits, 2);
    const code = bits[0] === "1" ? raw - 2 ** bits.length : raw;
    return `${code} × ${Number(scale.toPrecision(4))} = ${Number((code * scale).toPrecision(7))}`;
  }
  const nExponent = fields[1].n;
  const nMantissa = fields[2].n;
  const sign = bits[0] === "1" ? "−" : "+";
  const exponent = parseInt(bits.slice(1, 1 + nExponent), 2);
  const mantissa = parseInt(bits.slice(1 + nExponent), 2);
  const isTop = exponent === 2 ** nExponent - 1;
  if (isTop && infinity) return mantissa ? "NaN" : `${sign}∞`;
  if (isTop && mantissa === 2 ** nMantissa - 1) return "NaN";
  const power = Math.max(exponent, 1) - bias;
  const factor = (exponent > 0 ? 1 : 0) + mantissa / 2 ** nMantissa;
  const value = Number((factor * 2 ** power).toPrecision(9));
  return `${sign}${Number(factor.toPrecision(8))} × 2^${power} = ${sign === "−" ? "−" : ""}${value}`;
}

function listen(root, text, setStateValue) {
  const stop = new AbortController();
  const groups = root.querySelector(".groups");
  groups.addEventListener("click", (event) => {
    const node = event.target.closest?.(".bit");
    if (!node) return;
    const at = Number(node.dataset.at);
    root.bits = `${root.bits.slice(0, at)}${root.bits[at] === "1" ? 0 : 1}${root.bits.slice(at + 1)}`;
    paint(root, text);
    rove(groups, node);
    setStateValue("view", { bits: root.bits, revision: root.revision });
  }, { signal: stop.signal });
  groups.addEventListener("keydown", (event) => {
    const all = [...groups.querySelectorAll(".bit")];
    const at = all.indexOf(event.target.closest?.(".bit"));
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const next = { Home: 0, End: all.length - 1 }[event.key] ?? (step && at + step);
    if (at < 0 || next === undefined || !all[next]) return;
    event.preventDefault();
    rove(groups, all[next]);
    all[next].focus();
  }, { signal: stop.signal });
  return () => stop.abort();
}

function rove(groups, node) {
  for (const one of groups.querySelectorAll(".bit[tabindex='0']")) one.tabIndex = -1;
  node.tabIndex = 0;
}
