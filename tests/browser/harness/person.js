/** The page of one person as a test sees it. */

const WAIT_MS_MAX = 20_000;

export class Person {
  /** @param {import('playwright-core').FrameLocator | import('playwright-core').Page} place @param {string} name */
  constructor(place, name) {
    this.place = place;
    this.name = name;
  }

  /** What carries this mark. @param {string} mark */
  part(mark) {
    return this.place.locator(`[data-testid="${mark}"]`);
  }

  /**
   * The message with exactly this text.
   * @param {string} text @param {{flow?: 'in' | 'out', state?: string}} [how]
   */
  message(text, { flow, state } = {}) {
    const flowed = flow ? `[data-flow="${flow}"]` : '';
    const stated = state ? `[data-state="${state}"]` : '';
    const messages = this.place.locator(`[data-testid="message"]${flowed}${stated}`);
    return messages.filter({ has: this.place.locator('.message-body').getByText(text, { exact: true }) });
  }

  /** The message with this identity, in this state. @param {string} id @param {string} state */
  messageWith(id, state) {
    return this.place.locator(`[data-message-id="${id}"][data-state="${state}"]`);
  }

  /** Waits until the connection is in one of these states. @param {string[]} states @param {number} [timeout] */
  async is(states, timeout = WAIT_MS_MAX) {
    const any = states.map((state) => `[data-testid="connection"][data-state="${state}"]`).join(', ');
    await this.place.locator(any).waitFor({ state: 'attached', timeout });
  }

  /** Types a text as a person does, and sends it with the key. @param {string} text */
  async say(text) {
    const field = this.part('composer');
    await field.click();
    await field.pressSequentially(text);
    await field.press('Enter');
  }

  /**
   * Waits until a message with this text is there, once.
   * @param {string} text @param {{flow?: 'in' | 'out', state?: string, timeout?: number}} [how]
   */
  async has(text, { flow, state, timeout = WAIT_MS_MAX } = {}) {
    await this.message(text, { flow, state }).waitFor({ state: 'attached', timeout });
  }

  /** The texts of all messages, oldest first. */
  async texts() {
    return this.part('message').locator('.message-body').allTextContents();
  }

  /** Identities of all messages, oldest first. */
  async ids() {
    return this.part('message').evaluateAll((all) => all.map((one) => one.dataset.messageId));
  }
}
