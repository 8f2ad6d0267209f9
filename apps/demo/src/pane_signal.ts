/** What a pane tells the page around it. */
export interface PaneReport {
  kind: "whimbrel.pane";
  userId: string;
  name: string;
  unread: number;
}

/** What the page around tells a pane: it has just come into sight. */
export interface PaneShown {
  kind: "whimbrel.shown";
}

/** This page is one of several panes. */
export function isPane(): boolean {
  return window.parent !== window;
}

/** Reports to the page around, if there is one. */
export function report(userId: string, name: string, unread: number): void {
  const content: PaneReport = { kind: "whimbrel.pane", userId, name, unread };
  if (isPane()) window.parent.postMessage(content, location.origin);
}

/** Tells a pane that it has come into sight. */
export function tellShown(pane: HTMLIFrameElement): void {
  const content: PaneShown = { kind: "whimbrel.shown" };
  pane.contentWindow?.postMessage(content, location.origin);
}

/** Hears every signal of one kind from pages of the same origin. */
export function onSignal<Signal extends PaneReport | PaneShown>(kind: Signal["kind"], hear: (signal: Signal) => void): void {
  window.addEventListener("message", (event: MessageEvent<Signal | null>) => {
    if (event.origin === location.origin && event.data?.kind === kind) hear(event.data);
  });
}

/** A person can see this page now. A pane that another tab covers is laid out but not visible. */
export function isInSight(): boolean {
  const frame = window.frameElement;
  return document.visibilityState === "visible" && (frame === null || getComputedStyle(frame).visibility === "visible");
}
