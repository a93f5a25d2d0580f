// A place on the page that tells once when it was near what is seen for a while.

const NEAR = "10% 0px"; // of the window's height: it is about to be scrolled to
const FOR_MS = 400; // what stands above it may still be growing, and push it away

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
      { rootMargin: NEAR },
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
