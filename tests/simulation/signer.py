"""A gas key in a box in another room: slow, never deterministic, sometimes false. High s is made low on the way out."""

from functools import cache
from random import Random

from coincurve import PrivateKey

from hybrid_bridge.core.public_transaction import PublicTransaction, encode_signed
from hybrid_bridge.core.signing import HALF_ORDER, ORDER
from hybrid_bridge.errors import Unreachable
from hybrid_bridge.ports import TransactionSigner, UnsignedTransaction
from hybrid_bridge.testing.memory_members import address, key
from hybrid_bridge.units import Address, Digest, EcdsaSignature, RawTransaction

SECRETS = 256  # known ones: a simulated key is worth nothing


@cache
def _point(number: int) -> tuple[int, int, int]:
    """For one secret k: 1 ÷ k, r, and the parity of the point."""
    k = int.from_bytes(key(f"a secret number {number}"), "big") % ORDER
    point = PrivateKey(k.to_bytes(32, "big")).public_key.format(compressed=False)
    return pow(k, -1, ORDER), int.from_bytes(point[1:33], "big") % ORDER, point[64] & 1


@cache
def _address(name: str) -> Address:
    return address(name)


class Signer:
    """`state` is "prompt", "late", "other transaction", "stranger" or "garbage"."""

    def __init__(self, name: str, random: Random) -> None:
        self._key, self._random, self._address = int.from_bytes(key(name), "big"), random, _address(name)
        self.state = "prompt"
        self.asked: list[UnsignedTransaction] = []

    def address(self) -> Address:
        return self._address

    def sign(self, transaction: UnsignedTransaction) -> RawTransaction:
        self.asked.append(transaction)
        if self.state == "late":
            raise Unreachable(endpoint="signer", call="sign")
        if self.state == "garbage":
            return RawTransaction(b"\x02\xc0")
        tip = transaction.tip - (self.state == "other transaction")
        answer = PublicTransaction(
            chain_id=transaction.chain_id,
            nonce=transaction.nonce,
            to=transaction.to,
            value=transaction.value,
            data=transaction.data,
            gas=transaction.gas,
            max_fee=transaction.max_fee,
            tip=tip,
        )
        return encode_signed(answer, self._signature(answer.digest()))

    def _signature(self, digest: Digest) -> EcdsaSignature:
        inverse, r, parity = _point(self._random.randrange(SECRETS))
        own = self._key + (self.state == "stranger")
        s = inverse * (int.from_bytes(digest, "big") + r * own) % ORDER
        if s > HALF_ORDER:
            s, parity = ORDER - s, parity ^ 1
        return EcdsaSignature(r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity]))


_conforms: type[TransactionSigner] = Signer
