/*
 * One step on the page: made when the site was built, for the choice that it opens on, and written anew for any other.
 */

import vocabulary from "../../../canvas/vocabulary.json" with { type: "json" };
import { marksOf, pixelsOf } from "./drawn.js";
import { Picker, setCell } from "./picker.js";
import { temperature } from "./printed.js";
import { screenOf } from "./steps.js";

/** @typedef {import("./lesson.js").Lesson} Lesson */
/** @typedef {import("./lesson.js").Choice} Choice */
/** @typedef {import("./drawn.js").MapOf} MapOf */
/** @typedef {Exclude<keyof Choice, "position">} Moved by a slider */

const GATHER = 4; // the step whose picture chooses how far the sum has come, not the cell that receives
const OPACITY = vocabulary.settings.opacity.first;

export class Part {
  /**
   * @param {HTMLElement} root
   * @param {Lesson} lesson
   * @param {number[]} temperatures of the slider
   * @param {(moved: Partial<Choice>) => void} move
   */
  constructor(root, lesson, temperatures, move) {
    this.root = root;
    this.lesson = lesson;
    this.temperatures = temperatures;
    this.step = Number(root.dataset.step);
    const moved = this.step === GATHER ? "reached" : "position";
    this.moved = /** @type {"reached" | "position"} */ (moved);
    this.picker = new Picker(this.#find(".l-pick"), lesson, (row, col) =>
      move({ [moved]: row * lesson.cols + col }),
    );
    this.figures = this.#all(".a2-map .a2-cells, .a2-chips li");
    this.plots = /** @type {HTMLImageElement[]} */ (this.#all(".a2-plot img"));
    this.sliders = /** @type {HTMLInputElement[]} */ (this.#all("input[data-moves]"));
    for (const slider of this.sliders) {
      const name = /** @type {Moved} */ (slider.dataset.moves);
      slider.addEventListener("input", () => {
        const value = Number(slider.value);
        move({ [name]: name === "temperature" ? temperatures[value] : value });
      });
      slider.disabled = false;
    }
    this.ink = inkOf(this.plots[0]);
  }

  /** @param {string} selector */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  /** @param {string} selector @returns {HTMLElement[]} */
  #all(selector) {
    return [...this.root.querySelectorAll(/** @type {"div"} */ (selector))];
  }

  /** @param {Choice} choice */
  show(choice) {
    const { lesson } = this;
    const screen = screenOf(this.step, lesson, choice);
    for (const figure of /** @type {HTMLDataElement[]} */ (this.#all("[data-what]"))) {
      const text = screen.numbers[/** @type {string} */ (figure.dataset.what)];
      if (text !== undefined && figure.textContent !== text) figure.textContent = text;
    }
    for (const said of this.#all("[data-when]")) said.hidden = said.dataset.when !== screen.says;
    this.#image(".l-over").src = this.#drawn(screen.overlay, OPACITY);
    const at = choice[this.moved];
    this.picker.place(Math.floor(at / lesson.cols), at % lesson.cols);
    for (const [k, figure] of this.figures.entries()) this.#showMap(figure, screen.maps[k], choice.position);
    this.#all(".a2-chips li").forEach((chip, k) => {
      chip.className = k < (screen.inSum ?? 0) ? "a2-in" : "a2-out";
    });
    this.plots.forEach((image, k) => {
      const [marks, width] = marksOf(screen.plots[k]);
      image.src = svgOf(marks, width, this.ink);
    });
    this.#showMarks(choice);
    for (const slider of this.sliders) this.#set(slider, choice);
  }

  /** @param {HTMLElement} figure @param {MapOf} map @param {number} position */
  #showMap(figure, map, position) {
    /** @type {HTMLImageElement} */ (figure.querySelector("img")).src = this.#drawn(map);
    const frame = /** @type {HTMLElement | null} */ (figure.querySelector(".a2-cell"));
    const { cols } = this.lesson;
    if (frame) setCell(frame, this.lesson, Math.floor(position / cols), position % cols);
  }

  /** The chosen column in each table, and the row: of a channel of X or A, of a primitive. @param {Choice} choice */
  #showMarks({ position, channel, a_channel, primitive }) {
    const { lesson } = this;
    for (const mark of this.#all(".a2-col")) mark.style.left = `${(100 * (position + 0.5)) / lesson.count}%`;
    const of =
      this.step === 1
        ? [[channel, lesson.c]]
        : [[a_channel, lesson.m], ...Array(2).fill([primitive, lesson.n])];
    this.#all(".a2-row").forEach((mark, k) => {
      mark.style.top = `${(100 * (of[k][0] + 0.5)) / of[k][1]}%`;
    });
  }

  /** @param {HTMLInputElement} slider @param {Choice} choice */
  #set(slider, choice) {
    const name = /** @type {Moved} */ (slider.dataset.moves);
    const ofTemperature = name === "temperature";
    slider.value = `${ofTemperature ? this.temperatures.indexOf(choice.temperature) : choice[name]}`;
    const text = ofTemperature ? temperature(choice.temperature) : slider.value;
    /** @type {HTMLElement} */ (slider.parentElement?.querySelector("output")).textContent = text;
    slider.ariaValueText = text;
  }

  /** @param {string} selector */
  #image(selector) {
    return /** @type {HTMLImageElement} */ (this.#find(selector));
  }

  /** A map as a picture. @param {MapOf} map @param {number} [opacity] */
  #drawn(map, opacity) {
    const { rows, cols } = this.lesson;
    const canvas = document.createElement("canvas");
    canvas.width = cols;
    canvas.height = rows;
    const pixels = /** @type {Uint8ClampedArray<ArrayBuffer>} */ (pixelsOf(map, opacity));
    canvas.getContext("2d")?.putImageData(new ImageData(pixels, cols, rows), 0, 0);
    return canvas.toDataURL("image/png");
  }
}

/** The style of lines and bars, of a plot that was drawn when the site was built. @param {HTMLImageElement} [image] */
function inkOf(image) {
  const drawn = image ? atob(image.src.split(",")[1]) : "";
  return /<style>(.*)<\/style>/.exec(drawn)?.[1] ?? "";
}

/** @param {string} marks @param {number} width @param {string} ink */
function svgOf(marks, width, ink) {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 100" width="600" height="100" preserveAspectRatio="none">`;
  return `data:image/svg+xml;base64,${btoa(`${head}<style>${ink}</style>${marks}</svg>`)}`;
}
