"""The frame of a report: title, headlines, what was looked at, what it rests on, how to check it oneself."""

from typing import Final

FRAME: Final[dict[str, tuple[str, str]]] = {
    "title": ("Verification report", "核验报告"),
    "subtitle": ("of a proof file of the log {origin}", "关于账本 {origin} 的证明文件"),
    "subtitle.unread": ("of a file that could not be read as a proof file", "关于一份无法作为证明文件读取的文件"),
    "page": ("page {page} of {pages}", "第 {page} 页，共 {pages} 页"),
    "footer": (
        "Nothing rests on this page: verify the file it is about.",
        "本报告本身不构成依据：请核验其所涉文件。",
    ),
    # ── headlines ──
    "head.findings": ("Findings", "结论"),
    "head.subject": ("What was examined", "核验对象"),
    "head.trust": ("What it rests on", "结论所依据的前提"),
    "head.trust.stopped": ("What it was checked against", "核验所依照的前提"),
    "head.records": ("Records and opened fields", "记录与已披露字段"),
    "head.records.stopped": ("Records and opened fields: none are shown", "记录与已披露字段：不予列出"),
    "head.registry": ("Registry, promise and absence", "登记、承诺与缺失"),
    "head.times": ("Times, delays and gaps", "时间、延迟与间隔"),
    "head.since": ("What happened since, and how far this report sees", "此后的变动，以及本报告所及的范围"),
    "head.not_proven": ("What is NOT proven", "未证明的事项"),
    "head.checks": ("The numbered checks", "编号核验步骤"),
    "head.commands": ("How to compute it again without this program", "不使用本程序的复算方法"),
    "head.law": ("Annex: what courts and regulators ask", "附录：法院与监管机关关注的问题"),
    "head.self": ("Check it yourself", "自行核验"),
    "head.attached": ("The file itself", "所涉文件"),
    # ── what was examined ──
    "item": ("item", "项目"),
    "value": ("value", "内容"),
    "subject.file": ("file", "文件名"),
    "subject.size": ("size", "大小"),
    "size": ("{bytes} bytes", "{bytes} 字节"),
    "subject.sha256": ("SHA-256 of the file", "文件的 SHA-256"),
    "subject.purpose": ("stated purpose (no verdict rests on it)", "声明的用途（不作为任何结论的依据）"),
    "purpose.record": ("a record", "记录"),
    "purpose.registry": ("registry statements", "登记状态"),
    "purpose.omission": ("an omission", "遗漏"),
    "purpose.governance": ("governance", "治理变更"),
    "purpose.checkpoint": ("a checkpoint", "检查点"),
    "subject.origin": ("log", "账本"),
    "subject.log_id": ("log id", "账本标识"),
    "subject.tree": ("checkpoint examined", "所核验的检查点"),
    "tree": ("size {size}", "大小 {size}"),
    "subject.report": ("report", "报告编号"),
    "subject.at": ("made at", "出具时间"),
    "subject.program": ("made by", "出具程序"),
    "subject.signers": ("Signed by", "签名方"),
    "signer.name": ("name", "名称"),
    "signer.legal_id": ("legal id", "法定标识"),
    "signer.standing": ("what stands behind it", "名称的依据"),
    "subject.documents": ("Documents in the evidence package", "证据包中的文档"),
    "subject.document": (
        "{path}: {size} bytes, SHA-256 {sha256}, equal to field {field} of epoch {epoch}",
        "{path}：{size} 字节，SHA-256 {sha256}，与第 {epoch} 期字段 {field} 相同",
    ),
    "subject.artefacts": (
        "Documents named by digest; compare your copy",
        "仅以摘要列明的文档；请与您持有的副本比对",
    ),
    "subject.artefact": (
        "{name} ({media}, {size} bytes): SHA-256 {sha256}, field {field}",
        "{name}（{media}，{size} 字节）：SHA-256 {sha256}，字段 {field}",
    ),
    "subject.blocks": ("Blocks of the private chain signed by its own consensus", "由私有链自身共识签署的区块"),
    "subject.block": (
        "block {height}, the last of epoch {epoch}: {signers}",
        "区块 {height}，第 {epoch} 期的最后一个：{signers}",
    ),
    "subject.unjudged": (
        "In the file and judged by no check",
        "文件中未经任何步骤核验的部分",
    ),
    # ── what it rests on ──
    "trust.intro": (
        "Whoever made this report relied on the following. Nothing in the file examined can add to it, and nobody "
        "else is bound by it: compare it with a source of your own.",
        "以下为出具人自行选择信赖者。所核验文件的任何内容均不能增加之，亦不约束他人：请与您自有的来源比对。",
    ),
    "trust.file": ("trust file, SHA-256", "信任文件的 SHA-256"),
    "trust.none": ("no trust file was given", "未提供信任文件"),
    "trust.logs": ("logs relied on", "所信赖的账本"),
    "trust.chain": ("public chain {chain}", "公共链 {chain}"),
    "trust.contracts": (
        "contracts {contracts}; {blocks} public block hashes known beforehand; endpoints that must agree: {threshold}",
        "合约 {contracts}；事先已知的公共区块哈希 {blocks} 个；须一致的节点数：{threshold}",
    ),
    "trust.more_blocks": ("{count} further block hashes, in the trust file", "另有 {count} 个区块哈希，见信任文件"),
    "trust.block": ("block {number} of chain {chain}", "链 {chain} 的区块 {number}"),
    "trust.contract": ("contract given with the command", "命令中指定的合约"),
    "trust.endpoints": ("public-chain endpoints asked", "询问的公共链节点数"),
    "trust.member_roots": ("authority for members' certificates", "成员证书签发机构"),
    "trust.tsa_roots": ("timestamping authority", "时间戳机构"),
    "trust.policy": ("policy of witnesses, SHA-256 and text", "见证策略的 SHA-256 与内容"),
    "trust.level": ("least level required", "要求的最低级别"),
    "trust.age": ("greatest age allowed, in seconds", "允许的最大时龄（秒）"),
    "trust.require": ("verdicts required", "所要求的结论"),
    "trust.nothing": ("none", "无"),
    "trust.assumptions": ("Assumptions behind the verdicts that hold", "可作出的结论所依赖的假设"),
    "trust.assumptions.open": (
        "Assumptions behind what was checked; no verdict holds yet",
        "核验所依赖的假设；尚无结论成立",
    ),
    "trust.assumptions.stopped": ("Assumptions behind the finding above", "上述核验结果所依赖的假设"),
    "assume.hash": (
        "SHA-256 is not broken: nobody finds two texts with one digest.",
        "SHA-256 未被攻破：无人能找到摘要相同的两份不同内容。",
    ),
    "assume.keys": (
        "Signatures (secp256k1, Ed25519, P-256) are made only by whoever holds the key.",
        "数字签名（secp256k1、Ed25519、P-256）只能由持有相应私钥者作出。",
    ),
    "assume.log": (
        "The log id was taken from a source that does not depend on whoever handed over the file.",
        "账本标识取自与提交该文件者无关的来源。",
    ),
    "assume.quorum": (
        "Of new checkpoints: fewer than a third of the validators act against the rules. Of what a public chain has "
        "anchored already, nothing is assumed of members: the contract refuses any history that does not extend the "
        "last one.",
        "对新的检查点：违规的验证人少于三分之一。对已锚定于公共链的历史，不对成员作任何假设："
        "合约拒绝任何不延续此前历史的内容。",
    ),
    "assume.chain": (
        "The public block hash that the maker of this report relied on is one of the chain that everybody means by "
        "that name.",
        "出具人所信赖的公共区块哈希确属公认的该公共链。",
    ),
    "assume.keccak": (
        "keccak-256, under the validators' signatures and in public chains, is not broken.",
        "验证人签名与公共链所用的 keccak-256 未被攻破。",
    ),
    "assume.undone": (
        "The public chain does not undo that block; how many later headers are shown stands under Times.",
        "公共链不回滚该区块；其后出示的区块头数量见“时间”一节。",
    ),
    "assume.contract": (
        "The contract at the address named is the append-only contract of this project's specification.",
        "所列地址的合约即本项目规范所定的只增合约。",
    ),
    "assume.members": (
        "The authorities for members' certificates issue to whom they name; revocation is not checked.",
        "成员证书签发机构仅向所载主体签发；未核验吊销。",
    ),
    "assume.authority": (
        "The timestamping authority's clock is right and its key is its own; revocation is not checked.",
        "时间戳机构的时钟准确，其密钥由其自身掌握；未核验吊销。",
    ),
    "assume.endpoints": (
        "As many of the endpoints asked are honest as the trust file's threshold says.",
        "所询问节点中诚实者不少于信任文件所定门限。",
    ),
    "assume.vrf": (
        "The log's VRF key gives each label one place in the registry.",
        "账本的 VRF 密钥使每一标签在登记中仅有一处位置。",
    ),
    "assume.clock": (
        "The clock of the machine that made this report was right.",
        "出具本报告的机器时钟准确。",
    ),
    "assume.program": (
        "The program that made this report does what it says; the commands below, and the independent script, are "
        "there so that this need not be believed.",
        "出具本报告的程序按其所述运行；下文的命令与独立脚本即为使读者无须相信这一点而设。",
    ),
    # ── check it yourself ──
    "self.open": (
        "Open the verifier's page and give it the file; it works without a network. The code holds the page's address "
        "with the file's SHA-256 behind the #.",
        "打开核验页面并载入该文件；无须联网即可工作。二维码为该页面的地址，# 之后为文件的 SHA-256。",
    ),
    "self.shipped": (
        "The verifier's page is a file of this program (hybrid_bridge/web/index.html), which a browser opens from "
        "disk, without a network. Its SHA-256 follows; SHA256SUMS beside it says the same. The code holds the SHA-256 "
        "of the file examined.",
        "核验页面是本程序所附文件（hybrid_bridge/web/index.html），可由浏览器直接从磁盘打开，无须联网。"
        "其 SHA-256 如下，同目录的 SHA256SUMS 亦有记载。二维码为所核验文件的 SHA-256。",
    ),
    "self.page": ("page", "页面"),
    "self.page_sha256": ("SHA-256 of the page", "页面的 SHA-256"),
    "self.code": ("code", "二维码内容"),
    "self.command": (
        "Or by the command line, with a trust file of your own:",
        "或使用命令行，并使用您自己的信任文件：",
    ),
    "self.script": (
        "An independent script of about 150 lines, docs/verifier/verify_bundle.py, shares no line with this program "
        "and checks the chain of hashes, the quorum's signatures and the public anchor; it lies in evidence packages "
        "under verifier/. Take it from where you trust it.",
        "独立脚本 docs/verifier/verify_bundle.py（约 150 行）与本程序没有共用代码，可核验哈希链、"
        "法定人数的签名以及公共链锚定；"
        "证据包的 verifier/ 目录中附有该脚本。请从您信任的来源取得。",
    ),
    # ── the file ──
    "attached.text": (
        "The file examined goes with this report, byte for byte. Its SHA-256 is {sha256}.",
        "所核验文件原样随本报告附上，其 SHA-256 为 {sha256}。",
    ),
    "attached.pdf": (
        "In this PDF it is the attachment {name}; beside it stands commands.sh with the commands of this report.",
        "在本 PDF 中为附件 {name}；另附 commands.sh，内含本报告的全部命令。",
    ),
    "attached.html": ("Save the file", "保存文件"),
    "attached.commands": ("Save the commands", "保存命令"),
    "attached.base64": ("The file as base64:", "文件的 base64 编码："),
}
