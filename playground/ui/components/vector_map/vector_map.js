// A map of points in two or three dimensions. Every text comes in through `data` and leaves as textContent.

const MARGIN = 26;
const STEP = 0.12; // radians an arrow key turns
const SHAPES = ["circle", "square", "up", "diamond", "cross", "down"];

export default renewed(({ parentElement, data, setStateValue }) => {
  const host = parentElement.querySelector(".map");
  const said = parentElement.querySelector(".said");
  const view = host.view ?? (host.view = { turn: 0.6, tilt: 0.35 });
  const signature = JSON.stringify(data.points);
  if (view.signature !== signature) Object.assign(view, { signature, pointed: null });
  const solid = data.points[0]?.length === 3;
  const picture = svg("svg", { role: "listbox", tabindex: 0, "aria-label": data.words.map, height: data.height });
  picture.classList.toggle("turns", solid);
  const links = svg("g"), axes = svg("g"), marks = svg("g"), tags = svg("g");
  picture.append(axes, links, marks, tags, legend(data));
  host.replaceChildren(picture);
  const near = new Set(data.near);
  const called = (i) => (data.numbered ? `${i + 1}. ` : "") + data.labels[i];
  const nodes = data.points.map((_point, i) => {
    const node = svg("path", { class: "mark", role: "option", fill: data.colours[data.groups[i] % data.colours.length] });
    node.setAttribute("aria-label", called(i));
    node.dataset.row = i;
    if (near.has(i)) node.classList.add("near");
    if (i === data.selected) node.classList.add("selected");
    node.setAttribute("aria-selected", String(i === data.selected));
    return node;
  });

  function draw() {
    const width = host.clientWidth || 800;
    picture.setAttribute("viewBox", `0 0 ${width} ${data.height}`);
    const place = placer(width, data, solid, view);
    const at = data.points.map(place);
    const order = at.map((_p, i) => i).sort((a, b) => at[a].depth - at[b].depth);
    nodes.forEach((node, i) => {
      const size = (i === data.selected ? 9 : 6.5) * (solid ? 0.8 + 0.3 * at[i].depth : 1);
      node.setAttribute("d", shape(SHAPES[data.groups[i] % SHAPES.length], at[i].x, at[i].y, size));
      node.style.opacity = solid ? 0.65 + 0.3 * at[i].depth : 0.9;
    });
    marks.replaceChildren(...order.map((i) => nodes[i]));
    axes.replaceChildren(...(solid ? axisLines(place) : []));
    const from = data.selected === null ? null : at[data.selected];
    links.replaceChildren(
      ...(from ? data.near : []).map((i) => svg("line", { class: "link", x1: from.x, y1: from.y, x2: at[i].x, y2: at[i].y })),
    );
    const named = new Set([view.pointed, data.selected].filter((i) => i !== null && i !== undefined && at[i]));
    tags.replaceChildren(...[...named].map((i) => tag(at[i], called(i), width)));
    nodes.forEach((node, i) => node.classList.toggle("pointed", i === view.pointed));
    said.textContent = view.pointed === null ? data.words.hint : called(view.pointed);
  }

  const stop = new AbortController();
  const on = (name, act) => picture.addEventListener(name, act, { signal: stop.signal });
  const row = (event) => (event.target.dataset?.row === undefined ? null : Number(event.target.dataset.row));
  let drag = null;
  on("pointerdown", (event) => { drag = { x: event.clientX, y: event.clientY, moved: false }; });
  on("pointermove", (event) => {
    if (drag && event.buttons && solid) {
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (Math.abs(dx) + Math.abs(dy) > 3 || drag.moved) {
        if (!drag.moved) picture.setPointerCapture(event.pointerId);
        drag = { x: event.clientX, y: event.clientY, moved: true };
        turn(view, dx / 120, dy / 120);
        draw();
      }
      return;
    }
    point(row(event));
  });
  on("pointerleave", (event) => isGone(event) && point(null));
  on("click", (event) => {
    const turned = drag?.moved;
    drag = null;
    const i = row(event);
    if (!turned) point(i);
    if (i !== null && !turned) setStateValue("selected", i === data.selected ? null : i);
  });
  on("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (move && event.shiftKey && solid) {
      turn(view, move[0] * STEP, move[1] * STEP);
      draw();
    } else if (move) {
      const n = data.points.length;
      point(((view.pointed ?? data.selected ?? -1) + move[0] + move[1] + n) % n);
    } else if ((event.key === "Enter" || event.key === " ") && view.pointed !== null) setStateValue("selected", view.pointed);
    else if (event.key === "Escape") setStateValue("selected", null);
    else return;
    event.preventDefault();
  });
  function point(i) {
    if (i === view.pointed) return;
    view.pointed = i;
    draw();
  }
  const watcher = new ResizeObserver(draw);
  watcher.observe(host);
  draw();
  return () => {
    stop.abort();
    watcher.disconnect();
  };
});

function turn(view, dx, dy) {
  view.turn += dx;
  view.tilt = Math.max(-1.5, Math.min(1.5, view.tilt + dy));
}

// Where a point of the unit ball is drawn, and how near it is (0 far, 1 near).
function placer(width, data, solid, view) {
  const [cx, cy] = [width / 2, data.height / 2];
  if (!solid) {
    const xs = data.points.map((p) => Math.abs(p[0])), ys = data.points.map((p) => Math.abs(p[1]));
    const sx = (cx - 4 * MARGIN) / (Math.max(...xs) || 1), sy = (cy - MARGIN) / (Math.max(...ys) || 1);
    const scale = Math.min(sx, sy);
    return ([x, y]) => ({ x: cx + x * scale, y: cy - y * scale, depth: 1 });
  }
  const scale = Math.min(cx, cy) - MARGIN;
  const [ca, sa, cb, sb] = [Math.cos(view.turn), Math.sin(view.turn), Math.cos(view.tilt), Math.sin(view.tilt)];
  return ([x, y, z]) => {
    const across = x * ca + z * sa, into = z * ca - x * sa;
    return { x: cx + across * scale, y: cy - (y * cb - into * sb) * scale, depth: (1 + into * cb + y * sb) / 2 };
  };
}

function axisLines(place) {
  return [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((end) => {
    const a = place(end.map((v) => -v)), b = place(end);
    return svg("line", { class: "axis", x1: a.x, y1: a.y, x2: b.x, y2: b.y });
  });
}

function shape(kind, x, y, r) {
  const s = r * 0.9, t = r * 1.2;
  const paths = {
    circle: `M${x - r},${y}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0z`,
    square: `M${x - s},${y - s}h${2 * s}v${2 * s}h${-2 * s}z`,
    up: `M${x},${y - t}L${x + t},${y + s}H${x - t}z`,
    down: `M${x},${y + t}L${x + t},${y - s}H${x - t}z`,
    diamond: `M${x},${y - t}L${x + t},${y}L${x},${y + t}L${x - t},${y}z`,
    cross: `M${x - r / 3},${y - r}h${r * 2 / 3}v${r * 2 / 3}h${r * 2 / 3}v${r * 2 / 3}h${-r * 2 / 3}v${r * 2 / 3}h${-r * 2 / 3}v${-r * 2 / 3}h${-r * 2 / 3}v${-r * 2 / 3}h${r * 2 / 3}z`,
  };
  return paths[kind];
}

function tag({ x, y }, text, width) {
  const right = x < width / 2;
  const node = svg("text", { class: "tag", x: x + (right ? 13 : -13), y: y - 8, "text-anchor": right ? "start" : "end" });
  node.textContent = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return node;
}

function legend(data) {
  const group = svg("g");
  data.names.filter(Boolean).forEach((name, i) => {
    const y = 22 + 21 * i;
    const text = svg("text", { x: 32, y: y + 4 });
    text.textContent = name;
    group.append(svg("path", { d: shape(SHAPES[i % SHAPES.length], 18, y, 6), fill: data.colours[i % data.colours.length] }), text);
  });
  return group;
}
