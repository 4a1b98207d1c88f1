/**
 * The verifier's own sentences in Chinese: one table, read by pattern. The English ones stay what they are, to be compared.
 *
 * {n} is a number, {x} hex, {d} a moment, {t} any text, which is itself looked up; each goes where its number says.
 */

/** @type {[string, string][]} */
export const TABLE = [
  // names and results of verdicts
  ["integrity", "完整性"], ["quorum", "法定人数"], ["names", "名称"], ["level", "保证等级"], ["public anchor", "公共链锚定"], ["witnesses", "见证者"],
  ["not after", "不晚于"], ["not before", "不早于"], ["freshness", "时效"], ["registry", "登记表"], ["omission", "遗漏"], ["governance since", "其后的治理变更"],
  ["verified", "已验证"], ["undecided", "无法判定"], ["not shown", "未出示"], ["proven", "已证明"], ["claimed, unanswered", "有主张，未见答复"],
  ["{n} s", "{0} 秒"], ["{n} days", "{0} 天"], ["A{n}", "A{0}"], ["none", "无"],
  // integrity, quorum, names, level
  ["{n} {t} → {n} {t} → {n} {t} → checkpoint of size {n}", "{0} 个字段 → {2} 条记录 → {4} 个时段 → 大小为 {6} 的检查点"],
  ["SHA-256, and the log id that you chose to rely on", "SHA-256，以及您选择信任的日志标识"],
  ["trust in log {x} (trust file or --log)", "对日志 {0} 的信任（信任文件或日志标识）"],
  ["{n} of {n} validators of set {n} signed; {n} are needed", "第 {2} 组 {1} 名验证者中有 {0} 名签署；需要 {3} 名"],
  ["secp256k1 signatures of the set that the log id fixes", "日志标识所确定的验证者组的 secp256k1 签名"],
  ["secp256k1 signatures of the set that the log id fixes, and that no later set is kept from you", "日志标识所确定的验证者组的 secp256k1 签名，且没有向您隐瞒更新的组"],
  ["all {n} signers are named by certificates", "{0} 名签署者均由证书指明"],
  ["all {n} signers are named by certificates, of {n} {t}", "{0} 名签署者均由证书指明，属于 {1} 名成员"],
  ["certificates issued by roots you trust", "由您信任的根证书签发的证书"],
  ["{n} of {n} signers are named by certificates; the others: {t}", "{1} 名签署者中有 {0} 名由证书指明；其余：{2}"],
  ["the validators' own word", "验证者自己的说法"],
  ["certificates in the bundle, and their issuer under member_roots in the trust file", "证据包内的证书，及信任文件 member_roots 中的签发者"],
  ["more than two thirds of the private chain's validators signed the blocks of all transactions, with their results and the state after them", "私有链三分之二以上的验证者签署了所有交易所在的区块，包括执行结果和其后的状态"],
  ["more than two thirds of the private chain's validators signed the blocks of all transactions, {t}", "私有链三分之二以上的验证者签署了所有交易所在的区块；{0}"],
  ["their results are not shown", "未出示其执行结果"],
  ["it is not shown whose the keys of each later set are", "未出示其后各组密钥属于谁"],
  ["older keys signed a first block of an epoch, and it is not shown that they still could", "旧密钥签署了某时段的首个区块，未出示其当时仍有效"],
  ["names and quorum, and signatures of the validators that the ledger id fixes", "名称和法定人数，以及账本标识所确定的验证者的签名"],
  ["{n} named members countersigned the same root; the private chain's consensus is not shown", "{0} 名具名成员会签了同一个根；未出示私有链的共识证据"],
  ["names and quorum", "名称和法定人数"],
  ["certified names of {n} different members; {n} are shown", "{0} 名不同成员的经证书确认的名称；已出示 {1} 名"],
  ["a quorum signed, but not of members whom you know by name", "达到法定人数，但签署者并非您知其名称的成员"],
  ["self-stated", "自称"], ["self-stated; its certificate is of an issuer you did not name", "自称；其证书的签发者未被您指定"],
  ["self-stated; its certificate is of an issuer you did not name, self-stated", "自称；其证书的签发者未被您指定，或仅为自称"],
  ["self-stated; its certificate was not valid at the checkpoint's time", "自称；其证书在检查点时间无效"],
  ["self-stated; its certificate is not for an identity key", "自称；其证书不是身份密钥证书"], ["self-stated; its certificate names somebody else", "自称；其证书指明的是他人"],
  // public anchor, witnesses
  ["the public chain, its append-only contract, and your source of the block hash", "公共链、其只可追加的合约，以及您取得区块哈希的来源"],
  ["size {n} in public block {n} of chain {n}, contract {x}; its hash by {t}", "大小 {0} 已锚定于链 {2} 的公共区块 {1}，合约 {3}；区块哈希来自：{4}"],
  ["the trust file", "信任文件"], ["{n} of {n} endpoints that call it final", "{1} 个节点中有 {0} 个确认其最终性"],
  ["head of contract {x} on chain {n}, by {t}: the same size and root", "链 {1} 上合约 {0} 的最新头，来源：{2}：大小与根相同"],
  ["receipt and headers agree with size {n}; whether the public block is real is unknown", "收据与区块头与大小 {0} 一致；公共区块是否真实尚不清楚"],
  ["trust in contract {x} on chain {n} (trust file or --contract)", "对链 {1} 上合约 {0} 的信任（信任文件或合约地址）"],
  ["that public block {n} of chain {n} has the hash {x} (trust file or --rpc)", "链 {1} 的公共区块 {0} 的哈希确为 {2}（信任文件或节点）"],
  ["no anchor in the bundle", "证据包内没有锚定"],
  ["an anchor (hybrid-bridge bundle upgrade), or --rpc and --contract", "锚定证据（hybrid-bridge bundle upgrade），或节点与合约地址"],
  ["cosignatures of the witnesses that your tlog_policy names", "您的 tlog_policy 所列见证者的联署"],
  ["{n} {t} kept, not judged", "保留 {0} 份联署，未作判断"],
  ["a tlog_policy in the trust file", "信任文件中的 tlog_policy"], ["cosignatures, and a tlog_policy in the trust file", "联署，以及信任文件中的 tlog_policy"],
  ["policy of other logs", "策略针对其他日志"], ["a tlog_policy with this log, or with none", "含有本日志或不指明日志的 tlog_policy"],
  ["none needed", "无需联署"], ["policy met by size {n}: {t}", "大小 {0} 满足策略：{1}"],
  ["policy not met: {n} {t} of its {n} {t}", "未满足策略：{2} 名见证者中有 {0} 份联署"],
  ["cosignatures that meet {t} of the tlog_policy (hybrid-bridge witness ask)", "满足 tlog_policy 中 {0} 的联署（hybrid-bridge witness ask）"],
  // time
  ["the public chain's clock", "公共链的时钟"], ["that authority's clock and key; revocation is not checked", "该机构的时钟和密钥；未检查吊销"],
  ["no time", "没有时间证据"], ["a public chain's clock, or a timestamping authority's", "公共链或时间戳机构的时钟"],
  ["a verified public anchor or timestamp in the bundle", "证据包内经验证的公共链锚定或时间戳"],
  ["the root of this authority under tsa_roots in the trust file", "信任文件 tsa_roots 中该机构的根证书"],
  ["a verifier that knows signature algorithm {t}", "支持签名算法 {0} 的验证程序"],
  ["the time of the public block", "公共区块时间"], ["a timestamp of {t}", "{0} 的时间戳"],
  ["all of it existed by {d}, {t}, {n} s after epoch {n} closed", "全部内容最迟在 {0} 已存在（{1}），即时段 {3} 结束后 {2} 秒"],
  ["all of it existed by {d}, {t}", "全部内容最迟在 {0} 已存在（{1}）"],
  ["epoch {n} was finished after {d}; {t}", "时段 {0} 在 {1} 之后才完成；{2}"], ["epoch {n} was finished after {d}", "时段 {0} 在 {1} 之后才完成"],
  ["an epoch's beacon, its public block in the bundle, and that block's hash from your own source", "时段的信标、证据包内的相应公共区块，以及您自己来源的该区块哈希"],
  ["your clock", "您的时钟"], ["the newest checkpoint in the bundle", "证据包内最新的检查点"], ["the contract's head", "合约的最新头"],
  ["{t} is of {d}, {t} old; the next is overdue by {t}", "{0}的时间为 {1}，已有 {2}；下一个已逾期 {3}"], ["{t} is of {d}, {t} old", "{0}的时间为 {1}，已有 {2}"],
  ["a clock that has reached the checkpoint's time", "已到达检查点时间的时钟"], ["a head not older than {t}", "不早于 {0} 前的最新头"],
  ["a newer head (--rpc), or a max_age in the trust file", "更新的头（节点），或信任文件中的 max_age"],
  // registry, omission, governance
  ["the quorum's registry root and the log's VRF key", "法定人数签署的登记表根，以及日志的 VRF 密钥"], ["no label", "没有标签"], ["labels in the bundle", "证据包内的标签"],
  ["{n} {t} about labels, listed apart", "关于标签的 {0} 项陈述，另行列出"],
  ["the labels at an epoch not older than {n} s: what is shown may have changed since", "不早于 {0} 秒前的时段的标签：所示内容其后可能已变"],
  ["every version of the label, the one after the last, and the opening of the last", "标签的每个版本、最后版本之后的一个，以及最后版本的开启值"],
  ["a verifier with this log's own table of labels: it spells them otherwise", "采用本日志自己标签表的验证程序：其写法不同"],
  ["the label at the end of the log before, {x}", "前一日志 {0} 结束时的标签"],
  ["the node's identity key, and a quorum that sorted each batch", "节点的身份密钥，以及对每批次排序的法定人数"],
  ["no promise", "没有承诺"], ["a promise, and every epoch of its window", "一项承诺，及其期限内的每个时段"],
  ["somebody whose certificate is not shown", "未出示证书者"],
  ["{t} promised entry {x} and left it and its refusal out of epochs {n} to {n}", "{0} 承诺了记录 {1}，却在时段 {2} 至 {3} 中既未收入也未拒绝"],
  ["{t} promised entry {x} and left it and its refusal out of epochs {n} to {n}; it came late, in epoch {n}", "{0} 承诺了记录 {1}，却在时段 {2} 至 {3} 中既未收入也未拒绝；迟至时段 {4} 才收入"],
  ["{t} promised entry {x} in epochs {n} to {n}", "{0} 承诺在时段 {2} 至 {3} 收入记录 {1}"],
  ["{t} promised entry {x} in epochs {n} to {n}; it came late, in epoch {n}", "{0} 承诺在时段 {2} 至 {3} 收入记录 {1}；迟至时段 {4} 才收入"],
  ["the certificate of the validator that signed the promise", "签署承诺的验证者的证书"],
  ["the absence of entry and refusal in epoch {n}", "时段 {0} 中记录与拒绝均不存在的证明"], ["the absence of entry and refusal in epochs {n} to {n}", "时段 {0} 至 {1} 中记录与拒绝均不存在的证明"],
  ["the governance tree in the epoch records", "时段记录中的治理树"], ["no statement", "没有陈述"],
  ["{n} {t} from epoch {n} to {n}", "时段 {2} 至 {3} 有 {0} 条治理记录"], ["none from epoch {n} to {n}, shown by equal sizes", "时段 {0} 至 {1} 无治理记录，由大小相等证明"],
  ["the record of epoch {n}, the newest of the checkpoints shown", "时段 {0} 的记录，即所示检查点中最新者"],
  ["the governance records from epoch {n} to {n}", "时段 {0} 至 {1} 的治理记录"],
  // to be known, and what rules ask for
  ["broken promise: {t} accepted a transaction and left it out of the log", "违背承诺：{0} 接受了一笔交易却未将其写入日志"],
  ["of submitter {x} the numbers {t} are shown; {n} between them not", "提交者 {0} 的序号 {1} 已出示；其间有 {2} 个未出示"],
  ["contract {x} on chain {n} calls this log {t}", "链 {1} 上的合约 {0} 称本日志的状态为 {2}"],
  ["epoch {n} names a public block made {n} s after it closed: it was written late", "时段 {0} 引用了其结束 {1} 秒后产生的公共区块：该时段写入过迟"],
  ["the timestamp over {t} is {n} s older than the checkpoint's own time", "{0} 的时间戳比检查点自身时间早 {1} 秒"],
  ["the certificate of the timestamp over {t} ran out on {d}, unrenewed", "{0} 的时间戳证书已于 {1} 到期，未续期"],
  ["size {n}", "大小 {0}"], ["renewal {n}", "续期 {0}"],
  ["the brake was on when epoch {n} closed: of what, by whom and why is not shown", "时段 {0} 结束时制动处于启用状态：对象、启用者与原因未出示"],
  ["the brake was on when epoch {n} closed: {t}", "时段 {0} 结束时制动处于启用状态：{1}"],
  ["record {x} of type {x} stands in epoch {n}: no brake stops this type", "时段 {2} 中有类型 {1} 的记录 {0}：此类型不受制动限制"],
  ["record {x} stands in epoch {n}, in which the brake on {t} was pulled", "记录 {0} 位于时段 {1}，对 {2} 的制动在该时段启用"],
  ["record {x} stands in epoch {n}, in which the brake on {t} was taken off", "记录 {0} 位于时段 {1}，对 {2} 的制动在该时段解除"],
  ["a verifier that knows the {t}", "了解 {0} 的验证程序"],
  ["I12: the debtor's confirmation of asset {t}", "I12：债务人对资产 {0} 的确认"],
  ["I12: the transaction of the confirmation of asset {t}, which names the labels that it inserted", "I12：确认资产 {0} 的交易，其中列明所登记的标签"],
  ["I12: the opened invoice of asset {t}", "I12：资产 {0} 的已披露发票"], ["I12: of the invoice of asset {t}, {t}", "I12：资产 {0} 的发票缺少：{1}"],
  ["I12: the issue of the financed note {t}", "I12：所融资凭证 {0} 的签发"],
  ["I12: all that backs the note {t}: every asset with its allotment, and the face they add up to", "I12：支持凭证 {0} 的全部资产及其分配额，以及合计面额"],
  ["I6b: every financed note; those shown carry an advance of {n}, not of {n}", "I6b：所有被融资的凭证；所示凭证可承载的预付款为 {0}，而非 {1}"],
  ["split: the parent's face is not shown, so conservation (I2) was checked by the validators alone", "拆分：未出示原凭证面额，守恒性（I2）仅由验证者检查"],
  ["split: the children shown add up to {n} of {n}; some are not shown", "拆分：所示子凭证合计 {0}，原面额 {1}；部分未出示"],
  ["split: the children shown add up to {n} of {n}; that there is no other child was checked by the validators alone (the split's transaction is not shown)", "拆分：所示子凭证合计 {0}，原面额 {1}；是否另有子凭证仅由验证者检查（未出示拆分交易）"],
  ["tenor: due {n} days after issue, more than six months", "期限：签发后 {0} 天到期，超过六个月"],
  ["no answer from endpoint {n}", "第 {0} 个节点无应答"], ["A{n}; A{n} was reached", "A{0}；仅达到 A{1}"],
  // never proven
  ["that what was entered was true before it was entered", "所录入内容在录入前即为真实"], ["dealings outside the ledger", "账本之外的交易"],
  ["who stands behind a key beyond its certificate", "密钥背后除证书外的真实身份"],
  ["that a member's own database equals the ledger", "成员自有数据库与账本一致"], ["legal effect", "法律效力"],
];

const PLACES = { n: "(-?[0-9][0-9.]*)", x: "((?:0x)?[0-9a-f]{4,})", d: "([0-9]{4}-[0-9-]+ [0-9:]+ UTC|second [0-9]+)", t: "(.+)" };
const PATTERNS = TABLE.map(([english, chinese]) => ({ pattern: patternOf(english), chinese }));
/** Verdicts' names before what they miss, as in the list of what is missing. */
const LISTED = /^([a-z]+(?: [a-z]+)?(?:, [a-z]+(?: [a-z]+)?)*): (.+)$/s;

/** @param {string} english */
function patternOf(english) {
  const parts = english.split(/\{([nxdt])\}/).map((part, i) =>
    (i % 2 ? PLACES[/** @type {"n" | "x" | "d" | "t"} */ (part)] : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return new RegExp(`^${parts.join("")}$`, "s");
}

/** A sentence of the verifier's in the reader's language; one that the table does not have stays in English. @param {"en" | "zh"} language @param {string} text */
export const told = (language, text) => (language === "zh" ? (inChinese(text) ?? text) : text);

/** The sentence in Chinese, or null if the table has none. @param {string} text @returns {string | null} */
export function inChinese(text) {
  for (const { pattern, chinese } of PATTERNS) {
    const found = pattern.exec(text);
    if (found) return chinese.replace(/\{(\d)\}/g, (_, place) => inChinese(found[Number(place) + 1]) ?? found[Number(place) + 1]);
  }
  const listed = LISTED.exec(text);
  const names = listed?.[1].split(", ").map(inChinese) ?? [];
  const missing = listed && inChinese(listed[2]);
  return listed && missing && names.every((name) => name !== null) ? `${names.join("、")}：${missing}` : null;
}
