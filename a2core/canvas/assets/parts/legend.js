/*
 * What the colours of the large map mean, in numbers.
 */

import { setText } from "../dom.js";
import { clamp, percent, THIN } from "../numbers.js";
import { OVERLAYS } from "../overlays.js";
import { penOf } from "../paint.js";
import { isOfPlace } from "../screen.js";
import { evenAt, NEARLY_FLAT, OWN_PEAK, SHARED } from "../words.js";

export class Legend {
  #rampShown = "";

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
  }

  /** @param {import("../screen.js").Screen} screen @param {{ top: number, peak: number }} map */
  draw({ kind, legend }, { top, peak }) {
    const { ui, state } = this.probe;
    const { block } = state;
    const overlay = OVERLAYS[kind];
    this.#drawRamp(overlay.colours);
    const even = overlay.even(block);
    const at = even !== null && top > 0 ? even / top : 2;
    ui.tick.hidden = at > 1;
    ui.tick.style.transform = `translateX(${(clamp(at, 0, 1) * 100).toFixed(2)}%)`;
    setText(ui.even, ui.tick.hidden ? "" : evenAt(percent(even ?? 0)));
    // Its first letter stands under the tick, or its last one where the right half begins: it names the tick.
    ui.even.dataset.ends = at > 0.5 ? "here" : "";
    ui.even.style.setProperty("--at", `${(clamp(at, 0, 1) * 100).toFixed(2)}%`);
    setText(ui.top, (state.scale === "absolute" && peak > top ? `≥${THIN}` : "") + percent(top));
    setText(ui.legendTitle, legend.colour);
    setText(ui.legendUnit, legend.unit);
    const own = this.probe.link?.shared && isOfPlace({ kind }) ? SHARED : peak < top ? NEARLY_FLAT : OWN_PEAK;
    setText(ui.legendScale, state.scale === "absolute" ? legend.all : own);
    ui.legendUnit.dataset.term = overlay.term;
    ui.legendScale.dataset.term = state.scale;
  }

  /** @param {import("../colours.js").Colour} colour */
  #drawRamp(colour) {
    const { ui, state, overlayWords } = this.probe;
    const id = `${colour} ${state.opacity}`;
    if (this.#rampShown === id) return;
    this.#rampShown = id;
    const image = new ImageData(256, 1);
    new Uint32Array(image.data.buffer).set(overlayWords.of(colour, state.opacity));
    penOf(ui.ramp).putImageData(image, 0, 0);
  }
}
