/*
 * Elements: those of canvas.html by their data-ref, and small helpers to make and change them.
 */

/**
 * The elements of canvas.html that have a data-ref.
 * @typedef {Record<"blocks" | "ask" | "scale" | "shared" | "share" | "present" | "tour" | "stage" | "rest" | "hover" | "box" | "arrow" |
 *   "hint" | "guess" | "clip" | "play" | "frameOut" | "bars" | "momentsTitle" | "moments" | "what" | "back" | "readout" |
 *   "unpin" | "unbox" | "legend" | "legendTitle" | "tick" | "even" | "top" | "legendUnit" | "legendScale" | "strip" |
 *   "heads" | "headsTitle" | "layers" | "tokens" | "headMean" | "headTiles" | "headsExplain" | "headsRandom" |
 *   "rank" | "rankTitle" | "rankNote" | "peel" | "peelPanel" | "termsSaid" | "termsAll" | "termsNone" | "termsTop" |
 *   "colShare" | "rows" | "others" | "pair" | "pairTitle" | "pairNote" | "unchoose" | "mapGather" | "mapDistribute" |
 *   "noteGather" | "noteDistribute" | "card" | "compare" | "compareHead" | "compareRows" | "galleryTitle" | "found" |
 *   "sort" | "stills" | "tiles" | "grid" | "more" | "live" | "opacityOut", HTMLElement> &
 *   Record<"base" | "overlay" | "ramp" | "stripCanvas" | "stack" | "canvasGather" | "canvasDistribute",
 *     HTMLCanvasElement> &
 *   Record<"opacity" | "frame" | "termsK" | "filter", HTMLInputElement> &
 *   Record<"speed", HTMLSelectElement>} Ui
 */

/** @param {HTMLElement} root @returns {Ui} */
export function findUi(root) {
  /** @type {Record<string, Element>} */
  const ui = {};
  for (const node of root.querySelectorAll("[data-ref]")) {
    if (node instanceof HTMLElement && node.dataset.ref) ui[node.dataset.ref] = node;
  }
  return /** @type {Ui} */ (ui);
}

/** @typedef {{ _text?: string, _attrs?: Record<string, string> }} Shown what was written last, kept on the node */

/** @param {HTMLElement & Shown} node @param {string} text */
export function setText(node, text) {
  if (node._text !== text) {
    node._text = text;
    node.textContent = text;
  }
}

/** @param {HTMLElement & Shown} node @param {string} name @param {string} value */
export function setAttr(node, name, value) {
  node._attrs ??= {};
  if (node._attrs[name] !== value) {
    node._attrs[name] = value;
    node.setAttribute(name, value);
  }
}

/** @type {WeakMap<Element, number>} */
const primitives = new WeakMap();

/** Says which primitive `node` is about. @param {Element} node @param {number} i */
export function setPrimitive(node, i) {
  primitives.set(node, i);
}

/** @param {Element} node */
export const primitiveOf = (node) => primitives.get(node);

/** The nearest element round an event's target that `selector` describes. @param {Event} event */
export function closest(event, /** @type {string} */ selector) {
  const { target } = event;
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

/**
 * Only one of the nodes is in the tab order; arrow keys reach the others.
 * @param {HTMLElement[]} nodes
 * @param {Element | undefined} active
 */
export function rove(nodes, active) {
  for (const node of nodes) node.tabIndex = node === active ? 0 : -1;
}

/** The element that has the focus, also within a shadow. @param {HTMLElement} root */
export function focused(root) {
  return /** @type {Document | ShadowRoot} */ (root.getRootNode()).activeElement;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {Element} [parent]
 */
export function make(tag, className, parent) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (parent) parent.append(node);
  return node;
}

/** A button that submits nothing. @param {string} className @param {Element} [parent] */
export function makeButton(className, parent) {
  const button = make("button", className, parent);
  button.type = "button";
  return button;
}

/** Whether fingers are what this screen is pointed at with. */
export const isTouched = () => matchMedia("(pointer: coarse)").matches;

let unique = 0;

/** @typedef {{ value: string, text: string, detail?: string, title?: string, term?: string }} Option */

/**
 * A segmented control of native radio buttons: arrow keys and labels come for free. An option with a term has
 * its explanation from the glossary instead of a title.
 * @param {HTMLElement} host
 * @param {Option[]} options
 * @param {(value: string) => void} onChange
 * @returns {(value: string | null) => void} shows what is chosen, null: none
 */
export function segmented(host, options, onChange) {
  const name = `a2c-${++unique}`;
  /** @type {Map<string, HTMLInputElement>} */
  const inputs = new Map();
  host.replaceChildren();
  for (const { value, text, detail, title, term } of options) {
    const label = make("label", "", host);
    if (term) label.dataset.term = term;
    else if (title) label.title = title;
    const input = make("input", "", label);
    input.type = "radio";
    input.name = name;
    input.value = value;
    input.addEventListener("change", () => onChange(value));
    const words = make("span", "", label);
    words.textContent = text;
    if (detail) make("small", "", words).textContent = ` ${detail}`;
    inputs.set(value, input);
  }
  host.hidden = options.length < 2;
  return (value) => {
    for (const [own, input] of inputs) if (input.checked !== (own === value)) input.checked = own === value;
  };
}

/** Runs after the frame being drawn has been painted. @param {() => void} run */
export function afterPaint(run) {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    channel.port1.close();
    run();
  };
  channel.port2.postMessage(0);
}

/**
 * Puts a small box below an anchor, or above it where the window ends, and inside the root's width.
 * @param {HTMLElement} box
 * @param {DOMRect} anchor
 * @param {DOMRect} root
 */
export function place(box, anchor, root) {
  const { offsetWidth: wide, offsetHeight: high } = box;
  const above = anchor.bottom + 10 + high > window.innerHeight && anchor.top > high + 10;
  const left = Math.max(0, Math.min(anchor.left - root.left, root.width - wide));
  box.style.left = `${left}px`;
  box.style.top = `${(above ? anchor.top - high - 8 : anchor.bottom + 8) - root.top}px`;
}
