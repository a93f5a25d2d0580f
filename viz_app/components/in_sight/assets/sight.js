// A place on the page that tells once when what is seen was near or past it for a while.

// However far above, since what it stands for is below it; and a tenth of a window under the lower edge.
const NEAR = "1000000px 0px 10% 0px";
const FOR_MS = 400; // what stands above it may still be growing, and push it away

/** What scrolls the page, of which alone margins count; null where the window does. */
function scroller(node) {
  for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
    if (/auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
  }
  return null;
}

class Sight {
  constructor(root, talk) {
    this.timer = 0;
    this.watch = new IntersectionObserver(
      ([entry]) => {
        clearTimeout(this.timer);
        if (!entry.isIntersecting) return;
        this.timer = setTimeout(() => {
          this.watch.disconnect();
          talk.tell("near", {});
        }, FOR_MS);
      },
      { root: scroller(root), rootMargin: NEAR },
    );
    this.watch.observe(root);
  }

  show() {}

  destroy() {
    clearTimeout(this.timer);
    this.watch.disconnect();
  }
}

export default mounting("[data-a2-sight]", Sight);
