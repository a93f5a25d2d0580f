/*
 * A picture in which one cell is chosen, by dragging, tapping or the arrow keys.
 */

const SLOP_PX = 10; // the tip of a finger is never quite still
const FAR = 4; // cells that an arrow key goes with Shift
const STEPS = /** @type {Record<string, [number, number]>} */ ({
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
});

export class Picker {
  /** @type {[number, number] | null} */
  #from = null;
  #dragging = false;
  #row = 0;
  #col = 0;

  /**
   * @param {HTMLElement} root
   * @param {{ rows: number, cols: number }} grid
   * @param {(row: number, col: number) => void} choose
   */
  constructor(root, grid, choose) {
    this.root = root;
    this.grid = grid;
    this.choose = choose;
    this.said = /** @type {HTMLElement} */ (root.querySelector(".l-said"));
    this.cell = /** @type {HTMLElement} */ (root.querySelector(".l-cell"));
    root.tabIndex = 0;
    root.addEventListener("pointerdown", (event) => this.#press(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    root.addEventListener("pointerup", (event) => this.#release(event));
    root.addEventListener("pointercancel", () => this.#letGo()); // the page scrolls: nothing was picked
    root.addEventListener("keydown", (event) => this.#step(event));
  }

  /** A finger that comes down may be about to scroll the page: it picks when it moves sideways, or is lifted. */
  #press(/** @type {PointerEvent} */ event) {
    if (!event.isPrimary) return this.#letGo(); // two fingers zoom
    this.#from = [event.clientX, event.clientY];
    if (event.pointerType !== "touch") this.#drag(event);
  }

  #drag(/** @type {PointerEvent} */ event) {
    this.root.setPointerCapture(event.pointerId);
    this.#dragging = true;
    this.#follow(event);
  }

  #move(/** @type {PointerEvent} */ event) {
    if (this.#dragging) this.#follow(event);
    else if (this.#from && Math.abs(event.clientX - this.#from[0]) > SLOP_PX) this.#drag(event);
  }

  #release(/** @type {PointerEvent} */ event) {
    if (this.#from && !this.#dragging) this.#follow(event); // a tap
    this.#letGo();
  }

  #letGo() {
    this.#from = null;
    this.#dragging = false;
  }

  #follow(/** @type {PointerEvent} */ { clientX, clientY }) {
    const box = this.root.getBoundingClientRect();
    const { rows, cols } = this.grid;
    this.#ask(
      Math.floor(((clientY - box.top) / box.height) * rows),
      Math.floor(((clientX - box.left) / box.width) * cols),
    );
  }

  #step(/** @type {KeyboardEvent} */ event) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // else it would turn to another step
    const far = event.shiftKey ? FAR : 1;
    this.#ask(this.#row + far * step[0], this.#col + far * step[1]);
  }

  #ask(/** @type {number} */ row, /** @type {number} */ col) {
    const { rows, cols } = this.grid;
    const inside = [Math.min(rows - 1, Math.max(0, row)), Math.min(cols - 1, Math.max(0, col))];
    if (inside[0] !== this.#row || inside[1] !== this.#col) this.choose(inside[0], inside[1]);
  }

  /** Frames a cell. @param {number} row @param {number} col */
  place(row, col) {
    this.#row = row;
    this.#col = col;
    setCell(this.cell, this.grid, row, col);
    const said = (this.root.dataset.place ?? "").replace("{row}", `${row}`).replace("{column}", `${col}`);
    if (this.said.textContent !== said) this.said.textContent = said;
  }
}

/**
 * Lays a frame over a cell of a map.
 * @param {HTMLElement} frame
 * @param {{ rows: number, cols: number }} grid
 * @param {number} row
 * @param {number} col
 */
export function setCell(frame, { rows, cols }, row, col) {
  frame.style.left = `${(100 * col) / cols}%`;
  frame.style.top = `${(100 * row) / rows}%`;
  frame.style.width = `${100 / cols}%`;
  frame.style.height = `${100 / rows}%`;
}
