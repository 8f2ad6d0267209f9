import TencentCloudChat from "@tencentcloud/chat";
import type { Delivery, Entry } from "./conversation";
import { button, element } from "./element";
import { clockText, isoText } from "./time";

/** What a person can do with a message. */
export interface BubbleActions {
  resend(id: string): void;
  recall(id: string): void;
}

const deliveryTexts: Record<Delivery, string> = {
  sending: "Sending…",
  sent: "Sent",
  read: "Read",
  failed: "Not sent",
  recalled: "",
};

/** One message on the page. It keeps its element and updates it in place. */
export class MessageBubble {
  readonly element = element("li", "message", { attributes: { "data-testid": "message" } });
  readonly #body = element("p", "message-body", { attributes: { dir: "auto" } });
  readonly #time = element("time", "message-time");
  readonly #state = element("span", "message-state", { attributes: { "data-testid": "delivery" } });
  readonly #failure = element("p", "message-failure", { attributes: { role: "alert", "data-testid": "failure" } });
  readonly #retry: HTMLButtonElement;
  readonly #recall: HTMLButtonElement;

  constructor(id: string, actions: BubbleActions) {
    this.#retry = button("message-action", "Retry", () => actions.resend(id));
    this.#retry.dataset["testid"] = "retry";
    this.#recall = button("message-action message-recall", "Recall", () => actions.recall(id));
    this.#recall.dataset["testid"] = "recall";
    this.element.dataset["messageId"] = id;
    const foot = element("div", "message-foot", {}, [this.#recall, this.#retry, this.#time, this.#state]);
    this.element.append(element("div", "message-bubble", {}, [this.#body]), foot, this.#failure);
  }

  /** Shows the message as it is now. */
  update(entry: Entry, peerName: string): void {
    const { message, delivery } = entry;
    const isOwn = message.flow === "out";
    this.element.dataset["flow"] = isOwn ? "out" : "in";
    this.element.dataset["state"] = delivery;
    setText(this.#body, delivery === "recalled" ? recalledText(isOwn, peerName) : contentText(entry));
    setText(this.#time, clockText(message.time));
    this.#time.dateTime = isoText(message.time);
    setText(this.#state, isOwn ? deliveryTexts[delivery] : "");
    setText(this.#failure, entry.failure);
    this.#failure.hidden = entry.failure === "" || delivery === "recalled";
    setHidden(this.#retry, delivery !== "failed");
    setHidden(this.#recall, !entry.mayRecall);
    const label = `${this.#body.textContent ?? ""}`.slice(0, 40);
    this.#retry.setAttribute("aria-label", `Retry: ${label}`);
    this.#recall.setAttribute("aria-label", `Recall: ${label}`);
  }
}

/** The text of a message, or what kind of message it is where this page cannot show it. */
export function contentText({ message }: Pick<Entry, "message">): string {
  if (message.type === TencentCloudChat.TYPES.MSG_TEXT) return String(message.payload?.text ?? "");
  return kinds.get(message.type) ?? "A message this page cannot show";
}

const kinds = new Map<TencentCloudChat.TYPES, string>([
  [TencentCloudChat.TYPES.MSG_IMAGE, "A picture"],
  [TencentCloudChat.TYPES.MSG_AUDIO, "A voice message"],
  [TencentCloudChat.TYPES.MSG_VIDEO, "A video"],
  [TencentCloudChat.TYPES.MSG_FILE, "A file"],
  [TencentCloudChat.TYPES.MSG_FACE, "A sticker"],
  [TencentCloudChat.TYPES.MSG_LOCATION, "A place"],
  [TencentCloudChat.TYPES.MSG_CUSTOM, "A custom message"],
  [TencentCloudChat.TYPES.MSG_MERGER, "Forwarded messages"],
]);

function recalledText(isOwn: boolean, peerName: string): string {
  return isOwn ? "You recalled this message" : `${peerName} recalled this message`;
}

// An unchanged text must stay the same node: a new one would be announced and lose the selection.
function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

// Hiding the focused button would send the next key to nowhere; the list around it can take it.
function setHidden(node: HTMLButtonElement, hidden: boolean): void {
  if (hidden && document.activeElement === node) {
    node.closest<HTMLElement>("[role=region]")?.focus({ preventScroll: true });
  }
  node.hidden = hidden;
}
