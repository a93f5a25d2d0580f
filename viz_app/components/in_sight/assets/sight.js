// A place on the page that tells when what is seen was near or past it for a while, until it is taken away.

// However far above, since what it stands for is below it; and a tenth of a window under the lower edge.
const NEAR = "1000000px 0px 10% 0px";
const FOR_MS = 400; // what stands above it may still be growing, and push it away
const AGAIN_MS = 1500; // what is told while a page is being drawn anew may be lost

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
    this.times = 0;
    this.begin = () => {
      // Not before it stands in the page: until then nothing scrolls it.
      if (!root.isConnected || !scroller(root)) this.frame = requestAnimationFrame(this.begin);
      else this.look(root, talk);
    };
    this.begin();
  }

  look(root, talk) {
    this.watch = new IntersectionObserver(
      ([entry]) => {
        clearTimeout(this.timer);
        if (!entry.isIntersecting) return;
        this.timer = setTimeout(() => this.tell(talk), FOR_MS);
      },
      { root: scroller(root), rootMargin: NEAR },
    );
    this.watch.observe(root);
  }

  tell(talk) {
    this.times += 1;
    talk.tell("near", { times: this.times });
    this.timer = setTimeout(() => this.tell(talk), AGAIN_MS);
  }

  show() {}

  destroy() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.watch?.disconnect();
  }
}

export default mounting("[data-a2-sight]", Sight);
