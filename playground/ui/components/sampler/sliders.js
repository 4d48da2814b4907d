// Five sliders, each with a field for the exact value.

const K_STEPS = 200; // positions of the top-k slider: 1 ... vocabulary on a logarithmic scale, the last is "all"

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
/** Of a slider: its ends between limits, the value of a position, the position of a value. */
const HUNDREDTHS = {
  ends: ([least, most]) => ({ min: Math.ceil(100 * least), max: Math.floor(100 * most) }),
  toValue: (s) => s / 100,
  toSlider: (v) => Math.round(v * 100),
};
const SCALES = {
  temperature: HUNDREDTHS,
  top_k: {
    ends: () => ({ min: 0, max: K_STEPS }),
    toValue: (s, n) => (s >= K_STEPS ? 0 : Math.round(n ** (s / K_STEPS))),
    toSlider: (v, n) => (v === 0 || v >= n ? K_STEPS : Math.round((K_STEPS * Math.log(v)) / Math.log(n))),
  },
  top_p: HUNDREDTHS,
  min_p: HUNDREDTHS,
  typical_p: HUNDREDTHS,
};
const SETTINGS = Object.keys(SCALES);

/** Of a Sampler: they show its settings, and tell it what is moved and let go. */
class Sliders {
  constructor(sampler) {
    this.sampler = sampler;
    this.fields = {};
    this.node = el("div", { class: "controls" }, ...SETTINGS.map((name) => this.control(name)));
  }

  control(name) {
    const { sampler } = this;
    const range = el("input", { type: "range", step: 1, "data-name": name });
    const number = el("input", { type: "number", step: "any", "data-name": name, inputmode: "decimal" });
    const title = el("span", { class: "name" });
    range.addEventListener("input", () => sampler.move(name, SCALES[name].toValue(+range.value, sampler.data.n_vocab)));
    range.addEventListener("change", () => sampler.release());
    number.addEventListener("change", () => {
      if (Number.isFinite(number.valueAsNumber)) sampler.move(name, number.valueAsNumber);
      this.show();
      sampler.release();
    });
    this.fields[name] = { range, number, title };
    return el("label", { class: "control" }, title, number, range);
  }

  /** Words in the reader's language. */
  label(words) {
    for (const name of SETTINGS) {
      const { range, number, title } = this.fields[name];
      title.textContent = words[name];
      range.setAttribute("aria-label", words[name]);
      number.setAttribute("aria-label", fill(words.exact, { name: words[name] }));
    }
  }

  /** The nearest value that the setting may have; the limits come with the data. */
  limited(name, value) {
    return clamp(name === "top_k" ? Math.round(value) : value, ...this.sampler.data.limits[name]);
  }

  /** While one is dragged, its field and words follow. */
  moved(name) {
    this.fields[name].number.value = String(this.sampler.settings[name]);
    this.tell(name);
  }

  /** Put the settings into the sliders and fields. */
  show() {
    const { data, settings } = this.sampler;
    for (const name of SETTINGS) {
      const { range, number } = this.fields[name];
      set(range, SCALES[name].ends(data.limits[name]));
      range.value = SCALES[name].toSlider(settings[name], data.n_vocab);
      this.tell(name);
      number.value = String(settings[name]);
      range.disabled = number.disabled = !ORDERS[settings.order].includes(name);
    }
  }

  tell(name) {
    const { words, n_vocab, language } = this.sampler.data;
    const { range, number, title } = this.fields[name];
    const value = this.sampler.settings[name];
    const special = { temperature: value === 0 && words.greedy, top_k: value === 0 && words.all }[name];
    range.setAttribute("aria-valuetext", special || value.toLocaleString(language));
    number.title = name === "top_k" ? fill(words.top_k_range, { n: n_vocab.toLocaleString() }) : "";
    title.dataset.note = (name === "top_k" && special) || ""; // greedy is said below, with more room
  }
}
