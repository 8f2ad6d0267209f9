import { element } from "./element";
import type { Face } from "./person";

/** The name to show: the nick, or the user id of who has none. */
export function nameOf(face: Face): string {
  return face.nick || face.userId;
}

/** A round picture: the avatar of the profile, or the first letter on a colour of the account's own. */
export function avatar(face: Face): HTMLElement {
  const letter = [...nameOf(face)][0] ?? "?";
  const made = element("span", "avatar", { text: letter.toUpperCase(), attributes: { "aria-hidden": "true" } });
  made.style.setProperty("--hue", String(hueOf(face.userId)));
  if (/^https?:\/\//.test(face.avatar)) {
    const picture = element("img", "avatar-picture", { attributes: { alt: "", src: face.avatar } });
    picture.addEventListener("error", () => picture.remove());
    made.append(picture);
  }
  return made;
}

function hueOf(userId: string): number {
  let hash = 7;
  for (const letter of userId) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  return hash;
}
