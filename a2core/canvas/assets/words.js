/*
 * The words of the probe canvas, whole: labels, sentences, what every term means, the tour of three steps.
 *
 * Numbers come in as they read. A translation changes this file and the markup of canvas.html alone.
 */

/** What each direction is called, everywhere; nobody may mistake one for the other. */
export const DIRECTIONS = {
  from: {
    what: "Where this pixel’s information was gathered from",
    whatBox: "Where the box’s information was gathered from, on average",
    list: "What this pixel receives",
    listBox: "What the box receives, on average",
    column: "share received, ρ",
    verb: "received",
    colour: "brighter: more comes from there",
    unit: "attention per cell",
    all: "same for all pixels",
    whole: "of the attention",
    hint: "Move over the picture: it lights up where that pixel’s information was gathered from. Click to hold it",
    touched:
      "Touch the picture and move: it lights up where that pixel’s information was gathered from. A tap marks it",
  },
  to: {
    what: "Who receives information from this pixel",
    whatBox: "Who receives information from the box",
    list: "What carries this pixel’s information away",
    listBox: "What carries the box’s information away",
    column: "share carried, θ · use",
    verb: "carried",
    colour: "brighter: takes more from here",
    unit: "share of a cell’s attention",
    all: "same for all pixels",
    whole: "of what leaves here",
    hint: "Move over the picture: it lights up who receives information from that pixel. Click to hold it",
    touched:
      "Touch the picture and move: it lights up who receives information from that pixel. A tap marks it",
  },
};

/** The attention that a network was born with: layers, heads, tokens. */
export const HEADS = {
  entry: "its own attention",
  entryTitle: "The softmax attention that the network was born with, layer by layer and head by head",
  comes: "Fetching this layer …",
  pixel: "this pixel",
  box: "the box, on average",
  token: (/** @type {string} */ name) => `the ${name}`,
  at: (/** @type {string} */ name) => `The ${name}, which lies beside the picture`,
  title: {
    attends: {
      from: (/** @type {string} */ who) => `Where ${who} attends`,
      to: (/** @type {string} */ who) => `Who attends to ${who}`,
    },
    rollout: {
      from: (/** @type {string} */ who) => `Rollout: where ${who} could have its information from`,
      to: (/** @type {string} */ who) => `Rollout: who could have information from ${who}`,
    },
  },
  of: (/** @type {number | null} */ head, /** @type {number} */ n) =>
    head === null ? `, mean of ${n} heads` : `, head h${head}`,
  mean: "mean",
  head: (/** @type {number} */ i) => `Head ${i}`,
  meanOfAll: "Mean of all heads",
  pixelOption: "pixel",
  tokenOption: (/** @type {string} */ name) => name,
  rollout: "rollout",
  explains: {
    attends:
      "Each position compares itself with every other, once in each head, and takes from those that fit: softmax over all of them. A tile is where the marked place attends in one head.",
    rollout:
      "Rollout multiplies the layers’ mean attention, half of each token staying where it is. It follows weights alone, not what is made of them: a rough picture of where information could have come from.",
  },
  beside: (/** @type {string} */ share, /** @type {string[]} */ names) =>
    `${share} of it goes to the ${names.length === 1 ? names[0] : "tokens beside the picture"}`,
  random: "Random weights: these maps mean nothing.",
};

/** A class guesses before it sees: the answer is hidden until somebody reveals it. */
export const GUESS = {
  hide: "hide the map",
  reveal: "reveal",
  title: "Hide the map and its numbers, let the class guess, reveal (H)",
  from: "Guess: where does this spot get its information from?",
  to: "Guess: who receives information from this spot?",
  map: "Guess: where is the map bright?",
  asked: "The map is hidden until it is revealed.",
};

/** @type {import("./dom.js").Option[]} */
export const ASK = [
  { value: "from", text: "← Gathers from", title: "Where does this pixel get its information from?" },
  { value: "to", text: "Gives to →", title: "Who receives information from this pixel?" },
  { value: "change", text: "Changed", title: "Where did the block change anything?" },
];

/** @type {import("./dom.js").Option[]} */
export const SCALES = [
  { value: "relative", text: "Relative", term: "relative" },
  { value: "absolute", text: "Absolute", term: "absolute" },
];

/** @type {import("./dom.js").Option[]} */
export const SORTS = [
  { value: "rho", text: "ρ at the mark", title: "Most received by the marked pixel or box first" },
  { value: "reach", text: "half from", term: "half" },
  { value: "use", text: "use", term: "use" },
  { value: "effect", text: "effect", term: "effect" },
];

/** @type {import("./dom.js").Option[]} */
export const TILES = [
  { value: "gather", text: "θ gathered", title: "Where each primitive is gathered" },
  { value: "distribute", text: "ρ handed out", title: "Where each primitive is handed out" },
];

/** What is said of a picture of what is on screen that is not passed on. */
export const SHARE = {
  random: "Random weights: these maps mean nothing.",
  noPicture: "This browser has no room for a picture of that size. Make the window smaller and try again.",
  savedInstead: "Sharing did not work here, so the picture was saved as a file.",
};

/** Of a clip: which frame is seen. @param {string} time */
export const moment = (time) => `frame at ${time}`;

/** @param {number} perSecond */
export const speed = (perSecond) => (perSecond ? `${perSecond} a second` : "as filmed");

/**
 * What is said of each kind of map.
 * @typedef {object} MapWords
 * @property {{ unit: string, all: string, colour: string }} legend what is measured, what the absolute scale is, what
 *   bright means
 * @property {{ title: string, tile: string }} moments over time
 * @property {(peak: string) => string} numbers for those who cannot see it; what half of it lies in is said before
 * @property {(i: number) => string} [what] what it is, where it is not about the probed place
 * @property {string} [hint] what to do, likewise
 * @property {(value: string) => string} [there] what it holds at a place
 */

/** @type {Record<import("./colours.js").Kind, MapWords>} */
export const MAPS = {
  attention: {
    legend: DIRECTIONS.from,
    moments: { title: "Comes from each moment", tile: "comes from here" },
    numbers: (peak) => `at most ${peak} in one cell`,
  },
  received: {
    legend: DIRECTIONS.to,
    moments: { title: "Goes to each moment", tile: "goes here" },
    numbers: (peak) => `at most ${peak} of a cell’s attention`,
  },
  gather: {
    legend: {
      unit: "attention per cell",
      all: "same for all maps",
      colour: "brighter: more is gathered there",
    },
    moments: { title: "Gathered at each moment", tile: "is gathered here" },
    numbers: (peak) => `at most ${peak} in one cell`,
    what: (i) => `Where primitive g${i} was gathered (θ)`,
  },
  distribute: {
    legend: {
      unit: "share received",
      all: "same for all maps",
      colour: "brighter: more is handed out there",
    },
    moments: { title: "Handed to each moment, on average", tile: "is handed out here on average" },
    numbers: (peak) => `at most ${peak} of a position`,
    what: (i) => `Where primitive g${i} is handed out (ρ)`,
  },
  change: {
    legend: {
      unit: "relative change |Y − X| / |X|",
      all: "up to as much as came in",
      colour: "brighter: changed more",
    },
    moments: { title: "Changed at each moment, on average", tile: "is changed here on average" },
    numbers: (peak) => `at most ${peak} of the size of what came in`,
    what: () => "Where the block changed its input",
    hint: "Bright is where the block changed its input",
    there: (value) => `the block changed it by ${value} of its size`,
  },
};

/** What the brightest colour stands for where each map has a scale of its own. */
export const OWN_PEAK = "own peak";
export const SHARED = "one scale for all pictures";
export const NEARLY_FLAT = "nearly flat: twice even";

/** What Python calls a block in a payload, "parts (blocks.4, 28 × 20 cells)", and a picture, as it is said here. */
export const blockSaid = (/** @type {string} */ label) => label;
export const pictureSaid = (/** @type {string} */ alt) => alt;
/** What a checkpoint's card says of a primitive: where it is usually gathered, and its scores; and an atlas's. */
export const cardSaid = (/** @type {string} */ card) => card;
export const A_PICTURE = "the picture"; // one of which nothing is said

/** What a map is a share of. */
export const WHOLE = { picture: "the picture", frame: "the frame", clip: "the clip" };
export const partOf = (/** @type {string} */ part, /** @type {string} */ whole) => `${part} of ${whole}`;

/** After a difference in points of percent. */
export const POINTS = "pts";

/** What stands at the mark of an even map. */
export const evenAt = (/** @type {string} */ share) => `even ${share}`;

/** Where something is. `when` is a time with the dot before it, of a clip. */
export const PLACE = {
  pixel: (
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {string} */ when,
    /** @type {string} */ cell,
  ) => `Pixel (x ${x}, y ${y})${when} · cell ${cell}`,
  cell: (/** @type {number} */ row, /** @type {number} */ col) => `row ${row}, col ${col}`,
  box: (
    /** @type {number} */ count,
    /** @type {string} */ rows,
    /** @type {string} */ cols,
    /** @type {string} */ when,
  ) => `Box of ${count} cells (rows ${rows}, cols ${cols})${when}`,
};

/** Pins, by number from 1. */
export const PINS = {
  unpin: "unpin",
  remove: (/** @type {number} */ pin) => `remove pin ${pin}`,
  removes: (/** @type {number} */ pin) => `Remove pin ${pin}`,
  pinned: "Pinned. ",
  pinnedOf: (/** @type {number} */ pin, /** @type {number} */ pins) => `Pinned ${pin} of ${pins}. `,
  at: (/** @type {number} */ pin, /** @type {string} */ where) => `Pin ${pin}, ${where}`,
  primitive: "primitive",
};

/** The ranked list. */
export const LIST = {
  hovered: "under the pointer",
  pinned: "pinned",
  marked: "the marked spot",
  presented: "primitives: click one for where it was gathered",
  cells: (/** @type {number} */ count) => `${count} cells, mean ± sd`,
  term: (/** @type {number} */ i) => `Term of g${i} in the map`,
  others: (/** @type {number} */ count, /** @type {string} */ share) =>
    `and ${count} more with ${share} together`,
  row: (
    /** @type {number} */ place,
    /** @type {number} */ i,
    /** @type {string} */ share,
    /** @type {string} */ verb,
    /** @type {string} */ half,
  ) => `Rank ${place}, primitive ${i}: ${share} ${verb}, gathered ${half}`,
  terms: (
    /** @type {number} */ count,
    /** @type {number} */ n,
    /** @type {string} */ share,
    /** @type {string} */ whole,
  ) => `${count} of ${n} terms: ${share} ${whole}`,
};

/** The two maps of a primitive. */
export const PAIR = {
  title: (/** @type {number} */ i) => `Primitive g${i}`,
  chosen: "chosen · ",
  strongest: "the strongest here",
  rank: (/** @type {number} */ place) => `number ${place} here`,
  gathered: (/** @type {string} */ half, /** @type {string} */ peak) => `${half} · peak ${peak}`,
  handed: (/** @type {string} */ use, /** @type {string} */ peak) => `${use} on average · peak ${peak}`,
  gatheredAlt: (/** @type {number} */ i, /** @type {string} */ facts) =>
    `Primitive ${i}, gathered ${facts} in one cell`,
  handedAlt: (/** @type {number} */ i, /** @type {string} */ facts) => `Primitive ${i}, handed out: ${facts}`,
};

/** The gallery. */
export const GALLERY = {
  title: (/** @type {number} */ n) => `All ${n} primitives`,
  found: (/** @type {number} */ count) => `${count} found`,
  none: (/** @type {string} */ filter) => `none found for “${filter}”`,
  measuring: "measuring effects; by ρ until then",
  fewer: "Show fewer",
  all: (/** @type {number} */ n) => `Show all ${n}`,
  effect: (/** @type {string} */ effect) => `, ${effect} points of the prediction when switched off`,
  facts: (/** @type {string} */ share, /** @type {string} */ half, /** @type {string} */ use) =>
    `${share}, gathered ${half}, ${use} in use`,
  tile: (/** @type {number} */ i, /** @type {string} */ facts, /** @type {string} */ card) =>
    `Primitive ${i}: ${facts}${card ? `. ${card}` : ""}`,
  alike: (/** @type {number} */ count, /** @type {number} */ i) =>
    `${count} more gathered from nearly the same places as g${i}`,
};

/** A clip over time. */
export const CLIP = {
  play: "Play",
  pause: "Pause",
  at: (/** @type {number} */ frame, /** @type {number} */ frames, /** @type {string} */ time) =>
    `frame ${frame} of ${frames}, ${time}`,
  moments: (/** @type {string} */ now, /** @type {string} */ most, /** @type {string} */ time) =>
    `now ${now} · at most ${most} at ${time}`,
  tile: (
    /** @type {number} */ frame,
    /** @type {string} */ time,
    /** @type {string} */ share,
    /** @type {string} */ words,
  ) => `Frame ${frame}, ${time}: ${share} ${words}`,
};

/** The buttons of the tour. */
export const STEPS = { skip: "Skip", back: "Back", next: "Next", done: "Done", tour: "? Tour" };

/** After what a box holds. */
export const ON_AVERAGE = " on average";

/** What half of a map lies in. @param {string} part @param {string} whole */
export const halfFrom = (part, whole) => `half from ${part} of ${whole}`;

/** What the marked place receives of a primitive. @param {string} share @param {boolean} box */
export const theShare = (share, box) => `${share} ${box ? "in the box" : "at the pixel"}`;

/** The column of bars; how much a full one stands for. @param {string} column @param {string} top */
export const barsTo = (column, top) => `${column}, bars to ${top}`;

/** What the readout says of the place's map, beside how much of it and by what. */
export const EXCHANGED = {
  most: (/** @type {string} */ cell, /** @type {string} */ peak) =>
    ` · most to ${cell} (${peak} of its attention)`,
  ofTheFrame: "its ", // before that cell, of a clip
  from: {
    half: (/** @type {string} */ part) => `half of it comes from ${part}`,
    by: (/** @type {string} */ best) => `most through primitive ${best}`,
  },
  to: {
    half: (/** @type {string} */ part) => `half of it goes to ${part}`,
    by: (/** @type {string} */ best) => `most carried by primitive ${best}`,
  },
};

/** Where in the picture, of thirds: rows from the top, columns from the left. */
export const THIRDS = [
  ["the top left", "the top", "the top right"],
  ["the left", "the middle", "the right"],
  ["the bottom left", "the bottom", "the bottom right"],
];
export const mostly = (/** @type {string[]} */ places) => `, mostly ${places.join(" and ")}`;

/** @param {number} most */
export const tooManyPins = (most) => `${most} pins are the most. Remove one first.`;

/** @type {Record<string, string>} */
export const GLOSSARY = {
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
  change:
    "Relative change: the size of what the block adds, divided by the size of what came in. 100 % is as much again.",
  half: "Half from: the least part of the picture that holds half of a map. For where a pixel gathers from: half of its information comes from there.",
  block:
    "Parts, objects: what this block’s cells are about the size of. A cell is one position of its grid, a square of many pixels; the block sees nothing smaller. Each block has primitives of its own.",
  peel: "Peel: the map is a sum of terms, one for each primitive. Switch them off and on to see what each adds.",
  effect: "Effect: how much the prediction changes when the primitive is switched off, in points of percent.",
  relative:
    "Relative: each map is painted from 0 to its own peak. Only a nearly flat one is painted to twice what an even map would hold, so that it looks flat.",
  absolute: "Absolute: all maps share one scale, so that a flat map looks flat.",
  use: "Use: how much of a primitive is handed out, on average over the picture.",
  stills:
    "Effect: how much the prediction changes when a primitive is switched off. It takes a run of the network for each, and of a clip a run of all its frames: the gallery has it for pictures only. Experiment switches off primitives of a clip.",
  moments:
    "Over time: the map of each frame added up. For attention and for gathering, all moments together make 100 %.",
  even: "Even: what every cell would hold if the map were flat. Below the mark means less than its share.",
};

/** @type {{ ref: "stage" | "rank" | "ask", title: string, text: string, touched?: string }[]} `touched`: for fingers */
export const TOUR = [
  {
    ref: "stage",
    title: "1 · Point at the picture",
    text: "The bright places are where that pixel’s information was gathered from. Click to hold a pixel; drag to draw a box.",
    touched:
      "The bright places are where that pixel’s information was gathered from. Move the finger; a tap marks a pixel, a long press begins a box.",
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
