// What stands before frame.js in one script.

declare const a2Canvas: typeof import("../../../../a2core/canvas/assets/mount.js");

interface Talk {
  tell(name: string, fields: object): void;
}

declare const parcels: { when(identity: string, take: (content: unknown) => void): () => void };

declare function mounting<Data, Said>(
  selector: string,
  App: new (root: HTMLElement, talk: Talk) => { show(data: Data, said: Said | null): void; destroy(): void },
): unknown;

// What stands before the notebook's widget.js.
declare const MARKUP: string;
declare const STYLE: string;
