/*
 * All primitives of the block as tiles: sorted, filtered, look-alikes in piles.
 */

import { COLOUR_OF } from "../colours.js";
import {
  closest,
  focused,
  make,
  makeButton,
  rove,
  segmented,
  setAttr,
  setPrimitive,
  setText,
} from "../dom.js";
import { picking } from "../inputs/picking.js";
import { percent, points, THIN } from "../numbers.js";
import { forget, NOTHING, picture } from "../paint.js";
import { GALLERY, halfFrom, POINTS, SORTS, TILES, theShare } from "../words.js";
import { arranged, filtered, Piling } from "./piles.js";

/** @typedef {import("./piles.js").Placed} Placed */
/**
 * @typedef {object} Tile
 * @property {number} i
 * @property {HTMLElement} box
 * @property {HTMLButtonElement} button
 * @property {HTMLImageElement} img
 * @property {HTMLElement} number
 * @property {HTMLButtonElement | null} pile
 * @property {number} group that the pile opens
 * @property {string} drawn what of
 * @property {boolean} seen whether it is in sight
 */

const TILES_MS = 8; // of drawing tiles between two events

export class Gallery {
  /** @type {Tile[]} by primitive */
  tiles = [];
  /** @type {number[]} */
  order = [];
  /** @type {Set<number>} groups of look-alikes that are open */
  #open = new Set();
  /** @type {ReturnType<typeof setTimeout> | 0} */
  #slice = 0;
  /** @type {(value: string) => void} */
  #showSort = () => {};

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    const { ui, state, root, stop } = probe;
    const { signal } = stop;
    this.piling = new Piling(signal);
    this.showTiles = segmented(ui.tiles, TILES, (value) =>
      probe.setting({ tiles: value === "distribute" ? "distribute" : "gather" }),
    );
    ui.filter.addEventListener(
      "input",
      () => {
        state.filter = ui.filter.value;
        probe.schedule("gallery");
      },
      { signal },
    );
    ui.grid.addEventListener("click", (event) => this.#clickPile(event), { signal });
    ui.more.addEventListener(
      "click",
      () => {
        root.dataset.open = root.dataset.open === "yes" ? "" : "yes";
        probe.schedule("gallery");
      },
      { signal },
    );
    const across = () => getComputedStyle(ui.grid).gridTemplateColumns.split(" ").length;
    picking(probe, ui.grid, { kind: () => state.tiles, across });
    this.seen = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: "120px" });
  }

  load() {
    const { ui, model, many, state } = this.probe;
    ui.filter.value = state.filter;
    const known = model.measures.includes("effect") || model.blocks.some((block) => block.effect);
    ui.stills.hidden = known || !many;
    const sorts = SORTS.filter(({ value }) => value !== "effect" || known);
    this.#showSort = segmented(ui.sort, sorts, (value) =>
      this.probe.setting({ sort: /** @type {import("../state.js").Sort} */ (value) }),
    );
  }

  /** Tiles for the current block. */
  enter() {
    const { block } = this.probe.state;
    this.#open = new Set();
    this.order = [];
    for (const tile of this.tiles) {
      forget(tile.img);
      tile.img.src = NOTHING;
      tile.drawn = "";
    }
    if (this.tiles.length === block.n) return;
    this.seen.disconnect();
    this.tiles = Array.from({ length: block.n }, (_, i) => this.#build(i));
  }

  /** @param {number} i @returns {Tile} */
  #build(i) {
    const box = make("div", "a2c-tilebox");
    const button = makeButton("a2c-tile", box);
    setPrimitive(button, i);
    const img = picture();
    button.append(img);
    const line = make("span", "", button);
    make("b", "", line).textContent = `g${i}`;
    const number = make("em", "", line);
    this.seen.observe(button);
    return { i, box, button, img, number, pile: null, group: i, drawn: "", seen: false };
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #see(entries) {
    for (const { target, isIntersecting } of entries) {
      const tile = this.tiles.find(({ button }) => button === target);
      if (tile) tile.seen = isIntersecting;
    }
    this.probe.schedule("tiles");
  }

  /** The pile of a chosen primitive opens. @param {number} i */
  reveal(i) {
    const { groups } = this.probe.state.block;
    if (groups) this.#open.add(groups[i]);
  }

  /** @param {Event} event */
  #clickPile(event) {
    const pile = closest(event, ".a2c-pile");
    const tile = pile && this.tiles.find((one) => one.pile === pile);
    if (!tile) return;
    if (!this.#open.delete(tile.group)) this.#open.add(tile.group);
    this.probe.schedule("gallery");
  }

  drawControls() {
    const { state } = this.probe;
    this.#showSort(state.sort);
    this.showTiles(state.tiles);
  }

  /**
   * Puts the tiles in order, with their numbers.
   * @param {import("../screen.js").Screen} screen
   * @param {boolean} repaint also those that are drawn
   */
  draw({ ranked }, repaint) {
    const { state, ui } = this.probe;
    const { block } = state;
    const sort = state.sort === "effect" && !block.effect ? "rho" : state.sort;
    const rho = block.rhoOf(ranked);
    const effect = block.effect ?? new Float32Array(block.n);
    // Links call that order "reach", as they did when it was another measure.
    const values = { rho, reach: block.half, use: block.use, effect: effect.map(Math.abs) }[sort];
    const wanted = filtered(state.filter, block);
    const line = arranged(values, block.groups, this.#open, wanted);
    const order = line.map((place) => place.i);
    if (this.order.join() !== order.join()) {
      this.order = order;
      ui.grid.replaceChildren(...order.map((i) => this.tiles[i].box));
    }
    for (const place of line) {
      const tile = this.tiles[place.i];
      const numbers = {
        reach: block.half[place.i] / block.span,
        rho: rho[place.i],
        use: block.use[place.i],
      };
      const told = sort === "effect" ? points(effect[place.i]) + THIN + POINTS : percent(numbers[sort]);
      setText(tile.number, told);
      this.#describe(tile, theShare(percent(rho[place.i]), !!ranked.cells));
      if (tile.box.hidden !== place.hidden) tile.box.hidden = place.hidden;
      this.#drawPile(tile, place);
      if (repaint) tile.drawn = "";
    }
    const shown = line.filter((place) => !place.hidden).map((place) => this.tiles[place.i].button);
    const active = focused(this.probe.root);
    if (!shown.some((button) => button === active)) {
      rove(
        this.tiles.map((tile) => tile.button),
        shown[0],
      );
    }
    this.#drawHeads(wanted ? shown.length : null);
  }

  /** @param {number | null} found how many the filter found, where there is one */
  #drawHeads(found) {
    const { state, ui, model, root } = this.probe;
    const { block } = state;
    setText(ui.galleryTitle, GALLERY.title(block.n));
    const waiting = state.sort === "effect" && !block.effect && model.measures.includes("effect");
    const counted = found ? GALLERY.found(found) : GALLERY.none(state.filter.trim());
    setText(ui.found, waiting ? GALLERY.measuring : found === null ? "" : counted);
    const open = root.dataset.open === "yes";
    setText(ui.more, open ? GALLERY.fewer : GALLERY.all(block.n));
    setAttr(ui.more, "aria-expanded", String(open));
  }

  /** @param {Tile} tile @param {string} share what is received of it */
  #describe({ i, button }, share) {
    const { state, model } = this.probe;
    const { block, primitive } = state;
    const card = block.cards[i] || "";
    const effect = block.effect ? GALLERY.effect(points(block.effect[i])) : "";
    const half = halfFrom(percent(block.half[i] / block.span), model.whole);
    const facts = GALLERY.facts(share, half, percent(block.use[i])) + effect;
    setAttr(button, "aria-pressed", String(i === primitive));
    setAttr(button, "aria-label", GALLERY.tile(i, facts, card));
    if (button.title !== card) button.title = card;
  }

  /** "+2" on the first of a group of look-alikes. @param {Tile} tile @param {Placed} place */
  #drawPile(tile, { group, more }) {
    setAttr(tile.box, "data-pile", more ? "yes" : "");
    if (!more && !tile.pile) return;
    tile.pile ??= makeButton("a2c-pile", tile.box);
    const { pile } = tile;
    pile.hidden = !more;
    tile.group = group;
    const open = this.#open.has(group);
    setText(pile, open ? `−${more}` : `+${more}`);
    setAttr(pile, "aria-expanded", String(open));
    const label = GALLERY.alike(more, tile.i);
    setAttr(pile, "aria-label", label);
    setAttr(pile, "title", label);
  }

  /** Draws the tiles that are in sight and not drawn yet. */
  drawTiles() {
    const { probe } = this;
    const { state } = probe;
    const { block, tiles: kind } = state;
    if (this.tiles.some((tile) => tile.seen)) this.piling.find(block, () => probe.schedule("gallery"));
    const mini = probe.mini("tile");
    const id = `${kind} ${state.scale} ${state.still}`;
    const until = performance.now() + TILES_MS;
    for (const tile of this.tiles) {
      if (!tile.seen || tile.drawn === id) continue;
      if (performance.now() > until) {
        this.tilesLater();
        return;
      }
      tile.drawn = id;
      mini.show(tile.img, block.maps(kind), probe.offset(tile.i), probe.top(kind, tile.i), COLOUR_OF[kind]);
    }
  }

  /** The next tiles after the next frame and whatever the mouse did meanwhile. */
  tilesLater() {
    this.#slice ||= setTimeout(() => {
      this.#slice = 0;
      this.probe.schedule("tiles");
    });
  }

  /** Whether all that was asked for is drawn. */
  get ready() {
    return !this.#slice && !this.piling.working;
  }

  destroy() {
    clearTimeout(this.#slice);
    this.seen.disconnect();
    for (const tile of this.tiles) forget(tile.img);
  }
}
