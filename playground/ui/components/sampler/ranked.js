// The next-token distribution, from every logit of the vocabulary, in the order of one of three libraries.
// The same algorithm as playground/core/sampling.py.

const BLOCK = 256;
const ZERO_WEIGHT = -800; // exp of it is 0 in double precision
export const ORDERS = {
  transformers: ["temperature", "top_k", "top_p", "min_p", "typical_p"],
  vllm: ["temperature", "min_p", "top_k", "top_p"],
  "llama.cpp": ["top_k", "typical_p", "top_p", "min_p", "temperature"],
};
const OFF = { temperature: 1, top_k: 0, top_p: 1, min_p: 0, typical_p: 1 };

/** Undo packing.py: n float32 logits, largest first. */
export function unpack(bytes, n) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nBlocks = Math.ceil((n - 1) / BLOCK);
  const patterns = new Int32Array(n);
  let ordered = view.getInt32(0, true);
  let bit = 8 * (4 + nBlocks);
  const next = () => (bytes[bit >> 3] >> (7 - (bit++ & 7))) & 1;
  for (let i = 0; i < n; i++) {
    if (i > 0) {
      const r = bytes[4 + Math.floor((i - 1) / BLOCK)];
      let gap = 0;
      while (!next()) gap++;
      for (let j = 0; j < r; j++) gap = gap * 2 + next();
      ordered -= gap;
    }
    patterns[i] = ordered ^ ((ordered >> 31) & 0x7fffffff);
  }
  return new Float32Array(patterns.buffer);
}

/** Logits sorted once; `distribution` re-weights and cuts them. Mirrors core.sampling.RankedLogits. */
export class Ranked {
  constructor(logits) {
    this.logits = logits;
    this.known = new Map();
  }

  get length() {
    return this.logits.length;
  }

  weights(temperature) {
    const known = this.known.get(temperature);
    if (known) return known;
    const { logits } = this;
    const n = logits.length;
    const each = new Float64Array(n);
    const cumulative = new Float64Array(n);
    const scaled = new Float64Array(n);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      scaled[i] = Math.max((logits[i] - logits[0]) / temperature, ZERO_WEIGHT);
      each[i] = Math.exp(scaled[i]);
      cumulative[i] = sum += each[i];
    }
    for (const old of [...this.known.keys()].filter((t) => t !== 1)) this.known.delete(old);
    const made = { each, cumulative, scaled };
    this.known.set(temperature, made);
    return made;
  }

  /** Which ranks are kept, first to n - 1, and what each step in the library's order cut away; after greedy none does. */
  kept(settings) {
    let [first, n] = [0, this.length];
    let weights = this.weights(1);
    const steps = [];
    for (const name of ORDERS[settings.order]) {
      const value = settings[name];
      const before = { n: n - first, mass: massOf(weights, first, n) };
      const greedy = name === "temperature" && value === 0;
      if (greedy) [first, n] = this.greediest(first);
      else if (name === "temperature") weights = this.weights(value);
      else if (value !== OFF[name]) [first, n] = CUTS[name](this, weights, first, n, value);
      const mass = name === "temperature" ? before.mass : massOf(weights, first, n);
      steps.push({ name, value, off: value === OFF[name], before: before.n, after: n - first, cut: 1 - mass / before.mass });
      if (greedy) break;
    }
    return { first, n, weights, steps };
  }

  /** n_kept, entropy_bits, mass (kept probability before the cuts), and both probabilities of a rank. */
  distribution(settings) {
    const { first, n, weights, steps } = this.kept(settings);
    if (settings.temperature === 0) return this.greedy(first, steps);
    const { each, cumulative, scaled } = weights;
    const all = cumulative[this.length - 1];
    // Far down the difference of two running sums may have no correct digit, and a weight may be 0.
    const top = scaled[first];
    const weight = first === 0 ? (i) => each[i] : (i) => Math.exp(scaled[i] - top);
    let total = 0;
    let dot = 0;
    for (let i = first; i < n; i++) {
      total += weight(i);
      dot += weight(i) * (scaled[i] - top);
    }
    return {
      first,
      n_kept: n - first,
      steps,
      mass: (total * Math.exp(top)) / all,
      entropy_bits: Math.max(0, Math.log(total) - dot / total) / Math.LN2,
      before: (i) => each[i] / all,
      after: (i) => (i >= first && i < n ? weight(i) / total : 0),
      cumulative: (i) => cumulative[i] / all,
    };
  }

  /** The rank of the greedy choice from this one on: of equal ones the last, which has the smallest id. */
  greediest(first) {
    const after = countAtLeast(this.logits, this.logits[first], this.length);
    return [after - 1, after];
  }

  /**
   * All mass on the token of this rank. Before the cuts it was on the most probable one; where that was cut, the
   * cuts came first and saw the model's own distribution.
   */
  greedy(first, steps) {
    const [top] = this.greediest(0);
    const after = (i) => (i === first ? 1 : 0);
    const greedy = { first, n_kept: 1, steps, entropy_bits: 0, after };
    if (first === top) return { ...greedy, mass: 1, before: after, cumulative: (i) => (i >= top ? 1 : 0) };
    const { each, cumulative } = this.weights(1);
    const all = cumulative[this.length - 1];
    return { ...greedy, mass: 0, before: (i) => each[i] / all, cumulative: (i) => cumulative[i] / all };
  }
}

/** The same settings in the order of a library, without the ones that it has not. */
function inOrder(settings, order) {
  const missing = Object.entries(OFF).filter(([name]) => !ORDERS[order].includes(name));
  return { ...settings, ...Object.fromEntries(missing), order };
}

const massOf = ({ cumulative }, first, n) => cumulative[n - 1] - (first > 0 ? cumulative[first - 1] : 0);

/** Each cut: first and last + 1 of the ranks that it leaves of ranks first to n - 1. */
const CUTS = {
  top_k: ({ logits, length }, _weights, first, n, k) => [first, k < n ? countAtLeast(logits, logits[k - 1], length) : n],
  top_p({ length }, { cumulative }, first, n, p) {
    const before = first > 0 ? cumulative[first - 1] : 0;
    return [first, Math.min(n, countBelow(cumulative, before + p * (cumulative[n - 1] - before), n) + 1)];
  },
  min_p: (_ranked, { each }, first, n, share) => [first, countAtLeast(each, share * each[first], n)],
  /** Grows around the entropy, the nearest surprisal first, until the mass is reached. */
  typical_p(_ranked, { each, cumulative, scaled }, first, n, mass) {
    const total = cumulative[n - 1];
    let dot = 0;
    for (let i = 0; i < n; i++) dot += each[i] * scaled[i];
    const entropy = Math.log(total) - dot / total;
    const distance = (i) => (i < 0 || i >= n ? Infinity : Math.abs(Math.log(total) - scaled[i] - entropy));
    let high = bisect(n, (i) => Math.log(total) - scaled[i] < entropy);
    let low = high;
    let reached = 0;
    let limit = 0;
    while (reached < mass * total && (low > 0 || high < n)) {
      const next = distance(low - 1) <= distance(high) ? --low : high++;
      limit = distance(next);
      reached += each[next];
    }
    while (distance(low - 1) <= limit) low--;
    while (distance(high) <= limit) high++;
    return [low, high];
  },
};

/** How many of the first n values of a descending array are `limit` or more. */
function countAtLeast(descending, limit, n) {
  return bisect(n, (i) => descending[i] >= limit);
}

/** How many of the first n values of an ascending array are below `limit`. */
function countBelow(ascending, limit, n) {
  return bisect(n, (i) => ascending[i] < limit);
}

function bisect(n, holds) {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
