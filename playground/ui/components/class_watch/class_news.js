// Has its part of the page drawn anew when the class has news.

export default renewed(({ data, setTriggerValue }) => {
  const hear = (event) => {
    if (event.detail !== data.version) setTriggerValue("news", event.detail);
  };
  addEventListener("playground-class", hear);
  return () => removeEventListener("playground-class", hear);
});
