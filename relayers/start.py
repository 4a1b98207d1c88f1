"""What a start refuses beside chain, contract and key: one host, a slow clock, a delegated account, a lost journal.

Read-only, and asked by `check` too (RELAYER §4.7).
"""

from collections.abc import Callable, Collection
from ipaddress import ip_address
from typing import Final, Protocol

from hybrid_bridge.errors import ClockBehind, KeyUnusable, SettingsMalformed, StoreBroken
from hybrid_bridge.ports import AnchoredEvent, PublicBlock, PublicChain
from hybrid_bridge.units import Address, Nonce, PublicBlockNumber, TxHash, UnixSeconds
from relayers.observe import EVENT_RANGE, Observer

ONE_WORD: Final = "one endpoint's word is taken for the public chain (rpc_quorum = 1)"
DELEGATED: Final = b"\xef\x01\x00"  # EIP-7702: code that only names another account's
SKEW: Final = 30  # seconds by which a public block may be ahead of our clock
LOOK_BACK: Final = 50  # anchors, and ranges of public blocks, that an empty journal is compared with
REBUILD: Final = "`fsck --rebuild --plan` shows what the chain knows, and `fsck --rebuild` adopts it"

CodeAt = Callable[[PublicChain, Address, PublicBlock], bytes]
SenderOf = Callable[[PublicChain, TxHash], Address | None]


class Nonces(Protocol):
    """What is asked of a journal."""

    def highest_nonce(self) -> Nonce | None:
        """Of its slots; None without any."""


def require_hosts(hosts: Collection[str], quorum: int) -> None:
    """One host for all is one word for all, however many addresses it has.

    This machine is no host in this sense: behind its ports stand nodes, proxies, tunnels to others.

    Raises:
        SettingsMalformed: a quorum of two or more, and one host.
    """
    if quorum > 1 and len(set(hosts)) == 1 and not any(map(is_here, hosts)):
        raise SettingsMalformed(key="chain.endpoints", rule="on at least two hosts: one host is one word for the chain")


def is_here(host: str) -> bool:
    """Whether this is this machine's loopback."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def require_clock(pinned: PublicBlock, now: UnixSeconds) -> None:
    """No public block is of the future, so one that seems to be shows a clock that is behind.

    An old one shows nothing: the chain may be slow, or stand still.

    Raises:
        ClockBehind: by more than `SKEW`.
    """
    if pinned.time - now > SKEW:
        raise ClockBehind(seconds=pinned.time - now, public_block=pinned.number)


def require_undelegated(observer: Observer, code_at: CodeAt) -> None:
    """The gas key's account has no code: a delegated one may have one transaction in flight, and others move its nonce.

    Raises:
        KeyUnusable: it has.
        Undecided: too few endpoints agree.
    """
    signer, pinned = observer.scope.signer, observer.pin()
    code = observer.ask(lambda chain: code_at(chain, signer, pinned))
    if code.startswith(DELEGATED):
        rule = (
            f"an account of its own: it is delegated to 0x{code[3:].hex()} (EIP-7702); revoke that, or take another key"
        )
        raise KeyUnusable(key="chain.signer_address", rule=rule)


def require_known(observer: Observer, journal: Nonces, store: str, sender_of: SenderOf) -> None:
    """Every transaction of our key that stands on the pinned public block has its slot (RELAYER §7, case 26).

    A journal without slots is compared with the newest anchors instead: a key may have had another life before.

    Raises:
        StoreBroken: the key was used by somebody else, or this is not the newest journal of it.
        Undecided: too few endpoints agree.
    """
    signer, pinned = observer.scope.signer, observer.pin()
    used, highest = observer.ask(lambda chain: chain.nonce(signer, pinned)), journal.highest_nonce()
    if highest is not None and used > highest + 1:
        unknown = f"{used - highest - 1} transactions of the gas key are not in it, from nonce {highest + 1} on"
        raise StoreBroken(store=store, rule=f"the newest journal of its key: {unknown}; {REBUILD}")
    if highest is None and used > 0:
        anchor = _ours(observer, pinned, sender_of)
        if anchor is not None:
            unknown = f"the gas key anchored size {anchor.tree_size}, and nothing of that is in it"
            raise StoreBroken(store=store, rule=f"the newest journal of its key: {unknown}; {REBUILD}")


def _ours(observer: Observer, pinned: PublicBlock, sender_of: SenderOf) -> AnchoredEvent | None:
    """One of the newest anchors that our key sent."""
    for event in _newest(observer, pinned.number):
        if observer.ask(lambda chain, event=event: sender_of(chain, event.tx_hash)) == observer.scope.signer:  # type: ignore[misc]
            return event
    return None


def _newest(observer: Observer, last: PublicBlockNumber) -> list[AnchoredEvent]:
    """So many anchors, the newest first."""
    found: list[AnchoredEvent] = []
    end = int(last)
    for _ in range(LOOK_BACK):
        if end < observer.first_number or len(found) >= LOOK_BACK:
            break
        first = max(observer.first_number, end - EVENT_RANGE + 1)
        found += reversed(observer.anchored(PublicBlockNumber(first), PublicBlockNumber(end)))
        end = first - 1
    return found[:LOOK_BACK]
