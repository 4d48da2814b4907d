// Asks the server every second or two, past Streamlit, whether the class has news: no run of a script, no
// thread. A view that the teacher sent is gone to as by the browser's back button, so that its link decides
// everything; the views that were left stand here as buttons, each with its text and settings.

const KEPT = 5; // views that can be gone back to
const AFTER_BLUR_MS = 250; // until a field that was left has written itself into the address
const MOST_MISSES = 3; // each doubles the time to the next question

export default renewed(({ parentElement, data }) => {
  const root = parentElement.querySelector(".class-watch");
  const kept = remembered(data);
  let timer = 0;
  let misses = 0;
  let sent = null; // the last view that the teacher sent
  let going = false;
  const stop = new AbortController();

  const go = (link) => {
    going = true;
    leave();
    setTimeout(() => {
      const here = location.pathname + location.search;
      if (here !== kept.last) kept.own = [here, ...kept.own.filter((one) => one !== here)].slice(0, KEPT);
      visit(link);
      kept.last = location.pathname + location.search;
      remember(kept);
      going = false;
      draw();
    }, AFTER_BLUR_MS);
  };
  const goBack = (link) => {
    kept.own = kept.own.filter((one) => one !== link);
    kept.last = "";
    remember(kept);
    visit(link);
    draw();
  };
  const draw = () => {
    const buttons = [];
    if (sent && !data.follows && kept.passed < sent.number) {
      buttons.push(button(fill(data.words.go, { page: title(sent.link, data) }), () => follow()));
    }
    buttons.push(...kept.own.map((link) => button(back(link, data), () => goBack(link))));
    root.replaceChildren(...buttons);
  };
  const follow = () => {
    kept.passed = sent.number;
    go(data.base + sent.link);
  };
  const ask = async () => {
    try {
      const headers = { "X-Class-Member": data.member, "X-Class-Knows": String(sent?.number ?? kept.passed) };
      const answer = await fetch(data.address, { headers, cache: "no-store", signal: stop.signal });
      const news = await answer.json();
      misses = 0;
      if (news.link) {
        sent = { number: news.pushes, link: news.link };
        draw();
      }
      if (data.follows && sent && sent.number > kept.passed && !going) follow();
      else if (news.version !== data.version) dispatchEvent(new CustomEvent("playground-class", { detail: news.version }));
    } catch {
      misses = Math.min(misses + 1, MOST_MISSES); // a server that starts again, a laptop that wakes
    }
    if (!stop.signal.aborted) timer = setTimeout(ask, data.every_ms * 2 ** misses);
  };

  draw();
  timer = setTimeout(ask, data.follows && kept.passed < data.pushes ? 0 : data.every_ms);
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
});

/** The tab's own memory of this class: views followed or let pass, the last one, and the student's own. */
function remembered({ number, since }) {
  const fresh = { number, passed: since, last: "", own: [] };
  try {
    const kept = JSON.parse(sessionStorage.getItem("playground-class"));
    return kept?.number === number ? { ...fresh, ...kept, passed: Math.max(since, kept.passed) } : fresh;
  } catch {
    return fresh; // nothing is kept, or the browser keeps nothing
  }
}

function remember(kept) {
  try {
    sessionStorage.setItem("playground-class", JSON.stringify(kept));
  } catch {
    // the browser keeps nothing: a reload forgets the way back
  }
}

/** Leave the field that is typed in: only then Streamlit hears what stands in it. */
function leave() {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  active?.blur?.();
}

function title(link, { base, titles }) {
  const url = new URL(link, location.origin);
  const path = url.pathname.startsWith(`${base}/`) ? url.pathname.slice(base.length) : url.pathname;
  return titles[path.replaceAll("/", "")] ?? titles[""];
}

function back(link, data) {
  const text = new URL(link, location.origin).searchParams.get("text");
  const named = fill(data.words.back, { page: title(link, data) });
  return text ? `${named}: ${text.length > 24 ? `${text.slice(0, 24)}…` : text}` : named;
}

function button(label, act) {
  const node = element("button", "way", label);
  node.type = "button";
  node.dir = "auto";
  node.addEventListener("click", act);
  return node;
}
