"""The commands: what each computes, how they are used, and what standard tools cannot do."""

from typing import Final

STEPS: Final[dict[str, tuple[str, str]]] = {
    "commands.intro": (
        "Save the file under the name bundle.hb.json in an empty folder and run the commands there in their order, in "
        "any plain sh; they use sha256sum, cut, head, sed, tail, tr, xxd, printf, cat and OpenSSL 3, and nothing of "
        "this project. Each prints the value beside it. Whoever trusts sh and SHA-256 need not trust the "
        "hashes of this report; of signatures, public anchor, names and times the end of this section speaks. "
        "commands.sh has the same commands, compares each answer, counts, and ends with 1 if any differs. "
        "A hash printed once is not repeated where another field needs it.",
        "将文件以 bundle.hb.json 为名保存于空目录，在任一普通 sh 中依次运行下列命令；所用工具为 sha256sum、"
        "cut、head、sed、tail、tr、"
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
        "libraries and no line of this project.",
        "上述工具无法完成的部分：验证人签名（基于 keccak-256 的 secp256k1，"
        "EIP-712）以及公共链的收据与区块头（keccak-256），"
        "sha256sum 与 openssl 不具备相应功能。独立脚本 docs/verifier/verify_bundle.py 以约 150 行 Python 核验之，"
        "仅使用两个公开库，与本项目没有共用代码。",
    ),
    "commands.left_out": (
        "{count} further commands of the same kinds are left out: a report holds {limit}. The independent script "
        "checks them all.",
        "另有 {count} 条同类命令从略：本报告至多列 {limit} 条。独立脚本可核验全部。",
    ),
    "commands.renewals": (
        "The renewals' timestamps cover the whole file with the renewals before them; no command is given for them.",
        "续期时间戳覆盖含此前续期的整份文件，此处不提供相应命令。",
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
    "step.token": ("take the timestamp over size {size} out of the file", "从文件中取出对大小 {size} 的时间戳"),
    "step.tsa_root": ("take authority {number} out of trust.json", "从 trust.json 中取出机构 {number}"),
    "step.token_verify": ("timestamp over size {size}: verify", "核验对大小 {size} 的时间戳"),
    "step.token_imprint": ("digest that the timestamp over size {size} is over", "对大小 {size} 的时间戳所覆盖的摘要"),
    "step.document": ("document {number}", "文档 {number}"),
    "where.genesis": ("the genesis record", "创世记录"),
    "where.relied": ("the trust file of the maker of this report", "出具人的信任文件"),
    "where.checkpoint": ("the checkpoint", "检查点"),
    "where.batch": ("the batch root in {name}", "{name} 的批次根"),
    "where.entry": ("the field root in the entry", "条目的字段根"),
    "where.checkpoint_of": ("the checkpoint of size {size}", "大小 {size} 的检查点"),
    "where.governance": ("the governance root in {name}", "{name} 的治理树根"),
    "where.field": ("field {name}", "字段 {name}"),
    "where.note": ("the checkpoint's text", "检查点文本"),
}
