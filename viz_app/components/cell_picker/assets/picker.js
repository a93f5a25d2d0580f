// A picture in which one cell is chosen. Python is told at most every TELL_MS; the frame moves at once.

const TELL_MS = 120;
const SLOP_PX = 10; // the tip of a finger is never quite still
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

class Picker {
  constructor(root, talk) {
    Object.assign(this, { root, talk });
    this.stop = new AbortController();
    this.timer = 0;
    const on = (type, run) => root.addEventListener(type, run, { signal: this.stop.signal });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", () => this.letGo()); // the page scrolls: nothing was picked
    on("keydown", (event) => this.step(event));
  }

  /** A finger that comes down may be about to scroll the page: it picks when it moves sideways, or is lifted. */
  press(event) {
    if (!event.isPrimary) return this.letGo(); // two fingers zoom
    this.from = [event.clientX, event.clientY];
    if (event.pointerType === "touch") return;
    this.drag(event);
  }

  drag(event) {
    this.root.setPointerCapture(event.pointerId);
    this.dragging = true;
    this.follow(event);
  }

  move(event) {
    if (this.dragging) return this.follow(event);
    if (this.from && Math.abs(event.clientX - this.from[0]) > SLOP_PX) this.drag(event);
  }

  release(event) {
    if (this.from && !this.dragging) this.follow(event); // a tap
    this.letGo();
  }

  letGo() {
    this.from = null;
    this.dragging = false;
  }

  show(data, said) {
    this.data = data;
    const { root } = this;
    root.style.setProperty("--aspect", String(data.aspect));
    root.setAttribute("aria-label", data.label);
    for (const [name, url] of [["base", data.picture], ["over", data.overlay]]) {
      const image = root.querySelector(`.${name}`);
      if (image.getAttribute("src") !== url) image.src = url;
    }
    const { row, col } = said ?? data;
    this.place(row, col);
  }

  place(row, col) {
    const { rows, cols } = this.data;
    this.at = [row, col];
    const style = this.root.querySelector(".cell").style;
    style.left = `${(100 * col) / cols}%`;
    style.top = `${(100 * row) / rows}%`;
    style.width = `${100 / cols}%`;
    style.height = `${100 / rows}%`;
    this.root.querySelector(".said").textContent = this.data.place.replace("{row}", row).replace("{col}", col);
  }

  choose(row, col) {
    const { rows, cols } = this.data;
    const next = [Math.min(rows - 1, Math.max(0, row)), Math.min(cols - 1, Math.max(0, col))];
    if (this.at && next[0] === this.at[0] && next[1] === this.at[1]) return;
    this.place(...next);
    this.talk.say({ row: next[0], col: next[1] });
    if (!this.timer) this.tell();
  }

  // At once, and then no more often than every TELL_MS.
  tell() {
    this.talk.tell("cell");
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (this.talk.untold) this.tell();
    }, TELL_MS);
  }

  follow(event) {
    const box = this.root.getBoundingClientRect();
    const { rows, cols } = this.data;
    this.choose(
      Math.floor(((event.clientY - box.top) / box.height) * rows),
      Math.floor(((event.clientX - box.left) / box.width) * cols),
    );
  }

  step(event) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const far = event.shiftKey ? 4 : 1;
    this.choose(this.at[0] + far * step[0], this.at[1] + far * step[1]);
  }

  destroy() {
    this.stop.abort();
    clearTimeout(this.timer);
  }
}

export default mounting("[data-a2-picker]", Picker);
