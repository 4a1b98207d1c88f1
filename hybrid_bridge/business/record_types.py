"""Numbers of the record types (SCENARIOS §2.0, §2.1; SPEC §3)."""

from typing import Final

from hybrid_bridge.units import RecordType

FREEZE_ORDER: Final = RecordType(0x0011)
FREEZE_LIFT: Final = RecordType(0x0012)
BRAKE_ON: Final = RecordType(0x0013)
BRAKE_OFF: Final = RecordType(0x0014)
ERASURE_NOTICE: Final = RecordType(0x0018)
ASSET_REGISTER: Final = RecordType(0x0101)
ASSET_CONFIRM: Final = RecordType(0x0102)
ASSET_AMEND: Final = RecordType(0x0103)
ASSET_CANCEL: Final = RecordType(0x0104)
NOTE_ISSUE: Final = RecordType(0x0105)
NOTE_ACCEPT: Final = RecordType(0x0106)
NOTE_DECLINE: Final = RecordType(0x0107)
NOTE_SPLIT: Final = RecordType(0x0108)
FIN_RESERVE: Final = RecordType(0x0109)
FIN_FINANCE: Final = RecordType(0x010A)
FIN_RELEASE: Final = RecordType(0x010B)
FIN_REFINANCE: Final = RecordType(0x010C)
NOTE_PAY: Final = RecordType(0x010D)
NOTE_PAY_ACK: Final = RecordType(0x010E)
NOTE_DEFAULT: Final = RecordType(0x010F)
NOTE_RECOURSE: Final = RecordType(0x0110)
NOTE_WRITEOFF: Final = RecordType(0x0111)
DEBTOR_TOTALS: Final = RecordType(0x0112)
