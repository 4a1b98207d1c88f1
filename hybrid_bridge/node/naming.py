"""What a member is called, and by which key it speaks: one firm, one name, one identity key. Source: ADR 53.

A member's name is how documents, peers and people find it. Given to another firm it would open to that firm what was
meant for the first, so it is nobody else's for ever. The same firm may come back.
"""

from hybrid_bridge.business.membership import EVER, STRANGER, standing_of
from hybrid_bridge.core.governance import REMOVE, MemberUpdate
from hybrid_bridge.core.ledger_state import StateReader
from hybrid_bridge.errors import AdmissionRejected
from hybrid_bridge.node.directory import Directory, Member
from hybrid_bridge.node.proposals import Proposal


def require_own_names(directory: Directory, member: Member) -> None:
    """Return if nobody else is or was called so, and no other member has its legal id or legal name.

    Raises:
        AdmissionRejected: somebody is.
    """
    for other in directory.known:
        is_same = _folded(other.legal_id) == _folded(member.legal_id)
        if other.name == member.name and not is_same:
            raise AdmissionRejected(rule="a name that no other member has or had")
        names = _folded(other.legal_name) == _folded(member.legal_name)
        if other.name != member.name and (is_same or names) and directory.lets_in(other.name):
            raise AdmissionRejected(rule="a legal id and a legal name that no other member has")


def require_one_key(directory: Directory, name: str, record: MemberUpdate, proposal: Proposal) -> None:
    """Return if the member called so gets its first identity key, or its first one goes by the same proposal.

    Raises:
        AdmissionRejected: it would have two.
    """
    present = directory.identities[name].key_id if directory.lets_in(name) else record.key_id
    removed = [one for one in proposal.decoded() if isinstance(one, MemberUpdate) and one.action == REMOVE]
    in_time = any(one.key_id == present and one.from_epoch <= record.from_epoch for one in removed)
    if present != record.key_id and not in_time:
        raise AdmissionRejected(rule="one identity key a member: the first is removed as the other is added")


def require_none_left(directory: Directory, name: str, proposal: Proposal, state: StateReader) -> None:
    """Return if whoever goes or is suspended is a member by no identity key on which the proposal is silent.

    Raises:
        AdmissionRejected: by one that a rotation brought, and which comes or is there.
    """
    told = {one.key_id for one in proposal.decoded() if isinstance(one, MemberUpdate)}
    for key in directory.key_ids(name):
        if key not in told and standing_of(state, key, EVER) != STRANGER:
            raise AdmissionRejected(rule=f"every identity key of {name}: {key.hex()[:16]} stays a member's")


def _folded(text: str) -> str:
    """As people compare names: neither case nor spaces tell two apart."""
    return " ".join(text.casefold().split())
