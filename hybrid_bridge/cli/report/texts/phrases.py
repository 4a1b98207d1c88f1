"""What `verify` says in English, sentence by sentence, in Chinese. `{x}` is a value, `{x_s}` again a sentence.

The first that fits is taken: narrower ones stand above wider ones. Sentences that are not here stay English.
"""

from typing import Final

from hybrid_bridge.cli.report.texts.facts import COUNTS, FACTS

_DETAILS: Final = (
    ("{f_s} → {e_s} → {p_s} → checkpoint of size {n}", "{f_s} → {e_s} → {p_s} → 大小 {n} 的检查点"),
    ("{k} of {n} validators of set {s} signed; {q} are needed", "集合 {s} 的 {n} 名验证人中 {k} 名已签名；须 {q} 名"),
    ("all {n} signers are named by certificates", "全部 {n} 名签名方均有证书载明名称"),
    ("all {n} signers are named by certificates, of {m_s}", "全部 {n} 名签名方均有证书载明名称，属 {m_s}"),
    (
        "{k} of {n} signers are named by certificates; the others: {why_s}",
        "{n} 名签名方中 {k} 名有证书载明名称；其余：{why_s}",
    ),
    (
        "more than two thirds of the private chain's validators signed the blocks of all transactions, with their "
        "results and the state after them",
        "私有链超过三分之二的验证人签署了全部交易所在区块及其结果与其后状态",
    ),
    (
        "more than two thirds of the private chain's validators signed the blocks of all transactions, {what_s}",
        "私有链超过三分之二的验证人签署了全部交易所在区块，{what_s}",
    ),
    (
        "{n} named members countersigned the same root; the private chain's consensus is not shown",
        "{n} 名具名成员会签了同一根；未出示私有链的共识证据",
    ),
    ("a quorum signed, but not of members whom you know by name", "已达法定人数，但签名成员未能具名"),
    (
        "size {n} in public block {b} of chain {c}, contract {a}; its hash by {who_s}",
        "大小 {n}，载于链 {c} 的公共区块 {b}，合约 {a}；其哈希的来源：{who_s}",
    ),
    ("{what_s}: the same size and root", "{what_s}：大小与根相同"),
    ("head of contract {a} on chain {c}, by {who_s}", "链 {c} 上合约 {a} 的最新状态，来源：{who_s}"),
    (
        "receipt and headers agree with size {n}; whether the public block is real is unknown",
        "收据与区块头与大小 {n} 相符；公共区块是否属实未知",
    ),
    ("no anchor in the bundle", "文件中没有锚定"),
    ("{n} cosignature kept, not judged", "{n} 个会签已保留，未经判断"),
    ("{n} cosignatures kept, not judged", "{n} 个会签已保留，未经判断"),
    ("policy of other logs", "策略针对其他账本"),
    ("policy met by size {n}: {who}", "大小 {n} 满足策略：{who}"),
    ("policy not met: {k_s} of its {n_s}", "未满足策略：{k_s}，共 {n_s}"),
    (
        "all of it existed by {t}, {what_s}, {n} s after epoch {e} closed",
        "全部内容于 {t} 已存在，依{what_s}，距第 {e} 期结束 {n} 秒",
    ),
    ("all of it existed by {t}, {what_s}", "全部内容于 {t} 已存在，依{what_s}"),
    ("the time of the public block", "公共区块的时间"),
    ("a timestamp of {who}", "{who} 的时间戳"),
    ("epoch {e} was finished after {t}", "第 {e} 期于 {t} 之后完成"),
    (
        "{src_s} is of {t}, {age_s} old; the next is overdue by {late_s}",
        "{src_s}的时间为 {t}，时龄 {age_s}；下一个已逾期 {late_s}",
    ),
    ("{src_s} is of {t}, {age_s} old", "{src_s}的时间为 {t}，时龄 {age_s}"),
    ("the newest checkpoint in the bundle", "文件中最新的检查点"),
    ("the contract's head", "合约的最新状态"),
    ("{n} statement about labels, listed apart", "关于标签的陈述 {n} 项，另行列出"),
    ("{n} statements about labels, listed apart", "关于标签的陈述 {n} 项，另行列出"),
    (
        "{who_s} promised entry {e} and left it and its refusal out of {when_s}; it came late, in epoch {l}",
        "{who_s}承诺列入条目 {e}，而在{when_s}既未列入亦未列其拒绝；其后迟至第 {l} 期列入",
    ),
    (
        "{who_s} promised entry {e} and left it and its refusal out of {when_s}",
        "{who_s}承诺列入条目 {e}，而在{when_s}既未列入亦未列其拒绝",
    ),
    (
        "{who_s} promised entry {e} in {when_s}; it came late, in epoch {l}",
        "{who_s}承诺在{when_s}列入条目 {e}；迟至第 {l} 期列入",
    ),
    ("{who_s} promised entry {e} in {when_s}", "{who_s}承诺在{when_s}列入条目 {e}"),
    ("somebody whose certificate is not shown", "未出示证书者"),
    ("none from epoch {a} to {b}, shown by equal sizes", "第 {a} 期至第 {b} 期无变更，由大小相等证明"),
    ("{n} record from epoch {a} to {b}", "第 {a} 期至第 {b} 期记录 {n} 条"),
    ("{n} records from epoch {a} to {b}", "第 {a} 期至第 {b} 期记录 {n} 条"),
    ("epochs {a} to {b}", "第 {a} 期至第 {b} 期"),
    ("epoch {e}", "第 {e} 期"),
    ("no label", "无标签"),
    ("no promise", "无承诺"),
    ("no statement", "无陈述"),
    ("no time", "无时间"),
    ("none", "无"),
)
_RESTS: Final = (
    ("SHA-256, and the log id that you chose to rely on", "SHA-256，以及出具人选择信赖的账本标识"),
    (
        "secp256k1 signatures of the set that the log id fixes, and that no later set is kept from you",
        "账本标识所确定集合的 secp256k1 签名，且未对出具人隐瞒其后的集合",
    ),
    ("secp256k1 signatures of the set that the log id fixes", "账本标识所确定集合的 secp256k1 签名"),
    ("certificates issued by roots you trust", "出具人信赖的根所签发的证书"),
    ("the validators' own word", "验证人自述"),
    (
        "names and quorum, and signatures of the validators that the ledger id fixes",
        "身份与法定人数，以及私有链标识所确定验证人的签名",
    ),
    ("names and quorum", "身份与法定人数"),
    ("quorum", "法定人数"),
    (
        "the public chain, its append-only contract, and your source of the block hash",
        "公共链、其只增合约，以及出具人取得区块哈希的来源",
    ),
    ("cosignatures of the witnesses that your tlog_policy names", "出具人的 tlog_policy 所列见证人的会签"),
    (
        "that authority's clock and key; revocation is not checked",
        "该机构的时钟与密钥；未核验吊销",
    ),
    ("a public chain's clock, or a timestamping authority's", "公共链或时间戳机构的时钟"),
    ("the public chain's clock", "公共链的时钟"),
    ("your clock", "出具人的时钟"),
    ("the quorum's registry root and the log's VRF key", "法定人数所签的登记根与账本的 VRF 密钥"),
    ("the node's identity key, and a quorum that sorted each batch", "节点的身份密钥，以及对各批次排序的法定人数"),
    ("the governance tree in the epoch records", "期次记录中的治理树"),
)
_MISSING: Final = (
    ("trust in log {h} (trust file or --log)", "对账本 {h} 的信赖（信任文件或 --log）"),
    (
        "certificates in the bundle, and their issuer under member_roots in the trust file",
        "文件中的证书，及信任文件 member_roots 中的签发者",
    ),
    ("certified names of {n} different members; {k} are shown", "{n} 名不同成员经证明的名称；已出示 {k} 名"),
    (
        "an anchor (hybrid-bridge bundle upgrade), or --rpc and --contract",
        "锚定（hybrid-bridge bundle upgrade），或 --rpc 与 --contract",
    ),
    (
        "trust in contract {a} on chain {c} (trust file or --contract)",
        "对链 {c} 上合约 {a} 的信赖（信任文件或 --contract）",
    ),
    (
        "that public block {b} of chain {c} has the hash {h} (trust file or --rpc)",
        "链 {c} 公共区块 {b} 的哈希确为 {h}（信任文件或 --rpc）",
    ),
    ("cosignatures, and a tlog_policy in the trust file", "会签，以及信任文件中的 tlog_policy"),
    ("a tlog_policy in the trust file", "信任文件中的 tlog_policy"),
    ("a tlog_policy with this log, or with none", "包含本账本或不限账本的 tlog_policy"),
    (
        "cosignatures that meet {q} of the tlog_policy (hybrid-bridge witness ask)",
        "满足 tlog_policy 中 {q} 的会签（hybrid-bridge witness ask）",
    ),
    ("a verified public anchor or timestamp in the bundle", "文件中经核验的公共链锚定或时间戳"),
    (
        "the root of this authority under tsa_roots in the trust file",
        "信任文件 tsa_roots 中该机构的根证书",
    ),
    (
        "an epoch's beacon, its public block in the bundle, and that block's hash from your own source",
        "某期的信标、文件中相应的公共区块，以及自行取得的该区块哈希",
    ),
    ("a clock that has reached the checkpoint's time", "已到达检查点时间的时钟"),
    ("a head not older than {t_s}", "时龄不超过 {t_s} 的最新状态"),
    ("a newer head (--rpc), or a max_age in the trust file", "更新的最新状态（--rpc），或信任文件中的 max_age"),
    ("labels in the bundle", "文件中的标签"),
    (
        "the labels at an epoch not older than {t} s: what is shown may have changed since",
        "时龄不超过 {t} 秒的期次的标签：所示内容此后可能已变",
    ),
    (
        "every version of the label, the one after the last, and the opening of the last",
        "标签的各版本、末版之后一版，以及末版的披露",
    ),
    ("a verifier with this log's own table of labels: it spells them otherwise", "采用本账本标签表的核验程序"),
    ("the label at the end of the log before, {h}", "前一账本 {h} 末端的标签"),
    ("a promise, and every epoch of its window", "承诺，及其期限内的各期"),
    (
        "the certificate of the validator that signed the promise, and the absence of entry and refusal in {e_s}",
        "签署承诺的验证人的证书，以及{e_s}中条目与拒绝的缺失证明",
    ),
    ("the certificate of the validator that signed the promise", "签署承诺的验证人的证书"),
    ("the absence of entry and refusal in {e_s}", "{e_s}中条目与拒绝的缺失证明"),
    ("the record of epoch {e}, the newest of the checkpoints shown", "第 {e} 期的记录，即所示最新检查点者"),
    ("the governance records from epoch {a} to {b}", "第 {a} 期至第 {b} 期的治理记录"),
    ("what --rpc was to show: {what_s}", "--rpc 所应示者：{what_s}"),
    ("--contract, or a trust file that names a contract on chain {c}", "--contract，或列明链 {c} 上合约的信任文件"),
    ("{n} endpoints of chain {c}, as the trust file's threshold asks", "链 {c} 的 {n} 个节点，依信任文件的门限"),
    ("endpoints that stay on chain {c}", "始终位于链 {c} 的节点"),
    ("the VRF proofs of its labels of type {t}", "其类型 {t} 标签的 VRF 证明"),
    ("its label of type {t}, present in the registry and opened", "其类型 {t} 的标签，已登记且已披露"),
    ("the opened field {f}", "已披露的字段 {f}"),
    (
        "a verifier that understands the extension {x} of timestamp tokens",
        "理解时间戳扩展 {x} 的核验程序",
    ),
    ("a verifier that understands the extension {x}", "理解扩展 {x} 的核验程序"),
    ("a verifier that knows the {x}", "了解 {x} 的核验程序"),
    ("{l}; {r} was reached", "{l}；已达 {r}"),
    ("I6b: the face of each financed note", "I6b：各已融资票据的面额"),
    (
        "I12: the transaction of the financing, which names every note that it financed",
        "I12：融资交易，其中列明全部融资票据",
    ),
    ("I12: the issue of the financed note {n}", "I12：已融资票据 {n} 的签发"),
    (
        "I12: all that backs the note {n}: every asset with its allotment, and the face they add up to",
        "I12：票据 {n} 的全部支持资产及其份额，以及其合计面额",
    ),
    (
        "I12: the transaction of the confirmation of asset {a}, which names the labels that it inserted",
        "I12：资产 {a} 的确认交易，其中列明所登记的标签",
    ),
    ("I12: the debtor's confirmation of asset {a}", "I12：债务人对资产 {a} 的确认"),
    ("I12: the opened invoice of asset {a}", "I12：资产 {a} 的已披露发票"),
    ("I12: of the invoice of asset {a}, {what_s}", "I12：资产 {a} 的发票：{what_s}"),
)
PHRASES: Final = (*_DETAILS, *_RESTS, *FACTS, *_MISSING, *COUNTS)
