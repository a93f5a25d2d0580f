/*
 * One tile of a list: a button with a small picture, a title, a line below it, and what a hover says.
 */

/** @typedef {{ picture: string, title: string, said: string, hint: string }} Tile picture: an address, "" for none */

/** @param {Tile} tile @param {number} index which the button carries */
export function tileOf({ picture, title, said, hint }, index) {
  const item = document.createElement("li");
  const button = item.appendChild(document.createElement("button"));
  button.type = "button";
  button.title = hint;
  button.dataset.index = String(index);
  const frame = button.appendChild(document.createElement("span"));
  if (picture) {
    const image = frame.appendChild(document.createElement("img"));
    Object.assign(image, { src: picture, alt: "", decoding: "async" });
  }
  button.appendChild(document.createElement("strong")).textContent = title;
  button.appendChild(document.createElement("small")).textContent = said;
  return item;
}
