/**
 * The shape of JSON documents: one codec for each member, strict both ways (`hybrid_bridge/core/shape.py`).
 *
 * A codec parses a JSON value or throws Malformed, and writes it back to the same JSON. Members that are not listed are
 * refused; optional ones are left out, never null (SPEC §11), and are null in the parsed value.
 */

import { characters } from "./bytes.js";
import { b64u, MAX_U64, parseB64u } from "./encoding.js";
import { fieldMalformed, tooLong } from "./errors.js";

/** @typedef {{ parse: (value: any, field: string) => any, write: (value: any) => any }} Codec */

const same = (/** @type {any} */ value) => value;

/** A string of at most `limit` characters. @param {number} limit @returns {Codec} */
export const text = (limit) => ({
  parse(value, field) {
    if (typeof value !== "string") throw fieldMalformed(field, "a string");
    if (characters(value) > limit) throw tooLong(field, limit, characters(value));
    return value;
  },
  write: same,
});

/** One of these strings. @param {...string} allowed @returns {Codec} */
export const literal = (...allowed) => ({
  parse(value, field) {
    if (typeof value !== "string" || !allowed.includes(value)) throw fieldMalformed(field, `one of ${allowed.join(", ")}`);
    return value;
  },
  write: same,
});

/** An integer from 0 to `limit`. @param {number} limit @returns {Codec} */
export const uint = (limit = MAX_U64) => ({
  parse(value, field) {
    if (typeof value !== "number" || value < 0 || value > limit) throw fieldMalformed(field, `an integer from 0 to ${limit}`);
    return value;
  },
  write: same,
});

/** Bytes as base64url text: exactly `width`, or with null at most `limit`. @param {number | null} width @param {number} limit @returns {Codec} */
export function octets(width, limit = 0) {
  const longest = width ?? limit;
  return {
    parse(value, field) {
      if (typeof value !== "string") throw fieldMalformed(field, "base64url text");
      const length = characters(value);
      if (length > Math.floor((longest * 4 + 2) / 3)) throw tooLong(field, longest, Math.floor((length * 3) / 4));
      const data = parseB64u(value, field);
      if (width !== null && data.length !== width) throw fieldMalformed(field, `exactly ${width} bytes`);
      return data;
    },
    write: b64u,
  };
}

/** At most `limit` items, in order. @param {Codec} item @param {number} limit @returns {Codec} */
export const array = (item, limit) => ({
  parse(value, field) {
    if (!Array.isArray(value)) throw fieldMalformed(field, "an array");
    if (value.length > limit) throw tooLong(field, limit, value.length);
    return value.map((inner, i) => item.parse(inner, `${field}[${i}]`));
  },
  write: (values) => values.map(item.write),
});

/** The item or null, where null is a value of its own (a registry hole). @param {Codec} item @returns {Codec} */
export const nullable = (item) => ({
  parse: (value, field) => (value === null ? null : item.parse(value, field)),
  write: (value) => (value === null ? null : item.write(value)),
});

/** @param {unknown} value */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A JSON object; members are named as in the document. `make` may refuse what no member alone can show.
 * @param {Record<string, Codec>} required @param {Record<string, Codec>} optional @param {(value: any) => any} make @returns {Codec}
 */
export function record(required, optional = {}, make = same) {
  const codecs = { ...required, ...optional };
  return {
    parse(value, field) {
      requireMembers(value, field, required, optional);
      const parsed = Object.fromEntries(Object.keys(optional).map((name) => [name, null]));
      for (const name of Object.keys(value)) parsed[name] = codecs[name].parse(value[name], `${field}.${name}`);
      return make(parsed);
    },
    write(value) {
      const shown = Object.entries(codecs).filter(([name]) => name in required || value[name] !== null);
      return Object.fromEntries(shown.map(([name, codec]) => [name, codec.write(value[name])]));
    },
  };
}

/** An object whose member `type` chooses the codec for the other members. @param {Record<string, Codec>} codecs @returns {Codec} */
export const tagged = (codecs) => ({
  parse(value, field) {
    if (!isObject(value)) throw fieldMalformed(field, "an object");
    const type = literal(...Object.keys(codecs)).parse(value.type, `${field}.type`);
    const { type: _, ...rest } = value;
    return { type, ...codecs[type].parse(rest, field) };
  },
  write: (value) => ({ type: value.type, ...codecs[value.type].write(value) }),
});

/** @param {any} value @param {string} field @param {object} required @param {object} optional */
function requireMembers(value, field, required, optional) {
  if (!isObject(value)) throw fieldMalformed(field, "an object");
  for (const name of Object.keys(required)) {
    if (!Object.hasOwn(value, name)) throw fieldMalformed(`${field}.${name}`, "required");
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(required, name) && !Object.hasOwn(optional, name)) {
      throw fieldMalformed(`${field}.${[...name].slice(0, 64).join("")}`, "no such member");
    }
  }
}
