// Runs in the browser before Streamlit's own scripts.

// One deed of the reader is one step of the history. Streamlit makes several: the page that is left once
// more without its settings, the next page, and that page again with the settings it had. "Back" would stop
// between them and take the settings away.
(() => {
  let acted = false;
  for (const deed of ["pointerdown", "keydown", "input", "change", "drop"])
    addEventListener(deed, () => { acted = true; }, true);
  addEventListener("popstate", () => { acted = false; }, true);
  const push = history.pushState;
  history.pushState = (...step) => {
    (acted ? push : history.replaceState).apply(history, step);
    acted = false;
  };
})();

// A tab that is loaded anew says which session it had, where Streamlit names that of a lost connection
// once it knows one.
(() => {
  const had = () => {
    try {
      return sessionStorage.getItem("playground-session");
    } catch {
      return null; // the browser keeps nothing
    }
  };
  window.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
      const before = Array.isArray(protocols) && protocols.length === 2 && had();
      super(url, before ? [...protocols, `after.${before}`] : protocols);
    }
  };
})();
