// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoint, EntryProof, EpochProof, Fact, Opened} from "../src/Types.sol";
import {IAnchorRegistry} from "../src/interfaces/IAnchorRegistry.sol";
import {IProofVerifier} from "../src/interfaces/IProofVerifier.sol";
import {Claims} from "../src/libraries/Claims.sol";

/// An example of use, and no part of the bridge, which holds no money: pays the payee once the log shows that one
/// receivable was confirmed by its debtor; from the deadline on the payer may take the deposit back. It trusts the quorum of
/// this log for the truth of the two records, and nobody for their being unchanged.
///
/// SHARP EDGE: debtor and creditor together may amend or cancel a receivable after its confirmation. That is another record,
/// and a proof of this one says nothing about it.
contract ReceivableEscrow {
    using Claims for bytes32;

    struct Terms {
        IProofVerifier proofs;
        IAnchorRegistry registry;
        bytes32 logId; // the consortium whose word both parties accept
        address payable payer;
        address payable payee;
        uint64 notBefore; // first epoch in which a confirmation counts
        uint64 deadline; // public seconds; a proof counts before it
        string object; // the receivable by its own id; this and what follows are JSON texts, quotes included
        string debtor; // key ids: who owes, and to whom, as the registration says
        string creditorKey;
        string ccy;
        string gross; // as the debtor confirmed it
    }

    /// One record of the log, with four of its claims opened in the order in which they are required.
    struct Shown {
        EpochProof epoch;
        EntryProof entry;
        Opened[4] claims;
    }

    error WrongRecord(uint16 expected, uint16 got);
    error TooOld(uint64 notBefore, uint64 epoch);
    error TooLate(uint64 deadline);
    error NotYet(uint64 deadline);
    error Settled();
    error NotSent(address to);

    event Paid(address indexed to, uint256 amount);

    uint16 private constant REGISTER = 0x0101;
    uint16 private constant CONFIRM = 0x0102;

    Terms public terms;
    bool public settled;

    constructor(Terms memory terms_) payable {
        terms = terms_;
    }

    /// Anybody may bring the proof; the money goes to the payee.
    /// @param registered the creditor's asset.register: who is who.
    /// @param confirmed the debtor's asset.confirm. The ledger takes it from the debtor of the registration only.
    function release(Checkpoint calldata c, Shown calldata registered, Shown calldata confirmed) external {
        Terms memory t = terms;
        if (block.timestamp >= t.deadline) revert TooLate(t.deadline);
        _requireRegistered(t, _fact(t, c, registered, REGISTER), registered.claims);
        Fact memory fact = _fact(t, c, confirmed, CONFIRM);
        if (fact.epoch < t.notBefore) revert TooOld(t.notBefore, fact.epoch);
        _requireConfirmed(t, fact, confirmed.claims);
        _settle(t.payee);
    }

    function refund() external {
        if (block.timestamp < terms.deadline) revert NotYet(terms.deadline);
        _settle(terms.payer);
    }

    function _requireRegistered(Terms memory t, Fact memory fact, Opened[4] calldata claims) private view {
        fact.fieldRoot.requireClaim(fact.width, claims[0], "_schema", '"asset.register/1"');
        fact.fieldRoot.requireClaim(fact.width, claims[1], "object", t.object);
        fact.fieldRoot.requireClaim(fact.width, claims[2], "debtor", t.debtor);
        fact.fieldRoot.requireClaim(fact.width, claims[3], "creditor_key", t.creditorKey);
    }

    function _requireConfirmed(Terms memory t, Fact memory fact, Opened[4] calldata claims) private view {
        fact.fieldRoot.requireClaim(fact.width, claims[0], "_schema", '"asset.confirm/1"');
        fact.fieldRoot.requireClaim(fact.width, claims[1], "object", t.object);
        fact.fieldRoot.requireClaim(fact.width, claims[2], "ccy", t.ccy);
        fact.fieldRoot.requireClaim(fact.width, claims[3], "gross", t.gross);
    }

    /// Reverts unless the record stands in the log and is of this type.
    function _fact(Terms memory t, Checkpoint calldata c, Shown calldata shown, uint16 recordType)
        private
        view
        returns (Fact memory fact)
    {
        fact = t.proofs.verifyEntry(t.registry, t.logId, c, shown.epoch, shown.entry);
        if (fact.recordType != recordType) revert WrongRecord(recordType, fact.recordType);
    }

    /// Once: the state is written before the money leaves.
    function _settle(address payable to) private {
        if (settled) revert Settled();
        settled = true;
        uint256 amount = address(this).balance;
        emit Paid(to, amount);
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert NotSent(to);
    }
}
