/*
 * The camera: a frame is traced as soon as the one before is shown, and the attention of the same place follows.
 *
 * The device's own pace is the rate. The newest frame alone is kept for a closer look.
 */

import { Fault } from "./load.js";
import { bitmapOf } from "./picture.js";
import { FAULT, LIVE, liveRate, STOP, YOUR_CAMERA } from "./words.js";

/** @typedef {import("./site.js").Traced} Traced */

const SIZE_PX = 320; // long side: smaller than a photo, for the rate
const RATE_OVER = 8; // frames

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** What went wrong, in words. @param {unknown} fault */
export function refusal(fault) {
  if (fault instanceof Fault) return fault.message;
  const name = fault instanceof DOMException ? fault.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return FAULT.refused;
  if (name === "NotFoundError" || name === "OverconstrainedError") return FAULT.noCamera;
  if (name === "NotReadableError" || name === "AbortError") return FAULT.busy;
  return `${FAULT.camera}${name ? ` (${name})` : ""}${STOP}`;
}

/** Gives back the pictures of a frame that is not shown any more. @param {Traced | null} found */
function letGo(found) {
  for (const picture of found?.payload.frames ?? []) if (typeof picture !== "string") picture.close();
}

export class Live {
  /** @type {MediaStream | null} */
  #stream = null;
  #facing = "environment";
  #turn = 0;
  #frame = 0;
  /** @type {Traced | null} */
  #last = null;
  rate = 0;

  /**
   * @param {import("./site.js").Work} work
   * @param {{ show: (found: Traced) => void, frozen: (found: Traced) => void, gone: () => void,
   *   say: (words: string, isFault?: boolean) => void }} page
   */
  constructor(work, page) {
    this.work = work;
    this.page = page;
    this.video = document.createElement("video");
    Object.assign(this.video, { muted: true, playsInline: true });
    find("freeze").addEventListener("click", () => this.#freeze());
    find("turn").addEventListener("click", () => this.#turnRound());
    find("leave").addEventListener("click", () => {
      this.stop();
      this.page.say("");
      this.page.gone();
    });
  }

  get on() {
    return this.#stream !== null;
  }

  async start() {
    this.stop();
    const turn = ++this.#turn;
    if (!navigator.mediaDevices?.getUserMedia) {
      this.page.say(FAULT.insecure, true);
      return;
    }
    try {
      const video = { facingMode: this.#facing, width: { ideal: 640 }, height: { ideal: 480 } };
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (turn !== this.#turn) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      this.#stream = stream;
      this.video.srcObject = stream;
      await this.video.play();
      await this.work.ready();
    } catch (fault) {
      if (turn !== this.#turn) return;
      this.stop();
      this.page.say(refusal(fault), true);
      return;
    }
    if (turn !== this.#turn) return;
    find("live").hidden = false;
    this.page.say(LIVE);
    const cameras = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    find("turn").hidden = cameras.filter(({ kind }) => kind === "videoinput").length < 2;
    await this.#follow(turn);
  }

  /** Which way the camera looks; of one that does not say, towards whoever sits before it. */
  get #mirrored() {
    const facing = this.#stream?.getVideoTracks()[0]?.getSettings().facingMode ?? this.#facing;
    return facing === "user";
  }

  /** The frame of now, traced. */
  async #trace() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const bitmaps = [await bitmapOf(this.video, width, height)];
    const key = `live-${++this.#frame}`;
    const asked = { bitmaps, times_s: [0], size: SIZE_PX, key, alt: YOUR_CAMERA };
    return this.work.trace({ ...asked, mirrored: this.#mirrored });
  }

  /** Shows one frame after the other; the next is traced while one is painted. @param {number} turn */
  async #follow(turn) {
    /** @type {number[]} */
    const times = [];
    try {
      let next = this.#trace();
      while (turn === this.#turn && this.on) {
        const found = await next;
        if (turn !== this.#turn) return;
        if (document.hidden) {
          await new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
        }
        next = this.#trace();
        next.catch(() => {}); // it is heard of when it is waited for, if it ever is
        found.payload.live = true;
        const before = this.#last;
        this.#last = found;
        this.page.show(found);
        letGo(before);
        await new Promise((painted) => requestAnimationFrame(painted));
        this.#tell(times);
      }
    } catch (fault) {
      if (turn !== this.#turn) return;
      this.stop();
      this.page.gone();
      this.page.say(refusal(fault), true);
    }
  }

  /** The rate over the last few frames. @param {number[]} times of frames, the new one is added */
  #tell(times) {
    times.push(performance.now());
    if (times.length > RATE_OVER + 1) times.shift();
    if (times.length < 3) return;
    this.rate = (1000 * (times.length - 1)) / (times[times.length - 1] - times[0]);
    find("rate").textContent = liveRate(this.rate);
  }

  /** The newest frame, for a closer look: as files hold it, which the worker makes of one that it has kept. */
  async #freeze() {
    const found = this.#last;
    this.stop();
    if (!found) return;
    const turn = this.#turn;
    const payload = await this.work.ask("payload", { key: found.payload.key }).catch(() => null);
    if (turn !== this.#turn) return; // another was brought meanwhile
    if (payload) this.page.frozen({ ...found, payload });
    else {
      this.page.gone();
      this.page.say(FAULT.camera + STOP, true);
    }
  }

  #turnRound() {
    this.#facing = this.#facing === "user" ? "environment" : "user";
    this.start();
  }

  /** Lets the camera go. */
  stop() {
    this.#turn++;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.video.srcObject = null;
    find("live").hidden = true;
    find("rate").textContent = "";
  }
}
