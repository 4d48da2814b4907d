// Four schemes on one axis: how alike are two positions that lie this far apart?

const HIGH = 410;
const DASHES = { sinusoidal: "", rotary: "9 4", learned: "2 3", alibi: "12 4 2 4" };

/** Value of every scheme at each distance from 0 to reach. */
export function curves({ d_model, base, head, reach }, facts, learned) {
  const speeds = { sinusoidal: frequencies(d_model, base), rotary: frequencies(facts.d_head, facts.base) };
  const slope = alibiSlopes(facts.n_alibi)[head - 1];
  const each = (value) => Array.from({ length: reach + 1 }, (_, distance) => value(distance));
  return {
    sinusoidal: each((distance) => similarity(distance, speeds.sinusoidal)),
    rotary: each((distance) => similarity(distance, speeds.rotary)),
    learned: Array.from(learned.subarray(0, Math.min(reach + 1, facts.n_learned))),
    alibi: each((distance) => Math.exp(-slope * distance)),
  };
}

const distances = {
  paint(panel, wide) {
    const { head, settings, theme, picture, numbers } = panel;
    const { facts, words, language } = head;
    const { reach } = settings;
    const found = curves(settings, facts, numbers);
    panel.found = found;
    const across = wide < 640 ? 1 : 2; // names beside each other
    const box = { left: 46, top: 28 + 84 / across, width: wide - 60, height: HIGH - 110 };
    const plot = new Plot(picture, box, { x: [0, reach], y: [-0.4, 1] }, theme);
    panel.plot = plot;
    plot.axes({ title: words.similarity, xs: ticks(reach, wide < 480 ? 4 : 8), ys: [0, 0.5, 1], xTitle: words.distance, language });
    const [low, high] = [1, 2].map((i) => numbers.subarray(i * facts.n_learned, (i + 1) * facts.n_learned));
    const n = found.learned.length;
    const edge = (values, i) => `${fixed(plot.x(i), 1)},${fixed(clamp(plot.y(values[i]), 0, box.top + box.height), 1)}`;
    const order = Array.from({ length: n }, (_, i) => i);
    const band = [...order.map((i) => edge(high, i)), ...order.reverse().map((i) => edge(low, i))];
    plot.add("polygon", { points: band.join(" "), fill: theme.key, opacity: 0.16 });
    const colours = { sinusoidal: theme.query, rotary: theme.value, learned: theme.key, alibi: theme.after };
    const shown = Object.entries(found).map(([name, values]) => {
      const stroke = { stroke: colours[name], "stroke-dasharray": DASHES[name], "stroke-width": 2.4 };
      plot.path(values.map((value) => Math.max(-0.4, value)), stroke);
      return [name, stroke];
    });
    shown.forEach(([name, stroke], place) => {
      const y = 14 + 21 * (place % (4 / across));
      const x = across === 1 ? 4 : box.left + (place < 2 ? 0 : wide / 2);
      plot.add("line", { x1: x, x2: x + 44, y1: y, y2: y, ...stroke });
      const label = { x: x + 52, y: y + 4, "font-size": 13, fill: theme.text };
      plot.add("text", label, fill(words[name], { ...settings, ...facts }));
    });
    return box.top + box.height + 40;
  },

  reading(panel) {
    const { found, head, settings } = panel;
    const at = Math.min(10, settings.reach, found.learned.length - 1);
    const values = Object.fromEntries(Object.entries(found).map(([name, all]) => [name, fixed(all[at], 2)]));
    return fill(head.words.reading, { distance: at, ...values });
  },

  at({ plot, found, head, settings }, x) {
    const share = (x - plot.box.left) / plot.box.width;
    const distance = Math.round(share * settings.reach);
    if (distance < 0 || distance > settings.reach) return null;
    const shown = (values) => (distance < values.length ? fixed(values[distance], 6) : "–");
    const values = Object.fromEntries(Object.entries(found).map(([name, all]) => [name, shown(all)]));
    return fill(head.words.detail, { distance, ...values });
  },
};

export default component(distances);
