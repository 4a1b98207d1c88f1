"""The commands: what each computes, how they are used, and what standard tools cannot do."""

from typing import Final

STEPS: Final[dict[str, tuple[str, str]]] = {
    "commands.intro": (
        "Save the file under the name bundle.hb.json in an empty folder and run the commands there in their order, in "
        "any plain sh; they use sha256sum, cut, grep, head, sed, tail, tr, xxd, printf, cat and OpenSSL 3, and nothing "
        "of this project. Each prints the value beside it. Whoever trusts sh and SHA-256 need not trust the "
        "hashes of this report; of signatures, public anchor, names and times the end of this section speaks. "
        "commands.sh has the same commands, compares each answer, counts, and ends with 1 if any differs. "
        "A hash printed once is not repeated where another field needs it.",
        "将文件以 bundle.hb.json 为名保存于空目录，在任一普通 sh 中依次运行下列命令；所用工具为 sha256sum、"
        "cut、grep、head、sed、tail、tr、"
        "xxd、printf、cat 与 OpenSSL 3，均与本项目无关。每条命令的输出应与其旁所列数值一致。信赖 sh 与 SHA-256 "
        "者，无须信赖本报告所列哈希；签名、公共链锚定、名称与时间见本节末尾。commands.sh 内含相同命令，逐一比对并计数，"
        "如有不同则以退出码 1 结束。"
        "已列出的哈希在其他字段需要时不再重复。",
    ),
    "commands.shape": (
        "How the hashes hang together: a leaf is SHA-256(00 ‖ data), a node SHA-256(01 ‖ left ‖ right), as "
        "in RFC 6962. "
        "Field text → field tree → entry of 37 bytes → batch tree → epoch record of 640 bytes → log tree → the root in "
        "the checkpoint's text.",
        "哈希的构成：叶为 SHA-256(00 ‖ 数据)，节点为 SHA-256(01 ‖ 左 ‖ 右)，与 RFC 6962 相同。"
        "字段文本→字段树→37 字节条目→批次树→640 字节期次记录→账本树→检查点文本中的根。",
    ),
    "commands.cannot": (
        "What these tools cannot do: the validators' signatures (secp256k1 over keccak-256, EIP-712) and the public "
        "chain's receipt and headers (keccak-256) need functions that sha256sum and openssl do not have. The "
        "independent script docs/verifier/verify_bundle.py checks them in about 150 lines of Python, with two public "
        "libraries and no line of this project. Signatures of transactions and of certificates have no command here "
        "either; hybrid-bridge verify checks them.",
        "上述工具无法完成的部分：验证人签名（基于 keccak-256 的 secp256k1，"
        "EIP-712）以及公共链的收据与区块头（keccak-256），"
        "sha256sum 与 openssl 不具备相应功能。独立脚本 docs/verifier/verify_bundle.py 以约 150 行 Python 核验之，"
        "仅使用两个公开库，与本项目没有共用代码。"
        "交易签名与证书签名在此亦无相应命令，由 hybrid-bridge verify 核验。",
    ),
    "commands.left_out": (
        "{count} further commands of the same kinds are left out: a report holds {limit}. hybrid-bridge verify and the "
        "verifier's page compute them all.",
        "另有 {count} 条同类命令从略：本报告至多列 {limit} 条。hybrid-bridge verify 与核验页面均予全部计算。",
    ),
    "commands.renewals": (
        "Renewals: each timestamp covers the file with the renewals before it and without itself and those after it; "
        "covered-….json is the file cut to that.",
        "续期：每一时间戳覆盖含此前续期、而不含其自身及此后续期的文件；covered-….json 即按此截取的文件。",
    ),
    "commands.registry": (
        "Registry: the pair at the end of a way is SHA-256(02 ‖ index ‖ commitment), a hole is 32 zero bytes, a node "
        "SHA-256(03 ‖ left ‖ right); bit 0 of the index, the most significant one, says left or right at the root. "
        "An index is absent if its way ends in a hole or in the pair of another index. An opened commitment is "
        "HMAC-SHA256(opening ‖ log id ‖ label ‖ version ‖ value), label and value behind their lengths. That an index "
        "is the one of its label, a VRF proof says (RFC 9381): that is arithmetic on the curve edwards25519, which "
        "none of these tools can do; without it these commands speak of an index, not of a label.",
        "登记：路径末端的一对为 SHA-256(02 ‖ 位置 ‖ 承诺)，空位为 32 个零字节，节点为 SHA-256(03 ‖ 左 ‖ 右)；"
        "位置的第 0 位（最高位）决定在根处向左或向右。路径止于空位或另一位置的一对，即该位置不存在。已打开的承诺为 "
        "HMAC-SHA256(开启值 ‖ 账本标识 ‖ 标签 ‖ 版本 ‖ 值)，标签与值之前为其长度。某一位置属于某一标签，由 VRF 证明"
        "（RFC 9381）表明：该证明需要 edwards25519 曲线上的运算，上述工具均无法完成；"
        "缺此运算，命令所及仅为位置而非标签。",
    ),
    "commands.sets": (
        "Later validator sets: a set is SHA-256(type ‖ number ‖ n ‖ entries of 128 bytes). The record of a change "
        "holds the hash of the set before it and of the new one, and stands in the governance tree of an epoch that "
        "the old set signed. Who signed is not computed here. The digest that validators sign for a public contract "
        "(ValidatorSetUpdate, EIP-712) is keccak-256, which these tools cannot do either.",
        "后续验证人集合：集合为 SHA-256(类型 ‖ 编号 ‖ n ‖ 各 128 字节的条目)。变更记录载有前一集合与新集合的哈希，"
        "并位于前一集合所签期次的治理树中。由谁签名，此处不予计算。"
        "验证人为公共链合约所签的摘要（ValidatorSetUpdate，EIP-712）"
        "采用 keccak-256，上述工具同样无法完成。",
    ),
    "commands.documents": (
        "Documents outside the file: put your copy beside it under the name given here.",
        "文件之外的文档：请将您的副本以此处所列名称放在同一目录。",
    ),
    "commands.tokens": (
        "Timestamps (RFC 3161): trust.json is the trust file of whoever made this report, saved under that name.",
        "时间戳（RFC 3161）：trust.json 为出具人的信任文件，以此名保存。",
    ),
    "commands.tokens_untrusted": (
        "Timestamps (RFC 3161): the trust file of whoever made this report names no authority, so the token's "
        "imprint is compared and its signature is not.",
        "时间戳（RFC 3161）：出具人的信任文件未列时间戳机构，故仅比对其印记，不核验其签名。",
    ),
    "commands.value": ("prints", "输出"),
    "commands.differs": ("DIFFERS from what {where} says: {stated}", "与{where}所载不同：{stated}"),
    "commands.equals": ("equal to what {where} says", "与{where}所载一致"),
    "step.file": ("the file", "文件"),
    "step.extract": ("take {name} out of the file", "从文件中取出 {name}"),
    "step.log_id": ("log id: leaf of the genesis record", "账本标识：创世记录的叶"),
    "step.origin_word": ("hash of the log's name in the genesis record", "创世记录中账本名称的哈希"),
    "step.origin": ("hash of the log's name", "账本名称的哈希"),
    "step.genesis_leaf": ("genesis record", "创世记录"),
    "step.note": ("text of the checkpoint of size {size}", "大小 {size} 的检查点文本"),
    "step.note_root": ("root in that text", "该文本中的根"),
    "step.epoch": ("record of epoch {number}", "第 {number} 期记录"),
    "step.batch_root": ("root of the batch in {name}", "{name} 中的批次根"),
    "step.entry": ("entry {number} of epoch {epoch}", "第 {epoch} 期条目 {number}"),
    "step.field": ("field {name}", "字段 {name}"),
    "step.decode": ("what the disclosure of {name} says", "{name} 的披露内容"),
    "step.disclosure": ("digest of the disclosure of {name}", "{name} 披露的摘要"),
    "step.leaf": ("{name}: leaf", "{name}：叶"),
    "step.node": ("{name}: level {level}", "{name}：第 {level} 层"),
    "step.root": ("{name}: level {level}, the root", "{name}：第 {level} 层，即根"),
    "step.compose": ("{name}: kind, type, width, field root", "{name}：种类、类型、宽度、字段根"),
    "step.certificate": ("take certificate {number} out of the file", "从文件中取出证书 {number}"),
    "step.set_word": ("hash of the first validator set in the genesis record", "创世记录中首个验证人集合的哈希"),
    "step.set": (
        "first validator set: type, number, {n} times address, name hash, certificate hash, key binding hash",
        "首个验证人集合：类型、编号、{n} 组地址、名称哈希、证书哈希、密钥绑定哈希",
    ),
    "step.log_line": (
        "signature of the log key (Ed25519) on the checkpoint of size {size}; it counts for no quorum",
        "账本密钥（Ed25519）对大小 {size} 的检查点的签名；不计入法定人数",
    ),
    "step.neighbour": ("leaf {index} beside the absent {leaf}…", "缺失的 {leaf}… 旁的叶 {index}"),
    "step.extends": (
        "from size {older} to {newer}: towards the root of {size}",
        "自大小 {older} 至 {newer}：通往大小 {size} 的根",
    ),
    "step.governance_root": ("root of the governance tree in {name}", "{name} 中的治理树根"),
    "step.governance": ("governance record {index}", "治理记录 {index}"),
    "step.previous_set": ("set {number}: hash of the set before it", "集合 {number}：前一集合的哈希"),
    "step.update": ("record of set {number}", "集合 {number} 的变更记录"),
    "step.update_set": ("set {number}: its hash in the record", "集合 {number}：记录中的哈希"),
    "step.update_from": ("set {number}: from which size on, as a word", "集合 {number}：起始大小（一个字）"),
    "step.set_of_record": (
        "set {number}: type, number, count, the entries of the record",
        "集合 {number}：类型、编号、数目、记录中的条目",
    ),
    "step.set_later": (
        "set {number}: type, number, {n} times address, name hash, certificate hash, key binding hash",
        "集合 {number}：类型、编号、{n} 组地址、名称哈希、证书哈希、密钥绑定哈希",
    ),
    "step.epoch_set": ("hash of the validator set in {name}", "{name} 中验证人集合的哈希"),
    "step.note_root_of": ("root in {name}", "{name} 中的根"),
    "step.registry_root": ("root of the registry in {name}", "{name} 中的登记根"),
    "step.index": ("registry index {index}… in epoch {epoch}", "第 {epoch} 期登记位置 {index}…"),
    "step.pair": ("{name}: the pair at the end of its way", "{name}：其路径末端的一对"),
    "step.whose": ("{name}: whether that pair is its own", "{name}：该对是否为其自身"),
    "step.way": ("{name}: first {depth} bits of the index of that pair", "{name}：该对位置的前 {depth} 位"),
    "step.hole": ("{name}: first {depth} bits, which lead to a hole", "{name}：通往空位的前 {depth} 位"),
    "step.label_value": ("{name}: what label {label} is opened to", "{name}：标签 {label} 打开的值"),
    "step.commitment": ("{name}: commitment of version {version}", "{name}：版本 {version} 的承诺"),
    "step.size": ("size {size}", "大小 {size} 的检查点"),
    "step.renewal": ("the file (renewal {number})", "文件（第 {number} 次续期）"),
    "step.covered": ("what renewal {number} covers: its digest by {hash}", "续期 {number} 所覆盖内容的 {hash} 摘要"),
    "step.stamp": ("take the timestamp over {place} out of the file", "从文件中取出对{place}的时间戳"),
    "step.tsa_root": ("take authority {number} out of trust.json", "从 trust.json 中取出机构 {number}"),
    "step.stamp_verify": ("timestamp over {place}: verify", "核验对{place}的时间戳"),
    "step.stamp_imprint": ("digest that the timestamp over {place} is over", "对{place}的时间戳所覆盖的摘要"),
    "step.document": ("document {number}", "文档 {number}"),
    "where.genesis": ("the genesis record", "创世记录"),
    "where.relied": ("the trust file of the maker of this report", "出具人的信任文件"),
    "where.checkpoint": ("the checkpoint", "检查点"),
    "where.batch": ("the batch root in {name}", "{name} 的批次根"),
    "where.entry": ("the field root in the entry", "条目的字段根"),
    "where.checkpoint_of": ("the checkpoint of size {size}", "大小 {size} 的检查点"),
    "where.governance": ("the governance root in {name}", "{name} 的治理树根"),
    "where.update": ("{name}", "{name}"),
    "where.registry": ("the registry root in {name}", "{name} 的登记根"),
    "where.index": ("the index that is asked for", "所查询的位置"),
    "where.pair": ("that pair", "该对"),
    "where.covered": ("{name}", "{name}"),
    "where.field": ("field {name}", "字段 {name}"),
    "where.note": ("the checkpoint's text", "检查点文本"),
}
