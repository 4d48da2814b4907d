// Memory as stacked bars: a part has bytes that stay, bytes for each token and for each pair of tokens.

export default renewed(({ parentElement, data, setStateValue }) => {
  const root = parentElement.querySelector(".memory-bars");
  const { revision, batch, length, ...fixedData } = data;
  const signature = JSON.stringify(fixedData);
  if (root.revision !== revision || root.batch === undefined) Object.assign(root, { batch, length });
  if (root.signature !== signature) build(root, fixedData);
  Object.assign(root, { revision, signature });
  for (const [name, values] of [["batch", data.batches], ["length", data.lengths]]) {
    root.querySelector(`input[name=${name}]`).value = Math.max(0, values.indexOf(root[name]));
  }
  paint(root, fixedData);
  return listen(root, fixedData, setStateValue);
});

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

function bytesOf([stay, token, pair], batch, length) {
  return stay + batch * length * (token + length * pair);
}

function told(bytes) {
  let at = 0;
  let value = bytes;
  while (value >= 999.5 && at < UNITS.length - 1) {
    value /= 1000;
    at += 1;
  }
  const digits = at === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${fixed(value, digits)} ${UNITS[at]}`;
}

function build(root, data) {
  const sliders = element("div", "sliders");
  sliders.append(slider("batch", data.words.batch, data.batches), slider("length", data.words.length, data.lengths));
  const picture = element("div", "picture");
  picture.setAttribute("role", "img");
  for (const name of ["all", "peak", "rule"]) {
    const row = element("div", `row ${name}`);
    const bar = element("div", "bar");
    if (name === "all") bar.append(...data.parts.map((part) => segment(part.color)));
    else bar.append(segment(""));
    row.append(element("span", "name", data.words[name]), bar, element("span", "value"));
    picture.append(row);
  }
  const legend = element("div", "legend");
  for (const part of data.parts) {
    const entry = element("span", "entry");
    const sample = element("span", "sample");
    sample.style.background = part.color;
    entry.append(sample, element("span", "", part.label), element("b", "amount"));
    legend.append(entry);
  }
  const lines = element("div", "lines");
  lines.append(...data.lines.map(() => element("span", "line")));
  root.replaceChildren(sliders, picture, legend, lines, element("div", "longer"));
}

function slider(name, label, values) {
  const input = el("input", { type: "range", name, min: 0, max: values.length - 1, step: 1 });
  const field = element("label", "slider");
  field.append(element("span", "", label), element("output", ""), input);
  return field;
}

function segment(color) {
  const part = element("span", "segment");
  if (color) part.style.background = color;
  return part;
}

function paint(root, data) {
  const { batch, length } = root;
  const share = (bytes) => `${Math.min(100, (100 * bytes) / data.end)}%`;
  const parts = data.parts.map((part) => bytesOf(part.bytes, batch, length));
  const total = parts.reduce((sum, one) => sum + one, 0);
  const peak = Math.max(...data.moments.map((moment) => bytesOf(moment, batch, length)));
  const squeeze = Math.max(1, total / data.end); // a bar that leaves the axis keeps its proportions
  root.querySelectorAll(".row.all .segment").forEach((node, at) => {
    node.style.width = share(parts[at] / squeeze);
  });
  for (const [name, bytes] of [["all", total], ["peak", peak], ["rule", data.rule]]) {
    const row = root.querySelector(`.row.${name}`);
    if (name !== "all") row.querySelector(".segment").style.width = share(bytes);
    row.classList.toggle("over", bytes > data.end);
    row.querySelector(".value").textContent = told(bytes);
  }
  root.querySelectorAll(".legend .amount").forEach((node, at) => {
    node.textContent = told(parts[at]);
  });
  root.querySelectorAll(".lines .line").forEach((node, at) => paintLine(root, data, node, data.lines[at], at));
  root.querySelector("input[name=batch]").previousSibling.textContent = batch.toLocaleString("en");
  root.querySelector("input[name=length]").previousSibling.textContent = length.toLocaleString("en");
  const isLonger = data.longest > 0 && length > data.longest;
  root.querySelector(".longer").textContent = isLonger ? fill(data.words.longer, { n: data.longest.toLocaleString("en") }) : "";
  root.querySelector(".picture").setAttribute("aria-label", `${data.words.picture}: ${told(total)}`);
}

function paintLine(root, data, node, line, at) {
  const isBeyond = line.bytes > data.end;
  const values = { label: line.label, bytes: told(line.bytes), times: fixed(line.bytes / data.end, 1) };
  node.textContent = `${isBeyond ? "→" : "┆"} ${isBeyond ? fill(data.words.beyond, values) : `${values.label}: ${values.bytes}`}`;
  for (const bar of root.querySelectorAll(".bar")) {
    let mark = bar.querySelector(`.mark[data-at="${at}"]`);
    if (!mark) {
      mark = element("span", "mark");
      mark.dataset.at = at;
      bar.append(mark);
    }
    mark.hidden = isBeyond;
    mark.style.left = `${(100 * line.bytes) / data.end}%`;
  }
}

function listen(root, data, setStateValue) {
  const stop = new AbortController();
  for (const [name, values] of [["batch", data.batches], ["length", data.lengths]]) {
    const input = root.querySelector(`input[name=${name}]`);
    input.addEventListener("input", () => {
      root[name] = values[Number(input.value)];
      paint(root, data);
    }, { signal: stop.signal });
    input.addEventListener("change", () => {
      setStateValue("view", { batch: root.batch, length: root.length, revision: root.revision });
    }, { signal: stop.signal });
  }
  return () => stop.abort();
}
