/** What `element` sets beside the class: attributes, and text that is never read as HTML. */
export interface ElementOptions {
  text?: string;
  attributes?: Record<string, string>;
}

/** Makes an element with its class, attributes, text and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  options: ElementOptions = {},
  children: Node[] = [],
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  for (const [name, value] of Object.entries(options.attributes ?? {})) made.setAttribute(name, value);
  if (options.text !== undefined) made.textContent = options.text;
  made.append(...children);
  return made;
}

/** Makes a button that runs `action` when it is pressed. */
export function button(className: string, text: string, action: () => void): HTMLButtonElement {
  const made = element("button", className, { text, attributes: { type: "button" } });
  made.addEventListener("click", action);
  return made;
}

/** Gives `list` exactly these children, moving only what is out of place, so that focus survives. */
export function placeChildren(list: Element, children: readonly Element[]): void {
  const wanted = new Set<Element>(children);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, index) => {
    const current = list.children[index] ?? null;
    if (current !== child) list.insertBefore(child, current);
  });
}
