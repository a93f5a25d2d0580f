// Symbols and words over the page, opened by a button or by a key. The browser's own dialog keeps the focus in it,
// and gives it back.

const TYPING = "input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]";

class Glossary {
  constructor(root) {
    Object.assign(this, { root, dialog: root.querySelector("dialog") });
    this.stop = new AbortController();
    const { signal } = this.stop;
    root.querySelector(".open").addEventListener("click", () => this.open(), { signal });
    root.querySelector(".close").addEventListener("click", () => this.dialog.close(), { signal });
    this.dialog.addEventListener("click", (event) => this.beside(event), { signal });
    // Before all others that listen: while it is open, the keys of the page beneath rest.
    window.addEventListener("keydown", (event) => this.key(event), { signal, capture: true });
  }

  show(data) {
    if (data.page === this.data?.page) return;
    this.data = data;
    const { root } = this;
    const open = root.querySelector(".open");
    open.textContent = data.opener;
    open.ariaKeyShortcuts = data.letter;
    const key = open.appendChild(document.createElement("kbd"));
    key.textContent = data.letter.toUpperCase();
    key.ariaHidden = "true"; // said by the shortcut
    open.title = data.title;
    root.querySelector("h2").textContent = data.title;
    root.querySelector(".close").textContent = data.close;
    root.querySelector(".page").innerHTML = data.page;
  }

  open() {
    this.dialog.showModal();
  }

  /** A click on what is behind closes it, as everywhere. */
  beside(event) {
    if (event.target !== this.dialog) return;
    const { left, right, top, bottom } = this.dialog.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    if (x < left || x > right || y < top || y > bottom) this.dialog.close();
  }

  key(event) {
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
    const asks = plain && !event.repeat && event.key.toLowerCase() === this.data?.letter;
    if (this.dialog.open) {
      event.stopImmediatePropagation();
      if (asks) this.dialog.close();
      return;
    }
    const typing = event.composedPath().some((node) => node.matches?.(TYPING));
    if (!asks || typing || document.querySelector("[role=dialog]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.open();
  }

  destroy() {
    this.stop.abort();
  }
}

export default mounting("[data-a2-glossary]", Glossary);
