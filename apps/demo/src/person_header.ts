import { avatar, nameOf } from "./avatar";
import { button, element } from "./element";
import { isPane } from "./pane_signal";
import type { Connection, Face } from "./person";

const connectionTexts: Record<Connection, string> = {
  connecting: "Connecting…",
  connected: "Online",
  disconnected: "Offline, trying again",
  refused: "Not logged in",
  kicked: "Logged out",
};

/** The top of a person's page: who it is, how the connection stands, what waits to be read. */
export class PersonHeader {
  readonly element: HTMLElement;
  /** Says why a login was refused or ended, with the way back in. */
  readonly banner: HTMLElement;
  readonly #picture = element("div", "person-picture");
  readonly #name = element("h1", "person-name");
  readonly #peer = element("p", "person-peer");
  readonly #connection = element("span", "connection", { attributes: { "data-testid": "connection", role: "status" } });
  readonly #unread = element("span", "unread", { attributes: { "data-testid": "unread", "data-count": "0" } });
  readonly #reason = element("p", "banner-reason", { attributes: { "data-testid": "reason" } });
  readonly #login: HTMLButtonElement;

  constructor(userId: string, logIn: () => void) {
    const ownTab = element("a", "own-tab", {
      text: isPane() ? "Own tab" : "Both people",
      attributes: isPane()
        ? { href: `?user=${encodeURIComponent(userId)}`, target: "_blank", rel: "noopener" }
        : { href: "./" },
    });
    this.element = element("header", "person-header", {}, [
      this.#picture,
      element("div", "person-names", {}, [
        element("div", "person-line", {}, [this.#name, this.#unread]),
        this.#peer,
      ]),
      element("div", "person-side", {}, [this.#connection, ownTab]),
    ]);
    this.#login = button("banner-login", "Log in again", logIn);
    this.#login.dataset["testid"] = "login-again";
    this.banner = element("div", "banner", { attributes: { role: "alert" } }, [this.#reason, this.#login]);
    this.banner.hidden = true;
    this.showUnread(0);
  }

  /** Shows the person and names the peer. */
  showFaces(own: Face, peer: Face): void {
    this.#picture.replaceChildren(avatar(own));
    this.#name.textContent = nameOf(own);
    this.#peer.textContent = `talking with ${nameOf(peer)}`;
  }

  showConnection(connection: Connection, detail: string): void {
    this.#connection.dataset["state"] = connection;
    this.#connection.textContent = connectionTexts[connection];
    const isOut = connection === "refused" || connection === "kicked";
    this.banner.hidden = !isOut;
    this.#reason.textContent = detail;
  }

  showUnread(count: number): void {
    this.#unread.hidden = count === 0;
    this.#unread.dataset["count"] = String(count);
    this.#unread.replaceChildren(String(count), element("span", "visually-hidden", { text: " unread" }));
  }
}
