/**
 * A ZIP file in the one shape that packages have (SPEC §14): nothing before, between or after its entries.
 *
 * It is read from a Blob, piece by piece: a package may be larger than memory. Twin: `hybrid_bridge/core/zip_container.py`.
 */

import { concat, equal, hex, latin1 } from "../bytes.js";
import { fieldMalformed, fieldMismatch, refusal, tooLong } from "../errors.js";
import { inflated } from "./inflate.js";

const FIELD = "package";
const MAX_ENTRIES = 1024;
export const MAX_UNPACKED = 2 ** 30; // bytes, all entries together
const MAX_PACKED = MAX_UNPACKED + 2 ** 24;
export const MAX_NAME = 200;
export const MAGIC = Uint8Array.of(0x50, 0x4b, 3, 4);
export const STORED = 0;
const DEFLATED = 8;
const [LOCAL, ENTRY, END] = [30, 46, 22]; // bytes of a header in front, of a line of the directory, of the end
const HARMLESS_FLAGS = 0x0806; // how hard it was deflated; that the name is UTF-8, which ASCII is
const SEGMENT = /^(?!.*\.$)[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/s;

/** @typedef {{ name: string, method: number, start: number, packed: number, size: number, crc: number }} Member */

/** @param {Blob} file @param {number} start @param {number} end */
const bytesOf = async (file, start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer());

/** Little-endian numbers at an offset. @param {Uint8Array} data */
function numbers(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return { two: (/** @type {number} */ at) => view.getUint16(at, true), four: (/** @type {number} */ at) => view.getUint32(at, true) };
}

/** The entries in the order of the file. Nothing is unpacked yet. @param {Blob} file @returns {Promise<Member[]>} */
export async function membersOf(file) {
  if (file.size > MAX_PACKED) throw tooLong(FIELD, MAX_PACKED, file.size);
  const { count, start, end } = await directoryOf(file);
  const lines = await bytesOf(file, start, Math.min(file.size, start + MAX_ENTRIES * (ENTRY + 0xffff)));
  /** @type {Member[]} */ const members = [];
  let [at, position] = [start, 0];
  for (let i = 0; i < count; i++) {
    if (at + ENTRY > end) throw refusal("Truncated", { field: "package.directory", needed: ENTRY, got: end - at });
    const length = numbers(lines).two(at - start + 28);
    const member = await memberOf(file, lines.subarray(at - start, at - start + ENTRY + length), position);
    at += ENTRY + length;
    position = member.start + member.packed;
    members.push(member);
  }
  if (at !== end) throw refusal("TrailingBytes", { field: "package.directory", count: end - at });
  requireSound(members);
  return members;
}

/** How many entries, and where the directory begins and ends: 22 bytes before the file does. @param {Blob} file */
async function directoryOf(file) {
  const end = file.size - END;
  if (end < 0) throw refusal("Truncated", { field: FIELD, needed: END, got: file.size });
  const data = await bytesOf(file, end, file.size);
  const { two, four } = numbers(data);
  const [count, size, start] = [two(10), four(12), four(16)];
  if (!equal(data.subarray(0, 4), Uint8Array.of(0x50, 0x4b, 5, 6)) || two(4) || two(6) || two(8) !== count || two(20)) {
    throw fieldMalformed("package.end", "one directory on one disk, no comment, nothing after it");
  }
  if (count < 1 || count > MAX_ENTRIES) throw tooLong("package.entries", MAX_ENTRIES, count);
  if (start + size !== end) throw fieldMalformed("package.end", "the directory fills what is between the entries and the end");
  return { count, start, end };
}

/** The entry of this line of the directory. @param {Blob} file @param {Uint8Array} line @param {number} position @returns {Promise<Member>} */
async function memberOf(file, line, position) {
  const { two, four } = numbers(line);
  const [flags, method, crc, packed, size] = [two(8), two(10), four(16), four(20), four(24)];
  if (!equal(line.subarray(0, 4), Uint8Array.of(0x50, 0x4b, 1, 2)) || two(30) || two(32) || two(34)) {
    throw fieldMalformed("package.directory", "lines without extra field or comment");
  }
  if (flags & ~HARMLESS_FLAGS || ![STORED, DEFLATED].includes(method) || (method === STORED && packed !== size)) {
    throw fieldMalformed("package.directory", "stored or deflated, not encrypted, sizes in front");
  }
  if (![0, 0o100000].includes((four(38) >>> 16) & 0o170000)) throw fieldMalformed("package.directory", "regular files alone");
  const [name, offset] = [line.subarray(ENTRY), four(42)];
  if (offset !== position) throw fieldMalformed("package.entries", "one after the other from the first byte, in order");
  const start = offset + LOCAL + two(28);
  if (start + packed > file.size) throw refusal("Truncated", { field: "package.entries", needed: start + packed, got: file.size });
  const [expected, got] = [concat(MAGIC, line.subarray(6, 32), name), await bytesOf(file, offset, start)];
  if (!equal(expected, got)) throw fieldMismatch("package.entries", hex(expected), hex(got));
  return { name: nameOf(name), method, start, packed, size, crc };
}

/** ASCII, relative, of harmless segments: no `..`, no leading dot, no empty one, none that ends in a dot. @param {Uint8Array} name */
function nameOf(name) {
  const text = latin1(name);
  if (text.length > MAX_NAME || !text.split("/").every((segment) => SEGMENT.test(segment))) {
    throw fieldMalformed("package.entries", "relative names of ASCII letters, digits and ._-");
  }
  return text;
}

/** No name twice, even where case does not count; not more than 1 GiB together. @param {Member[]} members */
function requireSound(members) {
  if (new Set(members.map((member) => member.name.toLowerCase())).size !== members.length) {
    throw fieldMalformed("package.entries", "each name once");
  }
  const total = members.reduce((sum, member) => sum + member.size, 0);
  if (total > MAX_UNPACKED) throw tooLong("package.unpacked", MAX_UNPACKED, total);
}

// ── unpacking ──────────────────────────────────────────────────────────────────────────────────────────────────────

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let i = 0; i < 8; i++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

/** @param {number} crc @param {Uint8Array} data */
function crcOf(crc, data) {
  let rest = ~crc;
  for (const byte of data) rest = CRC[(rest ^ byte) & 0xff] ^ (rest >>> 8);
  return ~rest >>> 0;
}

/**
 * What the entry unpacks to, piece by piece, never more than it says. Only who reads to the end has the whole.
 * @param {Blob} file @param {Member} member
 */
export async function* unpacked(file, { name, method, start, packed, size: said, crc: stated }) {
  let [size, crc] = [0, 0];
  const pieces = method === STORED ? piecesOf(file, start, start + packed) : inflated(await bytesOf(file, start, start + packed));
  for await (const piece of pieces) {
    [size, crc] = [size + piece.length, crcOf(crc, piece)];
    if (size > said) throw tooLong(name, said, size);
    yield piece;
  }
  if (size !== said || crc !== stated) {
    const told = (/** @type {number} */ bytes, /** @type {number} */ sum) => `${bytes} bytes, CRC ${sum.toString(16).padStart(8, "0")}`;
    throw fieldMismatch(name, told(said, stated), told(size, crc));
  }
}

/** @param {Blob} file @param {number} start @param {number} end */
async function* piecesOf(file, start, end) {
  for (let at = start; at < end; at += 1 << 20) yield await bytesOf(file, at, Math.min(end, at + (1 << 20)));
}
