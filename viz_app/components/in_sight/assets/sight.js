// A place on the page that tells once when it comes near what is seen.

const NEAR = "10% 0px"; // of the window's height: it is about to be scrolled to

class Sight {
  constructor(root, talk) {
    this.watch = new IntersectionObserver(
      ([entry]) => {
        if (!entry.isIntersecting) return;
        this.watch.disconnect();
        talk.tell("near", {});
      },
      { rootMargin: NEAR },
    );
    this.watch.observe(root);
  }

  show() {}

  destroy() {
    this.watch.disconnect();
  }
}

export default mounting("[data-a2-sight]", Sight);
