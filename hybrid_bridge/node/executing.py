"""What follows from a block that somebody else put in order: executed here, compared with what its header claims.

Used for a block of the sequencer, and for the blocks of a snapshot, whoever sent them.
"""

from hybrid_bridge.adapters.sqlite.ledger import DecidedBlock
from hybrid_bridge.business.ruling import RulePack
from hybrid_bridge.core.block import Block, BlockHeader
from hybrid_bridge.core.cometbft_evidence import LedgerState
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.ledger_state import StateReader, writes_step
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.errors import FieldMismatch, RootMismatch
from hybrid_bridge.node.checking import Checked
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.steps.commit import BlockOutcome, Rules, execute_block
from hybrid_bridge.units import Digest


def rules_of(directory: Directory) -> Rules:
    """By which every member of this consortium executes; what a transaction's signatures say is remembered."""
    return Rules(directory.genesis, RulePack(powers=directory.policy.powers), Checked())


def executed(state: StateReader, rules: Rules, previous: BlockHeader | None, block: Block) -> BlockOutcome:
    """(1) place in the chain (2) epoch of its time (3) every code and the state.

    NOT CHECKED HERE: that the transactions are those of its header (`Block.verify_tx_root`).

    Raises:
        BridgeError: it is no valid block, or not what follows from its transactions.
    """
    header, genesis = block.header, rules.genesis
    if previous is None:
        header.verify_first(rules.log_id, genesis.first_block)
    else:
        header.verify_follows(previous)
    if header.epoch != epoch_of(genesis, header.time):
        raise FieldMismatch(field="epoch", expected="the epoch of its time", got=str(header.epoch))
    transactions = [SignedTransaction.decode(signed) for _, signed in block.items]
    outcome = execute_block(state, rules, header.height, header.time, transactions)
    if outcome.codes != [code for code, _ in block.items]:
        raise FieldMismatch(field="code", expected="what execution gives", got="another")
    if outcome.state_hash != header.state:
        raise RootMismatch(expected=header.state, calculated=outcome.state_hash)
    return outcome


def decided_block(outcome: BlockOutcome, before: Digest, block_hash: Digest) -> DecidedBlock:
    """What is kept of a block that an engine decided.

    Args:
        outcome: of the block.
        before: the running hash of all writes up to it.
        block_hash: what the engine calls it.
    """
    writes = writes_step(before, outcome.writes)
    state = LedgerState(outcome.chain, outcome.governance_size, outcome.governance_root, writes)
    return DecidedBlock(
        height=outcome.height,
        hash=block_hash,
        app_hash=state.hash,
        chain=outcome.chain,
        governance_size=outcome.governance_size,
        governance_root=outcome.governance_root,
        writes=writes,
    )
