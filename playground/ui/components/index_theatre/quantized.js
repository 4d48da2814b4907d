// PQ: a vector as its few bytes; the distance that is looked up beside the true one.

const STRIP = { high: 22, left: 4 };

VIEWS.pq = (theatre) => {
  const { head } = theatre;
  const { words, n_parts: nParts, n_entries: nEntries, shown, found } = head;
  const picker = new Stepper(words, (value) => theatre.move("part", value));
  const code = (place, part) => theatre.codes[place * nParts + part];
  const looked = (place, part) => theatre.table[part * nEntries + code(place, part)];
  const most = Math.max(...theatre.distances, ...theatre.coded) * 1.02;
  const axis = { left: 52, bottom: 40, top: 12, right: 12 };
  return {
    spot(i) {
      const { wide, high } = this;
      return [axis.left + ((wide - axis.left - axis.right) * theatre.distances[i]) / most, high - axis.bottom - ((high - axis.bottom - axis.top) * theatre.coded[i]) / most];
    },
    controls: [picker.node],
    show(pen, wide, high) {
      Object.assign(this, { wide, high });
      const part = Math.min(theatre.at.part ?? 1, nParts) - 1;
      picker.show(part + 1, 1, nParts, fill(words.part, { n: part + 1, total: nParts }));
      this.axes(pen);
      for (let i = 0; i < head.n; i++) dot(pen, this.spot(i), theatre.radius, INK.grey, 0.5);
      theatre.results(pen, found);
      if (theatre.selected !== null) ring(pen, this.spot(theatre.selected), theatre.radius + 5, theatre.theme.text, 2.5);
      const place = theatre.selected ?? found[0];
      const right = found.filter((one) => head.exact.includes(one)).length;
      const values = { bytes: head.code_bytes, whole: head.whole_bytes, parts: nParts, entries: nEntries, n: place + 1, exact: short(theatre.distances[place]), coded: short(theatre.coded[place]), error: short(theatre.errors[place]), right, k: head.exact.length };
      return {
        told: fill(words.told_pq, values),
        legend: [entry("dot", INK.grey, words.vector), ...theatre.marks().slice(1)],
        side: [theatre.answer(found, theatre.coded)],
        below: [el("h3", {}, fill(words.bytes_of, { n: place + 1 })), this.bytes(place, part), el("p", { class: "sum" }, fill(words.sum, values)), ...this.strips(place, part), el("h3", {}, fill(words.codebook, { n: part + 1, entries: nEntries })), this.book(place, part)],
        focus: place,
      };
    },
    axes(pen) {
      const { wide, high } = this;
      const { theme } = theatre;
      const [x, y] = [axis.left, high - axis.bottom];
      line(pen, [x, y], [wide - axis.right, axis.top], theme.text, 1, 0.7);
      line(pen, [x, y], [wide - axis.right, y], theme.line);
      line(pen, [x, y], [x, axis.top], theme.line);
      Object.assign(pen, { fillStyle: theme.text, textAlign: "center" });
      for (const share of [0.25, 0.5, 0.75]) {
        pen.fillText(fixed(share * most, 2), x + share * (wide - axis.left - axis.right), y + 15);
        pen.textAlign = "right";
        pen.fillText(fixed(share * most, 2), x - 5, y - share * (high - axis.bottom - axis.top) + 4);
        pen.textAlign = "center";
      }
      pen.fillText(words.true_distance, (x + wide) / 2, high - 8);
      pen.save();
      pen.translate(13, high / 2);
      pen.rotate(-Math.PI / 2);
      pen.fillText(words.coded_distance, 0, 0);
      pen.restore();
      pen.textAlign = "left";
    },
    bytes(place, part) {
      const largest = Math.max(1e-12, ...Array.from({ length: nParts }, (_, one) => looked(place, one)));
      const boxes = Array.from({ length: nParts }, (_, one) => {
        const box = el("button", { type: "button", class: one === part ? "byte now" : "byte", title: fill(words.look, { n: one + 1, code: code(place, one), value: short(looked(place, one)) }) }, el("b", {}, String(code(place, one))), el("i", { style: `height: ${Math.round((16 * looked(place, one)) / largest)}px` }), el("span", {}, fixed(looked(place, one), 3)));
        box.addEventListener("click", () => theatre.move("part", one + 1));
        return box;
      });
      return el("div", { class: "bytes" }, ...boxes);
    },
    strips(place, part) {
      const at = shown.indexOf(place);
      if (at < 0) return [el("p", { class: "sum" }, words.no_strips)];
      const d = head.d;
      const [whole, rebuilt] = [theatre.originals, theatre.rebuilt].map((all) => all.subarray(at * d, (at + 1) * d));
      const reach = Math.max(...whole.map(Math.abs), ...rebuilt.map(Math.abs));
      const strip = (values, name) => {
        const wide = Math.min(760, theatre.root.clientWidth || 620);
        const canvas = el("canvas", { role: "img", "aria-label": name });
        const pen = freshPen(canvas, wide, STRIP.high);
        values.forEach((value, i) => {
          pen.fillStyle = value < 0 ? "#0072B2" : "#E69F00";
          pen.globalAlpha = Math.min(1, Math.abs(value) / reach);
          pen.fillRect((i * wide) / d, 0, wide / d + 0.5, STRIP.high);
        });
        pen.globalAlpha = 1;
        frame(pen, theatre.theme.text, 1.5, (part * wide) / nParts + 0.75, 0.75, wide / nParts - 1.5, STRIP.high - 1.5);
        return el("div", { class: "holder strip" }, el("span", {}, name), canvas);
      };
      const lost = whole.map((value, i) => value - rebuilt[i]);
      return [strip(whole, words.whole), strip(rebuilt, words.rebuilt), strip(lost, words.lost), el("div", { class: "legend" }, entry("square", "#0072B2", words.negative), entry("square", "#E69F00", words.positive))];
    },
    book(place, part) {
      const columns = Math.min(32, nEntries);
      const rows = Math.ceil(nEntries / columns);
      const cell = Math.max(8, Math.min(22, (theatre.root.clientWidth || 620) / columns));
      const values = theatre.table.subarray(part * nEntries, (part + 1) * nEntries);
      const largest = Math.max(1e-12, ...values);
      const canvas = el("canvas", { role: "img", "aria-label": fill(words.codebook, { n: part + 1, entries: nEntries }) });
      const pen = freshPen(canvas, columns * cell, rows * cell);
      const amounts = new Uint8Array(rows * columns);
      values.forEach((value, i) => (amounts[i] = Math.round((255 * value) / largest)));
      pen.drawImage(amountImage(amounts, rows, columns, theatre.theme.colours), 0, 0, columns * cell, rows * cell);
      const chosen = code(place, part);
      frame(pen, theatre.theme.query, 3, (chosen % columns) * cell + 1.5, Math.floor(chosen / columns) * cell + 1.5, cell - 3, cell - 3);
      const scale = el("p", { class: "legend" }, `${words.entry} `, amountLegend(theatre.theme.colours, [0, 1], (share) => share), ` 1 = ${short(largest)}`);
      return el("div", {}, el("div", { class: "holder" }, canvas), scale);
    },
  };
};
