/** Elements out of names and texts. Nothing of a bundle is ever read as markup: there is no innerHTML on this page. */

/** @param {string} tag @param {Record<string, string>} attributes @param {...(Node | string)} children */
export function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map((child) => (typeof child === "string" ? plain(child) : child)));
  return element;
}

/** Text of strangers: what turns a line around, does not print or prints nothing stands as its number. @param {string} text */
export const plain = (text) =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/gu, (letter) => `\\u${(letter.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);

/** The element of this id. @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);
