// LSH: the sides of planes as bits, bits as a bucket. A plane of so many dimensions is no line of the map: each has an axis.

const PLANE = { high: 34, left: 74, right: 40, bins: 48 };

VIEWS.lsh = (theatre) => {
  const { head } = theatre;
  const { words, n_tables: nTables, n_bits: nBits, probes, signed } = head;
  const stepper = new Stepper(words, (value) => theatre.move("probes", value));
  const picker = new Stepper(words, (value) => theatre.move("table", value));
  const key = (table, i) => theatre.keys[table * head.n + i];
  const bitsOf = (number) => number.toString(2).padStart(nBits, "0");
  return {
    controls: nTables > 1 ? [stepper.node, picker.node] : [stepper.node],
    show(pen) {
      const most = probes[0].length;
      const n = Math.min(theatre.at.probes ?? 4, most);
      const table = Math.min(theatre.at.table ?? 1, nTables) - 1;
      stepper.show(n, 1, most, fill(words.probes, { n, total: most }));
      picker.show(table + 1, 1, nTables, fill(words.table, { n: table + 1, total: nTables }));
      const wanted = probes.map((keys) => new Set(keys.slice(0, n)));
      const [own, read] = [probes[table][0], []];
      let inBucket = 0;
      for (let i = 0; i < head.n; i++) {
        const met = wanted.some((keys, each) => keys.has(key(each, i)));
        if (met) read.push(i);
        const inOwn = key(table, i) === own;
        inBucket += inOwn;
        dot(pen, theatre.spot(i), theatre.radius + (inOwn ? 0.8 : 0), inOwn ? INK.key : met ? INK.before : INK.grey, met ? 0.95 : 0.3);
      }
      const found = nearestOf(read, theatre.distances, head.k);
      theatre.results(pen, found);
      theatre.top(pen);
      const right = found.filter((place) => head.exact.includes(place)).length;
      const values = { bits: bitsOf(own), table: table + 1, bucket: inBucket, probes: n, tables: nTables, read: read.length, total: nTables * nBits + read.length, n: head.n, right, k: head.exact.length };
      return {
        told: fill(words.told_lsh, values),
        legend: [entry("dot", INK.key, words.bucket), entry("dot", INK.before, words.other_buckets), entry("dot", INK.grey, words.unread), ...theatre.marks()],
        side: [this.codes(table, n), theatre.answer(found)],
        below: [el("h3", {}, fill(words.planes, { n: table + 1 })), this.planes(table)],
        focus: found[0],
      };
    },
    codes(table, n) {
      const own = bitsOf(probes[table][0]);
      const rows = probes[table].slice(0, n).map((number) => {
        const bits = [...bitsOf(number)].map((bit, i) => el("span", { class: bit === own[i] ? "bit" : "bit turned" }, bit));
        let size = 0;
        for (let i = 0; i < head.n; i++) size += key(table, i) === number;
        return el("div", { class: "row in" }, el("span", { class: "bits" }, ...bits), el("span", {}, fill(words.size, { n: size })));
      });
      const chosen = theatre.selected;
      const other = chosen === null ? [] : [el("p", { class: "code" }, fill(words.code_of, { n: chosen + 1, bits: bitsOf(key(table, chosen)) }))];
      return el("section", { class: "list" }, el("h3", {}, words.buckets), el("div", { class: "rows", tabindex: "0" }, ...rows), ...other);
    },
    planes(table) {
      const canvas = el("canvas", { role: "img", "aria-label": words.planes_alt });
      const wide = Math.min(760, theatre.root.clientWidth || 620);
      const pen = freshPen(canvas, wide, PLANE.high * nBits + 4);
      const { theme } = theatre;
      Object.assign(pen, { font: `12px ${theme.font}`, fillStyle: theme.paper });
      pen.fillRect(0, 0, wide, PLANE.high * nBits + 4);
      const room = wide - PLANE.left - PLANE.right;
      for (let bit = 0; bit < nBits; bit++) {
        const [top, base] = [PLANE.high * bit, PLANE.high * (bit + 1) - 6];
        const from = (table * nBits + bit) * PLANE.bins;
        const counts = theatre.histograms.subarray(from, from + PLANE.bins);
        const most = Math.max(1, ...counts);
        counts.forEach((count, bin) => {
          pen.fillStyle = bin < PLANE.bins / 2 ? INK.before : INK.key;
          const tall = ((base - top - 6) * count) / most;
          pen.fillRect(PLANE.left + (bin * room) / PLANE.bins, base - tall, room / PLANE.bins - 1, tall);
        });
        line(pen, [PLANE.left + room / 2, top + 3], [PLANE.left + room / 2, base + 3], theme.text, 1.5);
        line(pen, [PLANE.left, base], [PLANE.left + room, base], theme.line, 1);
        const value = signed[table][bit];
        diamond(pen, [PLANE.left + (room * (1 + value / head.reach[table][bit])) / 2, base - 6], 6, theme.query, theme.paper);
        pen.fillStyle = theme.text;
        pen.fillText(fill(words.plane, { n: bit + 1 }), 2, base - 4);
        pen.fillText(`→ ${value >= 0 ? 1 : 0}`, PLANE.left + room + 8, base - 4);
      }
      return el("div", { class: "holder" }, canvas);
    },
  };
};
