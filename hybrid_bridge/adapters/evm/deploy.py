"""Bring both contracts to a public chain, register a log, and know afterwards that it is our code (CONTRACT §6).

Through the deterministic factory where it exists, so that addresses are equal everywhere; else plainly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from hybrid_bridge.adapters.evm.artefact import REGISTRY, Artefact
from hybrid_bridge.adapters.evm.calls import anchor_calldata, register_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.create2 import FACTORY, FACTORY_CODE, SALT, deterministic_address
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.adapters.evm.transact import Included, Patience, cost, price, priced, require_balance, send
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.rlp import encode_rlp, uint_bytes
from hybrid_bridge.errors import AnswerMalformed, CodeMismatch, FieldMismatch, NotYet, UnknownLog
from hybrid_bridge.ports import Head, PublicBlock, TransactionSigner, UnsignedTransaction, Update
from hybrid_bridge.units import Address, ChainId, Digest, LogId, Nonce, TreeSize, TxHash, Wei

NOBODY: Final = Address(bytes(20))
CREATION: Final = Address(b"")
LOOK_BACK: Final = 16  # transactions of an account, each a question


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What deploying one contract would do. Without a transaction it is there already."""

    artefact: Artefact
    address: Address
    chain_id: ChainId
    transaction: UnsignedTransaction | None

    @property
    def cost(self) -> Wei:
        """The most it can cost."""
        return Wei(0) if self.transaction is None else cost(self.transaction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One contract on one public chain, its code compared with the committed artefact."""

    chain_id: ChainId
    contract: str
    address: Address
    code_hash: Digest
    public_block: PublicBlock  # where the code was compared
    transaction: TxHash | None  # None: somebody else's


Wanted: TypeAlias = tuple[Artefact, Address | None]  # and where it may stand already


def plan_deployments(rpc: JsonRpc, wanted: Sequence[Wanted], sender: Address) -> list[DeploymentPlan]:
    """Plans of several contracts, to be carried out in this order. The account need have no money yet.

    Raises:
        PrecompileMissing, CodeMismatch: see `plan_deployment`.
    """
    plans: list[DeploymentPlan] = []
    for artefact, known in wanted:
        plan = _plan(rpc, artefact, sender, known)
        if plan.transaction is not None:
            before = sum(one.transaction is not None for one in plans)
            transaction = replace(plan.transaction, nonce=Nonce(plan.transaction.nonce + before))
            address = plan.address if transaction.to else _created(sender, transaction.nonce)
            plan = replace(plan, transaction=transaction, address=address)
        plans.append(plan)
    return plans


def require_funds(rpc: JsonRpc, plans: Sequence[DeploymentPlan], sender: Address) -> None:
    """The account can pay for all of them: half of a deployment is of no use.

    Raises:
        Missing: it cannot.
    """
    require_balance(Web3Chain(rpc, NOBODY), sender, Wei(sum(plan.cost for plan in plans)))


def plan_deployment(rpc: JsonRpc, artefact: Artefact, sender: Address, known: Address | None = None) -> DeploymentPlan:
    """Look, price, change nothing. The constructors test the precompiles, so pricing fails on a chain that lacks them.

    Args:
        rpc: endpoint of the chain.
        artefact: the contract.
        sender: pays the gas.
        known: where it may stand already; believed if our code is there.

    Raises:
        PrecompileMissing: the chain lacks SHA-256 or ecrecover.
        Missing: the account cannot pay.
        CodeMismatch: other code stands at the deterministic address.
    """
    plan = _plan(rpc, artefact, sender, known)
    require_funds(rpc, [plan], sender)
    return plan


def _plan(rpc: JsonRpc, artefact: Artefact, sender: Address, known: Address | None) -> DeploymentPlan:
    chain = Web3Chain(rpc, NOBODY)
    block, chain_id = chain.latest(), chain.chain_id()
    at = block.hash
    if known is not None and _is_ours(chain, block, artefact, known):
        return DeploymentPlan(artefact, known, chain_id, None)
    if chain.code(FACTORY, at) != FACTORY_CODE:
        if address := _made_before(chain, block, artefact, sender):
            return DeploymentPlan(artefact, address, chain_id, None)
        transaction = priced(chain, sender, CREATION, artefact.creation_code)
        return DeploymentPlan(artefact, _created(sender, transaction.nonce), chain_id, transaction)
    address = deterministic_address(artefact.creation_code)
    if code := chain.code(address, at):
        _require_code(artefact, address, code)
        return DeploymentPlan(artefact, address, chain_id, None)
    return DeploymentPlan(artefact, address, chain_id, priced(chain, sender, FACTORY, SALT + artefact.creation_code))


def deploy(rpc: JsonRpc, plan: DeploymentPlan, signer: TransactionSigner, patience: Patience) -> Deployment:
    """Carry out a plan, read the code back, ask the registry two questions.

    Raises:
        CodeMismatch: what stands there is not what was compiled.
        NotYet: nothing is seen there yet; see also `send`.
        TransactionRefused: see `send`.
    """
    chain = Web3Chain(rpc, plan.address)
    included = None
    if plan.transaction is not None:
        included = send(chain, signer.sign(plan.transaction), patience)
    at = chain.latest()
    if not (code := chain.code(plan.address, at.hash)):  # an endpoint of several machines, one of them behind
        raise NotYet(what=f"the code of {plan.artefact.name} at 0x{plan.address.hex()}")
    _require_code(plan.artefact, plan.address, code)
    if plan.artefact.name == REGISTRY:
        require_answers(chain, at, signer.address())
    return Deployment(
        chain_id=plan.chain_id,
        contract=plan.artefact.name,
        address=plan.address,
        code_hash=plan.artefact.runtime_code_hash,
        public_block=at,
        transaction=None if included is None else included.tx_hash,
    )


def _made_before(chain: Web3Chain, at: PublicBlock, artefact: Artefact, sender: Address) -> Address | None:
    """Where the account's last transactions put our code.

    Without a factory an address depends on the account's nonce: a command that died after sending, and is run again,
    would else pay for a second contract.
    """
    nonce = chain.nonce(sender, at)
    recent = (_created(sender, Nonce(n)) for n in range(nonce - 1, max(nonce - LOOK_BACK, 0) - 1, -1))
    return next((address for address in recent if _is_ours(chain, at, artefact, address)), None)


def _is_ours(chain: Web3Chain, at: PublicBlock, artefact: Artefact, address: Address) -> bool:
    return keccak256(chain.code(address, at.hash)) == artefact.runtime_code_hash


def _created(sender: Address, nonce: Nonce) -> Address:
    """Where a creation by this account under this nonce stands."""
    return Address(keccak256(encode_rlp([bytes(sender), uint_bytes(nonce)]))[12:])


def _require_code(artefact: Artefact, address: Address, code: bytes) -> None:
    if (got := keccak256(code)) != artefact.runtime_code_hash:
        where = f"{artefact.name} at 0x{address.hex()}"
        raise CodeMismatch(expected=artefact.runtime_code_hash, got=got, where=where)


def require_answers(chain: Web3Chain, at: PublicBlock, sender: Address) -> None:
    """A log that cannot exist is unknown, and anchoring it is refused with the typed error.

    Raises:
        AnswerMalformed: anything else.
    """
    nowhere = LogId(ZERO)
    update = Update(
        log_id=nowhere,
        from_size=TreeSize(1),
        tree_size=TreeSize(2),
        root=ZERO,
        set_hash=ZERO,
        signers=0,
        path=(),
        seals=b"",
    )
    if chain.head(nowhere, at).state != "unknown":
        raise AnswerMalformed(endpoint=chain.name, call="head", rule="state unknown for a log that cannot exist")
    try:
        chain.simulate(sender, anchor_calldata(update), at)
    except UnknownLog:
        return
    raise AnswerMalformed(endpoint=chain.name, call="anchor", rule="UnknownLog for a log that cannot exist")


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered log. `included` is None if it was registered before."""

    log_id: LogId
    head: Head
    included: Included | None


def register(
    chain: Web3Chain, signer: TransactionSigner, log: tuple[bytes, str, bytes], patience: Patience
) -> Registration:
    """Register a log: anybody may, and twice is once (CONTRACT §3.3).

    Args:
        chain: endpoint and contract.
        signer: pays the gas.
        log: genesis record, origin, entries of set 1.
        patience: how long to wait for inclusion.

    Raises:
        BridgeError: the contract's own error, before anything is sent.
        FieldMismatch: the head is not that of this genesis record.
    """
    log_id = LogId(leaf_hash(log[0]))
    included = None
    if chain.head(log_id, chain.latest()).tree_size == 0:
        transaction = price(chain, signer.address(), chain.contract, register_calldata(*log))
        included = send(chain, signer.sign(transaction), patience)
    head = chain.head(log_id, chain.latest())
    if head.tree_size == 0:
        raise NotYet(what="the registration at the newest public block")
    if head.tree_size == 1 and bytes(head.root) != log_id:
        raise FieldMismatch(field="head.root", expected=log_id.hex(), got=head.root.hex())
    return Registration(log_id, head, included)
