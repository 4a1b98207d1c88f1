"""What was found: the verdict in words, records, times, what happened since, what is not proven."""

from typing import Final

FINDINGS: Final[dict[str, tuple[str, str]]] = {
    "outcome.verified": ("Verified", "核验通过"),
    "outcome.incomplete": ("Incomplete", "不完整"),
    "outcome.refuted": ("Refuted", "核验不通过"),
    "outcome.undecided": ("Undecided", "无法判定"),
    "outcome.malformed": ("Malformed", "格式错误"),
    "sentences": ("{first}. {then}", "{first}。{then}"),
    "comma": (", ", "、"),
    "say.verified": (
        "All that whoever made this report required was verified: {required}. {held} of {all} verdicts could be given, "
        "{open} could not, and each stands for itself below. {checks} numbered checks had something to look at; none "
        "failed.",
        "出具人所要求的各项均核验一致：{required}。{all} 项结论中 {held} 项可以作出，{open} 项未能作出，下文逐项列明。"
        "有内容可核验的编号步骤共 {checks} 个，无一失败。",
    ),
    "say.incomplete": (
        "Nothing in the file was found to be wrong, but not all that whoever made this report required could be "
        "verified. Required: {required}; what is missing is named below. {held} of {all} verdicts could be given, "
        "{open} could not. {checks} numbered checks had something to look at; none failed.",
        "未发现该文件有误，但出具人所要求的事项中有未能核验者。所要求者：{required}；欠缺者列明于下。"
        "{all} 项结论中 {held} 项可以作出，{open} 项未能作出。有内容可核验的编号步骤共 {checks} 个，无一失败。",
    ),
    "holds": (
        "It holds for you only if you rely yourself on: {what}. Compare them with a source of your own.",
        "仅当您本人亦信赖下列各项时，上述结论对您成立：{what}。请与您自有的来源比对。",
    ),
    "semicolon": ("; ", "；"),
    "holds.log": ("log id {log}", "账本标识 {log}"),
    "holds.anchor": (
        "contract 0x{contract} on chain {chain}, whose block {block} has the hash 0x{hash}",
        "链 {chain} 上的合约 0x{contract}，该链区块 {block} 的哈希为 0x{hash}",
    ),
    "holds.members": ("for members' names, the authorities {roots}", "就成员名称，签发机构 {roots}"),
    "holds.authorities": ("for timestamps, the authorities {roots}", "就时间戳，时间戳机构 {roots}"),
    "required.level": ("level {level} at least", "级别不低于 {level}"),
    "say.refuted": (
        "The file does not hold. {because}. Verification stopped at check {stopped}. What it shows must not be relied "
        "on; keep the file.",
        "该文件不成立。{because}。核验止于步骤 {stopped}。不得依赖其所示内容；该文件应予留存备查。",
    ),
    "say.malformed": (
        "The file breaks the rules of its format, so that nothing can be concluded from it. {because}. Verification "
        "stopped at check {stopped}. Whoever made these bytes must mend them.",
        "该文件违反其格式规则，故不能据以得出任何结论。{because}。核验止于步骤 {stopped}。须由文件制作者更正。",
    ),
    "say.undecided": (
        "Nothing is known to be wrong, but something is missing without which nothing can be said. {because}. "
        "Verification stopped at check {stopped}.",
        "未发现错误，但缺少必要的内容，故无法得出结论。{because}。核验止于步骤 {stopped}。",
    ),
    "say.broken_promise": (
        "What is verified is A BROKEN PROMISE of one of the log's own nodes: see omission.",
        "所核验的是该账本自身某一节点违反承诺：见“遗漏”一项。",
    ),
    "say.since": (
        "What is opened here is unchanged since {time}, on the evidence named below. Whether it was true before it "
        "was entered is not said by any of it.",
        "根据下文所列证据，此处所披露的内容自 {time} 起未经更改。其录入之前是否真实，本报告各项均未证明。",
    ),
    "say.no_since": (
        'No time by which it existed is verified: "unchanged since" cannot be said of any moment.',
        "未能核验其最迟存在时间：不能就任何时刻作出“自该时起未经更改”的结论。",
    ),
    "verdicts.head": ("Each verdict stands alone", "各项结论相互独立"),
    "column.verdict": ("verdict", "结论项"),
    "column.result": ("result", "结果"),
    "column.detail": ("what was found", "所见"),
    "column.rests": ("rests on / would be needed", "依据／尚需"),
    "rests": ("rests on {what}", "依据：{what}"),
    "needs": ("would need {what}", "尚需：{what}"),
    "missing.head": ("Required by whoever made this report, and missing", "出具人要求而欠缺的事项"),
    "warnings.head": ("Warnings", "提示"),
    "error.head": ("Why it stopped", "中止原因"),
    "error.name": ("finding", "认定"),
    "error.rule": ("rule", "规则"),
    "error.note": ("note", "说明"),
    "error.stopped": ("stopped at", "止于"),
    "error.reached": ("passed before it", "此前已通过"),
    "error.none": ("none", "无"),
    "error.exit": ("exit code of `verify`", "`verify` 的退出码"),
    # ── verdicts by name and result ──
    "verdict.integrity": ("integrity", "完整性"),
    "verdict.quorum": ("quorum", "法定人数"),
    "verdict.names": ("names", "签名方身份"),
    "verdict.level": ("level", "保证级别"),
    "verdict.public anchor": ("public anchor", "公共链锚定"),
    "verdict.witnesses": ("witnesses", "见证人"),
    "verdict.not after": ("not after", "不晚于"),
    "verdict.not before": ("not before", "不早于"),
    "verdict.freshness": ("freshness", "时效性"),
    "verdict.registry": ("registry", "登记状态"),
    "verdict.omission": ("omission", "遗漏"),
    "verdict.governance since": ("governance since", "此后的治理变更"),
    "result.verified": ("verified", "核验一致"),
    "result.undecided": ("undecided", "未定"),
    "result.not shown": ("not shown", "未出示"),
    "result.proven": ("proven", "已证明"),
    "result.claimed, unanswered": ("claimed, unanswered", "已主张，未获回应"),
    # ── records ──
    "record.head": (
        "Record {schema} ({type}), epoch {epoch}, ended {time} by the ledger's clock",
        "记录 {schema}（{type}），第 {epoch} 期，按账本时钟止于 {time}",
    ),
    "record.field": ("field", "字段"),
    "record.kind": ("kind", "类别"),
    "record.claim": ("claim (every member reads it)", "声明（全体成员可读）"),
    "record.private": ("private", "私密"),
    "record.leaf": ("Leaf of its entry: {leaf}.", "其条目的叶哈希：{leaf}。"),
    "record.hidden": (
        "{count} other leaves, decoys among them, stay undisclosed.",
        "另有 {count} 个叶节点（含诱饵）未披露。",
    ),
    "record.signed": (
        "Transaction {transaction}, number {number} of its submitter {submitter}; its signatures hold.",
        "交易 {transaction}，为提交者 {submitter} 的第 {number} 号；签名验证通过。",
    ),
    "record.unsigned": ("Its signed transaction is not shown.", "未出示其经签名的交易。"),
    "record.none": ("No record is shown.", "未出示任何记录。"),
    "records.stopped": (
        "Verification stopped before the contents could be relied on. They are not repeated in this report; what its "
        "commands name are parts of the file and their hashes.",
        "核验中止，内容不可依赖，故本报告不予列出；所列命令仅涉及文件的组成部分及其哈希。",
    ),
    # ── registry, promise, absence ──
    "registry.fact": (
        "At the end of epoch {epoch} ({time}): {label}: {statement}",
        "第 {epoch} 期末（{time}）：{label}：{statement}",
    ),
    "promise.fact": (
        "Promised: entry {entry} of transaction {transaction}, accepted {time} by the node's clock in epoch "
        "{accepted}, owed by the end of epoch {by}, by {signer}",
        "承诺：交易 {transaction} 的条目 {entry}，按节点时钟于 {time} 在第 {accepted} 期受理，应于第 {by} "
        "期末之前列入，承诺方 {signer}",
    ),
    "promise.unknown": (
        "a key whose certificate is not shown; its signature is not checked",
        "未出示证书的密钥；其签名未经验证",
    ),
    "absence.fact": ("Not in the batch of epoch {epoch}: {leaf}", "不在第 {epoch} 期批次中：{leaf}"),
    # ── times ──
    "times.left_out": (
        "{count} later moments are left out: a report holds {limit}.",
        "另有 {count} 个较晚时刻从略：本报告至多列 {limit} 个。",
    ),
    "times.moment": ("moment", "时刻"),
    "times.utc": ("UTC", "协调世界时"),
    "times.unix": ("Unix seconds", "Unix 秒"),
    "times.clock": ("whose clock", "所依时钟"),
    "clock.ledger": ("the ledger's, by the formula of its genesis record", "账本时钟，依创世记录的公式"),
    "clock.chain": ("the public chain's, in the block header", "公共链时钟，见区块头"),
    "clock.authority": ("the timestamping authority's", "时间戳机构的时钟"),
    "clock.node": ("the node's own", "节点自身的时钟"),
    "clock.reader": ("that of the machine that made this report", "出具本报告的机器时钟"),
    "time.genesis": ("start of the log", "账本起始"),
    "time.epoch": ("end of epoch {epoch}", "第 {epoch} 期结束"),
    "time.checkpoint": ("checkpoint of size {size}", "大小 {size} 的检查点"),
    "time.beacon": (
        "not before: public block {number} named by epoch {epoch} ({basis})",
        "不早于：第 {epoch} 期所指的公共区块 {number}（{basis}）",
    ),
    "time.anchor": (
        "not after: public block {number} of chain {chain}, size {size} ({basis})",
        "不晚于：链 {chain} 公共区块 {number}，大小 {size}（{basis}）",
    ),
    "time.token": (
        "not after: timestamp over {place} by {who}, whose certificate runs until {until} ({basis})",
        "不晚于：{who} 对 {place} 的时间戳，其证书有效至 {until}（{basis}）",
    ),
    "time.accepted": ("transaction accepted", "交易受理"),
    "time.report": ("this report", "本报告"),
    "basis.none": ("nobody vouches for it on whom the maker of this report relied", "出具人信赖的来源均未确认"),
    "gaps.head": ("Delays and gaps", "延迟与间隔"),
    "gaps.from": ("from", "自"),
    "gaps.to": ("to", "至"),
    "gaps.seconds": ("seconds", "秒"),
    "finality.head": ("Finality of the public anchor", "公共链锚定的最终性"),
    "finality.fact": (
        "Public block {number} (hash 0x{hash}) carries the anchor; the file shows {above} later headers, up to block "
        "{last} (hash 0x{last_hash}). That the last one is real: {basis}.",
        "锚定载于公共区块 {number}（哈希 0x{hash}）；文件出示其后的 {above} 个区块头，至区块 {last}（哈希 "
        "0x{last_hash}）。"
        "末一区块属实的依据：{basis}。",
    ),
    "finality.none": ("No public anchor is shown.", "未出示公共链锚定。"),
    "clock.rules": (
        "Fixed by the genesis record: an epoch lasts {cadence} s, a checkpoint may come {grace} s late, a promise is "
        "owed within {delay} epochs.",
        "创世记录所定：每期 {cadence} 秒，检查点可迟 {grace} 秒，承诺须在 {delay} 期内履行。",
    ),
    # ── since ──
    "since.reach": (
        "This report sees as far as the newest checkpoint in the file: size {size}, {time}. Of what came after it "
        "nothing is said, unless a public chain was asked: {freshness}.",
        "本报告所及止于文件中最新的检查点：大小 {size}，{time}。"
        "其后情形，除询问公共链所得外，本报告不作说明：{freshness}。",
    ),
    "since.verdict": (
        "Governance since what is shown: {result}; {detail}.",
        "所示内容之后的治理变更：{result}；{detail}。",
    ),
    "since.needs": ("To say more, bring {what}.", "如需进一步结论，须提供：{what}。"),
    "since.records": ("Governance records", "治理记录"),
    "since.rotation": (
        "rotation: validator set {set}, of {of}, responsible from size {size} (epoch {epoch}) on",
        "轮换：验证人集合 {set}，共 {of} 名，自大小 {size}（第 {epoch} 期）起负责",
    ),
    "since.none": ("No governance record is shown in the file.", "文件中未出示治理记录。"),
    "since.brakes": ("Brakes and freezes", "暂停与冻结"),
    "since.brake": (
        "{what} on {scope}: since {since}, until {until}; why and by whom: {why}; record {record}; ended {ended}",
        "{what}，范围 {scope}：始于 {since}，止于 {until}；原因与作出者：{why}；记录 {record}；实际结束 {ended}",
    ),
    "since.no_brakes": ("No brake or freeze is shown.", "未出示暂停或冻结。"),
    "since.kinds": (
        "Listed here, if the file shows them: brakes and freezes, changes of the validator set, of members and their "
        "keys, erasures, and the other notices of the specification (SPEC §7.3).",
        "凡文件出示者，此处列明：暂停与冻结，验证人集合、成员及其密钥的变更，删除，以及规范 §7.3 所列其他通知。",
    ),
    "brake.brake": ("brake", "暂停"),
    "brake.brake off": ("brake off", "解除暂停"),
    "brake.freeze": ("freeze", "冻结"),
    "brake.lift": ("lift", "解冻"),
    "brake.hidden": ("not opened, hash {hash}", "未披露，哈希 {hash}"),
    "brake.open": ("no end is set", "未定期限"),
    "brake.not_ended": ("not shown", "未出示"),
    "not_proven.intro": (
        "No verdict of this report says any of the following, here or anywhere:",
        "本报告的任何结论均不证明下列事项：",
    ),
}
