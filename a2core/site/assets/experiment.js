/*
 * Experiments: a primitive off, alone or scaled, a bag from another picture; and what the network says then.
 */

import { percent } from "../../canvas/assets/numbers.js";
import { Fault } from "./load.js";
import { alone, EXPERIMENT, FAULT, factorSaid, movedSaid, STOP, sampleSaid } from "./words.js";

/** @typedef {import("./site.js").Payload} Payload */
/** @typedef {{ payload: Payload, title: string }} Shown */

const MOST_DONORS = 5; // pictures whose bags can be taken; the worker keeps one more

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Experiment {
  #block = "";
  /** @type {number[]} */
  #factors = [];
  #turn = 0;
  #typed = false; // the primitive's number is a person's own, not that of the canvas
  /** @type {Map<string, string>} titles of pictures that were traced, by key */
  #donors = new Map();
  /** @type {Shown | null} */
  #shown = null;

  /**
   * @param {import("./site.js").Work} work
   * @param {import("./site.js").Site} site
   * @param {{ sample: () => Promise<void>, shown: () => { block: string, primitive: number } }} page
   */
  constructor(work, site, page) {
    this.work = work;
    this.site = site;
    this.page = page;
    this.which = /** @type {HTMLInputElement} */ (find("which"));
    this.scale = /** @type {HTMLInputElement} */ (find("scale"));
    this.rule = /** @type {HTMLSelectElement} */ (find("rule"));
    this.donor = /** @type {HTMLSelectElement} */ (find("donor"));
    const on = (/** @type {string} */ id, /** @type {(i: number) => void} */ run) =>
      find(id).addEventListener("click", () => {
        this.follow();
        const i = Math.round(Number(this.which.value));
        if (i >= 0 && i < this.#factors.length) run(i);
        this.run();
      });
    on("off", (i) => this.#set(i, 0));
    on("alone", (i) => {
      this.#factors = this.#factors.map((_, k) => (k === i ? 1 : 0));
    });
    on("times", (i) => this.#set(i, Number(this.scale.value)));
    const here = find("experiment");
    for (const event of ["pointerenter", "focusin"]) here.addEventListener(event, () => this.follow());
    this.which.addEventListener("input", () => {
      this.#typed = true;
    });
    find("reset").addEventListener("click", () => this.#reset());
    this.rule.addEventListener("change", () => this.run());
    this.donor.addEventListener("change", () => this.run());
  }

  /** @param {number} i @param {number} factor */
  #set(i, factor) {
    if (Number.isFinite(factor)) this.#factors[i] = factor;
  }

  /** Another picture is on screen. @param {Shown} shown @param {boolean} isSample */
  show(shown, isSample) {
    this.#shown = shown;
    this.#donors.set(shown.payload.key, isSample ? sampleSaid(this.site.sample.title) : shown.title);
    const { key } = shown.payload;
    for (const old of [...this.#donors.keys()].slice(0, Math.max(0, this.#donors.size - MOST_DONORS)))
      this.#donors.delete(old);
    const others = [...this.#donors].filter(([other]) => other !== key);
    this.donor.replaceChildren(
      new Option(EXPERIMENT.own, ""),
      ...others.map(([other, title]) => new Option(title, other)),
    );
    this.donor.disabled = !others.length;
    this.#reset();
  }

  /** The primitive that the canvas shows is meant, until a person types another; its block, always. */
  follow(anew = false) {
    const { block, primitive } = this.page.shown();
    if (block !== this.#block) this.#reset();
    if (anew) this.#typed = false;
    if (!this.#typed) this.which.value = String(primitive);
  }

  #reset() {
    this.#turn++;
    const { block } = this.page.shown();
    this.#block = block;
    this.#typed = false;
    const place = this.site.blocks.find(({ name }) => name === block);
    this.#factors = new Array(place?.n ?? 0).fill(1);
    this.which.max = String(this.#factors.length - 1);
    this.which.value = "";
    this.donor.value = "";
    this.#say(EXPERIMENT.asWas);
    find("shifts").replaceChildren();
  }

  /** @param {string} words @param {boolean} [isFault] */
  #say(words, isFault = false) {
    const said = find("said");
    said.textContent = words;
    said.toggleAttribute("data-fault", isFault);
  }

  get #changes() {
    const kept = this.#factors.flatMap((factor, i) => (factor ? [i] : []));
    const few = kept.length === 1 && this.#factors.length > 2;
    if (few)
      return this.#factors[kept[0]] === 1 ? alone(kept[0]) : factorSaid(kept[0], this.#factors[kept[0]]);
    return this.#factors.flatMap((factor, i) => (factor === 1 ? [] : [factorSaid(i, factor)])).join(", ");
  }

  /** Asks the worker; whatever was asked before does not count any more. */
  async run() {
    const turn = ++this.#turn;
    const shown = this.#shown;
    const renormalise = this.rule.value === "shared";
    if (!shown) return;
    if (renormalise && this.#factors.every((factor) => factor <= 0)) {
      this.#say(EXPERIMENT.nothing, true);
      return;
    }
    this.#say(EXPERIMENT.running);
    try {
      const { key } = shown.payload;
      const wanted = [key, this.donor.value];
      if (wanted.some((each) => each === "sample")) await this.page.sample();
      const asked = { key, block: this.#block, factors: Float64Array.from(this.#factors), renormalise };
      const found = await this.work.ask("change", { ...asked, donor: this.donor.value });
      if (turn !== this.#turn) return;
      if (!found) throw new Fault(EXPERIMENT.gone);
      if (!found.after.every(Number.isFinite)) throw new Fault(FAULT.run + STOP);
      const { selectedOptions } = this.donor;
      const bag = this.donor.value ? EXPERIMENT.bagOf(selectedOptions[0].text) : "";
      const what = [this.#changes, bag].filter(Boolean);
      this.#say(what.length ? EXPERIMENT.changed(what, movedSaid(found.moved)) : EXPERIMENT.asWas);
      this.#draw(found.shifts);
    } catch (fault) {
      if (turn === this.#turn) this.#say(fault instanceof Fault ? fault.message : FAULT.run + STOP, true);
    }
  }

  /** @param {import("./site.js").Shift[]} shifts */
  #draw(shifts) {
    const rows = shifts.map(({ label, before, after, odds }) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = label;
      const cells = [percent(before), percent(after), `${odds < 0 ? "−" : "+"}${Math.abs(odds).toFixed(3)}`];
      row.append(
        head,
        ...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })),
      );
      return row;
    });
    find("shifts").replaceChildren(...rows);
  }
}
