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
