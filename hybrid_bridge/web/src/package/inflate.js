/**
 * Inflate (RFC 1951), strict: one whole stream, nothing after it. What browsers offer for this differs in what it lets pass.
 *
 * Codes are read bit by bit against the counts of each length, as canonical Huffman codes allow; which sets of lengths are
 * refused is what zlib refuses.
 */

import { BridgeError, fieldMalformed } from "../errors.js";

const WINDOW = 1 << 15;
const PIECE = 1 << 16; // bytes that are handed on at once, at least, but for the last ones
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCES = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
];

const broken = () => fieldMalformed("package.entries", "a deflate stream");
const WHOLE = "one whole deflate stream, nothing after it";
const notWhole = () => fieldMalformed("package.entries", WHOLE);

/** @typedef {{ counts: Uint16Array, symbols: Uint16Array, left: number }} Code `left`: codes that the set of lengths leaves unused */

/** @param {number[]} lengths @returns {Code} */
function codeOf(lengths) {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length]++;
  let left = 1;
  for (let length = 1; length < 16; length++) {
    left = 2 * left - counts[length];
    if (left < 0) throw broken();
  }
  const places = new Uint16Array(16);
  for (let length = 1; length < 15; length++) places[length + 1] = places[length] + counts[length];
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => length && (symbols[places[length]++] = symbol));
  return { counts, symbols, left: counts[0] === lengths.length ? 0 : left };
}

const FIXED = codeOf(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)));
const FIXED_DISTANCES = codeOf(Array(30).fill(5).concat(5, 5));

class Bits {
  /** @param {Uint8Array} data */
  constructor(data) {
    this.data = data;
    this.at = 0;
    this.held = 0;
    this.count = 0;
  }

  /** @param {number} need at most 13 */
  take(need) {
    while (this.count < need) {
      if (this.at === this.data.length) throw notWhole();
      this.held |= this.data[this.at++] << this.count;
      this.count += 8;
    }
    const value = this.held & ((1 << need) - 1);
    this.held >>>= need;
    this.count -= need;
    return value;
  }

  /** @param {Code} code */
  symbol({ counts, symbols }) {
    for (let [code, first, index, length] = [0, 0, 0, 1]; length < 16; length++) {
      code |= this.take(1);
      if (code - counts[length] < first) return symbols[index + code - first];
      index += counts[length];
      first = (first + counts[length]) << 1;
      code <<= 1;
    }
    throw broken();
  }
}

/**
 * Every piece is a copy: whoever stops reading stops the work. Of a stream that breaks off, or has more behind it, all that it
 * holds comes first: whether that is too much is asked before.
 * @param {Uint8Array} packed @returns {Generator<Uint8Array, void>}
 */
export function* inflated(packed) {
  const bits = new Bits(packed);
  const out = { data: new Uint8Array(WINDOW + 2 * PIECE), at: 0, begun: 0 };
  let whole = true;
  try {
    yield* blocks(bits, out);
  } catch (error) {
    if (!(error instanceof BridgeError && error.fields.rule === WHOLE)) throw error;
    whole = false;
  }
  if (out.at > out.begun) yield out.data.slice(out.begun, out.at);
  if (!whole || bits.at !== packed.length) throw notWhole();
}

/** @param {Bits} bits @param {Out} out */
function* blocks(bits, out) {
  for (let last = 0; !last; ) {
    last = bits.take(1);
    const kind = bits.take(2);
    if (kind === 3) throw broken();
    yield* kind === 0 ? stored(bits, out) : coded(bits, out, kind === 1 ? [FIXED, FIXED_DISTANCES] : codesOf(bits));
  }
}

/** @typedef {{ data: Uint8Array, at: number, begun: number }} Out `begun`: what stands before it was handed on */

/** Hand on what stands, keep a window of it. @param {Out} out */
function* handed(out) {
  if (out.at - out.begun < PIECE) return;
  yield out.data.slice(out.begun, out.at);
  out.data.copyWithin(0, out.at - WINDOW, out.at);
  out.at = out.begun = WINDOW;
}

/** @param {Bits} bits @param {Out} out */
function* stored(bits, out) {
  [bits.held, bits.count] = [0, 0];
  if (bits.at + 4 > bits.data.length) throw notWhole();
  const [a, b, c, d] = bits.data.subarray(bits.at, bits.at + 4);
  const length = a | (b << 8);
  if (length !== (~(c | (d << 8)) & 0xffff)) throw broken();
  bits.at += 4;
  if (bits.at + length > bits.data.length) throw notWhole();
  out.data.set(bits.data.subarray(bits.at, bits.at + length), out.at);
  out.at += length;
  bits.at += length;
  yield* handed(out);
}

/** The two codes that a dynamic block begins with. @param {Bits} bits @returns {[Code, Code]} */
function codesOf(bits) {
  const [literals, distances, given] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4];
  if (literals > 286 || distances > 30) throw broken();
  const short = Array(19).fill(0);
  for (let i = 0; i < given; i++) short[ORDER[i]] = bits.take(3);
  const code = codeOf(short);
  if (code.left || code.counts[0] === 19) throw broken();
  /** @type {number[]} */ const lengths = [];
  while (lengths.length < literals + distances) {
    const symbol = bits.symbol(code);
    if (symbol < 16) lengths.push(symbol);
    else lengths.push(...repeated(bits, symbol, lengths));
  }
  if (lengths.length > literals + distances || lengths[256] === 0) throw broken();
  return [usable(codeOf(lengths.slice(0, literals))), usable(codeOf(lengths.slice(literals)))];
}

/** @param {Bits} bits @param {number} symbol @param {number[]} before */
function repeated(bits, symbol, before) {
  if (symbol > 16) return Array(symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7)).fill(0);
  if (before.length === 0) throw broken();
  return Array(3 + bits.take(2)).fill(before[before.length - 1]);
}

/** Whole, or a single code of one bit. @param {Code} code */
function usable(code) {
  const used = code.symbols.length - code.counts[0];
  if (code.left && !(used === 1 && code.counts[1] === 1)) throw broken();
  return code;
}

/** @param {Bits} bits @param {Out} out @param {[Code, Code]} codes */
function* coded(bits, out, [literals, distances]) {
  for (;;) {
    const symbol = bits.symbol(literals);
    if (symbol === 256) return;
    if (symbol < 256) out.data[out.at++] = symbol;
    else copy(bits, out, symbol - 257, distances);
    yield* handed(out);
  }
}

/** @param {Bits} bits @param {Out} out @param {number} kind @param {Code} distances */
function copy(bits, out, kind, distances) {
  if (kind >= LENGTHS.length) throw broken();
  const length = LENGTHS[kind] + bits.take(LENGTH_BITS[kind]);
  const far = bits.symbol(distances);
  if (far >= DISTANCES.length) throw broken();
  const distance = DISTANCES[far] + bits.take(far < 2 ? 0 : (far >> 1) - 1);
  if (distance > out.at) throw broken();
  for (let i = 0; i < length; i++, out.at++) out.data[out.at] = out.data[out.at - distance];
}
