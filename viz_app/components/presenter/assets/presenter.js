// Presenting: on and off, wherever on the page somebody asks for it; the list of pictures; the link.

const PRESENTING = "data-a2-presenting"; // on the page's root
const ASK = "a2-present"; // an event of the page: something else on it wants to present, or no longer
const TURNS = { PageDown: 1, PageUp: -1 };
const NOT_TOLD = ["present", "presentation", "embed", "embed_options"]; // in a link: whoever opens it sits at a desk

const TICKET = "a2-ticket"; // kept for this tab alone: not in the address, which is shared
const AGAIN_MS = 2000; // until the ticket is told once more: what is told while a page is drawn may be lost

/** The ticket of this tab; "" for none, and where the browser keeps nothing for us. */
function ticketKept() {
  try {
    return sessionStorage.getItem(TICKET) ?? "";
  } catch {
    return "";
  }
}

/** Keeps `ticket` for after a reload. */
function keepTicket(ticket) {
  try {
    sessionStorage.setItem(TICKET, ticket);
  } catch {
    // In a frame of another site some browsers keep nothing: a reload begins anew.
  }
}

class Presenter {
  constructor(root, talk) {
    Object.assign(this, { root, talk });
    Object.assign(this, { stop: new AbortController(), told: 0, again: 0 });
    const { signal } = this.stop;
    const on = (selector, run) => root.querySelector(selector).addEventListener("click", run, { signal });
    on(".present", () => this.present(!this.now.presenting));
    on(".before", () => this.turn(-1));
    on(".after", () => this.turn(1));
    on(".link", () => this.link());
    document.addEventListener("keydown", (event) => this.key(event), { signal, capture: true });
    document.addEventListener(ASK, (event) => this.present(event.detail === true), { signal });
  }

  show(data) {
    this.data = data;
    this.mark();
    this.showTicket();
  }

  /** Keeps the ticket that Python gives, or says which one is kept from before, until Python has heard it. */
  showTicket() {
    const { ticket, asks, waits } = this.data;
    if (ticket !== null) keepTicket(ticket);
    const kept = ticketKept();
    if (this.again || !asks || !(kept || waits)) return;
    this.ask({ ticket: kept, told: ++this.told });
    this.again = setTimeout(() => {
      this.again = 0;
      this.showTicket();
    }, AGAIN_MS);
  }

  /** What a person did, or else what Python says. */
  get now() {
    return this.talk.said ?? this.data;
  }

  mark() {
    const { presenting } = this.now;
    document.documentElement.toggleAttribute(PRESENTING, presenting);
    this.root.toggleAttribute("data-on", presenting);
    this.root.querySelector(".list").hidden = !this.lists;
    this.root.querySelector(".stop").textContent = this.data.stop ?? "";
  }

  /** Whether there are pictures to step through here and now. */
  get lists() {
    return this.now.presenting && this.data.stop !== null;
  }

  present(presenting) {
    if (presenting === this.now.presenting) return;
    this.ask({ presenting });
  }

  turn(by) {
    this.ask({ turns: this.now.turns + by });
  }

  link() {
    const link = new URL(location.href);
    if (this.data.query !== null) link.search = this.data.query;
    for (const name of NOT_TOLD) link.searchParams.delete(name);
    // A browser copies only where it trusts the page; the dialog says whether it did.
    const copy = navigator.clipboard?.writeText(link.href) ?? Promise.reject();
    const tell = (copied) => this.ask({ links: this.now.links + 1, link: link.href, copied });
    copy.then(
      () => tell(true),
      () => tell(false),
    );
  }

  ask(change) {
    const { presenting, turns, links } = this.now;
    this.talk.tell("asked", { presenting, turns, links, ...change });
    this.mark();
  }

  // A presenter's remote sends PageUp and PageDown, wherever the focus is.
  key(event) {
    if (!this.data || !this.now.presenting || event.ctrlKey || event.altKey || event.metaKey) return;
    if (document.querySelector("[role=dialog], [role=listbox]")) return; // its Escape, not ours
    const by = TURNS[event.key];
    if (event.key === "Escape") this.present(false);
    else if (by && this.lists) this.turn(by);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  destroy() {
    clearTimeout(this.again);
    this.stop.abort();
  }
}

export default mounting("[data-a2-presenter]", Presenter);
