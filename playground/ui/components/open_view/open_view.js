// Goes to a view as by the browser's back button: Streamlit then takes every setting from the link.

export default renewed(({ parentElement, data }) => {
  const button = parentElement.querySelector("button");
  button.textContent = data.label;
  button.onclick = () => visit(data.link);
  return () => (button.onclick = null);
});
