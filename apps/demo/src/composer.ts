import { element } from "./element";

/** The field to write in. Enter sends, Shift and Enter make a new line. */
export class Composer {
  readonly element: HTMLFormElement;
  readonly #field = element("textarea", "composer-field", {
    attributes: { id: "composer", rows: "1", "data-testid": "composer", enterkeyhint: "send", autocomplete: "off" },
  });
  readonly #label = element("label", "visually-hidden", { attributes: { for: "composer" } });
  readonly #send = element("button", "composer-send", {
    text: "Send",
    attributes: { type: "submit", "data-testid": "send" },
  });
  readonly #onSend: (text: string) => void;
  #enabled = false;

  constructor(onSend: (text: string) => void) {
    this.#onSend = onSend;
    this.element = element("form", "composer", {}, [this.#label, this.#field, this.#send]);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("input", () => this.#refresh());
    this.#field.addEventListener("keydown", (event) => {
      // Enter may only choose a word while an input method composes it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#refresh();
  }

  /** Names the peer in the label and the hint. */
  address(peerName: string): void {
    this.#label.textContent = `Message to ${peerName}`;
    this.#field.placeholder = `Message ${peerName}`;
  }

  /** Sending makes sense only while logged in; writing always does. */
  enable(enabled: boolean): void {
    this.#enabled = enabled;
    this.#refresh();
  }

  focus(): void {
    this.#field.focus();
  }

  #submit(): void {
    const text = this.#field.value.trim();
    if (text === "" || !this.#enabled) return;
    this.#field.value = "";
    this.#refresh();
    this.#field.focus();
    this.#onSend(text);
  }

  #refresh(): void {
    this.#send.disabled = !this.#enabled || this.#field.value.trim() === "";
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}
