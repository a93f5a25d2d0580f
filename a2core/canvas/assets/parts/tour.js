/*
 * Three cards, one after the other; taken or turned down once, only the "?" is left.
 */

import { isTouched, make, makeButton, place } from "../dom.js";
import { STEPS, TOUR } from "../words.js";

const TOUR_KEY = "a2-canvas-tour";

export class Tour {
  #at = -1; // the card on show
  #seen = false; // where storage is not allowed: remembered while the page lives

  /** @param {HTMLElement} root @param {import("../dom.js").Ui} ui @param {AbortSignal} signal */
  constructor(root, ui, signal) {
    this.root = root;
    this.ui = ui;
    this.card = make("div", "a2c-tour", root);
    Object.assign(this.card, { hidden: true, tabIndex: -1 });
    this.card.setAttribute("role", "dialog");
    this.title = make("h3", "", this.card);
    this.text = make("p", "", this.card);
    const buttons = make("div", "", this.card);
    const button = (/** @type {string} */ to, /** @type {string} */ text, /** @type {() => void} */ act) => {
      const made = makeButton("", buttons);
      made.textContent = text;
      made.dataset.to = to;
      made.addEventListener("click", act, { signal });
      return made;
    };
    button("skip", STEPS.skip, () => this.end());
    this.back = button("back", STEPS.back, () => this.step(this.#at - 1));
    this.next = button("next", "", () => this.step(this.#at + 1));
    ui.tour.addEventListener("click", () => (this.#at < 0 ? this.step(0) : this.end()), { signal });
    this.card.addEventListener("keydown", (event) => event.key === "Escape" && this.end(), { signal });
    this.#label();
  }

  #known() {
    try {
      return localStorage.getItem(TOUR_KEY) === "seen";
    } catch {
      return this.#seen;
    }
  }

  #label() {
    const { tour } = this.ui;
    tour.textContent = this.#known() ? "?" : STEPS.tour;
    tour.setAttribute("aria-expanded", String(this.#at >= 0));
  }

  /** Shows card k; after the last the tour ends. @param {number} k */
  step(k) {
    if (k >= TOUR.length) {
      this.end();
      return;
    }
    this.#mark(false);
    this.#at = Math.max(0, k);
    const { title, text, touched, ref } = TOUR[this.#at];
    this.title.textContent = title;
    this.text.textContent = (isTouched() && touched) || text;
    this.card.setAttribute("aria-label", title);
    this.back.hidden = this.#at === 0;
    this.next.textContent = this.#at === TOUR.length - 1 ? STEPS.done : STEPS.next;
    this.card.hidden = false;
    this.#mark(true);
    place(this.card, this.ui[ref].getBoundingClientRect(), this.root.getBoundingClientRect());
    this.next.focus();
    this.#label();
  }

  /** @param {boolean} on */
  #mark(on) {
    if (this.#at >= 0) this.ui[TOUR[this.#at].ref].toggleAttribute("data-toured", on);
  }

  end() {
    this.#mark(false);
    this.#at = -1;
    this.card.hidden = true;
    this.#seen = true;
    try {
      localStorage.setItem(TOUR_KEY, "seen");
    } catch {
      // Storage is not allowed here: #seen has it.
    }
    this.#label();
    this.ui.tour.focus();
  }

  destroy() {
    this.card.remove();
  }
}
