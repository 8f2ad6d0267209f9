import type { Entry } from "./conversation";
import { button, element, placeChildren } from "./element";
import { MessageBubble, type BubbleActions } from "./message_bubble";
import { dayKey, dayText } from "./time";

/** What the list lets a person do. */
export interface ListActions extends BubbleActions {
  loadEarlier(): Promise<void>;
}

const AT_END_PX = 60;

/** The scrolling list of messages, newest at the bottom, with days between them. */
export class MessageList {
  readonly element: HTMLElement;
  readonly #list = element("ol", "messages", { attributes: { "data-testid": "messages" } });
  readonly #empty = element("p", "messages-empty");
  readonly #earlier: HTMLButtonElement;
  readonly #actions: ListActions;
  readonly #bubbles = new Map<string, MessageBubble>();
  readonly #days = new Map<string, HTMLElement>();
  #followsEnd = true;

  constructor(actions: ListActions) {
    this.#actions = actions;
    this.#earlier = button("earlier", "Earlier messages", () => void this.#loadEarlier());
    this.#earlier.dataset["testid"] = "earlier";
    this.#earlier.hidden = true;
    this.#empty.hidden = true;
    this.element = element("div", "scroller", { attributes: { tabindex: "0", role: "region" } }, [
      this.#earlier,
      this.#empty,
      this.#list,
    ]);
    this.element.addEventListener("scroll", () => (this.#followsEnd = this.#isAtEnd()), { passive: true });
    new ResizeObserver(() => this.#keepEnd()).observe(this.element);
  }

  /** Shows these messages; the view follows the end unless the person has scrolled up. */
  show(entries: Entry[], hasEarlier: boolean, peerName: string): void {
    this.element.setAttribute("aria-label", `Messages with ${peerName}`);
    this.#earlier.hidden = !hasEarlier;
    this.#empty.hidden = entries.length > 0 || hasEarlier;
    this.#empty.textContent = `No messages yet. Say hello to ${peerName}.`;
    const children: HTMLElement[] = [];
    const days = new Set<string>();
    for (const entry of entries) {
      const key = dayKey(entry.message.time);
      if (!days.has(key)) children.push(this.#day(key, entry.message.time));
      days.add(key);
      children.push(this.#bubble(entry, peerName));
    }
    placeChildren(this.#list, children);
    this.#keepEnd();
  }

  /** Goes to the newest message, as after sending one. */
  followEnd(): void {
    this.#followsEnd = true;
    this.#keepEnd();
  }

  async #loadEarlier(): Promise<void> {
    const fromEnd = this.element.scrollHeight - this.element.scrollTop;
    this.#followsEnd = false;
    this.#earlier.disabled = true;
    this.#earlier.textContent = "Loading…";
    try {
      await this.#actions.loadEarlier();
      this.#earlier.textContent = "Earlier messages";
    } catch {
      this.#earlier.textContent = "Could not load. Try again";
    }
    this.#earlier.disabled = false;
    this.element.scrollTop = this.element.scrollHeight - fromEnd;
    if (this.#earlier.hidden) this.element.focus({ preventScroll: true });
  }

  #bubble(entry: Entry, peerName: string): HTMLElement {
    const id = entry.message.ID;
    let bubble = this.#bubbles.get(id);
    if (bubble === undefined) {
      bubble = new MessageBubble(id, this.#actions);
      this.#bubbles.set(id, bubble);
    }
    bubble.update(entry, peerName);
    return bubble.element;
  }

  #day(key: string, seconds: number): HTMLElement {
    let day = this.#days.get(key);
    if (day === undefined) {
      day = element("li", "day");
      this.#days.set(key, day);
    }
    day.textContent = dayText(seconds);
    return day;
  }

  #isAtEnd(): boolean {
    return this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight < AT_END_PX;
  }

  #keepEnd(): void {
    if (this.#followsEnd) this.element.scrollTop = this.element.scrollHeight;
  }
}
