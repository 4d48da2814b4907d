// Encoder and decoder unrolled over one source: a strip a state, and everything one step of the decoder uses.

const COLUMN = { least: 22, most: 54 }; // pixels a character
const HIGH = 80; // of a strip
const BARS = 34; // of the weights
const TOPS = { wide: 220, gap: 28, row: 26 };
const BESIDE = 760; // from this width on, the outputs stand beside the picture
const MARGIN = 8;
const SEEN = 0.005; // smaller weights draw no line
const ROW = { encoder: 24, source: 0, weights: 0, context: 0, input: 0, decoder: 0, output: 0 };
ROW.source = ROW.encoder + HIGH + 18;
ROW.weights = ROW.source + 8;
ROW.context = ROW.weights + BARS + 44;
ROW.input = ROW.context + 60;
ROW.decoder = ROW.input + 8;
ROW.output = ROW.decoder + HIGH + 18;
const FOOT = ROW.output + 12;

/** The arrays of the data, in the order in which Python packs them. */
function taken({ numbers, head }) {
  const { facts } = head;
  let at = 0;
  const take = (there, n) => (there ? numbers.subarray(at, (at += n)) : null);
  const { n_source: s, n_steps: t, d_hidden: d } = facts;
  return {
    encoder: take(true, s * d),
    decoder: take(true, t * d),
    contexts: take(facts.has_contexts, t * d),
    weights: take(facts.has_weights, t * s),
    encoderCells: take(facts.has_cells, s * d),
    decoderCells: take(facts.has_cells, t * d),
  };
}

/** States side by side: a column each, with the cells of an LSTM two. */
function strips(states, cells, n, d, theme) {
  const wide = cells ? 2 * n : n;
  const turned = new Float32Array(wide * d);
  const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const [most, mostCells] = [largest(states), cells ? largest(cells) : 1];
  for (let column = 0; column < n; column++)
    for (let i = 0; i < d; i++) {
      turned[i * wide + (cells ? 2 * column : column)] = states[column * d + i] / most;
      if (cells) turned[i * wide + 2 * column + 1] = cells[column * d + i] / mostCells;
    }
  return matrixImage(turned, d, wide, 1, theme);
}

const unrolled = {
  narrowest: ({ head }) => Math.max(300, Math.max(head.facts.n_source, head.facts.n_steps) * COLUMN.least + 2 * MARGIN),

  paint(panel, wide) {
    const { head, settings, theme, holder } = panel;
    const { n_source: s, n_steps: t } = head.facts;
    const beside = wide >= BESIDE && holder.clientWidth >= BESIDE;
    const room = wide - 2 * MARGIN - (beside ? TOPS.wide + TOPS.gap : 0);
    const fits = room / Math.max(s, t);
    const column = Math.min(COLUMN.most, Math.max(COLUMN.least, fits));
    const step = Math.min(settings.step, t) - 1;
    const width = Math.max(s, t) * column;
    Object.assign(panel, { column, step, seen: wide, beside: beside && fits >= COLUMN.least, strip: Math.min(256, Math.max(160, width)) });
    this.draw(panel);
    const place = (name, attributes, text) => {
      const node = svg(name, attributes, text);
      panel.picture.append(node);
      return node;
    };
    const middle = MARGIN + (step + 0.5) * column;
    panel.contextAt = Math.min(Math.max(MARGIN, middle - panel.strip / 2), Math.max(MARGIN, wide - panel.strip - MARGIN));
    this.encoder(panel, place);
    this.between(panel, place);
    this.decoder(panel, place);
    this.outputs(panel, wide);
    this.keepInView(panel, middle, wide);
    holder.onclick = (event) => this.pick(panel, event);
    return FOOT + (panel.beside ? 0 : TOPS.row * head.facts.top[step].length + 40);
  },

  /** The images, drawn once for these numbers and this theme. */
  draw(panel) {
    const { head, numbers, theme } = panel;
    const drawnFor = `${theme.dark}`;
    if (panel.drawnOf === numbers && panel.drawnFor === drawnFor) return;
    Object.assign(panel, { drawnOf: numbers, drawnFor, parts: taken(panel) });
    const { n_source: s, n_steps: t, d_hidden: d } = head.facts;
    const { parts } = panel;
    panel.images = {
      encoder: strips(parts.encoder, parts.encoderCells, s, d, theme),
      decoder: strips(parts.decoder, parts.decoderCells, t, d, theme),
    };
  },

  label(panel, place, y, text, x = MARGIN) {
    place("text", { x, y, "font-size": 12, fill: panel.theme.grey }, text);
  },

  /** A row of strips with gaps, and a frame around one of them. */
  strips(panel, place, image, n, y, framed, colour) {
    const { column, theme } = panel;
    const box = { x: MARGIN, y, width: n * column, height: HIGH };
    place("image", { ...box, href: image, preserveAspectRatio: "none", style: "image-rendering: pixelated", "image-rendering": "pixelated" });
    for (let i = 1; i < n; i++)
      place("rect", { x: MARGIN + i * column - 2, y, width: 4, height: HIGH, fill: theme.paper });
    if (framed === null) return;
    const x = MARGIN + framed * column;
    place("rect", { x: x + 0.5, y: y - 1.5, width: column - 1, height: HIGH + 3, fill: "none", stroke: colour, "stroke-width": 2.5 });
  },

  encoder(panel, place) {
    const { head, column, theme, images, parts, step } = panel;
    const { facts, words } = head;
    this.label(panel, place, 14, words.encoder);
    const framed = parts.weights ? null : facts.n_source - 1;
    this.strips(panel, place, images.encoder, facts.n_source, ROW.encoder, framed, theme.key);
    facts.sources.forEach((text, i) => {
      const weight = parts.weights ? parts.weights[step * facts.n_source + i] : 0;
      const bold = weight > 0.5 ? 700 : 400;
      const at = { x: MARGIN + (i + 0.5) * column, y: ROW.source, "text-anchor": "middle", "font-size": 15, "font-weight": bold };
      place("text", { ...at, "font-family": theme.code, fill: theme.text }, text);
    });
  },

  /** What goes from the encoder to this step: the weights and the context vector, or the last state alone. */
  between(panel, place) {
    const { head, column, theme, parts, step, strip, contextAt } = panel;
    const { facts, words } = head;
    const { n_source: s, d_hidden: d } = facts;
    const ends = { y: facts.has_contexts ? ROW.context : ROW.input - 14, x: MARGIN + (step + 0.5) * column };
    const target = facts.has_contexts ? contextAt + strip / 2 : ends.x;
    const line = (x, y, share) => {
      const bend = (y + ends.y) / 2;
      const path = `M${fixed(x, 1)} ${y}C${fixed(x, 1)} ${bend} ${fixed(target, 1)} ${bend} ${fixed(target, 1)} ${ends.y}`;
      place("path", { d: path, fill: "none", stroke: theme.key, "stroke-width": fixed(1 + 4 * share, 2), opacity: fixed(0.25 + 0.75 * share, 3) });
    };
    if (!parts.weights) line(MARGIN + (s - 0.5) * column, ROW.source + 6, 1);
    for (let i = 0; parts.weights && i < s; i++) {
      const weight = parts.weights[step * s + i];
      const at = { x: MARGIN + i * column + 3, width: column - 6, fill: theme.key };
      place("rect", { ...at, class: "weight", y: ROW.weights, height: fixed(Math.max(0.75, weight * BARS), 2) });
      if (weight >= SEEN) line(MARGIN + (i + 0.5) * column, ROW.weights + weight * BARS, weight);
    }
    if (!facts.has_contexts) return;
    const context = parts.contexts.subarray(step * d, (step + 1) * d);
    const box = { x: contextAt, y: ROW.context, width: strip, height: 20 };
    const most = context.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
    place("image", { ...box, href: matrixImage(context, 1, d, most, theme), preserveAspectRatio: "none", style: "image-rendering: pixelated", "image-rendering": "pixelated" });
    place("rect", { ...box, fill: "none", stroke: theme.value, "stroke-width": 2, class: "context" });
    const beside = contextAt + strip + 170 < panel.seen; // else the name stands over the arrow
    const named = beside ? { x: contextAt + strip + 8, y: ROW.context + 14 } : { x: contextAt + strip / 2, y: ROW.context + 35, "text-anchor": "middle" };
    const halo = { stroke: theme.paper, "stroke-width": 4, "paint-order": "stroke" };
    place("text", { ...named, ...halo, "font-size": 12, fill: theme.grey }, fill(words.context, { step: step + 1 }));
    const down = `M${fixed(target, 1)} ${ROW.context + 20}L${fixed(ends.x, 1)} ${ROW.input - 14}`;
    panel.picture.insertBefore(svg("path", { d: down, stroke: theme.value, "stroke-width": 2, fill: "none" }), panel.picture.firstChild);
  },

  decoder(panel, place) {
    const { head, column, theme, images, step } = panel;
    const { facts, words } = head;
    const { n_steps: t } = facts;
    this.strips(panel, place, images.decoder, t, ROW.decoder, step, theme.query);
    const later = { x: MARGIN + (step + 1) * column, y: ROW.decoder - 2, width: Math.max(0, (t - step - 1) * column), height: HIGH + 4 };
    place("rect", { ...later, fill: theme.paper, opacity: 0.65 });
    for (const [row, y, colour] of [[facts.inputs, ROW.input, theme.query], [facts.outputs, ROW.output, theme.value]])
      row.forEach((text, i) => {
        const at = { x: MARGIN + (i + 0.5) * column, y, "text-anchor": "middle", "font-size": 15, "font-weight": i === step ? 700 : 400 };
        place("text", { ...at, "font-family": theme.code, fill: colour, opacity: i > step ? 0.4 : 1 }, text);
      });
    if (!panel.beside) return; // the legend says it too
    const x = this.outputsAt(panel);
    this.label(panel, place, ROW.input, words.reads, x);
    this.label(panel, place, ROW.decoder + HIGH / 2 + 4, words.decoder, x);
    this.label(panel, place, ROW.output, words.writes, x);
  },

  /** The most probable outputs of the step: beside the picture, or below it and always in sight. */
  outputs(panel, wide) {
    const { head, theme, picture, step, beside, holder } = panel;
    const { facts, words } = head;
    const group = svg("g", { class: "outputs" });
    picture.append(group);
    const seen = beside ? TOPS.wide : Math.min(wide, holder.clientWidth || wide) - 2 * MARGIN;
    const [left, top] = beside ? [this.outputsAt(panel), 14] : [MARGIN, FOOT + 16];
    const place = (name, attributes, text) => group.append(svg(name, attributes, text));
    place("text", { x: left, y: top, "font-size": 13.5, "font-weight": 600, fill: theme.text }, fill(words.top, { step: step + 1 }));
    facts.top[step].forEach((text, i) => {
      const y = top + 12 + i * TOPS.row;
      const prob = facts.probs[step][i];
      const bars = seen - 34 - 58;
      const written = text === facts.outputs[step];
      const told = { y: y + 15, "font-size": 14, "font-family": theme.code, fill: theme.text, "font-weight": written ? 700 : 400 };
      place("text", { ...told, x: left }, text);
      place("rect", { class: "prob", x: left + 30, y: y + 3, height: 16, width: fixed(Math.max(0.75, prob * bars), 2), fill: theme.value, opacity: written ? 1 : 0.5 });
      place("text", { ...told, x: left + seen, "text-anchor": "end" }, this.share(prob));
    });
    const stick = () => group.setAttribute("transform", `translate(${beside ? 0 : holder.scrollLeft} 0)`);
    holder.onscroll = stick;
    stick();
  },

  outputsAt: ({ column, head }) => MARGIN + Math.max(head.facts.n_source, head.facts.n_steps) * column + TOPS.gap,

  share: (value) => `${Number((100 * value).toPrecision(3))} %`,

  /** Where the picture is wider than its place, the step stays in sight. */
  keepInView({ holder, column, head, settings }, middle, wide) {
    const [from, to] = [holder.scrollLeft, holder.scrollLeft + holder.clientWidth];
    if (wide <= holder.clientWidth || holder.dataset.step === String(settings.step)) return;
    holder.dataset.step = settings.step;
    if (middle - column < from || middle + column > to)
      requestAnimationFrame(() => (holder.scrollLeft = Math.max(0, middle - holder.clientWidth / 2)));
  },

  pick(panel, event) {
    const [x, y] = placeIn(panel.picture, event);
    const step = Math.floor((x - MARGIN) / panel.column);
    if (y < ROW.input - 16 || y > FOOT || step < 0 || step >= panel.head.facts.n_steps) return;
    panel.move(panel.fields.step.control, step + 1);
    panel.release();
  },

  reading({ head, step, parts }) {
    const { facts, words } = head;
    const values = { step: step + 1, input: facts.inputs[step], output: facts.outputs[step], prob: this.share(facts.probs[step][Math.max(0, facts.top[step].indexOf(facts.outputs[step]))]) };
    if (!parts.weights) return fill(words.blind, { ...values, n: facts.n_source, d: facts.d_hidden });
    const row = Array.from(parts.weights.subarray(step * facts.n_source, (step + 1) * facts.n_source));
    const most = row.indexOf(Math.max(...row));
    return fill(words.looks, { ...values, source: facts.sources[most], at: most + 1, weight: this.share(row[most]) });
  },

  at({ head, parts, column, step, strip, contextAt }, x, y) {
    const { facts, words } = head;
    const { n_source: s, n_steps: t, d_hidden: d } = facts;
    const place = Math.floor((x - MARGIN) / column);
    const number = (top) => Math.floor(((y - top) / HIGH) * d);
    const told = (template, values) => fill(template, { ...values, value: fixed(values.value, 4) });
    if (y >= ROW.encoder && y < ROW.encoder + HIGH && place >= 0 && place < s) {
      const i = number(ROW.encoder);
      return told(words.state_at, { at: place + 1, token: facts.sources[place], i: i + 1, value: parts.encoder[place * d + i] });
    }
    if (y >= ROW.decoder && y < ROW.decoder + HIGH && place >= 0 && place < t) {
      const i = number(ROW.decoder);
      return told(words.step_at, { step: place + 1, i: i + 1, value: parts.decoder[place * d + i] });
    }
    if (parts.weights && y >= ROW.source - 14 && y <= ROW.weights + BARS && place >= 0 && place < s)
      return told(words.weight_at, { at: place + 1, token: facts.sources[place], step: step + 1, value: parts.weights[step * s + place] });
    const i = Math.floor(((x - contextAt) / strip) * d);
    if (parts.contexts && y >= ROW.context && y <= ROW.context + 20 && i >= 0 && i < d)
      return told(words.context_at, { step: step + 1, i: i + 1, value: parts.contexts[step * d + i] });
    return null;
  },
};

export default component(unrolled);
