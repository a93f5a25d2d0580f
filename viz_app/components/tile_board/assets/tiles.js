// Tiles of exemplars. They come once, as a parcel; sorting and filtering only puts them in another order.

class Tiles {
  constructor(root, talk) {
    Object.assign(this, { root, talk, items: [] });
    this.stop = new AbortController();
    const { signal } = this.stop;
    root.addEventListener("click", (event) => this.open(event.target.closest("button")), { signal });
  }

  show({ tiles, order }) {
    this.order = order;
    if (tiles === this.tiles) {
      this.put();
      return;
    }
    this.tiles = tiles;
    this.unwait?.();
    this.unwait = parcels.when(tiles, (content) => {
      this.items = content.tiles.map(tileOf);
      this.put();
    });
  }

  put() {
    const wanted = this.order.map((index) => this.items[index]).filter(Boolean);
    const same = wanted.length === this.root.children.length && wanted.every((item, at) => item === this.root.children[at]);
    if (!same) this.root.replaceChildren(...wanted);
  }

  open(button) {
    if (button) this.talk.trigger("opened", { index: Number(button.dataset.index) });
  }

  destroy() {
    this.stop.abort();
    this.unwait?.();
  }
}

function tileOf({ title, said, crops }, index) {
  const item = document.createElement("li");
  const button = item.appendChild(document.createElement("button"));
  button.type = "button";
  button.dataset.index = index;
  const four = button.appendChild(document.createElement("span"));
  four.className = "four";
  for (const crop of crops) {
    const image = four.appendChild(document.createElement("img"));
    Object.assign(image, { src: crop, alt: "", loading: "lazy", decoding: "async" });
  }
  button.appendChild(document.createElement("strong")).textContent = title;
  button.appendChild(document.createElement("small")).textContent = said;
  return item;
}

export default mounting("[data-a2-tiles]", Tiles);
