/*
 * Symbols and words over the page, opened by a button or by a key. The browser's own dialog keeps the focus in it,
 * and gives it back.
 */

/** @typedef {{ opener: string, title: string, close: string, letter: string, page: string }} Told all of it HTML of ours */

const TYPING =
  "input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]";

export class Glossary {
  /** @type {Told | null} */
  #told = null;
  #stop = new AbortController();

  /** @param {HTMLElement} root which holds the markup of glossary.html */
  constructor(root) {
    const find = (/** @type {string} */ selector) =>
      /** @type {HTMLElement} */ (root.querySelector(selector));
    this.root = root;
    this.dialog = /** @type {HTMLDialogElement} */ (find("dialog"));
    this.opener = find(".open");
    this.closer = find(".close");
    this.heading = find("h2");
    this.page = find(".page");
    const { signal } = this.#stop;
    this.opener.addEventListener("click", () => this.open(), { signal });
    this.closer.addEventListener("click", () => this.dialog.close(), { signal });
    this.dialog.addEventListener("click", (event) => this.#beside(event), { signal });
    // Before all others that listen: while it is open, the keys of the page beneath rest.
    window.addEventListener("keydown", (event) => this.#key(event), { signal, capture: true });
  }

  /** @param {Told} told */
  show(told) {
    if (told.page === this.#told?.page) return;
    this.#told = told;
    const { opener, closer, heading, page } = this;
    opener.textContent = told.opener;
    opener.setAttribute("aria-keyshortcuts", told.letter);
    const key = opener.appendChild(document.createElement("kbd"));
    key.textContent = told.letter.toUpperCase();
    key.ariaHidden = "true"; // said by the shortcut
    opener.title = told.title;
    heading.textContent = told.title;
    closer.textContent = told.close;
    page.innerHTML = told.page;
    this.root.style.visibility = ""; // its markup is invisible until it has words and listens
  }

  open() {
    this.dialog.showModal();
  }

  /** A click on what is behind closes it, as everywhere. @param {MouseEvent} event */
  #beside(event) {
    if (event.target !== this.dialog) return;
    const { left, right, top, bottom } = this.dialog.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    if (x < left || x > right || y < top || y > bottom) this.dialog.close();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
    const asks = plain && !event.repeat && event.key.toLowerCase() === this.#told?.letter;
    if (this.dialog.open) {
      event.stopImmediatePropagation();
      if (asks) this.dialog.close();
      return;
    }
    const typing = event.composedPath().some((node) => node instanceof Element && node.matches(TYPING));
    if (!asks || typing || document.querySelector("[role=dialog]:not([hidden])")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.open();
  }

  destroy() {
    this.#stop.abort();
  }
}
