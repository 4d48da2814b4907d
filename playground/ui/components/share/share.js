// The Clipboard API exists only on https and localhost; a class server is plain http, hence the second way.
async function copy(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // refused by the browser's permission: the second way may still work
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.cssText = "position:fixed;opacity:0";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

function link(params) {
  const url = new URL(window.location.href);
  for (const [name, value] of Object.entries(params)) {
    if (!url.searchParams.has(name)) url.searchParams.set(name, value);
  }
  return url.href;
}

export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button");
  const status = parentElement.querySelector("span");
  button.textContent = data.label;
  announce(data.words);
  const page = document.documentElement; // screen readers choose their voice by its language
  if (page.lang !== data.params.lang) page.lang = data.params.lang; // else all styles are computed anew
  try {
    sessionStorage.setItem("playground-session", data.session);
  } catch {
    // the browser keeps nothing: a reload begins a new session
  }
  let timer = 0;
  button.onclick = async () => {
    const url = link(data.params);
    if (await copy(url)) {
      button.textContent = status.textContent = data.done;
    } else {
      window.prompt(data.failed, url);
    }
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = data.label;
      status.textContent = "";
    }, 2000);
  };
  return () => clearTimeout(timer);
}
