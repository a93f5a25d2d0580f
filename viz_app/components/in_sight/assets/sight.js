// A place on the page that tells when it is near what is seen, or above it, until it is taken away.

const LOOK_MS = 200;
const TIMES = 2; // looks in a row: what stands above it may still be growing, and push it away
const AGAIN = 8; // looks until it tells again, as what is told while a page is being drawn may be lost
const AHEAD = 0.1; // of a window's height, under its lower edge

/**
 * Looks by the clock: an IntersectionObserver and animation frames wait for as long as a tab is behind others,
 * and watch an element that Streamlit may have put another in the place of.
 */
class Sight {
  constructor(root, talk) {
    const place = root.parentNode;
    let seen = 0;
    let told = 0;
    this.timer = setInterval(() => {
      const box = place.querySelector("[data-a2-sight]")?.getBoundingClientRect();
      // What has no height stands nowhere: the page is hidden, or on its way out.
      seen = box?.height && box.top < innerHeight * (1 + AHEAD) ? seen + 1 : 0;
      if (seen >= TIMES && (seen - TIMES) % AGAIN === 0) talk.tell("near", { times: ++told });
    }, LOOK_MS);
  }

  show() {}

  destroy() {
    clearInterval(this.timer);
  }
}

export default mounting("[data-a2-sight]", Sight);
