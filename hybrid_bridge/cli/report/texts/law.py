"""What some rules of evidence ask, and which part of a report speaks to it. Paraphrased; no legal advice."""

from typing import Final

LAW: Final[dict[str, tuple[str, str]]] = {
    "law.intro": (
        "A map from questions that some rules ask to parts of this report, for readers who have to answer them. It is "
        'no legal advice, paraphrases, and says nothing of the effect of any rule. "Read" says how far the text was '
        "read by those who wrote the map: in full, in part, or known by its subject only. Read the texts in force.",
        "下表将若干规则所关注的问题对应到本报告的相应部分，供须回答这些问题的读者参考。本表不构成法律意见，"
        "条文内容为转述，"
        "亦不涉及任何规则的效力。“阅读程度”表示制表者阅读该文本的程度：全文、部分，或仅知其主题。"
        "请以现行有效文本为准。",
    ),
    "law.nothing": (
        "Verification stopped: this report shows nothing towards any of these questions.",
        "核验中止：就下列任何问题，本报告均无所示。",
    ),
    "law.verdicts": (" [{verdicts}]", "〔{verdicts}〕"),
    "law.rule": ("rule and question", "规则与问题"),
    "law.shown": ("what this report shows", "本报告所示"),
    "law.not_shown": ("what it does not show", "本报告未示"),
    "law.read": ("read", "阅读程度"),
    "read.full": ("in translation", "译本"),
    "read.part": ("in part", "部分"),
    "read.subject": ("wording not read", "未读条文"),
    # ── China ──
    "law.china": (
        "China: rules of online litigation of the people's courts, 法释〔2021〕12号, articles 16 to 19; provisions of "
        "the Supreme People's Court on the hearing of cases by internet courts, 法释〔2018〕16号, article 11",
        "中国：《人民法院在线诉讼规则》（法释〔2021〕12号）第十六条至第十九条；"
        "《最高人民法院关于互联网法院审理案件若干问题的规定》（法释〔2018〕16号）第十一条",
    ),
    "law.11.rule": (
        "2018 provisions, art 11: signature, trusted timestamp, hash check, blockchain as means to show authenticity",
        "《最高人民法院关于互联网法院审理案件若干问题的规定》第十一条：以电子签名、可信时间戳、哈希值校验、区块链等证明真实性",
    ),
    "law.11.shown": (
        "signatures: quorum, names; timestamps and public blocks: times; hashes: the commands; chain: public anchor",
        "签名：法定人数、身份；时间戳与公共区块：时间一节；哈希：复算命令；区块链：公共链锚定",
    ),
    "law.11.not": ("whether each means suffices in the case at hand", "各项手段在个案中是否充分"),
    "law.16.rule": (
        "art 16: data stored by blockchain and consistent after a technical check: the court may find that they were "
        "not altered after deposit, unless contrary evidence suffices to overturn it",
        "第十六条：通过区块链技术存储并经技术核验一致的，人民法院可以认定该电子数据上链后未经篡改，"
        "但有相反证据足以推翻的除外",
    ),
    "law.16.shown": (
        "as far as the verdicts named here hold: consistency with what was entered, the time T by which it existed; "
        "the commands compute the hashes again",
        "在此处所列结论成立的范围内：与所录入内容一致，以及其最迟存在的时刻 T；复算命令可重新计算哈希",
    ),
    "law.16.not": ("anything about the time before T", "T 之前的任何情形"),
    "law.17a.rule": (
        "art 17, first factor: does the platform keep the rules for blockchain deposit services",
        "第十七条第一项：存证平台是否符合区块链存证服务的有关规定",
    ),
    "law.17a.shown": (
        "who keeps the ledger: the signers by name and certificate; not a platform's filing",
        "账本由谁保管：签名方的名称与证书；不含平台备案",
    ),
    "law.17a.not": ("filings, licences and audits of members", "成员的备案、许可与审计"),
    "law.17b.rule": (
        "art 17, second factor: interest of a party in the platform, improper influence on taking or keeping evidence",
        "第十七条第二项：当事人与存证平台的利害关系，是否不当干预取证、存证",
    ),
    "law.17b.shown": (
        "who signed, and what stands behind each name; brakes and other powers used are listed where the file shows "
        "them",
        "签名方及各名称的依据；所用暂停等权限凡文件出示者均列明",
    ),
    "law.17b.anchored": (
        "who signed, and what stands behind each name; the contract refuses a history that does not extend what is "
        "anchored; brakes and other powers used are listed where the file shows them",
        "签名方及各名称的依据；合约拒绝任何不延续已锚定历史的内容；所用暂停等权限凡文件出示者均列明",
    ),
    "law.17b.not": ("relations between members and parties", "成员与当事人之间的关系"),
    "law.17c.rule": (
        "art 17, third factor: cleanliness, security, reliability and availability of the system by standards",
        "第十七条第三项：信息系统的清洁性、安全性、可靠性、可用性是否符合标准",
    ),
    "law.17c.shown": (
        "the state of the environment only as far as the record's own fields say it",
        "环境状况，仅以记录自身字段所载为限",
    ),
    "law.17c.not": ("state and certification of members' machines", "成员设备的状况与认证"),
    "law.17d.rule": (
        "art 17, fourth factor: technique and process by standards: environment, security, encryption, transmission, "
        "verification of information",
        "第十七条第四项：存证技术与过程在系统环境、技术安全、加密方式、数据传输、信息验证等方面是否符合标准",
    ),
    "law.17d.shown": (
        "the methods by name (SHA-256, RFC 6962, EIP-712, RFC 3161), each numbered check, the public specification",
        "所用方法（SHA-256、RFC 6962、EIP-712、RFC 3161）、各编号步骤、公开的规范",
    ),
    "law.17d.not": ("an assessment against a national standard", "依国家标准所作的评定"),
    "law.18.rule": (
        "art 18: truth before deposit: source, generation, storage, notary, witnesses, corroborating data",
        "第十八条：上链前的真实性：来源、生成机制、存储过程、公证、第三方见证、关联印证",
    ),
    "law.18.shown": (
        "opened fields and documents by digest; the signed transaction is not shown",
        "已披露字段与以摘要列明的文档；未出示经签名的交易",
    ),
    "law.18.signed": (
        "of a transaction that is shown: its signatures hold; opened fields and documents by digest",
        "所示交易的签名验证通过；已披露字段与以摘要列明的文档",
    ),
    "law.18.not": (
        "truth before entry: never proven by a ledger; see What is NOT proven",
        "录入之前的真实性：账本不能证明；见“未证明的事项”",
    ),
    "law.19.rule": (
        "art 19: opinion of persons with special knowledge; expert examination",
        "第十九条：有专门知识的人提出意见；委托鉴定",
    ),
    "law.19.shown": (
        "commands with intermediate values for standard tools; an independent script; the file itself, attached",
        "标准工具的命令与中间值；独立脚本；所附文件本身",
    ),
    "law.19.not": ("the opinion itself", "鉴定意见本身"),
    # ── European Union ──
    "law.eu": (
        "European Union: Regulation (EU) No 910/2014 as amended, article 45l; Implementing Regulation (EU) 2025/2531",
        "欧盟：经修订的第 910/2014 号条例第 45l 条；第 2025/2531 号实施条例",
    ),
    "law.l-a.rule": (
        "art 45l: created and managed by one or more qualified trust service providers",
        "第 45l 条：由一个或多个合格信任服务提供者创建并管理",
    ),
    "law.l-a.shown": ("nothing: this ledger is not a qualified electronic ledger", "无：本账本不是合格电子账本"),
    "law.l-a.not": ("any qualified status", "任何合格资质"),
    "law.l-b.rule": ("art 45l: origin of the data records", "第 45l 条：数据记录的来源"),
    "law.l-b.shown": (
        "submitter's key, its signature where the transaction is shown, names by certificate",
        "提交者密钥，所示交易中的签名，证书所载名称",
    ),
    "law.l-b.not": ("who stands behind a key beyond its certificate", "证书之外密钥背后的主体"),
    "law.l-c.rule": (
        "art 45l: unique sequential chronological order",
        "第 45l 条：唯一、连续、按时间的次序",
    ),
    "law.l-c.shown": (
        "one log leaf for each epoch, its index is its number; numbers of each submitter count up by one",
        "每期一个账本叶，序号即期次；各提交者的编号逐一递增",
    ),
    "law.l-c.not": (
        "the order of records within an epoch, which batches sort by hash",
        "同一期内记录的先后（批次按哈希排序）",
    ),
    "law.l-d.rule": (
        "art 45l: any later change is at once detectable; integrity over time",
        "第 45l 条：任何后续更改可立即察觉；长期完整性",
    ),
    "law.l-d.shown": (
        "hash paths to the root in the checkpoint, as far as the verdicts named here hold; renewals where shown",
        "通往检查点中根的哈希路径，以此处所列结论成立者为限；所示续期",
    ),
    "law.l-d.not": ("detection by anybody who does not look", "无人查看时的察觉"),
    "law.2531.rule": (
        "(EU) 2025/2531: among others, the delay until an entry is final is stated",
        "第 2025/2531 号实施条例：其中包括说明条目最终确定的延迟",
    ),
    "law.2531.shown": (
        "Times, delays and gaps: every delay in seconds, and who says that the public block is final",
        "“时间、延迟与间隔”：各项延迟以秒计，以及公共区块最终性的依据",
    ),
    "law.2531.not": ("a provider's practice statement", "提供者的业务声明"),
}
NAMED: Final = {
    "11": ("quorum", "names", "public anchor", "not after"),
    "16": ("integrity", "quorum", "public anchor", "not after"),
    "17a": ("names",),
    "17b": ("level", "public anchor"),
    "l-b": ("names",),
    "l-d": ("integrity", "public anchor", "not after"),
}  # the verdicts that say how far what is shown goes
ROWS: Final = {
    "china": (
        ("11", "part"),
        ("16", "part"),
        ("17a", "part"),
        ("17b", "part"),
        ("17c", "part"),
        ("17d", "part"),
        ("18", "subject"),
        ("19", "subject"),
    ),
    "eu": (("l-a", "full"), ("l-b", "full"), ("l-c", "full"), ("l-d", "full"), ("2531", "part")),
}
