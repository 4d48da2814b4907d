// Only the browser knows the link of what is on the screen: parts of a page run alone.

export default renewed(({ parentElement, data, setTriggerValue }) => {
  const button = parentElement.querySelector("button");
  const status = parentElement.querySelector("span");
  button.textContent = data.label;
  let timer = 0;
  button.onclick = () => {
    setTriggerValue("link", window.location.href);
    button.textContent = status.textContent = data.sent;
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = data.label;
      status.textContent = "";
    }, 2000);
  };
  return () => clearTimeout(timer);
});
