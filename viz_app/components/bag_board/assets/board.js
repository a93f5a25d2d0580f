// The board of primitives: every touch is drawn at once and told to Python. Its thumbnails come as a parcel.

const STEP = 0.25;
const MINUS = "\u2212";

const signed = (value) => {
  const size = Math.abs(value);
  const text = size >= 0.0995 ? size.toFixed(2) : size >= 0.00995 ? size.toFixed(3) : size.toFixed(4);
  return Number(text) === 0 ? "0" : (value > 0 ? "+" : MINUS) + text;
};
const times = (factor) => `\u00d7${Number(factor.toFixed(2))}`;

class Board {
  constructor(root, talk) {
    Object.assign(this, { root, talk });
    this.stop = new AbortController();
    this.order = "effect";
    this.current = 0;
    this.looks = { sheet: "", cards: [] };
    const on = (node, type, run) => node.addEventListener(type, run, { signal: this.stop.signal });
    const find = (selector) => root.querySelector(selector);
    this.grid = find(".grid");
    this.slider = find(".strength input");
    on(this.grid, "click", (event) => {
      const tile = event.target.closest(".tile");
      if (!tile) return;
      this.look(Number(tile.dataset.i));
      this.flip();
    });
    on(this.grid, "focusin", (event) => this.look(Number(event.target.dataset.i)));
    on(this.grid, "keydown", (event) => this.press(event));
    on(find(".flip"), "click", () => this.flip());
    on(find(".only"), "click", () => this.only());
    on(find(".see"), "click", () => this.talk.tell("asked", { factors: [...this.factors], opened: this.current }));
    on(this.slider, "input", () => this.set(this.current, Number(this.slider.value), { later: true }));
    on(this.slider, "change", () => this.tell());
    for (const button of root.querySelectorAll("[data-order]")) {
      on(button, "click", () => {
        this.order = button.dataset.order;
        this.arrange();
        this.draw();
      });
    }
  }

  show(data, said) {
    const before = this.data;
    this.data = data;
    const another = !before || before.identity !== data.identity;
    if (another || before.effects.join() !== data.effects.join()) this.build();
    this.factors = [...(said ?? data).factors];
    if (another) {
      // Begin at what was chosen elsewhere; else at what is different, so that the bar above speaks of it.
      const different = this.sorted().find((i) => this.factors[i] !== 1);
      this.current = data.chosen && !said ? data.first : (different ?? data.first);
    }
    this.slider.max = data.largest;
    this.arrange();
    this.draw();
    if (before?.looks === data.looks) return;
    this.ignore?.();
    this.ignore = parcels.when(data.looks, (looks) => {
      this.looks = looks;
      this.build();
      this.arrange();
      this.draw();
    });
  }

  build() {
    const { effects, columns, aspect } = this.data;
    const { cards, sheet } = this.looks;
    const rows = Math.ceil(effects.length / columns);
    this.tiles = effects.map((effect, i) => {
      const tile = document.createElement("button");
      tile.type = "button";
      tile.className = "tile";
      tile.dataset.i = i;
      tile.setAttribute("role", "switch");
      tile.title = cards[i] || "";
      tile.innerHTML =
        `<span class="shot"><span class="badge"></span></span>` +
        `<span class="cap"><span class="name">g${i}</span><span class="effect">${signed(effect)}</span></span>`;
      const shot = tile.firstChild;
      const at = (k, count) => (count > 1 ? (100 * k) / (count - 1) : 0);
      shot.style.aspectRatio = String(aspect);
      shot.style.backgroundImage = `url("${sheet}")`;
      shot.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
      shot.style.backgroundPosition = `${at(i % columns, columns)}% ${at(Math.floor(i / columns), rows)}%`;
      return tile;
    });
    this.placed = "";
    this.grid.replaceChildren();
  }

  sorted() {
    const all = [...this.data.effects.keys()];
    if (this.order === "index") return all;
    const size = this.data.effects.map(Math.abs);
    return all.sort((a, b) => size[b] - size[a] || a - b);
  }

  arrange() {
    const order = this.sorted();
    if (this.placed === order.join()) return;
    this.placed = order.join();
    const focused = this.grid.contains(this.root.getRootNode().activeElement);
    this.grid.replaceChildren(...order.map((i) => this.tiles[i]));
    if (focused) this.tiles[this.current].focus();
  }

  draw() {
    const { effects, effectOf } = this.data;
    const { cards } = this.looks;
    this.tiles.forEach((tile, i) => {
      const factor = this.factors[i];
      tile.setAttribute("aria-checked", String(factor !== 0));
      tile.tabIndex = i === this.current ? 0 : -1;
      tile.toggleAttribute("data-current", i === this.current);
      tile.querySelector(".badge").textContent = factor === 0 || factor === 1 ? "" : times(factor);
      const state = factor === 0 ? WORDS.off : factor === 1 ? WORDS.on : times(factor);
      tile.setAttribute("aria-label", WORDS.tile(i, state, signed(effects[i])));
    });
    const i = this.current;
    const factor = this.factors[i];
    const find = (selector) => this.root.querySelector(selector);
    find(".who").textContent = `g${i}`;
    const effect = WORDS.effect(signed(effects[i]), effectOf);
    const what = find(".what");
    what.textContent = cards[i] ? `${effect} \u00b7 ${cards[i]}` : effect;
    what.title = what.textContent; // only two lines of it are shown
    find(".see").textContent = WORDS.see(i);
    find(".flip").textContent = factor === 0 ? WORDS.switchOn : WORDS.switchOff;
    find(".strength output").textContent = times(factor);
    this.slider.value = factor;
    for (const button of this.root.querySelectorAll("[data-order]")) {
      button.setAttribute("aria-checked", String(button.dataset.order === this.order));
    }
  }

  look(i) {
    if (this.current === i) return;
    this.current = i;
    this.draw();
  }

  flip() {
    this.set(this.current, this.factors[this.current] === 0 ? 1 : 0);
  }

  only() {
    const kept = this.factors[this.current] || 1;
    this.factors = this.factors.map((_, i) => (i === this.current ? kept : 0));
    this.draw();
    this.tell();
  }

  set(i, factor, { later = false } = {}) {
    const value = Math.min(this.data.largest, Math.max(0, factor));
    if (value === this.factors[i]) return;
    this.factors[i] = value;
    this.draw();
    if (later) this.talk.say({ factors: [...this.factors] });
    else this.tell();
  }

  tell() {
    const state = this.factors[this.current];
    this.root.querySelector(".said").textContent =
      WORDS.now(this.current, state === 0 ? WORDS.off : state === 1 ? WORDS.on : times(state));
    this.talk.tell("asked", { factors: [...this.factors] });
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const order = this.sorted();
    const at = order.indexOf(this.current);
    const across = getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across, Home: -at, End: order.length - 1 - at };
    if (event.key in moves) {
      const next = order[at + moves[event.key]];
      if (next !== undefined) {
        this.look(next);
        this.tiles[next].focus();
      }
    } else if (event.key === "o" || event.key === "O") this.only();
    else if (event.key === "+" || event.key === "=") this.set(this.current, this.factors[this.current] + STEP);
    else if (event.key === "-" || event.key === MINUS) this.set(this.current, this.factors[this.current] - STEP);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  destroy() {
    this.stop.abort();
    this.ignore?.();
  }
}

export default mounting("[data-a2-board]", Board);
