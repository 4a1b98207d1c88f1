"""Why `verify` stopped: the first sentence of each error, and what its fields are called."""

from typing import Final

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "because.BelowQuorum": (
        "Fewer validators signed than the quorum rule asks for.",
        "签名的验证人少于法定人数规则所要求的数量。",
    ),
    "because.BlockInvalid": (
        "The sequencer signed a block that our own rules refuse; keep it, countersign nothing.",
        "排序者签署了违反规则的区块；请保存该区块，不予会签。",
    ),
    "because.CertificateMalformed": (
        "A certificate cannot be used for what it was given for; `rule` says what it must be.",
        "证书不能用于其所提供的用途；rule 说明其应当如何。",
    ),
    "because.DigestLength": ("A hash must have exactly 32 bytes.", "哈希必须恰为 32 字节。"),
    "because.DisclosureMalformed": (
        "A disclosure is longer than 8,192 bytes, or not ASCII, from this offset on.",
        "披露自此位置起超过 8,192 字节或非 ASCII。",
    ),
    "because.EntriesMalformed": (
        "A validator entry is malformed, zero or out of order.",
        "某验证人条目格式错误、为零或次序不当。",
    ),
    "because.EntryMalformed": (
        "A batch entry breaks the 37-byte layout at this offset.",
        "批次条目自此位置起违反 37 字节布局。",
    ),
    "because.EnvelopeUnopenable": (
        "The envelope was sealed for another key, log or entry, or was changed on the way; seal it again.",
        "信封系为其他密钥、账本或条目所封，或途中被改动；须重新封装。",
    ),
    "because.Equivocation": (
        "One key signed two contradicting statements; publish both.",
        "同一密钥签署了两份相互矛盾的声明；应将二者公布。",
    ),
    "because.FieldMalformed": (
        "A field is not what the specification says; `rule` names what it must be.",
        "某字段不符合规范；rule 说明其应当如何。",
    ),
    "because.FieldMismatch": ("Two places that must agree do not.", "两处应当一致的内容不一致。"),
    "because.HeadConflict": (
        "The public chain already holds another root for this size: two histories exist.",
        "公共链已为该大小载有另一个根：存在两份历史。",
    ),
    "because.IndexBeyondSize": ("An index must satisfy 0 <= index < size.", "序号须满足 0 <= 序号 < 大小。"),
    "because.IndexPresent": (
        "The registry holds this index, which was said to be absent.",
        "登记中存在该索引，而文件称其不存在。",
    ),
    "because.Missing": (
        "The check needs something that was not given; bring `what`.",
        "核验所需的内容未予提供；请提供 what 所列者。",
    ),
    "because.NewcomerUnproven": ("A new validator has not proven that it holds its key.", "新验证人未证明其持有密钥。"),
    "because.NotCanonical": ("Readable, but not the one encoding this value has.", "可读，但不是该值唯一的编码。"),
    "because.NotOmitted": (
        "What a node promised stands in the log: its promise is kept, and the claim that it was dropped is refuted.",
        "节点所承诺者已在账本中：承诺已履行，关于其被遗漏的主张不成立。",
    ),
    "because.PathLength": (
        "Index and sizes fix the length of a path; this one has another.",
        "序号与大小决定路径长度；此路径长度不符。",
    ),
    "because.RecordMalformed": ("A record has another length than its type.", "记录的长度与其类型不符。"),
    "because.RootMismatch": (
        "The path leads to another root than the attested one.",
        "该路径通向的根与经签署的根不同。",
    ),
    "because.SealsMalformed": (
        "The list of signatures and addresses is malformed at this member.",
        "签名与地址的列表在此成员处格式错误。",
    ),
    "because.SetMismatch": (
        "These validators are not the set that is responsible here.",
        "这些验证人不是此处负责的集合。",
    ),
    "because.SignatureWrong": ("A signature does not verify under the named key.", "签名验证未通过。"),
    "because.SignerUnknown": (
        "A signature recovers to an address outside the responsible set.",
        "签名还原出的地址不在负责的集合之内。",
    ),
    "because.SizeOrder": (
        "Sizes must satisfy 1 <= older <= newer <= 2^53-1.",
        "大小须满足 1 <= 较早者 <= 较晚者 <= 2^53-1。",
    ),
    "because.TerminalMalformed": (
        "The end of a registry path does not agree with its key.",
        "登记路径的末端与其键不符。",
    ),
    "because.TooLong": (
        "More than the format allows; refused before it is read.",
        "超出格式允许的长度；未读取即予拒绝。",
    ),
    "because.TrailingBytes": ("Bytes stand after the end of the value.", "值结束之后尚有字节。"),
    "because.Truncated": ("The value ends before it is complete.", "值在完整之前即已结束。"),
    "because.WordMalformed": (
        "A word of a record is out of range or padded wrongly.",
        "记录中某个字超出范围或填充有误。",
    ),
    "errorfield.address": ("address", "地址"),
    "errorfield.calculated": ("calculated", "计算所得"),
    "errorfield.count": ("count", "数量"),
    "errorfield.epoch": ("epoch", "期次"),
    "errorfield.expected": ("expected", "应为"),
    "errorfield.field": ("field", "位置"),
    "errorfield.first": ("first", "其一"),
    "errorfield.got": ("got", "实为"),
    "errorfield.head": ("head", "公共链所载"),
    "errorfield.height": ("height", "高度"),
    "errorfield.index": ("index", "序号"),
    "errorfield.leaf": ("leaf", "叶"),
    "errorfield.length": ("length", "长度"),
    "errorfield.limit": ("limit", "上限"),
    "errorfield.needed": ("needed", "所需"),
    "errorfield.newer": ("newer", "较晚者"),
    "errorfield.number": ("number", "编号"),
    "errorfield.offset": ("offset", "位置"),
    "errorfield.older": ("older", "较早者"),
    "errorfield.reason": ("reason", "原因"),
    "errorfield.root": ("root", "根"),
    "errorfield.rule": ("rule", "应当"),
    "errorfield.second": ("second", "其二"),
    "errorfield.signer": ("signer", "签名者"),
    "errorfield.size": ("size", "大小"),
    "errorfield.validator": ("validator", "验证人"),
    "errorfield.what": ("what", "内容"),
}
