/*
 * Primitives in a list or a grid: a preview under the mouse or focus, a choice on click, arrow keys between them.
 */

import { closest, primitiveOf, rove } from "../dom.js";
import { clamp, isIndex } from "../numbers.js";

const PICKED = ".a2c-row, .a2c-tile, .a2c-key";

/**
 * @param {import("../probe.js").Probe} probe
 * @param {HTMLElement} host
 * @param {{ kind?: () => import("../state.js").Factor, across?: () => number }} how which map a preview shows,
 *   and how many stand in one line
 */
export function picking(probe, host, { kind = () => "gather", across = () => 1 } = {}) {
  const { signal } = probe.stop;
  const indexOf = (/** @type {Event} */ event) => {
    const node = closest(event, PICKED);
    const i = node && host.contains(node) ? primitiveOf(node) : undefined;
    return isIndex(i, probe.state.block.n) ? i : null;
  };
  host.addEventListener(
    "pointerover",
    (event) => event.pointerType !== "touch" && probe.setPreview(indexOf(event), kind()),
    { signal },
  );
  host.addEventListener("pointerleave", () => probe.setPreview(null), { signal });
  host.addEventListener("focusin", (event) => probe.setPreview(indexOf(event), kind()), { signal });
  host.addEventListener("focusout", () => probe.setPreview(null), { signal });
  host.addEventListener(
    "click",
    (event) => {
      const i = indexOf(event);
      if (i !== null) probe.choose(i === probe.state.primitive ? null : i);
    },
    { signal },
  );
  host.addEventListener(
    "keydown",
    (event) => {
      const all = /** @type {NodeListOf<HTMLElement>} */ (host.querySelectorAll(PICKED));
      const nodes = [...all].filter((node) => !node.closest("[hidden]"));
      const at = nodes.indexOf(/** @type {HTMLElement} */ (event.target));
      if (at < 0) return;
      const down = Math.max(1, across());
      /** @type {Record<string, number>} */
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: down, ArrowUp: -down };
      const step = steps[event.key];
      if (step) {
        event.preventDefault();
        const next = nodes[clamp(at + step, 0, nodes.length - 1)];
        rove(nodes, next);
        next.focus();
      } else if (event.key === "Escape") {
        event.preventDefault();
        probe.letGo();
      }
    },
    { signal },
  );
}
