// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoint, EntryProof, EpochProof, Fact, Opened} from "../src/Types.sol";
import {IAnchorRegistry} from "../src/interfaces/IAnchorRegistry.sol";
import {IProofVerifier} from "../src/interfaces/IProofVerifier.sol";
import {Claims} from "../src/libraries/Claims.sol";

/// An example of use, and no part of the bridge, which holds no money: pays the payee once the log shows that one note was
/// paid in full; after the deadline the payer may take the deposit back. It trusts the quorum of this log for the truth of
/// the payment, and nobody for its being unchanged.
contract FactEscrow {
    using Claims for bytes32;

    struct Deal {
        IProofVerifier proofs;
        IAnchorRegistry registry;
        bytes32 logId; // the consortium whose word both parties accept
        address payable payer;
        address payable payee;
        uint64 notBefore; // epoch
        uint64 deadline; // seconds
        string note; // JSON texts, quotes included
        string paid;
    }

    error WrongRecord(uint16 expected, uint16 got);
    error TooOld(uint64 notBefore, uint64 epoch);
    error NotYet(uint64 deadline);
    error NotSent(address to);

    uint16 private constant PAY_ACK = 0x010E;

    Deal public deal;

    constructor(Deal memory deal_) payable {
        deal = deal_;
    }

    function release(
        Checkpoint calldata c,
        EpochProof calldata e,
        EntryProof calldata x,
        Opened[3] calldata claims
    ) external {
        Fact memory fact = deal.proofs.verifyEntry(deal.registry, deal.logId, c, e, x); // reverts unless proven
        if (fact.recordType != PAY_ACK) revert WrongRecord(PAY_ACK, fact.recordType);
        if (fact.epoch < deal.notBefore) revert TooOld(deal.notBefore, fact.epoch);
        fact.fieldRoot.requireClaim(fact.width, claims[0], "_schema", '"note.pay_ack/1"');
        fact.fieldRoot.requireClaim(fact.width, claims[1], "note", deal.note);
        fact.fieldRoot.requireClaim(fact.width, claims[2], "paid", deal.paid);
        _pay(deal.payee);
    }

    function refund() external {
        if (block.timestamp < deal.deadline) revert NotYet(deal.deadline);
        _pay(deal.payer);
    }

    function _pay(address payable to) private {
        (bool sent,) = to.call{value: address(this).balance}("");
        if (!sent) revert NotSent(to);
    }
}
