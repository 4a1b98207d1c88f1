"""What the gas key may sign, and whether it did just that (S8). Pure but for the signer's own answer.

A signer may be a box in another room: what it returns is decoded and compared with the request field by field, its
hash is calculated here and its sender recovered, before the bytes are believed.
"""

from dataclasses import dataclass, fields
from typing import Final

from hybrid_bridge.core.public_transaction import PublicTransaction, decode_signed
from hybrid_bridge.errors import BridgeError, SignerLied
from hybrid_bridge.ports import TransactionSigner, UnsignedTransaction
from hybrid_bridge.units import Gas, Nonce, RawTransaction, TxHash, Wei
from relayers.journal import Scope
from relayers.views import Fee

NOTHING: Final = Wei(0)  # no transaction of ours carries value


@dataclass(frozen=True, slots=True)
class SignedAttempt:
    """Bytes that are what was asked for."""

    raw: RawTransaction
    hash: TxHash


def transaction(scope: Scope, nonce: Nonce, data: bytes, fee: Fee, gas: Gas) -> UnsignedTransaction:
    """A call of our contract, or with empty `data` a transfer of nothing to ourselves. There is no third kind."""
    return UnsignedTransaction(
        chain_id=scope.chain_id,
        nonce=nonce,
        to=scope.contract if data else scope.signer,
        value=NOTHING,
        data=data,
        gas=gas,
        max_fee=fee.max_fee,
        tip=fee.tip,
    )


def signed(signer: TransactionSigner, asked: UnsignedTransaction, scope: Scope) -> SignedAttempt:
    """Let the signer sign; believe nothing it says.

    Raises:
        SignerLied: it returned something else.
        BridgeError: the signer's own errors.
    """
    raw = signer.sign(asked)
    try:
        answer = decode_signed(raw)
    except BridgeError as error:
        raise SignerLied(field="envelope") from error
    for item in fields(PublicTransaction):
        if getattr(answer.transaction, item.name) != getattr(asked, item.name):
            raise SignerLied(field=item.name)
    if answer.sender != scope.signer:
        raise SignerLied(field="sender")
    return SignedAttempt(raw, answer.hash)
