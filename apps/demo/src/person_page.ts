import { nameOf } from "./avatar";
import { Composer } from "./composer";
import type { Configuration, PersonConfiguration } from "./configuration";
import { Conversation } from "./conversation";
import { element } from "./element";
import { describe } from "./failure";
import { contentText } from "./message_bubble";
import { MessageList } from "./message_list";
import { isInSight, isPane, onSignal, report, type PaneShown } from "./pane_signal";
import { Person, type Connection, type Face } from "./person";
import { PersonHeader } from "./person_header";

const RECALL_CHECK_MS = 5000;

/** The page of one person: logs in and shows the conversation with the peer. */
export class PersonPage {
  readonly #person: Person;
  readonly #conversation: Conversation;
  readonly #header: PersonHeader;
  readonly #list: MessageList;
  readonly #composer: Composer;
  readonly #heard = element("p", "visually-hidden", { attributes: { "aria-live": "polite", "data-testid": "heard" } });
  readonly #trouble = element("p", "trouble", { attributes: { role: "alert" } });
  #own: Face;
  #peer: Face;
  #unread = 0;

  constructor(configuration: Configuration, settings: PersonConfiguration) {
    this.#own = { userId: settings.userId, nick: "", avatar: "" };
    this.#peer = { userId: settings.peer, nick: "", avatar: "" };
    this.#person = new Person(configuration, settings, {
      connectionChanged: (connection, detail) => this.#connectionChanged(connection, detail),
      ready: () => void this.#ready(),
      faceChanged: (face) => this.#faceChanged(face),
    });
    this.#conversation = new Conversation(this.#person.chat, settings.peer, {
      changed: () => this.#showMessages(),
      arrived: (message) => this.#arrived(contentText({ message })),
      unreadChanged: (count) => this.#unreadChanged(count),
    });
    this.#header = new PersonHeader(settings.userId, () => void this.#person.loginAgain());
    this.#list = new MessageList({
      loadEarlier: () => this.#conversation.loadEarlier(),
      resend: (id) => void this.#conversation.resend(id),
      recall: (id) => void this.#conversation.recall(id),
    });
    this.#composer = new Composer((text) => this.#send(text));
  }

  /** Puts the page in place and logs in. */
  open(place: HTMLElement): void {
    place.dataset["person"] = this.#person.userId;
    place.classList.add("person-page");
    place.classList.toggle("is-pane", isPane());
    this.#trouble.hidden = true;
    const main = element("main", "conversation", {}, [this.#trouble, this.#list.element, this.#composer.element]);
    place.replaceChildren(this.#header.element, this.#header.banner, main, this.#heard);
    this.#showFaces();
    this.#watchAttention();
    window.setInterval(() => this.#showMessages(), RECALL_CHECK_MS);
    void this.#person.login();
    if (!isPane() && matchMedia("(pointer: fine)").matches) this.#composer.focus();
  }

  async #ready(): Promise<void> {
    try {
      await this.#conversation.loadLatest();
      this.#trouble.hidden = true;
    } catch (failure) {
      this.#trouble.textContent = `Cannot read the history: ${describe(failure)}`;
      this.#trouble.hidden = false;
    }
    if (document.hasFocus()) this.#attend();
  }

  #send(text: string): void {
    this.#list.followEnd();
    void this.#conversation.send(text);
  }

  #arrived(text: string): void {
    // A new node each time: the same text twice is announced twice.
    this.#heard.replaceChildren(element("span", "", { text: `${nameOf(this.#peer)}: ${text}` }));
    this.#attend();
  }

  #watchAttention(): void {
    window.addEventListener("focus", () => this.#attend());
    document.addEventListener("visibilitychange", () => this.#attend());
    onSignal<PaneShown>("whimbrel.shown", () => this.#attend());
  }

  // Read is what a person had in sight, not what a hidden page received.
  #attend(): void {
    if (!this.#person.isReady || !isInSight()) return;
    void this.#conversation.markRead();
    this.#unreadChanged(this.#unread);
  }

  #connectionChanged(connection: Connection, detail: string): void {
    this.#header.showConnection(connection, detail);
    this.#composer.enable(this.#person.isReady);
  }

  #faceChanged(face: Face): void {
    if (face.userId === this.#own.userId) this.#own = face;
    else if (face.userId === this.#peer.userId) this.#peer = face;
    this.#showFaces();
  }

  #unreadChanged(count: number): void {
    // What arrives in sight is read at once; the SDK tells so up to a second later.
    this.#unread = isInSight() && this.#person.isReady ? 0 : count;
    this.#header.showUnread(this.#unread);
    this.#showTitle();
  }

  #showFaces(): void {
    this.#header.showFaces(this.#own, this.#peer);
    this.#composer.address(nameOf(this.#peer));
    this.#showMessages();
    this.#showTitle();
  }

  #showMessages(): void {
    this.#list.show(this.#conversation.entries, this.#conversation.hasEarlier, nameOf(this.#peer));
  }

  #showTitle(): void {
    const name = nameOf(this.#own);
    document.title = `${this.#unread > 0 ? `(${this.#unread}) ` : ""}${name} – Whimbrel demo`;
    report(this.#own.userId, name, this.#unread);
  }
}
