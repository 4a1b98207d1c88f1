// bytes.js
var ENCODER = new TextEncoder();
var DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
var hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
var unhex = (text3) => Uint8Array.from(text3.match(/../g) ?? [], (pair) => parseInt(pair, 16));
function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
function compare(a, b) {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
var equal = (a, b) => a.length === b.length && compare(a, b) === 0;
var isZero = (bytes) => bytes.every((byte) => byte === 0);
var startsWith = (bytes, start) => equal(bytes.subarray(0, start.length), start);
var utf8 = (text3) => ENCODER.encode(text3);
function utf8Text(bytes) {
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
}
var latin1 = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
var isAscii = (text3) => /^[\x00-\x7f]*$/.test(text3);
var isWellFormed = (text3) => !/\p{Surrogate}/u.test(text3);
function characters(text3) {
  let count2 = 0;
  for (const _ of text3) count2++;
  return count2;
}
var compareText = (a, b) => compare(utf8(a), utf8(b));
var toBig = (bytes) => bytes.length === 0 ? 0n : BigInt(`0x${hex(bytes)}`);
var toBigLittle = (bytes) => toBig(bytes.slice().reverse());
var fromUint = (value, width) => unhex(BigInt(value).toString(16).padStart(2 * width, "0"));
var exact = (value) => value >= -MAX_BIG && value <= MAX_BIG ? Number(value) : value;
var MAX_BIG = BigInt(Number.MAX_SAFE_INTEGER);
var bitLength = (value) => BigInt(value) === 0n ? 0 : BigInt(value).toString(2).length;
var bitCount = (value) => BigInt(value).toString(2).replaceAll("0", "").length;
var pairwise = (items) => items.slice(1).map((item2, i) => [items[i], item2]);
var isAscending = (items) => pairwise(items).every(([one, next2]) => compare(one, next2) < 0);

// errors.js
var NAMES = {
  Malformed: [
    "FieldMalformed",
    "TooLong",
    "TrailingBytes",
    "Truncated",
    "NotCanonical",
    "DigestLength",
    "PathLength",
    "SizeOrder",
    "IndexBeyondSize",
    "RecordMalformed",
    "WordMalformed",
    "EntriesMalformed",
    "EntryMalformed",
    "DisclosureMalformed",
    "TerminalMalformed",
    "CertificateMalformed"
  ],
  Refuted: [
    "RootMismatch",
    "SetMismatch",
    "BelowQuorum",
    "SignatureWrong",
    "SignerUnknown",
    "HeadConflict",
    "FieldMismatch",
    "NotOmitted"
  ],
  Undecided: ["Missing", "EndpointRefused"]
};
var BRANCH = new Map(Object.entries(NAMES).flatMap(([branch, names2]) => names2.map((name) => [name, branch])));
var BridgeError = class extends Error {
  /** @param {string} name @param {Record<string, unknown>} fields */
  constructor(name, fields) {
    super(`${name}(${Object.entries(fields).map(([key, value]) => `${key}=${shown(value)}`).join(", ")})`);
    if (!BRANCH.has(name)) throw new TypeError(`no such error: ${name}`);
    this.name = name;
    this.fields = fields;
    this.branch = BRANCH.get(name) ?? "";
    this.reached = [];
    this.stoppedAt = "";
  }
};
var shown = (value) => value instanceof Uint8Array ? hex(value) : String(value);
var refusal = (name, fields = {}) => new BridgeError(name, fields);
var fieldMalformed = (field, rule) => refusal("FieldMalformed", { field, rule });
var fieldMismatch = (field, expected, got) => refusal("FieldMismatch", { field, expected: String(expected), got: String(got) });
var notCanonical = (field) => refusal("NotCanonical", { field });
var tooLong = (field, limit, got) => refusal("TooLong", { field, limit, got });
var missing = (what) => refusal("Missing", { what });
function requireSame(field, expected, got) {
  if (expected !== got) throw fieldMismatch(field, expected, got);
}

// vendor/noble.js
var U32_MASK64 = /* @__PURE__ */ (() => BigInt(2 ** 32 - 1))();
var _32n = /* @__PURE__ */ BigInt(32);
function fromBig(n, le = false) {
  if (le)
    return { h: Number(n & U32_MASK64), l: Number(n >> _32n & U32_MASK64) };
  return { h: Number(n >> _32n & U32_MASK64) | 0, l: Number(n & U32_MASK64) | 0 };
}
function split(lst, le = false) {
  const len = lst.length;
  let Ah = new Uint32Array(len);
  let Al = new Uint32Array(len);
  for (let i = 0; i < len; i++) {
    const { h, l } = fromBig(lst[i], le);
    [Ah[i], Al[i]] = [h, l];
  }
  return [Ah, Al];
}
var fromNumH = (n) => n / 2 ** 32 | 0;
var fromNumL = (n) => n >>> 0;
function setU64FromNum(view, byteOffset, n, isLE2) {
  const h = fromNumH(n);
  const l = fromNumL(n);
  view.setUint32(byteOffset, isLE2 ? l : h, isLE2);
  view.setUint32(byteOffset + 4, isLE2 ? h : l, isLE2);
}
var shrSH = (h, _l, s) => h >>> s;
var shrSL = (h, l, s) => h << 32 - s | l >>> s;
var rotrSH = (h, l, s) => h >>> s | l << 32 - s;
var rotrSL = (h, l, s) => h << 32 - s | l >>> s;
var rotrBH = (h, l, s) => h << 64 - s | l >>> s - 32;
var rotrBL = (h, l, s) => h >>> s - 32 | l << 64 - s;
function add(Ah, Al, Bh, Bl) {
  const l = (Al >>> 0) + (Bl >>> 0);
  return { h: Ah + Bh + (l / 2 ** 32 | 0) | 0, l: l | 0 };
}
var add3L = (Al, Bl, Cl) => (Al >>> 0) + (Bl >>> 0) + (Cl >>> 0);
var add3H = (low, Ah, Bh, Ch) => Ah + Bh + Ch + (low / 2 ** 32 | 0) | 0;
var add4L = (Al, Bl, Cl, Dl) => (Al >>> 0) + (Bl >>> 0) + (Cl >>> 0) + (Dl >>> 0);
var add4H = (low, Ah, Bh, Ch, Dh) => Ah + Bh + Ch + Dh + (low / 2 ** 32 | 0) | 0;
var add5L = (Al, Bl, Cl, Dl, El) => (Al >>> 0) + (Bl >>> 0) + (Cl >>> 0) + (Dl >>> 0) + (El >>> 0);
var add5H = (low, Ah, Bh, Ch, Dh, Eh) => Ah + Bh + Ch + Dh + Eh + (low / 2 ** 32 | 0) | 0;
function isBytes(a) {
  return a instanceof Uint8Array || ArrayBuffer.isView(a) && a.constructor.name === "Uint8Array" && "BYTES_PER_ELEMENT" in a && a.BYTES_PER_ELEMENT === 1;
}
var atitle = (title) => title ? `"${title}" ` : "";
function anumber(n, title = "") {
  if (typeof n !== "number")
    throw new TypeError(atitle(title) + "expected number, got " + typeof n);
  if (!Number.isSafeInteger(n) || n < 0)
    throw new RangeError(atitle(title) + "expected integer >= 0, got " + n);
  return n;
}
function abool(value, title = "") {
  if (typeof value !== "boolean")
    throw new TypeError(atitle(title) + "expected boolean, got type=" + typeof value);
  return value;
}
function abytes(value, length, title = "") {
  if (isBytes(value) && (length === void 0 || value.length === length))
    return value;
  if (length !== void 0)
    anumber(length, "length");
  const bytes = isBytes(value);
  const ofLen = length !== void 0 ? ` of length ${length}` : "";
  const got = bytes ? `length=${value.length}` : `type=${typeof value}`;
  const message2 = atitle(title) + "expected Uint8Array" + ofLen + ", got " + got;
  if (!bytes)
    throw new TypeError(message2);
  throw new RangeError(message2);
}
function ahash(h) {
  if (typeof h !== "function" || typeof h.create !== "function")
    throw new TypeError("expected hash wrapped by utils.createHasher");
  anumber(h.outputLen);
  anumber(h.blockLen);
  if (h.outputLen < 1 || h.blockLen < 1)
    throw new Error("hash blockLen / outputLen must be >= 1");
}
var aobject = (value, label) => {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new TypeError((label === "object" ? "" : `"${label}" `) + "expected object, got type=" + typeof value);
};
var aopts = (value, label) => {
  aobject(value, label);
  const proto = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== null)
    throw new TypeError(`"${label}" expected plain object`);
  if (Object.hasOwn(value, "__proto__"))
    throw new TypeError(`"${label}.__proto__" is not allowed`);
};
function aexists(instance, checkFinished = true) {
  if (instance.destroyed)
    throw new Error("hash was destroyed");
  if (checkFinished && instance.finished)
    throw new Error("digest() was already called");
}
function aoutput(out, instance) {
  abytes(out, void 0, "output");
  const min = instance.outputLen;
  if (!(out.length >= min)) {
    throw new RangeError('"output" expected length >= ' + min);
  }
}
function u32(arr) {
  return new Uint32Array(arr.buffer, arr.byteOffset, Math.floor(arr.byteLength / 4));
}
function clean(...arrays) {
  for (let i = 0; i < arrays.length; i++) {
    arrays[i].fill(0);
  }
}
function createView(arr) {
  return new DataView(arr.buffer, arr.byteOffset, arr.byteLength);
}
function rotr(word, shift) {
  return word << 32 - shift | word >>> shift;
}
function rotl(word, shift) {
  return word << shift | word >>> 32 - shift >>> 0;
}
var isLE = /* @__PURE__ */ (() => new Uint8Array(new Uint32Array([287454020]).buffer)[0] === 68)();
function byteSwap(word) {
  return word << 24 & 4278190080 | word << 8 & 16711680 | word >>> 8 & 65280 | word >>> 24 & 255;
}
function byteSwap32(arr) {
  for (let i = 0; i < arr.length; i++) {
    arr[i] = byteSwap(arr[i]);
  }
  return arr;
}
var swap32IfBE = isLE ? (u) => u : byteSwap32;
var hasHexBuiltin = /* @__PURE__ */ (() => (
  // @ts-ignore
  typeof Uint8Array.from([]).toHex === "function" && typeof Uint8Array.fromHex === "function"
))();
var hexes = /* @__PURE__ */ Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
function bytesToHex(bytes) {
  abytes(bytes);
  if (hasHexBuiltin)
    return bytes.toHex();
  let hex2 = "";
  for (let i = 0; i < bytes.length; i++) {
    hex2 += hexes[bytes[i]];
  }
  return hex2;
}
function asciiToBase16(ch) {
  return ch >= 48 && ch <= 57 ? ch - 48 : ch >= 65 && ch <= 70 ? ch - (65 - 10) : ch >= 97 && ch <= 102 ? ch - (97 - 10) : void 0;
}
function hexToBytes(hex2) {
  if (typeof hex2 !== "string")
    throw new TypeError("hex string expected, got " + typeof hex2);
  if (hasHexBuiltin) {
    try {
      return Uint8Array.fromHex(hex2);
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new RangeError(error.message);
      throw error;
    }
  }
  const hl = hex2.length;
  const al = hl / 2;
  if (hl % 2)
    throw new RangeError("hex string expected, got unpadded hex of length " + hl);
  const array2 = new Uint8Array(al);
  for (let ai = 0, hi = 0; ai < al; ai++, hi += 2) {
    const n1 = asciiToBase16(hex2.charCodeAt(hi));
    const n2 = asciiToBase16(hex2.charCodeAt(hi + 1));
    if (n1 === void 0 || n2 === void 0) {
      const char = hex2[hi] + hex2[hi + 1];
      throw new RangeError('hex string expected, got non-hex character "' + char + '" at index ' + hi);
    }
    array2[ai] = n1 * 16 + n2;
  }
  return array2;
}
function concatBytes(...arrays) {
  let sum2 = 0;
  for (let i = 0; i < arrays.length; i++) {
    const a = arrays[i];
    abytes(a);
    sum2 += a.length;
  }
  const res = new Uint8Array(sum2);
  for (let i = 0, pad = 0; i < arrays.length; i++) {
    const a = arrays[i];
    res.set(a, pad);
    pad += a.length;
  }
  return res;
}
function checkOpts(defaults, opts, title = "opts") {
  aopts(defaults, "defaults");
  if (opts !== void 0)
    aopts(opts, title);
  const merged = Object.assign(/* @__PURE__ */ Object.create(null), defaults, opts);
  return merged;
}
function createHasher(hashCons, info = {}) {
  if (typeof hashCons !== "function")
    throw new TypeError('"hashCons" expected function, got type=' + typeof hashCons);
  info = checkOpts({}, info, "info");
  const hashC = (msg, opts) => hashCons(opts).update(msg).digest();
  const tmp = hashCons(void 0);
  hashC.outputLen = tmp.outputLen;
  hashC.blockLen = tmp.blockLen;
  hashC.canXOF = tmp.canXOF;
  hashC.create = (opts) => hashCons(opts);
  Object.assign(hashC, info);
  return Object.freeze(hashC);
}
function randomBytes(bytesLength = 32) {
  anumber(bytesLength, "bytesLength");
  const cr = typeof globalThis === "object" ? globalThis.crypto : null;
  if (typeof cr?.getRandomValues !== "function")
    throw new Error("crypto.getRandomValues must be defined");
  if (bytesLength > 65536)
    throw new RangeError(`"bytesLength" expected <= 65536, got ${bytesLength}`);
  return cr.getRandomValues(new Uint8Array(bytesLength));
}
var oidNist = (suffix) => ({
  // Current NIST hashAlgs suffixes used here fit in one DER subidentifier octet.
  // Larger suffix values would need base-128 OID encoding and a different length byte.
  oid: Uint8Array.from([6, 9, 96, 134, 72, 1, 101, 3, 4, 2, suffix])
});
function Chi(a, b, c) {
  return a & b ^ ~a & c;
}
function Maj(a, b, c) {
  return a & b ^ a & c ^ b & c;
}
var HashMD = class {
  blockLen;
  outputLen;
  canXOF = false;
  padOffset;
  isLE;
  // For partial updates less than block size
  buffer;
  view;
  finished = false;
  length = 0;
  pos = 0;
  destroyed = false;
  constructor(blockLen, outputLen, padOffset, isLE2) {
    this.blockLen = blockLen;
    this.outputLen = outputLen;
    this.padOffset = padOffset;
    this.isLE = isLE2;
    this.buffer = new Uint8Array(blockLen);
    this.view = createView(this.buffer);
  }
  update(data) {
    aexists(this);
    abytes(data);
    const { view, buffer, blockLen } = this;
    const len = data.length;
    let processed = false;
    for (let pos = 0; pos < len; ) {
      const take = Math.min(blockLen - this.pos, len - pos);
      if (take === blockLen) {
        const dataView = createView(data);
        for (; blockLen <= len - pos; pos += blockLen)
          this.process(dataView, pos);
        processed = true;
        continue;
      }
      buffer.set(pos === 0 && take === len ? data : data.subarray(pos, pos + take), this.pos);
      this.pos += take;
      pos += take;
      if (this.pos === blockLen) {
        this.process(view, 0);
        this.pos = 0;
        processed = true;
      }
    }
    this.length += data.length;
    if (processed)
      this.roundClean();
    return this;
  }
  digestInto(out) {
    aexists(this);
    aoutput(out, this);
    this.finished = true;
    const { buffer, view, blockLen, isLE: isLE2 } = this;
    let { pos } = this;
    buffer[pos++] = 128;
    buffer.fill(0, pos);
    if (this.padOffset > blockLen - pos) {
      this.process(view, 0);
      buffer.fill(0);
    }
    setU64FromNum(view, blockLen - 8, this.length * 8, isLE2);
    this.process(view, 0);
    this.roundClean();
    const oview = out === buffer ? view : createView(out);
    const len = this.outputLen;
    const outLen = len / 4;
    const state = this.get();
    if (len % 4 || outLen > state.length)
      throw new Error("invalid outputLen");
    for (let i = 0; i < outLen; i++)
      oview.setUint32(4 * i, state[i], isLE2);
  }
  digest() {
    const { buffer, outputLen } = this;
    this.digestInto(buffer);
    const res = buffer.slice(0, outputLen);
    this.destroy();
    return res;
  }
  _cloneIntoMeta(to) {
    const { buffer, length, finished, destroyed, pos } = this;
    to.destroyed = destroyed;
    to.finished = finished;
    to.length = length;
    to.pos = pos;
    if (pos)
      to.buffer.set(buffer);
    return to;
  }
  clone() {
    return this._cloneInto();
  }
};
var SHA256_IV = /* @__PURE__ */ Uint32Array.from([
  1779033703,
  3144134277,
  1013904242,
  2773480762,
  1359893119,
  2600822924,
  528734635,
  1541459225
]);
var SHA224_IV = /* @__PURE__ */ Uint32Array.from([
  3238371032,
  914150663,
  812702999,
  4144912697,
  4290775857,
  1750603025,
  1694076839,
  3204075428
]);
var SHA384_IV = /* @__PURE__ */ Uint32Array.from([
  3418070365,
  3238371032,
  1654270250,
  914150663,
  2438529370,
  812702999,
  355462360,
  4144912697,
  1731405415,
  4290775857,
  2394180231,
  1750603025,
  3675008525,
  1694076839,
  1203062813,
  3204075428
]);
var SHA512_IV = /* @__PURE__ */ Uint32Array.from([
  1779033703,
  4089235720,
  3144134277,
  2227873595,
  1013904242,
  4271175723,
  2773480762,
  1595750129,
  1359893119,
  2917565137,
  2600822924,
  725511199,
  528734635,
  4215389547,
  1541459225,
  327033209
]);
var SHA256_K = /* @__PURE__ */ Uint32Array.from([
  1116352408,
  1899447441,
  3049323471,
  3921009573,
  961987163,
  1508970993,
  2453635748,
  2870763221,
  3624381080,
  310598401,
  607225278,
  1426881987,
  1925078388,
  2162078206,
  2614888103,
  3248222580,
  3835390401,
  4022224774,
  264347078,
  604807628,
  770255983,
  1249150122,
  1555081692,
  1996064986,
  2554220882,
  2821834349,
  2952996808,
  3210313671,
  3336571891,
  3584528711,
  113926993,
  338241895,
  666307205,
  773529912,
  1294757372,
  1396182291,
  1695183700,
  1986661051,
  2177026350,
  2456956037,
  2730485921,
  2820302411,
  3259730800,
  3345764771,
  3516065817,
  3600352804,
  4094571909,
  275423344,
  430227734,
  506948616,
  659060556,
  883997877,
  958139571,
  1322822218,
  1537002063,
  1747873779,
  1955562222,
  2024104815,
  2227730452,
  2361852424,
  2428436474,
  2756734187,
  3204031479,
  3329325298
]);
var SHA256_W = /* @__PURE__ */ new Uint32Array(64);
var SHA2_32B = class extends HashMD {
  // We cannot use array here since array allows indexing by variable
  // which means optimizer/compiler cannot use registers.
  // Numeric initializers matter: starting the fields as `undefined` changes
  // V8's field representation and makes sha256 3x slower (measured).
  A = 0;
  B = 0;
  C = 0;
  D = 0;
  E = 0;
  F = 0;
  G = 0;
  H = 0;
  constructor(outputLen, IV) {
    super(64, outputLen, 8, false);
    this.A = IV[0] | 0;
    this.B = IV[1] | 0;
    this.C = IV[2] | 0;
    this.D = IV[3] | 0;
    this.E = IV[4] | 0;
    this.F = IV[5] | 0;
    this.G = IV[6] | 0;
    this.H = IV[7] | 0;
  }
  get() {
    const { A, B: B2, C, D: D2, E, F: F2, G, H } = this;
    return [A, B2, C, D2, E, F2, G, H];
  }
  // prettier-ignore
  set(A, B2, C, D2, E, F2, G, H) {
    this.A = A | 0;
    this.B = B2 | 0;
    this.C = C | 0;
    this.D = D2 | 0;
    this.E = E | 0;
    this.F = F2 | 0;
    this.G = G | 0;
    this.H = H | 0;
  }
  _cloneInto(to) {
    (to ||= new this.constructor()).set(...this.get());
    return this._cloneIntoMeta(to);
  }
  process(view, offset) {
    for (let i = 0; i < 16; i++, offset += 4)
      SHA256_W[i] = view.getUint32(offset, false);
    for (let i = 16; i < 64; i++) {
      const W15 = SHA256_W[i - 15];
      const W2 = SHA256_W[i - 2];
      const s0 = rotr(W15, 7) ^ rotr(W15, 18) ^ W15 >>> 3;
      const s1 = rotr(W2, 17) ^ rotr(W2, 19) ^ W2 >>> 10;
      SHA256_W[i] = s1 + SHA256_W[i - 7] + s0 + SHA256_W[i - 16] | 0;
    }
    let { A, B: B2, C, D: D2, E, F: F2, G, H } = this;
    for (let i = 0; i < 64; i++) {
      const sigma1 = rotr(E, 6) ^ rotr(E, 11) ^ rotr(E, 25);
      const T1 = H + sigma1 + Chi(E, F2, G) + SHA256_K[i] + SHA256_W[i] | 0;
      const sigma0 = rotr(A, 2) ^ rotr(A, 13) ^ rotr(A, 22);
      const T2 = sigma0 + Maj(A, B2, C) | 0;
      H = G;
      G = F2;
      F2 = E;
      E = D2 + T1 | 0;
      D2 = C;
      C = B2;
      B2 = A;
      A = T1 + T2 | 0;
    }
    A = A + this.A | 0;
    B2 = B2 + this.B | 0;
    C = C + this.C | 0;
    D2 = D2 + this.D | 0;
    E = E + this.E | 0;
    F2 = F2 + this.F | 0;
    G = G + this.G | 0;
    H = H + this.H | 0;
    this.set(A, B2, C, D2, E, F2, G, H);
  }
  roundClean() {
    clean(SHA256_W);
  }
  destroy() {
    this.destroyed = true;
    this.set(0, 0, 0, 0, 0, 0, 0, 0);
    clean(this.buffer);
  }
};
var _SHA256 = class extends SHA2_32B {
  constructor() {
    super(32, SHA256_IV);
  }
};
var _SHA224 = class extends SHA2_32B {
  constructor() {
    super(28, SHA224_IV);
  }
};
var K512 = /* @__PURE__ */ (() => split([
  "0x428a2f98d728ae22",
  "0x7137449123ef65cd",
  "0xb5c0fbcfec4d3b2f",
  "0xe9b5dba58189dbbc",
  "0x3956c25bf348b538",
  "0x59f111f1b605d019",
  "0x923f82a4af194f9b",
  "0xab1c5ed5da6d8118",
  "0xd807aa98a3030242",
  "0x12835b0145706fbe",
  "0x243185be4ee4b28c",
  "0x550c7dc3d5ffb4e2",
  "0x72be5d74f27b896f",
  "0x80deb1fe3b1696b1",
  "0x9bdc06a725c71235",
  "0xc19bf174cf692694",
  "0xe49b69c19ef14ad2",
  "0xefbe4786384f25e3",
  "0x0fc19dc68b8cd5b5",
  "0x240ca1cc77ac9c65",
  "0x2de92c6f592b0275",
  "0x4a7484aa6ea6e483",
  "0x5cb0a9dcbd41fbd4",
  "0x76f988da831153b5",
  "0x983e5152ee66dfab",
  "0xa831c66d2db43210",
  "0xb00327c898fb213f",
  "0xbf597fc7beef0ee4",
  "0xc6e00bf33da88fc2",
  "0xd5a79147930aa725",
  "0x06ca6351e003826f",
  "0x142929670a0e6e70",
  "0x27b70a8546d22ffc",
  "0x2e1b21385c26c926",
  "0x4d2c6dfc5ac42aed",
  "0x53380d139d95b3df",
  "0x650a73548baf63de",
  "0x766a0abb3c77b2a8",
  "0x81c2c92e47edaee6",
  "0x92722c851482353b",
  "0xa2bfe8a14cf10364",
  "0xa81a664bbc423001",
  "0xc24b8b70d0f89791",
  "0xc76c51a30654be30",
  "0xd192e819d6ef5218",
  "0xd69906245565a910",
  "0xf40e35855771202a",
  "0x106aa07032bbd1b8",
  "0x19a4c116b8d2d0c8",
  "0x1e376c085141ab53",
  "0x2748774cdf8eeb99",
  "0x34b0bcb5e19b48a8",
  "0x391c0cb3c5c95a63",
  "0x4ed8aa4ae3418acb",
  "0x5b9cca4f7763e373",
  "0x682e6ff3d6b2b8a3",
  "0x748f82ee5defb2fc",
  "0x78a5636f43172f60",
  "0x84c87814a1f0ab72",
  "0x8cc702081a6439ec",
  "0x90befffa23631e28",
  "0xa4506cebde82bde9",
  "0xbef9a3f7b2c67915",
  "0xc67178f2e372532b",
  "0xca273eceea26619c",
  "0xd186b8c721c0c207",
  "0xeada7dd6cde0eb1e",
  "0xf57d4f7fee6ed178",
  "0x06f067aa72176fba",
  "0x0a637dc5a2c898a6",
  "0x113f9804bef90dae",
  "0x1b710b35131c471b",
  "0x28db77f523047d84",
  "0x32caab7b40c72493",
  "0x3c9ebe0a15c9bebc",
  "0x431d67c49c100d4c",
  "0x4cc5d4becb3e42b6",
  "0x597f299cfc657e2a",
  "0x5fcb6fab3ad6faec",
  "0x6c44198c4a475817"
].map((n) => BigInt(n))))();
var SHA512_Kh = /* @__PURE__ */ (() => K512[0])();
var SHA512_Kl = /* @__PURE__ */ (() => K512[1])();
var SHA512_W_H = /* @__PURE__ */ new Uint32Array(80);
var SHA512_W_L = /* @__PURE__ */ new Uint32Array(80);
var SHA2_64B = class extends HashMD {
  // We cannot use array here since array allows indexing by variable
  // which means optimizer/compiler cannot use registers.
  // h -- high 32 bits, l -- low 32 bits
  // Numeric initializers matter: starting the fields as `undefined` changes
  // V8's field representation and slows hashing down (measured on sha256).
  Ah = 0;
  Al = 0;
  Bh = 0;
  Bl = 0;
  Ch = 0;
  Cl = 0;
  Dh = 0;
  Dl = 0;
  Eh = 0;
  El = 0;
  Fh = 0;
  Fl = 0;
  Gh = 0;
  Gl = 0;
  Hh = 0;
  Hl = 0;
  constructor(outputLen, IV) {
    super(128, outputLen, 16, false);
    this.Ah = IV[0] | 0;
    this.Al = IV[1] | 0;
    this.Bh = IV[2] | 0;
    this.Bl = IV[3] | 0;
    this.Ch = IV[4] | 0;
    this.Cl = IV[5] | 0;
    this.Dh = IV[6] | 0;
    this.Dl = IV[7] | 0;
    this.Eh = IV[8] | 0;
    this.El = IV[9] | 0;
    this.Fh = IV[10] | 0;
    this.Fl = IV[11] | 0;
    this.Gh = IV[12] | 0;
    this.Gl = IV[13] | 0;
    this.Hh = IV[14] | 0;
    this.Hl = IV[15] | 0;
  }
  // prettier-ignore
  get() {
    const { Ah, Al, Bh, Bl, Ch, Cl, Dh, Dl, Eh, El, Fh, Fl, Gh, Gl, Hh, Hl } = this;
    return [Ah, Al, Bh, Bl, Ch, Cl, Dh, Dl, Eh, El, Fh, Fl, Gh, Gl, Hh, Hl];
  }
  // prettier-ignore
  set(Ah, Al, Bh, Bl, Ch, Cl, Dh, Dl, Eh, El, Fh, Fl, Gh, Gl, Hh, Hl) {
    this.Ah = Ah | 0;
    this.Al = Al | 0;
    this.Bh = Bh | 0;
    this.Bl = Bl | 0;
    this.Ch = Ch | 0;
    this.Cl = Cl | 0;
    this.Dh = Dh | 0;
    this.Dl = Dl | 0;
    this.Eh = Eh | 0;
    this.El = El | 0;
    this.Fh = Fh | 0;
    this.Fl = Fl | 0;
    this.Gh = Gh | 0;
    this.Gl = Gl | 0;
    this.Hh = Hh | 0;
    this.Hl = Hl | 0;
  }
  _cloneInto(to) {
    (to ||= new this.constructor()).set(...this.get());
    return this._cloneIntoMeta(to);
  }
  process(view, offset) {
    for (let i = 0; i < 16; i++, offset += 4) {
      SHA512_W_H[i] = view.getUint32(offset);
      SHA512_W_L[i] = view.getUint32(offset += 4);
    }
    for (let i = 16; i < 80; i++) {
      const W15h = SHA512_W_H[i - 15] | 0;
      const W15l = SHA512_W_L[i - 15] | 0;
      const s0h = rotrSH(W15h, W15l, 1) ^ rotrSH(W15h, W15l, 8) ^ shrSH(W15h, W15l, 7);
      const s0l = rotrSL(W15h, W15l, 1) ^ rotrSL(W15h, W15l, 8) ^ shrSL(W15h, W15l, 7);
      const W2h = SHA512_W_H[i - 2] | 0;
      const W2l = SHA512_W_L[i - 2] | 0;
      const s1h = rotrSH(W2h, W2l, 19) ^ rotrBH(W2h, W2l, 61) ^ shrSH(W2h, W2l, 6);
      const s1l = rotrSL(W2h, W2l, 19) ^ rotrBL(W2h, W2l, 61) ^ shrSL(W2h, W2l, 6);
      const SUMl = add4L(s0l, s1l, SHA512_W_L[i - 7], SHA512_W_L[i - 16]);
      const SUMh = add4H(SUMl, s0h, s1h, SHA512_W_H[i - 7], SHA512_W_H[i - 16]);
      SHA512_W_H[i] = SUMh | 0;
      SHA512_W_L[i] = SUMl | 0;
    }
    let { Ah, Al, Bh, Bl, Ch, Cl, Dh, Dl, Eh, El, Fh, Fl, Gh, Gl, Hh, Hl } = this;
    for (let i = 0; i < 80; i++) {
      const sigma1h = rotrSH(Eh, El, 14) ^ rotrSH(Eh, El, 18) ^ rotrBH(Eh, El, 41);
      const sigma1l = rotrSL(Eh, El, 14) ^ rotrSL(Eh, El, 18) ^ rotrBL(Eh, El, 41);
      const CHIh = Eh & Fh ^ ~Eh & Gh;
      const CHIl = El & Fl ^ ~El & Gl;
      const T1ll = add5L(Hl, sigma1l, CHIl, SHA512_Kl[i], SHA512_W_L[i]);
      const T1h = add5H(T1ll, Hh, sigma1h, CHIh, SHA512_Kh[i], SHA512_W_H[i]);
      const T1l = T1ll | 0;
      const sigma0h = rotrSH(Ah, Al, 28) ^ rotrBH(Ah, Al, 34) ^ rotrBH(Ah, Al, 39);
      const sigma0l = rotrSL(Ah, Al, 28) ^ rotrBL(Ah, Al, 34) ^ rotrBL(Ah, Al, 39);
      const MAJh = Ah & Bh ^ Ah & Ch ^ Bh & Ch;
      const MAJl = Al & Bl ^ Al & Cl ^ Bl & Cl;
      Hh = Gh | 0;
      Hl = Gl | 0;
      Gh = Fh | 0;
      Gl = Fl | 0;
      Fh = Eh | 0;
      Fl = El | 0;
      ({ h: Eh, l: El } = add(Dh | 0, Dl | 0, T1h | 0, T1l | 0));
      Dh = Ch | 0;
      Dl = Cl | 0;
      Ch = Bh | 0;
      Cl = Bl | 0;
      Bh = Ah | 0;
      Bl = Al | 0;
      const All = add3L(T1l, sigma0l, MAJl);
      Ah = add3H(All, T1h, sigma0h, MAJh);
      Al = All | 0;
    }
    ({ h: Ah, l: Al } = add(this.Ah | 0, this.Al | 0, Ah | 0, Al | 0));
    ({ h: Bh, l: Bl } = add(this.Bh | 0, this.Bl | 0, Bh | 0, Bl | 0));
    ({ h: Ch, l: Cl } = add(this.Ch | 0, this.Cl | 0, Ch | 0, Cl | 0));
    ({ h: Dh, l: Dl } = add(this.Dh | 0, this.Dl | 0, Dh | 0, Dl | 0));
    ({ h: Eh, l: El } = add(this.Eh | 0, this.El | 0, Eh | 0, El | 0));
    ({ h: Fh, l: Fl } = add(this.Fh | 0, this.Fl | 0, Fh | 0, Fl | 0));
    ({ h: Gh, l: Gl } = add(this.Gh | 0, this.Gl | 0, Gh | 0, Gl | 0));
    ({ h: Hh, l: Hl } = add(this.Hh | 0, this.Hl | 0, Hh | 0, Hl | 0));
    this.set(Ah, Al, Bh, Bl, Ch, Cl, Dh, Dl, Eh, El, Fh, Fl, Gh, Gl, Hh, Hl);
  }
  roundClean() {
    clean(SHA512_W_H, SHA512_W_L);
  }
  destroy() {
    this.destroyed = true;
    clean(this.buffer);
    this.set(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }
};
var _SHA512 = class extends SHA2_64B {
  constructor() {
    super(64, SHA512_IV);
  }
};
var _SHA384 = class extends SHA2_64B {
  constructor() {
    super(48, SHA384_IV);
  }
};
var sha256 = /* @__PURE__ */ createHasher(
  () => new _SHA256(),
  /* @__PURE__ */ oidNist(1)
);
var sha224 = /* @__PURE__ */ createHasher(
  () => new _SHA224(),
  /* @__PURE__ */ oidNist(4)
);
var sha512 = /* @__PURE__ */ createHasher(
  () => new _SHA512(),
  /* @__PURE__ */ oidNist(3)
);
var sha384 = /* @__PURE__ */ createHasher(
  () => new _SHA384(),
  /* @__PURE__ */ oidNist(2)
);
var _0n = BigInt(0);
var _1n = BigInt(1);
var _2n = BigInt(2);
var _7n = BigInt(7);
var _256n = BigInt(256);
var _0x71n = BigInt(113);
var SHA3_PI = [];
var SHA3_ROTL = [];
var _SHA3_IOTA = [];
for (let round = 0, R = _1n, x = 1, y = 0; round < 24; round++) {
  [x, y] = [y, (2 * x + 3 * y) % 5];
  SHA3_PI.push(2 * (5 * y + x));
  SHA3_ROTL.push((round + 1) * (round + 2) / 2 % 64);
  let t = _0n;
  for (let j = 0; j < 7; j++) {
    R = (R << _1n ^ (R >> _7n) * _0x71n) % _256n;
    if (R & _2n)
      t ^= _1n << (_1n << BigInt(j)) - _1n;
  }
  _SHA3_IOTA.push(t);
}
var IOTAS = split(_SHA3_IOTA, true);
var SHA3_IOTA_H = IOTAS[0];
var SHA3_IOTA_L = IOTAS[1];
var rotlSH = (h, l, s) => h << s | l >>> 32 - s;
var rotlSL = (h, l, s) => l << s | h >>> 32 - s;
var rotlBH = (h, l, s) => l << s - 32 | h >>> 64 - s;
var rotlBL = (h, l, s) => h << s - 32 | l >>> 64 - s;
var rotlH = (h, l, s) => s > 32 ? rotlBH(h, l, s) : rotlSH(h, l, s);
var rotlL = (h, l, s) => s > 32 ? rotlBL(h, l, s) : rotlSL(h, l, s);
var B = new Uint32Array(5 * 2);
function keccakP(s, rounds = 24) {
  if (!(s instanceof Uint32Array))
    throw new TypeError('"s" expected Uint32Array(50), got type=' + typeof s);
  if (s.length !== 50)
    throw new RangeError('"s" expected Uint32Array(50), got length=' + s.length);
  anumber(rounds, "rounds");
  if (rounds < 1 || rounds > 24)
    throw new Error('"rounds" expected integer 1..24');
  for (let round = 24 - rounds; round < 24; round++) {
    for (let x = 0; x < 10; x++)
      B[x] = s[x] ^ s[x + 10] ^ s[x + 20] ^ s[x + 30] ^ s[x + 40];
    for (let x = 0; x < 10; x += 2) {
      const idx1 = (x + 8) % 10;
      const idx0 = (x + 2) % 10;
      const B0 = B[idx0];
      const B1 = B[idx0 + 1];
      const Th = rotlH(B0, B1, 1) ^ B[idx1];
      const Tl = rotlL(B0, B1, 1) ^ B[idx1 + 1];
      for (let y = 0; y < 50; y += 10) {
        s[x + y] ^= Th;
        s[x + y + 1] ^= Tl;
      }
    }
    let curH = s[2];
    let curL = s[3];
    for (let t = 0; t < 24; t++) {
      const shift = SHA3_ROTL[t];
      const Th = rotlH(curH, curL, shift);
      const Tl = rotlL(curH, curL, shift);
      const PI = SHA3_PI[t];
      curH = s[PI];
      curL = s[PI + 1];
      s[PI] = Th;
      s[PI + 1] = Tl;
    }
    for (let y = 0; y < 50; y += 10) {
      const b0 = s[y], b1 = s[y + 1], b2 = s[y + 2], b3 = s[y + 3];
      s[y] ^= ~s[y + 2] & s[y + 4];
      s[y + 1] ^= ~s[y + 3] & s[y + 5];
      s[y + 2] ^= ~s[y + 4] & s[y + 6];
      s[y + 3] ^= ~s[y + 5] & s[y + 7];
      s[y + 4] ^= ~s[y + 6] & s[y + 8];
      s[y + 5] ^= ~s[y + 7] & s[y + 9];
      s[y + 6] ^= ~s[y + 8] & b0;
      s[y + 7] ^= ~s[y + 9] & b1;
      s[y + 8] ^= ~b0 & b2;
      s[y + 9] ^= ~b1 & b3;
    }
    s[0] ^= SHA3_IOTA_H[round];
    s[1] ^= SHA3_IOTA_L[round];
  }
  clean(B);
}
var Keccak = class _Keccak {
  state;
  pos = 0;
  posOut = 0;
  finished = false;
  state32;
  destroyed = false;
  blockLen;
  suffix;
  outputLen;
  canXOF;
  enableXOF = false;
  rounds;
  // NOTE: we accept arguments in bytes instead of bits here.
  constructor(blockLen, suffix, outputLen, enableXOF = false, rounds = 24) {
    anumber(blockLen, "blockLen");
    anumber(suffix, "suffix");
    anumber(rounds, "rounds");
    abool(enableXOF, "enableXOF");
    this.blockLen = blockLen;
    this.suffix = suffix;
    this.outputLen = outputLen;
    this.enableXOF = enableXOF;
    this.canXOF = enableXOF;
    this.rounds = rounds;
    anumber(outputLen, "outputLen");
    if (!(0 < blockLen && blockLen < 200))
      throw new Error('"blockLen" must be 1..199');
    this.state = new Uint8Array(200);
    this.state32 = u32(this.state);
  }
  clone() {
    return this._cloneInto();
  }
  keccak() {
    swap32IfBE(this.state32);
    keccakP(this.state32, this.rounds);
    swap32IfBE(this.state32);
    this.posOut = 0;
    this.pos = 0;
  }
  update(data) {
    aexists(this);
    abytes(data);
    const { blockLen, state, state32 } = this;
    const len = data.length;
    const canUseU32 = blockLen % 4 === 0 && data.byteOffset % 4 === 0;
    const blockLen32 = blockLen / 4;
    const data32 = canUseU32 && len >= blockLen ? u32(data) : void 0;
    for (let pos = 0; pos < len; ) {
      if (data32 !== void 0 && this.pos === 0 && pos % 4 === 0 && len - pos >= blockLen) {
        for (let i = 0, o = pos / 4; i < blockLen32; i++)
          state32[i] ^= data32[o + i];
        pos += blockLen;
        this.pos = blockLen;
        this.keccak();
        continue;
      }
      const take = Math.min(blockLen - this.pos, len - pos);
      for (let i = 0; i < take; i++)
        state[this.pos++] ^= data[pos++];
      if (this.pos === blockLen)
        this.keccak();
    }
    return this;
  }
  finish() {
    if (this.finished)
      return;
    this.finished = true;
    const { state, suffix, pos, blockLen } = this;
    state[pos] ^= suffix;
    if ((suffix & 128) !== 0 && pos === blockLen - 1)
      this.keccak();
    state[blockLen - 1] ^= 128;
    this.keccak();
  }
  writeInto(out) {
    aexists(this, false);
    abytes(out);
    this.finish();
    const bufferOut = this.state;
    const { blockLen } = this;
    for (let pos = 0, len = out.length; pos < len; ) {
      if (this.posOut >= blockLen)
        this.keccak();
      const take = Math.min(blockLen - this.posOut, len - pos);
      out.set(bufferOut.subarray(this.posOut, this.posOut + take), pos);
      this.posOut += take;
      pos += take;
    }
    return out;
  }
  xofInto(out) {
    if (!this.enableXOF)
      throw new Error("XOF is not enabled");
    return this.writeInto(out);
  }
  xof(bytes) {
    anumber(bytes);
    return this.xofInto(new Uint8Array(bytes));
  }
  digestInto(out) {
    aoutput(out, this);
    if (this.finished)
      throw new Error("digest() was already called");
    this.writeInto(out.length === this.outputLen ? out : out.subarray(0, this.outputLen));
    this.destroy();
  }
  digest() {
    const out = new Uint8Array(this.outputLen);
    this.digestInto(out);
    return out;
  }
  destroy() {
    this.destroyed = true;
    clean(this.state);
  }
  _cloneInto(to) {
    const { blockLen, suffix, outputLen, rounds, enableXOF } = this;
    to ||= new _Keccak(blockLen, suffix, outputLen, enableXOF, rounds);
    to.blockLen = blockLen;
    to.state32.set(this.state32);
    to.pos = this.pos;
    to.posOut = this.posOut;
    to.finished = this.finished;
    to.rounds = rounds;
    to.suffix = suffix;
    to.outputLen = outputLen;
    to.enableXOF = enableXOF;
    to.canXOF = this.canXOF;
    to.destroyed = this.destroyed;
    return to;
  }
};
var genKeccak = (suffix, blockLen, outputLen, info = {}) => createHasher(() => new Keccak(blockLen, suffix, outputLen), info);
var sha3_224 = /* @__PURE__ */ genKeccak(
  6,
  144,
  28,
  /* @__PURE__ */ oidNist(7)
);
var sha3_256 = /* @__PURE__ */ genKeccak(
  6,
  136,
  32,
  /* @__PURE__ */ oidNist(8)
);
var sha3_384 = /* @__PURE__ */ genKeccak(
  6,
  104,
  48,
  /* @__PURE__ */ oidNist(9)
);
var sha3_512 = /* @__PURE__ */ genKeccak(
  6,
  72,
  64,
  /* @__PURE__ */ oidNist(10)
);
var keccak_256 = /* @__PURE__ */ genKeccak(1, 136, 32);
var genShake = (suffix, blockLen, outputLen, info = {}) => createHasher((opts = {}) => {
  opts = checkOpts({}, opts);
  return new Keccak(blockLen, suffix, opts.dkLen === void 0 ? outputLen : opts.dkLen, true);
}, info);
var shake128 = /* @__PURE__ */ genShake(31, 168, 16, /* @__PURE__ */ oidNist(11));
var shake256 = /* @__PURE__ */ genShake(31, 136, 32, /* @__PURE__ */ oidNist(12));
var SHA1_IV = /* @__PURE__ */ Uint32Array.from([
  1732584193,
  4023233417,
  2562383102,
  271733878,
  3285377520
]);
var SHA1_W = /* @__PURE__ */ new Uint32Array(80);
var _SHA1 = class extends HashMD {
  A = SHA1_IV[0] | 0;
  B = SHA1_IV[1] | 0;
  C = SHA1_IV[2] | 0;
  D = SHA1_IV[3] | 0;
  E = SHA1_IV[4] | 0;
  constructor() {
    super(64, 20, 8, false);
  }
  get() {
    const { A, B: B2, C, D: D2, E } = this;
    return [A, B2, C, D2, E];
  }
  set(A, B2, C, D2, E) {
    this.A = A | 0;
    this.B = B2 | 0;
    this.C = C | 0;
    this.D = D2 | 0;
    this.E = E | 0;
  }
  _cloneInto(to) {
    (to ||= new this.constructor()).set(...this.get());
    return this._cloneIntoMeta(to);
  }
  process(view, offset) {
    for (let i = 0; i < 16; i++, offset += 4)
      SHA1_W[i] = view.getUint32(offset, false);
    for (let i = 16; i < 80; i++)
      SHA1_W[i] = rotl(SHA1_W[i - 3] ^ SHA1_W[i - 8] ^ SHA1_W[i - 14] ^ SHA1_W[i - 16], 1);
    let { A, B: B2, C, D: D2, E } = this;
    for (let i = 0; i < 80; i++) {
      let F2, K;
      if (i < 20) {
        F2 = Chi(B2, C, D2);
        K = 1518500249;
      } else if (i < 40) {
        F2 = B2 ^ C ^ D2;
        K = 1859775393;
      } else if (i < 60) {
        F2 = Maj(B2, C, D2);
        K = 2400959708;
      } else {
        F2 = B2 ^ C ^ D2;
        K = 3395469782;
      }
      const T = rotl(A, 5) + F2 + E + K + SHA1_W[i] | 0;
      E = D2;
      D2 = C;
      C = rotl(B2, 30);
      B2 = A;
      A = T;
    }
    A = A + this.A | 0;
    B2 = B2 + this.B | 0;
    C = C + this.C | 0;
    D2 = D2 + this.D | 0;
    E = E + this.E | 0;
    this.set(A, B2, C, D2, E);
  }
  roundClean() {
    clean(SHA1_W);
  }
  destroy() {
    this.destroyed = true;
    this.set(0, 0, 0, 0, 0);
    clean(this.buffer);
  }
};
var sha1 = /* @__PURE__ */ createHasher(() => new _SHA1());
var _HMAC = class {
  oHash;
  iHash;
  blockLen;
  outputLen;
  canXOF = false;
  finished = false;
  destroyed = false;
  constructor(hash, key) {
    ahash(hash);
    abytes(key, void 0, "key");
    this.iHash = hash.create();
    if (typeof this.iHash.update !== "function")
      throw new Error("expected Hash instance");
    this.blockLen = this.iHash.blockLen;
    this.outputLen = this.iHash.outputLen;
    const blockLen = this.blockLen;
    const pad = new Uint8Array(blockLen);
    pad.set(key.length > blockLen ? hash.create().update(key).digest() : key);
    for (let i = 0; i < pad.length; i++)
      pad[i] ^= 54;
    this.iHash.update(pad);
    this.oHash = hash.create();
    for (let i = 0; i < pad.length; i++)
      pad[i] ^= 54 ^ 92;
    this.oHash.update(pad);
    clean(pad);
  }
  update(buf) {
    aexists(this);
    this.iHash.update(buf);
    return this;
  }
  digestInto(out) {
    aexists(this);
    aoutput(out, this);
    this.finished = true;
    const buf = out.subarray(0, this.outputLen);
    this.iHash.digestInto(buf);
    this.oHash.update(buf);
    this.oHash.digestInto(buf);
    this.destroy();
  }
  digest() {
    const out = new Uint8Array(this.oHash.outputLen);
    this.digestInto(out);
    return out;
  }
  _cloneInto(to) {
    to ||= Object.create(Object.getPrototypeOf(this), {});
    const { oHash, iHash, finished, destroyed, blockLen, outputLen, canXOF } = this;
    to = to;
    to.finished = finished;
    to.destroyed = destroyed;
    to.blockLen = blockLen;
    to.outputLen = outputLen;
    to.canXOF = canXOF;
    to.oHash = oHash._cloneInto(to.oHash);
    to.iHash = iHash._cloneInto(to.iHash);
    return to;
  }
  clone() {
    return this._cloneInto();
  }
  destroy() {
    this.destroyed = true;
    this.oHash.destroy();
    this.iHash.destroy();
  }
};
var hmac = /* @__PURE__ */ (() => {
  const hmac_ = ((hash, key, message2) => new _HMAC(hash, key).update(message2).digest());
  hmac_.create = (hash, key) => new _HMAC(hash, key);
  return hmac_;
})();
/*! noble-curves - MIT License (c) 2022 Paul Miller (paulmillr.com) */
function aarray(item2, title, inner = () => {
}) {
  if (!Array.isArray(item2))
    throw new TypeError(`"${title}" expected array, got type=${typeof item2}`);
  for (let i = 0; i < item2.length; i++)
    inner(item2[i], `${title}[${i}]`);
  return item2;
}
var abytes2 = (value, length, title) => abytes(value, length, title);
var anumber2 = anumber;
function astring(value, title = "") {
  if (typeof value !== "string") {
    const prefix2 = title && `"${title}" `;
    throw new TypeError(prefix2 + "expected string, got type=" + typeof value);
  }
  return value;
}
function aobject2(value, title = "object") {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new TypeError(title === "object" ? "expected valid options object" : `"${title}" expected object, got type=${typeof value}`);
  return value;
}
function afunction(value, title) {
  if (typeof value !== "function")
    throw new TypeError(`"${title}" is invalid: expected function, got ${typeof value}`);
  return value;
}
var bytesToHex2 = bytesToHex;
var concatBytes2 = (...arrays) => concatBytes(...arrays);
var hexToBytes2 = (hex2) => hexToBytes(hex2);
var isBytes2 = isBytes;
var randomBytes2 = (bytesLength) => randomBytes(bytesLength);
var _0n2 = /* @__PURE__ */ BigInt(0);
var _1n2 = /* @__PURE__ */ BigInt(1);
var atitle2 = (title) => title ? `"${title}" ` : "";
function abool2(value, title = "") {
  if (typeof value !== "boolean")
    throw new TypeError(atitle2(title) + "expected boolean, got type=" + typeof value);
  return value;
}
function abignumber(n) {
  if (typeof n === "bigint") {
    if (!isPosBig(n))
      throw new RangeError("positive bigint expected, got " + n);
  } else
    anumber2(n);
  return n;
}
function asafenumber(value, title = "") {
  if (typeof value !== "number") {
    const prefix2 = title && `"${title}" `;
    throw new TypeError(prefix2 + "expected number, got type=" + typeof value);
  }
  if (!Number.isSafeInteger(value)) {
    const prefix2 = title && `"${title}" `;
    throw new RangeError(prefix2 + "expected safe integer, got " + value);
  }
}
function numberToHexUnpadded(num) {
  const hex2 = abignumber(num).toString(16);
  return hex2.length & 1 ? "0" + hex2 : hex2;
}
function hexToNumber(hex2) {
  if (typeof hex2 !== "string")
    throw new TypeError("hex string expected, got " + typeof hex2);
  return hex2 === "" ? _0n2 : BigInt("0x" + hex2);
}
function bytesToNumberBE(bytes) {
  return hexToNumber(bytesToHex(bytes));
}
function bytesToNumberLE(bytes) {
  return hexToNumber(bytesToHex(copyBytes(abytes(bytes)).reverse()));
}
function numberToBytesBE(n, len) {
  anumber(len);
  if (len === 0)
    throw new Error("zero output length is invalid");
  n = abignumber(n);
  const expectedLen = len * 2;
  const hex2 = n.toString(16);
  if (hex2.length > expectedLen)
    throw new RangeError("number is too large");
  return hexToBytes(hex2.padStart(expectedLen, "0"));
}
function numberToBytesLE(n, len) {
  return numberToBytesBE(n, len).reverse();
}
function copyBytes(bytes) {
  return Uint8Array.from(abytes2(bytes));
}
function isPosBig(n) {
  return typeof n === "bigint" && _0n2 <= n;
}
function inRange(n, min, max) {
  return isPosBig(n) && isPosBig(min) && isPosBig(max) && min <= n && n < max;
}
function aInRange(title, n, min, max) {
  if (!inRange(n, min, max))
    throw new RangeError("expected valid " + title + ": " + min + " <= n < " + max + ", got " + n);
}
function bitLen(n) {
  if (n < _0n2)
    throw new Error("expected non-negative bigint, got " + n);
  return n === _0n2 ? 0 : n.toString(2).length;
}
var bitMask = (n) => {
  asafenumber(n, "n");
  return (_1n2 << BigInt(n)) - _1n2;
};
function createHmacDrbg(hashLen, qByteLen, hmacFn) {
  anumber(hashLen, "hashLen");
  anumber(qByteLen, "qByteLen");
  if (typeof hmacFn !== "function")
    throw new TypeError("hmacFn must be a function");
  const u8n = (len) => new Uint8Array(len);
  const NULL2 = Uint8Array.of();
  const byte0 = Uint8Array.of(0);
  const byte1 = Uint8Array.of(1);
  const _maxDrbgIters = 1e3;
  let v = u8n(hashLen);
  let k = u8n(hashLen);
  let i = 0;
  const reset = () => {
    v.fill(1);
    k.fill(0);
    i = 0;
  };
  const h = (...msgs) => hmacFn(k, concatBytes2(v, ...msgs));
  const reseed = (seed = NULL2) => {
    k = h(byte0, seed);
    v = h();
    if (seed.length === 0)
      return;
    k = h(byte1, seed);
    v = h();
  };
  const gen = () => {
    if (i++ >= _maxDrbgIters)
      throw new Error("drbg: tried max amount of iterations");
    let len = 0;
    const out = [];
    while (len < qByteLen) {
      v = h();
      const sl = v.slice();
      out.push(sl);
      len += v.length;
    }
    return concatBytes2(...out);
  };
  const genUntil = (seed, pred) => {
    reset();
    reseed(seed);
    let res = void 0;
    while ((res = pred(gen())) === void 0)
      reseed();
    reset();
    return res;
  };
  return genUntil;
}
function validateObject(object, fields = {}, optFields = {}, title = "object") {
  aobject2(object, title);
  aobject2(fields, "fields");
  aobject2(optFields, "optFields");
  function checkField(fieldName, expectedType, isOpt) {
    const label = title === "object" ? `param "${String(fieldName)}"` : `"${title}.${String(fieldName)}"`;
    const val = object[fieldName];
    if (!Object.hasOwn(object, fieldName) && (isOpt ? val !== void 0 : expectedType !== "function")) {
      throw new TypeError(`${label} is invalid: expected own property`);
    }
    if (isOpt && val === void 0)
      return;
    const current = typeof val;
    if (current !== expectedType || val === null)
      throw new TypeError(`${label} is invalid: expected ${expectedType}, got ${current}`);
  }
  const iter = (f, isOpt) => Object.entries(f).forEach(([k, v]) => checkField(k, v, isOpt));
  iter(fields, false);
  iter(optFields, true);
}
/*! noble-curves - MIT License (c) 2022 Paul Miller (paulmillr.com) */
var _0n3 = /* @__PURE__ */ BigInt(0);
var _1n3 = /* @__PURE__ */ BigInt(1);
var _2n2 = /* @__PURE__ */ BigInt(2);
var _3n = /* @__PURE__ */ BigInt(3);
var _4n = /* @__PURE__ */ BigInt(4);
var _5n = /* @__PURE__ */ BigInt(5);
var _7n2 = /* @__PURE__ */ BigInt(7);
var _8n = /* @__PURE__ */ BigInt(8);
var _9n = /* @__PURE__ */ BigInt(9);
var _15n = /* @__PURE__ */ BigInt(15);
var _16n = /* @__PURE__ */ BigInt(16);
var POW_WINDOWED_MIN = /* @__PURE__ */ BigInt("0x10000000000000000");
function mod(a, b) {
  if (b <= _0n3)
    throw new Error("mod: expected positive modulus, got " + b);
  const result = a % b;
  return result >= _0n3 ? result : b + result;
}
function pow(num, power2, modulo) {
  if (modulo <= _1n3)
    throw new Error("pow: expected modulus > 1, got " + modulo);
  if (typeof power2 !== "bigint")
    throw new TypeError("invalid exponent: expected bigint, got " + typeof power2);
  if (power2 < _0n3)
    throw new Error("invalid exponent, negatives unsupported");
  if (power2 === _0n3)
    return _1n3;
  if (power2 === _1n3)
    return num;
  let d = num % modulo;
  if (d < _0n3)
    d += modulo;
  if (power2 < POW_WINDOWED_MIN) {
    let p2 = _1n3;
    while (power2 > _0n3) {
      if (power2 & _1n3)
        p2 = p2 * d % modulo;
      d = d * d % modulo;
      power2 >>= _1n3;
    }
    return p2;
  }
  const digits = [];
  while (power2 > _0n3) {
    digits.push(Number(power2 & _15n));
    power2 >>= _4n;
  }
  const table = new Array(16);
  table[0] = _1n3;
  table[1] = d;
  for (let i = 2; i < 16; i++)
    table[i] = table[i - 1] * d % modulo;
  let p = table[digits[digits.length - 1]];
  for (let w = digits.length - 2; w >= 0; w--) {
    p = p * p % modulo;
    p = p * p % modulo;
    p = p * p % modulo;
    p = p * p % modulo;
    const digit = digits[w];
    if (digit !== 0)
      p = p * table[digit] % modulo;
  }
  return p;
}
function pow2(x, power2, modulo) {
  if (modulo <= _1n3)
    throw new Error("pow2: expected modulus > 1, got " + modulo);
  if (power2 < _0n3)
    throw new Error("pow2: expected non-negative exponent, got " + power2);
  let res = x;
  while (power2-- > _0n3) {
    res *= res;
    res %= modulo;
  }
  return res;
}
function invert(number2, modulo) {
  if (number2 === _0n3)
    throw new Error("invert: expected non-zero number");
  if (modulo <= _1n3)
    throw new Error("invert: expected modulus > 1, got " + modulo);
  let a = mod(number2, modulo);
  let b = modulo;
  let x = _0n3, u = _1n3;
  while (a !== _0n3) {
    const q = b / a;
    const r = b - a * q;
    const m = x - u * q;
    b = a, a = r, x = u, u = m;
  }
  const gcd = b;
  if (gcd !== _1n3)
    throw new Error("invert: does not exist");
  return mod(x, modulo);
}
function invertCt(a, prime) {
  if (prime <= _1n3)
    throw new Error("invertCt: expected prime modulus > 1, got " + prime);
  const an = mod(a, prime);
  if (an === _0n3)
    throw new Error("invertCt: expected non-zero number");
  const inverse = pow(an, prime - _2n2, prime);
  if (mod(an * inverse, prime) !== _1n3)
    throw new Error("invertCt: does not exist");
  return inverse;
}
function assertIsSquare(Fp2, root, n) {
  const F2 = Fp2;
  if (!F2.eql(F2.sqr(root), n))
    throw new Error("Cannot find square root");
}
function aoddModulus(order, fnName) {
  if ((order & _1n3) === _0n3)
    throw new Error(fnName + ": expected odd modulus, got " + order);
}
function sqrt3mod4(Fp2, n) {
  const F2 = Fp2;
  const p1div4 = (F2.ORDER + _1n3) / _4n;
  const root = F2.pow(n, p1div4);
  assertIsSquare(F2, root, n);
  return root;
}
function sqrt5mod8(Fp2, n) {
  const F2 = Fp2;
  const p5div8 = (F2.ORDER - _5n) / _8n;
  const n2 = F2.mul(n, _2n2);
  const v = F2.pow(n2, p5div8);
  const nv = F2.mul(n, v);
  const i = F2.mul(F2.mul(nv, _2n2), v);
  const root = F2.mul(nv, F2.sub(i, F2.ONE));
  assertIsSquare(F2, root, n);
  return root;
}
function sqrt9mod16(P) {
  const Fp_ = Field(P);
  const tn = tonelliShanks(P);
  const c1 = tn(Fp_, Fp_.neg(Fp_.ONE));
  const c2 = tn(Fp_, c1);
  const c3 = tn(Fp_, Fp_.neg(c1));
  const c4 = (P + _7n2) / _16n;
  return ((Fp2, n) => {
    const F2 = Fp2;
    let tv1 = F2.pow(n, c4);
    let tv2 = F2.mul(tv1, c1);
    const tv3 = F2.mul(tv1, c2);
    const tv4 = F2.mul(tv1, c3);
    const e1 = F2.eql(F2.sqr(tv2), n);
    const e2 = F2.eql(F2.sqr(tv3), n);
    tv1 = F2.cmov(tv1, tv2, e1);
    tv2 = F2.cmov(tv4, tv3, e2);
    const e3 = F2.eql(F2.sqr(tv2), n);
    const root = F2.cmov(tv1, tv2, e3);
    assertIsSquare(F2, root, n);
    return root;
  });
}
function tonelliShanks(P) {
  if (P < _3n)
    throw new Error("sqrt is not defined for small field");
  aoddModulus(P, "tonelliShanks");
  let Q2 = P - _1n3;
  let S = 0;
  while (Q2 % _2n2 === _0n3) {
    Q2 /= _2n2;
    S++;
  }
  let Z = _2n2;
  const _Fp = Field(P);
  while (FpLegendre(_Fp, Z) === 1) {
    if (Z++ > 1e3)
      throw new Error("Cannot find square root: probably non-prime P");
  }
  if (S === 1)
    return sqrt3mod4;
  let cc = _Fp.pow(Z, Q2);
  const Q1div2 = (Q2 + _1n3) / _2n2;
  return function tonelliSlow(Fp2, n) {
    const F2 = Fp2;
    if (F2.is0(n))
      return n;
    if (FpLegendre(F2, n) !== 1)
      throw new Error("Cannot find square root");
    let M = S;
    let c = F2.mul(F2.ONE, cc);
    let t = F2.pow(n, Q2);
    let R = F2.pow(n, Q1div2);
    while (!F2.eql(t, F2.ONE)) {
      if (F2.is0(t))
        throw new Error("Cannot find square root: probably non-prime P");
      let i = 1;
      let t_tmp = F2.sqr(t);
      while (!F2.eql(t_tmp, F2.ONE)) {
        i++;
        t_tmp = F2.sqr(t_tmp);
        if (i === M)
          throw new Error("Cannot find square root");
      }
      const exponent = _1n3 << BigInt(M - i - 1);
      const b = F2.pow(c, exponent);
      M = i;
      c = F2.sqr(b);
      t = F2.mul(t, c);
      R = F2.mul(R, b);
    }
    return R;
  };
}
function FpSqrt(P) {
  aoddModulus(P, "Fp.sqrt");
  if (P % _4n === _3n)
    return sqrt3mod4;
  if (P % _8n === _5n)
    return sqrt5mod8;
  if (P % _16n === _9n)
    return sqrt9mod16(P);
  return tonelliShanks(P);
}
var isNegativeLE = (num, modulo) => (mod(num, modulo) & _1n3) === _1n3;
var FIELD_FIELDS = [
  "create",
  "isValid",
  "is0",
  "neg",
  "inv",
  "sqrt",
  "sqr",
  "eql",
  "add",
  "sub",
  "mul",
  "pow",
  "div",
  "addN",
  "subN",
  "mulN",
  "sqrN"
];
function validateField(field) {
  aobject2(field, "field");
  if (typeof field.ORDER !== "bigint")
    throw new TypeError('param "ORDER" is invalid: expected bigint, got ' + typeof field.ORDER);
  asafenumber(field.BYTES, "BYTES");
  asafenumber(field.BITS, "BITS");
  for (const name of FIELD_FIELDS)
    afunction(field[name], "field." + name);
  if (field.BYTES < 1 || field.BITS < 1)
    throw new Error("invalid field: expected BYTES/BITS > 0");
  if (field.ORDER <= _1n3)
    throw new Error("invalid field: expected ORDER > 1, got " + field.ORDER);
  return field;
}
function FpInvertBatch(Fp2, nums, passZero = false) {
  validateField(Fp2);
  aarray(nums, "nums");
  abool2(passZero, "passZero");
  const F2 = Fp2;
  const inverted = new Array(nums.length).fill(passZero ? F2.ZERO : void 0);
  const multipliedAcc = nums.reduce((acc, num, i) => {
    if (F2.is0(num))
      return acc;
    inverted[i] = acc;
    return F2.mul(acc, num);
  }, F2.ONE);
  const invertedAcc = F2.inv(multipliedAcc);
  nums.reduceRight((acc, num, i) => {
    if (F2.is0(num))
      return acc;
    inverted[i] = F2.mul(acc, inverted[i]);
    return F2.mul(acc, num);
  }, invertedAcc);
  return inverted;
}
function FpLegendre(Fp2, n) {
  validateField(Fp2);
  const F2 = Fp2;
  aoddModulus(F2.ORDER, "FpLegendre");
  const p1mod2 = (F2.ORDER - _1n3) / _2n2;
  const powered = F2.pow(n, p1mod2);
  const yes = F2.eql(powered, F2.ONE);
  const zero = F2.eql(powered, F2.ZERO);
  const no = F2.eql(powered, F2.neg(F2.ONE));
  if (!yes && !zero && !no)
    throw new Error("invalid Legendre symbol result");
  return yes ? 1 : zero ? 0 : -1;
}
function nLength(n, nBitLength) {
  if (nBitLength !== void 0)
    anumber2(nBitLength);
  if (n <= _0n3)
    throw new Error("invalid n length: expected positive n, got " + n);
  if (nBitLength !== void 0 && nBitLength < 1)
    throw new Error("invalid n length: expected positive bit length, got " + nBitLength);
  const bits2 = bitLen(n);
  if (nBitLength !== void 0 && nBitLength < bits2)
    throw new Error(`invalid n length: expected nBitLength (${nBitLength}) >= bitLen(n) (${bits2})`);
  const _nBitLength = nBitLength !== void 0 ? nBitLength : bits2;
  const nByteLength = Math.ceil(_nBitLength / 8);
  return { nBitLength: _nBitLength, nByteLength };
}
var FIELD_SQRT = /* @__PURE__ */ new WeakMap();
var _Field = class {
  ORDER;
  BITS;
  BYTES;
  isLE;
  ZERO = _0n3;
  ONE = _1n3;
  _lengths;
  _mod;
  constructor(ORDER4, opts = {}) {
    if (ORDER4 <= _1n3)
      throw new Error("invalid field: expected ORDER > 1, got " + ORDER4);
    let _nbitLength = void 0;
    this.isLE = false;
    if (opts != null && typeof opts === "object") {
      if (typeof opts.BITS === "number")
        _nbitLength = opts.BITS;
      if (typeof opts.sqrt === "function")
        Object.defineProperty(this, "sqrt", { value: opts.sqrt, enumerable: true });
      if (typeof opts.isLE === "boolean")
        this.isLE = opts.isLE;
      if (opts.allowedLengths)
        this._lengths = Object.freeze(opts.allowedLengths.slice());
      if (typeof opts.modFromBytes === "boolean")
        this._mod = opts.modFromBytes;
    }
    const { nBitLength, nByteLength } = nLength(ORDER4, _nbitLength);
    if (nByteLength > 2048)
      throw new Error("invalid field: expected ORDER of <= 2048 bytes");
    this.ORDER = ORDER4;
    this.BITS = nBitLength;
    this.BYTES = nByteLength;
    Object.freeze(this);
  }
  create(num) {
    return mod(num, this.ORDER);
  }
  isValid(num) {
    if (typeof num !== "bigint")
      throw new TypeError("invalid field element: expected bigint, got " + typeof num);
    return _0n3 <= num && num < this.ORDER;
  }
  is0(num) {
    return num === _0n3;
  }
  // is valid and invertible
  isValidNot0(num) {
    return !this.is0(num) && this.isValid(num);
  }
  isOdd(num) {
    return (num & _1n3) === _1n3;
  }
  neg(num) {
    return mod(-num, this.ORDER);
  }
  eql(lhs, rhs) {
    return lhs === rhs;
  }
  sqr(num) {
    return mod(num * num, this.ORDER);
  }
  add(lhs, rhs) {
    return mod(lhs + rhs, this.ORDER);
  }
  sub(lhs, rhs) {
    return mod(lhs - rhs, this.ORDER);
  }
  mul(lhs, rhs) {
    return mod(lhs * rhs, this.ORDER);
  }
  pow(num, power2) {
    return pow(num, power2, this.ORDER);
  }
  div(lhs, rhs) {
    return mod(lhs * invert(rhs, this.ORDER), this.ORDER);
  }
  // Same as above, but doesn't normalize
  sqrN(num) {
    return num * num;
  }
  addN(lhs, rhs) {
    return lhs + rhs;
  }
  subN(lhs, rhs) {
    return lhs - rhs;
  }
  mulN(lhs, rhs) {
    return lhs * rhs;
  }
  inv(num) {
    return invert(num, this.ORDER);
  }
  sqrt(num) {
    let sqrt = FIELD_SQRT.get(this);
    if (!sqrt)
      FIELD_SQRT.set(this, sqrt = FpSqrt(this.ORDER));
    return sqrt(this, num);
  }
  toBytes(num) {
    return this.isLE ? numberToBytesLE(num, this.BYTES) : numberToBytesBE(num, this.BYTES);
  }
  fromBytes(bytes, skipValidation = false) {
    abytes2(bytes);
    const { _lengths: allowedLengths, BYTES, isLE: isLE2, ORDER: ORDER4, _mod: modFromBytes } = this;
    if (allowedLengths) {
      if (bytes.length < 1 || !allowedLengths.includes(bytes.length) || bytes.length > BYTES) {
        throw new Error("Field.fromBytes: expected " + allowedLengths + " bytes, got " + bytes.length);
      }
      const padded = new Uint8Array(BYTES);
      padded.set(bytes, isLE2 ? 0 : padded.length - bytes.length);
      bytes = padded;
    }
    if (bytes.length !== BYTES)
      throw new Error("Field.fromBytes: expected " + BYTES + " bytes, got " + bytes.length);
    let scalar = isLE2 ? bytesToNumberLE(bytes) : bytesToNumberBE(bytes);
    if (modFromBytes)
      scalar = mod(scalar, ORDER4);
    if (!skipValidation) {
      if (!this.isValid(scalar))
        throw new Error("invalid field element: outside of range 0..ORDER");
    }
    return scalar;
  }
  // TODO: we don't need it here, move out to separate fn
  invertBatch(lst) {
    return FpInvertBatch(this, lst, true);
  }
  // We can't move this out because Fp6, Fp12 implement it
  // and it's unclear what to return in there.
  cmov(a, b, condition) {
    abool2(condition, "condition");
    return condition ? b : a;
  }
};
function Field(ORDER4, opts = {}) {
  Object.freeze(_Field.prototype);
  return new _Field(ORDER4, opts);
}
function getFieldBytesLength(fieldOrder) {
  if (typeof fieldOrder !== "bigint")
    throw new Error("field order must be bigint");
  if (fieldOrder <= _1n3)
    throw new Error("field order must be greater than 1");
  const bitLength2 = bitLen(fieldOrder - _1n3);
  return Math.ceil(bitLength2 / 8);
}
function getMinHashLength(fieldOrder) {
  const length = getFieldBytesLength(fieldOrder);
  return length + Math.ceil(length / 2);
}
function mapHashToField(key, fieldOrder, isLE2 = false) {
  abytes2(key);
  const len = key.length;
  const fieldLen = getFieldBytesLength(fieldOrder);
  const minLen = Math.max(getMinHashLength(fieldOrder), 16);
  if (len < minLen || len > 1024)
    throw new Error("expected " + minLen + "-1024 bytes of input, got " + len);
  const num = isLE2 ? bytesToNumberLE(key) : bytesToNumberBE(key);
  const reduced = mod(num, fieldOrder - _1n3) + _1n3;
  return isLE2 ? numberToBytesLE(reduced, fieldLen) : numberToBytesBE(reduced, fieldLen);
}
/*! noble-curves - MIT License (c) 2022 Paul Miller (paulmillr.com) */
var _0n4 = /* @__PURE__ */ BigInt(0);
var _1n4 = /* @__PURE__ */ BigInt(1);
var _4n2 = /* @__PURE__ */ BigInt(4);
var BLIND_BYTES = 16;
var BLIND_BITS = 128;
var FW_WINDOW = 5;
var TABLE_BYTES_MAX = /* @__PURE__ */ (() => 2 ** 31)();
function validatePointCons(Point) {
  const pc = Point;
  if (typeof pc !== "function")
    throw new TypeError('"Point" expected constructor, got type=' + typeof Point);
  afunction(pc.fromAffine, "Point.fromAffine");
  afunction(pc.fromBytes, "Point.fromBytes");
  afunction(pc.fromHex, "Point.fromHex");
  aobject2(pc.BASE, "Point.BASE");
  aobject2(pc.ZERO, "Point.ZERO");
  validateField(pc.Fp);
  validateField(pc.Fn);
}
function normalizeZ(c, points) {
  validatePointCons(c);
  validateMSMPoints(points, c);
  const invertedZs = FpInvertBatch(c.Fp, points.map((p) => p.Z));
  return points.map((p, i) => c.fromAffine(p.toAffine(invertedZs[i])));
}
function validateW(W, bits2, min = 1) {
  if (!Number.isSafeInteger(W) || W < min || W > bits2)
    throw new Error("invalid window size, expected [" + min + ".." + bits2 + "], got W=" + W);
}
function validateTableBytes(numPoints, fpBytes) {
  const bytes = numPoints * (4 * fpBytes + 128);
  if (bytes > TABLE_BYTES_MAX)
    throw new Error("invalid window size: table would need ~" + Math.ceil(bytes / 2 ** 20) + " MiB, max " + TABLE_BYTES_MAX / 2 ** 20 + " MiB");
}
function probeRandomBytes(randomBytes4, length) {
  if (randomBytes4 === void 0)
    return void 0;
  afunction(randomBytes4, "randomBytes");
  try {
    const probe = randomBytes4(length);
    if (!isBytes2(probe) || probe.length !== length)
      return void 0;
  } catch {
    return void 0;
  }
  return randomBytes4;
}
function validateMSMPoints(points, c) {
  aarray(points, "points");
  points.forEach((p, i) => {
    if (!(p instanceof c))
      throw new Error("invalid point at index " + i);
  });
}
function validateMSMScalars(scalars, field, maxScalar) {
  if (!Array.isArray(scalars))
    throw new Error("array of scalars expected");
  scalars.forEach((s, i) => {
    const ok = maxScalar === void 0 ? field.isValid(s) : isPosBig(s) && s < maxScalar;
    if (!ok)
      throw new Error("invalid scalar at index " + i);
  });
}
var pointWindowSizes = /* @__PURE__ */ new WeakMap();
function getWindowSize(P) {
  return pointWindowSizes.get(P) || 1;
}
function oddMultiples(p, size) {
  const dbl = p.double();
  const t = [p];
  for (let j = 1; j < size; j++)
    t.push(t[j - 1].add(dbl));
  return t;
}
function wnafDigits(n, W) {
  const size = 2 ** W;
  const half = size / 2;
  const mask = BigInt(size - 1);
  const d = [];
  while (n > _0n4) {
    let w = 0;
    if (n & _1n4) {
      w = Number(n & mask);
      if (w >= half)
        w -= size;
      n -= BigInt(w);
    }
    d.push(w);
    n >>= _1n4;
  }
  return d;
}
function signedWindowDigits(n, W, windows) {
  const size = 2 ** W;
  const half = size / 2;
  const mask = BigInt(size - 1);
  const shiftBy = BigInt(W);
  const d = [];
  for (let w = 0; w < windows; w++) {
    let v = Number(n & mask);
    n >>= shiftBy;
    if (v > half) {
      v -= size;
      n += _1n4;
    }
    d.push(v);
  }
  if (n !== _0n4)
    throw new Error("invalid wnaf");
  return d;
}
function wnafWalk(zero, tables, digits) {
  let max = 0;
  for (const d of digits)
    max = Math.max(max, d.length);
  let acc = zero;
  for (let bit = max - 1; bit >= 0; bit--) {
    if (bit !== max - 1)
      acc = acc.double();
    for (let i = 0; i < digits.length; i++) {
      const w = digits[i][bit];
      if (w) {
        const item2 = tables[i][Math.abs(w) - 1 >> 1];
        acc = acc.add(w < 0 ? item2.negate() : item2);
      }
    }
  }
  return acc;
}
var ScalarMultiplier = class {
  Point;
  BASE;
  ZERO;
  randomBytes;
  wnafPrecomputes = /* @__PURE__ */ new WeakMap();
  baseCanBeBlinded;
  bits;
  // Parametrized with a given Point class (not individual point)
  constructor(Point, randomBytes4) {
    validatePointCons(Point);
    this.randomBytes = probeRandomBytes(randomBytes4, BLIND_BYTES);
    this.Point = Point;
    this.BASE = Point.BASE;
    this.ZERO = Point.ZERO;
    this.bits = Point.Fn.BITS;
  }
  /**
   * Creates a signed fixed-window wNAF precomputation table: for every window w, the
   * multiples `[1..2^(W−1)]⋅2^(w⋅W)⋅P`, flattened. All doublings are baked into the table,
   * so cached multiplication is additions-only. `windows = ceil(bits/W) + 1`: the extra
   * window absorbs the final carry of signed-digit recoding.
   * For a 256-bit curve and W=6, the table is 44⋅32 = 1408 points.
   * @param point - Point instance
   * @param W - window size
   * @param bits - scalar bitlength the table must cover
   */
  buildWnafTable(point, W, bits2) {
    const windows = Math.ceil(bits2 / W) + 1;
    const half = 2 ** (W - 1);
    const comp = [];
    let base = point;
    for (let w = 0; w < windows; w++) {
      let acc = base;
      for (let i = 0; i < half; i++) {
        comp.push(acc);
        acc = acc.add(base);
      }
      base = comp[comp.length - 1].double();
    }
    return { W, bits: bits2, windows, comp };
  }
  /**
   * Implements ec multiplication using precomputed signed fixed-window wNAF tables.
   * Constant-time: fixed window count with one table addition per window — zero digits feed
   * the fake accumulator — and no doublings; the lookup scans the whole window slice.
   * Scalar bounds are validated by the public entry points ({@link ScalarMultiplier.mulCT},
   * {@link ScalarMultiplier.mulCTBlinded}, {@link ScalarMultiplier.mulUnsafe});
   * signedWindowDigits throws if `n` exceeds the table.
   * @returns real and fake (for const-time) points
   */
  wnafCachedCT(precomputes, n) {
    const { W, windows, comp } = precomputes;
    const half = 2 ** (W - 1);
    const digits = signedWindowDigits(n, W, windows);
    let p = this.ZERO;
    let f = this.BASE;
    for (let w = 0; w < windows; w++) {
      const digit = digits[w];
      const start = w * half;
      const idx = Math.abs(digit) - 1;
      let sel = comp[start];
      for (let i = 1; i < half; i++)
        sel = i === idx ? comp[start + i] : sel;
      const neg = sel.negate();
      if (digit === 0)
        f = f.add(comp[start]);
      else
        p = p.add(digit < 0 ? neg : sel);
    }
    return { p, f };
  }
  // Cache key is point identity plus (W, bits); at most two entries exist per point (public-width
  // `Fn.BITS` and blinded `Fn.BITS + BLIND_BITS`). Callers must not reuse the same point with
  // incompatible `transform(...)` layouts and expect a separate cache entry.
  getWnafPrecomputes(W, point, bits2, transform) {
    let entries = this.wnafPrecomputes.get(point);
    let comp = entries?.find((entry) => entry.W === W && entry.bits === bits2);
    if (!comp) {
      comp = this.buildWnafTable(point, W, bits2);
      if (typeof transform === "function")
        comp = { ...comp, comp: transform(comp.comp) };
      if (!entries) {
        entries = [];
        this.wnafPrecomputes.set(point, entries);
      }
      entries.push(comp);
    }
    return comp;
  }
  assertPoint(point) {
    if (!(point instanceof this.Point))
      throw new TypeError('"point" expected Point instance, got type=' + typeof point);
  }
  // Shared prologue of the constant-time entry points. Rejects scalar 0: in key/signature-style
  // callers a zero scalar means broken upstream plumbing, and concrete Points already reject it.
  // Uses inRange instead of Fn.isValidNot0: validateField() only certifies the arithmetic subset.
  validateMulInput(point, scalar) {
    this.assertPoint(point);
    if (!inRange(scalar, _1n4, this.Point.Fn.ORDER))
      throw new Error("invalid scalar");
  }
  // Constant-time dispatch shared by mulCT / mulCTBlinded. Un-precomputed points (W===1, e.g.
  // ECDH peer keys) skip building a throwaway cached table in favor of a small fixed-window
  // multiply. `n` must be < 2^bits.
  runCT(point, n, bits2, transform) {
    const W = getWindowSize(point);
    if (W === 1)
      return this.fixedWindowCT(point, n, bits2);
    return this.wnafCachedCT(this.getWnafPrecomputes(W, point, bits2, transform), n);
  }
  mulCT(point, scalar, transform) {
    this.validateMulInput(point, scalar);
    return this.runCT(point, scalar, this.bits, transform);
  }
  mulCTBlinded(point, scalar, transform) {
    this.validateMulInput(point, scalar);
    if (this.randomBytes === void 0)
      throw new Error("randomBytes is required for scalar blinding");
    const bits2 = this.Point.Fn.BITS + BLIND_BITS;
    const blind = this.randomBytes(BLIND_BYTES);
    if (!isBytes2(blind) || blind.length !== BLIND_BYTES)
      throw new Error("randomBytes returned invalid byte array");
    blind[0] = blind[0] & 63 | 128;
    const n = scalar + bytesToNumberBE(blind) * this.Point.Fn.ORDER;
    return this.runCT(point, n, bits2, transform);
  }
  /**
   * Constant-time multiplication `n*point` for an un-precomputed point, via a small fixed window.
   * A cached wNAF table only pays off when reused; a flat 2^FW_WINDOW table (`size-1` adds) is
   * far cheaper to build for a single use. The point-operation sequence is independent of `n`:
   * build the table, then per window exactly FW_WINDOW doublings, a data-oblivious scan over
   * every table entry, and one addition (adds the identity when the window digit is 0 — never
   * skipped).
   *
   * `n` must be `< 2^bits`. Assumes complete addition (adding the identity costs the same as any
   * add), which holds for the Weierstrass/Edwards point types used here. The table is left in
   * projective form (no normalizeZ): normalizing this small a table costs more than the
   * mixed-add savings it would buy for a single multiply.
   * @returns real point `p`; `f` duplicates it only to match {@link wnafCachedCT}'s return shape
   * (this path needs no fake accumulator — its op-count is already scalar-independent).
   */
  fixedWindowCT(point, n, bits2) {
    const W = FW_WINDOW;
    const size = 1 << W;
    const mask = bitMask(W);
    const table = new Array(size);
    table[0] = this.ZERO;
    for (let i = 1; i < size; i++)
      table[i] = table[i - 1].add(point);
    const windows = Math.ceil(bits2 / W);
    let acc = this.ZERO;
    for (let window = windows - 1; window >= 0; window--) {
      if (window !== windows - 1)
        for (let d = 0; d < W; d++)
          acc = acc.double();
      const digit = Number(n >> BigInt(window * W) & mask);
      let sel = table[0];
      for (let i = 1; i < size; i++)
        sel = i === digit ? table[i] : sel;
      acc = acc.add(sel);
    }
    return { p: acc, f: acc };
  }
  shouldBlind(point, cofactor) {
    if (this.randomBytes === void 0)
      return false;
    if (cofactor === _1n4)
      return true;
    if (point !== this.BASE)
      return false;
    if (this.baseCanBeBlinded === void 0)
      this.baseCanBeBlinded = this.mulUnsafe(this.BASE, this.Point.Fn.ORDER).is0();
    return this.baseCanBeBlinded;
  }
  mulSecret(point, scalar, cofactor, transform) {
    return this.shouldBlind(point, cofactor) ? this.mulCTBlinded(point, scalar, transform) : this.mulCT(point, scalar, transform);
  }
  mulUnsafe(point, scalar, transform) {
    this.assertPoint(point);
    if (!isPosBig(scalar))
      throw new Error("invalid scalar");
    const W = getWindowSize(point);
    if (W === 1 || scalar >= this.Point.Fn.ORDER)
      return mulAddUnsafe(this.Point, [point], [scalar], true);
    const precomputes = this.getWnafPrecomputes(W, point, this.bits, transform);
    return this.wnafCachedCT(precomputes, scalar).p;
  }
  // Remembers the window size used for precomputed wNAF multiplication of the given point
  // and drops any previously built tables. Usually only the base point is precomputed.
  // W=1 resets the point to the un-precomputed (table-less) paths.
  // W is additionally capped so tables stay under ~2 GiB ({@link TABLE_BYTES_MAX}).
  setWindowSize(point, W) {
    this.assertPoint(point);
    validateW(W, this.bits);
    const windows = Math.ceil((this.bits + BLIND_BITS) / W) + 1;
    validateTableBytes(windows * 2 ** (W - 1), this.Point.Fp.BYTES);
    pointWindowSizes.set(point, W);
    this.wnafPrecomputes.delete(point);
  }
  // True when a window size is set: tables themselves are built lazily on first multiply.
  hasWindowSize(point) {
    return getWindowSize(point) !== 1;
  }
};
function mulAddUnsafe(c, points, scalars, allowOversized = false) {
  validatePointCons(c);
  validateMSMPoints(points, c);
  abool2(allowOversized, "allowOversized");
  validateMSMScalars(scalars, c.Fn, allowOversized ? c.Fn.ORDER ** _4n2 : void 0);
  if (points.length !== scalars.length)
    throw new Error("arrays of points and scalars must have equal length");
  const tables = points.map((p) => oddMultiples(p, 4));
  const digits = scalars.map((n) => wnafDigits(n, 4));
  return wnafWalk(c.ZERO, tables, digits);
}
function createField(order, field, isLE2) {
  if (field) {
    if (field.ORDER !== order)
      throw new Error("Field.ORDER must match order: Fp == p, Fn == n");
    validateField(field);
    return field;
  } else {
    return Field(order, { isLE: isLE2 });
  }
}
function createCurveFields(type, CURVE, curveOpts = {}, FpFnLE) {
  if (type !== "weierstrass" && type !== "edwards")
    throw new Error('expected curve type "weierstrass" or "edwards"');
  if (FpFnLE === void 0)
    FpFnLE = type === "edwards";
  if (!CURVE || typeof CURVE !== "object")
    throw new Error(`expected valid ${type} CURVE object`);
  validateObject(curveOpts);
  for (const p of ["p", "n", "h"]) {
    const val = CURVE[p];
    if (!(isPosBig(val) && val !== _0n4))
      throw new Error(`CURVE.${p} must be positive bigint`);
  }
  const Fp2 = createField(CURVE.p, curveOpts.Fp, FpFnLE);
  const Fn = createField(CURVE.n, curveOpts.Fn, FpFnLE);
  const _b = type === "weierstrass" ? "b" : "d";
  const params = ["Gx", "Gy", "a", _b];
  for (const p of params) {
    if (!Fp2.isValid(CURVE[p]))
      throw new Error(`CURVE.${p} must be valid field element of CURVE.Fp`);
  }
  CURVE = Object.freeze(Object.assign({}, CURVE));
  return { CURVE, Fp: Fp2, Fn };
}
function createKeygen(randomSecretKey, getPublicKey) {
  return function keygen(seed) {
    const secretKey = randomSecretKey(seed);
    return { secretKey, publicKey: getPublicKey(secretKey) };
  };
}
/*! noble-curves - MIT License (c) 2022 Paul Miller (paulmillr.com) */
var _0n5 = /* @__PURE__ */ BigInt(0);
var _1n5 = /* @__PURE__ */ BigInt(1);
var _2n3 = /* @__PURE__ */ BigInt(2);
var _4n3 = /* @__PURE__ */ BigInt(4);
var _8n2 = /* @__PURE__ */ BigInt(8);
function isEdValidXY(Fp2, CURVE, x, y) {
  const x2 = Fp2.sqr(x);
  const y2 = Fp2.sqr(y);
  const left = Fp2.add(Fp2.mul(CURVE.a, x2), y2);
  const right = Fp2.add(Fp2.ONE, Fp2.mul(CURVE.d, Fp2.mul(x2, y2)));
  return Fp2.eql(left, right);
}
function edwards(params, extraOpts = {}) {
  validateObject(extraOpts, {}, {}, "extraOpts");
  const opts = extraOpts;
  const validated = createCurveFields("edwards", params, opts, opts.FpFnLE);
  const { Fp: Fp2, Fn } = validated;
  let CURVE = validated.CURVE;
  const { h: cofactor } = CURVE;
  if (FpLegendre(Fp2, CURVE.a) !== 1)
    throw new Error("edwards: CURVE.a must be a square in Fp for complete addition formulas");
  if (FpLegendre(Fp2, CURVE.d) !== -1)
    throw new Error("edwards: CURVE.d must be a non-square in Fp for complete addition formulas");
  validateObject(opts, {}, { uvRatio: "function", randomBytes: "function" });
  const randomBytes4 = opts.randomBytes === void 0 ? randomBytes2 : opts.randomBytes;
  const MASK = _2n3 << BigInt(Fp2.BYTES * 8) - _1n5;
  function isOdd(n) {
    if (!Fp2.isOdd)
      throw new Error("Field does not have .isOdd()");
    return Fp2.isOdd(n);
  }
  const uvRatio2 = opts.uvRatio === void 0 ? (u, v) => {
    try {
      return { isValid: true, value: Fp2.sqrt(Fp2.div(u, v)) };
    } catch (e) {
      return { isValid: false, value: _0n5 };
    }
  } : opts.uvRatio;
  if (!isEdValidXY(Fp2, CURVE, CURVE.Gx, CURVE.Gy))
    throw new Error("bad curve params: generator point");
  const mulA = Fp2.eql(CURVE.a, Fp2.neg(Fp2.ONE)) ? (x) => Fp2.neg(x) : Fp2.eql(CURVE.a, Fp2.ONE) ? (x) => x : (x) => Fp2.mul(CURVE.a, x);
  function acoord(title, n, banZero = false) {
    const min = banZero ? _1n5 : _0n5;
    aInRange("coordinate " + title, n, min, MASK);
    return n;
  }
  function aedpoint(other) {
    if (!(other instanceof Point))
      throw new Error("EdwardsPoint expected");
  }
  class Point {
    static BASE = new Point(CURVE.Gx, CURVE.Gy, Fp2.ONE, Fp2.mul(CURVE.Gx, CURVE.Gy));
    static ZERO = new Point(Fp2.ZERO, Fp2.ONE, Fp2.ONE, Fp2.ZERO);
    static Fp = Fp2;
    static Fn = Fn;
    X;
    Y;
    Z;
    T;
    constructor(X, Y, Z, T) {
      this.X = acoord("x", X);
      this.Y = acoord("y", Y);
      this.Z = acoord("z", Z, true);
      this.T = acoord("t", T);
      Object.freeze(this);
    }
    static CURVE() {
      return CURVE;
    }
    /**
     * Create one extended Edwards point from affine coordinates.
     * Does NOT validate that the point is on-curve or torsion-free.
     * Use `.assertValidity()` on adversarial inputs.
     */
    static fromAffine(p) {
      if (p instanceof Point)
        throw new Error("extended point not allowed");
      const { x, y } = p || {};
      acoord("x", x);
      acoord("y", y);
      return new Point(x, y, Fp2.ONE, Fp2.mul(x, y));
    }
    // Uses algo from RFC8032 5.1.3.
    static fromBytes(bytes, zip215 = false) {
      const len = Fp2.BYTES;
      const { a, d } = CURVE;
      bytes = copyBytes(abytes2(bytes, len, "point"));
      abool2(zip215, "zip215");
      const normed = copyBytes(bytes);
      const lastByte = bytes[len - 1];
      normed[len - 1] = lastByte & ~128;
      const y = bytesToNumberLE(normed);
      const max = zip215 ? MASK : Fp2.ORDER;
      aInRange("point.y", y, _0n5, max);
      const y2 = Fp2.sqr(y);
      const u = Fp2.sub(y2, Fp2.ONE);
      const v = Fp2.sub(Fp2.mulN(d, y2), a);
      let { isValid, value: x } = uvRatio2(u, v);
      if (!isValid)
        throw new Error("bad point: invalid y coordinate");
      const isXOdd = isOdd(x);
      const isLastByteOdd = (lastByte & 128) !== 0;
      if (!zip215 && Fp2.is0(x) && isLastByteOdd)
        throw new Error("bad point: x=0 and x_0=1");
      if (isLastByteOdd !== isXOdd)
        x = Fp2.neg(x);
      return Point.fromAffine({ x, y });
    }
    static fromHex(hex2, zip215 = false) {
      return Point.fromBytes(hexToBytes2(hex2), zip215);
    }
    get x() {
      return this.toAffine().x;
    }
    get y() {
      return this.toAffine().y;
    }
    precompute(windowSize = 6, isLazy = true) {
      wnaf.setWindowSize(this, windowSize);
      if (!isLazy)
        this.multiply(_2n3);
      return this;
    }
    // Useful in fromAffine() - not for fromBytes(), which always created valid points.
    assertValidity() {
      const p = this;
      const { a, d } = CURVE;
      if (p.is0())
        throw new Error("bad point: ZERO");
      const { X, Y, Z, T } = p;
      const X2 = Fp2.sqr(X);
      const Y2 = Fp2.sqr(Y);
      const Z2 = Fp2.sqr(Z);
      const Z4 = Fp2.sqr(Z2);
      const aX2 = Fp2.mul(X2, a);
      const left = Fp2.mul(Fp2.add(aX2, Y2), Z2);
      const right = Fp2.add(Z4, Fp2.mul(d, Fp2.mul(X2, Y2)));
      if (!Fp2.eql(left, right))
        throw new Error("bad point: equation left != right (1)");
      const XY = Fp2.mul(X, Y);
      const ZT = Fp2.mul(Z, T);
      if (!Fp2.eql(XY, ZT))
        throw new Error("bad point: equation left != right (2)");
    }
    // Compare one point to another.
    equals(other) {
      aedpoint(other);
      const { X: X1, Y: Y1, Z: Z1 } = this;
      const { X: X2, Y: Y2, Z: Z2 } = other;
      const X1Z2 = Fp2.mul(X1, Z2);
      const X2Z1 = Fp2.mul(X2, Z1);
      const Y1Z2 = Fp2.mul(Y1, Z2);
      const Y2Z1 = Fp2.mul(Y2, Z1);
      return Fp2.eql(X1Z2, X2Z1) && Fp2.eql(Y1Z2, Y2Z1);
    }
    is0() {
      return this.equals(Point.ZERO);
    }
    negate() {
      return new Point(Fp2.neg(this.X), this.Y, this.Z, Fp2.neg(this.T));
    }
    // Fast algo for doubling Extended Point.
    // https://hyperelliptic.org/EFD/g1p/auto-twisted-extended.html#doubling-dbl-2008-hwcd
    // Cost: 4M + 4S + 1*a + 6add + 1*2.
    double() {
      const { X: X1, Y: Y1, Z: Z1 } = this;
      const A = Fp2.sqr(X1);
      const B2 = Fp2.sqr(Y1);
      const C = Fp2.mul(Fp2.sqr(Z1), _2n3);
      const D2 = mulA(A);
      const x1y1 = Fp2.addN(X1, Y1);
      const E = Fp2.sub(Fp2.subN(Fp2.sqr(x1y1), A), B2);
      const G = Fp2.addN(D2, B2);
      const F2 = Fp2.subN(G, C);
      const H = Fp2.subN(D2, B2);
      const X3 = Fp2.mul(E, F2);
      const Y3 = Fp2.mul(G, H);
      const T3 = Fp2.mul(E, H);
      const Z3 = Fp2.mul(F2, G);
      return new Point(X3, Y3, Z3, T3);
    }
    // Fast algo for adding 2 Extended Points.
    // https://hyperelliptic.org/EFD/g1p/auto-twisted-extended.html#addition-add-2008-hwcd
    // Cost: 9M + 1*a + 1*d + 7add.
    add(other) {
      aedpoint(other);
      const { d } = CURVE;
      const { X: X1, Y: Y1, Z: Z1, T: T1 } = this;
      const { X: X2, Y: Y2, Z: Z2, T: T2 } = other;
      const A = Fp2.mul(X1, X2);
      const B2 = Fp2.mul(Y1, Y2);
      const C = Fp2.mul(Fp2.mulN(T1, d), T2);
      const D2 = Fp2.mul(Z1, Z2);
      const E = Fp2.sub(Fp2.subN(Fp2.mulN(Fp2.addN(X1, Y1), Fp2.addN(X2, Y2)), A), B2);
      const F2 = Fp2.subN(D2, C);
      const G = Fp2.addN(D2, C);
      const H = Fp2.sub(B2, mulA(A));
      const X3 = Fp2.mul(E, F2);
      const Y3 = Fp2.mul(G, H);
      const T3 = Fp2.mul(E, H);
      const Z3 = Fp2.mul(F2, G);
      return new Point(X3, Y3, Z3, T3);
    }
    subtract(other) {
      aedpoint(other);
      return this.add(other.negate());
    }
    // Constant-time multiplication.
    multiply(scalar) {
      if (!Fn.isValidNot0(scalar))
        throw new RangeError("invalid scalar: expected 1 <= sc < curve.n");
      const { p, f } = wnaf.mulSecret(this, scalar, cofactor, normalize);
      return normalize([p, f])[0];
    }
    // Non-constant-time multiplication. Uses double-and-add algorithm.
    // It's faster, but should only be used when you don't care about
    // an exposed private key e.g. sig verification.
    // Keeps the same subgroup-scalar contract: 0 is allowed for public-scalar callers, but
    // n and larger values are rejected instead of being reduced mod n to the identity point.
    multiplyUnsafe(scalar) {
      if (!Fn.isValid(scalar))
        throw new RangeError("invalid scalar: expected 0 <= sc < curve.n");
      if (scalar === _0n5)
        return Point.ZERO;
      if (this.is0() || scalar === _1n5)
        return this;
      return wnaf.mulUnsafe(this, scalar, normalize);
    }
    // Checks if point is of small order.
    // If you add something to small order point, you will have "dirty"
    // point with torsion component.
    // Clears cofactor and checks if the result is 0.
    isSmallOrder() {
      return this.clearCofactor().is0();
    }
    // Multiplies point by curve order and checks if the result is 0.
    // Returns `false` is the point is dirty.
    isTorsionFree() {
      return wnaf.mulUnsafe(this, CURVE.n).is0();
    }
    // Converts Extended point to default (x, y) coordinates.
    // Can accept precomputed Z^-1 - for example, from invertBatch.
    toAffine(invertedZ) {
      const p = this;
      let iz = invertedZ;
      if (iz != null && typeof iz !== "bigint")
        throw new TypeError('"invertedZ" expected bigint, got type=' + typeof iz);
      const { X, Y, Z } = p;
      const is0 = p.is0();
      if (iz == null)
        iz = is0 ? Fp2.create(_8n2) : Fp2.inv(Z);
      const x = Fp2.mul(X, iz);
      const y = Fp2.mul(Y, iz);
      const zz = Fp2.mul(Z, iz);
      if (is0)
        return { x: Fp2.ZERO, y: Fp2.ONE };
      if (!Fp2.eql(zz, Fp2.ONE))
        throw new Error("invZ was invalid");
      return { x, y };
    }
    clearCofactor() {
      if (cofactor === _1n5)
        return this;
      if (cofactor === _2n3)
        return this.double();
      if (cofactor === _4n3)
        return this.double().double();
      if (cofactor === _8n2)
        return this.double().double().double();
      return this.multiplyUnsafe(cofactor);
    }
    toBytes() {
      const { x, y } = this.toAffine();
      const bytes = Fp2.toBytes(y);
      bytes[bytes.length - 1] |= isOdd(x) ? 128 : 0;
      return bytes;
    }
    toHex() {
      return bytesToHex2(this.toBytes());
    }
    toString() {
      return `<Point ${this.is0() ? "ZERO" : this.toHex()}>`;
    }
  }
  const normalize = (points) => normalizeZ(Point, points);
  const wnaf = new ScalarMultiplier(Point, randomBytes4);
  if (wnaf.bits >= 6)
    Point.BASE.precompute(6);
  Object.freeze(Point.prototype);
  Object.freeze(Point);
  return Point;
}
function eddsa(Point, cHash, eddsaOpts = {}) {
  validatePointCons(Point);
  if (typeof cHash !== "function")
    throw new Error('"hash" function param is required');
  const hash = cHash;
  const opts = eddsaOpts;
  validateObject(opts, {}, {
    adjustScalarBytes: "function",
    randomBytes: "function",
    domain: "function",
    prehash: "function",
    zip215: "boolean",
    mapToCurve: "function",
    toMontgomery: "function",
    toMontgomerySecret: "function"
  });
  const { prehash } = opts;
  const { BASE, Fp: Fp2, Fn } = Point;
  const outputLen = hash.outputLen;
  const expectedLen = 2 * Fp2.BYTES;
  if (outputLen !== void 0) {
    asafenumber(outputLen, "hash.outputLen");
    if (outputLen !== expectedLen)
      throw new Error(`hash.outputLen must be ${expectedLen}, got ${outputLen}`);
  }
  const randomBytes4 = opts.randomBytes === void 0 ? randomBytes2 : opts.randomBytes;
  const toMontgomery2 = opts.toMontgomery;
  const toMontgomerySecret2 = opts.toMontgomerySecret;
  const adjustScalarBytes2 = opts.adjustScalarBytes === void 0 ? (bytes) => bytes : opts.adjustScalarBytes;
  const domain = opts.domain === void 0 ? (data, ctx, phflag) => {
    abool2(phflag, "phflag");
    if (ctx.length || phflag)
      throw new Error("Contexts/pre-hash are not supported");
    return data;
  } : opts.domain;
  function modN_LE(hash2) {
    return Fn.create(bytesToNumberLE(hash2));
  }
  function getPrivateScalar(key) {
    const len = lengths.secretKey;
    abytes2(key, lengths.secretKey, "secretKey");
    const hashed = abytes2(hash(key), 2 * len, "hashedSecretKey");
    const head2 = adjustScalarBytes2(hashed.slice(0, len));
    const prefix2 = hashed.slice(len, 2 * len);
    const scalar = modN_LE(head2);
    return { head: head2, prefix: prefix2, scalar };
  }
  function getExtendedPublicKey(secretKey) {
    const { head: head2, prefix: prefix2, scalar } = getPrivateScalar(secretKey);
    const point = BASE.multiply(scalar);
    const pointBytes = point.toBytes();
    return { head: head2, prefix: prefix2, scalar, point, pointBytes };
  }
  function getPublicKey(secretKey) {
    return getExtendedPublicKey(secretKey).pointBytes;
  }
  function hashDomainToScalar(context2 = Uint8Array.of(), ...msgs) {
    const msg = concatBytes2(...msgs);
    return modN_LE(hash(domain(msg, abytes2(context2, void 0, "context"), !!prehash)));
  }
  function sign(msg, secretKey, options = {}) {
    validateObject(options, {}, {}, "options");
    msg = copyBytes(abytes2(msg, void 0, "message"));
    if (prehash)
      msg = prehash(msg);
    const { prefix: prefix2, scalar, pointBytes } = getExtendedPublicKey(secretKey);
    const r = hashDomainToScalar(options.context, prefix2, msg);
    const R = BASE.multiply(r).toBytes();
    const k = hashDomainToScalar(options.context, R, pointBytes, msg);
    const s = Fn.create(r + k * scalar);
    if (!Fn.isValid(s))
      throw new Error("sign failed: invalid s");
    const rs = concatBytes2(R, Fn.toBytes(s));
    return abytes2(rs, lengths.signature, "result");
  }
  const verifyOpts = {
    zip215: opts.zip215
  };
  function verify2(sig, msg, publicKey2, options = verifyOpts) {
    validateObject(options);
    const { context: context2 } = options;
    const zip215 = options.zip215 === void 0 ? !!verifyOpts.zip215 : options.zip215;
    const len = lengths.signature;
    sig = abytes2(sig, len, "signature");
    msg = abytes2(msg, void 0, "message");
    publicKey2 = abytes2(publicKey2, lengths.publicKey, "publicKey");
    if (zip215 !== void 0)
      abool2(zip215, "zip215");
    if (prehash)
      msg = prehash(msg);
    const mid = len / 2;
    const r = sig.subarray(0, mid);
    const s = bytesToNumberLE(sig.subarray(mid, len));
    let A, R, SB;
    try {
      A = Point.fromBytes(publicKey2, zip215);
      R = Point.fromBytes(r, zip215);
      SB = BASE.multiplyUnsafe(s);
    } catch (error) {
      return false;
    }
    if (!zip215 && A.isSmallOrder())
      return false;
    const k = hashDomainToScalar(context2, r, publicKey2, msg);
    const RkA = R.add(A.multiplyUnsafe(k));
    return RkA.subtract(SB).clearCofactor().is0();
  }
  const _size = Fp2.BYTES;
  const lengths = {
    secretKey: _size,
    publicKey: _size,
    signature: 2 * _size,
    seed: _size
  };
  function randomSecretKey(seed) {
    seed = seed === void 0 ? randomBytes4(lengths.seed) : seed;
    return abytes2(seed, lengths.seed, "seed");
  }
  function isValidSecretKey(key) {
    return isBytes2(key) && key.length === lengths.secretKey;
  }
  function isValidPublicKey(key, zip215) {
    try {
      return !!Point.fromBytes(key, zip215 === void 0 ? verifyOpts.zip215 : zip215);
    } catch (error) {
      return false;
    }
  }
  const utils = {
    getExtendedPublicKey,
    randomSecretKey,
    isValidSecretKey,
    isValidPublicKey,
    /** Converts an Edwards public key to a companion Montgomery public key. */
    toMontgomery(publicKey2) {
      if (toMontgomery2 === void 0)
        throw new Error("Montgomery conversion is not supported for this curve");
      return toMontgomery2(Point.fromBytes(publicKey2));
    },
    toMontgomerySecret(secretKey) {
      if (toMontgomerySecret2 === void 0)
        throw new Error("Montgomery conversion is not supported for this curve");
      return toMontgomerySecret2(secretKey);
    }
  };
  Object.freeze(lengths);
  Object.freeze(utils);
  return Object.freeze({
    keygen: createKeygen(randomSecretKey, getPublicKey),
    getPublicKey,
    sign,
    verify: verify2,
    utils,
    Point,
    lengths
  });
}
function checkU32(n, title = "n") {
  if (typeof n !== "number")
    throw new TypeError(`wrong u32 integer "${title}": expected number, got type=${typeof n}`);
  if (!Number.isSafeInteger(n) || n < 0 || n > 4294967295)
    throw new RangeError(`wrong u32 integer "${title}": expected 0..4294967295, got ${n}`);
  return n;
}
function isPowerOfTwo(x) {
  checkU32(x, "x");
  return (x & x - 1) === 0 && x !== 0;
}
function reverseBits(n, bits2) {
  checkU32(n);
  if (typeof bits2 !== "number")
    throw new TypeError('"bits" expected number, got type=' + typeof bits2);
  if (!Number.isSafeInteger(bits2) || bits2 < 0 || bits2 > 32)
    throw new Error(`expected integer 0 <= bits <= 32, got ${bits2}`);
  let reversed = 0;
  for (let i = 0; i < bits2; i++, n >>>= 1)
    reversed = reversed << 1 | n & 1;
  return reversed >>> 0;
}
function log2(n) {
  checkU32(n);
  return 31 - Math.clz32(n);
}
function bitReversalInplace(values) {
  if (!values || typeof values !== "object" || typeof values.length !== "number")
    throw new TypeError('"values" expected array-like, got type=' + typeof values);
  const n = values.length;
  if (!isPowerOfTwo(n))
    throw new Error("expected positive power-of-two length, got " + n);
  const bits2 = log2(n);
  for (let i = 0; i < n; i++) {
    const j = reverseBits(i, bits2);
    if (i < j) {
      const tmp = values[i];
      values[i] = values[j];
      values[j] = tmp;
    }
  }
  return values;
}
var FFTCore = (F2, coreOpts) => {
  validateObject(coreOpts, { N: "number", roots: "object", dit: "boolean" }, { invertButterflies: "boolean", skipStages: "number", brp: "boolean" }, "coreOpts");
  const { N: N2, roots, dit, invertButterflies = false, skipStages = 0, brp = true } = coreOpts;
  checkU32(N2, "coreOpts.N");
  const bits2 = log2(N2);
  if (!isPowerOfTwo(N2))
    throw new Error("FFT: Polynomial size should be power of two");
  checkU32(skipStages, "coreOpts.skipStages");
  const maxSkipStages = bits2 === 0 ? 0 : bits2 - 1;
  if (skipStages > maxSkipStages)
    throw new Error(`FFT: wrong skipStages: expected 0 <= skipStages <= ${maxSkipStages}`);
  if (roots.length !== N2)
    throw new Error(`FFT: wrong roots length: expected ${N2}, got ${roots.length}`);
  const isDit = dit !== invertButterflies;
  return (values) => {
    if (values.length !== N2)
      throw new Error("FFT: wrong Polynomial length");
    if (dit && brp)
      bitReversalInplace(values);
    for (let i = 0, g = 1; i < bits2 - skipStages; i++) {
      const s = dit ? i + 1 + skipStages : bits2 - i;
      const m = 1 << s;
      const m2 = m >> 1;
      const stride = N2 >> s;
      for (let k = 0; k < N2; k += m) {
        for (let j = 0, grp = g++; j < m2; j++) {
          const rootPos = invertButterflies ? dit ? N2 - grp : grp : j * stride;
          const i0 = k + j;
          const i1 = k + j + m2;
          const omega = roots[rootPos];
          const b = values[i1];
          const a = values[i0];
          if (isDit) {
            const t = F2.mul(b, omega);
            values[i0] = F2.add(a, t);
            values[i1] = F2.sub(a, t);
          } else if (invertButterflies) {
            values[i0] = F2.add(b, a);
            values[i1] = F2.mul(F2.sub(b, a), omega);
          } else {
            values[i0] = F2.add(a, b);
            values[i1] = F2.mul(F2.sub(a, b), omega);
          }
        }
      }
    }
    if (!dit && brp)
      bitReversalInplace(values);
    return values;
  };
};
/*! noble-curves - MIT License (c) 2022 Paul Miller (paulmillr.com) */
var _1n6 = /* @__PURE__ */ BigInt(1);
var _2n4 = /* @__PURE__ */ BigInt(2);
var _5n2 = /* @__PURE__ */ BigInt(5);
var _8n3 = /* @__PURE__ */ BigInt(8);
var ed25519_CURVE_p = /* @__PURE__ */ BigInt("0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
var ed25519_CURVE = /* @__PURE__ */ (() => ({
  p: ed25519_CURVE_p,
  n: BigInt("0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"),
  h: _8n3,
  a: BigInt("0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec"),
  d: BigInt("0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3"),
  Gx: BigInt("0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a"),
  Gy: BigInt("0x6666666666666666666666666666666666666666666666666666666666666658")
}))();
function ed25519_pow_2_252_3(x) {
  const _10n = BigInt(10), _20n = BigInt(20), _40n = BigInt(40), _80n = BigInt(80);
  const P = ed25519_CURVE_p;
  const x2 = x * x % P;
  const b2 = x2 * x % P;
  const b4 = pow2(b2, _2n4, P) * b2 % P;
  const b5 = pow2(b4, _1n6, P) * x % P;
  const b10 = pow2(b5, _5n2, P) * b5 % P;
  const b20 = pow2(b10, _10n, P) * b10 % P;
  const b40 = pow2(b20, _20n, P) * b20 % P;
  const b80 = pow2(b40, _40n, P) * b40 % P;
  const b160 = pow2(b80, _80n, P) * b80 % P;
  const b240 = pow2(b160, _80n, P) * b80 % P;
  const b250 = pow2(b240, _10n, P) * b10 % P;
  const pow_p_5_8 = pow2(b250, _2n4, P) * x % P;
  return { pow_p_5_8, b2 };
}
function adjustScalarBytes(bytes) {
  bytes[0] &= 248;
  bytes[31] &= 127;
  bytes[31] |= 64;
  return bytes;
}
var ED25519_SQRT_M1 = /* @__PURE__ */ BigInt("19681161376707505956807079304988542015446066515923890162744021073123829784752");
function uvRatio(u, v) {
  const P = ed25519_CURVE_p;
  const v3 = mod(v * v * v, P);
  const v7 = mod(v3 * v3 * v, P);
  const pow3 = ed25519_pow_2_252_3(u * v7).pow_p_5_8;
  let x = mod(u * v3 * pow3, P);
  const vx2 = mod(v * x * x, P);
  const root1 = x;
  const root2 = mod(x * ED25519_SQRT_M1, P);
  const useRoot1 = vx2 === u;
  const useRoot2 = vx2 === mod(-u, P);
  const noRoot = vx2 === mod(-u * ED25519_SQRT_M1, P);
  if (useRoot1)
    x = root1;
  if (useRoot2 || noRoot)
    x = root2;
  if (isNegativeLE(x, P))
    x = mod(-x, P);
  return { isValid: useRoot1 || useRoot2, value: x };
}
var ed25519_Point = /* @__PURE__ */ edwards(ed25519_CURVE, { uvRatio });
var Fp = /* @__PURE__ */ (() => ed25519_Point.Fp)();
function toMontgomery(point) {
  const { y } = point;
  return Fp.toBytes(Fp.div(_1n6 + y, _1n6 - y));
}
function toMontgomerySecret(secretKey) {
  const size = ed25519_Point.Fp.BYTES;
  abytes(secretKey, size);
  return adjustScalarBytes(sha512(secretKey.subarray(0, size))).subarray(0, size);
}
function ed(opts) {
  return eddsa(ed25519_Point, sha512, Object.assign({ adjustScalarBytes, toMontgomery, toMontgomerySecret, zip215: true }, opts));
}
var ed25519 = /* @__PURE__ */ ed({});
/*! noble-curves - MIT License (c) 2022 Paul Miller (paulmillr.com) */
var _0n6 = /* @__PURE__ */ BigInt(0);
var DERErr = class extends Error {
  constructor(m = "") {
    super(m);
  }
};
var _DER = {
  // asn.1 DER encoding utils
  Err: DERErr,
  // Basic building block is TLV (Tag-Length-Value)
  _tlv: {
    encode: (tag, data) => {
      const { Err: E } = _DER;
      asafenumber(tag, "tag");
      if (tag < 0 || tag > 255)
        throw new E("tlv.encode: wrong tag");
      astring(data, "data");
      if (data.length & 1)
        throw new E("tlv.encode: unpadded data");
      const dataLen = data.length / 2;
      const len = numberToHexUnpadded(dataLen);
      if (len.length / 2 & 128)
        throw new E("tlv.encode: long form length too big");
      const lenLen = dataLen > 127 ? numberToHexUnpadded(len.length / 2 | 128) : "";
      const t = numberToHexUnpadded(tag);
      return t + lenLen + len + data;
    },
    // v - value, l - left bytes (unparsed)
    decode(tag, data) {
      const { Err: E } = _DER;
      data = abytes2(data, void 0, "DER data");
      let pos = 0;
      if (tag < 0 || tag > 255)
        throw new E("tlv.decode: wrong tag");
      if (data.length < 2 || data[pos++] !== tag)
        throw new E("tlv.decode: wrong tlv");
      const first = data[pos++];
      const isLong = !!(first & 128);
      let length = 0;
      if (!isLong)
        length = first;
      else {
        const lenLen = first & 127;
        if (!lenLen)
          throw new E("tlv.decode(long): indefinite length not supported");
        if (lenLen > 4)
          throw new E("tlv.decode(long): byte length is too big");
        const lengthBytes = data.subarray(pos, pos + lenLen);
        if (lengthBytes.length !== lenLen)
          throw new E("tlv.decode: length bytes not complete");
        if (lengthBytes[0] === 0)
          throw new E("tlv.decode(long): zero leftmost byte");
        for (const b of lengthBytes)
          length = length << 8 | b;
        pos += lenLen;
        if (length < 128)
          throw new E("tlv.decode(long): not minimal encoding");
      }
      const v = data.subarray(pos, pos + length);
      if (v.length !== length)
        throw new E("tlv.decode: wrong value length");
      return { v, l: data.subarray(pos + length) };
    }
  },
  // https://crypto.stackexchange.com/a/57734 Leftmost bit of first byte is 'negative' flag,
  // since we always use positive integers here. It must always be empty:
  // - add zero byte if exists
  // - if next byte doesn't have a flag, leading zero is not allowed (minimal encoding)
  _int: {
    encode(num) {
      const { Err: E } = _DER;
      abignumber(num);
      if (num < _0n6)
        throw new E("integer: negative integers are not allowed");
      let hex2 = numberToHexUnpadded(num);
      if (Number.parseInt(hex2[0], 16) & 8)
        hex2 = "00" + hex2;
      if (hex2.length & 1)
        throw new E("unexpected DER parsing assertion: unpadded hex");
      return hex2;
    },
    decode(data) {
      const { Err: E } = _DER;
      if (data.length < 1)
        throw new E("invalid signature integer: empty");
      if (data[0] & 128)
        throw new E("invalid signature integer: negative");
      if (data.length > 1 && data[0] === 0 && !(data[1] & 128))
        throw new E("invalid signature integer: unnecessary leading zero");
      return bytesToNumberBE(data);
    }
  },
  toSig(bytes, maxScalarBytes) {
    const { Err: E, _int: int, _tlv: tlv } = _DER;
    if (maxScalarBytes !== void 0) {
      asafenumber(maxScalarBytes, "maxScalarBytes");
      if (maxScalarBytes < 1)
        throw new E("invalid signature: maxScalarBytes must be positive");
    }
    const data = abytes2(bytes, void 0, "signature");
    const { v: seqBytes, l: seqLeftBytes } = tlv.decode(48, data);
    if (seqLeftBytes.length)
      throw new E("invalid signature: left bytes after parsing");
    const { v: rBytes, l: rLeftBytes } = tlv.decode(2, seqBytes);
    const { v: sBytes, l: sLeftBytes } = tlv.decode(2, rLeftBytes);
    if (sLeftBytes.length)
      throw new E("invalid signature: left bytes after parsing");
    if (maxScalarBytes !== void 0 && (rBytes.length > maxScalarBytes || sBytes.length > maxScalarBytes))
      throw new E("invalid signature: integer too large");
    return { r: int.decode(rBytes), s: int.decode(sBytes) };
  },
  hexFromSig(sig) {
    const { _tlv: tlv, _int: int } = _DER;
    validateObject(sig, { r: "bigint", s: "bigint" }, {}, "sig");
    const rs = tlv.encode(2, int.encode(sig.r));
    const ss = tlv.encode(2, int.encode(sig.s));
    const seq = rs + ss;
    return tlv.encode(48, seq);
  }
};
var DER = /* @__PURE__ */ (() => {
  Object.freeze(_DER._tlv);
  Object.freeze(_DER._int);
  return Object.freeze(_DER);
})();
/*! noble-curves - MIT License (c) 2022 Paul Miller (paulmillr.com) */
var divNearest = (num, den) => (num + (num >= 0 ? den : -den) / _2n5) / den;
function _splitEndoScalar(k, basis, n) {
  aInRange("scalar", k, _0n7, n);
  const [[a1, b1], [a2, b2]] = basis;
  const c1 = divNearest(b2 * k, n);
  const c2 = divNearest(-b1 * k, n);
  let k1 = k - c1 * a1 - c2 * a2;
  let k2 = -c1 * b1 - c2 * b2;
  const k1neg = k1 < _0n7;
  const k2neg = k2 < _0n7;
  if (k1neg)
    k1 = -k1;
  if (k2neg)
    k2 = -k2;
  const MAX_NUM = bitMask(Math.ceil(bitLen(n) / 2)) + _1n7;
  if (k1 < _0n7 || k1 >= MAX_NUM || k2 < _0n7 || k2 >= MAX_NUM) {
    throw new Error("splitScalar (endomorphism): failed for k");
  }
  return { k1neg, k1, k2neg, k2 };
}
function validateSigFormat(format) {
  if (!["compact", "recovered", "der"].includes(format))
    throw new Error('Signature format must be "compact", "recovered", or "der"');
  return format;
}
function validateSigOpts(opts, def) {
  validateObject(opts);
  const optsn = {};
  for (let optName of Object.keys(def)) {
    optsn[optName] = opts[optName] === void 0 ? def[optName] : opts[optName];
  }
  abool2(optsn.lowS, "lowS");
  abool2(optsn.prehash, "prehash");
  if (optsn.format !== void 0)
    validateSigFormat(optsn.format);
  return optsn;
}
var _0n7 = /* @__PURE__ */ BigInt(0);
var _1n7 = /* @__PURE__ */ BigInt(1);
var _2n5 = /* @__PURE__ */ BigInt(2);
var _3n2 = /* @__PURE__ */ BigInt(3);
var _4n4 = /* @__PURE__ */ BigInt(4);
function weierstrass(params, extraOpts = {}) {
  const validated = createCurveFields("weierstrass", params, extraOpts);
  const Fp2 = validated.Fp;
  const Fn = validated.Fn;
  let CURVE = validated.CURVE;
  const { h: cofactor, n: CURVE_ORDER } = CURVE;
  validateObject(extraOpts, {}, {
    allowInfinityPoint: "boolean",
    clearCofactor: "function",
    isTorsionFree: "function",
    fromBytes: "function",
    toBytes: "function",
    endo: "object",
    randomBytes: "function"
  });
  const { endo: endoOpts, allowInfinityPoint, clearCofactor, isTorsionFree, fromBytes, toBytes } = extraOpts;
  const randomBytes4 = extraOpts.randomBytes === void 0 ? randomBytes2 : extraOpts.randomBytes;
  if (endoOpts) {
    if (!Fp2.is0(CURVE.a) || typeof endoOpts.beta !== "bigint" || !Array.isArray(endoOpts.basises)) {
      throw new Error('invalid endo: expected "beta": bigint and "basises": array');
    }
  }
  const endo = endoOpts ? {
    beta: endoOpts.beta,
    basises: endoOpts.basises.map((basis) => [...basis])
  } : void 0;
  const lengths = getWLengths(Fp2, Fn);
  function assertCompressionIsSupported() {
    if (!Fp2.isOdd)
      throw new Error("compression is not supported: Field does not have .isOdd()");
  }
  function pointToBytes(_c, point, isCompressed) {
    if (point.is0()) {
      if (!allowInfinityPoint)
        throw new Error("bad point: ZERO");
      return Uint8Array.of(0);
    }
    const { x, y } = point.toAffine();
    const bx = Fp2.toBytes(x);
    abool2(isCompressed, "isCompressed");
    if (isCompressed) {
      assertCompressionIsSupported();
      const hasEvenY = !Fp2.isOdd(y);
      return concatBytes2(pprefix(hasEvenY), bx);
    } else {
      return concatBytes2(Uint8Array.of(4), bx, Fp2.toBytes(y));
    }
  }
  function pointFromBytes(bytes) {
    abytes2(bytes, void 0, "Point");
    const { publicKey: comp, publicKeyUncompressed: uncomp } = lengths;
    const length = bytes.length;
    const head2 = bytes[0];
    const tail = bytes.subarray(1);
    if (allowInfinityPoint && length === 1 && head2 === 0)
      return { x: Fp2.ZERO, y: Fp2.ZERO };
    if (length === comp && (head2 === 2 || head2 === 3)) {
      const x = Fp2.fromBytes(tail);
      if (!Fp2.isValid(x))
        throw new Error("bad point: is not on curve, wrong x");
      const y2 = weierstrassEquation(x);
      let y;
      try {
        y = Fp2.sqrt(y2);
      } catch (sqrtError) {
        const err = sqrtError instanceof Error ? ": " + sqrtError.message : "";
        throw new Error("bad point: is not on curve, sqrt error" + err);
      }
      assertCompressionIsSupported();
      const evenY = Fp2.isOdd(y);
      const evenH = (head2 & 1) === 1;
      if (evenH !== evenY)
        y = Fp2.neg(y);
      return { x, y };
    } else if (length === uncomp && head2 === 4) {
      const L = Fp2.BYTES;
      const x = Fp2.fromBytes(tail.subarray(0, L));
      const y = Fp2.fromBytes(tail.subarray(L, L * 2));
      if (!isValidXY(x, y))
        throw new Error("bad point: is not on curve");
      return { x, y };
    } else {
      throw new Error(`bad point: got length ${length}, expected compressed=${comp} or uncompressed=${uncomp}`);
    }
  }
  const encodePoint = toBytes === void 0 ? pointToBytes : toBytes;
  const decodePoint = fromBytes === void 0 ? pointFromBytes : fromBytes;
  const b3 = Fp2.mul(CURVE.b, _3n2);
  const mulA = Fp2.is0(CURVE.a) ? (_) => Fp2.ZERO : (x) => Fp2.mul(CURVE.a, x);
  function weierstrassEquation(x) {
    const x2 = Fp2.sqr(x);
    const x3 = Fp2.mul(x2, x);
    return Fp2.add(Fp2.add(x3, Fp2.mul(x, CURVE.a)), CURVE.b);
  }
  function isValidXY(x, y) {
    const left = Fp2.sqr(y);
    const right = weierstrassEquation(x);
    return Fp2.eql(left, right);
  }
  if (!isValidXY(CURVE.Gx, CURVE.Gy))
    throw new Error("bad curve params: generator point");
  const _4a3 = Fp2.mul(Fp2.pow(CURVE.a, _3n2), _4n4);
  const _27b2 = Fp2.mul(Fp2.sqr(CURVE.b), BigInt(27));
  if (Fp2.is0(Fp2.add(_4a3, _27b2)))
    throw new Error("bad curve params: a or b");
  function acoord(title, n, banZero = false) {
    if (!Fp2.isValid(n) || banZero && Fp2.is0(n))
      throw new Error(`bad point coordinate ${title}`);
    return typeof n === "object" && n !== null ? Fp2.create(n) : n;
  }
  function aprjpoint(other) {
    if (!(other instanceof Point))
      throw new Error("Weierstrass Point expected");
  }
  function splitEndoScalarN(k) {
    if (!endo || !endo.basises)
      throw new Error("no endo");
    return _splitEndoScalar(k, endo.basises, Fn.ORDER);
  }
  function pushWnafPair(points, scalars, p, k) {
    if (!Fn.isValid(k))
      throw new RangeError("invalid scalar: out of range");
    if (endo) {
      const { k1neg, k1, k2neg, k2 } = splitEndoScalarN(k);
      const psi = new Point(Fp2.mul(p.X, endo.beta), p.Y, p.Z);
      points.push(k1neg ? p.negate() : p, k2neg ? psi.negate() : psi);
      scalars.push(k1, k2);
    } else {
      points.push(p);
      scalars.push(k);
    }
  }
  const validityCache = /* @__PURE__ */ new WeakSet();
  class Point {
    static BASE = new Point(CURVE.Gx, CURVE.Gy, Fp2.ONE);
    static ZERO = new Point(Fp2.ZERO, Fp2.ONE, Fp2.ZERO);
    static Fp = Fp2;
    static Fn = Fn;
    X;
    Y;
    Z;
    /** Does NOT validate if the point is valid. Use `.assertValidity()`. */
    constructor(X, Y, Z) {
      this.X = acoord("x", X);
      this.Y = acoord("y", Y, true);
      this.Z = acoord("z", Z);
      Object.freeze(this);
    }
    static CURVE() {
      return CURVE;
    }
    /** Does NOT validate if the point is valid. Use `.assertValidity()`. */
    static fromAffine(p) {
      const { x, y } = p || {};
      if (!p || !Fp2.isValid(x) || !Fp2.isValid(y))
        throw new Error("invalid affine point");
      if (p instanceof Point)
        throw new Error("projective point not allowed");
      if (Fp2.is0(x) && Fp2.is0(y))
        return Point.ZERO;
      return new Point(x, y, Fp2.ONE);
    }
    static fromBytes(bytes) {
      const P = Point.fromAffine(decodePoint(abytes2(bytes, void 0, "point")));
      P.assertValidity();
      return P;
    }
    static fromHex(hex2) {
      return Point.fromBytes(hexToBytes2(hex2));
    }
    get x() {
      return this.toAffine().x;
    }
    get y() {
      return this.toAffine().y;
    }
    /**
     * @param isLazy - true will defer table computation until the first multiplication
     */
    precompute(windowSize = 6, isLazy = true) {
      wnaf.setWindowSize(this, windowSize);
      if (!isLazy)
        this.multiply(_3n2);
      return this;
    }
    // TODO: return `this`
    /** A point on curve is valid if it conforms to equation. */
    assertValidity() {
      const p = this;
      if (p.is0()) {
        if (allowInfinityPoint && Fp2.is0(p.X) && Fp2.eql(p.Y, Fp2.ONE) && Fp2.is0(p.Z))
          return;
        throw new Error("bad point: ZERO");
      }
      if (validityCache.has(p))
        return;
      const { x, y } = p.toAffine();
      if (!Fp2.isValid(x) || !Fp2.isValid(y))
        throw new Error("bad point: x or y not field elements");
      if (!isValidXY(x, y))
        throw new Error("bad point: equation left != right");
      if (!p.isTorsionFree())
        throw new Error("bad point: not in prime-order subgroup");
      validityCache.add(p);
    }
    hasEvenY() {
      const { y } = this.toAffine();
      if (!Fp2.isOdd)
        throw new Error("Field doesn't support isOdd");
      return !Fp2.isOdd(y);
    }
    /** Compare one point to another. */
    equals(other) {
      aprjpoint(other);
      const { X: X1, Y: Y1, Z: Z1 } = this;
      const { X: X2, Y: Y2, Z: Z2 } = other;
      const U1 = Fp2.eql(Fp2.mul(X1, Z2), Fp2.mul(X2, Z1));
      const U22 = Fp2.eql(Fp2.mul(Y1, Z2), Fp2.mul(Y2, Z1));
      return U1 && U22;
    }
    /** Flips point to one corresponding to (x, -y) in Affine coordinates. */
    negate() {
      return new Point(this.X, Fp2.neg(this.Y), this.Z);
    }
    // Renes-Costello-Batina exception-free doubling formula.
    // There is 30% faster Jacobian formula, but it is not complete.
    // https://eprint.iacr.org/2015/1060, algorithm 3
    // Cost: 8M + 3S + 3*a + 2*b3 + 15add.
    double() {
      const { X: X1, Y: Y1, Z: Z1 } = this;
      let X3 = Fp2.ZERO, Y3 = Fp2.ZERO, Z3 = Fp2.ZERO;
      let t0 = Fp2.mul(X1, X1);
      let t1 = Fp2.mul(Y1, Y1);
      let t2 = Fp2.mul(Z1, Z1);
      let t3 = Fp2.mul(X1, Y1);
      t3 = Fp2.add(t3, t3);
      Z3 = Fp2.mul(X1, Z1);
      Z3 = Fp2.add(Z3, Z3);
      X3 = mulA(Z3);
      Y3 = Fp2.mul(b3, t2);
      Y3 = Fp2.add(X3, Y3);
      X3 = Fp2.sub(t1, Y3);
      Y3 = Fp2.add(t1, Y3);
      Y3 = Fp2.mul(X3, Y3);
      X3 = Fp2.mul(t3, X3);
      Z3 = Fp2.mul(b3, Z3);
      t2 = mulA(t2);
      t3 = Fp2.sub(t0, t2);
      t3 = mulA(t3);
      t3 = Fp2.add(t3, Z3);
      Z3 = Fp2.add(t0, t0);
      t0 = Fp2.add(Z3, t0);
      t0 = Fp2.add(t0, t2);
      t0 = Fp2.mul(t0, t3);
      Y3 = Fp2.add(Y3, t0);
      t2 = Fp2.mul(Y1, Z1);
      t2 = Fp2.add(t2, t2);
      t0 = Fp2.mul(t2, t3);
      X3 = Fp2.sub(X3, t0);
      Z3 = Fp2.mul(t2, t1);
      Z3 = Fp2.add(Z3, Z3);
      Z3 = Fp2.add(Z3, Z3);
      return new Point(X3, Y3, Z3);
    }
    // Renes-Costello-Batina exception-free addition formula.
    // There is 30% faster Jacobian formula, but it is not complete.
    // https://eprint.iacr.org/2015/1060, algorithm 1
    // Cost: 12M + 0S + 3*a + 3*b3 + 23add.
    add(other) {
      aprjpoint(other);
      const { X: X1, Y: Y1, Z: Z1 } = this;
      const { X: X2, Y: Y2, Z: Z2 } = other;
      let X3 = Fp2.ZERO, Y3 = Fp2.ZERO, Z3 = Fp2.ZERO;
      let t0 = Fp2.mul(X1, X2);
      let t1 = Fp2.mul(Y1, Y2);
      let t2 = Fp2.mul(Z1, Z2);
      let t3 = Fp2.add(X1, Y1);
      let t4 = Fp2.add(X2, Y2);
      t3 = Fp2.mul(t3, t4);
      t4 = Fp2.add(t0, t1);
      t3 = Fp2.sub(t3, t4);
      t4 = Fp2.add(X1, Z1);
      let t5 = Fp2.add(X2, Z2);
      t4 = Fp2.mul(t4, t5);
      t5 = Fp2.add(t0, t2);
      t4 = Fp2.sub(t4, t5);
      t5 = Fp2.add(Y1, Z1);
      X3 = Fp2.add(Y2, Z2);
      t5 = Fp2.mul(t5, X3);
      X3 = Fp2.add(t1, t2);
      t5 = Fp2.sub(t5, X3);
      Z3 = mulA(t4);
      X3 = Fp2.mul(b3, t2);
      Z3 = Fp2.add(X3, Z3);
      X3 = Fp2.sub(t1, Z3);
      Z3 = Fp2.add(t1, Z3);
      Y3 = Fp2.mul(X3, Z3);
      t1 = Fp2.add(t0, t0);
      t1 = Fp2.add(t1, t0);
      t2 = mulA(t2);
      t4 = Fp2.mul(b3, t4);
      t1 = Fp2.add(t1, t2);
      t2 = Fp2.sub(t0, t2);
      t2 = mulA(t2);
      t4 = Fp2.add(t4, t2);
      t0 = Fp2.mul(t1, t4);
      Y3 = Fp2.add(Y3, t0);
      t0 = Fp2.mul(t5, t4);
      X3 = Fp2.mul(t3, X3);
      X3 = Fp2.sub(X3, t0);
      t0 = Fp2.mul(t3, t1);
      Z3 = Fp2.mul(t5, Z3);
      Z3 = Fp2.add(Z3, t0);
      return new Point(X3, Y3, Z3);
    }
    subtract(other) {
      aprjpoint(other);
      return this.add(other.negate());
    }
    is0() {
      return this.equals(Point.ZERO);
    }
    /**
     * Constant time multiplication.
     * Uses precomputed tables (signed fixed-window wNAF) when available.
     * Uses scalar blinding and avoids endomorphism splitting in the secret-scalar path.
     * @param scalar - by which the point would be multiplied
     * @returns New point
     */
    multiply(scalar) {
      if (!Fn.isValidNot0(scalar))
        throw new RangeError("invalid scalar: out of range");
      const { p, f } = wnaf.mulSecret(this, scalar, cofactor, normalize);
      return normalize([p, f])[0];
    }
    /**
     * Non-constant-time multiplication. Uses width-4 wNAF with GLV endomorphism splitting
     * when available (two half-width scalars sharing one halved doubling chain).
     * It's faster, but should only be used when you don't care about
     * an exposed secret key e.g. sig verification, which works over *public* keys.
     */
    multiplyUnsafe(scalar) {
      const p = this;
      const sc = scalar;
      if (!Fn.isValid(sc))
        throw new RangeError("invalid scalar: out of range");
      if (sc === _0n7 || p.is0())
        return Point.ZERO;
      if (sc === _1n7)
        return p;
      if (wnaf.hasWindowSize(this))
        return wnaf.mulUnsafe(p, sc, normalize);
      const points = [];
      const scalars = [];
      pushWnafPair(points, scalars, p, sc);
      return mulAddUnsafe(Point, points, scalars);
    }
    /**
     * Non-constant-time double-scalar multiplication `a⋅this + b⋅other` (Strauss–Shamir).
     * Both walks share one doubling chain via {@link mulAddUnsafe}, and GLV endomorphism
     * (when available) halves the chain again by splitting each scalar into two half-width
     * parts. Used by ECDSA verification and public-key recovery for `R = u1⋅G + u2⋅P`.
     * Only for public scalars.
     */
    mulAddUnsafe(a, other, b) {
      aprjpoint(other);
      const points = [];
      const scalars = [];
      pushWnafPair(points, scalars, this, a);
      pushWnafPair(points, scalars, other, b);
      return mulAddUnsafe(Point, points, scalars);
    }
    /**
     * Converts Projective point to affine (x, y) coordinates.
     * (X, Y, Z) ∋ (x=X/Z, y=Y/Z).
     * @param invertedZ - Z^-1 (inverted zero) - optional, precomputation is useful for invertBatch
     */
    toAffine(invertedZ) {
      const p = this;
      let iz = invertedZ;
      if (iz != null && !Fp2.isValid(iz))
        throw new RangeError('"invertedZ" expected valid field element');
      const { X, Y, Z } = p;
      if (Fp2.eql(Z, Fp2.ONE))
        return { x: X, y: Y };
      const is0 = p.is0();
      if (iz == null)
        iz = is0 ? Fp2.ONE : Fp2.inv(Z);
      const x = Fp2.mul(X, iz);
      const y = Fp2.mul(Y, iz);
      const zz = Fp2.mul(Z, iz);
      if (is0)
        return { x: Fp2.ZERO, y: Fp2.ZERO };
      if (!Fp2.eql(zz, Fp2.ONE))
        throw new Error("invZ was invalid");
      return { x, y };
    }
    /**
     * Checks whether Point is free of torsion elements (is in prime subgroup).
     * Always torsion-free for cofactor=1 curves.
     */
    isTorsionFree() {
      if (cofactor === _1n7)
        return true;
      if (isTorsionFree)
        return isTorsionFree(Point, this);
      return wnaf.mulUnsafe(this, CURVE_ORDER).is0();
    }
    clearCofactor() {
      if (cofactor === _1n7)
        return this;
      if (clearCofactor)
        return clearCofactor(Point, this);
      return this.multiplyUnsafe(cofactor);
    }
    isSmallOrder() {
      if (cofactor === _1n7)
        return this.is0();
      return this.clearCofactor().is0();
    }
    toBytes(isCompressed = true) {
      abool2(isCompressed, "isCompressed");
      this.assertValidity();
      return encodePoint(Point, this, isCompressed);
    }
    toHex(isCompressed = true) {
      return bytesToHex2(this.toBytes(isCompressed));
    }
    toString() {
      return `<Point ${this.is0() ? "ZERO" : this.toHex()}>`;
    }
  }
  const normalize = (points) => normalizeZ(Point, points);
  const wnaf = new ScalarMultiplier(Point, randomBytes4);
  if (wnaf.bits >= 6)
    Point.BASE.precompute(6);
  Object.freeze(Point.prototype);
  Object.freeze(Point);
  return Point;
}
function pprefix(hasEvenY) {
  return Uint8Array.of(hasEvenY ? 2 : 3);
}
function getWLengths(Fp2, Fn) {
  return {
    secretKey: Fn.BYTES,
    publicKey: 1 + Fp2.BYTES,
    publicKeyUncompressed: 1 + 2 * Fp2.BYTES,
    publicKeyHasPrefix: true,
    // Raw compact `(r || s)` signature width; DER and recovered signatures use
    // different lengths outside this helper.
    signature: 2 * Fn.BYTES
  };
}
function ecdh(Point, ecdhOpts = {}) {
  validatePointCons(Point);
  const { Fn } = Point;
  const randomBytes_ = ecdhOpts.randomBytes === void 0 ? randomBytes2 : ecdhOpts.randomBytes;
  const lengths = Object.assign(getWLengths(Point.Fp, Fn), {
    seed: Math.max(getMinHashLength(Fn.ORDER), 16)
  });
  function isValidSecretKey(secretKey) {
    try {
      const num = Fn.fromBytes(secretKey);
      return Fn.isValidNot0(num);
    } catch (error) {
      return false;
    }
  }
  function isValidPublicKey(publicKey2, isCompressed) {
    const { publicKey: comp, publicKeyUncompressed } = lengths;
    try {
      const l = publicKey2.length;
      if (isCompressed === true && l !== comp)
        return false;
      if (isCompressed === false && l !== publicKeyUncompressed)
        return false;
      return !Point.fromBytes(publicKey2).is0();
    } catch (error) {
      return false;
    }
  }
  function randomSecretKey(seed) {
    seed = seed === void 0 ? randomBytes_(lengths.seed) : seed;
    return mapHashToField(abytes2(seed, lengths.seed, "seed"), Fn.ORDER);
  }
  function getPublicKey(secretKey, isCompressed = true) {
    return Point.BASE.multiply(Fn.fromBytes(secretKey)).toBytes(isCompressed);
  }
  function isProbPub(item2) {
    const { secretKey, publicKey: publicKey2, publicKeyUncompressed } = lengths;
    const allowedLengths = Fn._lengths;
    if (!isBytes2(item2))
      return void 0;
    const l = abytes2(item2, void 0, "key").length;
    const isPub = l === publicKey2 || l === publicKeyUncompressed;
    const isSec = l === secretKey || !!allowedLengths?.includes(l);
    if (isPub && isSec)
      return void 0;
    return isPub;
  }
  function getSharedSecret(secretKeyA, publicKeyB, isCompressed = true) {
    if (isProbPub(secretKeyA) === true)
      throw new Error("first arg must be private key");
    if (isProbPub(publicKeyB) === false)
      throw new Error("second arg must be public key");
    const s = Fn.fromBytes(secretKeyA);
    const b = Point.fromBytes(publicKeyB);
    if (b.is0())
      throw new Error("invalid public key: point at infinity");
    return b.multiply(s).toBytes(isCompressed);
  }
  const utils = {
    isValidSecretKey,
    isValidPublicKey,
    randomSecretKey
  };
  const keygen = createKeygen(randomSecretKey, getPublicKey);
  Object.freeze(utils);
  Object.freeze(lengths);
  return Object.freeze({ getPublicKey, getSharedSecret, keygen, Point, utils, lengths });
}
function ecdsa(Point, hash, ecdsaOpts = {}) {
  validatePointCons(Point);
  const hash_ = hash;
  ahash(hash_);
  validateObject(ecdsaOpts, {}, {
    hmac: "function",
    lowS: "boolean",
    randomBytes: "function",
    bits2int: "function",
    bits2int_modN: "function"
  });
  const opts = Object.assign({}, ecdsaOpts);
  const randomBytes4 = opts.randomBytes === void 0 ? randomBytes2 : opts.randomBytes;
  const hmac2 = opts.hmac === void 0 ? (key, msg) => hmac(hash_, key, msg) : opts.hmac;
  const { Fp: Fp2, Fn } = Point;
  const { ORDER: CURVE_ORDER, BITS: fnBits } = Fn;
  const blindLength = getMinHashLength(CURVE_ORDER);
  const csprng = probeRandomBytes(randomBytes4, blindLength);
  const { keygen, getPublicKey, getSharedSecret, utils, lengths } = ecdh(Point, opts);
  const defaultSigOpts = {
    prehash: true,
    lowS: typeof opts.lowS === "boolean" ? opts.lowS : true,
    format: "compact",
    extraEntropy: false
  };
  const hasLargeRecoveryLifts = CURVE_ORDER * _2n5 + _1n7 < Fp2.ORDER;
  function isBiggerThanHalfOrder(number2) {
    const HALF = CURVE_ORDER >> _1n7;
    return number2 > HALF;
  }
  function validateRS(title, num) {
    if (!Fn.isValidNot0(num))
      throw new Error(`invalid signature ${title}: out of range 1..Point.Fn.ORDER`);
    return num;
  }
  function assertFieldSignIsSupported() {
    if (!Fp2.isOdd)
      throw new Error("Field doesn't support isOdd");
  }
  function getRecoveryBit(x, y, r) {
    assertFieldSignIsSupported();
    return (x === r ? 0 : 2) | Number(Fp2.isOdd(y));
  }
  function assertRecoverableCurve() {
    if (hasLargeRecoveryLifts)
      throw new Error('"recovered" sig type is not supported for cofactor >2 curves');
  }
  function validateSigLength(bytes, format) {
    validateSigFormat(format);
    const size = lengths.signature;
    const sizer = format === "compact" ? size : format === "recovered" ? size + 1 : void 0;
    return abytes2(bytes, sizer);
  }
  class Signature {
    r;
    s;
    recovery;
    constructor(r, s, recovery) {
      this.r = validateRS("r", r);
      this.s = validateRS("s", s);
      if (recovery != null) {
        assertRecoverableCurve();
        if (![0, 1, 2, 3].includes(recovery))
          throw new Error("invalid recovery id");
        this.recovery = recovery;
      }
      Object.freeze(this);
    }
    static fromBytes(bytes, format = defaultSigOpts.format) {
      validateSigLength(bytes, format);
      let recid;
      if (format === "der") {
        if (bytes.length > 2 * Fn.BYTES + 16)
          throw new DER.Err("invalid signature: DER signature too long");
        const { r: r2, s: s2 } = DER.toSig(abytes2(bytes), Fn.BYTES + 1);
        return new Signature(r2, s2);
      }
      if (format === "recovered") {
        recid = bytes[0];
        format = "compact";
        bytes = bytes.subarray(1);
      }
      const L = lengths.signature / 2;
      const r = bytes.subarray(0, L);
      const s = bytes.subarray(L, L * 2);
      return new Signature(Fn.fromBytes(r), Fn.fromBytes(s), recid);
    }
    static fromHex(hex2, format) {
      return this.fromBytes(hexToBytes2(hex2), format);
    }
    assertRecovery() {
      const { recovery } = this;
      if (recovery == null)
        throw new Error("invalid recovery id: must be present");
      return recovery;
    }
    addRecoveryBit(recovery) {
      return new Signature(this.r, this.s, recovery);
    }
    // Unlike the top-level helper below, this method expects a digest that has
    // already been hashed to the curve's message representative.
    recoverPublicKey(messageHash) {
      const { r, s } = this;
      const recovery = this.assertRecovery();
      const radj = recovery === 2 || recovery === 3 ? r + CURVE_ORDER : r;
      if (!Fp2.isValid(radj))
        throw new Error("invalid recovery id: sig.r+curve.n != R.x");
      const x = Fp2.toBytes(radj);
      const R = Point.fromBytes(concatBytes2(pprefix((recovery & 1) === 0), x));
      const ir = Fn.inv(radj);
      const h = bits2int_modN(abytes2(messageHash, void 0, "msgHash"));
      const u1 = Fn.create(-h * ir);
      const u2 = Fn.create(s * ir);
      const Q2 = Point.BASE.mulAddUnsafe(u1, R, u2);
      if (Q2.is0())
        throw new Error("invalid recovery: point at infinify");
      Q2.assertValidity();
      return Q2;
    }
    // Signatures should be low-s, to prevent malleability.
    hasHighS() {
      return isBiggerThanHalfOrder(this.s);
    }
    toBytes(format = defaultSigOpts.format) {
      validateSigFormat(format);
      if (format === "der")
        return hexToBytes2(DER.hexFromSig(this));
      const { r, s } = this;
      const rb = Fn.toBytes(r);
      const sb = Fn.toBytes(s);
      if (format === "recovered") {
        assertRecoverableCurve();
        return concatBytes2(Uint8Array.of(this.assertRecovery()), rb, sb);
      }
      return concatBytes2(rb, sb);
    }
    toHex(format) {
      return bytesToHex2(this.toBytes(format));
    }
  }
  Object.freeze(Signature.prototype);
  Object.freeze(Signature);
  const bits2int = opts.bits2int === void 0 ? function bits2int_def(bytes) {
    if (bytes.length > 8192)
      throw new Error("input is too large");
    const num = bytesToNumberBE(bytes);
    const delta = bytes.length * 8 - fnBits;
    return delta > 0 ? num >> BigInt(delta) : num;
  } : opts.bits2int;
  const bits2int_modN = opts.bits2int_modN === void 0 ? function bits2int_modN_def(bytes) {
    return Fn.create(bits2int(bytes));
  } : opts.bits2int_modN;
  const ORDER_MASK = bitMask(fnBits);
  function int2octets(num) {
    aInRange("num < 2^" + fnBits, num, _0n7, ORDER_MASK);
    return Fn.toBytes(num);
  }
  function validateMsgAndHash(message2, prehash) {
    abytes2(message2, void 0, "message");
    return prehash ? abytes2(hash_(message2), void 0, "prehashed message") : message2;
  }
  function prepSig(message2, secretKey, opts2) {
    const { lowS, prehash, extraEntropy } = validateSigOpts(opts2, defaultSigOpts);
    message2 = validateMsgAndHash(message2, prehash);
    const h1int = bits2int_modN(message2);
    const d = Fn.fromBytes(secretKey);
    if (!Fn.isValidNot0(d))
      throw new Error("invalid private key");
    const seedArgs = [int2octets(d), int2octets(h1int)];
    if (extraEntropy != null && extraEntropy !== false) {
      const e = extraEntropy === true ? randomBytes4(lengths.secretKey) : extraEntropy;
      seedArgs.push(abytes2(e, void 0, "extraEntropy"));
    }
    const seed = concatBytes2(...seedArgs);
    const m = h1int;
    function k2sig(kBytes) {
      const k = bits2int(kBytes);
      if (!Fn.isValidNot0(k))
        return;
      const q = Point.BASE.multiply(k).toAffine();
      const r = Fn.create(q.x);
      if (r === _0n7)
        return;
      let s;
      if (csprng !== void 0) {
        const b = bytesToNumberBE(mapHashToField(csprng(blindLength), CURVE_ORDER));
        const ibk = Fn.inv(Fn.mul(b, k));
        const bm = Fn.mul(b, m);
        const bd = Fn.mul(b, d);
        s = Fn.create(ibk * Fn.create(bm + bd * r));
      } else {
        const ik = invertCt(k, CURVE_ORDER);
        s = Fn.create(ik * Fn.create(m + r * d));
      }
      if (s === _0n7)
        return;
      let recovery = getRecoveryBit(q.x, q.y, r);
      let normS = s;
      if (lowS && isBiggerThanHalfOrder(s)) {
        normS = Fn.neg(s);
        recovery ^= 1;
      }
      return new Signature(r, normS, hasLargeRecoveryLifts ? void 0 : recovery);
    }
    return { seed, k2sig };
  }
  function sign(message2, secretKey, opts2 = {}) {
    const { seed, k2sig } = prepSig(message2, secretKey, opts2);
    const drbg = createHmacDrbg(hash_.outputLen, Fn.BYTES, hmac2);
    const sig = drbg(seed, k2sig);
    return sig.toBytes(opts2.format);
  }
  function verify2(signature, message2, publicKey2, opts2 = {}) {
    const { lowS, prehash, format } = validateSigOpts(opts2, defaultSigOpts);
    publicKey2 = abytes2(publicKey2, void 0, "publicKey");
    message2 = validateMsgAndHash(message2, prehash);
    if (!isBytes2(signature)) {
      const end = signature instanceof Signature ? ", use sig.toBytes()" : "";
      throw new Error("verify expects Uint8Array signature" + end);
    }
    validateSigLength(signature, format);
    try {
      const sig = Signature.fromBytes(signature, format);
      const P = Point.fromBytes(publicKey2);
      if (P.is0())
        return false;
      if (lowS && sig.hasHighS())
        return false;
      const { r, s } = sig;
      const h = bits2int_modN(message2);
      const is = Fn.inv(s);
      const u1 = Fn.create(h * is);
      const u2 = Fn.create(r * is);
      const R = Point.BASE.mulAddUnsafe(u1, P, u2);
      if (R.is0())
        return false;
      const q = R.toAffine();
      const v = Fn.create(q.x);
      if (v !== r)
        return false;
      if (format === "recovered" && sig.recovery !== getRecoveryBit(q.x, q.y, r))
        return false;
      return true;
    } catch (e) {
      return false;
    }
  }
  function recoverPublicKey(signature, message2, opts2 = {}) {
    const { prehash } = validateSigOpts(opts2, defaultSigOpts);
    message2 = validateMsgAndHash(message2, prehash);
    return Signature.fromBytes(signature, "recovered").recoverPublicKey(message2).toBytes();
  }
  return Object.freeze({
    keygen,
    getPublicKey,
    getSharedSecret,
    utils,
    lengths,
    Point,
    sign,
    verify: verify2,
    recoverPublicKey,
    Signature,
    hash: hash_
  });
}
/*! noble-curves - MIT License (c) 2022 Paul Miller (paulmillr.com) */
var p256_CURVE = /* @__PURE__ */ (() => ({
  p: BigInt("0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
  n: BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
  h: BigInt(1),
  a: BigInt("0xffffffff00000001000000000000000000000000fffffffffffffffffffffffc"),
  b: BigInt("0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"),
  Gx: BigInt("0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
  Gy: BigInt("0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
}))();
var p384_CURVE = /* @__PURE__ */ (() => ({
  p: BigInt("0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff"),
  n: BigInt("0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"),
  h: BigInt(1),
  a: BigInt("0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffc"),
  b: BigInt("0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef"),
  Gx: BigInt("0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7"),
  Gy: BigInt("0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f")
}))();
var p521_CURVE = /* @__PURE__ */ (() => ({
  p: BigInt("0x1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
  n: BigInt("0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"),
  h: BigInt(1),
  a: BigInt("0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc"),
  b: BigInt("0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00"),
  Gx: BigInt("0x00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66"),
  Gy: BigInt("0x011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650")
}))();
var p256_Point = /* @__PURE__ */ weierstrass(p256_CURVE);
var p256 = /* @__PURE__ */ ecdsa(p256_Point, sha256);
var p384_Point = /* @__PURE__ */ weierstrass(p384_CURVE);
var p384 = /* @__PURE__ */ ecdsa(p384_Point, sha384);
var p521_Point = /* @__PURE__ */ weierstrass(p521_CURVE);
var p521 = /* @__PURE__ */ ecdsa(p521_Point, sha512);
/*! noble-curves - MIT License (c) 2022 Paul Miller (paulmillr.com) */
var secp256k1_CURVE = {
  p: BigInt("0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"),
  n: BigInt("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"),
  h: BigInt(1),
  a: BigInt(0),
  b: BigInt(7),
  Gx: BigInt("0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
  Gy: BigInt("0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")
};
var secp256k1_ENDO = {
  beta: BigInt("0x7ae96a2b657c07106e64479eac3434e99cf0497512f58995c1396c28719501ee"),
  basises: [
    [BigInt("0x3086d221a7d46bcde86c90e49284eb15"), -BigInt("0xe4437ed6010e88286f547fa90abfe4c3")],
    [BigInt("0x114ca50f7a8e2f3f657c1108d9d44cfd8"), BigInt("0x3086d221a7d46bcde86c90e49284eb15")]
  ]
};
var _2n6 = /* @__PURE__ */ BigInt(2);
function sqrtMod(y) {
  const P = secp256k1_CURVE.p;
  const _3n3 = BigInt(3), _6n = BigInt(6), _11n = BigInt(11), _22n = BigInt(22);
  const _23n = BigInt(23), _44n = BigInt(44), _88n = BigInt(88);
  const b2 = y * y * y % P;
  const b3 = b2 * b2 * y % P;
  const b6 = pow2(b3, _3n3, P) * b3 % P;
  const b9 = pow2(b6, _3n3, P) * b3 % P;
  const b11 = pow2(b9, _2n6, P) * b2 % P;
  const b22 = pow2(b11, _11n, P) * b11 % P;
  const b44 = pow2(b22, _22n, P) * b22 % P;
  const b88 = pow2(b44, _44n, P) * b44 % P;
  const b176 = pow2(b88, _88n, P) * b88 % P;
  const b220 = pow2(b176, _44n, P) * b44 % P;
  const b223 = pow2(b220, _3n3, P) * b3 % P;
  const t1 = pow2(b223, _23n, P) * b22 % P;
  const t2 = pow2(t1, _6n, P) * b2 % P;
  const root = pow2(t2, _2n6, P);
  if (!Fpk1.eql(Fpk1.sqr(root), y))
    throw new Error("Cannot find square root");
  return root;
}
var Fpk1 = /* @__PURE__ */ Field(secp256k1_CURVE.p, { sqrt: sqrtMod });
var Pointk1 = /* @__PURE__ */ weierstrass(secp256k1_CURVE, {
  Fp: Fpk1,
  endo: secp256k1_ENDO
});
var secp256k1 = /* @__PURE__ */ ecdsa(Pointk1, sha256);
/*! noble-post-quantum - MIT License (c) 2024 Paul Miller (paulmillr.com) */
var abytesDoc = abytes;
var randomBytes3 = randomBytes;
function aarray2(item2, title, inner = () => {
}) {
  if (!Array.isArray(item2))
    throw new TypeError(`"${title}" expected array, got type=${typeof item2}`);
  for (let i = 0; i < item2.length; i++)
    inner(item2[i], `${title}[${i}]`);
  return item2;
}
function aobject3(value, title = "object") {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new TypeError(title === "object" ? "expected valid options object" : `"${title}" expected object, got type=${typeof value}`);
  return value;
}
function equalBytes(a, b) {
  a = abytes(a);
  b = abytes(b);
  if (a.length !== b.length)
    return false;
  let diff = 0;
  for (let i = 0; i < a.length; i++)
    diff |= a[i] ^ b[i];
  return diff === 0;
}
function validateOpts(opts) {
  if (isBytes(opts))
    throw new TypeError('"opts" expected object, got Uint8Array');
  aobject3(opts, "opts");
  const proto = Object.getPrototypeOf(opts);
  if (proto !== null && proto !== Object.prototype)
    throw new TypeError('"opts" expected a plain object');
}
var VER_OPT_KEYS = /* @__PURE__ */ Object.freeze([
  "context"
]);
var SIG_OPT_KEYS = /* @__PURE__ */ Object.freeze([
  "context",
  "extraEntropy"
]);
function checkOptKeys(opts, allowed) {
  validateOpts(opts);
  const normalized = Object.assign(/* @__PURE__ */ Object.create(null), opts);
  for (const [k, v] of Object.entries(normalized)) {
    if (v === void 0)
      continue;
    if (!allowed.includes(k))
      throw new TypeError('unexpected option "' + String(k) + '"; expected one of: ' + allowed.join(", "));
  }
  return Object.freeze(normalized);
}
function validateVerOpts(opts, allowed = VER_OPT_KEYS) {
  const normalized = checkOptKeys(opts, allowed);
  if (normalized.context !== void 0)
    abytes(normalized.context, void 0, "opts.context");
  return normalized;
}
function validateSigOpts2(opts, allowed = SIG_OPT_KEYS) {
  const normalized = checkOptKeys(opts, allowed);
  if (normalized.context !== void 0)
    abytes(normalized.context, void 0, "opts.context");
  if (normalized.extraEntropy !== false && normalized.extraEntropy !== void 0)
    abytes(normalized.extraEntropy, void 0, "opts.extraEntropy");
  return normalized;
}
function splitCoder(label, ...lengths) {
  const getLength = (c) => typeof c === "number" ? c : c.bytesLen;
  const bytesLen = lengths.reduce((sum2, a) => sum2 + getLength(a), 0);
  return {
    bytesLen,
    encode: (bufs) => {
      const res = new Uint8Array(bytesLen);
      for (let i = 0, pos = 0; i < lengths.length; i++) {
        const c = lengths[i];
        const l = getLength(c);
        const b = typeof c === "number" ? bufs[i] : c.encode(bufs[i]);
        abytes(b, l, label);
        res.set(b, pos);
        if (typeof c !== "number")
          b.fill(0);
        pos += l;
      }
      return res;
    },
    decode: (buf) => {
      abytes(buf, bytesLen, label);
      const res = [];
      for (const c of lengths) {
        const l = getLength(c);
        const b = buf.subarray(0, l);
        res.push(typeof c === "number" ? b : c.decode(b));
        buf = buf.subarray(l);
      }
      return res;
    }
  };
}
function vecCoder(c, vecLen) {
  const coder = c;
  const bytesLen = vecLen * coder.bytesLen;
  return {
    bytesLen,
    encode: (u) => {
      const uArr = aarray2(u, "u");
      if (uArr.length !== vecLen)
        throw new RangeError(`vecCoder.encode: wrong length=${uArr.length}. Expected: ${vecLen}`);
      const res = new Uint8Array(bytesLen);
      for (let i = 0, pos = 0; i < uArr.length; i++) {
        const b = coder.encode(uArr[i]);
        res.set(b, pos);
        b.fill(0);
        pos += b.length;
      }
      return res;
    },
    decode: (a) => {
      abytes(a, bytesLen);
      const r = [];
      for (let i = 0; i < a.length; i += coder.bytesLen)
        r.push(coder.decode(a.subarray(i, i + coder.bytesLen)));
      return r;
    }
  };
}
function cleanBytes(...list) {
  for (const t of list) {
    if (Array.isArray(t))
      for (const b of t)
        b.fill(0);
    else
      t.fill(0);
  }
}
function getMask(bits2) {
  anumber(bits2, "bits");
  if (bits2 > 32)
    throw new RangeError('"bits" expected <= 32, got ' + bits2);
  return bits2 === 32 ? 4294967295 : ~(-1 << bits2) >>> 0;
}
var EMPTY = /* @__PURE__ */ Uint8Array.of();
function getMessage(msg, ctx = EMPTY) {
  abytes(msg, void 0, "msg");
  abytes(ctx, void 0, "ctx");
  if (ctx.length > 255)
    throw new RangeError("context should be 255 bytes or less");
  return concatBytes(new Uint8Array([0, ctx.length]), ctx, msg);
}
var oidNistP = /* @__PURE__ */ Uint8Array.from([6, 9, 96, 134, 72, 1, 101, 3, 4, 2]);
var XOF_OID_OUTPUT_LEN = /* @__PURE__ */ (() => ({
  "060960864801650304020b": 32,
  // id-shake128, SHAKE128(M, 256)
  "060960864801650304020c": 64
  // id-shake256, SHAKE256(M, 512)
}))();
function checkHash(hash, requiredStrength = 0) {
  if (typeof hash !== "function" || typeof hash.create !== "function")
    throw new TypeError('"hash" expected hash function, got type=' + typeof hash);
  ahash(hash);
  anumber(requiredStrength, "requiredStrength");
  const oid = hash.oid;
  abytes(oid, void 0, "hash.oid");
  if (!equalBytes(oid.subarray(0, 10), oidNistP))
    throw new Error('"hash.oid" is invalid: expected NIST hash');
  const xofLen = XOF_OID_OUTPUT_LEN[bytesToHex(oid)];
  if (xofLen !== void 0 && hash.outputLen !== xofLen) {
    throw new Error("Pre-hash XOF output length must be " + xofLen + " bytes for this OID, got: " + hash.outputLen);
  }
  const collisionResistance = hash.outputLen * 8 / 2;
  if (requiredStrength > collisionResistance) {
    throw new Error("Pre-hash security strength too low: " + collisionResistance + ", required: " + requiredStrength);
  }
}
function getMessagePrehash(hash, msg, ctx = EMPTY) {
  checkHash(hash);
  abytes(msg, void 0, "msg");
  abytes(ctx, void 0, "ctx");
  if (ctx.length > 255)
    throw new RangeError("context should be 255 bytes or less");
  const hashed = hash(msg);
  return concatBytes(new Uint8Array([1, ctx.length]), ctx, hash.oid, hashed);
}
/*! noble-post-quantum - MIT License (c) 2024 Paul Miller (paulmillr.com) */
var genCrystals = (opts) => {
  const { newPoly: newPoly2, N: N2, Q: Q2, F: F2, ROOT_OF_UNITY: ROOT_OF_UNITY2, brvBits, isKyber } = opts;
  const mod2 = (a, modulo = Q2) => {
    const result = a % modulo | 0;
    return (result >= 0 ? result | 0 : modulo + result | 0) | 0;
  };
  const smod = (a, modulo = Q2) => {
    const r = mod2(a, modulo) | 0;
    return (r > modulo >> 1 ? r - modulo | 0 : r) | 0;
  };
  function getZettas() {
    const out = newPoly2(N2);
    for (let i = 0; i < N2; i++) {
      const b = reverseBits(i, brvBits);
      const p = BigInt(ROOT_OF_UNITY2) ** BigInt(b) % BigInt(Q2);
      out[i] = Number(p) | 0;
    }
    return out;
  }
  const nttZetas = getZettas();
  const inv = (_a) => {
    throw new Error("not implemented");
  };
  const field = isKyber ? {
    add: (a, b) => {
      const r = a + b | 0;
      return r >= Q2 ? r - Q2 | 0 : r;
    },
    sub: (a, b) => {
      const r = a - b | 0;
      return r < 0 ? r + Q2 | 0 : r;
    },
    mul: (a, b) => mod2((a | 0) * (b | 0)) | 0,
    inv
  } : {
    add: (a, b) => mod2((a | 0) + (b | 0)) | 0,
    sub: (a, b) => mod2((a | 0) - (b | 0)) | 0,
    mul: (a, b) => mod2((a | 0) * (b | 0)) | 0,
    inv
  };
  const nttOpts = {
    N: N2,
    roots: nttZetas,
    invertButterflies: true,
    skipStages: isKyber ? 1 : 0,
    brp: false
  };
  const dif = FFTCore(field, { dit: false, ...nttOpts });
  const dit = FFTCore(field, { dit: true, ...nttOpts });
  const NTT = {
    encode: (r) => {
      return dif(r);
    },
    decode: (r) => {
      dit(r);
      for (let i = 0; i < r.length; i++)
        r[i] = mod2(F2 * r[i]);
      return r;
    }
  };
  const bitsCoder = (d, c) => {
    for (let i = 0, bufLen = 0; i < N2; i++) {
      bufLen += d;
      if (bufLen > 32)
        getMask(bufLen);
      bufLen %= 8;
    }
    const mask = getMask(d);
    const bytesLen = d * (N2 / 8);
    return {
      bytesLen,
      encode: (poly_) => {
        const poly = poly_;
        const r = new Uint8Array(bytesLen);
        for (let i = 0, buf = 0, bufLen = 0, pos = 0; i < poly.length; i++) {
          buf |= (c.encode(poly[i]) & mask) << bufLen;
          bufLen += d;
          for (; bufLen >= 8; bufLen -= 8, buf >>= 8)
            r[pos++] = buf & 255;
        }
        return r;
      },
      decode: (bytes) => {
        const r = newPoly2(N2);
        for (let i = 0, buf = 0, bufLen = 0, pos = 0; i < bytes.length; i++) {
          buf |= bytes[i] << bufLen;
          bufLen += 8;
          for (; bufLen >= d; bufLen -= d, buf >>= d)
            r[pos++] = c.decode(buf & mask);
        }
        return r;
      }
    };
  };
  return {
    mod: mod2,
    smod,
    nttZetas,
    NTT: {
      encode: (r) => NTT.encode(r),
      decode: (r) => NTT.decode(r)
    },
    bitsCoder
  };
};
var createXofShake = (shake) => (seed, blockLen) => {
  if (!blockLen)
    blockLen = shake.blockLen;
  const _seed = new Uint8Array(seed.length + 2);
  _seed.set(seed);
  const seedLen = seed.length;
  const buf = new Uint8Array(blockLen);
  let h = shake.create({});
  let calls = 0;
  let xofs = 0;
  return {
    stats: () => ({ calls, xofs }),
    get: (x, y) => {
      _seed[seedLen + 0] = x;
      _seed[seedLen + 1] = y;
      h.destroy();
      h = shake.create({}).update(_seed);
      calls++;
      return () => {
        xofs++;
        return h.xofInto(buf);
      };
    },
    clean: () => {
      h.destroy();
      cleanBytes(buf, _seed);
    }
  };
};
var XOF128 = /* @__PURE__ */ createXofShake(shake128);
var XOF256 = /* @__PURE__ */ createXofShake(shake256);
/*! noble-post-quantum - MIT License (c) 2024 Paul Miller (paulmillr.com) */
var INTERNAL_SIG_OPT_KEYS = /* @__PURE__ */ Object.freeze([
  "extraEntropy",
  "externalMu"
]);
var INTERNAL_VER_OPT_KEYS = /* @__PURE__ */ Object.freeze(["externalMu"]);
function validateInternalOpts(opts, allowed) {
  const normalized = checkOptKeys(opts, allowed);
  if (normalized.externalMu !== void 0)
    abool2(normalized.externalMu, "opts.externalMu");
  return normalized;
}
var N = 256;
var Q = 8380417;
var ROOT_OF_UNITY = 1753;
var F = 8347681;
var D = 13;
var GAMMA2_1 = Math.floor((Q - 1) / 88) | 0;
var GAMMA2_2 = Math.floor((Q - 1) / 32) | 0;
var PARAMS = /* @__PURE__ */ (() => Object.freeze({
  2: Object.freeze({
    K: 4,
    L: 4,
    D,
    GAMMA1: 2 ** 17,
    GAMMA2: GAMMA2_1,
    TAU: 39,
    ETA: 2,
    OMEGA: 80
  }),
  3: Object.freeze({
    K: 6,
    L: 5,
    D,
    GAMMA1: 2 ** 19,
    GAMMA2: GAMMA2_2,
    TAU: 49,
    ETA: 4,
    OMEGA: 55
  }),
  5: Object.freeze({
    K: 8,
    L: 7,
    D,
    GAMMA1: 2 ** 19,
    GAMMA2: GAMMA2_2,
    TAU: 60,
    ETA: 2,
    OMEGA: 75
  })
}))();
var newPoly = (n) => new Int32Array(n);
var crystals = /* @__PURE__ */ genCrystals({
  N,
  Q,
  F,
  ROOT_OF_UNITY,
  newPoly,
  isKyber: false,
  brvBits: 8
});
var id = (n) => n;
var polyCoder = (d, compress = id, verify2 = id) => crystals.bitsCoder(d, {
  encode: (i) => compress(verify2(i)),
  decode: (i) => verify2(compress(i))
});
var polyAdd = (a_, b_) => {
  const a = a_;
  const b = b_;
  for (let i = 0; i < a.length; i++)
    a[i] = crystals.mod(a[i] + b[i]);
  return a;
};
var polySub = (a_, b_) => {
  const a = a_;
  const b = b_;
  for (let i = 0; i < a.length; i++)
    a[i] = crystals.mod(a[i] - b[i]);
  return a;
};
var polyShiftl = (p_) => {
  const p = p_;
  for (let i = 0; i < N; i++)
    p[i] <<= D;
  return p;
};
var polyChknorm = (p_, B2) => {
  const p = p_;
  for (let i = 0; i < N; i++)
    if (Math.abs(crystals.smod(p[i])) >= B2)
      return true;
  return false;
};
var MultiplyNTTs = (a_, b_) => {
  const a = a_;
  const b = b_;
  const c = newPoly(N);
  for (let i = 0; i < a.length; i++)
    c[i] = crystals.mod(a[i] * b[i]);
  return c;
};
function RejNTTPoly(xof_) {
  const xof = xof_;
  const r = newPoly(N);
  for (let j = 0; j < N; ) {
    const b = xof();
    if (b.length % 3)
      throw new Error("RejNTTPoly: unaligned block");
    for (let i = 0; j < N && i <= b.length - 3; i += 3) {
      const t = (b[i + 0] | b[i + 1] << 8 | b[i + 2] << 16) & 8388607;
      if (t < Q)
        r[j++] = t;
    }
  }
  return r;
}
function getDilithium(opts_) {
  const opts = opts_;
  const { K, L, GAMMA1, GAMMA2, TAU, ETA, OMEGA } = opts;
  const { CRH_BYTES, TR_BYTES, C_TILDE_BYTES, XOF128: XOF1282, XOF256: XOF2562, securityLevel } = opts;
  if (![2, 4].includes(ETA))
    throw new Error("Wrong ETA");
  if (![1 << 17, 1 << 19].includes(GAMMA1))
    throw new Error("Wrong GAMMA1");
  if (![GAMMA2_1, GAMMA2_2].includes(GAMMA2))
    throw new Error("Wrong GAMMA2");
  const BETA = TAU * ETA;
  const decompose = (r) => {
    const rPlus = crystals.mod(r);
    const r0 = crystals.smod(rPlus, 2 * GAMMA2) | 0;
    if (rPlus - r0 === Q - 1)
      return { r1: 0 | 0, r0: r0 - 1 | 0 };
    const r1 = Math.floor((rPlus - r0) / (2 * GAMMA2)) | 0;
    return { r1, r0 };
  };
  const HighBits = (r) => decompose(r).r1;
  const LowBits = (r) => decompose(r).r0;
  const MakeHint = (z, r) => {
    const res0 = z <= GAMMA2 || z > Q - GAMMA2 || z === Q - GAMMA2 && r === 0 ? 0 : 1;
    return res0;
  };
  const HINT_M = Math.floor((Q - 1) / (2 * GAMMA2));
  const UseHint = (h, r) => {
    const { r1, r0 } = decompose(r);
    if (h === 1)
      return r0 > 0 ? crystals.mod(r1 + 1, HINT_M) | 0 : crystals.mod(r1 - 1, HINT_M) | 0;
    return r1 | 0;
  };
  const Power2Round = (r) => {
    const rPlus = crystals.mod(r);
    const r0 = crystals.smod(rPlus, 2 ** D) | 0;
    return { r1: Math.floor((rPlus - r0) / 2 ** D) | 0, r0 };
  };
  const hintCoder = {
    bytesLen: OMEGA + K,
    encode: (h_) => {
      const h = h_;
      if (h === false)
        throw new Error("hint.encode: hint is false");
      const res = new Uint8Array(OMEGA + K);
      for (let i = 0, k = 0; i < K; i++) {
        for (let j = 0; j < N; j++)
          if (h[i][j] !== 0)
            res[k++] = j;
        res[OMEGA + i] = k;
      }
      return res;
    },
    decode: (buf) => {
      const h = [];
      let k = 0;
      for (let i = 0; i < K; i++) {
        const hi = newPoly(N);
        if (buf[OMEGA + i] < k || buf[OMEGA + i] > OMEGA)
          return false;
        for (let j = k; j < buf[OMEGA + i]; j++) {
          if (j > k && buf[j] <= buf[j - 1])
            return false;
          hi[buf[j]] = 1;
        }
        k = buf[OMEGA + i];
        h.push(hi);
      }
      for (let j = k; j < OMEGA; j++)
        if (buf[j] !== 0)
          return false;
      return h;
    }
  };
  const ETACoder = polyCoder(ETA === 2 ? 3 : 4, (i) => ETA - i, (i) => {
    if (!(-ETA <= i && i <= ETA))
      throw new Error(`malformed key s1/s3 ${i} outside of ETA range [${-ETA}, ${ETA}]`);
    return i;
  });
  const T0Coder = polyCoder(13, (i) => (1 << D - 1) - i);
  const T1Coder = polyCoder(10);
  const ZCoder = polyCoder(GAMMA1 === 1 << 17 ? 18 : 20, (i) => crystals.smod(GAMMA1 - i));
  const W1Coder = polyCoder(GAMMA2 === GAMMA2_1 ? 6 : 4);
  const W1Vec = vecCoder(W1Coder, K);
  const publicCoder = splitCoder("publicKey", 32, vecCoder(T1Coder, K));
  const secretCoder = splitCoder("secretKey", 32, 32, TR_BYTES, vecCoder(ETACoder, L), vecCoder(ETACoder, K), vecCoder(T0Coder, K));
  const sigCoder = splitCoder("signature", C_TILDE_BYTES, vecCoder(ZCoder, L), hintCoder);
  const CoefFromHalfByte = ETA === 2 ? (n) => n < 15 ? 2 - n % 5 : false : (n) => n < 9 ? 4 - n : false;
  function RejBoundedPoly(xof_) {
    const xof = xof_;
    const r = newPoly(N);
    for (let j = 0; j < N; ) {
      const b = xof();
      for (let i = 0; j < N && i < b.length; i += 1) {
        const d1 = CoefFromHalfByte(b[i] & 15);
        const d2 = CoefFromHalfByte(b[i] >> 4 & 15);
        if (d1 !== false)
          r[j++] = d1;
        if (j < N && d2 !== false)
          r[j++] = d2;
      }
    }
    return r;
  }
  const SampleInBall = (seed) => {
    const pre = newPoly(N);
    const s = shake256.create({}).update(seed);
    const buf = new Uint8Array(shake256.blockLen);
    s.xofInto(buf);
    const masks = buf.slice(0, 8);
    for (let i = N - TAU, pos = 8, maskPos = 0, maskBit = 0; i < N; i++) {
      let b = i + 1;
      for (; b > i; ) {
        b = buf[pos++];
        if (pos < shake256.blockLen)
          continue;
        s.xofInto(buf);
        pos = 0;
      }
      pre[i] = pre[b];
      pre[b] = 1 - ((masks[maskPos] >> maskBit++ & 1) << 1);
      if (maskBit >= 8) {
        maskPos++;
        maskBit = 0;
      }
    }
    return pre;
  };
  const polyPowerRound = (p_) => {
    const p = p_;
    const res0 = newPoly(N);
    const res1 = newPoly(N);
    for (let i = 0; i < p.length; i++) {
      const { r0, r1 } = Power2Round(p[i]);
      res0[i] = r0;
      res1[i] = r1;
    }
    return { r0: res0, r1: res1 };
  };
  const polyUseHint = (u_, h_) => {
    const u = u_;
    const h = h_;
    for (let i = 0; i < N; i++)
      u[i] = UseHint(h[i], u[i]);
    return u;
  };
  const polyMakeHint = (a_, b_) => {
    const a = a_;
    const b = b_;
    const v = newPoly(N);
    let cnt = 0;
    for (let i = 0; i < N; i++) {
      const h = MakeHint(a[i], b[i]);
      v[i] = h;
      cnt += h;
    }
    return { v, cnt };
  };
  const signRandBytes = 32;
  const seedCoder = splitCoder("seed", 32, 64, 32);
  const internal = Object.freeze({
    info: Object.freeze({ type: "internal-ml-dsa" }),
    lengths: Object.freeze({
      secretKey: secretCoder.bytesLen,
      publicKey: publicCoder.bytesLen,
      seed: 32,
      signature: sigCoder.bytesLen,
      signRand: signRandBytes
    }),
    keygen: (seed) => {
      const seedDst = new Uint8Array(32 + 2);
      const randSeed = seed === void 0;
      if (randSeed)
        seed = randomBytes3(32);
      abytesDoc(seed, 32, "seed");
      seedDst.set(seed);
      if (randSeed)
        cleanBytes(seed);
      seedDst[32] = K;
      seedDst[33] = L;
      const [rho, rhoPrime, K_] = seedCoder.decode(shake256(seedDst, { dkLen: seedCoder.bytesLen }));
      const xofPrime = XOF2562(rhoPrime);
      const s1 = [];
      for (let i = 0; i < L; i++)
        s1.push(RejBoundedPoly(xofPrime.get(i & 255, i >> 8 & 255)));
      const s2 = [];
      for (let i = L; i < L + K; i++)
        s2.push(RejBoundedPoly(xofPrime.get(i & 255, i >> 8 & 255)));
      const s1Hat = s1.map((i) => crystals.NTT.encode(i.slice()));
      const t0 = [];
      const t1 = [];
      const xof = XOF1282(rho);
      const t = newPoly(N);
      for (let i = 0; i < K; i++) {
        cleanBytes(t);
        for (let j = 0; j < L; j++) {
          const aij = RejNTTPoly(xof.get(j, i));
          polyAdd(t, MultiplyNTTs(aij, s1Hat[j]));
        }
        crystals.NTT.decode(t);
        const { r0, r1 } = polyPowerRound(polyAdd(t, s2[i]));
        t0.push(r0);
        t1.push(r1);
      }
      const publicKey2 = publicCoder.encode([rho, t1]);
      const tr = shake256(publicKey2, { dkLen: TR_BYTES });
      const secretKey = secretCoder.encode([rho, K_, tr, s1, s2, t0]);
      xof.clean();
      xofPrime.clean();
      cleanBytes(rho, rhoPrime, K_, s1, s2, s1Hat, t, t0, t1, tr, seedDst);
      return {
        publicKey: publicKey2,
        secretKey
      };
    },
    getPublicKey: (secretKey) => {
      const [rho, _K, _tr, s1, s2, _t0] = secretCoder.decode(secretKey);
      const xof = XOF1282(rho);
      const s1Hat = s1.map((p) => crystals.NTT.encode(p.slice()));
      const t1 = [];
      const tmp = newPoly(N);
      for (let i = 0; i < K; i++) {
        tmp.fill(0);
        for (let j = 0; j < L; j++) {
          const aij = RejNTTPoly(xof.get(j, i));
          polyAdd(tmp, MultiplyNTTs(aij, s1Hat[j]));
        }
        crystals.NTT.decode(tmp);
        polyAdd(tmp, s2[i]);
        const { r1 } = polyPowerRound(tmp);
        t1.push(r1);
      }
      xof.clean();
      cleanBytes(tmp, s1Hat, _t0, s1, s2);
      return publicCoder.encode([rho, t1]);
    },
    // NOTE: random is optional.
    sign: (msg, secretKey, opts2 = {}) => {
      opts2 = validateSigOpts2(opts2, INTERNAL_SIG_OPT_KEYS);
      opts2 = validateInternalOpts(opts2, INTERNAL_SIG_OPT_KEYS);
      const { extraEntropy: random, externalMu = false } = opts2;
      if (externalMu)
        abytesDoc(msg, CRH_BYTES, "mu");
      const ownRnd = random === false || random === void 0;
      const rnd = random === false ? new Uint8Array(32) : random === void 0 ? randomBytes3(signRandBytes) : random;
      abytesDoc(rnd, 32, "extraEntropy");
      const decoded = (() => {
        try {
          return secretCoder.decode(secretKey);
        } catch (error) {
          if (ownRnd)
            cleanBytes(rnd);
          throw error;
        }
      })();
      const [rho, _K, tr, s1, s2, t0] = decoded;
      const A = [];
      const xof = XOF1282(rho);
      for (let i = 0; i < K; i++) {
        const pv = [];
        for (let j = 0; j < L; j++)
          pv.push(RejNTTPoly(xof.get(j, i)));
        A.push(pv);
      }
      xof.clean();
      for (let i = 0; i < L; i++)
        crystals.NTT.encode(s1[i]);
      for (let i = 0; i < K; i++) {
        crystals.NTT.encode(s2[i]);
        crystals.NTT.encode(t0[i]);
      }
      const mu = externalMu ? msg : (
        // 6: µ ← H(tr||M, 512)
        //    ▷ Compute message representative µ
        shake256.create({ dkLen: CRH_BYTES }).update(tr).update(msg).digest()
      );
      const rhoprime = shake256.create({ dkLen: CRH_BYTES }).update(_K).update(rnd).update(mu).digest();
      if (ownRnd)
        cleanBytes(rnd);
      abytesDoc(rhoprime, CRH_BYTES);
      const x256 = XOF2562(rhoprime, ZCoder.bytesLen);
      main_loop: for (let kappa = 0; ; ) {
        const y = [];
        for (let i = 0; i < L; i++, kappa++)
          y.push(ZCoder.decode(x256.get(kappa & 255, kappa >> 8)()));
        const z = y.map((i) => crystals.NTT.encode(i.slice()));
        const w = [];
        for (let i = 0; i < K; i++) {
          const wi = newPoly(N);
          for (let j = 0; j < L; j++)
            polyAdd(wi, MultiplyNTTs(A[i][j], z[j]));
          crystals.NTT.decode(wi);
          w.push(wi);
        }
        const w1 = w.map((j) => j.map(HighBits));
        const cTilde = shake256.create({ dkLen: C_TILDE_BYTES }).update(mu).update(W1Vec.encode(w1)).digest();
        const cHat = crystals.NTT.encode(SampleInBall(cTilde));
        const cs1 = s1.map((i) => MultiplyNTTs(i, cHat));
        for (let i = 0; i < L; i++) {
          polyAdd(crystals.NTT.decode(cs1[i]), y[i]);
          if (polyChknorm(cs1[i], GAMMA1 - BETA)) {
            cleanBytes(cTilde, cs1, cHat, w1, w, z, y);
            continue main_loop;
          }
        }
        let cnt = 0;
        const h = [];
        for (let i = 0; i < K; i++) {
          const cs2 = crystals.NTT.decode(MultiplyNTTs(s2[i], cHat));
          const r0 = polySub(w[i], cs2).map(LowBits);
          if (polyChknorm(r0, GAMMA2 - BETA)) {
            cleanBytes(cTilde, cs1, cHat, w1, w, z, y, h, cs2, r0);
            continue main_loop;
          }
          const ct0 = crystals.NTT.decode(MultiplyNTTs(t0[i], cHat));
          if (polyChknorm(ct0, GAMMA2)) {
            cleanBytes(cTilde, cs1, cHat, w1, w, z, y, h, cs2, r0, ct0);
            continue main_loop;
          }
          polyAdd(r0, ct0);
          const hint = polyMakeHint(r0, w1[i]);
          h.push(hint.v);
          cnt += hint.cnt;
        }
        if (cnt > OMEGA) {
          cleanBytes(cTilde, cs1, cHat, w1, w, z, y, h);
          continue;
        }
        x256.clean();
        const res = sigCoder.encode([cTilde, cs1, h]);
        cleanBytes(cTilde, cs1, h, cHat, w1, w, z, y, rhoprime, s1, s2, t0, ...A);
        if (!externalMu)
          cleanBytes(mu);
        return res;
      }
      throw new Error("Unreachable code path reached, report this error");
    },
    verify: (sig, msg, publicKey2, opts2 = {}) => {
      opts2 = validateInternalOpts(opts2, INTERNAL_VER_OPT_KEYS);
      const { externalMu = false } = opts2;
      if (externalMu)
        abytesDoc(msg, CRH_BYTES, "mu");
      const [rho, t1] = publicCoder.decode(publicKey2);
      const tr = shake256(publicKey2, { dkLen: TR_BYTES });
      if (sig.length !== sigCoder.bytesLen)
        return false;
      const [cTilde, z, h] = sigCoder.decode(sig);
      if (h === false)
        return false;
      for (let i = 0; i < L; i++)
        if (polyChknorm(z[i], GAMMA1 - BETA))
          return false;
      const mu = externalMu ? msg : (
        // 7: µ ← H(tr||M, 512)
        shake256.create({ dkLen: CRH_BYTES }).update(tr).update(msg).digest()
      );
      const c = crystals.NTT.encode(SampleInBall(cTilde));
      const zNtt = z.map((i) => i.slice());
      for (let i = 0; i < L; i++)
        crystals.NTT.encode(zNtt[i]);
      const wTick1 = [];
      const xof = XOF1282(rho);
      for (let i = 0; i < K; i++) {
        const ct12d = MultiplyNTTs(crystals.NTT.encode(polyShiftl(t1[i])), c);
        const Az = newPoly(N);
        for (let j = 0; j < L; j++) {
          const aij = RejNTTPoly(xof.get(j, i));
          polyAdd(Az, MultiplyNTTs(aij, zNtt[j]));
        }
        const wApprox = crystals.NTT.decode(polySub(Az, ct12d));
        wTick1.push(polyUseHint(wApprox, h[i]));
      }
      xof.clean();
      const c2 = shake256.create({ dkLen: C_TILDE_BYTES }).update(mu).update(W1Vec.encode(wTick1)).digest();
      for (const t of h) {
        const sum2 = t.reduce((acc, i) => acc + i, 0);
        if (!(sum2 <= OMEGA))
          return false;
      }
      for (const t of z)
        if (polyChknorm(t, GAMMA1 - BETA))
          return false;
      return equalBytes(cTilde, c2);
    }
  });
  return Object.freeze({
    info: Object.freeze({ type: "ml-dsa" }),
    internal,
    securityLevel,
    keygen: internal.keygen,
    lengths: internal.lengths,
    getPublicKey: internal.getPublicKey,
    sign: (msg, secretKey, opts2 = {}) => {
      opts2 = validateSigOpts2(opts2);
      const M = getMessage(msg, opts2.context);
      const res = internal.sign(M, secretKey, {
        extraEntropy: opts2.extraEntropy,
        externalMu: false
      });
      cleanBytes(M);
      return res;
    },
    verify: (sig, msg, publicKey2, opts2 = {}) => {
      opts2 = validateVerOpts(opts2);
      abytesDoc(sig, void 0, "signature");
      return internal.verify(sig, getMessage(msg, opts2.context), publicKey2, { externalMu: false });
    },
    prehash: (hash) => {
      checkHash(hash, securityLevel);
      const rawHash = hash;
      return Object.freeze({
        info: Object.freeze({ type: "hashml-dsa" }),
        securityLevel,
        lengths: internal.lengths,
        keygen: internal.keygen,
        getPublicKey: internal.getPublicKey,
        sign: (msg, secretKey, opts2 = {}) => {
          opts2 = validateSigOpts2(opts2);
          const M = getMessagePrehash(rawHash, msg, opts2.context);
          const res = internal.sign(M, secretKey, {
            extraEntropy: opts2.extraEntropy,
            externalMu: false
          });
          cleanBytes(M);
          return res;
        },
        verify: (sig, msg, publicKey2, opts2 = {}) => {
          opts2 = validateVerOpts(opts2);
          abytesDoc(sig, void 0, "signature");
          return internal.verify(sig, getMessagePrehash(rawHash, msg, opts2.context), publicKey2, {
            externalMu: false
          });
        }
      });
    }
  });
}
var ml_dsa44 = /* @__PURE__ */ (() => getDilithium({
  ...PARAMS[2],
  CRH_BYTES: 64,
  TR_BYTES: 64,
  C_TILDE_BYTES: 32,
  XOF128,
  XOF256,
  securityLevel: 128
}))();

// encoding.js
var MAX_U64 = Number.MAX_SAFE_INTEGER;
var MAX_JSON_DEPTH = 8;
var ZERO = new Uint8Array(32);
var sha2562 = (data) => sha256(data);
var context = (name) => utf8(`hybrid-bridge/v1/${name}\0`);
function asDigest(value, field) {
  const data = asOctets(value, field);
  if (data.length !== 32) throw refusal("DigestLength", { field, got: data.length });
  return data;
}
function asOctets(value, field) {
  if (!(value instanceof Uint8Array)) throw fieldMalformed(field, "a byte string");
  return value;
}
function asInteger(value, field) {
  if (!Number.isInteger(value) && typeof value !== "bigint") throw fieldMalformed(field, "an integer");
  return (
    /** @type {number} */
    value
  );
}
var URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
var SIXES = new Map(Array.from(URL_SAFE, (letter, six) => [letter, six]));
function b64u(data) {
  const out = [];
  for (let i = 0; i < data.length; i += 3) {
    const bits2 = data[i] << 16 | (data[i + 1] ?? 0) << 8 | (data[i + 2] ?? 0);
    for (let k = 0; k <= Math.min(3, data.length - i); k++) out.push(URL_SAFE[bits2 >> 18 - 6 * k & 63]);
  }
  return out.join("");
}
function parseB64u(text3, field) {
  if (typeof text3 !== "string") throw fieldMalformed(field, "a text");
  const data = new Uint8Array(Math.floor(text3.length * 3 / 4));
  let bits2 = 0;
  let held2 = 0;
  let at = 0;
  for (const letter of text3) {
    const six = SIXES.get(letter);
    if (six === void 0) throw notCanonical(field);
    bits2 = (bits2 << 6 | six) & 65535;
    held2 += 6;
    if (held2 >= 8) {
      held2 -= 8;
      data[at++] = bits2 >> held2 & 255;
    }
  }
  if (held2 >= 6 || (bits2 & (1 << held2) - 1) !== 0) throw notCanonical(field);
  return data;
}
var b64 = (data) => b64u(data).replaceAll("-", "+").replaceAll("_", "/") + "=".repeat((3 - data.length % 3) % 3);
function parseB64(text3, field) {
  if (typeof text3 !== "string") throw fieldMalformed(field, "a text");
  const bare = text3.replace(/=*$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(bare)) throw notCanonical(field);
  const data = parseB64u(bare.replaceAll("+", "-").replaceAll("/", "_"), field);
  if (b64(data) !== text3) throw notCanonical(field);
  return data;
}
var canonicalJson = (value) => utf8(writeJson(value, 0));
function writeJson(value, depth) {
  if (typeof value === "string") return writeText(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw fieldMalformed("json", "integers are at most 2^53-1 in size");
    return String(value || 0);
  }
  if (typeof value !== "object") throw fieldMalformed("json", "string, integer, boolean, null, array or object");
  if (depth >= MAX_JSON_DEPTH) throw fieldMalformed("json", `at most ${MAX_JSON_DEPTH} nested containers`);
  if (Array.isArray(value)) return `[${value.map((inner) => writeJson(inner, depth + 1)).join(",")}]`;
  const members2 = (
    /** @type {Record<string, unknown>} */
    value
  );
  const keys = Object.keys(members2).sort();
  return `{${keys.map((key) => `${writeText(key)}:${writeJson(members2[key], depth + 1)}`).join(",")}}`;
}
function writeText(text3) {
  if (!isWellFormed(text3)) throw fieldMalformed("json", "no lone surrogate");
  return JSON.stringify(text3);
}
function parseCanonicalJson(data, field, limit) {
  const value = parseJson(data, field, limit);
  if (!equal(canonicalJson(value), data)) throw notCanonical(field);
  return value;
}
function parseJson(data, field, limit) {
  data = asOctets(data, field);
  if (data.length > limit) throw tooLong(field, limit, data.length);
  const text3 = utf8Text(data);
  if (text3 === null) throw fieldMalformed(field, "UTF-8");
  return new JsonReader(text3, field).whole();
}
var SPACE = /[ \t\n\r]*/y;
var NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
var JsonReader = class {
  /** @param {string} text @param {string} field */
  constructor(text3, field) {
    this.text = text3;
    this.field = field;
    this.at = 0;
  }
  whole() {
    const value = this.value(0);
    this.skip();
    if (this.at !== this.text.length) throw this.broken();
    return value;
  }
  broken() {
    return fieldMalformed(this.field, `JSON; it ends or breaks at character ${this.at}`);
  }
  skip() {
    SPACE.lastIndex = this.at;
    SPACE.test(this.text);
    this.at = SPACE.lastIndex;
  }
  /** Take `token` if it stands here. @param {string} token */
  takes(token) {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }
  /** @param {number} depth @returns {Json} */
  value(depth) {
    this.skip();
    const first = this.text[this.at];
    if (first === '"') return this.string();
    if (first === "{" || first === "[") {
      if (depth >= MAX_JSON_DEPTH) throw fieldMalformed(this.field, `at most ${MAX_JSON_DEPTH} nested containers`);
      this.at++;
      return first === "{" ? this.object(depth + 1) : this.array(depth + 1);
    }
    if (this.takes("true")) return true;
    if (this.takes("false")) return false;
    if (this.takes("null")) return null;
    return this.number();
  }
  number() {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) throw this.broken();
    const value = Number(found[0]);
    if (found[1] || found[2] || !Number.isSafeInteger(value)) {
      throw fieldMalformed(this.field, "numbers are integers of at most 2^53-1");
    }
    this.at = NUMBER.lastIndex;
    return value || 0;
  }
  string() {
    const start = this.at++;
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code === 92) this.at++;
      else if (code === 34) {
        this.at++;
        try {
          return JSON.parse(this.text.slice(start, this.at));
        } catch {
          break;
        }
      }
    }
    throw this.broken();
  }
  /** @param {number} depth */
  array(depth) {
    const items = [];
    this.skip();
    if (this.takes("]")) return items;
    for (; ; ) {
      items.push(this.value(depth));
      this.skip();
      if (this.takes("]")) return items;
      if (!this.takes(",")) throw this.broken();
    }
  }
  /** @param {number} depth */
  object(depth) {
    const members2 = /* @__PURE__ */ Object.create(null);
    this.skip();
    if (this.takes("}")) return members2;
    for (; ; ) {
      this.skip();
      if (this.text[this.at] !== '"') throw this.broken();
      const key = this.string();
      this.skip();
      if (!this.takes(":")) throw this.broken();
      const value = this.value(depth);
      if (key in members2) throw fieldMalformed(this.field, "each member of an object once");
      members2[key] = value;
      this.skip();
      if (this.takes("}")) return members2;
      if (!this.takes(",")) throw this.broken();
    }
  }
};
var Writer = class {
  /** @param {Uint8Array} prefix */
  constructor(prefix2 = new Uint8Array()) {
    this.parts = [prefix2];
  }
  /** @param {number} value @param {number} width @param {string} field */
  uint(value, width, field) {
    if (!Number.isSafeInteger(value) || value < 0 || bitLength(value) > 8 * width) {
      throw fieldMalformed(field, `unsigned integer of ${width} bytes, at most 2^53-1`);
    }
    this.parts.push(fromUint(value, width));
    return this;
  }
  /** @param {number} value @param {string} field */
  u8(value, field) {
    return this.uint(value, 1, field);
  }
  /** @param {number} value @param {string} field */
  u16(value, field) {
    return this.uint(value, 2, field);
  }
  /** @param {number} value @param {string} field */
  u32(value, field) {
    return this.uint(value, 4, field);
  }
  /** @param {number} value @param {string} field */
  u64(value, field) {
    return this.uint(value, 8, field);
  }
  /** Exactly `width` bytes as they are. @param {Uint8Array} value @param {number} width @param {string} field */
  fixed(value, width, field) {
    if (value.length !== width) throw fieldMalformed(field, `exactly ${width} bytes`);
    this.parts.push(value);
    return this;
  }
  /** @param {Uint8Array} value @param {string} field */
  b32(value, field) {
    return this.fixed(value, 32, field);
  }
  /** A length prefix of `width` bytes, then the bytes. @param {Uint8Array} value @param {number} width @param {string} field */
  opaque(value, width, field) {
    this.uint(value.length, width, field);
    this.parts.push(value);
    return this;
  }
  bytes() {
    return concat(...this.parts);
  }
};
var Reader = class {
  /** @param {Uint8Array} data */
  constructor(data) {
    this.data = asOctets(data, "struct");
    this.position = 0;
  }
  /** The next `width` bytes. @param {number} width @param {string} field */
  fixed(width, field) {
    const left = this.data.length - this.position;
    if (left < width) throw refusal("Truncated", { field, needed: width, got: left });
    this.position += width;
    return this.data.slice(this.position - width, this.position);
  }
  /** @param {number} width @param {string} field */
  uint(width, field) {
    const value = toBig(this.fixed(width, field));
    if (value > BigInt(MAX_U64)) throw fieldMalformed(field, "at most 2^53-1");
    return Number(value);
  }
  /** @param {string} field */
  u8(field) {
    return this.uint(1, field);
  }
  /** @param {string} field */
  u16(field) {
    return this.uint(2, field);
  }
  /** @param {string} field */
  u32(field) {
    return this.uint(4, field);
  }
  /** @param {string} field */
  u64(field) {
    return this.uint(8, field);
  }
  /** @param {string} field */
  b32(field) {
    return this.fixed(32, field);
  }
  /** @param {number} width @param {string} field @param {number} limit */
  opaque(width, field, limit) {
    const length = this.uint(width, field);
    if (length > limit) throw tooLong(field, limit, length);
    return this.fixed(length, field);
  }
  /** A count, refused above `limit` before anything is read. @param {number} width @param {string} field @param {number} limit */
  count(width, field, limit) {
    const count2 = this.uint(width, field);
    if (count2 > limit) throw tooLong(field, limit, count2);
    return count2;
  }
  /** Nothing may be left. @param {string} field */
  end(field) {
    const left = this.data.length - this.position;
    if (left !== 0) throw refusal("TrailingBytes", { field, count: left });
  }
};
var packWords = (kinds, values) => concat(...values.map((value, i) => packWord(kinds[i], value, i)));
function packWord(kind, value, index) {
  if (!(value instanceof Uint8Array)) {
    if (kind !== "u" || !Number.isSafeInteger(value) || value < 0) throw refusal("WordMalformed", { index });
    return fromUint(value, 32);
  }
  if (value.length !== { b: 32, a: 20 }[kind]) throw refusal("WordMalformed", { index });
  return concat(new Uint8Array(32 - value.length), value);
}
function unpackWords(kinds, data) {
  if (data.length !== 32 * kinds.length) {
    throw refusal("RecordMalformed", { expected: 32 * kinds.length, got: data.length });
  }
  return Array.from(kinds, (kind, i) => unpackWord(kind, data.slice(32 * i, 32 * i + 32), i));
}
function unpackWord(kind, word, index) {
  if (kind === "b") return word;
  if (!isZero(word.subarray(0, kind === "u" ? 24 : 12))) throw refusal("WordMalformed", { index });
  if (kind === "a") return word.slice(12);
  const value = toBig(word.subarray(24));
  if (value > BigInt(MAX_U64)) throw refusal("WordMalformed", { index });
  return Number(value);
}
var KINDS = { bytes32: "b", uint64: "u", address: "a" };
var WordRecord = class {
  /** @param {string} typeString */
  constructor(typeString) {
    this.hash = sha2562(utf8(typeString));
    const words = typeString.slice(typeString.indexOf("(") + 1, -1).split(",").map((word) => word.split(" "));
    this.kinds = "b" + words.map(([kind]) => KINDS[kind]).join("");
    this.names = words.map(([, name]) => name);
    this.width = 32 * this.kinds.length;
  }
  /** The words of `value`, which has a member for each name. @param {any} value */
  encode(value) {
    return packWords(this.kinds, [this.hash, ...this.names.map((name) => value[name])]);
  }
  /** The inverse of `encode`. @param {Uint8Array} data @returns {any} */
  decode(data) {
    data = asOctets(data, "record");
    if (data.length !== this.width) throw refusal("RecordMalformed", { expected: this.width, got: data.length });
    if (!equal(data.subarray(0, 32), this.hash)) throw refusal("WordMalformed", { index: 0 });
    const words = unpackWords(this.kinds, data).slice(1);
    return Object.fromEntries(this.names.map((name, i) => [name, words[i]]));
  }
  /** A rule about the word `name` holds. @param {boolean} holds @param {string} name */
  require(holds2, name) {
    if (!holds2) throw refusal("WordMalformed", { index: this.names.indexOf(name) + 1 });
  }
};

// unicode32.js
var TABLE = "0 f5 1 i s 2m 2 1r h 28 g g 4 2 4 1 3 1 5 7 1 1 1 k 1 18 1 13 9 3r 1 1z 1 12 2 2 6 g x 12 2 7 1 13 1 2 6 h 1 n 1 a b r 5 5 n 1 e 1 3 1 1 q 5 m a 3y 2 f 1 e 1 u 3 r 1h 1e 9b 3 1 1h 2 i 2 5 3 p g 3 1 8 2 2 2 m 1 7 1 1 3 4 2 1 1 7 2 2 2 3 9 1 4 2 1 5 2 l 7 1 2 6 4 2 2 m 1 7 1 2 1 2 1 2 2 1 1 5 4 2 2 3 b 4 1 1 7 f c 3 1 7 1 1 1 3 1 m 1 7 1 2 1 5 2 a 1 3 1 3 2 1 f 1 5 a h 3 1 8 2 2 2 m 1 7 1 2 2 4 2 8 3 2 2 3 8 2 4 2 1 3 4 b h 2 1 6 3 3 1 4 3 2 1 1 1 2 3 2 3 3 3 8 1 3 4 5 3 3 1 4 9 1 f c e 3 1 8 1 3 1 n 1 a 1 5 4 7 1 3 1 4 7 2 9 2 4 a i 2 1 8 1 3 1 n 1 a 1 5 4 7 1 3 1 4 7 2 7 1 1 2 4 a i 2 1 8 1 3 1 n 1 g 4 6 2 3 1 4 9 1 8 2 4 a i 2 1 i 3 o 1 9 1 1 2 7 3 1 4 6 1 1 1 8 i 3 c 1m 4 t 11 2 1 1 2 2 1 1 2 1 6 4 1 7 1 3 1 1 1 1 2 2 1 d 1 3 2 5 1 1 1 6 2 a 2 2 y 20 1 y 6 r 4 8 1 10 1 f 2 1 1c y 1 5 1 2 1 7 3 4 6 q 1y 12 a 15 2 1 4 2i 5 1w 5 2a 6 7 1 1r 1 1 1 4 2 7 1 1 1 4 2 13 1 1 1 4 2 v 1 1 1 4 2 7 1 1 1 4 2 7 1 7 1 n 1 v 1 1 1 4 2 7 1 13 1 j 6 s z 2d c hi 9 t 3 29 f d 1 7 b n 9 k c d 1 3 1 2 c 2l 3 a m f 1 a 6 2g 8 16 11y 4c 4 2i 6 m 2 6 2 12 2 6 2 8 1 1 1 1 1 1 1 v 2 1h 1 f 1 e 2 6 1 j 2 3 1 9 1 2b 4 1 7 5 6 8 2 r h i u r l 1n 2 f 7 1d c fz 1d 13 p b l 4f 1 7o 2 2 1 2t 2 a 3b 4 1 4 2 s 1 z 1 1 1 4 3 1 1 7 2 1g 3 o 1 e h s 4 ls ow q 1 2h c 5y q c 4 1s 1 2e 2 2v 5 14 4 2m 1 14 1k 19 3 10 d 17 3 25 4 1b 1 3b 4 2r 2 v 1 52u 22 g4m 2i wd 3 1j 1fd 8mc 2k 6r2 2 1n 45 7 c 5 5 q 1 5 1 1 1 2 1 2 1 30 x a5 g 1s 2 1i 14 d 3 g g 4 c n 2 a 1 j 1 4 4 5 1 3r 2 1 1 5a 3 6 2 6 2 6 2 3 3 7 1 7 a 5 le v 1 4 c r 51 12 2 12 148i 6u a 13 3 50 f6 2d 1 1z 1 2 2 1 2 2 2 4 1 c 1 1 1 4 1 2 1 1t 1 4 2 8 1 7 1 s 1 4 1 5 1 1 3 7 1 9e 4 82 4 1e 7wg wyf g15 f2 fher 1 u 2o 1egw 1eke 2 1eke";
var RANGES = [];
var next = 0;
var numbers = TABLE.split(" ").map((number2) => parseInt(number2, 36));
for (let i = 0; i < numbers.length; i += 2) {
  const start = next + numbers[i];
  next = start + numbers[i + 1];
  RANGES.push([start, next]);
}
var isOld = (code) => RANGES.some(([start, end]) => start <= code && code < end);

// identifiers.js
var MAX_TEXT = 256;
var GONE = /[\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u1680\u180b-\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff]/gu;
var DASHES = /[\u058a\u05be\u1806\u2010-\u2015\u2212\u301c\u3030\u30a0\ufe58\ufe63\uff0d\u4e00]/gu;
var SEPARATORS = /[-./()]/g;
var form = (name, pattern, rest = {}) => ({ name, pattern, case: "upper", code: false, check: "", ...rest });
var GS1_TEXT = String.raw`!"%&'()*+,\-./0-9:;<=>?A-Z_`;
var USCI = form("usci", "[0-9A-HJ-NPQRTUWXY]{18}", { code: true, check: "GB 32100" });
var LEI = form("lei", "[0-9A-Z]{18}[0-9]{2}", { code: true, check: "ISO 17442" });
var VAT = form("vat", "[A-Z]{2}[0-9A-Z+*]{2,15}", { code: true });
var CN_EINV = form("cn-einv", "[0-9]{20}", { code: true });
var CN_DECL = form("cn-decl", "[0-9]{4}20[0-9]{2}[01][0-9]{9}", { code: true });
var INV_NO = form("inv-no", String.raw`[0-9A-Z\u4e00-\u9fff./()-]{1,64}`);
var INV_NO_LOOSE = form("inv-no loose", String.raw`[0-9A-Z\u4e00-\u9fff]{1,64}`, { code: true });
var GTIN = form("gtin", "[0-9]{14}", { code: true, check: "GS1" });
var GLN = form("gln", "[0-9]{13}", { code: true, check: "GS1" });
var SGTIN = form("sgtin", `[0-9]{14}[${GS1_TEXT}a-z]{1,20}`, { case: "kept", check: "GS1 of 14" });
var LOT = form("lot", `[${GS1_TEXT}]{1,20}`);
var CONTAINER = form("container", "[A-Z]{3}[UJZ][0-9]{7}", { code: true, check: "ISO 6346" });
var CARRIER = form("carrier", "[0-9A-Z]{2,4}", { code: true });
var EBL = form("ebl", "[0-9A-Z]{1,20}", { code: true });
var UUID = form("uuid", "[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", { case: "lower" });
var SHA256 = form("sha-256", "[0-9a-f]{64}", { case: "lower" });
var OBJECT_ID = form("object id", "[0-9a-f]{32}", { case: "lower" });
var OBJECT_TYPE = form("object type", "[a-z][a-z0-9_]{0,31}", { case: "kept" });
var JURISDICTION = form("jurisdiction", "[A-Z]{2}");
var CCY = form("ccy", "[A-Z]{3}");
var AMOUNT = form("amount", "0|[1-9][0-9]{0,17}");
var DATE = form("date", "[0-9]{4}-[0-9]{2}-[0-9]{2}", { check: "calendar" });
var PERIOD = form("period", "[0-9]{4}(-(0[1-9]|1[0-2]|Q[1-4]))?|[0-9]{4}-[0-9]{2}-[0-9]{2}");
var NAME = form("name", String.raw`[0-9A-Z\u4e00-\u9fff._/()-]{1,64}`);
var ORDINAL = form("ordinal", "[1-9][0-9]{0,3}");
var FORMS = [
  USCI,
  LEI,
  VAT,
  CN_EINV,
  CN_DECL,
  INV_NO,
  INV_NO_LOOSE,
  GTIN,
  GLN,
  SGTIN,
  LOT,
  CONTAINER,
  CARRIER,
  EBL,
  UUID,
  SHA256,
  OBJECT_ID,
  OBJECT_TYPE,
  JURISDICTION,
  CCY,
  AMOUNT,
  DATE,
  PERIOD,
  NAME,
  ORDINAL
];
function normalise(form2, text3) {
  const spelt = spell(form2, text3);
  if (!new RegExp(`^(?:${form2.pattern})$`, "u").test(spelt)) throw fieldMalformed(form2.name, form2.pattern);
  if (form2.check && !CHECKS[form2.check](spelt)) throw fieldMalformed(form2.name, `check digit of ${form2.check}`);
  return spelt;
}
function spell(form2, text3) {
  if (characters(text3) > MAX_TEXT) throw tooLong(form2.name, MAX_TEXT, characters(text3));
  if (![...text3].every(isKnown)) throw fieldMalformed(form2.name, "characters of Unicode 3.2");
  const plain = text3.normalize("NFKC").replace(GONE, "").replace(DASHES, "-");
  const spelt = withCase(plain, form2.case);
  return form2.code ? spelt.replace(SEPARATORS, "") : spelt;
}
function isKnown(character) {
  const code = (
    /** @type {number} */
    character.codePointAt(0)
  );
  return code >= 40870 && code <= 40959 || isOld(code);
}
function withCase(text3, kind) {
  if (kind === "upper") return text3.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  return kind === "lower" ? text3.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text3;
}
var USCI_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY";
function isUsci(text3) {
  let [total, weight] = [0, 1];
  for (const letter of text3.slice(0, 17)) {
    total += USCI_ALPHABET.indexOf(letter) * weight;
    weight = weight * 3 % 31;
  }
  return USCI_ALPHABET[(31 - total % 31) % 31] === text3[17];
}
function isLei(text3) {
  let left = 0;
  for (const letter of text3) left = (left * (letter <= "9" ? 10 : 100) + parseInt(letter, 36)) % 97;
  return left === 1;
}
function isGs1(text3) {
  const digits = Array.from(text3.slice(0, -1)).reverse();
  const total = digits.reduce((sum2, digit, i) => sum2 + Number(digit) * (i % 2 ? 1 : 3), 0);
  return String((10 - total % 10) % 10) === text3[text3.length - 1];
}
function isContainer(text3) {
  const values = Array.from({ length: 29 }, (_, i) => i + 10).filter((value) => value % 11);
  const total = Array.from(text3.slice(0, 10)).reduce((sum2, letter, i) => {
    const value = letter <= "9" ? Number(letter) : values[letter.charCodeAt(0) - 65];
    return sum2 + value * 2 ** i;
  }, 0);
  return String(total % 11 % 10) === text3[10];
}
function isDate(text3) {
  const found = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text3);
  if (found === null) return false;
  const [year, month, day] = found.slice(1).map(Number);
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}
function daysIn(year, month) {
  const isLeap = year % 4 === 0 && year % 100 !== 0 || year % 400 === 0;
  return month === 2 && isLeap ? 29 : [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
}
var CHECKS = {
  "GB 32100": isUsci,
  "ISO 17442": isLei,
  GS1: isGs1,
  "GS1 of 14": (text3) => isGs1(text3.slice(0, 14)),
  "ISO 6346": isContainer,
  calendar: isDate
};
function partyId(text3) {
  const spelt = spell(VAT, text3);
  const [scheme] = spelt.split(":", 1);
  const rest = spelt.slice(scheme.length + 1);
  for (const form2 of [USCI, LEI, VAT]) {
    if (scheme === form2.name.toUpperCase()) return `${scheme}:${normalise(form2, rest)}`;
  }
  throw fieldMalformed("party", "begins with USCI:, LEI: or VAT:");
}
var invNoLoose = (text3) => normalise(INV_NO_LOOSE, spell(INV_NO_LOOSE, text3).replace(/(?<![0-9])0+(?=[0-9])/g, ""));
function gtin(text3) {
  const digits = spell(GTIN, text3);
  return normalise(GTIN, [8, 12, 13].includes(digits.length) ? digits.padStart(14, "0") : digits);
}
var sgtin = (item2, serial2) => normalise(SGTIN, gtin(item2) + serial2);
var ebl = (carrier, reference) => [normalise(CARRIER, carrier), normalise(EBL, reference)];

// evidence.js
var VERIFIED = "verified";
var UNDECIDED = "undecided";
var NOT_SHOWN = "not shown";
var PROVEN = "proven";
var CLAIMED = "claimed, unanswered";
var NOT_PROVEN = [
  "that what was entered was true before it was entered",
  "dealings outside the ledger",
  "who stands behind a key beyond its certificate",
  "that a member's own database equals the ledger",
  "legal effect"
];
var DAY = 86400;
var LAST_SECOND = 253402300799;
var isOpen = (verdict2) => [UNDECIDED, NOT_SHOWN, CLAIMED].includes(verdict2.result);
function utc(moment2) {
  if (!(moment2 >= 0 && moment2 <= LAST_SECOND)) return `second ${moment2}`;
  return `${new Date(Number(moment2) * 1e3).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
function span(seconds) {
  if (Math.abs(seconds) < 2 * DAY) return `${seconds} s`;
  const tenths = BigInt(Math.abs(seconds)) * 10n / BigInt(DAY);
  return `${seconds < 0 ? "-" : ""}${tenths / 10n}.${tenths % 10n} days`;
}
var evidenceJson = (evidence) => ({
  format: "hybrid-bridge/evidence/v1",
  complete: evidence.missing.length === 0,
  ...toJson(evidence)
});
function toJson(value) {
  if (value instanceof Uint8Array) return b64u(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, held2]) => [name, toJson(held2)]));
}
function secondsOf([year, month, day, hour, minute, second]) {
  const isDay = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  if (!isDay || hour > 23 || minute > 59 || second > 59) return null;
  const date = /* @__PURE__ */ new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 1e3 + hour * 3600 + minute * 60 + second;
}

// shape.js
var same = (value) => value;
var text = (limit) => ({
  parse(value, field) {
    if (typeof value !== "string") throw fieldMalformed(field, "a string");
    if (characters(value) > limit) throw tooLong(field, limit, characters(value));
    return value;
  },
  write: same
});
var literal = (...allowed) => ({
  parse(value, field) {
    if (typeof value !== "string" || !allowed.includes(value)) throw fieldMalformed(field, `one of ${allowed.join(", ")}`);
    return value;
  },
  write: same
});
var uint = (limit = MAX_U64) => ({
  parse(value, field) {
    if (typeof value !== "number" || value < 0 || value > limit) throw fieldMalformed(field, `an integer from 0 to ${limit}`);
    return value;
  },
  write: same
});
function octets(width, limit = 0) {
  const longest = width ?? limit;
  return {
    parse(value, field) {
      if (typeof value !== "string") throw fieldMalformed(field, "base64url text");
      const length = characters(value);
      if (length > Math.floor((longest * 4 + 2) / 3)) throw tooLong(field, longest, Math.floor(length * 3 / 4));
      const data = parseB64u(value, field);
      if (width !== null && data.length !== width) throw fieldMalformed(field, `exactly ${width} bytes`);
      return data;
    },
    write: b64u
  };
}
var array = (item2, limit) => ({
  parse(value, field) {
    if (!Array.isArray(value)) throw fieldMalformed(field, "an array");
    if (value.length > limit) throw tooLong(field, limit, value.length);
    return value.map((inner, i) => item2.parse(inner, `${field}[${i}]`));
  },
  write: (values) => values.map(item2.write)
});
var nullable = (item2) => ({
  parse: (value, field) => value === null ? null : item2.parse(value, field),
  write: (value) => value === null ? null : item2.write(value)
});
var isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
function record(required, optional = {}, make = same) {
  const codecs = { ...required, ...optional };
  return {
    parse(value, field) {
      requireMembers(value, field, required, optional);
      const parsed = Object.fromEntries(Object.keys(optional).map((name) => [name, null]));
      for (const name of Object.keys(value)) parsed[name] = codecs[name].parse(value[name], `${field}.${name}`);
      return make(parsed);
    },
    write(value) {
      const shown2 = Object.entries(codecs).filter(([name]) => name in required || value[name] !== null);
      return Object.fromEntries(shown2.map(([name, codec]) => [name, codec.write(value[name])]));
    }
  };
}
var tagged = (codecs) => ({
  parse(value, field) {
    if (!isObject(value)) throw fieldMalformed(field, "an object");
    const type = literal(...Object.keys(codecs)).parse(value.type, `${field}.type`);
    const { type: _, ...rest } = value;
    return { type, ...codecs[type].parse(rest, field) };
  },
  write: (value) => ({ type: value.type, ...codecs[value.type].write(value) })
});
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

// bundle.js
var MAX_BUNDLE = 1 << 20;
var jsonObject = (limit) => ({
  parse(value, field) {
    if (!isObject(value) || Object.keys(value).length > limit) throw fieldMalformed(field, `an object of at most ${limit} members`);
    return value;
  },
  write: (value) => value
});
var atLeastOne = (codec) => ({
  parse(value, field) {
    const parts = codec.parse(value, field);
    if (parts.length === 0) throw fieldMalformed(field, "at least one");
    return parts;
  },
  write: codec.write
});
var B32 = octets(32);
var PATH = array(B32, 54);
var U = uint();
var NOTE = text(1 << 18);
var VALIDATORS = array(
  record(
    { address: octets(20), name: text(1024), certificate_hash: B32, key_binding: octets(183) },
    { mldsa_key: octets(1312) }
  ),
  64
);
var PROVEN2 = record({ record: octets(640), path: PATH });
var NEIGHBOUR = record({ leaf: B32, index: U, path: PATH });
var LABEL = record(
  { index: B32, terminal: nullable(record({ index: B32, commitment: B32 })), path: array(B32, 256) },
  { label: octets(null, 4096), version: uint(2 ** 32 - 1), proof: octets(80), value: text(8192), opening: B32 }
);
var ENTRY = record(
  { entry: octets(37), index: U, path: PATH, disclosures: array(record({ value: text(8192), index: U, path: PATH }), 256) },
  { transaction: octets(null, 1 << 17), issuer_jwt: text(1 << 17) }
);
var EPOCH = record({
  record: octets(640),
  path: PATH,
  entries: array(ENTRY, 64),
  absences: array(record({ leaf: B32 }, { left: NEIGHBOUR, right: NEIGHBOUR }), 64),
  labels: array(LABEL, 256)
});
var ANCHOR = tagged({
  evm: record({
    tree_size: U,
    chain_id: U,
    contract: octets(20),
    header: octets(null, 4096),
    tx_index: U,
    receipt: octets(null, 1 << 17),
    proof: array(octets(null, 4096), 64),
    log_index: U,
    descendants: array(octets(null, 4096), 256)
  }),
  rfc3161: record({ tree_size: U, token: octets(null, 1 << 16) }),
  witness: record({ tree_size: U, name: text(256) }),
  ots: record({ tree_size: U, proof: octets(null, 1 << 16) })
});
var CHECKPOINT = record({ note: NOTE, consistency: PATH }, { receipt: octets(64) });
var ROTATION = record({
  update: octets(null, (10 + 4 * 64) * 32),
  index: U,
  path: PATH,
  epoch: PROVEN2,
  note: NOTE,
  consistency: PATH,
  validators: VALIDATORS
});
var GOVERNANCE = record({
  from_epoch: U,
  to_epoch: U,
  consistency: PATH,
  records: array(record({ index: U, record: octets(null, 8512), path: PATH }), 256)
});
var ARTEFACT = record(
  { name: text(255), media_type: text(127), size: U, sha256: B32, field: text(64) },
  { sha512: octets(64), sm3: B32 }
);
var BUNDLE = record(
  {
    format: literal("hybrid-bridge/bundle/v1"),
    purpose: literal("record", "registry", "omission", "governance", "checkpoint"),
    critical: array(text(64), 64),
    extensions: jsonObject(64),
    genesis: record({ origin: text(200), record: octets(832), path: PATH, validators: VALIDATORS }, { mldsa_key: octets(1312) }),
    rotations: array(ROTATION, 64),
    checkpoints: atLeastOne(array(CHECKPOINT, 16)),
    epochs: array(EPOCH, 64),
    source_evidence: array(record({ type: text(64), epoch: U, data: octets(null, MAX_BUNDLE) }), 64),
    certificates: array(octets(null, 1 << 14), 64),
    anchors: array(ANCHOR, 16),
    public_blocks: array(record({ chain_id: U, header: octets(null, 4096) }), 64),
    artefacts: array(ARTEFACT, 256),
    renewals: array(
      record({ hash: literal("sha-256", "sha-512", "sha3-256", "sha3-512"), token: octets(null, 1 << 16) }),
      64
    )
  },
  { governance: GOVERNANCE, promise: octets(219), provenance: text(1 << 16) }
);
function decodeBundle(data) {
  const bundle = BUNDLE.parse(parseCanonicalJson(data, "bundle", MAX_BUNDLE), "bundle");
  const ordered = pairwise(
    /** @type {string[]} */
    bundle.critical
  ).every(([one, next2]) => compareText(one, next2) < 0);
  if (!ordered || !bundle.critical.every((name) => Object.hasOwn(bundle.extensions, name))) {
    throw fieldMalformed("bundle.critical", "sorted, unique, each a key of extensions");
  }
  return bundle;
}
var coveredBy = (bundle, renewals) => canonicalJson(BUNDLE.write({ ...bundle, renewals: bundle.renewals.slice(0, renewals) }));

// der.js
var [BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID] = [1, 2, 3, 4, 5, 6];
var [UTC_TIME, TIME, SEQUENCE, SET] = [23, 24, 48, 49];
var MAX_INTEGER = 64;
var MAX_OID = 64;
var GENERALIZED = /^([0-9]{14})(?:\.([0-9]{0,8}[1-9]))?Z$/;
var explicit = (number2) => 160 | number2;
var DerReader = class _DerReader {
  /** @param {Uint8Array} data @param {string} field */
  constructor(data, field) {
    this.data = asOctets(data, field);
    this.at = 0;
    this.field = field;
  }
  /** The next element's tag, or -1 at the end. */
  peek() {
    return this.at < this.data.length ? this.data[this.at] : -1;
  }
  /** The next element, which must have this tag. @param {number} tag @returns {Element} */
  take(tag) {
    if (this.peek() !== tag) throw fieldMalformed(this.field, `tag 0x${tag.toString(16)} at offset ${this.at}`);
    const read = readLength(this.data.subarray(this.at + 1, this.at + 6));
    if (read === null) throw notCanonical(this.field);
    const start = this.at + 1 + read.width;
    const end = start + read.length;
    if (end > this.data.length) {
      throw refusal("Truncated", { field: this.field, needed: read.length, got: this.data.length - start });
    }
    const element = { tag, content: this.data.slice(start, end), whole: this.data.slice(this.at, end) };
    this.at = end;
    return element;
  }
  /** Whatever element comes next. @returns {Element} */
  any() {
    return this.take(Math.max(this.peek(), 0));
  }
  /** The next element if it has this tag. @param {number} tag */
  optional(tag) {
    return this.peek() === tag ? this.take(tag) : null;
  }
  /** A reader of the next element's content. @param {number} tag */
  inside(tag) {
    return new _DerReader(this.take(tag).content, this.field);
  }
  /** Nothing may follow. */
  end() {
    if (this.at < this.data.length) throw refusal("TrailingBytes", { field: this.field, count: this.data.length - this.at });
  }
  /** A whole number, negative ones too, of at most 64 bytes. @param {number} tag */
  integer(tag = INTEGER) {
    const { content } = this.take(tag);
    if (content.length < 1 || content.length > MAX_INTEGER) {
      throw fieldMalformed(this.field, `an integer of 1 to ${MAX_INTEGER} bytes`);
    }
    if (!isMinimal(content)) throw notCanonical(this.field);
    return BigInt.asIntN(8 * content.length, toBig(content));
  }
  /** An object identifier as dotted numbers. */
  oid() {
    const text3 = oidText(this.take(OID).content);
    if (text3 === null) throw fieldMalformed(this.field, "a minimal object identifier");
    return text3;
  }
  /** A BOOLEAN DEFAULT FALSE: left out, or true (X.690 §11.5). */
  flag() {
    const element = this.optional(BOOLEAN);
    if (element !== null && !equal(element.content, Uint8Array.of(255))) throw notCanonical(this.field);
    return element !== null;
  }
  /** A GeneralizedTime from 1970 on, in nanoseconds. */
  nanoseconds() {
    const found = GENERALIZED.exec(latin1(this.take(TIME).content));
    const seconds = found && secondsOf(calendarParts(found[1]));
    if (!found || seconds === null || seconds < 0) throw fieldMalformed(this.field, "a GeneralizedTime in UTC from 1970 on");
    return BigInt(seconds) * 10n ** 9n + BigInt((found[2] ?? "0").padEnd(9, "0"));
  }
};
var calendarParts = (digits) => [digits.slice(0, 4), ...digits.slice(4).match(/../g) ?? []].map(Number);
var isMinimal = (content) => content.length === 1 || !(content[0] === 0 && content[1] < 128 || content[0] === 255 && content[1] >= 128);
function oidText(content) {
  if (content.length < 1 || content.length > MAX_OID || content[content.length - 1] & 128) return null;
  const arcs = [];
  let value = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 128) return null;
    value = value << 7n | BigInt(octet & 127);
    fresh = !(octet & 128);
    if (fresh) {
      arcs.push(value);
      value = 0n;
    }
  }
  const first = arcs[0] < 80n ? arcs[0] / 40n : 2n;
  return [first, arcs[0] - 40n * first, ...arcs.slice(1)].join(".");
}
function readLength(data) {
  if (data.length === 0 || data[0] === 128 || data[0] > 132) return null;
  if (data[0] < 128) return { length: data[0], width: 1 };
  const width = data[0] & 127;
  const length = Number(toBig(data.subarray(1, 1 + width)));
  if (data.length <= width || length < 128 || length < 2 ** (8 * (width - 1))) return null;
  return { length, width: 1 + width };
}
function der(tag, ...parts) {
  const content = concat(...parts);
  if (content.length < 128) return concat(Uint8Array.of(tag, content.length), content);
  const digits = content.length.toString(16);
  const length = unhex(digits.length % 2 ? `0${digits}` : digits);
  return concat(Uint8Array.of(tag, 128 | length.length), length, content);
}

// extension-shapes.js
var FIELD = "certificate.extension";
var [IA5, UTF8, VISIBLE, BMP] = [22, 12, 26, 30];
var [UNIVERSAL, TEXTS] = [28, [4, UTF8, 18, 19, 20, IA5, 23, 24, VISIBLE]];
var wrong = (rule) => fieldMalformed(FIELD, rule);
function wholeOf(value, tag) {
  const outside = new DerReader(value, FIELD);
  const { content } = outside.take(tag);
  outside.end();
  return content;
}
function each(content, tag, read) {
  const reader = new DerReader(content, FIELD);
  while (reader.peek() !== -1) {
    const inside = reader.inside(tag);
    read(inside);
    inside.end();
  }
}
var isAscii2 = (content) => content.every((octet) => octet < 128);
function generalNames(content) {
  const reader = new DerReader(content, FIELD);
  const uris = [];
  while (reader.peek() !== -1) {
    const { tag, content: name } = reader.any();
    generalName(tag, name);
    if (tag === 134) uris.push(latin1(name));
  }
  return uris;
}
function generalName(tag, name) {
  if ([129, 130, 134].includes(tag)) {
    if (!isAscii2(name)) throw wrong("ASCII");
  } else if (tag === 135) {
    if (![4, 8, 16, 32].includes(name.length)) throw wrong("an IP address");
  } else if (tag === 136) {
    if (oidText(name) === null) throw wrong("an object identifier");
  } else if (tag === 160) {
    const inside = new DerReader(name, FIELD);
    inside.oid();
    const held2 = inside.inside(explicit(0));
    held2.any();
    held2.end();
    inside.end();
  } else if (tag === 164) directoryName(wholeOf(name, SEQUENCE));
  else throw wrong("a general name that is known");
}
var directoryName = (content) => each(content, SET, relativeName);
function relativeName(set) {
  do {
    const attribute = set.inside(SEQUENCE);
    attribute.oid();
    const { tag, content } = attribute.any();
    attribute.end();
    const isWide = tag === BMP && content.length % 2 === 0 || tag === UNIVERSAL && content.length % 4 === 0;
    if (!isWide && !(TEXTS.includes(tag) && utf8Text(content) !== null)) throw wrong("an attribute that is a text");
  } while (set.peek() !== -1);
}
var descriptions = (value) => each(wholeOf(value, SEQUENCE), SEQUENCE, (inside) => {
  inside.oid();
  const { tag, content } = inside.any();
  generalName(tag, content);
});
var policies = (value) => each(wholeOf(value, SEQUENCE), SEQUENCE, (inside) => {
  inside.oid();
  if (inside.peek() !== -1) each(inside.take(SEQUENCE).content, SEQUENCE, qualifier);
});
function qualifier(inside) {
  const kind = inside.oid();
  if (kind === "1.3.6.1.5.5.7.2.1") {
    if (!isAscii2(inside.take(IA5).content)) throw wrong("ASCII");
  } else if (kind === "1.3.6.1.5.5.7.2.2") notice(inside.inside(SEQUENCE));
  else throw wrong("a policy qualifier that is known");
}
function notice(inside) {
  if (inside.peek() === SEQUENCE) {
    const reference = inside.inside(SEQUENCE);
    displayText(reference);
    const numbers3 = reference.inside(SEQUENCE);
    while (numbers3.peek() !== -1) numbers3.integer();
    reference.end();
  }
  if (inside.peek() !== -1) displayText(inside);
  inside.end();
}
function displayText(inside) {
  const { tag, content } = inside.any();
  if (![IA5, UTF8, VISIBLE, BMP].includes(tag)) throw wrong("a text");
  if (tag === UTF8 ? utf8Text(content) === null : tag !== BMP && !isAscii2(content)) throw wrong("characters of this text");
}
function features(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD);
  if (reader.peek() === -1) throw wrong("one TLS feature at least");
  while (reader.peek() !== -1) if (![5n, 17n].includes(reader.integer())) throw wrong("a TLS feature that is known");
}
function policyConstraints(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD);
  const found = [128, 129].flatMap((tag) => reader.peek() === tag ? [reader.integer(tag)] : []);
  reader.end();
  if (found.length === 0 || found.some((one) => one < 0n)) throw wrong("one number at least");
}
function nameConstraints(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD);
  const parts = [160, 161].flatMap((tag) => reader.optional(tag) ?? []);
  reader.end();
  let count2 = 0;
  for (const part of parts) {
    each(part.content, SEQUENCE, (inside) => {
      const { tag, content } = inside.any();
      generalName(tag, content);
      for (const depth of [128, 129]) if (inside.peek() === depth) inside.integer(depth);
      count2++;
    });
  }
  if (count2 === 0) throw wrong("one name at least");
}
function inhibitAny(value) {
  const reader = new DerReader(value, FIELD);
  const number2 = reader.integer(INTEGER);
  reader.end();
  if (number2 < 0n) throw wrong("a number");
}
function distribution(value) {
  each(wholeOf(value, SEQUENCE), SEQUENCE, (point) => {
    const place = point.optional(explicit(0));
    if (place !== null) {
      const inside = new DerReader(place.content, FIELD);
      const { tag, content } = inside.any();
      inside.end();
      if (tag === 160) generalNames(content);
      else if (tag === 161) relativeName(new DerReader(content, FIELD));
      else throw wrong("a place");
    }
    const reasons = point.optional(129);
    if (reasons !== null) bits(reasons.content);
    const issuer = point.optional(explicit(2));
    if (issuer !== null) generalNames(issuer.content);
    if (place === null && issuer === null) throw wrong("a place or an issuer");
  });
}
function bits(content) {
  const [unused, ...octets3] = content;
  const last = octets3[octets3.length - 1] ?? 0;
  if (unused === void 0 || unused > 7 || unused && (octets3.length === 0 || last & (1 << unused) - 1)) throw wrong("a BIT STRING");
}
function nothing(value) {
  if (wholeOf(value, NULL).length) throw wrong("nothing");
}
var SHAPES = {
  "1.3.6.1.5.5.7.1.1": descriptions,
  "1.3.6.1.5.5.7.1.11": descriptions,
  "1.3.6.1.5.5.7.1.24": features,
  "1.3.6.1.5.5.7.48.1.5": nothing,
  "2.5.29.18": (value) => void generalNames(wholeOf(value, SEQUENCE)),
  "2.5.29.30": nameConstraints,
  "2.5.29.31": distribution,
  "2.5.29.32": policies,
  "2.5.29.36": policyConstraints,
  "2.5.29.46": distribution,
  "2.5.29.54": inhibitAny
};

// extensions.js
var FIELD2 = "certificate.extension";
var ALTERNATIVE_NAMES = "2.5.29.17";
var KEY_TERM = "2.5.29.16";
function readExtensions(extensions) {
  const oids = extensions.map((extension) => extension.oid);
  if (new Set(oids).size !== oids.length) throw fieldMalformed(FIELD2, "each once");
  const found = {
    isAuthority: false,
    pathLength: Infinity,
    hasUsage: false,
    signsCertificates: false,
    signsLists: false,
    purposes: [],
    isPurposeCritical: false,
    isUnknownCritical: false,
    uris: []
  };
  for (const { oid, critical, value } of extensions) {
    if (oid in READERS) Object.assign(found, READERS[oid](value));
    else if (oid in SHAPES) SHAPES[oid](value);
    else if (oid === KEY_TERM) requireDer(wholeOf(value, SEQUENCE));
    if (oid === "2.5.29.37") found.isPurposeCritical = critical;
    if (critical && (!(oid in READERS) || ["2.5.29.14", "2.5.29.35"].includes(oid))) found.isUnknownCritical = true;
  }
  return found;
}
function requireDer(value) {
  const reader = new DerReader(value, FIELD2);
  while (reader.peek() !== -1) {
    const { tag, content } = reader.any();
    if (tag & 32) requireDer(content);
  }
}
function basicConstraints(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD2);
  const isAuthority = reader.peek() === BOOLEAN && reader.flag();
  const length = reader.peek() === INTEGER ? reader.integer() : null;
  reader.end();
  if (length !== null && (length < 0n || length >= 2n ** 64n)) throw fieldMalformed(FIELD2, "a path length");
  return { isAuthority, pathLength: length === null ? Infinity : Number(length) };
}
function keyUsage(value) {
  const [unused, ...octets3] = wholeOf(value, BITS);
  const last = octets3[octets3.length - 1] ?? 0;
  if (unused === void 0 || unused > 7 || unused && (octets3.length === 0 || last & (1 << unused) - 1)) {
    throw fieldMalformed(FIELD2, "a BIT STRING");
  }
  const first = octets3[0] ?? 0;
  return { hasUsage: true, signsCertificates: (first & 4) !== 0, signsLists: (first & 2) !== 0 };
}
function purposes(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD2);
  const found = [];
  while (reader.peek() !== -1) found.push(reader.oid());
  return { purposes: found };
}
function subjectKeyId(value) {
  wholeOf(value, OCTETS);
  return {};
}
function authorityKeyId(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD2);
  reader.optional(128);
  const issuer = reader.optional(explicit(1));
  if (issuer !== null) generalNames(issuer.content);
  const serial2 = reader.peek() === 130 ? reader.integer(130) : null;
  reader.end();
  if (issuer === null !== (serial2 === null)) throw fieldMalformed(FIELD2, "issuer and serial number together");
  return {};
}
var alternativeNames = (value) => ({ uris: generalNames(wholeOf(value, SEQUENCE)) });
var READERS = {
  "2.5.29.14": subjectKeyId,
  "2.5.29.15": keyUsage,
  [ALTERNATIVE_NAMES]: alternativeNames,
  "2.5.29.19": basicConstraints,
  "2.5.29.35": authorityKeyId,
  "2.5.29.37": purposes
};

// keys.js
var ED25519 = 2055;
var P256 = 1027;
var SIGNATURE_BYTES = 64;
var MAX_SPKI = 91;
var ED25519_PREFIX = unhex("302a300506032b6570032100");
var P256_PREFIX = unhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
var FIELD_PRIME = 2n ** 255n - 19n;
var ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
var P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
var KNOWN = /* @__PURE__ */ new Map();
var MOST_KNOWN = 4096;
function decodeSpki(spki) {
  const scheme = schemeOf(asOctets(spki, "spki"));
  if (scheme === null) throw badSpki();
  return publicKey(scheme, spki);
}
var schemeOf = (spki) => ({ 44: ED25519, 91: P256 })[spki.length] ?? null;
var badSpki = () => fieldMalformed("spki", "Ed25519 of 44 bytes or P-256 uncompressed of 91");
function publicKey(scheme, spki) {
  const name = `${scheme} ${b64u(spki)}`;
  let key = KNOWN.get(name);
  if (key === void 0) {
    key = { scheme, spki, keyId: sha2562(spki), point: load(scheme, spki) };
    if (KNOWN.size < MOST_KNOWN) KNOWN.set(name, key);
  }
  return key;
}
var ed25519Key = (raw) => publicKey(ED25519, concat(ED25519_PREFIX, asOctets(raw, "key")));
function load(scheme, spki) {
  requireScheme(scheme);
  const prefix2 = scheme === ED25519 ? ED25519_PREFIX : P256_PREFIX;
  if (schemeOf(spki) !== scheme || !startsWith(spki, prefix2)) throw badSpki();
  const point = scheme === ED25519 ? edPoint(spki.subarray(prefix2.length)) : p256Point(spki.subarray(prefix2.length - 1));
  if (point === null) throw fieldMalformed("spki", scheme === ED25519 ? "a point of edwards25519" : "a point of P-256");
  if (scheme === ED25519 && point.isSmallOrder()) throw fieldMalformed("spki", "a point not of small order");
  return point;
}
function edPoint(encoded) {
  try {
    return ed25519.Point.fromBytes(encoded, false);
  } catch {
    return null;
  }
}
function p256Point(encoded) {
  try {
    return p256.Point.fromBytes(encoded);
  } catch {
    return null;
  }
}
function verifySignature(key, message2, signature) {
  if (signature.length !== SIGNATURE_BYTES) throw fieldMalformed("signature", `exactly ${SIGNATURE_BYTES} bytes`);
  const holds2 = key.scheme === ED25519 ? edHolds(key, message2, signature) : p256Holds(key, message2, signature);
  if (!holds2) throw refusal("SignatureWrong", { signer: keyIdText(key.keyId) });
}
function edHolds(key, message2, signature) {
  const y = toBigLittle(signature.subarray(0, 32)) & (1n << 255n) - 1n;
  if (y >= FIELD_PRIME) throw fieldMalformed("signature", "R canonical: y < 2^255-19");
  if (toBigLittle(signature.subarray(32)) >= ED25519_ORDER) throw fieldMalformed("signature", "S < L");
  return edEquation(key.point, key.spki.subarray(12), message2, signature);
}
function edEquation(point, encoded, message2, signature) {
  const r = signature.subarray(0, 32);
  const h = toBigLittle(sha512(concat(r, encoded, message2))) % ED25519_ORDER;
  const s = toBigLittle(signature.subarray(32));
  const got = ed25519.Point.BASE.multiplyUnsafe(s).subtract(point.multiplyUnsafe(h));
  return equal(got.toBytes(), r);
}
function p256Holds(key, message2, signature) {
  const r = toBig(signature.subarray(0, 32));
  const s = toBig(signature.subarray(32));
  if (r < 1n || r >= P256_ORDER || s < 1n || s > P256_ORDER / 2n) {
    throw fieldMalformed("signature", "1 <= r < n and 1 <= s <= n/2");
  }
  return p256.verify(signature, sha2562(message2), key.point.toBytes(false), { prehash: false, lowS: true });
}
var keyIdText = (keyId) => b64u(keyId);
function readSignature(reader) {
  const scheme = reader.u16("scheme");
  requireScheme(scheme);
  return { scheme, signature: reader.fixed(SIGNATURE_BYTES, "signature") };
}
function verifySigned(key, signer, scheme, message2, signature) {
  if (!equal(key.keyId, signer)) throw fieldMismatch("signer", keyIdText(signer), keyIdText(key.keyId));
  requireKeyScheme(key, scheme);
  verifySignature(key, message2, signature);
}
function requireKeyScheme(key, scheme) {
  if (key.scheme !== scheme) throw fieldMismatch("scheme", schemeText(key.scheme), schemeText(scheme));
}
var schemeText = (scheme) => `0x${scheme.toString(16).padStart(4, "0")}`;
function requireScheme(scheme) {
  if (scheme !== ED25519 && scheme !== P256) throw fieldMalformed("scheme", "0x0807 (Ed25519) or 0x0403 (P-256)");
}

// certificate.js
var MAX_CERTIFICATE_NAME = 64;
var FIELD3 = "certificate";
var IDENTITY = /^urn:hybrid-bridge:identity:[a-z][a-z0-9-]{0,31}$/;
var RSA = "1.2.840.113549.1.1.1";
var EC = "1.2.840.10045.2.1";
var ED25519_OID = "1.3.101.112";
var CURVES = { "1.2.840.10045.3.1.7": p256, "1.3.132.0.34": p384, "1.3.132.0.35": p521, "1.3.132.0.10": secp256k1 };
var OTHER_CURVES = /* @__PURE__ */ new Set([
  "1.2.840.10045.3.1.1",
  "1.3.132.0.33",
  "1.3.36.3.3.2.8.1.1.7",
  "1.3.36.3.3.2.8.1.1.11",
  "1.3.36.3.3.2.8.1.1.13"
]);
var HASHES = {
  "sha-224": sha224,
  "sha-256": sha256,
  "sha-384": sha384,
  "sha-512": sha512,
  "sha3-224": sha3_224,
  "sha3-256": sha3_256,
  "sha3-384": sha3_384,
  "sha3-512": sha3_512
};
var RSA_PKCS1 = {
  "1.2.840.113549.1.1.11": "sha-256",
  "1.2.840.113549.1.1.12": "sha-384",
  "1.2.840.113549.1.1.13": "sha-512"
};
var ECDSA = {
  "1.2.840.10045.4.3.2": "sha-256",
  "1.2.840.10045.4.3.3": "sha-384",
  "1.2.840.10045.4.3.4": "sha-512"
};
var ANY_RSA = {
  ...RSA_PKCS1,
  "1.2.840.113549.1.1.14": "sha-224",
  "2.16.840.1.101.3.4.3.13": "sha3-224",
  "2.16.840.1.101.3.4.3.14": "sha3-256",
  "2.16.840.1.101.3.4.3.15": "sha3-384",
  "2.16.840.1.101.3.4.3.16": "sha3-512"
};
var ANY_ECDSA = {
  ...ECDSA,
  "1.2.840.10045.4.3.1": "sha-224",
  "2.16.840.1.101.3.4.3.9": "sha3-224",
  "2.16.840.1.101.3.4.3.10": "sha3-256",
  "2.16.840.1.101.3.4.3.11": "sha3-384",
  "2.16.840.1.101.3.4.3.12": "sha3-512"
};
var OTHER_KEYS = { "1.3.101.110": 32, "1.3.101.111": 56, "1.3.101.113": 57 };
var ORGANIZATION = "2.5.4.10";
var ORGANIZATION_ID = "2.5.4.97";
var UNIQUE_ID = "2.5.4.45";
var SHORT_NAMES = {
  "2.5.4.3": "CN",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  [ORGANIZATION]: "O",
  "2.5.4.11": "OU",
  "2.5.4.6": "C",
  "2.5.4.9": "STREET",
  "0.9.2342.19200300.100.1.25": "DC",
  "0.9.2342.19200300.100.1.1": "UID"
};
var malformed = (rule) => refusal("CertificateMalformed", { rule });
function reading(rule, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof BridgeError) throw malformed(rule);
    throw error;
  }
}
var readCertificate = (data) => reading("a DER X.509 certificate", () => decodeCertificate(data));
function decodeCertificate(data) {
  const outside = new DerReader(data, FIELD3);
  const reader = outside.inside(SEQUENCE);
  outside.end();
  const tbs = reader.take(SEQUENCE);
  const outer = readAlgorithm(reader);
  const signature = readBits(reader.take(BITS).content);
  reader.end();
  const body = new DerReader(tbs.content, FIELD3);
  const version = readVersion(body);
  const number2 = body.take(INTEGER).content;
  if (number2.length === 0 || !isMinimal(number2) || number2[0] & 128 || toBig(number2) === 0n) throw malformed("a serial number from one on");
  const inner = readAlgorithm(body);
  const issuer = body.take(SEQUENCE);
  readName(issuer.content);
  const validity = body.inside(SEQUENCE);
  const [begins, ends] = [readTime(validity), readTime(validity)];
  validity.end();
  const subject = body.take(SEQUENCE);
  const rdns = readName(subject.content);
  const spki = body.take(SEQUENCE);
  readSpki(spki.content);
  for (const tag of [129, 130]) {
    const id2 = body.optional(tag);
    if (id2 !== null) readBits(id2.content);
  }
  const extensions = splitExtensions(body.optional(explicit(3)));
  body.end();
  if (version !== 0n && version !== 2n) throw malformed("version 1 or 3");
  return {
    der: data,
    tbs: tbs.whole,
    serial: toBig(number2),
    inner,
    outer,
    signature,
    issuer: issuer.whole,
    subject: subject.whole,
    rdns,
    begins,
    ends,
    spki: spki.whole,
    extensions
  };
}
function readVersion(body) {
  if (body.peek() !== explicit(0)) return 0n;
  const reader = body.inside(explicit(0));
  const version = reader.integer();
  reader.end();
  if (version <= 0n) throw malformed("a version that is not the default");
  return version;
}
function readAlgorithm(reader) {
  const { content, whole: whole2 } = reader.take(SEQUENCE);
  const inside = new DerReader(content, FIELD3);
  const oid = inside.oid();
  const parameters = inside.peek() === -1 ? null : inside.any().whole;
  inside.end();
  if (oid === EC) requireCurve(parameters);
  const takesNone = oid in ECDSA || oid === ED25519_OID;
  if (takesNone && parameters !== null) throw malformed("an algorithm without parameters");
  if (oid in RSA_PKCS1 && (parameters === null || !equal(parameters, Uint8Array.of(NULL, 0)))) throw malformed("NULL parameters");
  return { oid, parameters, whole: whole2 };
}
function requireCurve(parameters) {
  const reader = new DerReader(parameters ?? new Uint8Array(), FIELD3);
  if (reader.peek() === OID) reader.oid();
  else if (reader.peek() !== SEQUENCE && reader.peek() !== NULL) throw malformed("a curve");
}
function readBits(content) {
  const [unused, ...rest] = content;
  if (unused === void 0 || unused > 7 || unused && (rest.length === 0 || rest[rest.length - 1] & (1 << unused) - 1)) {
    throw malformed("a BIT STRING");
  }
  return Uint8Array.from(rest);
}
function readName(content) {
  const reader = new DerReader(content, FIELD3);
  const rdns = [];
  while (reader.peek() !== -1) {
    const set = reader.inside(SET);
    const attributes = [];
    let before = new Uint8Array();
    while (set.peek() !== -1) {
      const { content: pair, whole: whole2 } = set.take(SEQUENCE);
      if (attributes.length && latin1(whole2) < latin1(before)) throw malformed("attributes in order");
      before = whole2;
      attributes.push(readAttribute(pair));
    }
    rdns.push(attributes);
  }
  return rdns;
}
function readAttribute(content) {
  const reader = new DerReader(content, FIELD3);
  const oid = reader.oid();
  const { tag, content: value } = reader.any();
  reader.end();
  if ((tag & 31) === 31) throw malformed("a tag of one byte");
  if (tag === 19 && !/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(latin1(value))) throw malformed("a PrintableString");
  if (tag === 28 && (value.length % 4 || wideText(value, 4) === null)) throw malformed("a UniversalString");
  if (tag === 30 && (value.length % 2 || wideText(value, 2) === null)) throw malformed("a BMPString");
  return { oid, tag, content: value };
}
function readTime(reader) {
  const isShort = reader.peek() === UTC_TIME;
  const text3 = latin1(reader.take(isShort ? UTC_TIME : TIME).content);
  if (!(isShort ? /^[0-9]{12}Z$/ : /^[0-9]{14}Z$/).test(text3)) throw malformed("a time");
  const digits = isShort ? `${Number(text3.slice(0, 2)) < 50 ? "20" : "19"}${text3.slice(0, -1)}` : text3.slice(0, -1);
  const seconds = secondsOf(calendarParts(digits));
  if (seconds === null) throw malformed("a day that exists");
  return seconds;
}
function readSpki(content) {
  const reader = new DerReader(content, FIELD3);
  const algorithm = readAlgorithm(reader);
  const { content: bits2 } = reader.take(BITS);
  reader.end();
  return { algorithm, key: readBits(bits2), isWhole: bits2[0] === 0 };
}
function splitExtensions(element) {
  if (element === null) return [];
  const outside = new DerReader(element.content, FIELD3);
  const reader = outside.inside(SEQUENCE);
  outside.end();
  const extensions = [];
  while (reader.peek() !== -1) {
    const extension = reader.inside(SEQUENCE);
    const oid = extension.oid();
    const critical = extension.flag();
    extensions.push({ oid, critical, value: extension.take(OCTETS).content });
    extension.end();
  }
  return extensions;
}
function keyIn(certificate) {
  const rule = "a public key that can be read here";
  return reading(rule, () => {
    const { algorithm, key, isWhole } = readSpki(new DerReader(certificate.spki, FIELD3).take(SEQUENCE).content);
    if (!isWhole) throw malformed(rule);
    if (algorithm.oid === RSA) return rsaKey(key);
    if (algorithm.oid === EC && algorithm.parameters) return ecKey(algorithm.parameters, key);
    if (algorithm.oid === ED25519_OID && key.length === 32) return ed25519Key2(key);
    if (OTHER_KEYS[algorithm.oid] === key.length) return { kind: "other", verify: () => false };
    throw malformed(rule);
  });
}
function ed25519Key2(key) {
  return {
    kind: "ed25519",
    verify(message2, signature) {
      const point = edPoint(key);
      return point !== null && signature.length === 64 && isBelowOrder(signature) && edEquation(point, key, message2, signature);
    }
  };
}
var isBelowOrder = (signature) => toBig(signature.slice(32).reverse()) < 2n ** 252n + 27742317777372353535851937790883648493n;
function ecKey(parameters, key) {
  const name = new DerReader(parameters, FIELD3).oid();
  if (OTHER_CURVES.has(name)) return { kind: "other", verify: () => false };
  const curve = CURVES[name];
  if (curve === void 0) throw malformed("a curve that is known here");
  let point;
  try {
    point = curve.Point.fromBytes(key);
  } catch {
    throw malformed("a point of its curve");
  }
  return {
    kind: "ec",
    verify(message2, signature, hash) {
      try {
        const compact = ecdsaCompact(signature, curve.Point.Fn.BYTES);
        return curve.verify(compact, HASHES[hash](message2), point.toBytes(false), { prehash: false, lowS: false });
      } catch (error) {
        if (error instanceof BridgeError) return false;
        throw error;
      }
    }
  };
}
function ecdsaCompact(signature, width) {
  const outside = new DerReader(signature, FIELD3);
  const reader = outside.inside(SEQUENCE);
  outside.end();
  const contents = [reader.take(INTEGER).content, reader.take(INTEGER).content];
  reader.end();
  const isPositive = contents.every((content) => content.length > 0 && isMinimal(content) && !(content[0] & 128));
  const digits = contents.map((content) => toBig(content).toString(16).padStart(2 * width, "0"));
  if (!isPositive || digits.some((text3) => text3.length > 2 * width)) throw malformed("a signature");
  return Uint8Array.from(digits.join("").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
function rsaKey(key) {
  const outside = new DerReader(key, FIELD3);
  const reader = outside.inside(SEQUENCE);
  outside.end();
  const [modulus, exponent] = [reader.take(INTEGER).content, reader.take(INTEGER).content];
  reader.end();
  const [n, e] = [toBig(modulus), toBig(exponent)];
  if (![modulus, exponent].every(isMinimal) || modulus[0] & 128 || e < 3n || e % 2n === 0n || e >= 2n ** 33n || n < 2n ** 1023n || n >= 2n ** 16384n) {
    throw malformed("an RSA key");
  }
  const width = Math.ceil(n.toString(16).length / 2);
  return {
    kind: "rsa",
    verify(message2, signature, hash) {
      const s = toBig(signature);
      if (signature.length !== width || s >= n) return false;
      const got = power(s, e, n).toString(16).padStart(2 * width, "0");
      return got === hex(pkcs1Encoded(HASHES[hash](message2), hash, width));
    }
  };
}
var DIGEST_INFO = {
  "sha-224": "302d300d06096086480165030402040500041c",
  "sha3-224": "302d300d06096086480165030402070500041c",
  "sha-256": "3031300d060960864801650304020105000420",
  "sha-384": "3041300d060960864801650304020205000430",
  "sha-512": "3051300d060960864801650304020305000440",
  "sha3-256": "3031300d060960864801650304020805000420",
  "sha3-384": "3041300d060960864801650304020905000430",
  "sha3-512": "3051300d060960864801650304020a05000440"
};
function pkcs1Encoded(digest, hash, width) {
  const info = concat(Uint8Array.from(DIGEST_INFO[hash].match(/../g) ?? [], (pair) => parseInt(pair, 16)), digest);
  return concat(Uint8Array.of(0, 1), new Uint8Array(width - info.length - 3).fill(255), Uint8Array.of(0), info);
}
function power(base, exponent, modulus) {
  let [result, square] = [1n, base % modulus];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = result * square % modulus;
    square = square * square % modulus;
  }
  return result;
}
function isIssuedBy(certificate, issuer) {
  if (!equal(certificate.issuer, issuer.subject) || !equal(certificate.inner.whole, certificate.outer.whole)) return false;
  const { oid } = certificate.outer;
  const hash = (
    /** @type {Record<string, string>} */
    { ...ANY_RSA, ...ANY_ECDSA, [ED25519_OID]: "" }[oid]
  );
  const kind = oid in ANY_RSA ? "rsa" : oid in ANY_ECDSA ? "ec" : "ed25519";
  if (hash === void 0) return false;
  try {
    const key = keyIn(issuer);
    return key.kind === kind && key.verify(certificate.tbs, certificate.signature, hash);
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}
function showCertificate(data, roots) {
  const certificate = readCertificate(data);
  const isTrusted = roots.some((root) => isIssuedBy(certificate, root));
  keyIn(certificate);
  const { spki, begins, ends } = certificate;
  return { digest: sha2562(data), spki, begins, ends, subject: isTrusted ? subjectOf(certificate) : null };
}
function certifiedKey(data) {
  const certificate = readCertificate(data);
  keyIn(certificate);
  return decodeSpki(certificate.spki);
}
function subjectOf(certificate) {
  const texts = attributeTexts(certificate) ?? [];
  const of = (oid) => new Set(texts.filter((text3) => text3.oid === oid).map((text3) => text3.value));
  return { names: of(ORGANIZATION), legalIds: of(ORGANIZATION_ID), isIdentity: isForIdentity(certificate) };
}
function attributeTexts(certificate) {
  const texts = [];
  for (const attribute of certificate.rdns.flat()) {
    if (attribute.tag === BITS && attribute.oid === UNIQUE_ID) continue;
    const value = attributeText(attribute);
    if (value === null || !hasRoom(attribute.oid, value)) return null;
    texts.push({ oid: attribute.oid, value });
  }
  return texts;
}
function attributeText({ tag, content }) {
  if (tag === 30 || tag === 28) return wideText(content, tag === 30 ? 2 : 4);
  return [4, 12, 18, 19, 20, 22, 23, 24, 26].includes(tag) ? utf8Text(content) : null;
}
function wideText(content, width) {
  const units = Array.from({ length: content.length / width }, (_, i) => Number(toBig(content.subarray(i * width, (i + 1) * width))));
  if (units.some((unit) => unit > 1114111 || width === 4 && unit >= 55296 && unit < 57344)) return null;
  const text3 = width === 2 ? String.fromCharCode(...units) : String.fromCodePoint(...units);
  return /\p{Surrogate}/u.test(text3) ? null : text3;
}
function hasRoom(oid, value) {
  const length = new TextEncoder().encode(value).length;
  if (oid === "2.5.4.6" || oid === "1.3.6.1.4.1.311.60.2.1.3") return length === 2;
  return oid !== "2.5.4.3" || length >= 1 && length <= 64;
}
var holdsName = (subject, name, legalId) => subject.names.has([...name].slice(0, MAX_CERTIFICATE_NAME).join("")) && subject.legalIds.has(legalId);
function isForIdentity(certificate) {
  try {
    const { uris } = readExtensions(certificate.extensions);
    return uris.length === 1 && IDENTITY.test(uris[0]);
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}
var subjectText = (certificate) => [...certificate.rdns].reverse().map((rdn) => rdn.map(attributeRfc4514).join("+")).join(",");
function attributeRfc4514(attribute) {
  const name = SHORT_NAMES[attribute.oid] ?? attribute.oid;
  if (attribute.tag === BITS && attribute.oid === UNIQUE_ID) return `${name}=#${hex(attribute.content)}`;
  const value = attributeText(attribute);
  if (value === null) throw malformed("readable names");
  return `${name}=${escaped(value)}`;
}
function escaped(value) {
  let text3 = value.replace(/[\\"+,;<>]/g, "\\$&").replaceAll("\0", "\\00");
  if (text3.startsWith("#") || text3.startsWith(" ") && text3.length > 1) text3 = `\\${text3}`;
  return text3.endsWith(" ") ? `${text3.slice(0, -1)}\\ ` : text3;
}

// timestamp.js
var SECOND = 10n ** 9n;
var MAX_TOKEN = 1 << 16;
var MAX_CERTIFICATES = 8;
var MAX_PATH = 4;
var FIELD4 = "token";
var SIGNED_DATA = "1.2.840.113549.1.7.2";
var TST_INFO = "1.2.840.113549.1.9.16.1.4";
var CONTENT_TYPE = "1.2.840.113549.1.9.3";
var MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
var SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12";
var SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";
var RSA_OF_DIGEST = "1.2.840.113549.1.1.1";
var TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
var HASH_NAMES = {
  "2.16.840.1.101.3.4.2.1": "sha-256",
  "2.16.840.1.101.3.4.2.2": "sha-384",
  "2.16.840.1.101.3.4.2.3": "sha-512",
  "2.16.840.1.101.3.4.2.8": "sha3-256",
  "2.16.840.1.101.3.4.2.9": "sha3-384",
  "2.16.840.1.101.3.4.2.10": "sha3-512"
};
function decodeToken(data) {
  data = asOctets(data, FIELD4);
  if (data.length > MAX_TOKEN) throw tooLong(FIELD4, MAX_TOKEN, data.length);
  const outer = new DerReader(data, FIELD4);
  const contentInfo = outer.inside(SEQUENCE);
  outer.end();
  requireOid(contentInfo.oid(), SIGNED_DATA);
  const wrapped = contentInfo.inside(explicit(0));
  contentInfo.end();
  const signed = wrapped.inside(SEQUENCE);
  wrapped.end();
  const version = signed.take(INTEGER).content;
  const digests = signed.take(SET).content;
  const content = signed.take(SEQUENCE);
  const certificates = readCertificates(signed.take(explicit(0)).content);
  signed.optional(explicit(1));
  const signers = signed.take(SET);
  signed.end();
  const tstInfo = encapsulated(content.content);
  return { der: data, version, digests, tstInfo, certificates, ...readTstInfo(tstInfo), ...readSigner(signers.content) };
}
function requireOid(got, expected) {
  if (got !== expected) throw fieldMalformed(FIELD4, `object identifier ${expected}`);
}
function readCertificates(content) {
  const reader = new DerReader(content, FIELD4);
  const found = [];
  while (reader.peek() !== -1) {
    found.push(reader.take(SEQUENCE).whole);
    if (found.length > MAX_CERTIFICATES) throw tooLong("token.certificates", MAX_CERTIFICATES, found.length);
  }
  return found;
}
function encapsulated(content) {
  const reader = new DerReader(content, FIELD4);
  requireOid(reader.oid(), TST_INFO);
  const wrapped = reader.inside(explicit(0));
  reader.end();
  const inside = wrapped.take(OCTETS).content;
  wrapped.end();
  return inside;
}
function readTstInfo(data) {
  const outer = new DerReader(data, FIELD4);
  const reader = outer.inside(SEQUENCE);
  outer.end();
  if (reader.integer() !== 1n) throw fieldMalformed(FIELD4, "TSTInfo version 1");
  reader.oid();
  const imprint = reader.inside(SEQUENCE);
  const hash = hashName(readAlgorithm2(imprint));
  const digest = imprint.take(OCTETS).content;
  imprint.end();
  if (digest.length !== HASHES[hash].outputLen) throw fieldMalformed(FIELD4, `an imprint as long as ${hash}`);
  reader.integer();
  const generated = reader.nanoseconds();
  const accuracy = readAccuracy(reader.optional(SEQUENCE));
  reader.flag();
  if (reader.peek() === INTEGER) reader.integer();
  reader.optional(explicit(0));
  requireNoCritical(reader.optional(explicit(1)));
  reader.end();
  const by2 = Number((generated + accuracy + SECOND - 1n) / SECOND);
  return { hash, imprint: digest, generated, by: by2 };
}
function readAccuracy(element) {
  const reader = new DerReader(element?.content ?? new Uint8Array(), FIELD4);
  let total = 0n;
  for (
    const [tag, unit, most] of
    /** @type {[number, bigint, bigint][]} */
    [[INTEGER, SECOND, 86400n], [128, 10n ** 6n, 999n], [129, 1000n, 999n]]
  ) {
    if (reader.peek() !== tag) continue;
    const value = reader.integer(tag);
    if (value < 0n || value > most) throw fieldMalformed(FIELD4, "an accuracy of at most a day");
    total += value * unit;
  }
  reader.end();
  return total;
}
function requireNoCritical(element) {
  const reader = new DerReader(element?.content ?? new Uint8Array(), FIELD4);
  while (reader.peek() !== -1) {
    const extension = reader.inside(SEQUENCE);
    const oid = extension.oid();
    const critical = extension.flag();
    extension.take(OCTETS);
    extension.end();
    if (critical) throw missing(`a verifier that understands the extension ${oid} of timestamp tokens`);
  }
}
function readAlgorithm2(reader) {
  const inner = reader.inside(SEQUENCE);
  const oid = inner.oid();
  const parameters = inner.peek() === -1 ? new Uint8Array() : inner.any().whole;
  inner.end();
  return { oid, parameters: equal(parameters, Uint8Array.of(NULL, 0)) ? new Uint8Array() : parameters };
}
function hashName({ oid, parameters }) {
  const name = HASH_NAMES[oid];
  if (name === void 0 || parameters.length) throw fieldMalformed(FIELD4, "SHA-256 or stronger");
  return name;
}
function readSigner(content) {
  const outer = new DerReader(content, FIELD4);
  const reader = outer.inside(SEQUENCE);
  outer.end();
  if (reader.integer() !== 1n) throw fieldMalformed(FIELD4, "a signer named by issuer and serial number");
  const sid = reader.inside(SEQUENCE);
  const issuer = sid.take(SEQUENCE).whole;
  const serial2 = sid.integer();
  sid.end();
  const digestHash = hashName(readAlgorithm2(reader));
  const attributes = reader.take(explicit(0)).content;
  const algorithm = readAlgorithm2(reader);
  const signature = reader.take(OCTETS).content;
  reader.optional(explicit(1));
  reader.end();
  return { issuer, serial: serial2, digestHash, signedAttributes: der(SET, attributes), algorithm, signature, ...readAttributes(attributes) };
}
function readAttributes(data) {
  const reader = new DerReader(data, FIELD4);
  const found = /* @__PURE__ */ new Map();
  while (reader.peek() !== -1) {
    const attribute = reader.inside(SEQUENCE);
    const oid = attribute.oid();
    const values = attribute.take(SET).content;
    attribute.end();
    if (found.has(oid)) throw fieldMalformed(FIELD4, "each signed attribute once");
    found.set(oid, values);
  }
  requireOid(only(found, CONTENT_TYPE).oid(), TST_INFO);
  const messageDigest = only(found, MESSAGE_DIGEST).take(OCTETS).content;
  const certificateHashes = [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2].filter((oid) => found.has(oid)).map((oid) => firstHash(only(found, oid), oid));
  if (certificateHashes.length === 0) throw fieldMalformed(FIELD4, "the signer's certificate among the signed attributes");
  return { messageDigest, certificateHashes };
}
function only(attributes, oid) {
  const values = new DerReader(attributes.get(oid) ?? new Uint8Array(), `${FIELD4}.attribute ${oid}`);
  const { whole: whole2 } = values.any();
  values.end();
  return new DerReader(whole2, FIELD4);
}
function firstHash(reader, oid) {
  const first = reader.inside(SEQUENCE).inside(SEQUENCE).inside(SEQUENCE);
  if (oid === SIGNING_CERTIFICATE) return { hash: sha1, value: first.take(OCTETS).content };
  const name = first.peek() === SEQUENCE ? hashName(readAlgorithm2(first)) : "sha-256";
  return { hash: HASHES[name], value: first.take(OCTETS).content };
}
function verifyToken(token, data) {
  requireBytes("token.imprint", HASHES[token.hash](data), token.imprint);
  const signer = signerOf(token);
  requirePurpose(signer);
  requireBytes("token.message_digest", HASHES[token.digestHash](token.tstInfo), token.messageDigest);
  verifySigner(signer, token);
  return { certificate: signer, name: [...subjectText(signer)].slice(0, 256).join(""), until: signer.ends };
}
function requireBytes(field, expected, got) {
  if (!equal(expected, got)) throw fieldMismatch(field, hex(expected), hex(got));
}
function signerOf(token) {
  for (const data of token.certificates) {
    const certificate = readCertificate(data);
    subjectText(certificate);
    if (!equal(certificate.issuer, token.issuer) || certificate.serial !== token.serial) continue;
    for (const { hash, value } of token.certificateHashes) requireBytes("token.certificate", value, hash(data));
    return certificate;
  }
  throw fieldMismatch("token.certificates", "the signer's", `${token.certificates.length} others`);
}
function requirePurpose(certificate) {
  const misuse = misuseOf(extensionsOf(certificate));
  if (misuse) throw fieldMismatch("token.certificate", "for time stamping alone, and critical", misuse);
}
function extensionsOf(certificate) {
  try {
    return readExtensions(certificate.extensions);
  } catch (error) {
    if (error instanceof BridgeError) throw refusal("CertificateMalformed", { rule: "readable extensions, each once" });
    throw error;
  }
}
function misuseOf({ isAuthority, signsCertificates, signsLists, purposes: purposes2, isPurposeCritical }) {
  if (isAuthority) return "a certificate authority";
  if (signsCertificates || signsLists) return "a key that signs certificates";
  const fits = isPurposeCritical && purposes2.length === 1 && purposes2[0] === TIME_STAMPING;
  return fits ? "" : "other purposes, or not critical";
}
function verifySigner(signer, token) {
  const key = keyIn(signer);
  const { oid, parameters } = token.algorithm;
  if (parameters.length) throw missing(`a verifier that knows the parameters of signature algorithm ${oid}`);
  const rsa = { ...RSA_PKCS1, [RSA_OF_DIGEST]: token.digestHash };
  const hash = key.kind === "rsa" ? rsa[oid] : key.kind === "ec" ? (
    /** @type {Record<string, string>} */
    ECDSA[oid]
  ) : void 0;
  if (hash === void 0) throw missing(`a verifier that knows signature algorithm ${oid} with the key of this certificate`);
  if (!key.verify(token.signedAttributes, token.signature, hash)) {
    throw refusal("SignatureWrong", { signer: "timestamping authority" });
  }
}
function trustedPath(token, signer, roots) {
  const path = climb(signer, token.certificates.map(readCertificate), roots);
  const isValid = path.every(({ begins, ends }) => BigInt(begins) * SECOND <= token.generated && token.generated < (BigInt(ends) + 1n) * SECOND);
  return isValid && mayLead(path) && namesItsDigest(token) ? path : [];
}
function namesItsDigest({ version, digests, digestHash }) {
  try {
    const reader = new DerReader(digests, FIELD4);
    const names2 = [];
    while (reader.peek() !== -1) names2.push(hashName(readAlgorithm2(reader)));
    return version.length > 0 && isMinimal(version) && toBig(version) < 256n && (version[0] & 128) === 0 && names2.includes(digestHash);
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}
function climb(signer, pool, roots) {
  const path = [signer];
  for (let step = 0; step <= MAX_PATH; step++) {
    const last = path[path.length - 1];
    const root = roots.find((candidate) => isIssuedBy(last, candidate));
    if (root !== void 0) return [...path, root];
    const between2 = pool.find((candidate) => !path.some((one) => equal(one.der, candidate.der)) && isIssuedBy(last, candidate));
    if (between2 === void 0) return [];
    path.push(between2);
  }
  return [];
}
function mayLead(path) {
  if (path.length === 0) return true;
  const root = path[path.length - 1];
  if (!equal(root.issuer, root.subject)) return false;
  try {
    return path.every((certificate, depth) => {
      const found = extensionsOf(certificate);
      if (found.isUnknownCritical || depth > 0 && found.purposes.length && !found.purposes.includes(TIME_STAMPING)) return false;
      return depth === 0 || found.isAuthority && (!found.hasUsage || found.signsCertificates) && depth - 1 <= found.pathLength;
    });
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}

// signing.js
var ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
var HALF_ORDER = ORDER / 2n;
var keccak256 = (data) => keccak_256(data);
var addressOf = (point) => keccak256(point.toBytes(false).subarray(1)).slice(12);
function compressedPoint(key) {
  if (key.length !== 33 || key[0] !== 2 && key[0] !== 3) return null;
  try {
    return secp256k1.Point.fromBytes(key);
  } catch {
    return null;
  }
}
function requireSignature(signature) {
  if (asOctets(signature, "signature").length !== 65) throw fieldMalformed("signature", "65 bytes r, s, v");
  const r = toBig(signature.subarray(0, 32));
  const s = toBig(signature.subarray(32, 64));
  if (r < 1n || r >= ORDER) throw fieldMalformed("signature", "r is from 1 to the order less 1");
  if (s < 1n || s > HALF_ORDER) throw fieldMalformed("signature", "s is from 1 to half of the order");
  if (signature[64] !== 27 && signature[64] !== 28) throw fieldMalformed("signature", "v is 27 or 28");
  return signature;
}
function recoverAddress(digest, signature) {
  const strict = requireSignature(signature);
  const hash = asDigest(digest, "digest");
  try {
    const parsed = secp256k1.Signature.fromBytes(strict.subarray(0, 64), "compact");
    return addressOf(parsed.addRecoveryBit(strict[64] - 27).recoverPublicKey(hash));
  } catch {
    throw refusal("SignatureWrong", { signer: "nobody" });
  }
}

// validators.js
var MAX_VALIDATORS = 64;
var ENTRY_WIDTH = 128;
var TYPE_HASH = sha2562(utf8("HybridBridge.ValidatorSet.v1(uint64 setId,uint64 n)"));
var KEY_BINDING_WIDTH = 117;
var MAX_NAME = 4096;
function quorum(n) {
  if (n < 1 || n > MAX_VALIDATORS) throw fieldMalformed("validators", `1 to ${MAX_VALIDATORS}`);
  return Math.floor(2 * n / 3) + 1;
}
function parseName(text3) {
  if (!isWellFormed(text3)) throw fieldMalformed("json", "no lone surrogate");
  const document = parseCanonicalJson(utf8(text3), "name", MAX_NAME);
  if (isObject(document) && Object.keys(document).join(" ") === "id name") {
    const { id: id2, name } = document;
    if (typeof id2 === "string" && typeof name === "string") return [id2, name];
  }
  throw fieldMalformed("name", "an object with the texts id and name");
}
function validatorSet(setId, entries) {
  if (!(setId >= 1 && setId <= MAX_U64)) throw fieldMalformed("set_id", "1 to 2^53-1");
  const needed = quorum(entries.length);
  let before = new Uint8Array(20);
  entries.forEach((entry, index) => {
    if (entry.address.length !== 20 || compare(entry.address, before) <= 0) throw refusal("EntriesMalformed", { index });
    before = entry.address;
  });
  const words = entries.map((one) => packWords("abbb", [one.address, one.nameHash, one.certificateHash, one.keyBindingHash]));
  const digest = sha2562(concat(packWords("buu", [TYPE_HASH, setId, entries.length]), ...words));
  return { setId, entries, digest, quorum: needed };
}
function decodeEntries(setId, data) {
  const size = asOctets(data, "entries").length;
  const count2 = Math.floor(size / ENTRY_WIDTH);
  if (size % ENTRY_WIDTH || count2 > MAX_VALIDATORS) {
    throw refusal("RecordMalformed", { expected: ENTRY_WIDTH * Math.min(count2, MAX_VALIDATORS), got: size });
  }
  const words = (
    /** @type {Uint8Array[]} */
    unpackWords("abbb".repeat(count2), data)
  );
  const entries = Array.from({ length: count2 }, (_, i) => {
    const [address, nameHash, certificateHash, keyBindingHash] = words.slice(4 * i, 4 * i + 4);
    return { address, nameHash, certificateHash, keyBindingHash };
  });
  return validatorSet(setId, entries);
}
function decodeKeyBinding(data) {
  const reader = new Reader(asOctets(data, "key_binding").slice(0, KEY_BINDING_WIDTH));
  if (reader.u8("version") !== 1) throw fieldMalformed("key_binding.version", "1");
  const binding = {
    originHash: reader.b32("origin_hash"),
    certificateHash: reader.b32("certificate_hash"),
    address: reader.fixed(20, "address"),
    mldsaKeyHash: reader.b32("mldsa_key_hash")
  };
  const tail = new Reader(data.slice(KEY_BINDING_WIDTH));
  const signed = readSignature(tail);
  tail.end("key_binding");
  const message2 = concat(context("key-binding"), data.slice(0, KEY_BINDING_WIDTH));
  return { ...binding, ...signed, message: message2, digest: sha2562(message2) };
}
function verifyKeyBinding(binding, key) {
  requireKeyScheme(key, binding.scheme);
  verifySignature(key, binding.message, binding.signature);
}

// governance.js
var SET_UPDATE = new WordRecord(
  "HybridBridge.SetUpdate.v1(bytes32 logId,uint64 setId,bytes32 previousSetHash,bytes32 setHash,uint64 effectiveFromSize,bytes32 decoyKeyHash,bytes32 replaces,bytes32 reasonHash,uint64 n)"
);
var MEMBER_UPDATE = new WordRecord(
  "HybridBridge.MemberUpdate.v1(bytes32 logId,uint64 action,bytes32 nameHash,bytes32 certificateHash,bytes32 keyId,uint64 roles,uint64 fromEpoch,bytes32 cardHash,bytes32 replaces,bytes32 reasonHash)"
);
var NOTICE = new WordRecord(
  "HybridBridge.Notice.v1(bytes32 logId,uint64 noticeType,uint64 source,uint64 time,uint64 until,bytes32 entryLeaf,bytes32 subjectHash,bytes32 detailHash)"
);
var CONSENSUS_KEY = new WordRecord(
  "HybridBridge.ConsensusKey.v1(bytes32 logId,bytes32 keyId,uint64 keyPrefix,bytes32 keyX,bytes32 replaces,bytes32 possessionR,bytes32 possessionS,bytes32 reasonHash)"
);
var ACTIONS = [
  // from 1
  "member added",
  "member removed",
  "certificate or card replaced",
  "member suspended",
  "member reinstated"
];
var MAX_ROLES = 31;
var OWN_RECORD = 1;
var PLATFORM = 2;
var NOTICE_NAMES = [
  "brake on",
  "brake off",
  "code or contract upgrade",
  "administrator change",
  "freeze",
  "lift",
  "erasure",
  "redaction observed",
  "trust root change",
  "algorithm change",
  "archive or prune",
  "outage",
  "fork or rollback observed",
  "other power used",
  "policy or rule pack",
  "label table",
  "object reassigned",
  "succeeded by another log"
];
function decodeSetUpdate(data) {
  if (data.length < SET_UPDATE.width) throw refusal("RecordMalformed", { expected: SET_UPDATE.width, got: data.length });
  const words = SET_UPDATE.decode(data.slice(0, SET_UPDATE.width));
  const expected = SET_UPDATE.width + words.n * ENTRY_WIDTH;
  if (data.length !== expected) throw refusal("RecordMalformed", { expected, got: data.length });
  SET_UPDATE.require(words.setId >= 2, "setId");
  const validators = decodeEntries(words.setId, data.slice(SET_UPDATE.width));
  SET_UPDATE.require(words.effectiveFromSize >= 3, "effectiveFromSize");
  if (!equal(words.setHash, validators.digest)) {
    throw refusal("SetMismatch", { expected: words.setHash, calculated: validators.digest });
  }
  return { type: "SetUpdate", ...words, validators };
}
function decodeMemberUpdate(data) {
  const words = MEMBER_UPDATE.decode(data);
  MEMBER_UPDATE.require(words.action >= 1 && words.action <= ACTIONS.length, "action");
  MEMBER_UPDATE.require(words.roles <= MAX_ROLES, "roles");
  return { type: "MemberUpdate", ...words };
}
function decodeNotice(data) {
  const words = NOTICE.decode(data);
  NOTICE.require(words.noticeType >= 1 && words.noticeType <= NOTICE_NAMES.length, "noticeType");
  NOTICE.require(words.source === OWN_RECORD || words.source === PLATFORM, "source");
  return { type: "Notice", ...words };
}
function decodeConsensusKey(data) {
  const words = CONSENSUS_KEY.decode(data);
  CONSENSUS_KEY.require(words.keyPrefix === 2 || words.keyPrefix === 3, "keyPrefix");
  const key = concat(Uint8Array.of(words.keyPrefix), words.keyX);
  CONSENSUS_KEY.require(compressedPoint(key) !== null, "keyX");
  return { type: "ConsensusKey", ...words, key, encoded: data };
}
var DECODERS = /* @__PURE__ */ new Map([
  [hex(SET_UPDATE.hash), decodeSetUpdate],
  [hex(MEMBER_UPDATE.hash), decodeMemberUpdate],
  [hex(NOTICE.hash), decodeNotice],
  [hex(CONSENSUS_KEY.hash), decodeConsensusKey]
]);
function decodeGovernance(data) {
  const decode2 = DECODERS.get(hex(asOctets(data, "governance").subarray(0, 32)));
  if (decode2 === void 0) throw refusal("WordMalformed", { index: 0 });
  return decode2(data);
}
function verifySuccession(update, current, epoch) {
  requireSame("set_update.set_id", current.setId + 1, update.setId);
  requireSame("set_update.previous_set_hash", hex(current.digest), hex(update.previousSetHash));
  if (update.effectiveFromSize < epoch + 2) {
    throw fieldMismatch("set_update.effective_from_size", `>= ${epoch + 2}`, update.effectiveFromSize);
  }
}

// proof.js
var MAX_INCLUSION_PATH = 53;
var LEAF_TAG = Uint8Array.of(0);
var NODE_TAG = Uint8Array.of(1);
var leafHash = (data) => sha2562(concat(LEAF_TAG, asOctets(data, "data")));
var nodeHash = (left, right) => sha2562(concat(NODE_TAG, asDigest(left, "left"), asDigest(right, "right")));
function inclusionLength(index, size) {
  requireSizes(asInteger(size, "size"), size);
  if (asInteger(index, "index") < 0 || index >= size) throw refusal("IndexBeyondSize", { index, size });
  const inner = innerLength(index, size);
  return inner + bitCount(BigInt(index) >> BigInt(inner));
}
var innerLength = (index, size) => bitLength(BigInt(index) ^ BigInt(size - 1));
function inclusionRoot(leaf, index, size, path) {
  const siblings = requirePath(path, inclusionLength(index, size));
  const inner = innerLength(index, size);
  const bits2 = BigInt(index);
  let value = asDigest(leaf, "leaf_hash");
  siblings.forEach((sibling, k) => {
    const isRight = k >= inner || bits2 >> BigInt(k) & 1n;
    value = isRight ? nodeHash(sibling, value) : nodeHash(value, sibling);
  });
  return value;
}
function verifyInclusion(leaf, index, size, path, root) {
  const expected = asDigest(root, "root");
  requireRoot(expected, inclusionRoot(leaf, index, size, path));
}
function consistencyLength(oldSize, newSize) {
  requireSizes(asInteger(oldSize, "old_size"), asInteger(newSize, "new_size"));
  if (oldSize === newSize) return 0;
  const { shift, inner, border } = consistencyShape(oldSize, newSize);
  return inner + border + (BigInt(oldSize) === 1n << BigInt(shift) ? 0 : 1);
}
function consistencyShape(oldSize, newSize) {
  const old = BigInt(oldSize);
  const shift = bitLength(old & -old) - 1;
  const inner = bitLength(old - 1n ^ BigInt(newSize - 1)) - shift;
  return { shift, inner, border: bitCount(old - 1n >> BigInt(inner + shift)) };
}
function consistencyRoots(oldSize, newSize, path, oldRoot) {
  const siblings = [...requirePath(path, consistencyLength(oldSize, newSize))];
  let seed = asDigest(oldRoot, "old_root");
  if (oldSize === newSize) return [seed, seed];
  const { shift, inner } = consistencyShape(oldSize, newSize);
  if (BigInt(oldSize) !== 1n << BigInt(shift)) seed = /** @type {Uint8Array} */
  siblings.shift();
  let older = seed;
  let newer = seed;
  const position = BigInt(oldSize - 1) >> BigInt(shift);
  siblings.forEach((sibling, k) => {
    if (k >= inner || position >> BigInt(k) & 1n) {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
    } else newer = nodeHash(newer, sibling);
  });
  return [older, newer];
}
function verifyConsistency(oldSize, newSize, path, oldRoot, newRoot) {
  const expectedOld = asDigest(oldRoot, "old_root");
  const expectedNew = asDigest(newRoot, "new_root");
  const [older, newer] = consistencyRoots(oldSize, newSize, path, expectedOld);
  requireRoot(expectedOld, older);
  requireRoot(expectedNew, newer);
}
function requireRoot(expected, calculated) {
  if (!equal(expected, calculated)) throw refusal("RootMismatch", { expected, calculated });
}
function requirePath(path, expected) {
  if (!Array.isArray(path)) throw fieldMalformed("path", "a sequence");
  if (path.length !== expected) throw refusal("PathLength", { expected, got: path.length });
  return path.map((sibling) => asDigest(sibling, "path"));
}
function requireSizes(older, newer) {
  if (!(older >= 1 && older <= newer && newer <= MAX_U64)) throw refusal("SizeOrder", { older, newer });
}

// disclosure.js
var SCHEMA = "_schema";
var ORIGIN = "_origin";
var RESERVED = /* @__PURE__ */ new Set([SCHEMA, ORIGIN, "_chain", "_label"]);
var MAX_DISCLOSURE = 8192;
var SALT_BYTES = 32;
var MAX_NAME2 = 64;
var NAME2 = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/;
var RESERVED_HALF = /* @__PURE__ */ new Map([[SCHEMA, "claim"], [ORIGIN, "claim"], ["_chain", "private"]]);
function parseDisclosure(text3) {
  if (typeof text3 !== "string") throw fieldMalformed("disclosure", "a text");
  if (characters(text3) > MAX_DISCLOSURE) throw tooLong("disclosure", MAX_DISCLOSURE, characters(text3));
  const parts = parseCanonicalJson(parseB64u(text3, "disclosure"), "disclosure", MAX_DISCLOSURE);
  if (!Array.isArray(parts) || parts.length !== 3) throw fieldMalformed("disclosure", "an array of salt, name and value");
  const [salt, name, value] = parts;
  if (typeof salt !== "string" || typeof name !== "string") throw fieldMalformed("disclosure", "salt and name are strings");
  if (Array.isArray(value) || isObject(value)) throw fieldMalformed("disclosure", "no array or object as a value");
  return disclosure(parseB64u(salt, "salt"), name, value);
}
function disclosure(salt, name, value) {
  if (salt.length !== SALT_BYTES) throw fieldMalformed("salt", `exactly ${SALT_BYTES} bytes`);
  if (characters(name) > MAX_NAME2 || !(RESERVED.has(name) || NAME2.test(name))) {
    throw fieldMalformed("name", "[a-z][a-z0-9_]*(.[a-z0-9_]+)*, at most 64 characters, or defined");
  }
  const text3 = b64u(canonicalJson([b64u(salt), name, value]));
  if (text3.length > MAX_DISCLOSURE) throw tooLong(name, MAX_DISCLOSURE, text3.length);
  return { salt, name, value, text: text3, digest: disclosureDigest(text3) };
}
function disclosureDigest(text3) {
  if (!isAscii(text3)) throw fieldMalformed("disclosure", "ASCII");
  return sha2562(utf8(text3));
}
function requireHalf(name, half) {
  const expected = RESERVED_HALF.get(name) ?? half;
  if (expected !== half) throw fieldMismatch(name, expected, half);
}
function requireOnce(names2) {
  for (const [name, following] of pairwise([...names2].sort(compareText))) {
    if (name === following) throw fieldMalformed(name, "once in a record");
  }
}
var halfOf = (isClaim) => isClaim ? "claim" : "private";

// entry.js
var ENTRY_BYTES = 37;
var MAX_WIDTH = 1024;
var MIN_WIDTH = 8;
var MAX_RECORD_TYPE = 65534;
var DECOY = 0;
var RECORD = 1;
var REFUSAL = 2;
function decodeEntry(data) {
  const reader = new Reader(data);
  const kind = reader.u8("entry.kind");
  const [recordType, width] = [reader.u16("entry.record_type"), reader.u16("entry.width")];
  const body = reader.b32("entry.body");
  reader.end("entry");
  if (kind === RECORD) {
    if (recordType < 1 || recordType > MAX_RECORD_TYPE) throw refusal("EntryMalformed", { offset: 1 });
    requireWidth(width);
  } else {
    if (kind !== REFUSAL && kind !== DECOY) throw refusal("EntryMalformed", { offset: 0 });
    if (recordType !== 0) throw refusal("EntryMalformed", { offset: 1 });
    if (width !== 0) throw refusal("EntryMalformed", { offset: 3 });
  }
  return { kind, recordType, width, body };
}
function decodeRecordEntry(data) {
  const { kind, recordType, width, body } = decodeEntry(data);
  if (kind !== RECORD) throw refusal("EntryMalformed", { offset: 0 });
  return { recordType, width, fieldRoot: body };
}
var refusalEntry = (transactionId) => concat(fromUint(REFUSAL, 1), new Uint8Array(4), transactionId);
function requireWidth(width) {
  if (bitCount(width) !== 1 || width < MIN_WIDTH || width > MAX_WIDTH) throw refusal("EntryMalformed", { offset: 3 });
  return width;
}

// field-tree.js
var MAX_HALF = MAX_WIDTH / 2;
function requireClaims(claims) {
  requireOnce(claims.map((claim) => claim.name));
  for (const claim of claims) requireHalf(claim.name, "claim");
  for (const name of [SCHEMA, ORIGIN]) {
    if (!claims.some((claim) => claim.name === name && typeof claim.value === "string")) {
      throw fieldMalformed(name, "a claim of every record, a string");
    }
  }
}
function rebuildRoot(claimTexts, privateRoot, width) {
  return nodeHash(fold(leftHalf(claimTexts.map(disclosureDigest), requireWidth(width))), privateRoot);
}
function rootOfDigests(claims, right) {
  const left = leftHalf(claims, requireWidth(2 * right.length));
  requireAscending(right, "private");
  return fold([...left, ...right]);
}
function requireAscending(items, name) {
  if (!isAscending(items)) throw fieldMalformed(name, "strictly ascending");
}
function leftHalf(digests, width) {
  const half = width / 2;
  if (digests.length > half) throw tooLong("claims", half, digests.length);
  requireAscending(digests, "claims");
  return [...digests, ...Array(half - digests.length).fill(ZERO)];
}
function fold(leaves) {
  let level2 = leaves.map(leafHash);
  while (level2.length > 1) level2 = level2.filter((_, i) => i % 2 === 0).map((left, i) => nodeHash(left, level2[2 * i + 1]));
  return level2[0];
}

// transaction.js
var RECORD2 = 1;
var GOVERNANCE2 = 2;
var BEACON = 3;
var MAX_BODY = 65536;
var MAX_OPS = 16;
var MAX_GOVERNANCE = 8;
var MAX_AUTHORISERS = 64;
var MAX_SIGNED = MAX_BODY + 1 + (1 + MAX_AUTHORISERS) * (2 + 1 + MAX_SPKI + SIGNATURE_BYTES);
function decodeTransaction(data) {
  data = asOctets(data, "transaction");
  if (data.length > MAX_SIGNED) throw tooLong("transaction", MAX_SIGNED, data.length);
  const reader = new Reader(data);
  const body = readBody(reader, data);
  const count2 = reader.count(1, "signatures", 1 + MAX_AUTHORISERS);
  const signatures = [];
  for (let i = 0; i < count2; i++) signatures.push(readPart(reader));
  if (count2 !== 1 + body.authorisers.length) {
    throw fieldMalformed("signatures", "the submitter's, then one for each authoriser");
  }
  reader.end("transaction");
  return { body, signatures };
}
function readPart(reader) {
  const [scheme, spki] = [reader.u16("scheme"), reader.opaque(1, "spki", MAX_SPKI)];
  return { scheme, spki, signature: reader.fixed(SIGNATURE_BYTES, "signature") };
}
function readBody(reader, data) {
  if (reader.u8("version") !== 1) throw fieldMalformed("version", "1");
  const kind = reader.u8("kind");
  const [logId, submitter] = [reader.b32("log_id"), reader.b32("submitter")];
  const [sequence, expiresEpoch] = [reader.u64("sequence"), reader.u64("expires_epoch")];
  const from = reader.position;
  const count2 = reader.count(1, "authorisers", MAX_AUTHORISERS);
  const authorisers = Array.from({ length: count2 }, () => reader.b32("authoriser"));
  const payload = readPayload(reader, kind);
  requireAscending(authorisers, "authorisers");
  if (reader.position > MAX_BODY) throw tooLong("body", MAX_BODY, reader.position);
  const encoded = data.slice(0, reader.position);
  const message2 = concat(context("transaction"), encoded);
  const fields = { kind, logId, submitter, sequence, expiresEpoch, authorisers };
  return { ...fields, ...payload, encoded, consented: data.slice(from, reader.position), message: message2, transactionId: sha2562(message2) };
}
function readPayload(reader, kind) {
  const nothing2 = { entry: null, privateRoot: new Uint8Array(), claims: [], ops: [] };
  if (kind === RECORD2) return readRecord(reader);
  if (kind === GOVERNANCE2) readDecision(reader);
  else if (kind === BEACON) {
    reader.u64("chain_id");
    reader.u64("number");
    reader.b32("hash");
  } else throw fieldMalformed("kind", "1 record, 2 governance, 3 beacon");
  return nothing2;
}
function readDecision(reader) {
  const count2 = reader.count(1, "records", MAX_GOVERNANCE);
  if (count2 === 0) throw fieldMalformed("records", "at least one");
  for (let left = count2; left > 0; left--) reader.opaque(2, "record", MAX_BODY);
}
function readRecord(reader) {
  const [entry, privateRoot] = [reader.fixed(ENTRY_BYTES, "entry"), reader.b32("private_root")];
  const claims = [];
  for (let left = reader.count(2, "claims", MAX_HALF); left > 0; left--) claims.push(readClaim(reader));
  const ops = [];
  for (let left = reader.count(1, "ops", MAX_OPS); left > 0; left--) ops.push(readOp(reader));
  decodeRecordEntry(entry);
  requireAscending(ops.map((op) => new Writer().u16(op.labelType, "label_type").b32(op.index, "index").bytes()), "ops");
  return { entry, privateRoot, claims, ops };
}
function readClaim(reader) {
  const text3 = latin1(reader.opaque(2, "claim", MAX_DISCLOSURE));
  if (!isAscii(text3)) throw fieldMalformed("claim", "ASCII");
  return text3;
}
function readOp(reader) {
  const [op, labelType, version] = [reader.u8("op"), reader.u16("label_type"), reader.u32("version")];
  const [index, commitment2] = [reader.b32("index"), reader.b32("commitment")];
  if (op !== 1) throw fieldMalformed("op", "1, insert identity label");
  if (labelType < 2) throw fieldMalformed("label_type", "at least 2; life labels are derived");
  if (version !== 0) throw fieldMalformed("version", "0 for an identity label");
  return { labelType, index, commitment: commitment2 };
}
function claimsOf(body) {
  const claims = body.claims.map(parseDisclosure);
  if (body.entry !== null) requireClaims(claims);
  return new Map(claims.map((claim) => [claim.name, claim]));
}
function verifyStateless({ body, signatures }, logId) {
  if (!equal(body.logId, logId)) throw fieldMismatch("log_id", hex(logId), hex(body.logId));
  const keys = signatures.map((part) => publicKey(part.scheme, part.spki));
  [body.submitter, ...body.authorisers].forEach((named3, i) => {
    if (!equal(keys[i].keyId, named3)) throw fieldMismatch("signer", keyIdText(named3), keyIdText(keys[i].keyId));
  });
  verifyRecord(body);
  const consent = consentOf(body);
  keys.forEach((key, i) => verifySignature(key, i === 0 ? body.message : consent, signatures[i].signature));
}
var consentOf = (body) => new Writer(context("authorisation")).u8(body.kind, "kind").b32(body.logId, "log_id").u64(body.expiresEpoch, "expires_epoch").fixed(body.consented, body.consented.length, "consented").bytes();
function verifyRecord(body) {
  if (body.entry === null) return;
  const entry = decodeRecordEntry(body.entry);
  const origin = claimsOf(body).get(ORIGIN)?.value;
  const submitter = keyIdText(body.submitter);
  if (origin !== submitter) throw fieldMismatch(ORIGIN, submitter, String(origin).slice(0, 64));
  requireRoot(entry.fieldRoot, rebuildRoot(body.claims, body.privateRoot, entry.width));
}

// labels.js
var LIFE = 1;
var E_INVOICE = 2;
var CREDITOR_INVOICE = 3;
var CREDITOR_INVOICE_LOOSE = 4;
var INVOICE_TERMS = 5;
var TABLE_VERSION = "1";
var MAX_PART = 512;
var MAX_VALUE = 8192;
var COMMITMENT_KEY = utf8("hybrid-bridge/v1/registry-commitment");
var each2 = (...normalisers) => (...parts) => parts.map((part, i) => normalisers[i](part));
var by = (form2) => (text3) => normalise(form2, text3);
function eInvoice(jurisdiction, number2) {
  const where = normalise(JURISDICTION, jurisdiction);
  return [where, normalise(where === "CN" ? CN_EINV : UUID, number2)];
}
function declaration(jurisdiction, number2) {
  const where = normalise(JURISDICTION, jurisdiction);
  if (where !== "CN") throw fieldMalformed("jurisdiction", "CN; no other declaration number has a form yet");
  return [where, normalise(CN_DECL, number2)];
}
var receipt = (bank, reference) => bank === "UETR" ? [bank, normalise(UUID, reference)] : [partyId(bank), normalise(INV_NO, reference)];
function serial(item2) {
  const all = [...item2];
  return [sgtin(all.slice(0, 14).join(""), all.slice(14).join(""))];
}
var row = (name, kind, parts, normalise2) => ({ name, kind, parts, normalise: normalise2 });
var TABLE2 = [
  row("", "", [], each2()),
  row("life", "life", ["object type", "object id"], each2(by(OBJECT_TYPE), by(OBJECT_ID))),
  row("e-invoice", "hard", ["jurisdiction", "cn-einv | uuid"], eInvoice),
  row("creditor's invoice", "hard", ["party", "inv-no"], each2(partyId, by(INV_NO))),
  row("creditor's invoice", "soft", ["party", "inv-no loose", "ordinal"], each2(partyId, invNoLoose, by(ORDINAL))),
  row(
    "invoice terms",
    "soft",
    ["party", "ccy", "amount", "date", "ordinal"],
    each2(partyId, by(CCY), by(AMOUNT), by(DATE), by(ORDINAL))
  ),
  row("customs declaration", "hard", ["jurisdiction", "cn-decl"], declaration),
  row("transport document", "hard", ["carrier", "ebl"], ebl),
  row("payment receipt", "hard", ["UETR | party", "uuid | inv-no"], receipt),
  row(
    "exporter's invoice",
    "soft",
    ["usci", "inv-no loose", "ccy", "amount", "ordinal"],
    each2(by(USCI), invNoLoose, by(CCY), by(AMOUNT), by(ORDINAL))
  ),
  row("return", "hard", ["party", "name", "period"], each2(partyId, by(NAME), by(PERIOD))),
  row("evidence manifest", "hard", ["sha-256"], each2(by(SHA256))),
  row("public filing", "hard", ["name", "inv-no"], each2(by(NAME), by(INV_NO))),
  row("serial", "hard", ["sgtin"], serial),
  row("lot", "hard", ["gtin", "lot"], each2(gtin, by(LOT)))
];
function labelTableHash() {
  const forms = Object.fromEntries(FORMS.map((f) => [f.name, { case: f.case, check: f.check, code: f.code, pattern: f.pattern }]));
  const types = TABLE2.slice(1).map(({ kind, name, parts }, i) => [String(i + 1), { kind, name, parts }]);
  return sha2562(canonicalJson({ forms, types: Object.fromEntries(types), version: TABLE_VERSION }));
}
function decodeLabel(data) {
  const reader = new Reader(data);
  const [type, count2] = [reader.u16("label.type"), reader.u8("label.parts")];
  const parts = [];
  for (let i = 0; i < count2; i++) {
    const part = utf8Text(reader.opaque(2, "label.part", MAX_PART));
    if (part === null) throw notCanonical("label.part");
    parts.push(part);
  }
  reader.end("label");
  const label = normalised(type, ...parts);
  if (label.parts.some((part, i) => part !== parts[i])) throw notCanonical("label.parts");
  return label;
}
function normalised(type, ...parts) {
  if (!(type >= 1 && type < TABLE2.length)) throw fieldMalformed("label.type", `1 to ${TABLE2.length - 1}`);
  const { parts: names2, normalise: normalise2 } = TABLE2[type];
  if (parts.length !== names2.length) throw fieldMalformed("label.parts", names2.join(", "));
  const spelt = normalise2(...parts);
  const writer = new Writer().u16(type, "label.type").u8(spelt.length, "label.parts");
  for (const part of spelt) writer.opaque(utf8(part), 2, "label.part");
  const encoded = writer.bytes();
  return { type, parts: spelt, encoded, key: hex(encoded) };
}
var describeLabel = (label) => `${TABLE2[label.type].name} ${label.parts.join(" ")}`;
function alpha(logId, label, version) {
  if (version !== 0 && label.type !== LIFE) throw fieldMalformed("label.version", "0 for an identity label");
  return concat(context("label"), logId, label.encoded, new Writer().u32(version, "label.version").bytes());
}
function commitment(opening, logId, label, version, value) {
  const writer = new Writer().b32(opening, "opening").b32(logId, "log_id").opaque(label.encoded, 2, "label");
  writer.u32(version, "label.version").opaque(value, 2, "value");
  return hmac(sha256, COMMITMENT_KEY, writer.bytes());
}
function decodeIdentityValue(data) {
  const [entry, objectId, table] = members(data, ["entry", "object", "table"]);
  const entryLeaf = parseB64u(text2(entry), "entry");
  text2(objectId);
  text2(table);
  if (entryLeaf.length !== 32) throw refusal("DigestLength", { field: "entry", got: entryLeaf.length });
  if (!/^[0-9a-f]{32}$/.test(objectId)) throw fieldMalformed("object", "32 hex digits, lower case");
  return { kind: "identity", entryLeaf, objectId };
}
function decodeLifeValue(data) {
  const [code, entry, state] = members(data, ["code", "entry", "state"]);
  if (!isObject(state)) throw fieldMalformed("value", "state is an object");
  text2(code);
  const entryLeaf = parseB64u(text2(entry), "entry");
  if (entryLeaf.length !== 32) throw refusal("DigestLength", { field: "entry", got: entryLeaf.length });
  if (!/^0x[0-9a-f]{4}$/.test(code)) throw fieldMalformed("code", "0x and four hex digits, lower case");
  return { kind: "life", code, entryLeaf, state };
}
var eventCode = (recordType) => `0x${recordType.toString(16).padStart(4, "0")}`;
function members(data, names2) {
  const value = parseCanonicalJson(data, "value", MAX_VALUE);
  if (!isObject(value) || Object.keys(value).join(" ") !== names2.join(" ")) {
    throw fieldMalformed("value", `an object of ${names2.join(", ")}`);
  }
  return names2.map((name) => value[name]);
}
function text2(value) {
  if (typeof value !== "string") throw fieldMalformed("value", "texts, save the state");
  return value;
}

// business/scopes.js
var [ON_NOTICE, OFF_NOTICE, FREEZE_NOTICE, LIFT_NOTICE] = [1, 2, 5, 6];
var NOTICES = /* @__PURE__ */ new Map([[17, FREEZE_NOTICE], [18, LIFT_NOTICE], [19, ON_NOTICE], [20, OFF_NOTICE]]);
var PASSING = /* @__PURE__ */ new Set([...NOTICES.keys(), 270]);
var ALL = "ALL";
var typeScope = (recordType) => `TYPE:${eventCode(recordType)}`;
var memberScope = (key) => `MEMBER:${key}`;
var scopesOf = (recordType, keys) => PASSING.has(recordType) ? [] : [ALL, typeScope(recordType), ...keys.map(memberScope)];
var isScope = (text3) => text3 === ALL || /^TYPE:0x[0-9a-f]{4}$/.test(text3) || text3.startsWith("MEMBER:") && isDigest(text3.slice(7));
function isDigest(text3) {
  try {
    return parseB64u(text3, "key").length === 32;
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}

// business/schema.js
var EVENT_TIME = "event_time";
var ASSET_REGISTER = 257;
var ASSET_CONFIRM = 258;
var NOTE_ISSUE = 261;
var NOTE_SPLIT = 264;
var FIN_FINANCE = 266;
var FIN_REFINANCE = 268;
var CURRENCIES = new Set(
  "AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR ILS INR JPY KRW KWD MOP MXN MYR NOK NZD PHP PLN RUB SAR SEK SGD THB TRY TWD USD VND ZAR".split(" ")
);
var HOLDS = {
  flag: (value) => typeof value === "boolean",
  time: (value) => typeof value === "number" && value >= 0 && value <= MAX_U64,
  count: (value) => typeof value === "number" && value >= 0 && value <= MAX_U64,
  bps: (value) => typeof value === "number" && value >= 0 && value <= 1e4,
  amount: (value) => typeof value === "string" && /^(0|[1-9][0-9]{0,17})$/.test(value),
  ccy: (value) => CURRENCIES.has(value),
  id16: (value) => typeof value === "string" && /^[0-9a-f]{32}$/.test(value),
  date: (value) => typeof value === "string" && isDate(value),
  scope: (value) => typeof value === "string" && isScope(value),
  key: (value) => typeof value === "string" && isDigest(value),
  digest: (value) => typeof value === "string" && isDigest(value),
  text: (value) => typeof value === "string"
};
function requireKind(kind, value, where) {
  const holds2 = typeof kind === "string" ? HOLDS[kind](value) : kind.includes(value);
  if (!holds2) throw fieldMalformed(where, typeof kind === "string" ? `a value of type ${kind}` : `one of ${kind.join(", ")}`);
}
var FREEZE_REASONS = ["COURT_ORDER", "REGULATOR_ORDER", "INVESTIGATION", "OTHER"];
var FREEZE_RELEASES = ["ORDER_EXPIRED", "ORDER_REVOKED", "SETTLED", "OTHER"];
var BRAKE_REASONS = ["KEY_COMPROMISE", "SOFTWARE_FAULT", "LEGAL_ORDER", "OTHER"];
var BRAKE_RELEASES = ["RESOLVED", "ORDER_REVOKED", "MISTAKE", "OTHER"];
var ERASURE_CODES = ["REQUEST", "RETENTION", "LEGAL_ORDER", "OTHER"];
var RELEASE_CODES = ["REPAID", "WITHDRAWN", "RESERVATION_DROPPED", "OTHER"];
var ALWAYS_PRIVATE = {
  party_cert: "text",
  "doc.k.name": "text",
  "doc.k.media": "text",
  "doc.k.size": "count",
  "doc.k.sha256": "digest",
  "doc.k.sm3": "digest"
};
var FINANCING = {
  bank: "text",
  advance: "amount",
  rate: "bps",
  advance_rate: "bps",
  registry_number: "text",
  registry_time: "time",
  account: "text",
  payment_reference: "text"
};
var FREEZE = { order: "id16", "object.k": "id16" };
var AUTHORITY = { authority: "text", case_number: "text" };
var REASON = { reason: "text" };
var schema = (recordType, name, claims, secrets = {}, repeats = {}) => ({
  name: `${name}/1`,
  recordType,
  claims: { ...claims, [EVENT_TIME]: "time" },
  secrets: { ...secrets, ...ALWAYS_PRIVATE },
  repeats
});
var SCHEMAS = new Map([
  schema(17, "freeze.order", { ...FREEZE, reason_code: FREEZE_REASONS, escrow: "flag", until_epoch: "count" }, AUTHORITY, { object: 50 }),
  schema(18, "freeze.lift", { ...FREEZE, reason_code: FREEZE_RELEASES, escrow: "flag" }, AUTHORITY, { object: 50 }),
  schema(19, "brake.on", { scope: "scope", reason_code: BRAKE_REASONS, until_epoch: "count" }, REASON),
  schema(20, "brake.off", { scope: "scope", reason_code: BRAKE_RELEASES }, REASON),
  schema(24, "erasure.notice", { "entry.k": "digest", reason_code: ERASURE_CODES }, {}, { entry: 50 }),
  schema(
    ASSET_REGISTER,
    "asset.register",
    { object: "id16", debtor: "key", ccy: "ccy", gross: "amount", creditor_key: "key" },
    {
      seller: "text",
      buyer: "text",
      cn_einv: "text",
      einv_uuid: "text",
      jurisdiction: "text",
      inv_no: "text",
      issue_date: "date",
      net: "amount",
      tax: "amount"
    }
  ),
  schema(
    ASSET_CONFIRM,
    "asset.confirm",
    { object: "id16", gross: "amount", ccy: "ccy", distinct: "flag" },
    { order_number: "text", receipt_number: "text", contract_number: "text", acceptance_date: "date" }
  ),
  schema(259, "asset.amend", { object: "id16", gross: "amount" }, REASON),
  schema(260, "asset.cancel", { object: "id16" }, REASON),
  schema(
    NOTE_ISSUE,
    "note.issue",
    {
      note: "id16",
      debtor: "key",
      ccy: "ccy",
      face: "amount",
      issue_date: "date",
      due_date: "date",
      payee_key: "key",
      "back.k.object": "id16",
      "back.k.allot": "amount"
    },
    { payee: "text", contract_number: "text", account: "text" },
    { back: 16 }
  ),
  schema(262, "note.accept", { note: "id16" }),
  schema(263, "note.decline", { note: "id16" }, REASON),
  schema(
    NOTE_SPLIT,
    "note.split",
    { note: "id16", "child.k.note": "id16", "child.k.face": "amount", "child.k.payee_key": "key" },
    { "child.k.payee": "text", "child.k.trade_document": "text" },
    { child: 100 }
  ),
  schema(269, "note.pay", { note: "id16", paid: "amount" }, { payment_reference: "text" }),
  schema(270, "note.pay_ack", { note: "id16", paid: "amount" }, { payment_reference: "text" }),
  schema(271, "note.default", { note: "id16", amount: "amount" }, REASON),
  schema(272, "note.recourse", { note: "id16", amount: "amount" }, REASON),
  schema(273, "note.writeoff", { note: "id16", amount: "amount" }, REASON),
  schema(
    274,
    "debtor.totals",
    {
      debtor: "key",
      period: "count",
      ccy: "ccy",
      issued: "amount",
      open: "amount",
      paid: "amount",
      written_off: "amount",
      cancelled: "amount"
    }
  ),
  schema(
    265,
    "fin.reserve",
    { "note.k": "id16", fin_key: "key", ttl_epochs: "count" },
    { bank: "text", application: "text" },
    { note: 200 }
  ),
  schema(FIN_FINANCE, "fin.finance", { "note.k": "id16", fin_key: "key", check_epoch: "count" }, FINANCING, { note: 200 }),
  schema(267, "fin.release", { "note.k": "id16", reason_code: RELEASE_CODES }, FINANCING, { note: 200 }),
  schema(FIN_REFINANCE, "fin.refinance", { "note.k": "id16", new_fin_key: "key", check_epoch: "count" }, FINANCING, { note: 200 })
].map((one) => [one.name, one]));
var BY_TYPE = new Map([...SCHEMAS.values()].map((one) => [one.recordType, one]));
var RECORD_TYPES = new Set(BY_TYPE.keys());
function findField(schema2, name) {
  for (
    const [half, table] of
    /** @type {[string, Record<string, FieldType>][]} */
    [["claim", schema2.claims], ["private", schema2.secrets]]
  ) {
    for (const [pattern, kind] of Object.entries(table)) {
      if (matches(pattern, name)) {
        requireRow(schema2, name);
        return { half, kind };
      }
    }
  }
  throw fieldMalformed(name, `a field of ${schema2.name}`);
}
function matches(pattern, name) {
  const [wanted, got] = [pattern.split("."), name.split(".")];
  return wanted.length === got.length && wanted.every((part, i) => part === "k" ? /^(0|[1-9][0-9]{0,3})$/.test(got[i]) : part === got[i]);
}
function requireRow(schema2, name) {
  const [group, row2] = name.split(".");
  const most = schema2.repeats[group];
  if (most !== void 0 && Number(row2) >= most) throw fieldMalformed(name, `a row below ${most}`);
}
function requireTypedClaims(body, entry) {
  const schema2 = BY_TYPE.get(decodeRecordEntry(entry).recordType);
  if (schema2 === void 0) throw fieldMalformed("record_type", "a record type of the schema table");
  const claims = claimsOf(body);
  if (claims.get(SCHEMA)?.value !== schema2.name) throw fieldMalformed(SCHEMA, `${schema2.name}, as the record type says`);
  const values = new Map([...claims].filter(([name]) => !RESERVED.has(name)).map(([name, claim]) => [name, claim.value]));
  const rows = Object.fromEntries(Object.keys(schema2.repeats).map((group) => [group, rowCount(group, [...values.keys()])]));
  for (const [group, most] of Object.entries(schema2.repeats)) {
    if (rows[group] < 1 || rows[group] > most) throw fieldMalformed(group, `1 to ${most} rows`);
  }
  const expected = new Map(Object.entries(schema2.claims).flatMap(([pattern, kind]) => expand(pattern, rows).map((name) => [name, kind])));
  const [stranger] = [...values.keys()].filter((name) => !expected.has(name)).sort();
  if (stranger !== void 0) throw fieldMalformed(stranger, `a claim of ${schema2.name}, in its row`);
  for (const [name, kind] of expected) {
    if (!values.has(name)) throw fieldMalformed(name, `a required claim of ${schema2.name}`);
    requireKind(kind, values.get(name), name);
  }
}
var rowCount = (group, names2) => new Set(names2.filter((name) => name.startsWith(`${group}.`)).map((name) => name.split(".")[1])).size;
function expand(pattern, rows) {
  const [group, repeated2] = pattern.split(".");
  if (repeated2 !== "k") return [pattern];
  return Array.from({ length: rows[group] }, (_, k) => pattern.replace(".k", `.${k}`));
}

// business/notices.js
var QUORUM = "quorum";
var MAX_HOLDERS = 64;
var REASONS = /* @__PURE__ */ new Map([
  [ON_NOTICE, BRAKE_REASONS],
  [OFF_NOTICE, BRAKE_RELEASES],
  [FREEZE_NOTICE, FREEZE_REASONS],
  [LIFT_NOTICE, FREEZE_RELEASES]
]);
var textHash = (value) => sha2562(canonicalJson(value));
var isStop = (notice2) => notice2.source === OWN_RECORD && REASONS.has(notice2.noticeType);
function scopesByHash(types, keys) {
  const scopes = [ALL, ...[.../* @__PURE__ */ new Set([...RECORD_TYPES, ...types])].map(typeScope), ...keys.map(memberScope)];
  return new Map(scopes.map((scope) => [hex(textHash(scope)), scope]));
}
function reasonOf(notice2, until, holders) {
  const ends = notice2.noticeType === OFF_NOTICE ? {} : { until_epoch: until };
  for (const code of REASONS.get(notice2.noticeType) ?? []) {
    for (const by2 of [QUORUM, ...holders.slice(0, MAX_HOLDERS)]) {
      if (equal(textHash({ by: by2, reason_code: code, ...ends }), notice2.detailHash)) return { by: by2, code };
    }
  }
  return { by: "", code: "" };
}

// vrf.js
var PROOF_BYTES = 80;
var ORDER2 = 2n ** 252n + 27742317777372353535851937790883648493n;
var SUITE = 3;
var END = Uint8Array.of(0);
function verifyVrf(publicKey2, alpha2, proof) {
  const [key, input, shown2] = [asOctets(publicKey2, "vrf_public_key"), asOctets(alpha2, "vrf_alpha"), asOctets(proof, "vrf_proof")];
  const y = requireVrfKey(key, "vrf_public_key");
  if (shown2.length !== PROOF_BYTES) throw fieldMalformed("vrf_proof", `exactly ${PROOF_BYTES} bytes`);
  const s = toBigLittle(shown2.subarray(48));
  if (s >= ORDER2) throw fieldMalformed("vrf_proof", "s below the group order");
  const gamma = requirePoint(shown2.subarray(0, 32), "vrf_proof");
  const c = toBigLittle(shown2.subarray(32, 48));
  const h = toCurve(key, input);
  const u = ed25519.Point.BASE.multiplyUnsafe(s).subtract(y.multiplyUnsafe(c));
  const v = h.multiplyUnsafe(s).subtract(gamma.multiplyUnsafe(c));
  const points = [key, h.toBytes(), shown2.subarray(0, 32), u.toBytes(), v.toBytes()];
  const challenge = sha512(concat(Uint8Array.of(SUITE, 2), ...points, END)).subarray(0, 16);
  if (!equal(challenge, shown2.subarray(32, 48))) throw refusal("SignatureWrong", { signer: "vrf" });
  return sha512(concat(Uint8Array.of(SUITE, 3), cleared(gamma).toBytes(), END));
}
var indexOf = (output) => output.slice(0, 32);
function requireVrfKey(key, field) {
  const point = requirePoint(key, field);
  if (cleared(point).is0()) throw fieldMalformed(field, "not of small order");
  return point;
}
var cleared = (point) => point.double().double().double();
function requirePoint(data, field) {
  const point = data.length === 32 ? edPoint(data) : null;
  if (point === null) throw fieldMalformed(field, "the encoding of a point of edwards25519");
  return point;
}
function toCurve(key, alpha2) {
  for (let counter = 0; counter < 256; counter++) {
    const digest = sha512(concat(Uint8Array.of(SUITE, 1), key, alpha2, Uint8Array.of(counter, 0)));
    const point = edPoint(digest.slice(0, 32));
    if (point !== null && !cleared(point).is0()) return cleared(point);
  }
  throw fieldMalformed("alpha", "leads to the curve within 256 tries");
}

// genesis.js
var GENESIS = new WordRecord(
  "HybridBridge.Genesis.v1(bytes32 originHash,uint64 specVersion,uint64 genesisTime,uint64 cadence,uint64 grace,uint64 promiseDelay,uint64 batchLadder,uint64 registryLadder,uint64 registrySuite,bytes32 vrfPublicKey,bytes32 registryRoot,bytes32 labelTableHash,bytes32 setHash,bytes32 decoyKeyHash,bytes32 logKey,bytes32 receiptKey,bytes32 logMldsaKeyHash,address guardian,uint64 pauseMax,bytes32 ledgerId,uint64 firstBlock,bytes32 policyHash,bytes32 predecessor,uint64 predecessorSize,bytes32 predecessorRoot)"
);
var RANGES2 = [
  ["specVersion", 1, 1],
  ["genesisTime", 1, 2 ** 40 - 1],
  ["cadence", 1, 86400],
  ["grace", 0, 2 ** 32 - 1],
  ["promiseDelay", 1, 1e3],
  ["registrySuite", 1, 1],
  ["pauseMax", 0, 2592e3]
];
var LADDERS = [["batchLadder", 3, 20], ["registryLadder", 1, 20]];
var NEVER_ZERO = ["originHash", "registryRoot", "setHash", "decoyKeyHash", "logKey"];
function decodeGenesis(data) {
  const genesis = GENESIS.decode(data);
  for (const [name, low, high] of RANGES2) GENESIS.require(low <= genesis[name] && genesis[name] <= high, name);
  for (const [name, low, high] of LADDERS) GENESIS.require(isLadder(genesis[name], low, high), name);
  for (const name of NEVER_ZERO) GENESIS.require(!isZero(genesis[name]), name);
  const continues = !isZero(genesis.predecessor);
  GENESIS.require(genesis.predecessorSize > 0 === continues, "predecessorSize");
  GENESIS.require(!isZero(genesis.predecessorRoot) === continues, "predecessorRoot");
  requireVrfKey(genesis.vrfPublicKey, "vrf_public_key");
  return { ...genesis, logId: leafHash(data) };
}
var isLadder = (ladder, low, high) => ladder > 0 && ladder < 2 ** (high + 1) && ladder % 2 ** low === 0;
function checkpointTimestamp(genesis, treeSize) {
  if (!(treeSize >= 1 && treeSize <= MAX_U64)) throw refusal("SizeOrder", { older: 1, newer: treeSize });
  return moment(genesis, BigInt(treeSize) - 1n);
}
var closedAt = (genesis, epoch) => moment(genesis, BigInt(epoch));
var moment = (genesis, epochs) => exact(BigInt(genesis.genesisTime) + epochs * BigInt(genesis.cadence));

// epoch.js
var EPOCH2 = new WordRecord(
  "HybridBridge.Epoch.v1(bytes32 logId,uint64 epoch,uint64 firstBlock,uint64 endBlock,bytes32 lastBlockHash,uint64 batchSize,bytes32 batchRoot,bytes32 registryRoot,uint64 governanceSize,bytes32 governanceRoot,uint64 setId,bytes32 setHash,uint64 publicChainId,uint64 publicBlockNumber,bytes32 publicBlockHash,uint64 closedAt,uint64 flags,bytes32 statsCommitment,bytes32 blind)"
);
var BRAKE_ON = 1;
function decodeEpoch(data) {
  const record2 = EPOCH2.decode(data);
  EPOCH2.require(record2.epoch >= 1, "epoch");
  EPOCH2.require(record2.endBlock >= record2.firstBlock, "endBlock");
  EPOCH2.require(bitCount(record2.batchSize) === 1, "batchSize");
  EPOCH2.require(!isZero(record2.registryRoot), "registryRoot");
  EPOCH2.require(record2.governanceSize >= 1, "governanceSize");
  EPOCH2.require(record2.setId >= 1, "setId");
  const beacon = record2.publicChainId > 0;
  EPOCH2.require(record2.publicBlockNumber > 0 === beacon, "publicBlockNumber");
  EPOCH2.require(!isZero(record2.publicBlockHash) === beacon, "publicBlockHash");
  EPOCH2.require(record2.flags === 0 || record2.flags === BRAKE_ON, "flags");
  return record2;
}
function epochOf(genesis, time) {
  if (time < genesis.genesisTime) throw fieldMalformed("time", "not before the genesis time");
  return Math.floor((time - genesis.genesisTime) / genesis.cadence) + 1;
}
function verifyEpoch(genesis, index, record2) {
  requireSame("epoch.log_id", hex(genesis.logId), hex(record2.logId));
  requireSame("epoch.epoch", index, record2.epoch);
  requireSame("epoch.closed_at", closedAt(genesis, record2.epoch), record2.closedAt);
  if ((BigInt(record2.batchSize) & BigInt(genesis.batchLadder)) === 0n) {
    throw fieldMalformed("epoch.batch_size", "a rung of the batch ladder");
  }
}
function verifyFirst(genesis, record2) {
  verifyEpoch(genesis, 1, record2);
  requireSame("epoch.first_block", genesis.firstBlock, record2.firstBlock);
  requireSame("epoch.set_id", 1, record2.setId);
  requireSame("epoch.set_hash", hex(genesis.setHash), hex(record2.setHash));
  if (record2.endBlock === record2.firstBlock) {
    requireSame("epoch.last_block_hash", hex(genesis.ledgerId), hex(record2.lastBlockHash));
  }
  if (record2.governanceSize === 1) {
    requireSame("epoch.governance_root", hex(genesis.logId), hex(record2.governanceRoot));
  }
}
function verifyNext(genesis, older, newer) {
  verifyEpoch(genesis, older.epoch + 1, newer);
  requireSame("epoch.first_block", older.endBlock, newer.firstBlock);
  if (newer.endBlock === newer.firstBlock) {
    requireSame("epoch.last_block_hash", hex(older.lastBlockHash), hex(newer.lastBlockHash));
  }
  if (newer.governanceSize < older.governanceSize) {
    throw fieldMismatch("epoch.governance_size", `>= ${older.governanceSize}`, newer.governanceSize);
  }
  if (newer.governanceSize === older.governanceSize) {
    requireSame("epoch.governance_root", hex(older.governanceRoot), hex(newer.governanceRoot));
  }
  if (newer.setId === older.setId) requireSame("epoch.set_hash", hex(older.setHash), hex(newer.setHash));
  else requireSame("epoch.set_id", older.setId + 1, newer.setId);
}

// values.js
var keyOf = (value) => typeof value === "boolean" ? Number(value) : value;
var distinct = (values) => new Set(values.map(keyOf)).size;
var pyText = (value) => typeof value === "string" ? value : pyRepr(value);
function pyRepr(value) {
  if (value === null || value === void 0) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(pyRepr).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, held2]) => `${quoted(key)}: ${pyRepr(held2)}`).join(", ")}}`;
  return String(value);
}
function quoted(text3) {
  const mark = text3.includes("'") && !text3.includes('"') ? '"' : "'";
  const escaped2 = text3.replaceAll("\\", "\\\\").replaceAll(mark, `\\${mark}`);
  return mark + escaped2.replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("	", "\\t") + mark;
}
var isTrue = (value) => Boolean(value) && (typeof value !== "object" || (Array.isArray(value) ? value : Object.keys(value)).length > 0);

// attestation.js
var NAME3 = keccak256(utf8("HybridBridge"));
var VERSION = keccak256(utf8("1"));
var LOG_DOMAIN = "EIP712Domain(string name,string version,bytes32 salt)";
var CHECKPOINT2 = "Checkpoint(bytes32 logId,uint64 treeSize,bytes32 rootHash,uint64 timestamp,uint64 validatorSetId,bytes32 validatorSetHash)";
function checkpoint(stated) {
  for (const [field, value] of [["log_id", stated.logId], ["root", stated.root], ["set_hash", stated.setHash]]) {
    asDigest(value, field);
  }
  for (const [field, number2, least] of [["tree_size", stated.treeSize, 2], ["timestamp", stated.timestamp, 0], ["set_id", stated.setId, 1]]) {
    const value = asInteger(number2, field);
    if (!(value >= least && value <= MAX_U64)) throw fieldMalformed(field, `${least} to 2^53-1`);
  }
  return stated;
}
function checkpointDigest(c) {
  const struct = hashStruct(CHECKPOINT2, "bubuub", [c.logId, c.treeSize, c.root, c.timestamp, c.setId, c.setHash]);
  return signedDigest(hashStruct(LOG_DOMAIN, "bbb", [NAME3, VERSION, c.logId]), struct);
}
var hashStruct = (type, kinds, values) => keccak256(concat(keccak256(utf8(type)), packWords(kinds, values)));
var signedDigest = (separator, struct) => keccak256(concat(Uint8Array.of(25, 1), separator, struct));

// note.js
var MAX_NOTE = 256 * 1024;
var MAX_LINES = 160;
var MAX_TIME = 2n ** 63n - 1n;
var MLDSA_KEY = 1312;
var MLDSA_SIGNATURE = 2420;
var TYPE_ED25519 = Uint8Array.of(1);
var TYPE_COSIGNATURE = Uint8Array.of(4);
var TYPE_MLDSA = Uint8Array.of(6);
var TYPE_QUORUM = concat(Uint8Array.of(255), utf8("hybrid-bridge/eip712-checkpoint/v1"));
var KEY_WIDTHS = [[TYPE_ED25519, 32], [TYPE_COSIGNATURE, 32], [TYPE_MLDSA, MLDSA_KEY], [TYPE_QUORUM, 20]];
var CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
var SPACE2 = /[ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
function parseLine(text3) {
  const parts = text3.split(" ");
  if (parts.length !== 3 || parts[0] !== "—") {
    throw fieldMalformed("note.line", "a dash, a name and a signature, one space between");
  }
  const data = parseB64(parts[2], "note.line");
  const line = { name: requireName(parts[1]), keyId: data.slice(0, 4), signature: data.slice(4), text: text3 };
  if (line.keyId.length !== 4 || line.signature.length === 0) {
    throw fieldMalformed("note.line", "a key id of 4 bytes and a signature");
  }
  return line;
}
function requireName(name) {
  if (requirePlain(name, "key_name").includes("+") || name === "" || SPACE2.test(name)) {
    throw fieldMalformed("key_name", "not empty, without white space and plus sign");
  }
  return name;
}
function requirePlain(text3, field) {
  if (CONTROL.test(text3) || !isWellFormed(text3)) throw fieldMalformed(field, "UTF-8 without control characters");
  return text3;
}
function parseSignedNote(text3) {
  const decoded = decodeText(text3);
  const lines = decoded.split("\n").length - 1;
  if (lines > MAX_LINES) throw tooLong("note.lines", MAX_LINES, lines);
  const at = decoded.lastIndexOf("\n\n");
  const signatures = decoded.slice(at + 2);
  if (at < 0 || !signatures.endsWith("\n")) {
    throw fieldMalformed("note", "text, an empty line, signature lines, a line feed at the end");
  }
  const message2 = decoded.slice(0, at);
  for (const line of message2.split("\n")) requirePlain(line, "note");
  return { message: `${message2}
`, lines: signatures.slice(0, -1).split("\n").map(parseLine) };
}
function decodeText(text3) {
  if (typeof text3 === "string" && !isWellFormed(text3)) throw notCanonical("note");
  const data = typeof text3 === "string" ? utf8(text3) : asOctets(text3, "note");
  if (data.length > MAX_NOTE) throw tooLong("note", MAX_NOTE, data.length);
  const decoded = utf8Text(data);
  if (decoded === null) throw notCanonical("note");
  return decoded;
}
function verifierKey(name, kind, key) {
  requireName(name);
  const [, width] = KEY_WIDTHS.find(([known]) => equal(known, kind)) ?? [null, -1];
  if (key.length !== width) throw fieldMalformed("vkey", "a key of type 01, 04 or 06, or a validator's address");
  return { name, kind, key, keyId: sha2562(concat(utf8(`${name}
`), kind, key)).slice(0, 4) };
}
function parseVkey(text3) {
  const [name, keyId, ...rest] = requirePlain(text3, "vkey").split("+");
  if (rest.length === 0) throw fieldMalformed("vkey", "name, key id and key with a plus sign between");
  const data = parseB64(rest.join("+"), "vkey");
  const [kind] = KEY_WIDTHS.find(([known]) => startsWith(data, known)) ?? [new Uint8Array()];
  const key = verifierKey(name, kind, data.slice(kind.length));
  if (hex(key.keyId) !== keyId) throw notCanonical("vkey");
  return key;
}
var placeOf = (one) => `${one.name} ${hex(one.keyId)}`;
function verifyLine(key, line, body) {
  if (equal(key.kind, TYPE_ED25519)) return verifySignature(ed25519Key(key.key), body, line.signature);
  if (equal(key.kind, TYPE_COSIGNATURE)) {
    const message2 = concat(utf8(`cosignature/v1
time ${cosignedAt(line)}
`), body);
    return verifySignature(ed25519Key(key.key), message2, line.signature.slice(8));
  }
  if (equal(key.kind, TYPE_MLDSA)) {
    return verifyMldsa(key.key, subtree(key.name, cosignedAt(line), body), line.signature.slice(8));
  }
  throw fieldMalformed("vkey", "type 01, 04 or 06");
}
function cosignedAt(line) {
  const time = toBig(line.signature.subarray(0, 8));
  if (line.signature.length <= 8 || time > MAX_TIME) {
    throw fieldMalformed("note.line", "a time below 2^63, then a signature");
  }
  return time;
}
function subtree(name, time, body) {
  const [origin, size = "", root = ""] = (utf8Text(body) ?? "").split("\n");
  const [signer, log] = [utf8(name), utf8(origin)];
  if (signer.length < 1 || signer.length > 255 || log.length < 1 || log.length > 255 || !/^[0-9]{1,19}$/.test(size)) {
    throw fieldMalformed("note", "names of at most 255 bytes, and a size, under an ML-DSA-44 line");
  }
  const parts = [fromUint(signer.length, 1), signer, fromUint(time, 8), fromUint(log.length, 1), log];
  return concat(utf8("subtree/v1\n\0"), ...parts, new Uint8Array(8), fromUint(BigInt(size), 8), parseB64(root, "root"));
}
function verifyMldsa(key, message2, signature) {
  if (signature.length !== MLDSA_SIGNATURE || key.length !== MLDSA_KEY) {
    throw fieldMalformed("signature", `${MLDSA_SIGNATURE} bytes by a key of ${MLDSA_KEY}`);
  }
  if (!ml_dsa44.verify(signature, message2, key)) {
    throw refusal("SignatureWrong", { signer: `ML-DSA-44 key ${hex(sha2562(key))}` });
  }
}

// checkpoint.js
var MAX_ORIGIN = 200;
var ORIGIN2 = /^[a-z0-9.-]+(\/[A-Za-z0-9._-]+)*$/;
var SIZE = /^(0|[1-9][0-9]{0,15})$/;
function parseNote(text3, origin = null) {
  const note = asCheckpoint(parseSignedNote(text3));
  if (note.origin.length > MAX_ORIGIN || !ORIGIN2.test(note.origin)) {
    throw fieldMalformed("origin", `${ORIGIN2.source}, at most ${MAX_ORIGIN} bytes`);
  }
  if (note.size < 1) throw fieldMalformed("size", "1 to 2^53-1");
  if (note.extensions.length) throw fieldMalformed("note", "no extension lines");
  if (origin !== null) requireSame("origin", origin, note.origin);
  return note;
}
function asCheckpoint({ message: message2, lines }) {
  const [origin, size, root, ...extensions] = message2.slice(0, -1).split("\n");
  if (root === void 0) throw fieldMalformed("note", "three lines or more, none empty");
  if (!SIZE.test(size)) throw fieldMalformed("size", "decimal, without leading zero, at most 2^53-1");
  if ([...root].length !== 44) throw fieldMalformed("root", "44 characters of base64");
  const digest = parseB64(root, "root");
  for (const line of [origin, ...extensions]) {
    if (!requirePlain(line, "note")) throw fieldMalformed("note", "three lines or more, none empty");
  }
  if (Number(size) > MAX_U64) throw fieldMalformed("size", "0 to 2^53-1");
  if (digest.length !== 32) throw refusal("DigestLength", { field: "root", got: digest.length });
  const body = utf8([origin, size, b64(digest), ...extensions].map((line) => `${line}
`).join(""));
  return { origin, size: Number(size), root: digest, lines, extensions, body };
}
var logKeyOf = (note, logKey) => verifierKey(note.origin, TYPE_ED25519, logKey);
function verifyLogLine(note, logKey) {
  const key = logKeyOf(note, logKey);
  const lines = linesOf(note, key);
  if (lines.length === 0) throw missing("the log key's line");
  for (const line of lines) verifyLine(key, line, note.body);
}
var linesOf = (note, key) => note.lines.filter((line) => placeOf(line) === placeOf(key));
var quorumName = (origin, address) => `${origin}/v/${hex(address)}`;
var quorumKey = (note, address) => verifierKey(quorumName(note.origin, address), TYPE_QUORUM, address);
function quorumSignatures(note, set, stated) {
  const members2 = new Map(set.entries.map(({ address }) => [placeOf(quorumKey(note, address)), address]));
  const lines = note.lines.filter((line) => members2.has(placeOf(line)));
  if (pairwise(lines).some(([earlier, later]) => compareText(later.name, earlier.name) <= 0)) {
    throw fieldMalformed("note.lines", "validators strictly ascending by address");
  }
  const digest = checkpointDigest(stated);
  return lines.map((line) => quorumSignature(
    line,
    /** @type {Uint8Array} */
    members2.get(placeOf(line)),
    stated,
    digest
  ));
}
function quorumSignature(line, address, stated, digest) {
  const reader = new Reader(line.signature);
  const [timestamp2, setId] = [reader.u64("note.line.timestamp"), reader.u64("note.line.set_id")];
  const signature = requireSignature(reader.fixed(65, "note.line.signature"));
  reader.end("note.line");
  requireSame("note.line.timestamp", stated.timestamp, timestamp2);
  requireSame("note.line.set_id", stated.setId, setId);
  if (!equal(recoverAddress(digest, signature), address)) throw refusal("SignatureWrong", { signer: `0x${hex(address)}` });
  return signature;
}

// cometbft/protobuf.js
var [VARINT, FIXED64, LENGTH] = [0, 1, 2];
function varint(value) {
  const out = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 128);
  return Uint8Array.of(...out, Number(rest));
}
var NOTHING = new Uint8Array();
var number = (field, value) => value === 0 ? NOTHING : concat(varint(field << 3 | VARINT), varint(value));
var fixed64 = (field, value) => value === 0 ? NOTHING : concat(varint(field << 3 | FIXED64), fromUint(value, 8).reverse());
var message = (field, value) => concat(varint(field << 3 | LENGTH), delimited(value));
var octets2 = (field, value) => value.length === 0 ? NOTHING : message(field, value);
var delimited = (value) => concat(varint(value.length), value);

// cometbft/header.js
var MAX_VALIDATORS2 = 1e4;
var MAX_TOTAL_POWER = 2n ** 63n / 8n - 1n;
var [ABSENT, COMMITTED, NIL] = [1, 2, 3];
var SECP256K1 = "secp256k1";
var ED255192 = "ed25519";
var PRECOMMIT = 2;
var MIN_SECONDS = -62135596800;
var MAX_SECONDS = 253402300800;
var ED25519_ORDER2 = 2n ** 252n + 27742317777372353535851937790883648493n;
var KEYS = { [ED255192]: [1, 32], [SECP256K1]: [2, 33] };
function rootOf(leaves) {
  if (leaves.length === 1) return leaves[0];
  const k = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1);
  return nodeHash(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}
function timestamp(seconds, nanos) {
  if (seconds < MIN_SECONDS || seconds >= MAX_SECONDS || nanos > 999999999) {
    throw fieldMalformed("time", "a moment of the years 1 to 9999 in nanoseconds");
  }
  return { seconds, nanos };
}
var encodeTime = ({ seconds, nanos }) => concat(number(1, seconds), number(2, nanos));
function blockId(id2) {
  const isHash = (bytes) => bytes.length === 0 || bytes.length === 32;
  if (!isHash(id2.hash) || !isHash(id2.parts_hash)) throw fieldMalformed("block_id", "hashes of 32 bytes, parts of 32 bits");
  return id2;
}
var encodeBlockId = (id2) => concat(octets2(1, id2.hash), message(2, concat(number(1, id2.parts), octets2(2, id2.parts_hash))));
function header(header2) {
  const length = utf8(header2.chain_id).length;
  if (length < 1 || length > 50 || header2.chain_id.includes("\0")) throw fieldMalformed("chain_id", "1 to 50 bytes without a zero");
  if (header2.height < 1) throw fieldMalformed("height", "from 1, 63 bits");
  return { ...header2, hash: headerHash(header2) };
}
function headerHash(h) {
  const hashes = [
    h.last_commit_hash,
    h.data_hash,
    h.validators_hash,
    h.next_validators_hash,
    h.consensus_hash,
    h.app_hash,
    h.last_results_hash,
    h.evidence_hash,
    h.proposer_address
  ];
  const fields = [
    concat(number(1, h.block_version), number(2, h.app_version)),
    octets2(1, utf8(h.chain_id)),
    number(1, h.height),
    encodeTime(h.time),
    encodeBlockId(h.last_block_id),
    ...hashes.map((hash) => octets2(1, hash))
  ];
  return rootOf(fields.map(leafHash));
}
function validator({ kind, key, power: power2 }) {
  if (key.length !== KEYS[kind][1]) throw fieldMalformed("validator", "an ed25519 key of 32 bytes or a secp256k1 key of 33");
  if (power2 < 1) throw fieldMalformed("power", `from 1 to ${MAX_TOTAL_POWER}`);
  return { kind, key, power: power2 };
}
function engineSet({ validators }) {
  if (validators.length < 1) throw fieldMalformed("validators", `1 to ${MAX_VALIDATORS2}`);
  if (new Set(validators.map((one) => hex(one.key))).size < validators.length) {
    throw fieldMalformed("validators", "each key once");
  }
  const power2 = validators.reduce((total, one) => total + BigInt(one.power), 0n);
  if (power2 > MAX_TOTAL_POWER) throw fieldMalformed("validators", `at most ${MAX_TOTAL_POWER} of power`);
  const leaves = validators.map((one) => leafHash(concat(message(1, octets2(KEYS[one.kind][0], one.key)), number(2, one.power))));
  return { validators, power: power2, hash: rootOf(leaves) };
}
function vote(vote2) {
  if (vote2.flag === ABSENT !== (vote2.signature.length === 0)) throw fieldMalformed("vote", "absent without a signature, else one");
  return vote2;
}
var signBytes = ({ header: h, commit }, slot) => delimited(concat(
  number(1, PRECOMMIT),
  fixed64(2, h.height),
  fixed64(3, commit.round),
  message(4, encodeBlockId(commit.block_id)),
  message(5, encodeTime(slot.time)),
  octets2(6, utf8(h.chain_id))
));
function verifySignedHeader(signed, trusted) {
  const { header: h, commit } = signed;
  if (!equal(h.validators_hash, trusted.hash)) {
    throw refusal("SetMismatch", { expected: h.validators_hash, calculated: trusted.hash });
  }
  if (!equal(commit.block_id.hash, h.hash)) throw fieldMismatch("commit.block_id", hex(h.hash), hex(commit.block_id.hash));
  requireSame("votes", trusted.validators.length, commit.votes.length);
  let power2 = 0n;
  trusted.validators.forEach((one, i) => {
    if (commit.votes[i].flag !== COMMITTED) return;
    if (!holds(one, signBytes(signed, commit.votes[i]), commit.votes[i].signature)) {
      throw refusal("SignatureWrong", { signer: hex(one.key) });
    }
    power2 += BigInt(one.power);
  });
  if (power2 * 3n <= trusted.power * 2n) throw refusal("BelowQuorum", { needed: trusted.power * 2n / 3n + 1n, got: power2 });
}
var holds = (one, message2, signature) => signature.length === 64 && (one.kind === ED255192 ? edHolds2(one.key, message2, signature) : secpHolds(one.key, message2, signature));
function edHolds2(key, message2, signature) {
  if (toBigLittle(signature.subarray(32)) >= ED25519_ORDER2) return false;
  try {
    return edEquation(ed25519.Point.fromBytes(key, true), key, message2, signature);
  } catch {
    return false;
  }
}
function secpHolds(key, message2, signature) {
  const point = compressedPoint(key);
  if (point === null || toBig(signature.subarray(32)) > HALF_ORDER || isZero(signature.subarray(32))) return false;
  return secp256k1.verify(signature, sha2562(message2), key, { prehash: false, lowS: true });
}

// cometbft/evidence.js
var TYPE = "cometbft/1";
var MAX_EVIDENCE = 1 << 20;
var HASH = octets(32);
var PATH2 = array(HASH, MAX_INCLUSION_PATH);
var U2 = uint();
var TIME2 = {
  parse(value, field) {
    const found = /^(0|-?[1-9][0-9]{0,11})\.([0-9]{9})$/.exec(text(23).parse(value, field));
    if (found === null) throw fieldMalformed(field, "seconds, a point and nine digits");
    return timestamp(Number(found[1]), Number(found[2]));
  },
  write: (time) => `${time.seconds}.${String(time.nanos).padStart(9, "0")}`
};
var FLAG = {
  parse(value, field) {
    const flag = uint(NIL).parse(value, field);
    if (flag === 0) throw fieldMalformed(field, "1, 2 or 3");
    return flag;
  },
  write: (flag) => flag
};
var BLOCK_ID = record({ hash: octets(null, 32), parts: uint(2 ** 32 - 1), parts_hash: octets(null, 32) }, {}, blockId);
var HEADER = record(
  {
    block_version: U2,
    app_version: U2,
    chain_id: text(50),
    height: U2,
    time: TIME2,
    last_block_id: BLOCK_ID,
    last_commit_hash: HASH,
    data_hash: HASH,
    validators_hash: HASH,
    next_validators_hash: HASH,
    consensus_hash: HASH,
    app_hash: octets(null, 64),
    last_results_hash: HASH,
    evidence_hash: HASH,
    proposer_address: octets(20)
  },
  {},
  header
);
var VOTE = record({ flag: FLAG, time: TIME2, signature: octets(null, 64) }, {}, vote);
var COMMIT = record({ round: uint(2 ** 31 - 1), block_id: BLOCK_ID, votes: array(VOTE, MAX_VALIDATORS2) });
var SIGNED = record({ header: HEADER, commit: COMMIT });
var MOST_POWER = MAX_TOTAL_POWER < BigInt(MAX_U64) ? Number(MAX_TOTAL_POWER) : MAX_U64;
var VALIDATOR = record({ kind: literal(ED255192, SECP256K1), key: octets(null, 33), power: uint(MOST_POWER) }, {}, validator);
var SET2 = record({ validators: array(VALIDATOR, MAX_VALIDATORS2) }, {}, engineSet);
var STATE = record({ chain: HASH, governance_size: U2, governance_root: HASH, writes: HASH });
var OUTCOME = record({ following: SIGNED, code: uint(2 ** 16 - 1), path: PATH2, state: STATE });
var EXECUTION = record({ block: SIGNED, index: U2, count: U2, path: PATH2 }, { outcome: OUTCOME });
var BOUND = {
  parse: (value, field) => decodeConsensusKey(octets(288).parse(value, field)),
  write: (bound) => b64u(bound.encoded)
};
var EVIDENCE = record(
  {
    chain_id: text(50),
    first: SET2,
    handovers: array(record({ signed: SIGNED, following: SET2 }), 256),
    last: SIGNED,
    executions: array(EXECUTION, 64)
  },
  { bindings: array(record({ index: U2, record: BOUND, path: PATH2 }), 512) },
  (evidence) => {
    if (evidence.bindings?.length === 0) throw fieldMalformed("bindings", "left out if there are none");
    return evidence;
  }
);
var decodeEvidence = (data) => EVIDENCE.parse(parseCanonicalJson(data, "source evidence", MAX_EVIDENCE), "source evidence");
function signaturesIn({ handovers, last, executions }) {
  const following = executions.flatMap((one) => one.outcome === null ? [] : [one.outcome.following]);
  const signed = [...handovers.map((one) => one.signed), last, ...executions.map((one) => one.block), ...following];
  return signed.flatMap((one) => one.commit.votes).filter((slot) => slot.flag === COMMITTED).length;
}
function heightsIn({ last, executions }) {
  const following = executions.flatMap((one) => one.outcome === null ? [] : [one.outcome.following]);
  return [last, ...executions.map((one) => one.block), ...following].map((signed) => signed.header.height);
}
function verifyIn(history, signed) {
  requireSame("chain_id", history.chainId, signed.header.chain_id);
  verifySignedHeader(signed, inCharge(history, signed.header.height));
}
function inCharge({ periods }, height) {
  const found = periods.filter(({ start }) => start <= height);
  if (found.length === 0) throw fieldMismatch("height", `from ${periods[0].start}`, height);
  return found[found.length - 1].set;
}
function walk(evidence, initialHeight) {
  const history = { chainId: evidence.chain_id, periods: [{ start: initialHeight, set: evidence.first }] };
  for (const { signed, following } of evidence.handovers) {
    const { start } = history.periods[history.periods.length - 1];
    if (signed.header.height < start) throw fieldMismatch("height", `from ${start}`, signed.header.height);
    verifyIn(history, signed);
    if (!equal(following.hash, signed.header.next_validators_hash)) {
      throw refusal("SetMismatch", { expected: signed.header.next_validators_hash, calculated: following.hash });
    }
    history.periods.push({ start: signed.header.height + 1, set: following });
  }
  return history;
}
function holdersOf(bindings, epoch) {
  const holders = /* @__PURE__ */ new Map();
  let before = -1;
  for (const { index, record: bound, path } of bindings) {
    if (index <= before) throw fieldMalformed("bindings", "strictly ascending by index");
    before = index;
    requireSame("binding.log_id", hex(epoch.logId), hex(bound.logId));
    requireRoot(epoch.governanceRoot, inclusionRoot(leafHash(bound.encoded), index, epoch.governanceSize, path));
    const holder = holders.get(hex(bound.key)) ?? bound.keyId;
    holders.set(hex(bound.key), holder);
    requireSame("holder of a consensus key", hex(holder), hex(bound.keyId));
  }
  return holders;
}
function seatsOf({ validators }, holders) {
  const found = validators.map((one) => holders.get(hex(one.key)));
  const seats = (
    /** @type {Seats} */
    new Set(found.filter((key) => key !== void 0).map(hex))
  );
  if (seats.size < found.length) {
    if (found.includes(void 0)) return null;
    throw fieldMismatch("engine's validators", "one vote a member", `${found.length} votes`);
  }
  if (validators.some((one) => one.kind !== SECP256K1 || one.power !== 1)) {
    throw fieldMismatch("engine's validators", "secp256k1 keys of power 1", "another vote");
  }
  return seats;
}
function requireNamed({ periods }, holders) {
  for (const { set } of periods.slice(1)) {
    if (seatsOf(set, holders) === null) {
      const stranger = set.validators.find((one) => !holders.has(hex(one.key)));
      throw fieldMismatch("consensus key", "a member's by a governance record", hex(stranger.key));
    }
  }
}
function requireTold({ periods }, epoch) {
  for (const { start } of periods.slice(1)) {
    const told = start - 2;
    if (epoch.firstBlock < told && told < epoch.endBlock) throw fieldMismatch("block of a change", epoch.firstBlock, told);
  }
}
var sameSeats = (one, other) => one !== null && other !== null && one.size === other.size && [...one].every((seat) => other.has(seat));
function isTied({ history, holders }, sizes, terms) {
  let [at, known] = [0, true];
  [terms[0].firstSize, ...sizes].forEach((size, i) => {
    const { start, set } = history.periods[i];
    const seats = seatsOf(set, holders);
    const due = terms.map((_, k) => k).filter((k) => k >= at && terms[k].firstSize <= size);
    const found = due.find((k) => sameSeats(seats, terms[k].seats));
    if (found !== void 0) at = found;
    else if (seats === null || due.some((k) => terms[k].seats === null)) known = false;
    else throw fieldMismatch(`engine's validators from block ${start} on`, "a set of the log in its turn", "others");
  });
  return known;
}
function isOwn({ history, holders }, evidence, epoch, own, before) {
  let known = true;
  for (const height of heightsIn(evidence)) {
    const lacking = epoch.firstBlock + 2 - height;
    const [seats, expected] = [seatsOf(inCharge(history, height), holders), lacking <= 0 ? own : before.seats];
    if (seats === null || expected === null) known = false;
    else if (!sameSeats(seats, expected)) {
      const couldBeOlder = lacking > 0 && (before.blocks === null || before.blocks < lacking);
      const its = `the log's set of epoch ${lacking <= 0 ? epoch.epoch : epoch.epoch - 1}`;
      if (!couldBeOlder) throw fieldMismatch(`engine's validators at block ${height}`, its, "others");
      known = false;
    }
  }
  return known;
}
function verifyEvidence(evidence, genesis, epoch, transactions) {
  requireSame("ledger id", hex(genesis.ledgerId), hex(ledgerId(evidence.chain_id, evidence.first)));
  const history = walk(evidence, genesis.firstBlock);
  const holders = holdersOf(evidence.bindings ?? [], epoch);
  requireNamed(history, holders);
  requireTold(history, epoch);
  verifyLast(evidence.last, history, genesis, epoch);
  requireSame("executions", transactions.length, evidence.executions.length);
  transactions.forEach((transaction, i) => verifyExecution(history, epoch, transaction, evidence.executions[i]));
  const hasOutcomes = evidence.executions.every((one) => one.outcome !== null);
  return { history, holders, signers: signersOf(history, holders, evidence.last), hasOutcomes };
}
function ledgerId(chainId, { validators }) {
  if (validators.some((one) => one.kind !== SECP256K1 || one.power !== 1)) {
    throw fieldMalformed("validators", "secp256k1 keys of power 1");
  }
  const keys = validators.map((one) => one.key).sort(compare);
  return sha2562(concat(context("ledger"), utf8(`${TYPE}\0${chainId}\0`), fromUint(keys.length, 2), ...keys));
}
function verifyLast(last, history, genesis, epoch) {
  verifyIn(history, last);
  requireSame("last block", hex(epoch.lastBlockHash), hex(last.header.hash));
  requireSame("height of the last block", epoch.endBlock - 1, last.header.height);
  requireSame("epoch of the last block", epoch.epoch, epochOf(genesis, last.header.time.seconds));
}
function verifyExecution(history, epoch, transaction, { block, index, count: count2, path, outcome }) {
  verifyIn(history, block);
  const { height } = block.header;
  if (height < epoch.firstBlock || height >= epoch.endBlock) {
    throw fieldMismatch("height of the transaction", `from ${epoch.firstBlock}, below ${epoch.endBlock}`, height);
  }
  requireRoot(block.header.data_hash, inclusionRoot(leafHash(sha2562(transaction)), index, count2, path));
  if (outcome === null) return;
  const following = outcome.following.header;
  verifyIn(history, outcome.following);
  requireSame("block before the outcome", hex(block.header.hash), hex(following.last_block_id.hash));
  requireRoot(following.last_results_hash, inclusionRoot(leafHash(number(1, outcome.code)), index, count2, outcome.path));
  requireSame("code", 0, outcome.code);
  requireRoot(following.app_hash, stateHash(outcome.state));
}
function stateHash(state) {
  const writer = new Writer(context("engine-state")).b32(state.chain, "chain").u64(state.governance_size, "governance_size");
  return sha2562(writer.b32(state.governance_root, "governance_root").b32(state.writes, "writes").bytes());
}
function signersOf(history, holders, signed) {
  const voted = inCharge(history, signed.header.height).validators.filter((_, i) => signed.commit.votes[i].flag === COMMITTED);
  return voted.flatMap((one) => holders.get(hex(one.key)) ?? []);
}

// exports/sd-jwt.js
var TYPE2 = "hybrid-bridge+sd-jwt";
var MAX_JWT = 1 << 17;
var MAX_PRESENTATION = 1 << 20;
var MAX_CERTIFICATE = 1 << 14;
var CERTIFICATE = {
  parse(value, field) {
    if (typeof value !== "string" || [...value].length > Math.floor((MAX_CERTIFICATE + 2) / 3) * 4) {
      throw fieldMalformed(field, `base64 of at most ${MAX_CERTIFICATE} bytes`);
    }
    if (value.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw notCanonical(field);
    const bare = value.replace(/=+$/, "");
    const whole2 = bare.slice(0, bare.length - bare.length % 4);
    const rest = parseLoose(bare.slice(whole2.length));
    return concat(parseB64(whole2, field), rest);
  },
  write: b64
};
function parseLoose(letters) {
  const bits2 = Array.from(letters, (letter) => ALPHABET.indexOf(letter)).reduce((held2, six) => held2 << 6 | six, 0);
  if (letters.length === 2) return Uint8Array.of(bits2 >> 4);
  return letters.length === 3 ? Uint8Array.of(bits2 >> 10, bits2 >> 2 & 255) : new Uint8Array();
}
var ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
var HEADER2 = record({ alg: literal("EdDSA", "ES256"), typ: literal(TYPE2), x5c: array(CERTIFICATE, 1) });
var DIGESTS = array(octets(32), MAX_WIDTH);
var STATEMENT = record({ log: octets(32), epoch: uint(), entry: octets(37), claims: uint(MAX_WIDTH / 2) });
function parseJwt(text3) {
  if ([...text3].length > MAX_JWT) throw tooLong("sd-jwt", MAX_JWT, [...text3].length);
  const parts = text3.split(".");
  if (parts.length !== 3) throw fieldMalformed("sd-jwt", "header, payload and signature");
  const header2 = HEADER2.parse(readJson(parts[0], "sd-jwt.header"), "sd-jwt.header");
  const { digests, statement } = readPayload2(readJson(parts[1], "sd-jwt.payload"));
  if (statement.epoch < 1) throw fieldMalformed("sd-jwt.hb.epoch", "from 1 on: leaf 0 is the genesis record");
  const entry = decodeRecordEntry(statement.entry);
  const signature = parseB64u(parts[2], "sd-jwt.signature");
  if (signature.length !== SIGNATURE_BYTES) throw fieldMalformed("sd-jwt.signature", `${SIGNATURE_BYTES} bytes`);
  const certificate = header2.x5c[0] ?? new Uint8Array();
  const key = certifiedKey(certificate);
  const written = signingInput(key.scheme, certificate, digests, statement);
  if (`${written}.${b64u(signature)}` !== text3) throw notCanonical("sd-jwt");
  const { log, epoch, claims } = statement;
  return { log, epoch, entryBytes: statement.entry, entry, claims, digests, key, signature, signed: utf8(written) };
}
function signingInput(scheme, certificate, digests, statement) {
  const header2 = { alg: scheme === ED25519 ? "EdDSA" : "ES256", typ: TYPE2, x5c: [b64(certificate)] };
  const payload = { _sd: digests.map(b64u), _sd_alg: "sha-256", hb: STATEMENT.write(statement) };
  return `${b64u(canonicalJson(header2))}.${b64u(canonicalJson(payload))}`;
}
var readJson = (text3, name) => parseCanonicalJson(parseB64u(text3, name), name, MAX_JWT);
function readPayload2(value) {
  if (!isObject(value) || Object.keys(value).sort().join(" ") !== "_sd _sd_alg hb") {
    throw fieldMalformed("sd-jwt.payload", "_sd, _sd_alg and hb");
  }
  literal("sha-256").parse(value._sd_alg, "sd-jwt._sd_alg");
  return { digests: DIGESTS.parse(value._sd, "sd-jwt._sd"), statement: STATEMENT.parse(value.hb, "sd-jwt.hb") };
}
function verifyJwt(jwt) {
  const [claims, right] = [jwt.digests.slice(0, jwt.claims), jwt.digests.slice(jwt.claims)];
  if (2 * right.length !== jwt.entry.width || claims.length !== jwt.claims) {
    throw fieldMalformed("sd-jwt._sd", "the claims, then half the entry's width");
  }
  if (new Set(jwt.digests.map(hex)).size !== jwt.digests.length) throw fieldMalformed("sd-jwt._sd", "each digest once");
  requireRoot(jwt.entry.fieldRoot, rootOfDigests(claims, right));
  verifySignature(jwt.key, jwt.signed, jwt.signature);
}

// promise.js
var PROMISE_BYTES = 153;
function decodePromise(data) {
  const reader = new Reader(data);
  if (reader.u8("version") !== 1) throw fieldMalformed("version", "1");
  const promise = {
    logId: reader.b32("log_id"),
    transactionId: reader.b32("transaction_id"),
    entryLeaf: reader.b32("entry_leaf"),
    acceptedTime: reader.u64("accepted_time"),
    acceptedEpoch: reader.u64("accepted_epoch"),
    byEpoch: reader.u64("by_epoch"),
    signer: reader.b32("signer")
  };
  if (promise.byEpoch < promise.acceptedEpoch) throw fieldMalformed("by_epoch", "not before accepted_epoch");
  const signed = readSignature(reader);
  reader.end("promise");
  return { ...promise, ...signed, message: concat(context("promise"), data.slice(0, PROMISE_BYTES)) };
}
function verifyWindow(promise, promiseDelay) {
  const latest = promise.acceptedEpoch + promiseDelay;
  if (promise.byEpoch > latest) throw fieldMismatch("by_epoch", `at most ${latest}`, promise.byEpoch);
}
var verifyPromiseBy = (promise, key) => verifySigned(key, promise.signer, promise.scheme, promise.message, promise.signature);

// verify/decoded.js
var MAX_SIGNATURES = 1024;
var MAX_VRF_PROOFS = 1024;
var TOKEN_SIGNATURES = 8;
var entriesOf = (d) => d.epochs.flatMap((epoch) => epoch.entries.map((entry) => ({ epoch, entry })));
var transactionsOf = (d) => entriesOf(d).flatMap(({ entry }) => entry.transaction === null ? [] : [entry.transaction]);
var allValidators = (d) => [...d.validators, ...d.rotations.flatMap((rotation) => rotation.validators)];
var checkpointOf = (d, note, set) => checkpoint({
  logId: d.genesis.logId,
  treeSize: note.size,
  root: note.root,
  timestamp: checkpointTimestamp(d.genesis, note.size),
  setId: set.setId,
  setHash: set.digest
});
function decode(bundle, roots) {
  const promise = bundle.promise === null ? null : decodePromise(bundle.promise);
  const refusal2 = promise === null ? null : refusalEntry(promise.transactionId);
  const epochs = bundle.epochs.map((part) => decodeEpochPart(part, refusal2));
  const decoded = {
    bundle,
    genesis: decodeGenesis(bundle.genesis.record),
    validators: decodeValidators(bundle.genesis.validators),
    rotations: bundle.rotations.map(decodeRotation),
    notes: bundle.checkpoints.map((part) => parseNote(part.note)),
    epochs,
    governance: bundle.governance === null ? null : decodeGovernancePart(bundle.governance, epochs),
    promise,
    sources: decodeSources(bundle, epochs)
  };
  if (bundle.provenance !== null) parseCanonicalJson(utf8(bundle.provenance), "provenance", MAX_BUNDLE);
  requireFew(decoded, roots);
  return decoded;
}
function requireFew(d, roots) {
  const { bundle } = d;
  const lines = [...d.notes, ...d.rotations.map((rotation) => rotation.note)].map((note) => note.lines.length);
  const sources = [...d.sources.values()].map(signaturesIn);
  const counts = [...lines, ...transactionsOf(d).map((signed) => signed.signatures.length), ...sources];
  let signatures = counts.reduce((total, count2) => total + count2, 0) + (d.promise === null ? 0 : 1);
  signatures += bundle.checkpoints.filter((part) => part.receipt !== null).length;
  signatures += entriesOf(d).filter(({ entry }) => entry.jwt !== null).length;
  if (bundle.certificates.length) {
    const bindings = new Set(allValidators(d).map((validator2) => hex(validator2.part.key_binding)));
    signatures += bundle.certificates.length * roots + bindings.size;
  }
  const tokens = bundle.anchors.filter((anchor) => anchor.type === "rfc3161").length;
  signatures += TOKEN_SIGNATURES * (bundle.renewals.length + tokens);
  const proofs = d.epochs.flatMap((epoch) => epoch.labels).filter(({ label }) => label !== null).length;
  if (signatures > MAX_SIGNATURES) throw tooLong("bundle.signatures", MAX_SIGNATURES, signatures);
  if (proofs > MAX_VRF_PROOFS) throw tooLong("bundle.labels", MAX_VRF_PROOFS, proofs);
}
function decodeSources(bundle, epochs) {
  const shown2 = new Set(epochs.map((epoch) => epoch.record.epoch));
  const found = /* @__PURE__ */ new Map();
  for (const part of bundle.source_evidence) {
    if (part.type !== TYPE) continue;
    if (!shown2.has(part.epoch) || found.has(part.epoch)) {
      throw fieldMalformed("source_evidence.epoch", "an epoch that is shown, once");
    }
    found.set(part.epoch, decodeEvidence(part.data));
  }
  return found;
}
var decodeValidators = (parts) => parts.map((part) => {
  const [legalId, name] = parseName(part.name);
  return { part, legalId, name, binding: decodeKeyBinding(part.key_binding) };
});
function decodeRotation(part) {
  const update = decodeGovernance(part.update);
  if (update.type !== "SetUpdate") throw fieldMalformed("rotations.update", "a SetUpdate record");
  const epoch = decodeEpoch(part.epoch.record);
  const note = parseNote(part.note);
  return { update, epoch, note, validators: decodeValidators(part.validators), part };
}
function decodeGovernancePart(part, epochs) {
  const records = new Map(epochs.map((epoch) => [epoch.record.epoch, epoch.record]));
  const [older, newer] = [records.get(part.from_epoch), records.get(part.to_epoch)];
  if (!older || !newer || older.epoch >= newer.epoch) {
    throw fieldMalformed("governance", "from an epoch shown to a later epoch shown");
  }
  return { older, newer, records: part.records.map((one) => decodeGovernance(one.record)), part };
}
function decodeEpochPart(part, refusal2) {
  if (new Set(part.entries.map((entry) => entry.index)).size !== part.entries.length) {
    throw fieldMalformed("entries", "each once");
  }
  const isRefusal = (entry) => refusal2 !== null && equal(entry.entry, refusal2);
  const refusals = part.entries.filter(isRefusal);
  if (refusals.some((one) => one.disclosures.length || one.transaction !== null || one.issuer_jwt !== null)) {
    throw fieldMalformed("entries", "of a refusal nothing but entry, index and path");
  }
  return {
    record: decodeEpoch(part.record),
    part,
    entries: part.entries.filter((entry) => !isRefusal(entry)).map(decodeEntryPart),
    refusals,
    labels: part.labels.map((one) => ({ label: decodeLabelPart(one), part: one }))
  };
}
function decodeLabelPart(part) {
  const { label, version, proof, value, opening } = part;
  if (label === null || version === null || proof === null) {
    if ([label, version, proof, value, opening].some((member) => member !== null)) {
      throw fieldMalformed("labels", "label, version and proof: all, or none and nothing opened");
    }
    return null;
  }
  const decoded = decodeLabel(label);
  return { label: decoded, version, proof, opened: decodeOpening(decoded, value, opening) };
}
function decodeOpening(label, value, opening) {
  if (value === null || opening === null) {
    if (value !== null || opening !== null) throw fieldMalformed("labels", "value and opening: both or none");
    return null;
  }
  const data = utf8(value);
  return { data, value: label.type === LIFE ? decodeLifeValue(data) : decodeIdentityValue(data), opening };
}
function decodeEntryPart(part) {
  if (pairwise(
    /** @type {Part[]} */
    part.disclosures
  ).some(([older, newer]) => older.index >= newer.index)) {
    throw fieldMalformed("entries.disclosures", "strictly ascending by index");
  }
  const disclosures = part.disclosures.map((one) => parseDisclosure(one.value));
  requireOnce(disclosures.map((one) => one.name));
  const schema2 = disclosures.find((one) => one.name === SCHEMA)?.value;
  if (disclosures.length && typeof schema2 !== "string") {
    throw fieldMalformed(SCHEMA, "a string, disclosed whenever anything is");
  }
  return {
    ...decodeRecordEntry(part.entry),
    part,
    disclosures,
    schema: typeof schema2 === "string" ? schema2 : "",
    transaction: part.transaction === null ? null : decodeTransaction(part.transaction),
    jwt: part.issuer_jwt === null ? null : parseJwt(part.issuer_jwt)
  };
}
var sortedNames = (members2) => Object.keys(members2).sort(compareText);

// verify/names.js
var SELF_STATED = "self-stated";
var CERTIFIED = "certified by a root you trust";
var nameKey = (setId, address) => `${setId} ${hex(address)}`;
var nameOf = (names2, setId, address) => (
  /** @type {Name} */
  names2.get(nameKey(setId, address))
);
function membersAmong(names2) {
  let members2 = [];
  for (const { isCertified, legalId, certificate, key } of names2) {
    if (!isCertified) continue;
    const marks = /* @__PURE__ */ new Set([`id ${legalId}`, hex(certificate), key === null ? "" : hex(key)]);
    const same3 = members2.filter((member) => [...marks].some((mark) => member.has(mark)));
    members2 = [...members2.filter((member) => !same3.includes(member)), /* @__PURE__ */ new Set([...marks, ...same3.flatMap((member) => [...member])])];
  }
  return members2.length;
}
function verifyNames(d, sets, trust) {
  for (const validator2 of allValidators(d)) requireBinding(d, validator2);
  const roots = trust.member_roots.map(readCertificate);
  trust.tsa_roots.forEach(readCertificate);
  const shown2 = certificatesOf(d, roots);
  const at = checkpointTimestamp(d.genesis, d.notes[0].size);
  const verified = /* @__PURE__ */ new Set();
  const names2 = /* @__PURE__ */ new Map();
  for (const { set, shown: validators } of sets) {
    for (const validator2 of validators) {
      const certificate = shown2.get(hex(validator2.part.certificate_hash)) ?? null;
      const binding = hex(validator2.part.key_binding);
      if (certificate !== null && !verified.has(binding)) {
        verifyKeyBinding(validator2.binding, decodeSpki(certificate.spki));
        verified.add(binding);
      }
      names2.set(nameKey(set.setId, validator2.part.address), named(validator2, certificate, at));
    }
  }
  return names2;
}
function requireBinding(d, { part, binding }) {
  requireSame("key_binding.origin_hash", hex(d.genesis.originHash), hex(binding.originHash));
  requireSame("key_binding.certificate_hash", hex(part.certificate_hash), hex(binding.certificateHash));
  requireSame("key_binding.address", hex(part.address), hex(binding.address));
  if (part.mldsa_key !== null) requireSame("validator.mldsa_key", hex(binding.mldsaKeyHash), hex(sha2562(part.mldsa_key)));
}
function certificatesOf(d, roots) {
  const shown2 = d.bundle.certificates.map((data) => showCertificate(data, roots));
  const wanted = new Set(allValidators(d).map(({ part }) => hex(part.certificate_hash)));
  for (const { digest } of shown2) {
    if (!wanted.has(hex(digest))) throw fieldMismatch("certificates", "certificates of the validators shown", hex(digest));
  }
  return new Map(shown2.map((one) => [hex(one.digest), one]));
}
var identityKeys = (d) => new Map(d.bundle.certificates.map((data) => [hex(sha2562(data)), certifiedKey(data)]));
function named(validator2, certificate, at) {
  const basis = certificate === null ? SELF_STATED : basisOf(certificate, validator2, at);
  const letters = [...validator2.name];
  const isCut = basis === CERTIFIED && letters.length > MAX_CERTIFICATE_NAME;
  const name = isCut ? `${letters.slice(0, MAX_CERTIFICATE_NAME).join("")}…` : validator2.name;
  const { legalId } = validator2;
  return {
    name,
    legalId,
    basis,
    certificate: validator2.part.certificate_hash,
    key: certificate === null ? null : sha2562(certificate.spki),
    text: `${name} (${legalId}; ${basis})`,
    isCertified: basis === CERTIFIED
  };
}
function basisOf({ subject, begins, ends }, validator2, at) {
  if (subject === null) return `${SELF_STATED}; its certificate is of an issuer you did not name`;
  if (at < begins || at > ends) return `${SELF_STATED}; its certificate was not valid at the checkpoint's time`;
  if (!subject.isIdentity) return `${SELF_STATED}; its certificate is not for an identity key`;
  if (!holdsName(subject, validator2.name, validator2.legalId)) return `${SELF_STATED}; its certificate names somebody else`;
  return CERTIFIED;
}
function verifyTransactions(d) {
  for (const { epoch, entry } of entriesOf(d)) {
    if (entry.transaction === null) continue;
    const { body } = entry.transaction;
    if (body.entry === null || !equal(body.entry, entry.part.entry)) {
      throw fieldMismatch("transaction.entry", b64u(entry.part.entry), "another entry");
    }
    if (body.expiresEpoch < epoch.record.epoch) {
      throw fieldMismatch("transaction.expires_epoch", `>= ${epoch.record.epoch}`, body.expiresEpoch);
    }
    verifyStateless(entry.transaction, d.genesis.logId);
    if (RECORD_TYPES.has(entry.recordType)) requireTypedClaims(body, body.entry);
  }
  for (const { epoch, entry } of entriesOf(d)) {
    if (entry.jwt === null) continue;
    requireStatement(d, epoch, entry, entry.jwt);
    verifyJwt(entry.jwt);
  }
}
function requireStatement(d, epoch, entry, jwt) {
  const origin = entry.disclosures.find((disclosure2) => disclosure2.name === ORIGIN)?.value;
  requireSame("issuer_jwt.log", hex(d.genesis.logId), hex(jwt.log));
  requireSame("issuer_jwt.epoch", epoch.record.epoch, jwt.epoch);
  requireSame("issuer_jwt.entry", b64u(entry.part.entry), b64u(jwt.entryBytes));
  requireSame("issuer_jwt.key", pyText(origin), keyIdText(jwt.key.keyId));
}

// verify/brakes.js
var holdsAtTheEndOf = ({ begun, until, ended }, epoch) => begun <= epoch && epoch <= until && (ended === null || epoch < ended);
var fills = (stop, epoch) => stop.begun < epoch && holdsAtTheEndOf(stop, epoch);
var brakesOf = (looked) => looked.stops.filter((stop) => stop.notice.noticeType === ON_NOTICE);
function verifyBrakes(d) {
  const keys = keysOf(d);
  const types = entriesOf(d).map(({ entry }) => entry.recordType);
  const signed = new Map(entriesOf(d).filter(({ entry }) => entry.transaction !== null).map(({ entry }) => [hex(leafHash(entry.part.entry)), entry.transaction]));
  const looked = { d, keys, scopes: scopesByHash(types, keys), signed, stops: [] };
  followNotices(looked);
  requireFlags(looked);
  const passed = entriesOf(d).flatMap(({ epoch, entry }) => requireUnbraked(looked, epoch.record.epoch, entry));
  return { facts: looked.stops.map(brakeFact), warnings: [...flagged(looked), ...passed] };
}
function keysOf(d) {
  const members2 = (d.governance?.records ?? []).filter((record2) => record2.type === "MemberUpdate").map((record2) => record2.keyId);
  const signed = transactionsOf(d).flatMap(({ body }) => [body.submitter, ...body.authorisers]);
  const found = [...[...identityKeys(d).values()].map((key) => key.keyId), ...members2, ...signed];
  return [.../* @__PURE__ */ new Set([...found.map(keyIdText), ...entriesOf(d).flatMap(({ entry }) => originsOf(entry))])];
}
function followNotices(looked) {
  const shown2 = looked.d.governance;
  const standing2 = /* @__PURE__ */ new Map();
  const leaves = /* @__PURE__ */ new Map();
  shown2?.records.forEach((notice2, i) => {
    if (notice2.type !== "Notice" || !isStop(notice2)) return;
    const { index } = shown2.part.records[i];
    const at = epochOfNotice(looked.d, index, notice2);
    leaves.set(hex(notice2.entryLeaf), notice2.noticeType);
    takeNotice(looked, standing2, stopOf(looked, index, notice2, at), at);
  });
  requireNoticed(looked.d, leaves);
}
function takeNotice({ stops }, standing2, stop, at) {
  const { noticeType, subjectHash } = stop.notice;
  const isBrake = noticeType === ON_NOTICE || noticeType === OFF_NOTICE;
  const subject = hex(subjectHash);
  const before = isBrake ? standing2.get(subject) : void 0;
  let begun = stop.begun;
  if (before !== void 0) {
    standing2.delete(subject);
    if (noticeType === ON_NOTICE && holdsAtTheEndOf(stops[before], at)) begun = stops[before].begun;
    stops[before] = { ...stops[before], off: stop.notice, ended: at };
  }
  if (noticeType === ON_NOTICE) standing2.set(subject, stops.length);
  if (noticeType !== OFF_NOTICE || before === void 0) stops.push({ ...stop, begun });
}
function stopOf(looked, index, notice2, at) {
  const until = notice2.until ? epochOf(looked.d.genesis, notice2.until) - 1 : 0;
  const reason = reasonOf(notice2, until, looked.keys);
  const isBrake = notice2.noticeType === ON_NOTICE || notice2.noticeType === OFF_NOTICE;
  const scope = isBrake ? looked.scopes.get(hex(notice2.subjectHash)) ?? "" : "";
  return { notice: notice2, index, scope: toldByItsRecord(looked, notice2) || scope, reason, begun: at, until, off: null, ended: null };
}
function toldByItsRecord({ d, signed }, notice2) {
  const transaction = signed.get(hex(notice2.entryLeaf));
  if (transaction === void 0) return "";
  const claims = new Map([...claimsOf(transaction.body)].map(([name, claim]) => [name, claim.value]));
  let told = pyText(claims.get("scope"));
  let subject = told;
  if (!claims.has("scope")) {
    const objects = [...claims.keys()].filter((name) => name.startsWith("object.")).sort(byRow).map((name) => pyText(claims.get(name)));
    told = `order ${pyText(claims.get("order"))} on ${objects.join(", ")}`;
    subject = { order: claims.get("order") ?? null, objects };
  }
  requireSame("notice.subject_hash", hex(textHash(subject)), hex(notice2.subjectHash));
  const until = Number(claims.get("until_epoch") ?? 0);
  requireSame("notice.until", until ? closedAt(d.genesis, until) : 0, notice2.until);
  return told;
}
var byRow = (one, other) => rowOf(one) - rowOf(other);
var rowOf = (name) => Number(/\.([0-9]+)$/.exec(name)?.[1] ?? 0);
function requireNoticed(d, leaves) {
  const known = pairwise(d.epochs.map(({ record: record2 }) => record2)).filter(([before, after]) => before.governanceSize === after.governanceSize);
  if (d.governance !== null) known.push([d.governance.older, d.governance.newer]);
  for (const { epoch, entry } of entriesOf(d)) {
    const wanted = NOTICES.get(entry.recordType);
    const number2 = epoch.record.epoch;
    if (wanted === void 0 || !known.some(([older, newer]) => older.epoch < number2 && number2 <= newer.epoch)) continue;
    const leaf = hex(leafHash(entry.part.entry));
    requireSame(`notice of record ${leaf}`, `type ${wanted}`, `type ${leaves.get(leaf) ?? "none"}`);
  }
}
function epochOfNotice(d, index, notice2) {
  const at = epochOf(d.genesis, notice2.time);
  for (const { record: record2 } of d.epochs) {
    const isBefore = index < record2.governanceSize;
    if (isBefore !== at <= record2.epoch) {
      const expected = `${isBefore ? "before" : "after"} the end of epoch ${record2.epoch}, as index ${index}`;
      throw fieldMismatch("notice.time", expected, `epoch ${at}`);
    }
  }
  return at;
}
function requireFlags(looked) {
  const records = looked.d.epochs.map(({ record: record2 }) => record2);
  for (const [before, after] of pairwise(records)) {
    if (before.governanceSize === after.governanceSize && flagOf(after) > flagOf(before)) {
      throw wrongFlag(after, "0: no notice since a record without it");
    }
  }
  const shown2 = looked.d.governance;
  if (shown2 === null) return;
  for (const record2 of records) {
    if (record2.epoch <= shown2.older.epoch || record2.epoch > shown2.newer.epoch) continue;
    const on = brakesOf(looked).some((stop) => holdsAtTheEndOf(stop, record2.epoch));
    if (on && !flagOf(record2)) throw wrongFlag(record2, "1: a notice says that a brake was on");
    if (flagOf(record2) && !on && !flagOf(shown2.older)) {
      throw wrongFlag(record2, `0: no notice of a brake since epoch ${shown2.older.epoch}`);
    }
  }
}
var flagOf = (record2) => record2.flags & BRAKE_ON;
var wrongFlag = (record2, expected) => fieldMismatch(`flags of epoch ${record2.epoch}`, expected, flagOf(record2));
var flagged = (looked) => looked.d.epochs.filter(({ record: record2 }) => flagOf(record2)).map(({ record: record2 }) => {
  const on = brakesOf(looked).filter((stop) => holdsAtTheEndOf(stop, record2.epoch));
  const told = on.map((stop) => stop.scope || `scope with hash ${hex(stop.notice.subjectHash)}`).join(", ");
  return `the brake was on when epoch ${record2.epoch} closed: ${told || "of what, by whom and why is not shown"}`;
});
function requireUnbraked(looked, epoch, entry) {
  const [kind, leaf] = [entry.recordType, hex(leafHash(entry.part.entry))];
  const body = entry.transaction?.body;
  const stopping = new Set(scopesOf(kind, body ? [body.submitter, ...body.authorisers].map(keyIdText) : originsOf(entry)));
  return brakesOf(looked).flatMap((stop) => {
    if (PASSING.has(kind) && holdsAtTheEndOf(stop, epoch)) {
      return [`record ${leaf} of type ${eventCode(kind)} stands in epoch ${epoch}: no brake stops this type`];
    }
    if (!stopping.has(stop.scope)) return [];
    if (fills(stop, epoch)) {
      throw fieldMismatch("brake", `nothing of ${stop.scope} in epoch ${epoch}: the brake was on`, `record ${leaf} of ${eventCode(kind)}`);
    }
    if (epoch !== stop.begun && epoch !== stop.ended) return [];
    const change = epoch === stop.begun ? "pulled" : "taken off";
    return [`record ${leaf} stands in epoch ${epoch}, in which the brake on ${stop.scope} was ${change}`];
  });
}
var originsOf = (entry) => entry.disclosures.filter((shown2) => shown2.name === ORIGIN).map((shown2) => pyText(shown2.value));
function brakeFact({ notice: notice2, index, scope, reason, off }) {
  const names2 = /* @__PURE__ */ new Map([[ON_NOTICE, "brake"], [OFF_NOTICE, "brake off"], [FREEZE_NOTICE, "freeze"]]);
  return {
    what: names2.get(notice2.noticeType) ?? "lift",
    index,
    scope,
    scope_hash: notice2.subjectHash,
    since: notice2.time,
    until: notice2.until,
    by: reason.by,
    reason_code: reason.code,
    reason_hash: notice2.detailHash,
    record: notice2.entryLeaf,
    ended: off === null ? null : off.time,
    ended_by: off === null ? null : off.entryLeaf
  };
}

// absence.js
var neighboursOf = ({ left, right }) => (
  /** @type {Neighbour[]} */
  [left, right].filter((side) => side !== null)
);
function verifyAbsence(absence, size, root) {
  const { left, right } = absence;
  if (left === null && right === null) throw fieldMalformed("absence", "at least one neighbour");
  const before = left === null ? -1 : left.index;
  const after = right === null ? size : right.index;
  if (after !== before + 1) throw fieldMalformed("absence", "neighbours at adjacent places, or one at its end of the batch");
  const leaves = [left?.leaf, absence.leaf, right?.leaf].filter((leaf) => leaf !== void 0);
  if (!isAscending(leaves.map((leaf) => asDigest(leaf, "absence.leaf")))) {
    throw fieldMalformed("absence", "left < leaf < right");
  }
  for (const one of neighboursOf(absence)) verifyInclusion(one.leaf, one.index, size, one.path, root);
}

// registry-proof.js
var BITS2 = 256;
var OURS = { leafTag: Uint8Array.of(2), innerTag: Uint8Array.of(3), empty: ZERO };
function verifyRegistry(root, key, terminal, path, rules = OURS) {
  requireRules(rules);
  const calculated = registryRoot(key, terminal, path, rules);
  requireRoot(asDigest(root, "registry_root"), calculated);
  return terminal !== null && equal(terminal[0], key) ? terminal[1] : null;
}
function requireRules(rules) {
  asDigest(rules.empty, "rules.empty");
  if (equal(rules.leafTag, rules.innerTag)) throw fieldMalformed("rules.inner_tag", "another tag than that of leaves");
}
function registryRoot(index, terminal, path, rules) {
  if (!Array.isArray(path)) throw fieldMalformed("registry.path", "a sequence");
  if (path.length > BITS2) throw refusal("PathLength", { expected: BITS2, got: path.length });
  let bits2 = prefix(asDigest(index, "registry.index"), path.length);
  const siblings = path.map((sibling) => asDigest(sibling, "registry.path"));
  if (siblings.length && equal(siblings[0], rules.empty)) throw refusal("TerminalMalformed");
  let value = rules.empty;
  if (terminal !== null) {
    const [key, held2] = requirePair(terminal);
    if (prefix(key, path.length) !== bits2) throw refusal("TerminalMalformed");
    value = sha2562(concat(rules.leafTag, key, held2));
  }
  for (const sibling of siblings) {
    value = sha2562(bits2 & 1n ? concat(rules.innerTag, sibling, value) : concat(rules.innerTag, value, sibling));
    bits2 >>= 1n;
  }
  return value;
}
function requirePair(terminal) {
  if (!Array.isArray(terminal)) throw fieldMalformed("terminal", "a sequence");
  if (terminal.length !== 2) throw refusal("TerminalMalformed");
  return [asDigest(terminal[0], "terminal.index"), asDigest(terminal[1], "terminal.commitment")];
}
var prefix = (index, count2) => toBig(index) >> BigInt(BITS2 - count2);

// verify/paths.js
var inclusion = (data, index, size, path, root) => ({ leaf: () => leafHash(data), index, size, path, root });
function inclusions(d) {
  const [first] = d.notes;
  const { genesis } = d.bundle;
  const found = [inclusion(genesis.record, 0, first.size, genesis.path, first.root)];
  for (const { part, epoch, note } of d.rotations) {
    found.push(inclusion(part.epoch.record, epoch.epoch, note.size, part.epoch.path, note.root));
    found.push(inclusion(part.update, part.index, epoch.governanceSize, part.path, epoch.governanceRoot));
  }
  for (const epoch of d.epochs) {
    found.push(inclusion(epoch.part.record, epoch.record.epoch, first.size, epoch.part.path, first.root), ...inEpoch(epoch));
  }
  if (d.governance !== null) {
    const { governanceSize, governanceRoot } = d.governance.newer;
    for (const one of d.governance.part.records) found.push(inclusion(one.record, one.index, governanceSize, one.path, governanceRoot));
  }
  return found;
}
function inEpoch({ record: record2, refusals, entries }) {
  const inBatch = (part) => inclusion(part.entry, part.index, record2.batchSize, part.path, record2.batchRoot);
  const found = refusals.map(inBatch);
  for (const { part, width, fieldRoot, disclosures } of entries) {
    found.push(inBatch(part));
    disclosures.forEach(({ digest }, i) => {
      const shown2 = part.disclosures[i];
      found.push(inclusion(digest, shown2.index, width, shown2.path, fieldRoot));
    });
  }
  return found;
}
function consistencies(d) {
  const [first] = d.notes;
  const found = d.rotations.map(({ note, part }) => between(note, first, part.consistency));
  pairwise(d.notes).forEach(([older, newer], i) => found.push(between(older, newer, d.bundle.checkpoints[i + 1].consistency)));
  if (d.governance !== null) {
    const { older, newer, part } = d.governance;
    found.push({
      oldSize: older.governanceSize,
      newSize: newer.governanceSize,
      path: part.consistency,
      oldRoot: older.governanceRoot,
      newRoot: newer.governanceRoot
    });
  }
  return found;
}
var between = (older, newer, path) => ({ oldSize: older.size, newSize: newer.size, path, oldRoot: older.root, newRoot: newer.root });
var absences = (d) => d.epochs.flatMap((epoch) => epoch.part.absences.map((absence) => ({ epoch, absence })));
function follow(epoch, part) {
  const terminal = part.terminal === null ? null : [part.terminal.index, part.terminal.commitment];
  verifyRegistry(epoch.record.registryRoot, part.index, terminal, part.path);
}

// verify/log.js
function requireArithmetic(d) {
  if (d.bundle.checkpoints[0].consistency.length) throw fieldMalformed("checkpoints[0].consistency", "empty");
  if (d.notes[0].size < 2) throw fieldMalformed("checkpoints[0].size", "at least 2; size 1 is the log id itself");
  if (pairwise(d.notes).some(([older, newer]) => older.size >= newer.size)) {
    throw fieldMalformed("checkpoints", "sizes strictly ascending");
  }
  if (!isAscending(d.bundle.certificates.map(sha2562))) throw fieldMalformed("certificates", "strictly ascending by hash");
  requireEpochs(d);
  requireGovernance(d);
  requireLengths(d);
}
function requireLengths(d) {
  for (const { index, size, path } of inclusions(d)) requireLength(inclusionLength(index, size), path);
  for (const { oldSize, newSize, path } of consistencies(d)) requireLength(consistencyLength(oldSize, newSize), path);
  for (const { epoch, absence } of absences(d)) {
    for (const { index, path } of neighboursOf(absence)) requireLength(inclusionLength(index, epoch.record.batchSize), path);
  }
}
function requireLength(expected, path) {
  if (expected !== path.length) throw refusal("PathLength", { expected, got: path.length });
}
function requireEpochs(d) {
  if (pairwise(d.epochs).some(([older, newer]) => older.record.epoch >= newer.record.epoch)) {
    throw fieldMalformed("epochs", "strictly ascending");
  }
  const records = allRecords(d);
  for (const record2 of records) {
    verifyEpoch(d.genesis, record2.epoch, record2);
    if (record2.epoch === 1) verifyFirst(d.genesis, record2);
  }
  for (const [before, after] of pairwise(records)) {
    if (after.epoch === before.epoch + 1) verifyNext(d.genesis, before, after);
    requireGrowth(before, after);
  }
}
function allRecords(d) {
  const records = /* @__PURE__ */ new Map();
  const shown2 = [
    ...d.epochs.map(({ record: record2, part }) => ({ record: record2, bytes: part.record })),
    ...d.rotations.map(({ epoch, part }) => ({ record: epoch, bytes: part.epoch.record }))
  ];
  for (const one of shown2) {
    const { epoch } = one.record;
    const before = records.get(epoch) ?? one;
    if (!equal(before.bytes, one.bytes)) throw fieldMismatch("rotations.epoch", `the record of epoch ${epoch}`, "another");
    records.set(epoch, before);
  }
  return [...records.values()].map(({ record: record2 }) => record2).sort((a, b) => a.epoch - b.epoch);
}
function requireGrowth(older, newer) {
  for (const [name, field] of [["endBlock", "end_block"], ["governanceSize", "governance_size"], ["setId", "set_id"]]) {
    if (newer[name] < older[name]) throw fieldMismatch(`epoch.${field}`, `>= ${older[name]}`, newer[name]);
  }
  if (newer.firstBlock < older.endBlock) throw fieldMismatch("epoch.first_block", `>= ${older.endBlock}`, newer.firstBlock);
  if (newer.governanceSize === older.governanceSize) {
    requireSame("epoch.governance_root", hex(older.governanceRoot), hex(newer.governanceRoot));
  }
}
function requireGovernance(d) {
  if (d.governance === null) return;
  const [least, end] = [d.governance.older.governanceSize, d.governance.newer.governanceSize];
  const { records } = d.governance.part;
  const wanted = Math.max(end - least, 0);
  if (records.length !== wanted || records.some((one, i) => one.index !== least + i)) {
    throw fieldMalformed("governance.records", `every index from ${least} below ${end}, once`);
  }
}
function requireIdentity(d) {
  const { genesis } = d.bundle;
  const logId = hex(d.genesis.logId);
  requireSame("genesis.origin", hex(d.genesis.originHash), hex(sha2562(utf8(genesis.origin))));
  if (genesis.mldsa_key !== null) requireSame("genesis.mldsa_key", hex(d.genesis.logMldsaKeyHash), hex(sha2562(genesis.mldsa_key)));
  for (const note of [...d.notes, ...d.rotations.map((rotation) => rotation.note)]) requireSame("note.origin", genesis.origin, note.origin);
  for (const { update } of d.rotations) requireSame("set_update.log_id", logId, hex(update.logId));
  for (const record2 of d.governance?.records ?? []) requireSame("governance.log_id", logId, hex(record2.logId));
  for (const { body } of transactionsOf(d)) requireSame("transaction.log_id", logId, hex(body.logId));
  if (d.promise !== null) requireSame("promise.log_id", logId, hex(d.promise.logId));
}
function verifyPaths(d) {
  for (const one of inclusions(d)) verifyInclusion(one.leaf(), one.index, one.size, one.path, one.root);
  for (const one of consistencies(d)) verifyConsistency(one.oldSize, one.newSize, one.path, one.oldRoot, one.newRoot);
  for (const { epoch, absence } of absences(d)) verifyAbsence(absence, epoch.record.batchSize, epoch.record.batchRoot);
  for (const epoch of d.epochs) for (const part of epoch.part.labels) follow(epoch, part);
  requireOrder(d);
  for (const { entry } of entriesOf(d)) requireHalves(entry);
}
function requireHalves({ recordType, width, schema: name, disclosures, part }) {
  const schema2 = SCHEMAS.get(name);
  if (schema2 !== void 0) requireSame("_schema", eventCode(recordType), eventCode(schema2.recordType));
  disclosures.forEach((disclosure2, i) => {
    const half = halfOf(part.disclosures[i].index < width / 2);
    requireHalf(disclosure2.name, half);
    if (schema2 === void 0 || RESERVED.has(disclosure2.name)) return;
    const found = findField(schema2, disclosure2.name);
    requireSame(disclosure2.name, found.half, half);
    requireKind(found.kind, disclosure2.value, disclosure2.name);
  });
}
function requireOrder(d) {
  const stands = /* @__PURE__ */ new Map();
  for (const epoch of d.epochs) {
    requireAscending2(epoch);
    const number2 = epoch.record.epoch;
    for (const { entry } of epoch.part.entries) {
      const leaf = hex(leafHash(entry));
      const at = stands.get(leaf) ?? number2;
      if (at !== number2) throw fieldMismatch("entry", `in epoch ${at} alone`, `again in ${number2}`);
      stands.set(leaf, at);
    }
  }
}
function requireAscending2({ part }) {
  const leaves = /* @__PURE__ */ new Map();
  for (const { index, entry } of part.entries) leaves.set(index, leafHash(entry));
  for (const absence of part.absences) for (const { index, leaf } of neighboursOf(absence)) leaves.set(index, leaf);
  const ordered = [...leaves].sort(([one], [other]) => one - other);
  for (const [[index, leaf], [other, following]] of pairwise(ordered)) {
    if (compare(leaf, following) >= 0) {
      throw fieldMismatch("batch.leaves", "strictly ascending", `${hex(leaf)} at ${index}, ${hex(following)} at ${other}`);
    }
  }
}

// exports/cose-receipt.js
var EDDSA = Uint8Array.of(39);
var CWT_ISSUER = Uint8Array.of(161, 1);
var VDS_RFC9162 = Uint8Array.of(25, 1, 139, 1);
function head(major, length) {
  if (length < 24) return Uint8Array.of(major << 5 | length);
  if (length < 256) return Uint8Array.of(major << 5 | 24, length);
  return Uint8Array.of(major << 5 | 25, length >> 8, length & 255);
}
var byteString = (data) => concat(head(2, data.length), data);
var textString = (text3) => concat(head(3, utf8(text3).length), utf8(text3));
var protectedHeader = (origin, keyHash) => concat(Uint8Array.of(164, 1), EDDSA, Uint8Array.of(4), byteString(keyHash), Uint8Array.of(15), CWT_ISSUER, textString(origin), VDS_RFC9162);
function toBeSigned(origin, receiptKey, root) {
  const header2 = byteString(protectedHeader(origin, sha2562(receiptKey)));
  return concat(Uint8Array.of(132), textString("Signature1"), header2, byteString(new Uint8Array()), byteString(root));
}
function verifyRoot(genesis, origin, root, signature) {
  if (isZero(genesis.receiptKey)) throw fieldMalformed("receipt", "of a log whose genesis record names a receipt key");
  verifySignature(ed25519Key(genesis.receiptKey), toBeSigned(origin, genesis.receiptKey, root), signature);
}

// tlog-policy.js
var MAX_POLICY = 1 << 16;
var MAX_NAMES = 256;
var NONE = "none";
function parsePolicy(text3) {
  if (characters(text3) > MAX_POLICY) throw tooLong("tlog_policy", MAX_POLICY, characters(text3));
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text3) || text3 && !text3.endsWith("\n")) {
    throw fieldMalformed("tlog_policy", "lines that end with a line feed, no control character but tab");
  }
  const draft = { logs: [], nodes: /* @__PURE__ */ new Map(), taken: /* @__PURE__ */ new Set(), quorum: null };
  text3.split("\n").forEach((line, i) => {
    const items = line.split(/[ \t]+/).filter((item2) => item2);
    if (items.length && !items[0].startsWith("#")) readLine(draft, items, `tlog_policy line ${i + 1}`);
  });
  if (draft.quorum === null) throw fieldMalformed("tlog_policy", "exactly one quorum line");
  return { logs: draft.logs, nodes: draft.nodes, quorum: draft.quorum };
}
function readLine(draft, [word, ...rest], field) {
  if (word === "log" && (rest.length === 1 || rest.length === 2)) readLog(draft, rest[0], field);
  else if (word === "witness" && (rest.length === 2 || rest.length === 3)) readWitness(draft, rest[0], rest[1], field);
  else if (word === "group" && rest.length >= 3) readGroup(draft, rest, field);
  else if (word === "quorum" && rest.length === 1 && draft.quorum === null && (rest[0] === NONE || draft.nodes.has(rest[0]))) {
    [draft.quorum] = rest;
  } else throw fieldMalformed(field, "log, witness, group, or one quorum of a name defined before");
  const names2 = draft.logs.length + draft.nodes.size;
  if (names2 > MAX_NAMES) throw tooLong(field, MAX_NAMES, names2);
}
function readLog(draft, text3, field) {
  const key = keyOfKind(text3, [TYPE_ED25519, TYPE_MLDSA], field);
  require2(!draft.logs.some((log) => equal(log.key, key.key)), field, "each log key once");
  draft.logs.push(key);
}
function readWitness(draft, name, text3, field) {
  const key = keyOfKind(text3, [TYPE_COSIGNATURE, TYPE_MLDSA], field);
  const isKnown2 = [...draft.nodes.values()].some((node) => node.key !== null && equal(node.key.key, key.key));
  require2(!isKnown2, field, "each witness key once");
  define(draft, name, { key, threshold: 0, members: [] }, field);
}
function readGroup(draft, [name, threshold, ...members2], field) {
  for (const member of members2) {
    require2(draft.nodes.has(member), field, "members defined before");
    require2(!draft.taken.has(member), field, "each name a member once");
    draft.taken.add(member);
  }
  const number2 = /^[1-9][0-9]{0,3}$/.test(threshold) ? Number(threshold) : 0;
  const needed = threshold === "all" ? members2.length : threshold === "any" ? 1 : number2;
  require2(needed >= 1 && needed <= members2.length, field, "all, any, or a number from 1 to that of the members");
  define(draft, name, { key: null, threshold: needed, members: members2 }, field);
}
function define(draft, name, node, field) {
  require2(name !== NONE && !draft.nodes.has(name), field, "each name once, and not the name none");
  draft.nodes.set(name, node);
}
function keyOfKind(text3, kinds, field) {
  const key = parseVkey(text3);
  require2(kinds.some((kind) => equal(kind, key.kind)), field, "a key of the type that logs or witnesses have");
  return key;
}
function require2(fact, field, rule) {
  if (!fact) throw fieldMalformed(field, rule);
}
var witnessesOf = (policy) => [...policy.nodes].flatMap(([name, { key }]) => key === null ? [] : [[name, key]]);
function isMet(policy, cosigned) {
  const met = /* @__PURE__ */ new Map([[NONE, true]]);
  for (const [name, node] of policy.nodes) {
    met.set(name, node.key !== null ? cosigned.includes(name) : node.members.filter((member) => met.get(member)).length >= node.threshold);
  }
  return met.get(policy.quorum) === true;
}

// verify/signers.js
var FIRST_SET = 1;
var responsible = (sets, size) => {
  const found = sets.filter((known) => known.firstSize <= size);
  return found[found.length - 1].set;
};
function verifySets(d) {
  const sets = [{ firstSize: 1, set: openedSet(FIRST_SET, d.validators, d.genesis.setHash), shown: d.validators }];
  const replaced = new Set((d.governance?.records ?? []).filter((one) => one.type === "SetUpdate").map((one) => hex(one.replaces)));
  for (const { update, epoch, note, validators, part } of d.rotations) {
    const old = sets[sets.length - 1];
    verifySuccession(update, old.set, epoch.epoch);
    if (replaced.has(hex(leafHash(part.update)))) throw fieldMismatch("rotations.update", "of a set that took charge", "of one replaced");
    if (note.size < old.firstSize || note.size >= update.effectiveFromSize) {
      throw fieldMismatch("rotations.note.size", `${old.firstSize} to ${update.effectiveFromSize - 1}`, note.size);
    }
    requireEpochSet(epoch, sets);
    verifyNote(d, note, old.set, /* @__PURE__ */ new Set());
    const set = openedSet(update.setId, validators, update.setHash);
    sets.push({ firstSize: update.effectiveFromSize, set, shown: validators });
  }
  for (const { record: record2 } of d.epochs) requireEpochSet(record2, sets);
  return sets;
}
function openedSet(setId, shown2, expected) {
  const entries = shown2.map(({ part, binding }) => ({
    address: part.address,
    nameHash: sha2562(utf8(part.name)),
    certificateHash: part.certificate_hash,
    keyBindingHash: binding.digest
  }));
  const set = validatorSet(setId, entries);
  if (!equal(set.digest, expected)) throw refusal("SetMismatch", { expected, calculated: set.digest });
  return set;
}
function requireEpochSet(record2, sets) {
  const set = responsible(sets, record2.epoch + 1);
  requireSame("epoch.set_id", set.setId, record2.setId);
  if (!equal(record2.setHash, set.digest)) throw refusal("SetMismatch", { expected: record2.setHash, calculated: set.digest });
}
function verifyNotes(d, sets, trust) {
  const policy = trust.tlog_policy === null ? null : parsePolicy(trust.tlog_policy);
  const signed = d.notes.map((note) => {
    const named3 = d.bundle.anchors.filter((one) => one.type === "witness" && one.tree_size === note.size);
    return verifyNote(d, note, responsible(sets, note.size), new Set(named3.map((one) => one.name)));
  });
  d.bundle.checkpoints.forEach((part, i) => {
    if (part.receipt !== null) verifyRoot(d.genesis, d.notes[i].origin, d.notes[i].root, part.receipt);
  });
  return policy === null ? signed : signed.map((one) => withCosignatures(one, policy));
}
function withCosignatures(signed, policy) {
  const known = new Map(witnessesOf(policy).map(([name, key]) => [placeOf(key), { name, key }]));
  const cosigned = /* @__PURE__ */ new Map();
  for (const line of signed.witnessing) {
    const found = known.get(placeOf(line));
    if (found === void 0) continue;
    if (cosigned.has(found.name)) throw fieldMalformed("note.lines", "one line of each witness");
    verifyLine(found.key, line, signed.note.body);
    cosigned.set(found.name, cosignedAt(line));
  }
  const witnessing = signed.witnessing.filter((line) => !known.has(placeOf(line)));
  return { ...signed, witnessing, cosigned: [...cosigned] };
}
function verifyNote(d, note, set, witnesses2) {
  const members2 = new Map(set.entries.map(({ address }) => [placeOf(quorumKey(note, address)), address]));
  const logPlace = placeOf(logKeyOf(note, d.genesis.logKey));
  const postQuantum = postQuantumKeys(d, note, set);
  const isOther = (place) => !members2.has(place) && !postQuantum.has(place) && place !== logPlace;
  const others = note.lines.filter((line) => isOther(placeOf(line)));
  if (others.some((line) => !witnesses2.has(line.name))) {
    throw fieldMalformed("note.lines", "lines of the log key, of responsible validators, of witnesses named in anchors");
  }
  if (note.lines.filter((line) => placeOf(line) === logPlace).length !== 1) {
    throw fieldMalformed("note.lines", "one line of the log key");
  }
  const signers = note.lines.flatMap((line) => members2.get(placeOf(line)) ?? []);
  if (signers.length < set.quorum) throw refusal("BelowQuorum", { needed: set.quorum, got: signers.length });
  quorumSignatures(note, set, checkpointOf(d, note, set));
  verifyLogLine(note, d.genesis.logKey);
  for (const line of note.lines) {
    const key = postQuantum.get(placeOf(line));
    if (key !== void 0) verifyLine(key, line, note.body);
  }
  return { note, set, signers, witnessing: others, cosigned: [] };
}
function postQuantumKeys(d, note, set) {
  const placed = (address, digest) => `${hex(address)} ${hex(digest)}`;
  const parts = new Map(allValidators(d).map(({ part, binding }) => [placed(part.address, binding.digest), part.mldsa_key]));
  const shown2 = [[note.origin, d.bundle.genesis.mldsa_key], ...set.entries.map((entry) => [
    quorumName(note.origin, entry.address),
    parts.get(placed(entry.address, entry.keyBindingHash)) ?? null
  ])];
  const keys = shown2.filter(([, key]) => key !== null).map(([name, key]) => verifierKey(name, TYPE_MLDSA, key));
  const known = new Map(keys.map((key) => [placeOf(key), key]));
  const lines = note.lines.map(placeOf).filter((place) => known.has(place));
  if (new Set(lines).size !== lines.length) throw fieldMalformed("note.lines", "one line of each post-quantum key");
  return known;
}

// verify/promise.js
var isBroken = (owed) => owed.signer !== null && owed.unshown === null;
function promiseMissing({ signer, unshown: unshown2 }) {
  const lacks = signer === null ? ["the certificate of the validator that signed the promise"] : [];
  if (unshown2 !== null) {
    const which = unshown2.first === unshown2.last ? `epoch ${unshown2.first}` : `epochs ${unshown2.first} to ${unshown2.last}`;
    lacks.push(`the absence of entry and refusal in ${which}`);
  }
  return lacks.join(", and ");
}
function verifyPromise(d, sets, names2) {
  const { promise } = d;
  if (promise === null) return null;
  verifyWindow(promise, d.genesis.promiseDelay);
  const signer = signerOf2(d, promise, sets, names2);
  const owed = /* @__PURE__ */ new Map([[hex(promise.entryLeaf), "entry"], [hex(leafHash(refusalEntry(promise.transactionId))), "refusal"]]);
  const late2 = /* @__PURE__ */ new Set();
  for (const { epoch, leaf } of standing(d)) {
    const what = owed.get(hex(leaf));
    if (what === void 0) continue;
    if (epoch <= promise.byEpoch) throw refusal("NotOmitted", { epoch, what, leaf });
    late2.add(epoch);
  }
  return { promise, signer, unshown: unshown(d, promise, [...owed.keys()]), late: [...late2].sort((one, other) => one - other) };
}
function signerOf2(d, promise, sets, names2) {
  const size = promise.acceptedEpoch + 1;
  const set = responsible(sets, size);
  const keys = identityKeys(d);
  let shown2 = 0;
  for (const { certificateHash, address } of set.entries) {
    const key = keys.get(hex(certificateHash));
    if (key === void 0) continue;
    if (equal(key.keyId, promise.signer)) {
      verifyPromiseBy(promise, key);
      return nameOf(names2, set.setId, address);
    }
    shown2++;
  }
  if (shown2 === set.entries.length && size <= d.notes[d.notes.length - 1].size) {
    throw fieldMismatch("promise.signer", `the identity key of a validator of set ${set.setId}`, hex(promise.signer));
  }
  return null;
}
function standing(d) {
  const found = d.epochs.flatMap(({ record: record2, entries, refusals }) => [...entries.map((entry) => entry.part), ...refusals].map((part) => ({ epoch: record2.epoch, leaf: leafHash(part.entry) })));
  const beside = absences(d).flatMap(({ epoch, absence }) => neighboursOf(absence).map(({ leaf }) => ({ epoch: epoch.record.epoch, leaf })));
  return [...found, ...beside];
}
function unshown(d, promise, owed) {
  const shown2 = new Map(d.epochs.map(({ record: record2, part }) => [record2.epoch, new Set(part.absences.map((one) => hex(one.leaf)))]));
  const lacking = [];
  for (let epoch = promise.acceptedEpoch; epoch <= promise.byEpoch; epoch++) {
    if (!owed.every((leaf) => shown2.get(epoch)?.has(leaf))) lacking.push(epoch);
  }
  return lacking.length ? { first: lacking[0], last: lacking[lacking.length - 1] } : null;
}

// rlp.js
var MAX_DEPTH = 16;
var encodeShort = (value) => value.length === 1 && value[0] < 128 ? value : concat(Uint8Array.of(128 + value.length), value);
function uintBytes(value) {
  const digits = value === 0 ? "" : value.toString(16);
  return unhex(digits.length % 2 ? `0${digits}` : digits);
}
function decodeRlp(data, field, limit) {
  data = asOctets(data, field);
  if (data.length > limit) throw tooLong(field, limit, data.length);
  const [value, end] = item(data, 0, data.length, field, 0);
  if (end !== data.length) throw refusal("TrailingBytes", { field, count: data.length - end });
  return value;
}
function item(data, at, end, field, depth) {
  const { start, stop, isList } = span2(data, at, end, field);
  if (!isList) {
    if (stop - start === 1 && start > at && data[start] < 128) throw notCanonical(field);
    return [data.slice(start, stop), stop];
  }
  if (depth >= MAX_DEPTH) throw fieldMalformed(field, `at most ${MAX_DEPTH} nested lists`);
  const items = [];
  for (let next2 = start; next2 < stop; ) {
    const [value, after] = item(data, next2, stop, field, depth + 1);
    items.push(value);
    next2 = after;
  }
  return [items, stop];
}
function span2(data, at, end, field) {
  if (at >= end) throw refusal("Truncated", { field, needed: 1, got: 0 });
  const first = data[at];
  if (first < 128) return { start: at, stop: at + 1, isList: false };
  const short = first & 63;
  let [start, length] = [at + 1, BigInt(short)];
  if (short > 55) {
    start = at + 1 + short - 55;
    const digits = data.subarray(at + 1, Math.min(start, end));
    if (digits.length < short - 55) throw refusal("Truncated", { field, needed: short - 55, got: digits.length });
    length = toBig(digits);
    if (digits[0] === 0 || length <= 55n) throw notCanonical(field);
  }
  if (length > BigInt(end - start)) throw refusal("Truncated", { field, needed: length, got: end - start });
  return { start, stop: start + Number(length), isList: first >= 192 };
}
function uintOf(value, field, limit = MAX_U64) {
  if (value instanceof Uint8Array && value.length <= 32 && value[0] !== 0 && toBig(value) <= BigInt(limit)) {
    return Number(toBig(value));
  }
  throw fieldMalformed(field, `unsigned integer without leading zeros, at most ${limit}`);
}
function bytesOf(value, width, field) {
  if (!(value instanceof Uint8Array) || value.length !== width) throw fieldMalformed(field, `exactly ${width} bytes`);
  return value;
}
function listOf(value, least, most, field) {
  if (!Array.isArray(value) || value.length < least || value.length > most) {
    throw fieldMalformed(field, `a list of ${least} to ${most} items`);
  }
  return value;
}

// trie.js
var MAX_KEY = 32;
var MAX_NODE = 1 << 18;
function trieValue(root, key, proof) {
  for (const node of proof) asOctets(node, "trie.node");
  if (key.length < 1 || key.length > MAX_KEY) throw fieldMalformed("trie.key", `1 to ${MAX_KEY} bytes`);
  const most = 2 * key.length + 1;
  if (proof.length > most) throw tooLong("trie.proof", most, proof.length);
  const nodes = [...proof];
  const path = nibbles(key);
  const value = descend(named2(asDigest(root, "trie.root"), nodes), path, nodes);
  if (value === null) throw fieldMismatch("trie.key", path.map((nibble) => nibble.toString(16)).join(""), "");
  if (nodes.length) throw refusal("TrailingBytes", { field: "trie.proof", count: nodes.length });
  return value;
}
function descend(node, path, nodes) {
  for (; ; ) {
    const items = listOf(node, 2, 17, "trie.node");
    let child;
    if (items.length === 17) {
      if (path.length === 0) return held(items[16], path);
      child = items[
        /** @type {number} */
        path.shift()
      ];
    } else if (items.length === 2) {
      const { ends, partial } = hexPrefix(items[0]);
      if (partial.some((nibble, i) => path[i] !== nibble)) return null;
      path.splice(0, partial.length);
      child = items[1];
      if (ends) return held(child, path);
    } else throw fieldMalformed("trie.node", "2 or 17 items");
    if (child instanceof Uint8Array && child.length === 0) return null;
    node = child instanceof Uint8Array ? named2(asDigest(child, "trie.node"), nodes) : child;
  }
}
function named2(name, nodes) {
  const data = nodes.shift();
  if (data === void 0) throw refusal("Truncated", { field: "trie.proof", needed: 1, got: 0 });
  if (data.length > MAX_NODE) throw tooLong("trie.node", MAX_NODE, data.length);
  const calculated = keccak256(data);
  if (!equal(calculated, name)) throw fieldMismatch("trie.node", hex(name), hex(calculated));
  return decodeRlp(data, "trie.node", MAX_NODE);
}
function held(value, path) {
  if (path.length || value instanceof Uint8Array && value.length === 0) return null;
  if (!(value instanceof Uint8Array)) throw fieldMalformed("trie.value", "a byte string");
  return value;
}
var nibbles = (data) => Array.from(data).flatMap((byte) => [byte >> 4, byte & 15]);
function hexPrefix(value) {
  const rule = "hex-prefix encoding";
  if (!(value instanceof Uint8Array) || value.length === 0 || value[0] >> 4 > 3) throw fieldMalformed("trie.path", rule);
  const [flag, ...partial] = nibbles(value);
  if (!(flag & 1) && partial.shift() !== 0) throw fieldMalformed("trie.path", rule);
  if (flag < 2 && partial.length === 0) throw fieldMalformed("trie.path", "an extension has a path");
  return { ends: flag >= 2, partial };
}

// anchor.js
var MAX_HEADER = 4096;
var MAX_RECEIPT = 1 << 17;
var MAX_DESCENDANTS = 256;
var ANCHORED = keccak256(utf8("Anchored(bytes32,uint64,bytes32,uint64,uint64,uint64)"));
function decodeHeader(data) {
  const items = listOf(decodeRlp(data, "header", MAX_HEADER), 15, 64, "header");
  const hash = keccak256(data);
  const parent = bytesOf(items[0], 32, "header.parentHash");
  bytesOf(items[3], 32, "header.stateRoot");
  const receiptsRoot = bytesOf(items[5], 32, "header.receiptsRoot");
  return { hash, parent, receiptsRoot, number: uintOf(items[8], "header.number"), time: uintOf(items[11], "header.timestamp") };
}
function decodeReceipt(data) {
  const typed = asOctets(data, "receipt").length === 0 || data[0] < 128;
  if (typed && !(data[0] >= 1 && data[0] <= 4)) {
    throw fieldMalformed("receipt.type", "a list, or a type from 1 to 4 and a list");
  }
  const body = listOf(decodeRlp(typed ? data.slice(1) : data, "receipt", MAX_RECEIPT), 4, 4, "receipt");
  const status = uintOf(body[0], "receipt.status", 1);
  uintOf(body[1], "receipt.cumulativeGasUsed");
  bytesOf(body[2], 256, "receipt.logsBloom");
  return { succeeded: status === 1, logs: listOf(body[3], 0, MAX_RECEIPT, "receipt.logs").map(decodeLog) };
}
function decodeLog(item2) {
  const [address, topics, data] = listOf(item2, 3, 3, "log");
  if (!(data instanceof Uint8Array)) throw fieldMalformed("log.data", "a byte string");
  const words = listOf(topics, 0, 4, "log.topics").map((topic) => bytesOf(topic, 32, "log.topics"));
  return { address: bytesOf(address, 20, "log.address"), topics: words, data };
}
function verifyEvmAnchor(anchor, checkpoint2) {
  requireBounds(anchor);
  requireSame("anchor.tree_size", checkpoint2.treeSize, anchor.tree_size);
  const header2 = decodeHeader(anchor.header);
  const last = requireChain([header2, ...anchor.descendants.map(decodeHeader)]);
  const { succeeded, logs } = decodeReceipt(anchor.receipt);
  if (anchor.log_index >= logs.length) throw refusal("IndexBeyondSize", { index: anchor.log_index, size: logs.length });
  const value = trieValue(header2.receiptsRoot, encodeShort(uintBytes(anchor.tx_index)), anchor.proof);
  requireBytes2("anchor.receipt", keccak256(value), keccak256(anchor.receipt));
  requireSame("receipt.status", 1, Number(succeeded));
  const signers = requireEvent(logs[anchor.log_index], anchor.contract, checkpoint2);
  if (header2.time < checkpoint2.timestamp) throw fieldMismatch("header.timestamp", `>= ${checkpoint2.timestamp}`, header2.time);
  return {
    blockNumber: header2.number,
    blockHash: header2.hash,
    blockTime: header2.time,
    signers,
    lastNumber: last.number,
    lastHash: last.hash
  };
}
function requireBounds(anchor) {
  if (anchor.contract.length !== 20) throw fieldMalformed("anchor.contract", "exactly 20 bytes");
  if (anchor.descendants.length > MAX_DESCENDANTS) {
    throw tooLong("anchor.descendants", MAX_DESCENDANTS, anchor.descendants.length);
  }
  if ([anchor.tx_index, anchor.log_index].some((index) => !(index >= 0 && index <= MAX_U64))) {
    throw fieldMalformed("anchor", "an index is from 0 to 2^53-1");
  }
}
function requireChain(headers) {
  for (const [older, newer] of pairwise(headers)) {
    requireBytes2("header.parentHash", older.hash, newer.parent);
    requireSame("header.number", older.number + 1, newer.number);
  }
  return headers[headers.length - 1];
}
function requireEvent(log, contract, checkpoint2) {
  requireBytes2("log.address", contract, log.address);
  if (log.topics.length !== 3 || log.data.length !== 128) {
    throw fieldMismatch("log", "3 topics, 128 bytes", `${log.topics.length}, ${log.data.length}`);
  }
  const [topic, logId, treeSize] = log.topics;
  requireBytes2("log.topic", ANCHORED, topic);
  requireBytes2("log.logId", checkpoint2.logId, logId);
  requireBytes2("log.treeSize", fromUint(checkpoint2.treeSize, 32), treeSize);
  requireBytes2("log.rootHash", checkpoint2.root, log.data.slice(0, 32));
  requireBytes2("log.timestamp", fromUint(checkpoint2.timestamp, 32), log.data.slice(32, 64));
  requireBytes2("log.validatorSetId", fromUint(checkpoint2.setId, 32), log.data.slice(64, 96));
  return toBig(log.data.subarray(96));
}
function requireBytes2(field, expected, got) {
  if (!equal(expected, got)) throw fieldMismatch(field, hex(expected), hex(got));
}

// verify/times.js
var UNKNOWN = "unknown";
function verifyTokens(d, trust) {
  const bodies = new Map(d.notes.map((note) => [note.size, note.body]));
  return d.bundle.anchors.filter((anchor) => anchor.type === "rfc3161").map((anchor) => {
    const token = decodeToken(anchor.token);
    const body = (
      /** @type {Uint8Array} */
      bodies.get(anchor.tree_size)
    );
    const fact = judged(token, body, `size ${anchor.tree_size}`, trust);
    if (fact.time < d.genesis.genesisTime) {
      throw fieldMismatch("anchors.token.time", `>= ${d.genesis.genesisTime}, when the log began`, fact.time);
    }
    return { token, fact, treeSize: anchor.tree_size };
  });
}
var early = (d, stamps) => stamps.flatMap(({ fact, treeSize }) => {
  const lead = treeSize === null ? 0 : Number(checkpointTimestamp(d.genesis, treeSize)) - fact.time;
  return lead > 0 ? [`the timestamp over ${fact.place} is ${lead} s older than the checkpoint's own time`] : [];
});
function judged(token, data, place, trust) {
  const fact = { place, authority: UNKNOWN, time: token.by, until: 0, hash: token.hash, sha256: sha2562(token.der), basis: "", missing: "" };
  let authority;
  try {
    authority = verifyToken(token, data);
  } catch (error) {
    if (error instanceof BridgeError && error.name === "Missing") return { ...fact, missing: String(error.fields.what) };
    throw error;
  }
  const path = trustedPath(token, authority.certificate, trust.tsa_roots.map(readCertificate));
  const until = path.length ? Math.min(...path.map((certificate) => certificate.ends)) : authority.until;
  const basis = path.length ? `${subjectText(path[path.length - 1])}, one of your tsa_roots` : "";
  const missing2 = basis ? "" : "the root of this authority under tsa_roots in the trust file";
  return { ...fact, authority: authority.name, until, basis, missing: missing2 };
}
function verifyRenewals(d, trust, stamps) {
  const renewed = [];
  d.bundle.renewals.forEach((part, number2) => {
    const token = decodeToken(part.token);
    requireSame(`renewals[${number2}].hash`, token.hash, part.hash);
    const fact = judged(token, coveredBy(d.bundle, number2), `renewal ${number2}`, trust);
    const newest = [...stamps, ...renewed].map((stamp) => stamp.token.generated).reduce((most, one) => one > most ? one : most, -1n);
    if (token.generated <= newest) throw fieldMismatch(`renewals[${number2}].time`, `> ${newest} ns, covered by it`, `${token.generated} ns`);
    const before = renewed[renewed.length - 1]?.fact;
    if (before && before.authority !== UNKNOWN && token.generated / SECOND > before.until) {
      throw fieldMismatch(`renewals[${number2}].time`, `<= ${before.until}, when the certificate before had run out`, fact.time);
    }
    renewed.push({ token, fact, treeSize: null });
  });
  return renewed;
}
function runOut(stamps, renewed, now) {
  const trusted = renewed.filter(({ fact }) => fact.basis).map(({ fact }) => fact.time);
  const last = renewed[renewed.length - 1];
  return [...stamps, ...renewed.slice(-1)].flatMap((stamp) => {
    const covering = trusted.length && stamp !== last ? trusted[0] : now;
    const { basis, until, place } = stamp.fact;
    return basis && until < covering ? [`the certificate of the timestamp over ${place} ran out on ${utc(until)}, unrenewed`] : [];
  });
}

// verify/public.js
var trustedAnchors = (standing2) => standing2.anchors.filter((anchor) => anchor.basis).sort((one, other) => one.block_time - other.block_time);
var notBefore = (standing2) => new Map(standing2.beacons.filter((one) => one.basis).sort((one, other) => one.time - other.time).map(({ epoch, time }) => [epoch, time]));
function verifyAnchors(d, signed, trust, sights) {
  requireNotes(d);
  const stamps = verifyTokens(d, trust);
  const beacons = beaconsOf(d, trust, sights);
  const evm = d.bundle.anchors.filter((anchor) => anchor.type === "evm");
  const anchors = evm.map((anchor) => anchorFact(d, signed, anchor, trust, sights));
  const byState = vouchedByState(d, sights);
  const heads = sights.map((sight) => sight.head).sort((one, other) => other.treeSize - one.treeSize);
  return { anchors, stamps, beacons, byState, newestHead: heads[0] ?? null, warnings: [...early(d, stamps), ...late(d, beacons), ...states(sights)] };
}
function requireNotes(d) {
  const lines = new Map(d.notes.map((note) => [note.size, new Set(note.lines.map((line) => line.name))]));
  for (const anchor of d.bundle.anchors) {
    const names2 = lines.get(anchor.tree_size);
    if (names2 === void 0) throw fieldMismatch("anchors.tree_size", "a checkpoint shown", anchor.tree_size);
    if (anchor.type === "witness" && !names2.has(anchor.name)) {
      throw fieldMismatch("anchors.name", "a line of this name in the note", anchor.name);
    }
  }
}
function anchorFact(d, signed, anchor, trust, sights) {
  const { note, set } = (
    /** @type {import("./signers.js").SignedNote} */
    signed.find((one) => one.note.size === anchor.tree_size)
  );
  const facts = verifyEvmAnchor(anchor, checkpointOf(d, note, set));
  const n = set.entries.length;
  if (facts.signers >> BigInt(n) !== 0n || bitCount(facts.signers) < set.quorum) {
    throw fieldMismatch("anchors.signers", `at least ${set.quorum} of ${n}`, `0b${facts.signers.toString(2)}`);
  }
  return {
    tree_size: anchor.tree_size,
    chain_id: anchor.chain_id,
    contract: anchor.contract,
    block_number: facts.blockNumber,
    block_hash: facts.blockHash,
    block_time: facts.blockTime,
    last_number: facts.lastNumber,
    last_hash: facts.lastHash,
    ...basisOf2(anchor, facts, trust, sights)
  };
}
function basisOf2(anchor, { lastNumber, lastHash }, trust, sights) {
  const { chain_id: chainId, contract } = anchor;
  const basis = vouched(chainId, lastNumber, lastHash, trust, sights);
  const asked = sights.some((sight) => sight.chainId === chainId && equal(sight.contract, contract));
  const named3 = trustedChain(trust, chainId)?.contracts.some((one) => equal(one, contract)) ?? false;
  if (!asked && !named3) {
    return { basis: "", missing: `trust in contract 0x${hex(contract)} on chain ${chainId} (trust file or --contract)` };
  }
  if (basis) return { basis, missing: "" };
  return { basis: "", missing: `that public block ${lastNumber} of chain ${chainId} has the hash 0x${hex(lastHash)} (trust file or --rpc)` };
}
function vouched(chainId, number2, hash, trust, sights) {
  const vouching = /* @__PURE__ */ new Set();
  for (const { where, hashes } of sourcesOf(chainId, trust, sights)) {
    const real = hashes.get(number2);
    if (real === void 0) continue;
    if (!equal(real, hash)) throw fieldMismatch(`public block ${number2}`, hex(real), hex(hash));
    vouching.add(where);
  }
  return [...vouching].join(", ");
}
function sourcesOf(chainId, trust, sights) {
  const chain = trustedChain(trust, chainId);
  const file = { where: "the trust file", hashes: new Map(chain?.block_hashes.map((block) => [block.number, block.hash])) };
  const asked = sights.filter((sight) => sight.chainId === chainId);
  return [...chain ? [file] : [], ...asked.map((sight) => ({ where: sight.basis, hashes: sight.finalizedHashes }))];
}
var trustedChain = (trust, chainId) => trust.public_chains.find((chain) => chain.chain_id === chainId);
function vouchedByState(d, sights) {
  let vouching = "";
  for (const { head: head2, contract, chainId, basis } of sights) {
    const note = d.notes.find((one) => one.size === head2.treeSize);
    if (note === void 0) continue;
    if (!equal(head2.root, note.root)) throw refusal("HeadConflict", { size: note.size, head: head2.root, root: note.root });
    vouching = `head of contract 0x${hex(contract)} on chain ${chainId}, by ${basis}`;
  }
  return vouching;
}
var states = (sights) => sights.filter(({ head: head2 }) => head2.state !== "active").map(({ contract, chainId, head: head2 }) => `contract 0x${hex(contract)} on chain ${chainId} calls this log ${head2.state}`);
function beaconsOf(d, trust, sights) {
  const parts = d.bundle.public_blocks;
  if (new Set(parts.map((part) => `${part.chain_id} ${hex(part.header)}`)).size !== parts.length) {
    throw fieldMalformed("public_blocks", "each once");
  }
  return parts.flatMap((part) => {
    const header2 = decodeHeader(part.header);
    const naming = d.epochs.map(({ record: record2 }) => record2).filter((record2) => names(record2, part.chain_id, header2));
    if (naming.length === 0) throw fieldMismatch("public_blocks", "a beacon of an epoch shown", hex(header2.hash));
    const basis = vouched(part.chain_id, header2.number, header2.hash, trust, sights);
    return naming.map((record2) => ({
      epoch: record2.epoch,
      chain_id: record2.publicChainId,
      block_number: header2.number,
      time: header2.time,
      basis
    }));
  });
}
var names = (record2, chainId, { number: number2, hash }) => record2.publicChainId === chainId && record2.publicBlockNumber === number2 && equal(record2.publicBlockHash, hash);
function late(d, beacons) {
  const closed = new Map(d.epochs.map(({ record: record2 }) => [record2.epoch, record2.closedAt]));
  return beacons.flatMap(({ epoch, time }) => {
    const after = time - closed.get(epoch);
    return after > 0 ? [`epoch ${epoch} names a public block made ${after} s after it closed: it was written late`] : [];
  });
}

// verify/registry.js
var NOT_REGISTERED = "not registered";
var USE_UNKNOWN = "present, use unknown";
var NO_STATEMENT = "no statement";
var ABSENT2 = "absent";
var statementOf = (fact) => fact.label.type === LIFE ? lifeStatement(fact) : identityStatement(fact);
function identityStatement({ versions }) {
  const { value, present } = (
    /** @type {Standing} */
    versions.get(0)
  );
  if (value !== null) return `object ${value.objectId}`;
  return present ? USE_UNKNOWN : NOT_REGISTERED;
}
function lifeStatement({ versions }) {
  let last = -1;
  while (versions.get(last + 1)?.present) last++;
  if (!versions.has(last + 1)) return NO_STATEMENT;
  if (last < 0) return NOT_REGISTERED;
  const { value } = (
    /** @type {Standing} */
    versions.get(last)
  );
  if (value === null) return USE_UNKNOWN;
  const { state, code } = value;
  const ends = isTrue(state.until_epoch) ? `, until the end of epoch ${pyText(state.until_epoch)}, beneath it ${pyText(state.below)}` : "";
  return `state ${pyText("state" in state ? state.state : code)}${ends} after event ${last}`;
}
var isOpenFact = (fact) => [USE_UNKNOWN, NO_STATEMENT].includes(statementOf(fact));
var mayChange = (fact) => fact.label.type === LIFE || statementOf(fact) === NOT_REGISTERED;
function verifyLabels(d) {
  const found = { labels: [], indices: [] };
  for (const { record: record2, labels } of d.epochs) {
    const when = { epoch: record2.epoch, at: record2.closedAt };
    const facts = /* @__PURE__ */ new Map();
    for (const { label: shown2, part } of labels) {
      const present = part.terminal !== null && equal(part.terminal.index, part.index);
      if (shown2 === null) {
        found.indices.push({ ...when, index: part.index, present });
        continue;
      }
      const fact = facts.get(shown2.label.key) ?? { ...when, label: shown2.label, versions: /* @__PURE__ */ new Map() };
      facts.set(shown2.label.key, fact);
      if (fact.versions.has(shown2.version)) throw fieldMalformed("labels", "each version of a label once");
      verifyIndex(d, shown2, part.index);
      const value = shown2.opened === null ? null : openedValue(d, shown2, shown2.opened, present ? part.terminal : null);
      fact.versions.set(shown2.version, { index: part.index, present, value });
    }
    for (const fact of facts.values()) requireNoGap(fact);
    found.labels.push(...facts.values());
  }
  requireOneStory(d);
  return found;
}
function verifyIndex(d, shown2, index) {
  const output = verifyVrf(d.genesis.vrfPublicKey, alpha(d.genesis.logId, shown2.label, shown2.version), shown2.proof);
  requireSame("labels.index", hex(indexOf(output)), hex(index));
}
function openedValue(d, shown2, opened2, pair) {
  if (pair === null) throw fieldMismatch("labels.opening", "a label that is present", ABSENT2);
  const calculated = commitment(opened2.opening, d.genesis.logId, shown2.label, shown2.version, opened2.data);
  requireSame("labels.commitment", hex(pair.commitment), hex(calculated));
  return opened2.value;
}
function requireNoGap({ versions }) {
  const numbers3 = (present) => [...versions].filter(([, standing2]) => standing2.present === present).map(([version]) => version);
  const [least, most] = [Math.min(...numbers3(false)), Math.max(...numbers3(true))];
  if (most > least) throw fieldMismatch("labels.version", `none above ${least}`, `${most} is present`);
}
var opsOf = (entry) => entry.transaction?.body.ops ?? [];
function requireOneStory(d) {
  const standing2 = /* @__PURE__ */ new Map();
  const types = /* @__PURE__ */ new Map();
  const note = (index, epoch, held2) => {
    const byEpoch = standing2.get(hex(index)) ?? /* @__PURE__ */ new Map();
    standing2.set(hex(index), byEpoch.set(epoch, held2));
  };
  for (const { record: record2, labels } of d.epochs) {
    for (const { label, part } of labels) {
      note(part.index, record2.epoch, ABSENT2);
      if (part.terminal !== null) note(part.terminal.index, record2.epoch, hex(part.terminal.commitment));
      if (label !== null) types.set(hex(part.index), label.label.type);
    }
  }
  for (const [index, byEpoch] of standing2) requireGrowth2(index, byEpoch);
  const inserted = /* @__PURE__ */ new Set();
  for (const { epoch, entry } of entriesOf(d)) {
    for (const op of opsOf(entry)) {
      const index = hex(op.index);
      if (inserted.has(index)) throw fieldMismatch("transaction.ops", "each index once", index);
      inserted.add(index);
      requireSame("transaction.ops.label_type", types.get(index) ?? op.labelType, op.labelType);
      for (const [at, held2] of standing2.get(index) ?? []) {
        requireSame(`registry index ${index}`, at >= epoch.record.epoch ? hex(op.commitment) : ABSENT2, held2);
      }
    }
  }
}
function requireGrowth2(index, byEpoch) {
  let before = ABSENT2;
  for (const held2 of byEpoch.values()) {
    if (before !== ABSENT2 && before !== held2) throw fieldMismatch(`registry index ${index}`, before, held2);
    before = held2;
  }
}

// verify/verdicts.js
function logMissing({ trust, decoded: { genesis } }) {
  const isTrusted = trust.logs.some((log) => equal(log.log_id, genesis.logId));
  return isTrusted ? "" : `trust in log ${hex(genesis.logId)} (trust file or --log)`;
}
var signersOf2 = ({ signed: [first], names: names2 }) => first.signers.map((address) => nameOf(names2, first.set.setId, address));
var verdict = (name, result, detail, rests_on, missing2 = "") => ({ name, result, detail, rests_on, missing: missing2 });
var count = (number2, one, many = `${one}s`) => `${number2} ${number2 === 1 ? one : many}`;
var verdictsOf = (f) => [
  integrity(f),
  quorumVerdict(f),
  namesVerdict(f),
  level(f),
  publicAnchor(f),
  witnesses(f),
  notAfter(f),
  notBeforeVerdict(f),
  freshness(f),
  registry(f),
  omission(f),
  governance(f)
];
function integrity(f) {
  const entries = entriesOf(f.decoded);
  const fields = entries.reduce((total, { entry }) => total + entry.disclosures.length, 0);
  const detail = `${count(fields, "field")} → ${count(entries.length, "entry", "entries")} → ${count(f.decoded.epochs.length, "epoch")} → checkpoint of size ${f.decoded.notes[0].size}`;
  const missing2 = logMissing(f);
  return verdict("integrity", missing2 ? UNDECIDED : VERIFIED, detail, "SHA-256, and the log id that you chose to rely on", missing2);
}
function quorumVerdict(f) {
  const [{ set, signers }] = f.signed;
  const detail = `${signers.length} of ${set.entries.length} validators of set ${set.setId} signed; ${set.quorum} are needed`;
  const hidden = trustedAnchors(f.standing).length || f.standing.byState ? "" : ", and that no later set is kept from you";
  const missing2 = logMissing(f);
  return verdict("quorum", missing2 ? UNDECIDED : VERIFIED, detail, `secp256k1 signatures of the set that the log id fixes${hidden}`, missing2);
}
function namesVerdict(f) {
  const signers = signersOf2(f);
  const certified = signers.filter((name) => name.isCertified);
  if (certified.length === signers.length) {
    const members2 = membersAmong(certified);
    const fewer = members2 === certified.length ? "" : `, of ${count(members2, "member")}`;
    return verdict("names", VERIFIED, `all ${certified.length} signers are named by certificates${fewer}`, "certificates issued by roots you trust");
  }
  const reasons = [...new Set(signers.filter((name) => !name.isCertified).map((name) => name.basis))].join(", ");
  const detail = `${certified.length} of ${signers.length} signers are named by certificates; the others: ${reasons}`;
  const missing2 = "certificates in the bundle, and their issuer under member_roots in the trust file";
  return verdict("names", UNDECIDED, detail, "the validators' own word", missing2);
}
function level(f) {
  const [members2, needed] = [membersAmong(signersOf2(f)), f.signed[0].set.quorum];
  const missing2 = logMissing(f);
  if (members2 >= needed && !missing2 && f.source.level) {
    const bound = f.source.level === "A3" ? ", with their results and the state after them" : `, ${f.source.wanting}`;
    const detail = `more than two thirds of the private chain's validators signed the blocks of all transactions${bound}`;
    return verdict("level", f.source.level, detail, "names and quorum, and signatures of the validators that the ledger id fixes");
  }
  if (members2 >= needed && !missing2) {
    const detail = `${members2} named members countersigned the same root; the private chain's consensus is not shown`;
    return verdict("level", "A1", detail, "names and quorum");
  }
  const lacks = missing2 || `certified names of ${needed} different members; ${members2} are shown`;
  return verdict("level", "A0", "a quorum signed, but not of members whom you know by name", "quorum", lacks);
}
function publicAnchor({ standing: standing2 }) {
  const said = (result, detail, missing2 = "") => verdict("public anchor", result, detail, "the public chain, its append-only contract, and your source of the block hash", missing2);
  const [anchor] = trustedAnchors(standing2);
  if (anchor) {
    return said(VERIFIED, `size ${anchor.tree_size} in public block ${anchor.block_number} of chain ${anchor.chain_id}, contract 0x${hex(anchor.contract)}; its hash by ${anchor.basis}`);
  }
  if (standing2.byState) return said(VERIFIED, `${standing2.byState}: the same size and root`);
  const [shown2] = standing2.anchors;
  if (shown2) {
    return said(UNDECIDED, `receipt and headers agree with size ${shown2.tree_size}; whether the public block is real is unknown`, shown2.missing);
  }
  return said(NOT_SHOWN, "no anchor in the bundle", "an anchor (hybrid-bridge bundle upgrade), or --rpc and --contract");
}
function witnesses(f) {
  const said = (result, detail2, missing2 = "") => verdict("witnesses", result, detail2, "cosignatures of the witnesses that your tlog_policy names", missing2);
  const { bundle, genesis } = f.decoded;
  if (f.trust.tlog_policy === null) {
    const kept = bundle.anchors.filter((anchor) => anchor.type === "witness").length;
    if (kept) return said(UNDECIDED, `${count(kept, "cosignature")} kept, not judged`, "a tlog_policy in the trust file");
    return said(NOT_SHOWN, "none", "cosignatures, and a tlog_policy in the trust file");
  }
  const policy = parsePolicy(f.trust.tlog_policy);
  const { origin } = f.signed[0].note;
  const ours = [genesis.logKey, bundle.genesis.mldsa_key].filter((key) => key !== null);
  if (policy.logs.length && !policy.logs.some((log) => log.name === origin && ours.some((key) => equal(key, log.key)))) {
    return said(UNDECIDED, "policy of other logs", "a tlog_policy with this log, or with none");
  }
  for (const { note, cosigned } of f.signed) {
    if (isMet(policy, cosigned.map(([witness]) => witness))) {
      return said(VERIFIED, `policy met by size ${note.size}: ${cosigned.map(cosignedText).join(", ") || "none needed"}`);
    }
  }
  const most = Math.max(...f.signed.map(({ cosigned }) => cosigned.length));
  const detail = `policy not met: ${count(most, "cosignature")} of its ${count(witnessesOf(policy).length, "witness", "witnesses")}`;
  return said(UNDECIDED, detail, `cosignatures that meet ${policy.quorum} of the tlog_policy (hybrid-bridge witness ask)`);
}
var cosignedText = ([witness, moment2]) => moment2 ? `${witness} at ${utc(moment2)}` : `${witness}, without a time`;
function notAfter(f) {
  const tokens = [...f.standing.stamps, ...f.renewed].map((stamp) => stamp.fact);
  const times = [
    ...trustedAnchors(f.standing).map((one) => ({ time: one.block_time, what: "the time of the public block", rests: "the public chain's clock" })),
    ...tokens.filter((token) => token.basis).map((token) => ({
      time: token.time,
      what: `a timestamp of ${token.authority}`,
      rests: "that authority's clock and key; revocation is not checked"
    }))
  ];
  if (times.length === 0) {
    const missing2 = tokens.length ? tokens[0].missing : "a verified public anchor or timestamp in the bundle";
    return verdict("not after", tokens.length ? UNDECIDED : NOT_SHOWN, "no time", "a public chain's clock, or a timestamping authority's", missing2);
  }
  const earliest = times.reduce((least, one) => one.time < least.time ? one : least);
  const [epoch] = f.decoded.epochs;
  const since2 = epoch ? `, ${earliest.time - epoch.record.closedAt} s after epoch ${epoch.record.epoch} closed` : "";
  return verdict("not after", VERIFIED, `all of it existed by ${utc(earliest.time)}, ${earliest.what}${since2}`, earliest.rests);
}
function notBeforeVerdict(f) {
  const times = [...notBefore(f.standing)].sort(([one], [other]) => one - other);
  const rests = "the public chain's clock";
  if (times.length) {
    const detail = times.map(([epoch, moment2]) => `epoch ${epoch} was finished after ${utc(moment2)}`).join("; ");
    return verdict("not before", VERIFIED, detail, rests);
  }
  const missing2 = "an epoch's beacon, its public block in the bundle, and that block's hash from your own source";
  return verdict("not before", NOT_SHOWN, "no time", rests, missing2);
}
function freshness(f) {
  const { genesis, notes } = f.decoded;
  let [size, source] = [notes[notes.length - 1].size, "the newest checkpoint in the bundle"];
  const head2 = f.standing.newestHead;
  if (head2 !== null && head2.treeSize > size) [size, source] = [head2.treeSize, "the contract's head"];
  const age = f.now - Number(checkpointTimestamp(genesis, size));
  const overdue = age - genesis.cadence - genesis.grace;
  const late2 = overdue > 0 ? `; the next is overdue by ${span(overdue)}` : "";
  const detail = `${source} is of ${utc(f.now - age)}, ${span(age)} old${late2}`;
  const limit = f.trust.max_age;
  let missing2 = "";
  if (age < 0) missing2 = "a clock that has reached the checkpoint's time";
  else if (limit !== null && age > limit) missing2 = `a head not older than ${span(limit)}`;
  else if (limit === null && overdue > 0) missing2 = "a newer head (--rpc), or a max_age in the trust file";
  return verdict("freshness", missing2 ? UNDECIDED : `${age} s`, detail, "your clock", missing2);
}
function registry(f) {
  const rests = "the quorum's registry root and the log's VRF key";
  const facts = f.registered.labels.length;
  if (facts === 0) return verdict("registry", NOT_SHOWN, "no label", rests, "labels in the bundle");
  const missing2 = registryMissing(f);
  return verdict("registry", missing2 ? UNDECIDED : VERIFIED, `${count(facts, "statement")} about labels, listed apart`, rests, missing2);
}
function registryMissing(f) {
  const { genesis } = f.decoded;
  const limit = f.trust.max_age;
  const { labels } = f.registered;
  if (logMissing(f)) return logMissing(f);
  if (limit !== null && labels.some((fact) => mayChange(fact) && f.now - fact.at > limit)) {
    return `the labels at an epoch not older than ${limit} s: what is shown may have changed since`;
  }
  if (labels.some(isOpenFact)) return "every version of the label, the one after the last, and the opening of the last";
  if (!equal(genesis.labelTableHash, labelTableHash())) {
    return "a verifier with this log's own table of labels: it spells them otherwise";
  }
  if (!isZero(genesis.predecessor) && labels.some((fact) => statementOf(fact) === NOT_REGISTERED)) {
    return `the label at the end of the log before, ${hex(genesis.predecessor)}`;
  }
  return "";
}
function omission(f) {
  const rests = "the node's identity key, and a quorum that sorted each batch";
  const owed = f.promised;
  if (owed === null) return verdict("omission", NOT_SHOWN, "no promise", rests, "a promise, and every epoch of its window");
  const { promise, signer } = owed;
  const window = `epochs ${promise.acceptedEpoch} to ${promise.byEpoch}`;
  const who = signer === null ? "somebody whose certificate is not shown" : signer.text;
  const late2 = owed.late.length ? `; it came late, in epoch ${owed.late[0]}` : "";
  const entry = hex(promise.entryLeaf);
  if (isBroken(owed) && !logMissing(f)) {
    return verdict("omission", PROVEN, `${who} promised entry ${entry} and left it and its refusal out of ${window}${late2}`, rests);
  }
  return verdict("omission", CLAIMED, `${who} promised entry ${entry} in ${window}${late2}`, rests, promiseMissing(owed) || logMissing(f));
}
function governance(f) {
  const { detail, missing: missing2 } = since(f.decoded);
  const rests = "the governance tree in the epoch records";
  if (!missing2 && !logMissing(f)) return verdict("governance since", VERIFIED, detail, rests);
  const result = missing2 && f.decoded.governance === null ? NOT_SHOWN : UNDECIDED;
  return verdict("governance since", result, detail, rests, missing2 || logMissing(f));
}
function since(d) {
  const byEpoch = new Map(d.epochs.map(({ record: record2 }) => [record2.epoch, record2]));
  const stated = d.epochs.filter((epoch) => epoch.entries.length || epoch.labels.length || epoch.part.absences.length);
  const shown2 = d.governance;
  const newer = d.notes[d.notes.length - 1].size - 1;
  const fallback = shown2 === null ? d.epochs[0]?.record.epoch ?? newer : shown2.older.epoch;
  const older = stated.length ? stated[0].record.epoch : fallback;
  const detail = shown2 === null ? "no statement" : `${count(shown2.records.length, "record")} from epoch ${shown2.older.epoch} to ${shown2.newer.epoch}`;
  if (!byEpoch.has(newer)) return { detail, missing: `the record of epoch ${newer}, the newest of the checkpoints shown` };
  const [least, most] = [byEpoch.get(older).governanceSize, byEpoch.get(newer).governanceSize];
  if (least === most) return { detail: `none from epoch ${older} to ${newer}, shown by equal sizes`, missing: "" };
  if (shown2 !== null && shown2.older.governanceSize <= least && most <= shown2.newer.governanceSize) return { detail, missing: "" };
  return { detail, missing: `the governance records from epoch ${older} to ${newer}` };
}

// verify/report.js
function evidenceOf(f, checks) {
  const { decoded: d } = f;
  const verdicts = verdictsOf(f);
  return {
    log_id: d.genesis.logId,
    origin: d.bundle.genesis.origin,
    purpose: d.bundle.purpose,
    tree_size: d.notes[0].size,
    verdicts,
    checks,
    records: entriesOf(d).map(({ epoch, entry }) => recordFact(epoch, entry)),
    registry: registryFacts(f.registered),
    absences: d.epochs.flatMap(({ record: record2, part }) => part.absences.map((one) => ({ epoch: record2.epoch, leaf: one.leaf }))),
    promise: f.promised === null ? null : promiseFact(f.promised),
    governance: (d.governance?.records ?? []).map((record2, i) => ({ index: d.governance?.part.records[i].index, what: described(record2) })),
    blocks: f.source.blocks,
    brakes: f.brakes.facts,
    anchors: f.standing.anchors,
    tokens: [...f.standing.stamps, ...f.renewed].map((stamp) => stamp.fact),
    beacons: f.standing.beacons,
    artefacts: d.bundle.artefacts.map(artefactFact),
    signers: [...new Set(signersOf2(f).map((name) => name.text))],
    warnings: [
      ...broken(f),
      ...f.standing.warnings,
      ...runOut(f.standing.stamps, f.renewed, f.now),
      ...f.brakes.warnings,
      ...f.rules.warnings,
      ...gaps(d)
    ],
    missing: [...missingOf(f, verdicts), ...f.rules.missing],
    unjudged: unjudged(f).map(({ place, data }) => ({ place, sha256: sha2562(data) })),
    not_proven: NOT_PROVEN
  };
}
function missingOf({ trust, promised }, verdicts) {
  const required = /* @__PURE__ */ new Set([...trust.require, "integrity"]);
  if (trust.tlog_policy !== null) required.add("witnesses");
  if (trust.max_age !== null) required.add("freshness");
  if (promised !== null) required.add("omission");
  const wanted = /* @__PURE__ */ new Map();
  for (const verdict2 of verdicts) {
    if (required.has(verdict2.name) && isOpen(verdict2)) wanted.set(verdict2.missing, [...wanted.get(verdict2.missing) ?? [], verdict2.name]);
    if (verdict2.name === "level" && verdict2.result < (trust.minimum_level ?? "")) {
      wanted.set(`${trust.minimum_level}; ${verdict2.result} was reached`, ["level"]);
    }
  }
  return [...wanted].map(([missing2, names2]) => `${names2.join(", ")}: ${missing2}`);
}
function recordFact({ record: record2 }, { recordType, width, part, disclosures, schema: schema2, transaction }) {
  const fields = disclosures.map(({ name, value }, i) => ({ name, value, is_claim: part.disclosures[i].index < width / 2 }));
  return {
    epoch: record2.epoch,
    by: record2.closedAt,
    record_type: eventCode(recordType),
    schema: schema2 || "not shown",
    leaf: leafHash(part.entry),
    fields,
    undisclosed: width - fields.length,
    transaction: transaction === null ? null : transaction.body.transactionId,
    submitter: transaction === null ? null : transaction.body.submitter,
    sequence: transaction === null ? null : transaction.body.sequence
  };
}
function registryFacts({ labels, indices }) {
  const told = labels.map((fact) => ({
    epoch: fact.epoch,
    at: fact.at,
    label: describeLabel(fact.label),
    versions: [...fact.versions.keys()],
    statement: statementOf(fact)
  }));
  const bare = indices.map(({ epoch, at, index, present }) => ({
    epoch,
    at,
    label: `index ${hex(index)}`,
    versions: [],
    statement: `${present ? "present" : "absent"}, label not shown`
  }));
  return [...told, ...bare];
}
var promiseFact = ({ promise, signer }) => ({
  transaction: promise.transactionId,
  entry_leaf: promise.entryLeaf,
  accepted_at: promise.acceptedTime,
  accepted_epoch: promise.acceptedEpoch,
  by_epoch: promise.byEpoch,
  signer: signer === null ? "" : signer.text
});
function broken({ promised }) {
  if (promised === null || !isBroken(promised)) return [];
  return [`broken promise: ${promised.signer?.text} accepted a transaction and left it out of the log`];
}
function gaps(d) {
  const shown2 = /* @__PURE__ */ new Map();
  for (const { body } of transactionsOf(d)) {
    const submitter = hex(body.submitter);
    shown2.set(submitter, (shown2.get(submitter) ?? /* @__PURE__ */ new Set()).add(body.sequence));
  }
  return [...shown2].flatMap(([submitter, numbers3]) => {
    const ordered = [...numbers3].sort((one, other) => one - other);
    const between2 = ordered[ordered.length - 1] - ordered[0] + 1 - ordered.length;
    return between2 ? [`of submitter ${submitter} the numbers ${ordered.join(", ")} are shown; ${between2} between them not`] : [];
  });
}
function described(record2) {
  if (record2.type === "SetUpdate") {
    return `validator set ${record2.setId} of ${record2.n}, responsible from size ${record2.effectiveFromSize} on`;
  }
  if (record2.type === "MemberUpdate") {
    return `${ACTIONS[record2.action - 1]}, key ${hex(record2.keyId)}, from epoch ${record2.fromEpoch} on`;
  }
  if (record2.type === "ConsensusKey") {
    return `consensus key ${hex(record2.key)} for key ${hex(record2.keyId)}, from the next epoch on`;
  }
  const until = record2.until ? ` until ${utc(record2.until)}` : "";
  return `${NOTICE_NAMES[record2.noticeType - 1]} at ${utc(record2.time)}${until}, entry ${hex(record2.entryLeaf)}`;
}
var artefactFact = ({ name, media_type, size, sha256: sha2563, sha512: sha5122, sm3, field }) => ({ name, media_type, size, sha256: sha2563, sha512: sha5122, sm3, field });
function unjudged(f) {
  const { bundle } = f.decoded;
  const found = unjudgedSignatures(f);
  if (bundle.promise !== null && f.promised?.signer === null) found.push({ place: "signature of the promise", data: bundle.promise });
  for (const anchor of bundle.anchors) {
    if (anchor.type === "ots") found.push({ place: `${anchor.type} anchor of size ${anchor.tree_size}`, data: anchor.proof });
  }
  for (const { type, epoch, data } of bundle.source_evidence) {
    if (type !== TYPE) found.push({ place: `source evidence ${type} of epoch ${epoch}`, data });
  }
  if (bundle.provenance !== null) found.push({ place: "provenance", data: utf8(bundle.provenance) });
  for (const name of sortedNames(bundle.extensions)) found.push({ place: `extension ${name}`, data: canonicalJson(bundle.extensions[name]) });
  return found;
}
function unjudgedSignatures({ decoded, signed }) {
  const certified = new Set(decoded.bundle.certificates.map((data) => hex(sha2562(data))));
  const bindings = allValidators(decoded).filter(({ part }) => !certified.has(hex(part.certificate_hash))).map(({ part }) => ({ place: `signature of the key binding of 0x${hex(part.address)}`, data: part.key_binding }));
  const lines = signed.flatMap(({ note, witnessing }) => witnessing.map((line) => ({ place: `line of ${line.name} on size ${note.size}`, data: utf8(line.text) })));
  return [...bindings, ...lines];
}

// business/backing.js
var E_INVOICE_NUMBERS = ["cn_einv", "einv_uuid"];
var MAX_TWINS = 8;
function requireNoContradiction(shown2) {
  for (const { fields } of [...shown2.registrations, ...shown2.confirmations]) {
    if (fields.has("object")) wantingOf(shown2, pyText(fields.get("object")));
  }
}
function wantingOf(shown2, asset) {
  const invoice = only2(shown2.registrations, asset, "registered");
  const confirmation = only2(shown2.confirmations, asset, "confirmed");
  const found = [];
  if (confirmation === null) found.push(`I12: the debtor's confirmation of asset ${asset}`);
  else if (confirmation.insertion === null) {
    found.push(`I12: the transaction of the confirmation of asset ${asset}, which names the labels that it inserted`);
  }
  if (invoice === null) return [...found, `I12: the opened invoice of asset ${asset}`];
  requireAgreement(invoice, confirmation);
  try {
    requireNumbers(invoice.fields);
    requireOwnLabels(shown2, asset, invoice, confirmation);
    if (confirmation?.insertion) review(shown2, asset, invoice, confirmation, confirmation.insertion);
  } catch (error) {
    if (!(error instanceof BridgeError) || error.name !== "Missing") throw error;
    found.push(`I12: of the invoice of asset ${asset}, ${error.fields.what}`);
  }
  return found;
}
function only2(records, asset, what) {
  const found = records.filter((record2) => record2.fields.get("object") === asset);
  if (found.length > 1) throw fieldMismatch("object", `${what} once`, `${found.length} times`);
  return found[0] ?? null;
}
function requireAgreement(invoice, confirmation) {
  if (confirmation === null) return;
  for (const name of ["gross", "ccy"]) {
    const [given, confirmed] = [invoice.fields.get(name) ?? null, confirmation.fields.get(name) ?? null];
    if (given !== null && confirmed !== null && keyOf(given) !== keyOf(confirmed)) {
      throw fieldMismatch(`${name} (I4)`, pyText(given), pyText(confirmed));
    }
  }
  const debtor = invoice.fields.get("debtor") ?? null;
  if (confirmation.insertion === null || debtor === null) return;
  const { authorisers } = confirmation.insertion;
  if (authorisers.size !== 1 || !authorisers.has(
    /** @type {string} */
    debtor
  )) {
    throw fieldMismatch("authorisers (I1)", pyText(debtor), [...authorisers].sort().join(", "));
  }
}
function requireNumbers(fields) {
  for (const name of ["jurisdiction", "inv_no", "debtor"]) opened(fields, name);
  opened(fields, E_INVOICE_NUMBERS[normalise(JURISDICTION, opened(fields, "jurisdiction")) === "CN" ? 0 : 1]);
}
function opened(fields, name) {
  if (!fields.has(name)) throw missing(`the opened field ${name}`);
  return pyText(fields.get(name));
}
function requireOwnLabels(shown2, asset, invoice, confirmation) {
  const isDistinct = confirmation === null || !confirmation.fields.has("distinct") || confirmation.fields.get("distinct") === true;
  const own = new Set(labelSpellings(invoice.fields, isDistinct).flat().map((label) => label.key));
  for (const { label, value } of shown2.labels) {
    if (value !== null && value.objectId === asset && !own.has(label.key)) {
      throw fieldMismatch("label", "of this invoice", `type ${label.type} of another`);
    }
  }
}
function review(shown2, asset, invoice, confirmation, insertion) {
  const indices = new Map(shown2.labels.map(({ label, index }) => [label.key, hex(index)]));
  for (const label of reviewLabels(invoice.fields, confirmation.fields.get("distinct") === true, indices, insertion.indices)) {
    requireOpened(shown2, label, asset, confirmation.leaf);
  }
}
function requireOpened(shown2, label, asset, leaf) {
  const values = shown2.labels.filter((one) => one.label.key === label.key && one.value !== null).map((one) => one.value);
  for (const value of values) {
    if (value?.objectId !== asset || !equal(value.entryLeaf, leaf)) {
      throw fieldMismatch("labels.value", "this object and its confirmation", "another");
    }
  }
  if (values.length === 0) throw missing(`its label of type ${label.type}, present in the registry and opened`);
}
function mandatoryLabels(fields, ordinal) {
  const [seller, buyer] = [opened(fields, "seller"), opened(fields, "buyer")];
  const numbers3 = E_INVOICE_NUMBERS.filter((name) => fields.has(name)).map((name) => pyText(fields.get(name)));
  if (numbers3.length > 1) throw fieldMalformed(E_INVOICE_NUMBERS[1], `not beside ${E_INVOICE_NUMBERS[0]}: one of the two`);
  const labels = numbers3.map((number2) => normalised(E_INVOICE, opened(fields, "jurisdiction"), number2));
  if (fields.has("inv_no")) {
    const number2 = opened(fields, "inv_no");
    labels.push(normalised(CREDITOR_INVOICE, seller, number2), normalised(CREDITOR_INVOICE_LOOSE, seller, number2, String(ordinal)));
  }
  const terms = ["ccy", "gross", "issue_date"].map((name) => opened(fields, name));
  return [...labels, normalised(INVOICE_TERMS, buyer, ...terms, String(ordinal))];
}
function reviewLabels(fields, isDistinct, indices, inserted) {
  const [found, unknown] = [
    /** @type {Label[]} */
    [],
    /** @type {number[]} */
    []
  ];
  for (const spellings of labelSpellings(fields, isDistinct)) {
    const standing2 = spellings.find((spelling) => inserted.has(indices.get(spelling.key) ?? ""));
    if (standing2) found.push(standing2);
    else if (spellings.some((spelling) => !indices.has(spelling.key))) unknown.push(spellings[0].type);
    else throw fieldMismatch("label", `type ${spellings[0].type} of this invoice`, "another index");
  }
  if (unknown.length) throw missing(`the VRF proofs of its labels of type ${unknown.join(", ")}`);
  return found;
}
function labelSpellings(fields, isDistinct) {
  const twins = Array.from({ length: isDistinct ? MAX_TWINS : 1 }, (_, i) => mandatoryLabels(fields, i + 1));
  return twins[0].map((_, i) => [...new Map(twins.map((labels) => [labels[i].key, labels[i]])).values()]);
}

// business/outside.js
var TENOR_WARN_DAYS = 184;
var ADVANCE_RATE_BPS = 9000n;
var BACKDATE_MAX = 86400;
var FUTURE_MAX = 120;
var MAX_ROWS = 200;
function crossChecks(opened2, wanting) {
  const asked = /* @__PURE__ */ new Map();
  const once = (asset) => {
    if (!asked.has(asset)) asked.set(asset, wanting(asset));
    return asked.get(asset) ?? [];
  };
  const shown2 = { faces: facesOf(opened2), parents: parentsOf(opened2), issues: issuesOf(opened2), wanting: once };
  const warnings = [];
  const missing2 = [];
  for (const record2 of opened2) {
    if (record2.recordType === NOTE_SPLIT) warnings.push(...split2(record2, shown2));
    else if (record2.recordType === NOTE_ISSUE) {
      warnings.push(...tenor(record2.fields));
      requireAllotments(record2);
    } else if (record2.recordType === FIN_FINANCE || record2.recordType === FIN_REFINANCE) {
      missing2.push(...advance(record2, shown2), ...financing(record2, shown2));
    }
  }
  return { warnings, missing: [...new Set(missing2)] };
}
function numbered(fields, prefix2, suffix) {
  const names2 = Array.from({ length: MAX_ROWS }, (_, k) => `${prefix2}.${k}${suffix && `.${suffix}`}`);
  return names2.filter((name) => fields.has(name)).map((name) => fields.get(name));
}
var amountOf = (value) => typeof value === "string" && /^[0-9]{1,18}$/.test(value) ? BigInt(value) : null;
var sum = (amounts) => amounts.reduce((total, amount) => total + (amount ?? 0n), 0n);
var rowsOf = (fields) => Array.from({ length: MAX_ROWS }, (_, k) => k).filter((k) => fields.has(`child.${k}.note`)).map((k) => [fields.get(`child.${k}.note`), fields.get(`child.${k}.face`)]);
function facesOf(opened2) {
  const faces = /* @__PURE__ */ new Map();
  for (const { recordType, fields } of opened2) {
    const shown2 = recordType === NOTE_SPLIT ? rowsOf(fields) : [];
    if (recordType === NOTE_ISSUE && fields.has("note")) shown2.push([fields.get("note"), fields.get("face")]);
    for (const [note, value] of shown2) {
      const face = amountOf(value);
      if (face === null) continue;
      const before = faces.get(keyOf(note)) ?? face;
      if (before !== face) throw fieldMismatch(`face of note ${pyText(note)} (I2)`, before, face);
      faces.set(keyOf(note), face);
    }
  }
  return faces;
}
function parentsOf(opened2) {
  const parents = /* @__PURE__ */ new Map();
  for (const { recordType, fields } of opened2) {
    if (recordType !== NOTE_SPLIT || !fields.has("note")) continue;
    const note = fields.get("note");
    for (const [child] of rowsOf(fields)) {
      if (parents.has(keyOf(child)) && keyOf(parents.get(keyOf(child))) !== keyOf(note)) {
        throw fieldMismatch(`parent of note ${pyText(child)} (I2)`, "one", `${pyText(parents.get(keyOf(child)))} and ${pyText(note)}`);
      }
      parents.set(keyOf(child), note);
    }
  }
  return parents;
}
function split2({ fields, isPartial }, shown2) {
  const parent = fields.has("note") ? shown2.faces.get(keyOf(fields.get("note"))) : void 0;
  const total = sum(numbered(fields, "child", "face").map(amountOf));
  if (parent === void 0) {
    return ["split: the parent's face is not shown, so conservation (I2) was checked by the validators alone"];
  }
  if (total > parent || total < parent && !isPartial) throw fieldMismatch("split.children (I2)", parent, total);
  if (total < parent) return [`split: the children shown add up to ${total} of ${parent}; some are not shown`];
  if (!isPartial) return [];
  return [
    `split: the children shown add up to ${total} of ${parent}; that there is no other child was checked by the validators alone (the split's transaction is not shown)`
  ];
}
function issuesOf(opened2) {
  const issues = /* @__PURE__ */ new Map();
  for (const record2 of opened2) {
    if (record2.recordType !== NOTE_ISSUE || !record2.fields.has("note")) continue;
    const note = keyOf(record2.fields.get("note"));
    issues.set(note, [...issues.get(note) ?? [], record2]);
  }
  return issues;
}
function backed(issue) {
  const rows = Array.from({ length: MAX_ROWS }, (_, k) => ({ asset: issue.get(`back.${k}.object`) ?? null, allot: issue.get(`back.${k}.allot`) ?? null }));
  return rows.filter(({ asset, allot }) => asset !== null || allot !== null).map(({ asset, allot }) => ({ asset, allot: amountOf(allot) }));
}
function requireAllotments({ fields, isPartial }) {
  const face = amountOf(fields.get("face"));
  const rows = backed(fields);
  const assets = rows.map(({ asset }) => asset).filter((asset) => asset !== null);
  const allotted = rows.map(({ allot }) => allot).filter((allot) => allot !== null);
  if (allotted.includes(0n) || distinct(assets) !== assets.length) {
    throw fieldMismatch("back.allot (I4)", "each asset once, not zero", `[${allotted.join(", ")}]`);
  }
  const isWhole = !isPartial && rows.length > 0 && assets.length === rows.length && allotted.length === rows.length;
  const total = sum(allotted);
  if (face !== null && (total > face || isWhole && total < face)) throw fieldMismatch("back.allot (I4)", face, total);
}
function tenor(fields) {
  const [issued, due] = ["issue_date", "due_date"].map((name) => fields.get(name));
  if (typeof issued !== "string" || typeof due !== "string" || !isDate(issued) || !isDate(due)) return [];
  const days = (Date.parse(`${due}T00:00:00Z`) - Date.parse(`${issued}T00:00:00Z`)) / 864e5;
  return days > TENOR_WARN_DAYS ? [`tenor: due ${days} days after issue, more than six months`] : [];
}
function advance({ fields, isPartial }, shown2) {
  const notes = numbered(fields, "note", "");
  const doubled = notes.length - distinct(notes);
  if (doubled) throw fieldMismatch("note (I5)", "each note once", `${doubled} twice`);
  const paid = amountOf(fields.get("advance"));
  if (paid === null) return [];
  const faces = notes.map((note) => shown2.faces.get(keyOf(note)) ?? null);
  if (notes.length === 0 || faces.includes(null)) return ["I6b: the face of each financed note"];
  const limit = sum(faces) * ADVANCE_RATE_BPS / 10000n;
  if (paid <= limit) return [];
  if (!isPartial) throw fieldMismatch("advance (I6b)", `<= ${limit}`, paid);
  return [`I6b: every financed note; those shown carry an advance of ${limit}, not of ${paid}`];
}
function requireEventTime({ recordType, fields }, begin, end) {
  const moment2 = keyOf(fields.get(EVENT_TIME));
  if (!RECORD_TYPES.has(recordType) || typeof moment2 !== "number") return;
  const [least, most] = [begin - BACKDATE_MAX, end + FUTURE_MAX];
  if (moment2 < least || moment2 > most) throw fieldMismatch(`${EVENT_TIME} (I9)`, `${least} to ${most}`, moment2);
}
function financing({ fields, isPartial }, shown2) {
  const notes = numbered(fields, "note", "");
  const found = [];
  if (isPartial || notes.length === 0) found.push("I12: the transaction of the financing, which names every note that it financed");
  for (const note of notes) {
    const issues = shown2.issues.get(keyOf(rootOf2(note, shown2))) ?? [];
    if (issues.length === 0) found.push(`I12: the issue of the financed note ${pyText(note)}`);
    for (const issue of issues) found.push(...backing(note, issue.fields, shown2));
  }
  return found;
}
function backing(note, issue, shown2) {
  const rows = backed(issue);
  const allotted = rows.filter(({ asset, allot }) => asset !== null && allot !== null).map(({ allot }) => allot);
  const found = [];
  if (rows.length === 0 || allotted.length !== rows.length || sum(allotted) !== amountOf(issue.get("face"))) {
    found.push(`I12: all that backs the note ${pyText(note)}: every asset with its allotment, and the face they add up to`);
  }
  for (const { asset } of rows) if (asset !== null) found.push(...shown2.wanting(pyText(asset)));
  return found;
}
function rootOf2(note, shown2) {
  let root = note;
  for (let left = shown2.parents.size; left > 0 && shown2.parents.has(keyOf(root)); left--) root = shown2.parents.get(keyOf(root));
  return root;
}

// verify/rules.js
function verifyRules(d, registered) {
  const shown2 = entriesOf(d);
  const opened2 = shown2.map(({ entry }) => ({ recordType: entry.recordType, fields: fieldsOf(entry), isPartial: entry.transaction === null }));
  for (const artefact of d.bundle.artefacts) requireArtefact(artefact, opened2.map((record2) => record2.fields));
  const records = /* @__PURE__ */ new Map();
  shown2.forEach(({ entry }, i) => {
    const leaf = leafHash(entry.part.entry);
    records.set(hex(leaf), { entry, fields: opened2[i].fields, leaf });
  });
  requireValues(registered, records);
  const invoices = invoicesOf(registered, records);
  requireNoContradiction(invoices);
  const outcome = crossChecks(opened2, (asset) => wantingOf(invoices, asset));
  shown2.forEach(({ epoch: { record: record2 } }, i) => requireEventTime(opened2[i], record2.closedAt - d.genesis.cadence, record2.closedAt));
  const unknown = unknownOf(shown2.map(({ entry }) => entry)).map((what) => `a verifier that knows the ${what}`);
  return { warnings: outcome.warnings, missing: [...outcome.missing, ...unknown] };
}
function fieldsOf({ disclosures, transaction }) {
  const claims = transaction === null ? [] : [...claimsOf(transaction.body).values()];
  return new Map([...disclosures, ...claims].map(({ name, value }) => [name, value]));
}
function unknownOf(entries) {
  const schemas = entries.filter((one) => one.disclosures.length && !SCHEMAS.has(one.schema)).map((one) => `schema ${[...one.schema].slice(0, 64).join("")}`);
  const types = entries.filter((one) => one.transaction !== null && !RECORD_TYPES.has(one.recordType)).map((one) => `record type ${eventCode(one.recordType)}`);
  return [.../* @__PURE__ */ new Set([...schemas, ...types])].sort(compareText);
}
function requireValues(registered, records) {
  for (const { index, value } of registered.labels.flatMap((fact) => [...fact.versions.values()])) {
    const named3 = value === null ? void 0 : records.get(hex(value.entryLeaf));
    if (named3 === void 0) continue;
    const { entry, fields } = named3;
    if (value.kind === "life") {
      same2("labels.value.code", eventCode(entry.recordType), value.code);
      continue;
    }
    if (fields.has("object")) same2("labels.value.object", pyText(fields.get("object")), value.objectId);
    if (entry.transaction !== null && !opsOf(entry).some((op) => hex(op.index) === hex(index))) {
      throw fieldMismatch("labels.value.entry", "the record that inserted it", "another");
    }
  }
}
function invoicesOf(registered, records) {
  const of = (kind) => [...records.values()].filter(({ entry }) => entry.recordType === kind).map(({ entry, fields, leaf }) => ({ leaf, fields, insertion: insertionOf(entry) }));
  const labels = registered.labels.flatMap(({ label, versions }) => [...versions.values()].filter(({ value }) => value?.kind !== "life").map(({ index, value }) => ({ label, index, value })));
  return { registrations: of(ASSET_REGISTER), confirmations: of(ASSET_CONFIRM), labels };
}
function insertionOf(entry) {
  if (entry.transaction === null) return null;
  const authorisers = new Set(entry.transaction.body.authorisers.map(keyIdText));
  return { authorisers, indices: new Set(opsOf(entry).map((op) => hex(op.index))) };
}
function requireArtefact(artefact, records) {
  const holding = records.filter((fields) => typeof fields.get(artefact.field) === "string");
  if (holding.length === 0) throw fieldMalformed("artefacts.field", "a disclosed field that holds a SHA-256");
  const digest = b64u(artefact.sha256);
  const matching = holding.find((fields) => fields.get(artefact.field) === digest);
  if (matching === void 0) throw fieldMismatch(artefact.field, holding[0].get(artefact.field), digest);
  const group = artefact.field.replace(/sha256$/, "");
  const stated = [["name", artefact.name], ["media", artefact.media_type], ["size", artefact.size]];
  if (artefact.sm3 !== null) stated.push(["sm3", b64u(artefact.sm3)]);
  for (const [name, value] of stated) {
    if (matching.has(group + name)) same2(group + name, keyOf(matching.get(group + name)), value);
  }
}
function same2(field, expected, got) {
  if (expected !== got) throw fieldMismatch(field, pyText(expected), pyText(got));
}

// verify/source.js
var [A2, A3] = ["A2", "A3"];
var RESULTS = "their results are not shown";
var TIES = "it is not shown whose the keys of each later set are";
var RETIRED = "older keys signed a first block of an epoch, and it is not shown that they still could";
var FIRST_SET2 = 1;
function verifySource(d, sets, names2) {
  const wanting = /* @__PURE__ */ new Map();
  const blocks2 = [];
  const known = namesByKey(sets, names2);
  for (const epoch of d.epochs) {
    const number2 = epoch.record.epoch;
    const evidence = d.sources.get(number2);
    if (evidence === void 0) continue;
    const transactions = epoch.entries.flatMap((entry) => entry.part.transaction ?? []);
    const consensus = verifyEvidence(evidence, d.genesis, epoch.record, transactions);
    const ties = tiesWanting(d, epoch.record, evidence, consensus, sets, names2);
    wanting.set(number2, consensus.hasOutcomes ? ties : RESULTS);
    if (consensus.signers.length) {
      const signers = consensus.signers.map((key) => known.get(hex(key)) ?? `key ${hex(key)}`);
      blocks2.push({ epoch: number2, height: evidence.last.header.height, signers });
    }
  }
  const needed = d.epochs.filter((epoch) => epoch.entries.length);
  const bare = needed.some((epoch) => epoch.entries.some((entry) => entry.transaction === null));
  if (bare || needed.length === 0 || needed.some((epoch) => !wanting.has(epoch.record.epoch))) return { level: "", wanting: "", blocks: blocks2 };
  const found = needed.map((epoch) => wanting.get(epoch.record.epoch) ?? "").filter((text3) => text3);
  return { level: found.length ? A2 : A3, wanting: found[0] ?? "", blocks: blocks2 };
}
function tiesWanting(d, record2, evidence, consensus, sets, names2) {
  const terms = sets.map((known) => ({ firstSize: known.firstSize, seats: seatsOf2(known, names2) }));
  const sizes = evidence.handovers.map((handover) => epochOf(d.genesis, handover.signed.header.time.seconds) + 1);
  const tied = isTied(consensus, sizes, terms);
  const own = terms[record2.setId - FIRST_SET2].seats;
  const exact2 = own === null || isOwn(consensus, evidence, record2, own, epochBefore(d, record2.epoch, sets, terms));
  if (evidence.handovers.length === 0 && record2.setId === FIRST_SET2) return "";
  if (!tied || own === null) return TIES;
  return exact2 ? "" : RETIRED;
}
function epochBefore(d, number2, sets, terms) {
  const shown2 = d.epochs.find((epoch) => epoch.record.epoch === number2 - 1)?.record;
  return { seats: terms[responsible(sets, number2).setId - FIRST_SET2].seats, blocks: shown2 ? shown2.endBlock - shown2.firstBlock : null };
}
function seatsOf2({ set }, names2) {
  const keys = set.entries.map(({ address }) => nameOf(names2, set.setId, address).key);
  return keys.includes(null) ? null : new Set(keys.map((key) => hex(
    /** @type {Uint8Array} */
    key
  )));
}
var namesByKey = (sets, names2) => new Map(sets.flatMap(({ set }) => set.entries.map(({ address }) => nameOf(names2, set.setId, address))).filter((name) => name.key !== null).map((name) => [hex(
  /** @type {Uint8Array} */
  name.key
), name.text]));

// verify/index.js
var Course = class {
  /** @param {(check: string) => void} tell */
  constructor(tell) {
    this.tell = tell;
    this.passed = [];
  }
  /** @template T @param {number} number @param {string} name @param {number | (() => number)} count @param {() => T} check @returns {T} */
  take(number2, name, count2, check) {
    let result;
    this.tell(`${number2} ${name}`);
    try {
      result = check();
    } catch (error) {
      if (error instanceof BridgeError) {
        error.reached = this.passed.map((one) => `${one.number} ${one.name}`);
        error.stoppedAt = `${number2} ${name}`;
      }
      throw error;
    }
    this.passed.push({ number: number2, name, count: typeof count2 === "number" ? count2 : count2() });
    return result;
  }
};
function verify(data, trust, now, sights = [], tell = () => {
}) {
  const course = new Course(tell);
  const bundle = course.take(1, "shape", 1, () => decodeBundle(data));
  course.take(2, "format", 1, () => requireUnderstood(bundle));
  const structs = bundle.epochs.length + bundle.checkpoints.length;
  const d = course.take(3, "structs", structs, () => decode(bundle, trust.member_roots.length));
  const paths = inclusions(d).length + consistencies(d).length + absences(d).length;
  course.take(4, "arithmetic", paths, () => requireArithmetic(d));
  course.take(5, "identity", 1, () => requireIdentity(d));
  course.take(6, "hash paths", paths, () => verifyPaths(d));
  const sets = course.take(7, "validator sets", 1 + d.rotations.length, () => verifySets(d));
  const signed = course.take(8, "quorums", d.notes.length, () => verifyNotes(d, sets, trust));
  const names2 = course.take(9, "names", allValidators(d).length, () => verifyNames(d, sets, trust));
  course.take(9, "transactions", transactionsOf(d).length, () => verifyTransactions(d));
  const labels = d.epochs.reduce((total, epoch) => total + epoch.labels.length, 0);
  const registered = course.take(10, "registry", labels, () => verifyLabels(d));
  const standing2 = course.take(11, "public anchor", bundle.anchors.length, () => verifyAnchors(d, signed, trust, sights));
  const promised = course.take(12, "promise", d.promise === null ? 0 : 1, () => verifyPromise(d, sets, names2));
  const renewed = course.take(13, "renewals", bundle.renewals.length, () => verifyRenewals(d, trust, standing2.stamps));
  const rules = course.take(13, "rules", entriesOf(d).length, () => verifyRules(d, registered));
  const brakes = course.take(13, "brakes", bundle.epochs.length, () => verifyBrakes(d));
  const source = course.take(13, "source evidence", d.sources.size, () => verifySource(d, sets, names2));
  const findings = { decoded: d, trust, now, signed, names: names2, registered, standing: standing2, promised, renewed, rules, brakes, source };
  const passed = [...course.passed];
  return course.take(14, "freshness", 1, () => evidenceOf(findings, passed));
}
function requireUnderstood(bundle) {
  if (bundle.critical.length) {
    throw missing(`a verifier that understands the extension ${[...bundle.critical[0]].slice(0, 64).join("")}`);
  }
}

// package/sm3.js
var START = [1937774191, 1226093241, 388252375, 3666478592, 2842636476, 372324522, 3817729613, 2969243214];
var turn = (x, by2) => x << by2 | x >>> 32 - by2;
var mixed = (x) => x ^ turn(x, 9) ^ turn(x, 17);
var spread = (x) => x ^ turn(x, 15) ^ turn(x, 23);
var Sm3 = class {
  constructor() {
    this.words = Int32Array.from(START);
    this.rest = new Uint8Array(0);
    this.size = 0;
  }
  /** @param {Uint8Array} data */
  update(data) {
    this.size += data.length;
    const all = this.rest.length ? concat(this.rest, data) : data;
    const whole2 = all.length - all.length % 64;
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    for (let at = 0; at < whole2; at += 64) this.block(view, at);
    this.rest = all.slice(whole2);
    return this;
  }
  digest() {
    const size = this.size;
    const end = new DataView(new ArrayBuffer(8));
    end.setBigUint64(0, 8n * BigInt(size));
    this.update(concat(Uint8Array.of(128), new Uint8Array((119 - size % 64) % 64), new Uint8Array(end.buffer)));
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
      const one = turn(turn(a, 12) + e + turn(first ? 2043430169 : 2055708042, j) | 0, 7);
      const two = one ^ turn(a, 12);
      const sum2 = (first ? a ^ b ^ c : a & b | a & c | b & c) + d + two + (w[j] ^ w[j + 4]) | 0;
      const other = (first ? e ^ f ^ g : e & f | ~e & g) + h + one + w[j] | 0;
      [a, b, c, d, e, f, g, h] = [sum2, a, turn(b, 9), c, mixed(other), e, turn(f, 19), g];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => this.words[i] ^= word);
  }
};

// package/inflate.js
var WINDOW = 1 << 15;
var PIECE = 1 << 16;
var ORDER3 = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
var LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
var LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
var DISTANCES = [
  1,
  2,
  3,
  4,
  5,
  7,
  9,
  13,
  17,
  25,
  33,
  49,
  65,
  97,
  129,
  193,
  257,
  385,
  513,
  769,
  1025,
  1537,
  2049,
  3073,
  4097,
  6145,
  8193,
  12289,
  16385,
  24577
];
var broken2 = () => fieldMalformed("package.entries", "a deflate stream");
var WHOLE = "one whole deflate stream, nothing after it";
var notWhole = () => fieldMalformed("package.entries", WHOLE);
function codeOf(lengths) {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length]++;
  let left = 1;
  for (let length = 1; length < 16; length++) {
    left = 2 * left - counts[length];
    if (left < 0) throw broken2();
  }
  const places = new Uint16Array(16);
  for (let length = 1; length < 15; length++) places[length + 1] = places[length] + counts[length];
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => length && (symbols[places[length]++] = symbol));
  return { counts, symbols, left: counts[0] === lengths.length ? 0 : left };
}
var FIXED = codeOf(Array.from({ length: 288 }, (_, i) => i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
var FIXED_DISTANCES = codeOf(Array(30).fill(5).concat(5, 5));
var Bits = class {
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
    const value = this.held & (1 << need) - 1;
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
      first = first + counts[length] << 1;
      code <<= 1;
    }
    throw broken2();
  }
};
function* inflated(packed) {
  const bits2 = new Bits(packed);
  const out = { data: new Uint8Array(WINDOW + 2 * PIECE), at: 0, begun: 0 };
  let whole2 = true;
  try {
    yield* blocks(bits2, out);
  } catch (error) {
    if (!(error instanceof BridgeError && error.fields.rule === WHOLE)) throw error;
    whole2 = false;
  }
  if (out.at > out.begun) yield out.data.slice(out.begun, out.at);
  if (!whole2 || bits2.at !== packed.length) throw notWhole();
}
function* blocks(bits2, out) {
  for (let last = 0; !last; ) {
    last = bits2.take(1);
    const kind = bits2.take(2);
    if (kind === 3) throw broken2();
    yield* kind === 0 ? stored(bits2, out) : coded(bits2, out, kind === 1 ? [FIXED, FIXED_DISTANCES] : codesOf(bits2));
  }
}
function* handed(out) {
  if (out.at - out.begun < PIECE) return;
  yield out.data.slice(out.begun, out.at);
  out.data.copyWithin(0, out.at - WINDOW, out.at);
  out.at = out.begun = WINDOW;
}
function* stored(bits2, out) {
  [bits2.held, bits2.count] = [0, 0];
  if (bits2.at + 4 > bits2.data.length) throw notWhole();
  const [a, b, c, d] = bits2.data.subarray(bits2.at, bits2.at + 4);
  const length = a | b << 8;
  if (length !== (~(c | d << 8) & 65535)) throw broken2();
  bits2.at += 4;
  if (bits2.at + length > bits2.data.length) throw notWhole();
  out.data.set(bits2.data.subarray(bits2.at, bits2.at + length), out.at);
  out.at += length;
  bits2.at += length;
  yield* handed(out);
}
function codesOf(bits2) {
  const [literals, distances, given] = [bits2.take(5) + 257, bits2.take(5) + 1, bits2.take(4) + 4];
  if (literals > 286 || distances > 30) throw broken2();
  const short = Array(19).fill(0);
  for (let i = 0; i < given; i++) short[ORDER3[i]] = bits2.take(3);
  const code = codeOf(short);
  if (code.left || code.counts[0] === 19) throw broken2();
  const lengths = [];
  while (lengths.length < literals + distances) {
    const symbol = bits2.symbol(code);
    if (symbol < 16) lengths.push(symbol);
    else lengths.push(...repeated(bits2, symbol, lengths));
  }
  if (lengths.length > literals + distances || lengths[256] === 0) throw broken2();
  return [usable(codeOf(lengths.slice(0, literals))), usable(codeOf(lengths.slice(literals)))];
}
function repeated(bits2, symbol, before) {
  if (symbol > 16) return Array(symbol === 17 ? 3 + bits2.take(3) : 11 + bits2.take(7)).fill(0);
  if (before.length === 0) throw broken2();
  return Array(3 + bits2.take(2)).fill(before[before.length - 1]);
}
function usable(code) {
  const used = code.symbols.length - code.counts[0];
  if (code.left && !(used === 1 && code.counts[1] === 1)) throw broken2();
  return code;
}
function* coded(bits2, out, [literals, distances]) {
  for (; ; ) {
    const symbol = bits2.symbol(literals);
    if (symbol === 256) return;
    if (symbol < 256) out.data[out.at++] = symbol;
    else copy(bits2, out, symbol - 257, distances);
    yield* handed(out);
  }
}
function copy(bits2, out, kind, distances) {
  if (kind >= LENGTHS.length) throw broken2();
  const length = LENGTHS[kind] + bits2.take(LENGTH_BITS[kind]);
  const far = bits2.symbol(distances);
  if (far >= DISTANCES.length) throw broken2();
  const distance = DISTANCES[far] + bits2.take(far < 2 ? 0 : (far >> 1) - 1);
  if (distance > out.at) throw broken2();
  for (let i = 0; i < length; i++, out.at++) out.data[out.at] = out.data[out.at - distance];
}

// package/zip.js
var FIELD5 = "package";
var MAX_ENTRIES = 1024;
var MAX_UNPACKED = 2 ** 30;
var MAX_PACKED = MAX_UNPACKED + 2 ** 24;
var MAX_NAME3 = 200;
var MAGIC = Uint8Array.of(80, 75, 3, 4);
var STORED = 0;
var DEFLATED = 8;
var [LOCAL, ENTRY2, END2] = [30, 46, 22];
var HARMLESS_FLAGS = 2054;
var SEGMENT = /^(?!.*\.$)[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/s;
var bytesOf2 = async (file, start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer());
function numbers2(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return { two: (at) => view.getUint16(at, true), four: (at) => view.getUint32(at, true) };
}
async function membersOf(file) {
  if (file.size > MAX_PACKED) throw tooLong(FIELD5, MAX_PACKED, file.size);
  const { count: count2, start, end } = await directoryOf(file);
  const lines = await bytesOf2(file, start, Math.min(file.size, start + MAX_ENTRIES * (ENTRY2 + 65535)));
  const members2 = [];
  let [at, position] = [start, 0];
  for (let i = 0; i < count2; i++) {
    if (at + ENTRY2 > end) throw refusal("Truncated", { field: "package.directory", needed: ENTRY2, got: end - at });
    const length = numbers2(lines).two(at - start + 28);
    const member = await memberOf(file, lines.subarray(at - start, at - start + ENTRY2 + length), position);
    at += ENTRY2 + length;
    position = member.start + member.packed;
    members2.push(member);
  }
  if (at !== end) throw refusal("TrailingBytes", { field: "package.directory", count: end - at });
  requireSound(members2);
  return members2;
}
async function directoryOf(file) {
  const end = file.size - END2;
  if (end < 0) throw refusal("Truncated", { field: FIELD5, needed: END2, got: file.size });
  const data = await bytesOf2(file, end, file.size);
  const { two, four } = numbers2(data);
  const [count2, size, start] = [two(10), four(12), four(16)];
  if (!equal(data.subarray(0, 4), Uint8Array.of(80, 75, 5, 6)) || two(4) || two(6) || two(8) !== count2 || two(20)) {
    throw fieldMalformed("package.end", "one directory on one disk, no comment, nothing after it");
  }
  if (count2 < 1 || count2 > MAX_ENTRIES) throw tooLong("package.entries", MAX_ENTRIES, count2);
  if (start + size !== end) throw fieldMalformed("package.end", "the directory fills what is between the entries and the end");
  return { count: count2, start, end };
}
async function memberOf(file, line, position) {
  const { two, four } = numbers2(line);
  const [flags, method, crc, packed, size] = [two(8), two(10), four(16), four(20), four(24)];
  if (!equal(line.subarray(0, 4), Uint8Array.of(80, 75, 1, 2)) || two(30) || two(32) || two(34)) {
    throw fieldMalformed("package.directory", "lines without extra field or comment");
  }
  if (flags & ~HARMLESS_FLAGS || ![STORED, DEFLATED].includes(method) || method === STORED && packed !== size) {
    throw fieldMalformed("package.directory", "stored or deflated, not encrypted, sizes in front");
  }
  if (![0, 32768].includes(four(38) >>> 16 & 61440)) throw fieldMalformed("package.directory", "regular files alone");
  const [name, offset] = [line.subarray(ENTRY2), four(42)];
  if (offset !== position) throw fieldMalformed("package.entries", "one after the other from the first byte, in order");
  const start = offset + LOCAL + two(28);
  if (start + packed > file.size) throw refusal("Truncated", { field: "package.entries", needed: start + packed, got: file.size });
  const [expected, got] = [concat(MAGIC, line.subarray(6, 32), name), await bytesOf2(file, offset, start)];
  if (!equal(expected, got)) throw fieldMismatch("package.entries", hex(expected), hex(got));
  return { name: nameOf2(name), method, start, packed, size, crc };
}
function nameOf2(name) {
  const text3 = latin1(name);
  if (text3.length > MAX_NAME3 || !text3.split("/").every((segment) => SEGMENT.test(segment))) {
    throw fieldMalformed("package.entries", "relative names of ASCII letters, digits and ._-");
  }
  return text3;
}
function requireSound(members2) {
  if (new Set(members2.map((member) => member.name.toLowerCase())).size !== members2.length) {
    throw fieldMalformed("package.entries", "each name once");
  }
  const total = members2.reduce((sum2, member) => sum2 + member.size, 0);
  if (total > MAX_UNPACKED) throw tooLong("package.unpacked", MAX_UNPACKED, total);
}
var CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let i = 0; i < 8; i++) rest = rest & 1 ? 3988292384 ^ rest >>> 1 : rest >>> 1;
  return rest;
});
function crcOf(crc, data) {
  let rest = ~crc;
  for (const byte of data) rest = CRC[(rest ^ byte) & 255] ^ rest >>> 8;
  return ~rest >>> 0;
}
async function* unpacked(file, { name, method, start, packed, size: said, crc: stated }) {
  let [size, crc] = [0, 0];
  const pieces = method === STORED ? piecesOf(file, start, start + packed) : inflated(await bytesOf2(file, start, start + packed));
  for await (const piece of pieces) {
    [size, crc] = [size + piece.length, crcOf(crc, piece)];
    if (size > said) throw tooLong(name, said, size);
    yield piece;
  }
  if (size !== said || crc !== stated) {
    const told = (bytes, sum2) => `${bytes} bytes, CRC ${sum2.toString(16).padStart(8, "0")}`;
    throw fieldMismatch(name, told(said, stated), told(size, crc));
  }
}
async function* piecesOf(file, start, end) {
  for (let at = start; at < end; at += 1 << 20) yield await bytesOf2(file, at, Math.min(end, at + (1 << 20)));
}

// package/index.js
var MEDIA_TYPE = "application/vnd.hybrid-bridge.evidence+zip";
var [MIMETYPE, BUNDLE2, MANIFEST, STAMP] = ["mimetype", "bundle.json", "META-INF/manifest.json", "META-INF/manifest.tsr"];
var ARTEFACTS = "artefacts/";
var FOLDERS = [ARTEFACTS, "tokens/", "certs/", "report/", "spec/", "verifier/"];
var MAX_MANIFEST = 1 << 20;
var KEPT = /* @__PURE__ */ new Map([[MIMETYPE, MEDIA_TYPE.length], [BUNDLE2, MAX_BUNDLE], [MANIFEST, MAX_MANIFEST], [STAMP, (1 << 16) + 64]]);
var FILE = record({ path: text(MAX_NAME3), size: uint(MAX_UNPACKED), sha256: octets(32), sha512: octets(64), sm3: octets(32) });
var LISTED = record({ format: literal("hybrid-bridge/evidence-package/v1"), files: array(FILE, 1024) });
var isPackage = (start) => equal(start.subarray(0, 4), MAGIC);
async function verifyPackage(file, trust, now, sights = [], tell = () => {
}) {
  const read = await readPackage(file, tell);
  return judgePackage(read, verify(read.bundle, trust, now, sights, tell), trust);
}
function packageJson({ evidence, documents, manifest, stamp }) {
  const told = stamp && { authority: stamp.authority, time: stamp.time, basis: stamp.basis, missing: stamp.missing };
  const shown2 = documents.map(({ path, size, sha256: digest, epoch, field }) => ({ path, size, sha256: b64u(digest), epoch, field }));
  return { ...evidenceJson(evidence), package: { manifest: b64u(manifest), documents: shown2, stamp: told } };
}
async function readPackage(file, tell = () => {
}) {
  const members2 = await membersOf(file);
  requireLayout(members2);
  const kept = /* @__PURE__ */ new Map();
  for (const member of members2) if (KEPT.has(member.name)) kept.set(member.name, await whole(file, member));
  const [mimetype, bundle, manifest] = [MIMETYPE, BUNDLE2, MANIFEST].map((name) => (
    /** @type {Uint8Array} */
    kept.get(name)
  ));
  if (!equal(mimetype, utf8(MEDIA_TYPE))) throw fieldMalformed("package.mimetype", MEDIA_TYPE);
  const files = parseManifest(manifest);
  const found = [];
  for (const member of members2) {
    if (member.name === MANIFEST || member.name === STAMP) continue;
    tell(member.name);
    found.push(await digested(member.name, unpacked(file, member)));
  }
  requireSame2(files, found, "package.manifest");
  await requireDerived(decodeBundle(bundle), found);
  return { bundle, manifest, files, stamp: kept.get(STAMP) ?? null };
}
function requireLayout(members2) {
  if (members2[0].name !== MIMETYPE || members2[0].method !== STORED) throw fieldMalformed("package", "the entry mimetype first, and stored");
  const names2 = members2.map((member) => member.name);
  for (const name of [BUNDLE2, MANIFEST]) if (!names2.includes(name)) throw fieldMalformed("package", `an entry ${name}`);
  for (const name of names2) {
    const isListed = name.split("/").length === 2 && FOLDERS.some((folder) => name.startsWith(folder));
    if (!KEPT.has(name) && !isListed) throw fieldMalformed("package", "nothing but what SPEC §14 lists");
  }
}
async function whole(file, member) {
  const limit = (
    /** @type {number} */
    KEPT.get(member.name)
  );
  if (member.size > limit) throw tooLong(member.name, limit, member.size);
  const pieces = [];
  for await (const piece of unpacked(file, member)) pieces.push(piece);
  return concat(...pieces);
}
async function digested(path, pieces) {
  const [one, other, third] = [sha256.create(), sha512.create(), new Sm3()];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    for (const state of [one, other, third]) state.update(piece);
  }
  return { path, size, sha256: one.digest(), sha512: other.digest(), sm3: third.digest() };
}
function parseManifest(data) {
  const { files } = LISTED.parse(parseCanonicalJson(data, "manifest", MAX_MANIFEST), "manifest");
  if (!pairwise(files).every(([one, next2]) => compareText(one.path, next2.path) < 0)) {
    throw fieldMalformed("manifest.files", "ascending paths, each once");
  }
  return files;
}
async function requireDerived(bundle, found) {
  const two = (i) => String(i).padStart(2, "0");
  const response = (token) => der(SEQUENCE, der(SEQUENCE, der(INTEGER, Uint8Array.of(0))), token);
  const derived = [
    ...bundle.anchors.flatMap((part, i) => part.type === "rfc3161" ? [[`tokens/anchor-${two(i)}.tsr`, response(part.token)]] : []),
    ...bundle.renewals.map((part, i) => [`tokens/renewal-${two(i)}.tsr`, response(part.token)]),
    ...bundle.certificates.map((data, i) => [`certs/certificate-${two(i)}.der`, data])
  ];
  const expected = [];
  for (const [path, data] of derived) expected.push(await digested(path, [data]));
  requireSame2(expected, found.filter(({ path }) => path.startsWith("tokens/") || path.startsWith("certs/")), "package.bundle");
}
function requireSame2(expected, got, field) {
  const [these, those] = [expected, got].map((files) => new Map(files.map((file) => [file.path, file])));
  const shown2 = (files, path) => {
    const file = files.get(path);
    return file ? `${path}: ${file.size} bytes, ${hex(file.sha256)}` : `no ${path}`;
  };
  for (const path of [.../* @__PURE__ */ new Set([...these.keys(), ...those.keys()])].sort(compareText)) {
    const [one, other] = [these.get(path), those.get(path)];
    if (!one || !other || !isSame(one, other)) throw fieldMismatch(field, shown2(these, path), shown2(those, path));
  }
}
var isSame = (one, other) => one.size === other.size && equal(one.sha256, other.sha256) && equal(one.sha512, other.sha512) && equal(one.sm3, other.sm3);
function judgePackage(read, evidence, trust) {
  const stamp = read.stamp && judged(decodeResponse(read.stamp), read.manifest, "manifest", trust);
  const documents = read.files.filter(({ path }) => path.startsWith(ARTEFACTS)).map((file) => documentFact(file, evidence));
  return { evidence, documents, manifest: sha2562(read.manifest), stamp };
}
function decodeResponse(data) {
  const outer = new DerReader(data, "answer");
  const response = outer.inside(SEQUENCE);
  outer.end();
  const status = response.inside(SEQUENCE).integer();
  if (status !== 0n && status !== 1n) {
    throw refusal("EndpointRefused", { endpoint: "manifest.tsr", call: "timestamp", code: status, reason: "PKIStatus" });
  }
  const token = response.take(SEQUENCE).whole;
  response.end();
  return decodeToken(token);
}
function documentFact(file, evidence) {
  const digest = b64u(file.sha256);
  for (const { epoch, fields } of evidence.records) {
    const holding = fields.find((field) => field.value === digest);
    if (holding === void 0) continue;
    for (const listed of evidence.artefacts) requireAlike(file, listed);
    return { path: file.path, size: file.size, sha256: file.sha256, epoch, field: holding.name };
  }
  throw fieldMismatch(file.path, "a SHA-256 that a disclosed field holds", `${hex(file.sha256)}, which is none of them`);
}
function requireAlike(file, listed) {
  if (!equal(listed.sha256, file.sha256)) return;
  const agrees = (stated, got) => stated === null || equal(stated, got);
  if (file.size !== listed.size || !agrees(listed.sha512, file.sha512) || !agrees(listed.sm3, file.sm3)) {
    throw fieldMismatch(file.path, "what artefacts[] says of it", `${file.size} bytes`);
  }
}

// trust.js
var MAX_TRUST = 1 << 20;
var REQUIREMENTS = [
  "integrity",
  "quorum",
  "names",
  "public anchor",
  "witnesses",
  "not after",
  "not before",
  "freshness",
  "registry",
  "omission",
  "governance since"
];
var LOG = record({ log_id: octets(32) }, { genesis: octets(832) }, (log) => {
  if (log.genesis !== null && !equal(leafHash(log.genesis), log.log_id)) {
    throw fieldMalformed("trust.logs.genesis", "the record that log_id is the hash of");
  }
  return log;
});
var CHAIN = record({
  chain_id: uint(),
  contracts: array(octets(20), 64),
  block_hashes: array(record({ number: uint(), hash: octets(32) }), 4096),
  sources: array(text(512), 16),
  threshold: uint(16)
});
var TRUST = record(
  {
    format: literal("hybrid-bridge/trust/v1"),
    logs: array(LOG, 256),
    public_chains: array(CHAIN, 64),
    tsa_roots: array(octets(null, 1 << 14), 64),
    member_roots: array(octets(null, 1 << 14), 64),
    require: array(literal(...REQUIREMENTS), REQUIREMENTS.length)
  },
  { tlog_policy: text(1 << 16), max_age: uint(), minimum_level: literal("A0", "A1", "A2", "A3") }
);
var bareTrust = (logIds = []) => ({
  logs: logIds.map((log_id) => ({ log_id, genesis: null })),
  public_chains: [],
  tsa_roots: [],
  member_roots: [],
  require: ["integrity", "quorum", "public anchor"],
  tlog_policy: null,
  max_age: null,
  minimum_level: null
});
function parseTrust(data) {
  const value = parseJson(data, "trust", MAX_TRUST);
  canonicalJson(value);
  const trust = TRUST.parse(value, "trust");
  if (trust.tlog_policy !== null) parsePolicy(trust.tlog_policy);
  requireOnce2(trust.public_chains.map((chain) => chain.chain_id), "trust.public_chains");
  for (const chain of trust.public_chains) {
    requireOnce2(chain.block_hashes.map((block) => block.number), "trust.public_chains.block_hashes");
  }
  return trust;
}
function requireOnce2(numbers3, field) {
  if (new Set(numbers3).size !== numbers3.length) throw fieldMalformed(field, "each number once");
}
export {
  BridgeError,
  bareTrust,
  evidenceJson,
  isPackage,
  packageJson,
  parseTrust,
  verify,
  verifyPackage
};
