/** Makes an element: `el("p", { class: "note" }, "text", child)`. Text is never read as HTML. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const COLOURS = ["#5b6ee1", "#2f9e77", "#b5588f", "#c27a34", "#3d8fb8", "#8a63c9", "#a8504e"];

export function avatar(user, status = "") {
  const name = user.displayName ?? user.global_name ?? user.username;
  const colour = user.bot ? "#5563e8" : COLOURS[Number(BigInt(user.id) % BigInt(COLOURS.length))];
  const image = el("div", { class: `avatar ${status}`, "aria-hidden": "true" }, name.slice(0, 1).toUpperCase());
  image.style.background = colour;
  return image;
}

export function colourOf(number) {
  return number ? `#${number.toString(16).padStart(6, "0")}` : "";
}
