// A list of tiles (a2core.canvas.tiles). They come once, as a parcel; sorting and filtering only puts them in another order.

class Tiles {
  constructor(root, talk) {
    Object.assign(this, { root, talk, items: [] });
    this.stop = new AbortController();
    const { signal } = this.stop;
    root.addEventListener("click", (event) => this.open(event.target.closest("button")), { signal });
  }

  show({ tiles, order, label, small, chosen }) {
    Object.assign(this, { order, chosen });
    this.root.setAttribute("aria-label", label);
    this.root.classList.toggle("small", small);
    if (tiles === this.tiles) {
      this.put();
      return;
    }
    this.tiles = tiles;
    this.unwait?.();
    this.unwait = parcels.when(tiles, (content) => {
      this.items = content.tiles.map(a2Tiles.tileOf);
      this.put();
    });
  }

  put() {
    const wanted = this.order.map((index) => this.items[index]).filter(Boolean);
    const same = wanted.length === this.root.children.length && wanted.every((item, at) => item === this.root.children[at]);
    if (!same) this.root.replaceChildren(...wanted);
    for (const [at, item] of this.items.entries()) {
      if (at === this.chosen) item.firstChild.setAttribute("aria-current", "true");
      else item.firstChild.removeAttribute("aria-current");
    }
  }

  open(button) {
    if (button) this.talk.trigger("opened", { index: Number(button.dataset.index) });
  }

  destroy() {
    this.stop.abort();
    this.unwait?.();
  }
}

export default mounting("[data-a2-tiles]", Tiles);
