/** Holds what was sent apart from the components that show it, for as long as it is on the page. */
class Parcel {
  show(bytes) {
    if (bytes === this.bytes) return; // the theme has changed
    this.bytes = bytes;
    const { identity, content } = JSON.parse(new TextDecoder().decode(bytes));
    if (this.identity !== identity) this.destroy();
    Object.assign(this, { identity, content });
    parcels.hold(identity, content);
  }

  destroy() {
    parcels.drop(this.identity, this.content);
  }
}

export default mounting("[data-a2-parcel]", Parcel);
