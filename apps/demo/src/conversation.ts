import TencentCloudChat, { type ChatSDK, type Conversation as Listed, type Message } from "@tencentcloud/chat";
import { describe } from "./failure";
import type { SdkEvent } from "./person";

/** How far a message has come. What the peer sent is `sent` or `recalled`. */
export type Delivery = "sending" | "sent" | "read" | "failed" | "recalled";

/** A message of the conversation with what this page knows about it. */
export interface Entry {
  message: Message;
  delivery: Delivery;
  /** Why the last thing tried with this message did not work, or an empty text. */
  failure: string;
  /** The author may still recall it. */
  mayRecall: boolean;
}

/** What the page of a conversation wants to know. */
export interface ConversationListener {
  /** Something in `entries` or `hasEarlier` changed. */
  changed(): void;
  /** The peer sent this just now. */
  arrived(message: Message): void;
  /** How many messages of the peer wait to be read. */
  unreadChanged(count: number): void;
}

const RECALL_SECONDS_MAX = 120;

/** The one-to-one conversation with a peer: history, sending, recall and read state. */
export class Conversation {
  readonly #chat: ChatSDK;
  readonly #peer: string;
  readonly #id: string;
  readonly #listener: ConversationListener;
  readonly #messages = new Map<string, Message>();
  readonly #failures = new Map<string, string>();
  readonly #sending = new Set<string>();
  #order: string[] = [];
  #earlier: string | undefined;
  #complete = true;

  constructor(chat: ChatSDK, peer: string, listener: ConversationListener) {
    this.#chat = chat;
    this.#peer = peer;
    this.#id = `C2C${peer}`;
    this.#listener = listener;
    const { EVENT } = TencentCloudChat;
    chat.on(EVENT.MESSAGE_RECEIVED, (event: SdkEvent<Message[]>) => this.#received(event.data));
    chat.on(EVENT.MESSAGE_REVOKED, (event: SdkEvent<Message[]>) => this.#replaced(event.data));
    chat.on(EVENT.MESSAGE_MODIFIED, (event: SdkEvent<Message[]>) => this.#replaced(event.data));
    chat.on(EVENT.MESSAGE_READ_BY_PEER, (event: SdkEvent<Message[]>) => this.#replaced(event.data));
    chat.on(EVENT.CONVERSATION_LIST_UPDATED, (event: SdkEvent<Listed[]>) => this.#listed(event.data));
  }

  /** The messages known here, oldest first. */
  get entries(): Entry[] {
    return this.#order.flatMap((id) => {
      const message = this.#messages.get(id);
      return message === undefined ? [] : [this.#entry(message)];
    });
  }

  /** The server has messages before the first of `entries`. */
  get hasEarlier(): boolean {
    return !this.#complete;
  }

  /** Reads the newest page of the history. What failed to be sent stays. */
  async loadLatest(): Promise<void> {
    await this.#load(undefined);
  }

  /** Reads the page before the oldest message known here. */
  async loadEarlier(): Promise<void> {
    if (!this.#complete) await this.#load(this.#earlier);
  }

  /** Sends a text. The entry appears at once and tells how it went. */
  async send(text: string): Promise<void> {
    const message = this.#chat.createTextMessage({
      to: this.#peer,
      conversationType: TencentCloudChat.TYPES.CONV_C2C,
      payload: { text },
    });
    this.#append(message);
    await this.#deliver(message, () => this.#chat.sendMessage(message));
  }

  /** Sends again what failed, under its old identity, so that the peer gets it once. */
  async resend(id: string): Promise<void> {
    const message = this.#messages.get(id);
    if (message !== undefined) await this.#deliver(message, () => this.#chat.resendMessage(message));
  }

  /** Takes an own message back from both sides. */
  async recall(id: string): Promise<void> {
    const message = this.#messages.get(id);
    if (message === undefined) return;
    this.#failures.delete(id);
    try {
      const answer = await this.#chat.revokeMessage(message);
      this.#replaced([answer.data?.message ?? message]);
    } catch (failure) {
      this.#failures.set(id, `Not recalled: ${describe(failure)}`);
      this.#listener.changed();
    }
  }

  /** Tells the peer that everything shown here has been read. */
  async markRead(): Promise<void> {
    try {
      await this.#chat.setMessageRead({ conversationID: this.#id });
    } catch {
      // Read state is a courtesy: the next message or focus tries again.
    }
  }

  async #load(before: string | undefined): Promise<void> {
    const answer = await this.#chat.getMessageList({ conversationID: this.#id, nextReqMessageID: before ?? "" });
    const page: Message[] = answer.data.messageList;
    const ids = page.map((message) => message.ID);
    const known = new Set(ids);
    for (const message of page) this.#messages.set(message.ID, message);
    const rest = this.#order.filter((id) => !known.has(id));
    this.#order = before === undefined ? [...ids, ...rest.filter((id) => this.#belongsAfter(id, page))] : [...ids, ...rest];
    this.#earlier = answer.data.nextReqMessageID;
    this.#complete = answer.data.isCompleted || !this.#earlier;
    this.#listener.changed();
  }

  // The newest page ends the conversation, but for what the server never took and what arrived meanwhile.
  #belongsAfter(id: string, newestPage: Message[]): boolean {
    const message = this.#messages.get(id);
    if (message === undefined) return false;
    return this.#sending.has(id) || message.status === "fail" || message.time >= (newestPage.at(-1)?.time ?? 0);
  }

  async #deliver(message: Message, attempt: () => Promise<unknown>): Promise<void> {
    this.#failures.delete(message.ID);
    this.#sending.add(message.ID);
    this.#listener.changed();
    try {
      await attempt();
    } catch (failure) {
      this.#failures.set(message.ID, describe(failure));
    }
    this.#sending.delete(message.ID);
    this.#listener.changed();
  }

  #received(messages: Message[]): void {
    for (const message of messages) {
      if (message.conversationID !== this.#id) continue;
      const isNew = !this.#messages.has(message.ID);
      this.#append(message);
      if (isNew && message.flow === "in") this.#listener.arrived(message);
    }
    this.#listener.changed();
  }

  #replaced(messages: Message[]): void {
    for (const message of messages) {
      if (this.#messages.has(message.ID)) this.#messages.set(message.ID, message);
      else if (message.conversationID === this.#id && !message.isRevoked && message.isModified) this.#append(message);
    }
    this.#listener.changed();
  }

  #listed(conversations: Listed[]): void {
    const own = conversations.find((conversation) => conversation.conversationID === this.#id);
    if (own !== undefined) this.#listener.unreadChanged(own.unreadCount);
  }

  #append(message: Message): void {
    if (!this.#messages.has(message.ID)) this.#order.push(message.ID);
    this.#messages.set(message.ID, message);
  }

  #entry(message: Message): Entry {
    const delivery = this.#delivery(message);
    const failure = this.#failures.get(message.ID) ?? "";
    const age = Number(this.#chat.getServerTime()) / 1000 - message.time;
    const delivered = delivery === "sent" || delivery === "read";
    return { message, delivery, failure, mayRecall: message.flow === "out" && delivered && age < RECALL_SECONDS_MAX };
  }

  #delivery(message: Message): Delivery {
    if (message.isRevoked) return "recalled";
    if (message.flow === "in") return "sent";
    if (this.#sending.has(message.ID)) return "sending";
    if (message.status === "fail") return "failed";
    if (message.status === "unSend") return "sending";
    return message.isPeerRead ? "read" : "sent";
  }
}
