/*
 * The probe canvas in the app: a thin frame that takes its parcel and what changes, and tells what a person did.
 *
 * Before it stand the canvas (`a2Canvas`) and what all components share (`mounting`, `parcels`).
 *
 * Whether it presents, the page says for all that is on it (`data-a2-presenting` on its root), and is asked for
 * with an event: viz_app/components/presenter.
 */

/** @typedef {import("../../../../a2core/canvas/assets/mount.js").Payload} Payload */
/** @typedef {import("../../../../a2core/canvas/assets/mount.js").View} View */
/** @typedef {import("../../../../a2core/canvas/assets/mount.js").Report} Report */
/** @typedef {import("../../../../a2core/canvas/assets/mount.js").Layer} Layer */
/**
 * @typedef {object} Data
 * @property {string} identity
 * @property {View} view
 * @property {string[]} measures
 * @property {Record<string, number[]>} effects
 * @property {string} layer sent by itself, when it was looked at; "" for none
 * @property {string} cards what is said of primitives here, as a parcel of its own; "" for what the payload says
 */

/** The canvas in the app: its payload comes as a parcel, once; what changes comes beside it. */
class Canvas {
  /** @type {ReturnType<typeof a2Canvas.mount> | null} */
  #canvas = null;
  #ignore = () => {};
  #ignoreLayer = () => {};
  #ignoreCards = () => {};
  /** @type {{ of: string, cards: Record<string, string[]> }} what is said of primitives, and in which parcel */
  #said = { of: "", cards: {} };
  /** @type {Map<string, Layer>} of one payload, as they came */
  #layers = new Map();
  #about = "";
  #again = () => {}; // shows what was shown last
  #watch = new MutationObserver(() => this.#again());

  /** @param {HTMLElement} root @param {Talk} talk */
  constructor(root, talk) {
    this.root = root;
    this.talk = talk;
    this.#watch.observe(document.documentElement, { attributeFilter: ["data-a2-presenting"] });
  }

  /** @param {Data} data @param {Report | null} said what a person did and the page has not overruled */
  show(data, said) {
    this.#again = () => this.show(data, said);
    this.#ignore();
    this.#ignoreLayer();
    this.#ignoreCards();
    if (this.#about !== data.identity) this.#layers.clear();
    this.#about = data.identity;
    const cards = data.cards === this.#said.of ? this.#said.cards : {};
    this.#ignore = parcels.when(data.identity, (content) => {
      const measured = a2Canvas.withMeasured(/** @type {Payload} */ (content), { ...data, cards });
      const payload = a2Canvas.withLayers(measured, [...this.#layers.values()]);
      const presentation = document.documentElement.hasAttribute("data-a2-presenting");
      if (this.#canvas) this.#canvas.update(payload, { ...data.view, presentation });
      else this.#canvas = this.#mount(payload, { ...a2Canvas.goneOnFrom(data.view, said), presentation });
    });
    if (data.layer && !this.#layers.has(data.layer)) {
      this.#ignoreLayer = parcels.when(`${data.identity}/${data.layer}`, (content) => {
        this.#layers.set(data.layer, /** @type {Layer} */ (content));
        this.#again();
      });
    }
    if (data.cards && data.cards !== this.#said.of) {
      this.#ignoreCards = parcels.when(data.cards, (content) => {
        this.#said = { of: data.cards, cards: /** @type {Record<string, string[]>} */ (content) };
        this.#again();
      });
    }
    return this.#canvas !== null;
  }

  /** @param {Payload} payload @param {View} view */
  #mount(payload, view) {
    const tell = (/** @type {Report} */ report) => this.talk.tell("probe", report);
    const onPresent = (/** @type {boolean} */ on) =>
      document.dispatchEvent(new CustomEvent("a2-present", { detail: on }));
    return a2Canvas.mount(this.root, payload, { view, onPin: tell, onView: tell, onPresent });
  }

  destroy() {
    this.#watch.disconnect();
    this.#ignore();
    this.#ignoreLayer();
    this.#ignoreCards();
    this.#canvas?.destroy();
  }
}

export default mounting("[data-a2-root]", Canvas);
