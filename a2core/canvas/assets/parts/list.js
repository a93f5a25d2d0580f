/*
 * The ranked list: how much of each primitive the probed place receives, or hands on.
 */

import { make, makeButton, rove, setAttr, setPrimitive, setText } from "../dom.js";
import { picking } from "../inputs/picking.js";
import { barTop, clamp, percent } from "../numbers.js";
import { forget, picture } from "../paint.js";
import { directionOf, isIn } from "../state.js";
import { barsTo, DIRECTIONS, halfFrom, LIST } from "../words.js";

/** @typedef {ReturnType<List["buildRow"]>} Row */

const FEW_ROWS = 8; // where the list does not stand beside the picture

export class List {
  /** @type {Row[]} */
  #rows = [];
  #built = "";
  #count = FEW_ROWS;
  /** @type {Map<number, HTMLImageElement>} small gather maps, painted once: rows only pass them around */
  #thumbs = new Map();

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    picking(probe, probe.ui.rows);
  }

  /** As many rows as end where the picture ends, when the list stands beside it. */
  resize() {
    const { stage, rows, pair } = this.probe.ui;
    const [picture, here, below] = [stage, rows, pair].map((node) => node.getBoundingClientRect());
    if (here.left < picture.right) {
      this.#count = FEW_ROWS;
      return;
    }
    const list = /** @type {HTMLElement} */ (rows.parentElement);
    const taken =
      list.offsetHeight - rows.offsetHeight + (below.left < here.right ? pair.offsetHeight + 22 : 0);
    const row = /** @type {HTMLElement | null} */ (rows.firstElementChild)?.offsetHeight || 41;
    const left = /** @type {HTMLElement} */ (stage.parentElement);
    const high = this.probe.many ? left.offsetHeight : stage.clientHeight;
    this.#count = clamp(Math.floor((high - taken) / row), 5, 16);
  }

  /** What was painted is of another block, scale or frame. */
  forget() {
    for (const img of this.#thumbs.values()) forget(img);
    this.#thumbs.clear();
    for (const row of this.#rows) row.shown = null;
  }

  drawHeads() {
    const { ui, state } = this.probe;
    const direction = directionOf(state);
    ui.colShare.dataset.term = direction === "to" ? "carried" : "rho";
    setAttr(ui.rank, "aria-label", DIRECTIONS[direction].list);
  }

  /** @param {import("../screen.js").Screen} screen */
  drawTitle({ list }) {
    const { ui, state, answer } = this.probe;
    const cells = answer.subject?.cells;
    setText(ui.rankTitle, list);
    const which = state.hover ? LIST.hovered : state.pinned ? LIST.pinned : LIST.marked;
    const one = state.presentation ? LIST.presented : which;
    setText(ui.rankNote, cells ? LIST.cells(cells.count) : one);
  }

  draw() {
    const { state, ui, answer } = this.probe;
    const { weights, spread, order } = answer;
    const { block } = state;
    const count = Math.min(this.#count, block.n);
    const built = `${block.name} ${count} ${state.peel}`;
    if (this.#built !== built) this.#build(count);
    this.#built = built;
    const full = state.scale === "absolute" ? 1 : barTop(weights[order[0]] + spread[order[0]]);
    setText(ui.colShare, barsTo(DIRECTIONS[directionOf(state)].column, percent(full)));
    let sum = 0;
    for (let r = 0; r < count; r++) {
      const i = order[r];
      const row = this.#rows[r];
      sum += weights[i];
      setText(row.share, percent(weights[i]));
      row.bar.style.transform = `scaleX(${(weights[i] / full).toFixed(4)})`;
      this.#drawWhisker(row, weights[i] / full, spread[i] / full);
      if (row.toggle) {
        const on = isIn(state, i, r);
        setPrimitive(row.toggle, i);
        setAttr(row.toggle, "aria-checked", String(on));
        setAttr(row.toggle, "aria-label", LIST.term(i));
        setAttr(row.li, "data-out", on ? "" : "yes");
      }
      if (row.shown !== i) {
        row.shown = i;
        setPrimitive(row.button, i);
        setText(row.name, `g${i}`);
        setText(row.half, percent(block.half[i] / block.span));
        row.thumb.replaceChildren(this.#thumb(i));
      }
    }
    const left = block.n - count;
    setText(ui.others, left > 0 ? LIST.others(left, percent(Math.max(0, 1 - sum))) : "");
  }

  /** One standard deviation to each side of the mean, over the cells of a box. */
  #drawWhisker(/** @type {Row} */ row, /** @type {number} */ mean, /** @type {number} */ spread) {
    const low = clamp(mean - spread, 0, 1);
    const wide = clamp(mean + spread, 0, 1) - low;
    const shown =
      spread > 0 ? `translateX(${(100 * low).toFixed(2)}%) scaleX(${wide.toFixed(4)})` : "scaleX(0)";
    if (row.whiskerShown === shown) return;
    row.whisker.style.transform = shown;
    row.whiskerShown = shown;
  }

  /** @param {number} i */
  #thumb(i) {
    const { probe } = this;
    let img = this.#thumbs.get(i);
    if (!img) {
      img = picture();
      probe.mini("row").show(img, probe.state.block.gather, probe.offset(i), probe.top("gather", i), "magma");
      this.#thumbs.set(i, img);
    }
    return img;
  }

  /** Words and marks of the rows that follow the primitive on show. @param {number} primitive */
  drawShown(primitive) {
    const { state, model, answer } = this.probe;
    const { block } = state;
    for (const row of this.#rows) {
      const i = row.shown ?? 0;
      const spread = answer.spread[i];
      const share = percent(answer.weights[i]) + (spread > 0 ? ` ± ${percent(spread)}` : "");
      const half = halfFrom(percent(block.half[i] / block.span), model.whole);
      const place = answer.order.indexOf(i) + 1;
      const { verb } = DIRECTIONS[directionOf(state)];
      const words = LIST.row(place, i, share, verb, half);
      setAttr(row.button, "aria-label", words);
      setAttr(row.button, "title", block.cards[i] || "");
      setAttr(row.button, "aria-pressed", String(i === state.primitive));
      setAttr(row.li, "data-shown", i === primitive ? "yes" : "");
      setAttr(row.li, "data-chosen", i === state.primitive ? "yes" : "");
    }
  }

  /** @param {number} count */
  #build(count) {
    this.probe.ui.rows.replaceChildren();
    this.#rows = Array.from({ length: count }, (_, r) => this.buildRow(r));
    rove(
      this.#rows.map((row) => row.button),
      this.#rows[0]?.button,
    );
  }

  /** @param {number} r */
  buildRow(r) {
    const { ui, state } = this.probe;
    const li = make("li", "", ui.rows);
    const toggle = state.peel ? makeButton("a2c-switch", li) : null;
    toggle?.setAttribute("role", "switch");
    const button = makeButton("a2c-row", li);
    make("span", "a2c-no", button).textContent = String(r + 1);
    const thumb = make("span", "a2c-thumb", button);
    const name = make("span", "a2c-name", button);
    const track = make("span", "a2c-track", button);
    const bar = make("i", "", track);
    const whisker = make("u", "", track);
    const share = make("span", "a2c-share", button);
    const half = make("span", "a2c-half", button);
    const shown = /** @type {number | null} */ (null);
    return { li, toggle, button, thumb, name, bar, whisker, whiskerShown: "", share, half, shown };
  }

  destroy() {
    this.forget();
  }
}
