/*
 * The canvas in a notebook: a frame of anywidget's round the same mount. Python hands the payload over once; what a
 * person does and what Python asks for are the same traits, in both directions.
 *
 * Before it stand the canvas (`a2Canvas`) and two strings, MARKUP and STYLE (a2core/canvas/widget.py).
 */

/** @typedef {import("./assets/mount.js").Payload} Payload */
/** @typedef {import("./assets/mount.js").Report} Report */
/**
 * @typedef {object} Model what anywidget hands over: one for each widget, shared by all its views
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, heard: () => void) => void} on
 * @property {(event: string, heard: () => void) => void} off
 */

const TRAITS = ["block", "probe", "primitive", "pins", "settings"];

/** @param {Report} report */
function traitsOf({ block, t, row, col, primitive, view }) {
  const { pins, region: _, ...settings } = view;
  return { block, probe: [t, row, col], primitive, pins, settings };
}

class Notebook {
  #revision = 0;
  #told = ""; // the traits as this view last knew them: what comes back of them is no news
  #due = false;

  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    const host = document.createElement("div");
    el.append(host);
    const shadow = host.attachShadow({ mode: "open" }); // a notebook's style and ours leave each other alone
    shadow.innerHTML = `<style>${STYLE}</style>${MARKUP}`;
    const root = /** @type {HTMLElement} */ (shadow.querySelector("[data-a2-root]"));
    this.payload = /** @type {Payload} */ (model.get("_payload"));
    this.#told = this.#known();
    const say = (/** @type {Report} */ report) => this.#say(report);
    this.canvas = a2Canvas.mount(root, this.payload, { view: this.#view(), onPin: say, onView: say });
    this.heard = () => this.#hear();
    for (const name of TRAITS) model.on(`change:${name}`, this.heard);
  }

  #known() {
    return JSON.stringify(TRAITS.map((name) => this.model.get(name)));
  }

  /** What Python asks for. A probe that is no pin becomes the only one. */
  #view() {
    const [block, probe, primitive, pins, settings] = TRAITS.map((name) => this.model.get(name));
    const at = JSON.stringify(probe);
    const among = pins.some((/** @type {number[]} */ pin) => JSON.stringify(pin) === at);
    const asked = probe && { probe, pinned: true, pins: among ? pins : [probe] };
    return { ...settings, block: block || undefined, primitive, ...asked, revision: this.#revision };
  }

  /** @param {Report} report what a person did */
  #say(report) {
    for (const [name, value] of Object.entries(traitsOf(report))) this.model.set(name, value);
    this.#told = this.#known();
    this.model.save_changes();
  }

  /** Traits change one by one; they are taken together. */
  #hear() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      const known = this.#known();
      if (known === this.#told) return;
      this.#told = known;
      this.#revision += 1;
      this.canvas.update(this.payload, this.#view());
    });
  }

  destroy() {
    for (const name of TRAITS) this.model.off(`change:${name}`, this.heard);
    this.canvas.destroy();
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} view */
  render({ model, el }) {
    const shown = new Notebook(model, el);
    return () => shown.destroy();
  },
};
