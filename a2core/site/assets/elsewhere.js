/*
 * Where else? Exemplars of the primitive that is looked at, in pictures of an atlas that was built in; whose they are
 * is one tap away. Fetched when somebody comes near, and all of them for offline, after everything else.
 */

import { latest } from "../../canvas/assets/later.js";
import { percent } from "../../canvas/assets/numbers.js";
import { tileOf } from "../../canvas/tiles/tiles.js";
import { fetched, isKept } from "./load.js";
import { ELSEWHERE, FAULT } from "./words.js";

/** @typedef {import("./load.js").Listed} Listed */
/** @typedef {{ author: string, link: string, licence: string, terms: string }} Whose terms: where its licence is */
/** @typedef {Whose & { crop: string, value: number, path: string }} Exemplar crop: WebP in base64 */
/**
 * @typedef {object} Exemplars what a site knows of them
 * @property {number} photos in the atlas
 * @property {number} each so many primitives are in a file
 * @property {Record<string, Listed[]>} files by block
 * @property {Record<string, string[]>} names what somebody calls primitives, by block
 * @property {Listed} credits
 */

const FOLLOW_MS = 160; // at most this often while the pointer moves
const NEAR = "300px"; // of the screen: what is so near is fetched

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const name = (/** @type {Whose} */ { author }) => author || ELSEWHERE.somebody;

/** A link where there is an address, else the words alone. @param {string} words @param {string} address */
function linked(words, address) {
  if (!/^https?:\/\//.test(address)) return words;
  return Object.assign(document.createElement("a"), {
    textContent: words,
    href: address,
    target: "_blank",
    rel: "noopener",
  });
}

/** A sentence with links in the places that are named in it. @param {string} sentence @param {Whose} whose */
function credited(sentence, whose) {
  const places = { author: linked(name(whose), whose.link), licence: linked(whose.licence, whose.terms) };
  return sentence
    .split(/\{(\w+)\}/)
    .map((part, k) => (k % 2 ? places[/** @type {"author"} */ (part)] : part));
}

export class Elsewhere {
  #shown = ""; // the primitive whose exemplars are on the page
  #near = false;
  /** @type {Exemplar[]} */
  #tiles = [];
  /** @type {Map<string, Promise<any>>} what files hold, by their names */
  #files = new Map();

  /**
   * @param {import("./site.js").Site} site
   * @param {HTMLElement} canvas
   * @param {() => { block: string, primitive: number }} shown
   */
  constructor(site, canvas, shown) {
    this.site = site;
    this.shown = shown;
    this.tiles = find("exemplars");
    this.asked = latest(() => this.#look(), FOLLOW_MS);
    if (!site.exemplars) return;
    this.exemplars = site.exemplars;
    find("elsewhere").hidden = false;
    find("elsewhere-said").textContent = ELSEWHERE.said(site.exemplars.photos);
    for (const event of ["a2-painted", "pointerout"]) canvas.addEventListener(event, () => this.follow());
    this.tiles.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest("button") : null;
      if (button) this.#choose(Number(button.dataset.index));
    });
    find("credits").addEventListener("toggle", () => this.#drawCredits(), { once: true });
    const near = new IntersectionObserver(
      (seen) => {
        this.#near = seen[seen.length - 1].isIntersecting;
        this.follow();
      },
      { rootMargin: NEAR },
    );
    near.observe(find("elsewhere"));
  }

  /** Another primitive may be looked at. */
  follow() {
    if (this.#near) this.asked.now(undefined);
  }

  /** @param {Listed} listed */
  #file(listed) {
    let held = this.#files.get(listed.name);
    if (!held) {
      const base = new URL(document.baseURI);
      held = fetched(base, listed, this.site.version, () => {}).then((bytes) =>
        JSON.parse(new TextDecoder().decode(bytes)),
      );
      held.catch(() => this.#files.delete(listed.name)); // asked anew the next time
      this.#files.set(listed.name, held);
    }
    return held;
  }

  async #look() {
    const { block, primitive } = this.shown();
    const wanted = `${block} ${primitive}`;
    const listed = this.exemplars?.files[block];
    if (wanted === this.#shown || !this.exemplars || !listed) return;
    this.#shown = wanted;
    const { each, names } = this.exemplars;
    const file = listed[Math.floor(primitive / each)];
    if (!file) return;
    try {
      /** @type {Exemplar[][]} */
      const group = await this.#file(file);
      if (wanted !== this.#shown) return;
      find("elsewhere-which").textContent = ELSEWHERE.which(primitive, names[block]?.[primitive] ?? "");
      this.#draw(group[primitive % each] ?? []);
    } catch {
      if (wanted !== this.#shown) return;
      this.#shown = "";
      this.#draw([]);
      find("whose").textContent = FAULT.exemplars;
    }
  }

  /** @param {Exemplar[]} exemplars */
  #draw(exemplars) {
    this.#tiles = exemplars;
    const tiles = exemplars.map((one, k) =>
      tileOf(
        {
          picture: `data:image/webp;base64,${one.crop}`,
          title: name(one),
          said: percent(one.value),
          hint: `${one.path}. ${ELSEWHERE.hint(name(one), one.licence, one.link)}`,
        },
        k,
      ),
    );
    this.tiles.replaceChildren(...tiles);
    find("whose").textContent = exemplars.length ? ELSEWHERE.tap : ELSEWHERE.none;
  }

  /** Whose that picture is. @param {number} k */
  #choose(k) {
    const one = this.#tiles[k];
    if (!one) return;
    for (const button of this.tiles.querySelectorAll("button"))
      button.ariaCurrent = Number(button.dataset.index) === k ? "true" : null;
    find("whose").replaceChildren(...credited(ELSEWHERE.whose, one));
  }

  async #drawCredits() {
    const list = find("credited");
    try {
      /** @type {Whose[]} */
      const all = await this.#file(/** @type {Exemplars} */ (this.exemplars).credits);
      const lines = all.map((whose) => {
        const line = document.createElement("li");
        line.append(...credited(ELSEWHERE.credit, whose));
        return line;
      });
      list.replaceChildren(...lines);
    } catch {
      list.textContent = FAULT.exemplars;
    }
  }

  /** Keeps all of them for offline, one after the other. */
  async keep() {
    if (!this.exemplars) return;
    const { files, credits } = this.exemplars;
    const base = new URL(document.baseURI);
    for (const listed of [...Object.values(files).flat(), credits]) {
      if (await isKept(base, listed.name, this.site.version)) continue;
      await fetched(base, listed, this.site.version, () => {});
    }
    document.documentElement.dataset.exemplars = "kept";
  }
}
