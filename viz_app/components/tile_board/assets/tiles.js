// A list of tiles (a2core.canvas.tiles). They come once, as a parcel; sorting and filtering only puts them in another order.

const DWELL_MS = 250;
const APART_PX = 8; // between a tile and what stands beside it

class Tiles {
  constructor(root, talk) {
    Object.assign(this, { root, talk, items: [], known: new Map(), at: null });
    this.card = root.parentNode.querySelector(".glance");
    this.stop = new AbortController();
    const { signal } = this.stop;
    const on = (name, act, target = root) => target.addEventListener(name, act, { signal, capture: target !== root });
    on("click", (event) => this.open(event.target.closest("button")));
    on("pointerover", (event) => event.pointerType === "mouse" && this.dwell(event.target.closest("button")));
    on("focusin", (event) => event.target.matches(":focus-visible") && this.dwell(event.target.closest("button")));
    for (const name of ["pointerleave", "focusout"]) on(name, () => this.leave());
    on("scroll", () => this.leave(), document);
    on("keydown", (event) => event.key === "Escape" && this.leave(), document);
  }

  show({ tiles, order, label, small, chosen, asks, glance }) {
    Object.assign(this, { order, chosen, asks });
    this.root.setAttribute("aria-label", label);
    this.root.classList.toggle("small", small);
    if (tiles !== this.tiles) this.known.clear();
    if (glance) {
      this.known.set(glance.index, glance);
      if (glance.index === this.at) this.lay(glance);
    }
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
    this.leave();
    if (button) this.talk.trigger("opened", { index: Number(button.dataset.index) });
  }

  /** Somebody has come to a tile: who stays there asks what is behind it. */
  dwell(button) {
    if (!this.asks || !button || Number(button.dataset.index) === this.at) return;
    this.leave();
    this.at = Number(button.dataset.index);
    this.timer = setTimeout(() => {
      const known = this.known.get(this.at);
      if (known) this.lay(known);
      else this.talk.trigger("opened", { index: this.at, glance: true });
    }, DWELL_MS);
  }

  leave() {
    clearTimeout(this.timer);
    this.at = null;
    if (this.card.matches(":popover-open")) this.card.hidePopover();
  }

  /** Lays what is known beside its tile: on the right or the left, or where neither has room below or above it. */
  async lay({ index, figures, said }) {
    this.card.replaceChildren(...figures.map(figureOf));
    this.card.appendChild(document.createElement("p")).textContent = said;
    // How large it is its pictures say, once they are decoded; one that cannot be is as large as its frame.
    await Promise.allSettled([...this.card.querySelectorAll("img")].map((image) => image.decode()));
    if (index !== this.at) return; // somebody went on meanwhile
    if (!this.card.matches(":popover-open")) this.card.showPopover();
    const tile = this.items[index].getBoundingClientRect();
    const { width, height } = this.card.getBoundingClientRect();
    const sides = [tile.right + APART_PX, tile.left - APART_PX - width];
    const beside = sides.find((left) => left >= APART_PX && left + width < document.documentElement.clientWidth);
    const below = tile.bottom + APART_PX;
    const stacked = below + height < innerHeight ? below : tile.top - APART_PX - height;
    const left = beside ?? Math.min(tile.left, document.documentElement.clientWidth - width - APART_PX);
    const top = beside === undefined ? stacked : Math.min(tile.top, innerHeight - height - APART_PX);
    Object.assign(this.card.style, { left: `${Math.max(APART_PX, left)}px`, top: `${Math.max(APART_PX, top)}px` });
  }

  destroy() {
    this.leave();
    this.stop.abort();
    this.unwait?.();
  }
}

function figureOf({ picture, veil, mark, said }) {
  const figure = document.createElement("figure");
  const frame = figure.appendChild(document.createElement("div"));
  for (const src of [picture, veil].filter(Boolean)) {
    Object.assign(frame.appendChild(document.createElement("img")), { src, alt: "" });
  }
  if (mark) {
    const ring = frame.appendChild(document.createElement("i"));
    Object.assign(ring.style, { left: `${100 * mark[0]}%`, top: `${100 * mark[1]}%` });
  }
  figure.appendChild(document.createElement("figcaption")).textContent = said;
  return figure;
}

export default mounting("[data-a2-tiles]", Tiles);
