const SCALE = 2; // of the PNG, for print and projector

// The first <svg> or <canvas> below `root`, other components' shadow trees included; icons are smaller than 60 px.
function findPicture(root) {
  for (const node of root.querySelectorAll("*")) {
    if (["svg", "canvas"].includes(node.localName) && node.getBoundingClientRect().height >= 60) return node;
    const within = node.shadowRoot ?? node.contentDocument; // of a component, of a frame
    const inside = within && findPicture(within);
    if (inside) return inside;
  }
  return null;
}

// Style sheets do not travel with a saved file: what they say is written onto each node.
const STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "display"];

// Mixed colours are computed as oklab(...), which only browsers read: rgb(...) is read everywhere.
function plainColour(colour) {
  if (!/^(oklab|oklch|color)\(/.test(colour)) return colour;
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
  return `rgba(${r}, ${g}, ${b}, ${a / 255})`;
}

// A canvas has nothing but pixels: they become one image inside the SVG.
function embedded(canvas) {
  const image = document.createElementNS("http://www.w3.org/2000/svg", "image");
  image.setAttribute("href", canvas.toDataURL());
  image.setAttribute("width", "100%");
  image.setAttribute("height", "100%");
  const holder = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  holder.append(image);
  return holder;
}

function copied(svg) {
  const copy = svg.cloneNode(true);
  const originals = [svg, ...svg.querySelectorAll("*")];
  const copies = [copy, ...copy.querySelectorAll("*")];
  originals.forEach((node, i) => {
    const style = getComputedStyle(node);
    for (const name of STYLES) copies[i].style.setProperty(name, plainColour(style.getPropertyValue(name)));
  });
  return copy;
}

function standAlone(picture, background) {
  const copy = picture.localName === "canvas" ? embedded(picture) : copied(picture);
  const { width, height } = sizeOf(picture);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ width: "100%", height: "100%", fill: background })) paper.setAttribute(name, value);
  copy.prepend(paper);
  return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
}

async function loaded(blob) {
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  await image.decode();
  return image;
}

async function png(picture, background) {
  const { width, height } = sizeOf(picture);
  const canvas = Object.assign(document.createElement("canvas"), { width: width * SCALE, height: height * SCALE });
  const pen = canvas.getContext("2d");
  pen.fillStyle = background;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const source = picture.localName === "canvas" ? picture : await loaded(standAlone(picture, background));
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  if (source instanceof Image) URL.revokeObjectURL(source.src);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function save(blob, name) {
  const anchor = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}

export default function ({ parentElement, data }) {
  const host = parentElement.host ?? parentElement;
  for (const button of parentElement.querySelectorAll("button")) {
    const kind = button.dataset.kind;
    button.textContent = data.labels[kind];
    button.onclick = async () => {
      const holder = document.querySelector(`.st-key-${CSS.escape(data.picture)}`);
      const picture = holder && findPicture(holder);
      if (!picture) return;
      const background = getComputedStyle(host).getPropertyValue("--st-background-color") || "white";
      if (kind === "png") save(await png(picture, background), `${data.fileName}.png`);
      else save(standAlone(picture, background), `${data.fileName}.svg`);
    };
  }
}
