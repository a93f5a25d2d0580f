/*
 * Several canvases under one pointer, on one scale, each with its words: `a2Canvas` and what all components share stand
 * before it.
 */

/** @typedef {import("../../../../a2core/canvas/assets/mount.js").Payload} Payload */
/** @typedef {import("../../../../a2core/canvas/assets/mount.js").Report} Report */
/** @typedef {import("../../../../a2core/canvas/assets/mount.js").View} View */
/** @typedef {import("../../../../a2core/canvas/assets/mount.js").Layer} Layer */
/**
 * @typedef {object} Item
 * @property {string} identity of its payload
 * @property {string} head over it, as markup
 * @property {string} foot under it, as markup
 * @property {string} label for those who cannot see it
 * @property {View} view
 * @property {string} layer sent by itself, "" for none
 */
/** @typedef {{ shared: string, unit: string, own: string }} ScaleWords the button, and what bright means with it and without */
/** @typedef {{ items: Item[], small: boolean, scale: ScaleWords, presenting: boolean, revision: number }} Data */
/** @typedef {{ spot: number[], blocks: string[] }} Said */

/** One canvas with its words. */
class Pane {
  /** @type {ReturnType<typeof a2Canvas.mount> | null} */
  #canvas = null;
  #ignore = () => {};
  #ignoreLayer = () => {};
  /** @type {Map<string, Layer>} */
  #layers = new Map();
  /** @type {View} as of the revision: what comes with the same one is what a person did, told back */
  #view = {};
  identity = "";
  block = "";

  /** @param {HTMLElement} host @param {HTMLTemplateElement} markup */
  constructor(host, markup) {
    this.node = document.createElement("section");
    this.node.className = "a2s-item";
    this.head = this.node.appendChild(document.createElement("header"));
    this.head.className = "a2s-head";
    this.node.append(markup.content.cloneNode(true));
    this.root = /** @type {HTMLElement} */ (this.node.querySelector("[data-a2-root]"));
    this.foot = this.node.appendChild(document.createElement("div"));
    this.foot.className = "a2s-foot";
    host.append(this.node);
  }

  /**
   * @param {Item} item
   * @param {{ small: boolean, link: InstanceType<typeof a2Canvas.Link>, revision: number, tell: (report: Report) => void }} how
   */
  show(item, how) {
    if (this.head.innerHTML !== item.head) this.head.innerHTML = item.head;
    if (this.foot.innerHTML !== item.foot) this.foot.innerHTML = item.foot;
    this.root.setAttribute("aria-label", item.label);
    this.#ignore();
    this.#ignoreLayer();
    if (this.identity !== item.identity) this.#layers.clear();
    this.identity = item.identity;
    this.#ignore = parcels.when(item.identity, (content) => {
      const payload = a2Canvas.withLayers(/** @type {Payload} */ (content), [...this.#layers.values()]);
      // The page around lays the row out for a class.
      if (this.#view.revision !== how.revision) {
        this.#view = { ...item.view, revision: how.revision, presentation: false };
      }
      const view = this.#view;
      const { small, link, tell } = how;
      if (this.#canvas) this.#canvas.update(payload, view);
      else this.#canvas = a2Canvas.mount(this.root, payload, { view, small, link, onPin: tell, onView: tell, onPresent() {} });
    });
    if (item.layer && !this.#layers.has(item.layer)) {
      this.#ignoreLayer = parcels.when(`${item.identity}/${item.layer}`, (content) => {
        this.#layers.set(item.layer, /** @type {Layer} */ (content));
        this.show(item, how);
      });
    }
  }

  destroy() {
    this.#ignore();
    this.#ignoreLayer();
    this.#canvas?.destroy();
    this.node.remove();
  }
}

class SideBySide {
  /** @type {Pane[]} */
  #panes = [];
  #small = true;
  /** @type {ScaleWords} */
  #words = { shared: "", unit: "", own: "" };

  /** @param {HTMLElement} root @param {Talk} talk */
  constructor(root, talk) {
    this.root = root;
    this.talk = talk;
    this.row = /** @type {HTMLElement} */ (root.querySelector("[data-row]"));
    this.markup = /** @type {HTMLTemplateElement} */ (root.querySelector("template"));
    this.top = /** @type {HTMLElement} */ (root.querySelector("[data-top]"));
    this.link = new a2Canvas.Link((top) => {
      this.top.textContent = a2Canvas.percent(top);
    });
    a2Canvas.drawRamp(/** @type {HTMLCanvasElement} */ (root.querySelector("[data-ramp]")));
    this.shared = /** @type {HTMLElement} */ (root.querySelector("[data-shared]"));
    this.shared.addEventListener("click", () => {
      this.link.share(!this.link.shared);
      this.#drawScale();
    });
  }

  /** @param {Data} data @param {Said | null} said */
  show(data, said) {
    const { items, small } = data;
    if (small !== this.#small || this.#panes.length > items.length) this.#clear();
    // Of one trunk a cell is as large everywhere; of two networks shares of a cell say little beside each other.
    if (small !== this.#small) this.link.shared = small;
    this.#small = small;
    while (this.#panes.length < items.length) this.#panes.push(new Pane(this.row, this.markup));
    this.root.dataset.small = small ? "yes" : "";
    this.root.dataset.presenting = data.presenting ? "yes" : "";
    this.root.style.setProperty("--across", String(items.length));
    this.#words = data.scale;
    this.#drawScale();
    for (const [at, item] of items.entries()) {
      const told = said?.blocks?.[at];
      this.#panes[at].block = told ?? String(item.view.block ?? "");
      this.#panes[at].show(item, {
        small,
        link: this.link,
        revision: data.revision,
        tell: (report) => this.#tell(at, report),
      });
    }
  }

  /** @param {number} at @param {Report} report */
  #tell(at, report) {
    this.#panes[at].block = report.block;
    const { spot, t } = a2Canvas.spotOf(this.#panes[at].root, report);
    this.talk.tell("probe", { ...report, at, spot: [...spot, t], blocks: this.#panes.map(({ block }) => block) });
  }

  #drawScale() {
    const { shared } = this.link;
    this.shared.textContent = this.#words.shared;
    this.shared.setAttribute("aria-pressed", String(shared));
    /** @type {HTMLElement} */ (this.root.querySelector("[data-ends]")).hidden = !shared;
    const words = /** @type {HTMLElement} */ (this.root.querySelector("[data-scale-words]"));
    words.textContent = shared ? this.#words.unit : this.#words.own;
  }

  #clear() {
    for (const pane of this.#panes) pane.destroy();
    this.#panes = [];
  }

  destroy() {
    this.#clear();
  }
}

export default mounting("[data-a2-side]", SideBySide);
