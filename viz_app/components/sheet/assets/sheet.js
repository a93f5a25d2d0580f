// HTML of which little changes: what is the same as before stays the same node.

class Sheet {
  constructor(root) {
    this.root = root;
  }

  show({ html }) {
    if (html === this.html) return; // the theme has changed
    this.html = html;
    const wanted = document.createElement("template");
    wanted.innerHTML = html;
    become(this.root, wanted.content);
  }

  destroy() {}
}

/** Makes the children of `here` those of `wanted`, which is used up. */
function become(here, wanted) {
  let child = here.firstChild;
  for (let next = wanted.firstChild; next; ) {
    const after = next.nextSibling;
    if (!child) {
      here.append(next);
    } else {
      const now = child;
      child = child.nextSibling;
      if (!adapts(now, next)) now.replaceWith(next);
    }
    next = after;
  }
  while (child) {
    const gone = child;
    child = child.nextSibling;
    gone.remove();
  }
}

/** Makes `here` what `wanted` is, if they are of one kind; whether they are. */
function adapts(here, wanted) {
  if (here.nodeName !== wanted.nodeName) return false;
  if (here.nodeType === Node.TEXT_NODE) {
    if (here.data !== wanted.data) here.data = wanted.data;
    return true;
  }
  if (here.nodeType !== Node.ELEMENT_NODE) return false;
  for (const { name, value } of wanted.attributes) {
    if (here.getAttribute(name) !== value) here.setAttribute(name, value);
  }
  for (const name of here.getAttributeNames()) {
    if (!wanted.hasAttribute(name)) here.removeAttribute(name);
  }
  become(here, wanted);
  return true;
}

export default mounting("[data-a2-sheet]", Sheet);
