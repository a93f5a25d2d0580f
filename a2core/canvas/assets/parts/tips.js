/*
 * Short explanations of every element with data-term, on hover, on keyboard focus and on a tap.
 */

import { closest, place } from "../dom.js";
import { GLOSSARY } from "../words.js";

let made = 0;

export class Tips {
  /** @type {HTMLElement | null} what is being explained */
  #of = null;

  /** @param {HTMLElement} root @param {AbortSignal} signal */
  constructor(root, signal) {
    this.root = root;
    this.tip = document.createElement("p");
    Object.assign(this.tip, { className: "a2c-tip", id: `a2c-tip-${++made}`, hidden: true });
    this.tip.setAttribute("role", "tooltip");
    root.append(this.tip);
    const term = (/** @type {Event} */ event) => closest(event, "[data-term]");
    root.addEventListener("pointerover", (event) => event.pointerType !== "touch" && this.show(term(event)), {
      signal,
    });
    root.addEventListener("pointerleave", () => this.show(null), { signal });
    root.addEventListener(
      "focusin",
      ({ target }) => {
        if (!(target instanceof HTMLElement) || !target.matches(":focus-visible")) return;
        this.show(target.closest("[data-term]") || target.querySelector("[data-term]"));
      },
      { signal },
    );
    root.addEventListener("focusout", () => this.show(null), { signal });
    root.addEventListener("click", (event) => closest(event, "button[data-term]") && this.show(term(event)), {
      signal,
    });
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.show(null), { signal });
  }

  /** @param {HTMLElement | null} node */
  show(node) {
    const text = GLOSSARY[node?.dataset.term ?? ""];
    if (this.#of && this.#of !== node) this.#of.removeAttribute("aria-describedby");
    this.#of = text ? node : null;
    if (this.tip.hidden && !text) return;
    this.tip.hidden = !text;
    if (!text || !node) return;
    this.tip.textContent = text;
    node.setAttribute("aria-describedby", this.tip.id);
    place(this.tip, node.getBoundingClientRect(), this.root.getBoundingClientRect());
  }

  destroy() {
    this.tip.remove();
  }
}
