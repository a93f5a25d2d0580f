/*
 * What is particular to fingers: a long press begins a box, and only then the page does not scroll.
 */

const HOLD_MS = 450; // a touch this long begins a box

export class Touch {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {import("../probe.js").Probe} probe
   * @param {{ touching: () => boolean, drawing: () => boolean }} pointer whether a finger is down, and draws a box
   */
  constructor(probe, pointer) {
    this.probe = probe;
    const { stage } = probe.ui;
    const { signal } = probe.stop;
    // A finger that draws a box must not scroll the page; any other finger may.
    stage.addEventListener(
      "touchmove",
      (event) => {
        if (pointer.drawing() && event.cancelable) event.preventDefault();
      },
      { signal, passive: false },
    );
    stage.addEventListener("contextmenu", (event) => pointer.touching() && event.preventDefault(), {
      signal,
    });
  }

  /** A finger went down: `begin` runs when it stays. @param {() => void} begin */
  hold(begin) {
    this.#timer = setTimeout(() => {
      if (!this.probe.stop.signal.aborted) begin();
    }, HOLD_MS);
  }

  /** The finger scrolls, or is gone. */
  letGo() {
    clearTimeout(this.#timer);
  }
}
