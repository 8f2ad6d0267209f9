import type { Configuration, PersonConfiguration } from "./configuration";
import { element } from "./element";
import { onSignal, tellShown, type PaneReport } from "./pane_signal";

interface Pane {
  frame: HTMLIFrameElement;
  tab: HTMLButtonElement;
  name: HTMLElement;
  badge: HTMLElement;
  unread: number;
}

/** All people on one page, each in a frame of their own; tabs choose one where there is no room for all. */
export class SideBySide {
  readonly #panes = new Map<string, Pane>();
  readonly #tabs = element("div", "tabs", { attributes: { role: "tablist", "aria-label": "People" } });
  readonly #server: string;

  constructor(configuration: Configuration) {
    this.#server = configuration.proxyServer;
    for (const person of configuration.people) this.#panes.set(person.userId, this.#pane(person));
    onSignal<PaneReport>("whimbrel.pane", (report) => this.#reported(report));
    this.#tabs.addEventListener("keydown", (event) => this.#moveByKey(event));
  }

  /** Puts the page in place with the first person chosen. */
  open(place: HTMLElement): void {
    place.classList.add("side-by-side");
    const panes = [...this.#panes.values()];
    this.#tabs.append(...panes.map((pane) => pane.tab));
    const top = element("header", "top", {}, [
      element("h1", "top-title", { text: "Whimbrel" }),
      element("p", "top-server", { text: "server " }, [element("code", "", { text: this.#server })]),
      this.#tabs,
    ]);
    place.replaceChildren(top, element("main", "panes", {}, panes.map((pane) => pane.frame)));
    this.#choose([...this.#panes.keys()][0] ?? "");
  }

  #pane(person: PersonConfiguration): Pane {
    const { userId } = person;
    const name = element("span", "tab-name", { text: userId });
    const badge = element("span", "unread");
    badge.hidden = true;
    const frame = element("iframe", "pane", {
      attributes: {
        id: `pane-${userId}`,
        src: `?user=${encodeURIComponent(userId)}`,
        title: `Chat of ${userId}`,
        "data-person": userId,
      },
    });
    const tab = element(
      "button",
      "tab",
      { attributes: { type: "button", role: "tab", "aria-controls": `pane-${userId}`, "data-tab": userId } },
      [name, badge],
    );
    tab.addEventListener("click", () => this.#choose(userId));
    return { frame, tab, name, badge, unread: 0 };
  }

  #choose(userId: string): void {
    for (const [id, pane] of this.#panes) {
      const isChosen = id === userId;
      pane.frame.classList.toggle("is-chosen", isChosen);
      pane.tab.setAttribute("aria-selected", String(isChosen));
      pane.tab.tabIndex = isChosen ? 0 : -1;
      if (isChosen) tellShown(pane.frame);
    }
  }

  #moveByKey(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const ids = [...this.#panes.keys()];
    const chosen = ids.findIndex((id) => this.#panes.get(id)?.tab === document.activeElement);
    const next = ids[(chosen + step + ids.length) % ids.length] ?? "";
    this.#choose(next);
    this.#panes.get(next)?.tab.focus();
    event.preventDefault();
  }

  #reported(report: PaneReport): void {
    const pane = this.#panes.get(report.userId);
    if (pane === undefined) return;
    pane.unread = report.unread;
    pane.name.textContent = report.name;
    pane.badge.hidden = report.unread === 0;
    pane.badge.replaceChildren(String(report.unread), element("span", "visually-hidden", { text: " unread" }));
    pane.frame.title = `Chat of ${report.name}`;
    const total = [...this.#panes.values()].reduce((sum, each) => sum + each.unread, 0);
    document.title = `${total > 0 ? `(${total}) ` : ""}Whimbrel demo`;
  }
}
