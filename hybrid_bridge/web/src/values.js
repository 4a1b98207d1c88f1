/** Values of fields as Python compares and writes them: what one implementation says of odd ones, the other says too. */

/** @typedef {string | number | boolean | null | undefined} Value */

/** Equal for equal values: to Python true is 1 and false is 0. @param {Value} value */
export const keyOf = (value) => (typeof value === "boolean" ? Number(value) : value);

/** How many differ. @param {Value[]} values */
export const distinct = (values) => new Set(values.map(keyOf)).size;

/** A value in a text. @param {any} value @returns {string} */
export const pyText = (value) => (typeof value === "string" ? value : pyRepr(value));

/** @param {any} value @returns {string} */
function pyRepr(value) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(pyRepr).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, held]) => `${quoted(key)}: ${pyRepr(held)}`).join(", ")}}`;
  return String(value);
}

/** @param {string} text */
function quoted(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll("\\", "\\\\").replaceAll(mark, `\\${mark}`);
  return mark + escaped.replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t") + mark;
}

/** What Python takes for true. @param {any} value */
export const isTrue = (value) =>
  Boolean(value) && (typeof value !== "object" || (Array.isArray(value) ? value : Object.keys(value)).length > 0);
