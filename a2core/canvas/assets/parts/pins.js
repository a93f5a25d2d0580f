/*
 * The numbered marks of pins, and what they receive side by side; nothing while there are fewer than two.
 */

import { closest, make, makeButton, rove, setAttr, setPrimitive } from "../dom.js";
import { picking } from "../inputs/picking.js";
import { barTop, clamp, percent, points, ranking, seconds } from "../numbers.js";
import { MAX_PINS } from "../state.js";
import { barsTo, PINS, PLACE } from "../words.js";

/** @typedef {import("../model.js").Cell} Cell */

const PIN_ROWS = 4; // of each pin in the comparison
const MARK_PX = 11; // half of a mark

export class Pins {
  #compared = "";

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    const { ui } = probe;
    this.marks = Array.from({ length: MAX_PINS }, (_, k) => {
      const mark = make("i", "a2c-pin", ui.stage);
      mark.textContent = String(k + 1);
      mark.dataset.no = mark.textContent;
      mark.setAttribute("aria-hidden", "true");
      mark.hidden = true;
      return mark;
    });
    ui.compare.addEventListener("click", (event) => this.#click(event), { signal: probe.stop.signal });
    picking(probe, ui.compareRows);
  }

  /** @param {Event} event */
  #click(event) {
    const { probe } = this;
    const node = closest(event, "[data-pin]");
    if (!node) return;
    const k = Number(node.dataset.pin);
    if (node.dataset.act === "remove") {
      probe.removePin(k);
      probe.ui.stage.focus();
    } else probe.selectPin(k);
  }

  draw() {
    const { state, model, ui } = this.probe;
    const { block, pins, active } = state;
    const many = pins.length > 1;
    const cells = pins.map((point) => model.cellOf(point, block));
    this.#drawMarks(many ? cells : []);
    ui.compare.hidden = !many;
    const id = many ? JSON.stringify([model.key, block.name, cells, active]) : "";
    if (this.#compared === id) return;
    this.#compared = id;
    if (many) this.#compare(cells);
  }

  /** @param {Cell[]} cells */
  #drawMarks(cells) {
    const { state, model, stageSize } = this.probe;
    const { block } = state;
    const now = model.stepOf(state.frame, block);
    this.marks.forEach((mark, k) => {
      mark.hidden = !cells[k] || cells[k].t !== now;
      if (mark.hidden) return;
      const x = clamp((cells[k].col * stageSize.width) / block.w, MARK_PX, stageSize.width - MARK_PX);
      const y = clamp((cells[k].row * stageSize.height) / block.h, MARK_PX, stageSize.height - MARK_PX);
      mark.style.transform = `translate(${x - MARK_PX}px, ${y - MARK_PX}px)`;
      setAttr(mark, "data-active", k === state.active ? "yes" : "");
    });
  }

  /** @param {Cell[]} cells */
  #compare(cells) {
    const { state, ui } = this.probe;
    const { block } = state;
    const rhos = cells.map((cell) => block.rhoAt(cell));
    const union = [...new Set(rhos.flatMap((rho) => ranking(rho).slice(0, PIN_ROWS)))];
    const most = (/** @type {number} */ i) => Math.max(...rhos.map((rho) => rho[i]));
    union.sort((a, b) => most(b) - most(a) || a - b);
    const full = barTop(Math.max(...union.map(most)));
    const head = document.createElement("tr");
    make("th", "", head).textContent = barsTo(PINS.primitive, percent(full));
    cells.forEach((cell, k) => {
      this.#makeHead(head, cell, k);
    });
    ui.compareHead.replaceChildren(head);
    const rows = union.map((i) => makeRow(i, rhos, full));
    ui.compareRows.replaceChildren(...rows.map(({ tr }) => tr));
    const keys = rows.map(({ key }) => key);
    rove(keys, keys[0]);
  }

  /** @param {Element} head @param {Cell} cell @param {number} k */
  #makeHead(head, cell, k) {
    const { state, model, many } = this.probe;
    const th = make("th", "", head);
    th.scope = "col";
    const when = many ? `${seconds(model.times[state.pins[k].frame])}, ` : "";
    const where = when + PLACE.cell(cell.row, cell.col);
    const select = makeButton("a2c-pin", th);
    const remove = makeButton("a2c-remove", th);
    for (const [button, act, text, label] of /** @type {const} */ ([
      [select, "select", String(k + 1), PINS.at(k + 1, where)],
      [remove, "remove", "×", PINS.removes(k + 1)],
    ])) {
      Object.assign(button, { textContent: text, title: label });
      Object.assign(button.dataset, { pin: String(k), act, no: String(k + 1) });
      button.setAttribute("aria-label", label);
    }
    select.setAttribute("aria-pressed", String(k === state.active));
    make("small", "", th).textContent = where;
  }

  destroy() {
    for (const mark of this.marks) mark.remove();
  }
}

/** One primitive: its share at each pin. @param {number} i @param {Float32Array[]} rhos @param {number} full */
function makeRow(i, rhos, full) {
  const tr = document.createElement("tr");
  const th = make("th", "", tr);
  th.scope = "row";
  const key = makeButton("a2c-key", th);
  key.textContent = `g${i}`;
  setPrimitive(key, i);
  rhos.forEach((rho, k) => {
    const td = make("td", "", tr);
    make("i", "", td).style.width = `${(100 * rho[i]) / full}%`;
    make("span", "", td).textContent = percent(rho[i]);
    if (k) make("small", "", td).textContent = points(rho[i] - rhos[0][i]);
  });
  return { tr, key };
}
