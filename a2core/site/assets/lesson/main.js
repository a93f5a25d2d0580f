/*
 * The lesson's page: one step at a time, and what a person moves. Without this script all steps stand one below the
 * other, for the choice that the lesson opens on; so they are printed, too, for the choice of now.
 */

import { cacheName, Fault, fetched } from "../load.js";
import { FAULT } from "../words.js";
import { asked, written } from "./address.js";
import { Lesson } from "./lesson.js";
import { Part } from "./part.js";
import { STEP_COUNT } from "./steps.js";

/** @typedef {import("./lesson.js").Choice} Choice */
/**
 * @typedef {object} About what a built page says of its lesson
 * @property {import("./lesson.js").Sizes} sizes
 * @property {import("../load.js").Listed} file
 * @property {Choice} opening
 * @property {number} changed the position that step 7 opens on, until one is chosen
 * @property {number[]} temperatures
 */

const QUIET_MS = 300; // after a move, before the address says so: browsers refuse to rewrite it ten times a second
const ADD = 7; // the step that shows what the block changed
const TURNS = /** @type {Record<string, number>} */ ({
  PageDown: 1,
  PageUp: -1,
  ArrowRight: 1,
  ArrowLeft: -1,
});

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const root = document.documentElement;

class Page {
  /** @type {Part[]} */
  #parts = [];
  #drawing = 0;
  #writing = 0;
  step = 0;

  /** @param {About} about */
  constructor(about) {
    this.about = about;
    const wanted = asked(location.search, about.sizes, about.temperatures);
    this.choice = { ...about.opening, ...wanted };
    this.isChosen = wanted.position !== undefined; // the cell, by a person, and so for all steps
    this.sections = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-step]")]);
    root.dataset.lesson = "one";
    addEventListener("hashchange", () => this.#turn());
    // In the capturing phase: a slider would take the keys of a presenter's remote for its own.
    addEventListener("keydown", (event) => this.#press(event), true);
    find("large").addEventListener("click", () => this.#enlarge(!("large" in root.dataset)));
    addEventListener("beforeprint", () => this.#drawAll());
    this.#turn();
  }

  /** What can be moved, now that its arrays are there. @param {Lesson} lesson */
  open(lesson) {
    const { temperatures } = this.about;
    this.#parts = this.sections.map(
      (section) => new Part(section, lesson, temperatures, (moved) => this.move(moved)),
    );
    this.#draw(this.step);
    root.dataset.lesson = "open";
  }

  /** @param {Partial<Choice>} moved */
  move(moved) {
    if (moved.position !== undefined) this.isChosen = true;
    this.choice = { ...this.choice, ...moved };
    // However often a finger moves, it is drawn once a frame.
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#draw(this.step);
    });
    clearTimeout(this.#writing);
    this.#writing = setTimeout(() => this.#write(), QUIET_MS);
  }

  /** Has the address say what was moved: it is no place to go back to, as a step is. */
  #write() {
    const query = written(this.choice, this.about.opening, this.about.sizes, this.isChosen);
    history.replaceState(history.state, "", `${location.pathname}${query && `?${query}`}${location.hash}`);
  }

  /** @param {number} step */
  #draw(step) {
    const position = step === ADD && !this.isChosen ? this.about.changed : this.choice.position;
    this.#parts[step - 1]?.show({ ...this.choice, position });
  }

  #drawAll() {
    for (let step = 1; step <= STEP_COUNT; step++) this.#draw(step);
  }

  /** To the step of the address. */
  #turn() {
    const asked = Number(/^#step-(\d)$/.exec(location.hash)?.[1] ?? 1);
    const step = asked >= 1 && asked <= STEP_COUNT ? asked : 1;
    if (step === this.step) return;
    this.step = step;
    for (const section of this.sections) section.hidden = Number(section.dataset.step) !== step;
    for (const link of document.querySelectorAll("#steps a")) {
      link.ariaCurrent = link.getAttribute("href") === `#step-${step}` ? "step" : null;
    }
    for (const [id, to] of /** @type {[string, number][]} */ ([
      ["back", step - 1],
      ["next", step + 1],
    ])) {
      const link = /** @type {HTMLAnchorElement} */ (find(id));
      link.ariaDisabled = to < 1 || to > STEP_COUNT ? "true" : null;
      link.href = `#step-${Math.min(STEP_COUNT, Math.max(1, to))}`;
    }
    this.#draw(step);
    scrollTo(0, 0); // a browser goes to no section that is hidden yet
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.key === "Escape" && "large" in root.dataset) this.#enlarge(false);
    const by = TURNS[event.key];
    const target = event.target instanceof Element ? event.target : document.body;
    const ownArrows = event.key.startsWith("Arrow") && target.closest("input, .l-pick, [data-a2-glossary]");
    if (!by || ownArrows) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const step = this.step + by;
    if (step >= 1 && step <= STEP_COUNT) location.hash = `step-${step}`;
  }

  /** In front of a class: large type. @param {boolean} large */
  #enlarge(large) {
    if (large) root.dataset.large = "";
    else delete root.dataset.large;
    find("large").ariaPressed = `${large}`;
  }
}

/** Keeps the lesson for offline, for whoever keeps the site. @param {string} version @param {string} file */
async function keep(version, file) {
  if (!(await navigator.serviceWorker?.getRegistration())) return;
  const base = new URL(document.baseURI);
  const cache = await caches.open(cacheName(base, version));
  const named = [...document.querySelectorAll("link:not([hreflang]), script[src], img[src], .s-foot a")].map(
    (node) => node.getAttribute("src") ?? node.getAttribute("href") ?? "",
  );
  const own = [location.pathname, ...named].map((name) => new URL(name, base).href);
  for (const address of new Set(own.filter((name) => name.startsWith(new URL("./", base).href)))) {
    if (!(await cache.match(address))) await cache.add(address);
  }
  if (await cache.match(new URL(file, base))) root.dataset.offline = "yes";
}

async function open() {
  /** @type {About} */
  const about = JSON.parse(/** @type {string} */ (find("lesson").dataset.about));
  const page = new Page(about);
  Object.assign(window, { a2Page: page }); // for tests and curious people
  const answer = await fetch("site.json");
  if (!answer.ok) throw new Fault(FAULT.lesson);
  const { version } = await answer.json();
  const bytes = await fetched(new URL(document.baseURI), about.file, version, () => {});
  page.open(new Lesson(about.sizes, bytes));
  await keep(version, about.file.name).catch(() => {}); // no room, or nothing may be kept: then there is no offline
}

export function start() {
  open().catch(() => {
    find("status").textContent = FAULT.lesson;
  });
}

start();
