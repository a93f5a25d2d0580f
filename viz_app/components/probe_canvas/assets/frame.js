/*
 * The probe canvas in the app: a thin frame that takes its parcel and what changes, and tells what a person did.
 *
 * Before it stand the canvas (`a2Canvas`) and what all components share (`mounting`, `parcels`).
 */

/** @typedef {import("../../../../a2core/canvas/assets/mount.js").Payload} Payload */
/** @typedef {import("../../../../a2core/canvas/assets/mount.js").View} View */
/** @typedef {import("../../../../a2core/canvas/assets/mount.js").Report} Report */
/** @typedef {{ identity: string, view: View, measures: string[], effects: Record<string, number[]> }} Data */

/** The canvas in the app: its payload comes as a parcel, once; what changes comes beside it. */
class Canvas {
  /** @type {ReturnType<typeof a2Canvas.mount> | null} */
  #canvas = null;
  #ignore = () => {};

  /** @param {HTMLElement} root @param {Talk} talk */
  constructor(root, talk) {
    this.root = root;
    this.talk = talk;
  }

  /** @param {Data} data @param {Report | null} said what a person did and the page has not overruled */
  show(data, said) {
    this.#ignore();
    this.#ignore = parcels.when(data.identity, (content) => {
      const payload = a2Canvas.withMeasured(/** @type {Payload} */ (content), data);
      if (this.#canvas) this.#canvas.update(payload, data.view);
      else this.#canvas = this.#mount(payload, a2Canvas.goneOnFrom(data.view, said));
    });
  }

  /** @param {Payload} payload @param {View} view */
  #mount(payload, view) {
    const tell = (/** @type {Report} */ report) => this.talk.tell("probe", report);
    return a2Canvas.mount(this.root, payload, { view, onPin: tell, onView: tell });
  }

  destroy() {
    this.#ignore();
    this.#canvas?.destroy();
  }
}

export default mounting("[data-a2-root]", Canvas);
