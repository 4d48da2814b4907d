// HNSW: the search step by step, exactly as it ran: every edge is one of the graph, every distance was computed.

VIEWS.hnsw = (theatre) => {
  const { head } = theatre;
  const { words, steps } = head;
  const stepper = new Stepper(words, (value) => theatre.move("step", value));
  const again = el("button", { type: "button", class: "step" }, words.again);
  again.addEventListener("click", () => theatre.move("step", 1));
  return {
    controls: [stepper.node, again],
    hidden: (i) => theatre.levels[i] < theatre.layer,
    show(pen) {
      const at = Math.min(theatre.at.step ?? steps.length, steps.length);
      const step = steps[at - 1];
      theatre.layer = step.layer;
      stepper.show(at, 1, steps.length, fill(words.step, { n: at, total: steps.length, layer: step.layer }));
      const before = steps.slice(0, at);
      const cost = before.reduce((sum, one) => sum + one.new.length, 1);
      this.draw(pen, step, before);
      const last = at === steps.length;
      const found = step.found.map(([, place]) => place).slice(0, head.k);
      if (last) theatre.results(pen, found);
      theatre.top(pen);
      const right = found.filter((place) => head.exact.includes(place)).length;
      const values = { node: step.node + 1, distance: short(step.distance), layer: step.layer, neighbours: step.neighbours.length, new: step.new.length, cost, n: head.n, right, k: head.exact.length, steps: steps.length };
      return {
        told: [fill(words.told_step, values), this.next(step, steps[at], last, values)].join(" "),
        legend: this.legend(),
        side: [this.layers(step), theatre.list(words.looked, this.looked(step), { most: 32, mark: (place) => (step.new.includes(place) ? "new" : "") }), theatre.list(fill(words.candidates, { n: step.n_candidates }), step.candidates, { most: 8 }), theatre.list(fill(words.best, { n: step.n_found }), step.found, { mark: (place) => (head.exact.includes(place) ? "right" : "") })],
        focus: step.node,
      };
    },
    looked: (step) => step.neighbours.map((place) => [theatre.distances[place], place]).sort((a, b) => a[0] - b[0]),
    next(step, after, last, values) {
      if (last) return fill(words.told_end, values);
      if (after.layer < step.layer) return fill(words.told_down, { node: after.node + 1, layer: after.layer });
      return fill(words.told_next, { node: after.node + 1, distance: short(after.distance) });
    },
    draw(pen, step, before) {
      const here = before.filter((one) => one.layer === step.layer);
      const met = new Set(here.flatMap((one) => one.new).concat(here.map((one) => one.node)));
      for (let i = 0; i < head.n; i++) {
        const inLayer = theatre.levels[i] >= step.layer;
        dot(pen, theatre.spot(i), inLayer ? theatre.radius : theatre.radius * 0.6, met.has(i) ? INK.before : INK.grey, met.has(i) ? 0.95 : inLayer ? 0.6 : 0.13);
      }
      const isNew = new Set(step.new);
      for (const place of step.neighbours) line(pen, theatre.spot(step.node), theatre.spot(place), isNew.has(place) ? INK.key : INK.grey, isNew.has(place) ? 1.6 : 1, isNew.has(place) ? 0.95 : 0.5);
      for (const [from, to] of this.walked(here)) line(pen, theatre.spot(from), theatre.spot(to), theatre.theme.text, 2);
      for (const place of step.new) dot(pen, theatre.spot(place), theatre.radius + 1, INK.key);
      ring(pen, theatre.spot(step.node), theatre.radius + 4, theatre.theme.query, 3);
    },
    /** Edges along which the nodes that were looked at were first met, in this layer. */
    walked(here) {
      const from = new Map();
      for (const one of here) for (const place of one.new) from.set(place, one.node);
      return here.filter((one) => from.has(one.node)).map((one) => [from.get(one.node), one.node]);
    },
    layers(step) {
      const chips = head.layers.map((n, layer) => el("span", { class: layer === step.layer ? "layer now" : "layer" }, fill(words.layer, { layer, n })));
      return el("div", { class: "layers" }, ...chips.reverse());
    },
    legend: () => [
      entry("ring", theatre.theme.query, words.current),
      entry("dot", INK.key, words.new),
      entry("line", INK.grey, words.seen),
      entry("dot", INK.before, words.met),
      entry("line", theatre.theme.text, words.walked),
      entry("dot", INK.grey, words.in_layer),
      ...theatre.marks(),
    ],
  };
};
