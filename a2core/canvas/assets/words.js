/*
 * The words of the probe canvas: what every term means, and the tour of three steps.
 *
 * It stands before canvas.js in one module. It knows the markup of canvas.html and no attention.
 */

const GLOSSARY = {
  primitive:
    "Visual primitive g: one of n summaries of the whole picture that the block gathers, and hands out again to every place.",
  theta: "Gather map θ: how much each cell contributes to one primitive. Over all cells it adds up to 100 %.",
  rho: "Distribution weight ρ: how much of each primitive a place receives. Over all primitives it adds up to 100 %.",
  carried:
    "Of all that leaves this place, the share that travels in this primitive: its gather weight θ here, times how much the whole picture uses the primitive.",
  attention:
    "Effective attention: how much of what a place receives was gathered at each cell, through all primitives together. It adds up to 100 %.",
  received:
    "The effective attention read the other way: of all that each cell receives, the share that was gathered here.",
  change: "Relative change: the size of what the block adds, divided by the size of what came in. 100 % is as much again.",
  reach: "Reach: how much of the picture a map covers, as if its weight were spread evenly (exp of its entropy).",
  cell: "Cell: one position of the block’s grid, a square of many pixels. The block sees nothing smaller.",
  relative: "Relative: each map is painted from 0 to its own peak. Flat maps look as vivid as sharp ones.",
  absolute: "Absolute: all maps share one scale, so that a flat map looks flat.",
  use: "Use: how much of a primitive is handed out, on average over the picture.",
  stills:
    "Effect: how much the prediction changes when a primitive is switched off. It takes a run of the network for each, and of a clip a run of all its frames: the gallery has it for pictures only. Experiment switches off primitives of a clip.",
  moments:
    "Over time: the map of each frame added up. For attention and for gathering, all moments together make 100 %.",
  even: "Even: what every cell would hold if the map were flat. Below the mark means less than its share.",
};

let tips = 0;

/** Short explanations of every element with data-term, on hover, on keyboard focus and on a tap. */
class Tips {
  constructor(root, signal) {
    this.root = root;
    this.of = null;
    this.tip = document.createElement("p");
    Object.assign(this.tip, { className: "a2c-tip", id: `a2c-tip-${++tips}`, hidden: true });
    this.tip.setAttribute("role", "tooltip");
    root.append(this.tip);
    const term = (event) => event.target.closest?.("[data-term]");
    const on = (type, run) => root.addEventListener(type, run, { signal });
    on("pointerover", (event) => event.pointerType !== "touch" && this.show(term(event)));
    on("pointerleave", () => this.show(null));
    on("focusin", (event) => {
      if (event.target.matches(":focus-visible")) this.show(term(event) || event.target.querySelector("[data-term]"));
    });
    on("focusout", () => this.show(null));
    on("click", (event) => event.target.closest?.("button[data-term]") && this.show(term(event)));
    on("keydown", (event) => {
      if (event.key === "Escape") this.show(null);
    });
  }

  show(node) {
    const text = node ? GLOSSARY[node.dataset.term] : undefined;
    if (this.of && this.of !== node) this.of.removeAttribute("aria-describedby");
    this.of = text ? node : null;
    if (this.tip.hidden === !text && !text) return;
    this.tip.hidden = !text;
    if (!text) return;
    this.tip.textContent = text;
    node.setAttribute("aria-describedby", this.tip.id);
    place(this.tip, node.getBoundingClientRect(), this.root.getBoundingClientRect());
  }
}

/** Puts a small box below an anchor, or above it where the window ends, and inside the root's width. */
function place(box, anchor, root) {
  const { offsetWidth: wide, offsetHeight: high } = box;
  const above = anchor.bottom + 10 + high > window.innerHeight && anchor.top > high + 10;
  const left = Math.max(0, Math.min(anchor.left - root.left, root.width - wide));
  box.style.left = `${left}px`;
  box.style.top = `${(above ? anchor.top - high - 8 : anchor.bottom + 8) - root.top}px`;
}

const TOUR = [
  {
    ref: "stage",
    title: "1 · Point at the picture",
    text: "The bright places are where that pixel’s information was gathered from. Click to hold a pixel; drag to draw a box.",
  },
  {
    ref: "rank",
    title: "2 · Read what it receives",
    text: "A pixel receives a mix of primitives, the largest share first. Point at one to see where it was gathered.",
  },
  {
    ref: "ask",
    title: "3 · Turn the question round",
    text: "“Gives to” shows who receives information from the pixel. All primitives of the block are below the picture.",
  },
];
const TOUR_KEY = "a2-canvas-tour";

/** Three cards, one after the other; taken or turned down once, only the "?" is left. */
class Tour {
  constructor(root, ui, signal) {
    Object.assign(this, { root, ui, at: -1 });
    this.card = document.createElement("div");
    Object.assign(this.card, { className: "a2c-tour", hidden: true, tabIndex: -1 });
    this.card.setAttribute("role", "dialog");
    this.card.innerHTML =
      '<h3></h3><p></p><div><button type="button" data-to="skip">Skip</button><button type="button" data-to="back">Back</button><button type="button" data-to="next"></button></div>';
    root.append(this.card);
    [this.title, this.text] = this.card.children;
    ui.tour.addEventListener("click", () => (this.at < 0 ? this.step(0) : this.end()), { signal });
    this.card.addEventListener(
      "click",
      (event) => {
        const to = event.target.dataset?.to;
        if (to === "skip") this.end();
        else if (to) this.step(this.at + (to === "next" ? 1 : -1));
      },
      { signal },
    );
    this.card.addEventListener("keydown", (event) => event.key === "Escape" && this.end(), { signal });
    this.label();
  }

  known() {
    try {
      return localStorage.getItem(TOUR_KEY) === "seen";
    } catch {
      return this.seen === true; // storage is not allowed here: remembered while the page lives
    }
  }

  label() {
    const { tour } = this.ui;
    tour.textContent = this.known() ? "?" : "? Tour";
    tour.setAttribute("aria-expanded", String(this.at >= 0));
  }

  step(k) {
    if (k >= TOUR.length) {
      this.end();
      return;
    }
    this.mark(false);
    this.at = Math.max(0, k);
    const { title, text } = TOUR[this.at];
    this.title.textContent = title;
    this.text.textContent = text;
    this.card.setAttribute("aria-label", title);
    const [, back, next] = this.card.lastElementChild.children;
    back.hidden = this.at === 0;
    next.textContent = this.at === TOUR.length - 1 ? "Done" : "Next";
    this.card.hidden = false;
    const target = this.mark(true);
    place(this.card, target.getBoundingClientRect(), this.root.getBoundingClientRect());
    next.focus();
    this.label();
  }

  mark(on) {
    const target = this.at >= 0 ? this.ui[TOUR[this.at].ref] : null;
    if (target) target.toggleAttribute("data-toured", on);
    return target;
  }

  end() {
    this.mark(false);
    this.at = -1;
    this.card.hidden = true;
    this.seen = true;
    try {
      localStorage.setItem(TOUR_KEY, "seen");
    } catch {
      // as above
    }
    this.label();
    this.ui.tour.focus();
  }
}

