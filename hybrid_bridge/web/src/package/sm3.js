/** SM3 (GB/T 32905-2016, ISO/IEC 10118-3), fed piece by piece. The libraries that are vendored have none. */

import { concat } from "../bytes.js";

const START = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];

const turn = (/** @type {number} */ x, /** @type {number} */ by) => (x << by) | (x >>> (32 - by)); // shifts count modulo 32
const mixed = (/** @type {number} */ x) => x ^ turn(x, 9) ^ turn(x, 17); // P0
const spread = (/** @type {number} */ x) => x ^ turn(x, 15) ^ turn(x, 23); // P1

export class Sm3 {
  constructor() {
    this.words = Int32Array.from(START);
    this.rest = new Uint8Array(0); // of a block that is not full
    this.size = 0;
  }

  /** @param {Uint8Array} data */
  update(data) {
    this.size += data.length;
    const all = this.rest.length ? concat(this.rest, data) : data;
    const whole = all.length - (all.length % 64);
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    for (let at = 0; at < whole; at += 64) this.block(view, at);
    this.rest = all.slice(whole);
    return this;
  }

  digest() {
    const size = this.size;
    const end = new DataView(new ArrayBuffer(8));
    end.setBigUint64(0, 8n * BigInt(size));
    this.update(concat(Uint8Array.of(0x80), new Uint8Array((119 - (size % 64)) % 64), new Uint8Array(end.buffer)));
    const out = new DataView(new ArrayBuffer(32));
    this.words.forEach((word, i) => out.setInt32(4 * i, word));
    return new Uint8Array(out.buffer);
  }

  /** @param {DataView} view @param {number} at */
  block(view, at) {
    const w = new Int32Array(68);
    for (let j = 0; j < 16; j++) w[j] = view.getInt32(at + 4 * j);
    for (let j = 16; j < 68; j++) w[j] = spread(w[j - 16] ^ w[j - 9] ^ turn(w[j - 3], 15)) ^ turn(w[j - 13], 7) ^ w[j - 6];
    let [a, b, c, d, e, f, g, h] = this.words;
    for (let j = 0; j < 64; j++) {
      const first = j < 16;
      const one = turn((turn(a, 12) + e + turn(first ? 0x79cc4519 : 0x7a879d8a, j)) | 0, 7);
      const two = one ^ turn(a, 12);
      const sum = ((first ? a ^ b ^ c : (a & b) | (a & c) | (b & c)) + d + two + (w[j] ^ w[j + 4])) | 0;
      const other = ((first ? e ^ f ^ g : (e & f) | (~e & g)) + h + one + w[j]) | 0;
      [a, b, c, d, e, f, g, h] = [sum, a, turn(b, 9), c, mixed(other), e, turn(f, 19), g];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (this.words[i] ^= word));
  }
}
