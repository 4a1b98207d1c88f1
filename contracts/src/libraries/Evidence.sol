// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NoConflict} from "../Errors.sol";
import {Attested, Log} from "../Types.sol";
import {IAnchorRegistry} from "../interfaces/IAnchorRegistry.sol";
import {HeadWord} from "./HeadWord.sol";
import {Seals} from "./Seals.sol";
import {Tree} from "./Tree.sol";
import {TypedData} from "./TypedData.sol";

/// Contradictions that members signed. Fewer than a quorum are named in an event and change nothing, else one member could
/// end a log; a quorum that contradicts itself ends it.
library Evidence {
    function reportEquivocation(
        bytes32 logId,
        Log storage log,
        Attested calldata a,
        bytes calldata sealsA,
        Attested calldata b,
        bytes calldata sealsB
    ) internal {
        uint64 both = a.signers & b.signers;
        if (a.treeSize < 2 || a.treeSize != b.treeSize || a.rootHash == b.rootHash || both == 0) revert NoConflict();
        (uint24 setId, bool isQuorumA) = _signed(logId, log, a, sealsA);
        (, bool isQuorumB) = _signed(logId, log, b, sealsB);

        emit IAnchorRegistry.Equivocated(logId, a.treeSize, a.rootHash, b.rootHash, setId, both);
        if (isQuorumA && isQuorumB) _freeze(logId, log);
    }

    function reportInconsistent(
        bytes32 logId,
        Log storage log,
        Attested calldata a,
        bytes calldata seals,
        bytes32 otherRoot,
        bytes32[] calldata path
    ) internal {
        uint40 size = log.meta.treeSize();
        bool isOlder = a.treeSize <= size;
        bytes32 root = log.root;
        if (a.treeSize < 2 || a.signers == 0 || otherRoot == (isOlder ? a.rootHash : root)) revert NoConflict();
        if (isOlder) Tree.verifyConsistency(a.treeSize, size, path, otherRoot, root);
        else Tree.verifyConsistency(size, a.treeSize, path, otherRoot, a.rootHash);
        (uint24 setId, bool isQuorum) = _signed(logId, log, a, seals);

        emit IAnchorRegistry.Inconsistent(logId, a.treeSize, a.rootHash, otherRoot, setId, a.signers);
        if (isQuorum) _freeze(logId, log);
    }

    /// The set that answers for this size now, and whether a quorum of it signed; reverts if others signed.
    function _signed(bytes32 logId, Log storage log, Attested calldata a, bytes calldata seals)
        private
        view
        returns (uint24 setId, bool isQuorum)
    {
        HeadWord meta = log.meta;
        bool isNext = meta.isHandover(a.treeSize);
        setId = isNext ? meta.setId() + 1 : meta.setId();
        bytes32 key = isNext ? log.nextKey : log.setKey;
        bytes32 digest = TypedData.checkpoint(logId, a, meta.timestampOf(a.treeSize), setId);
        (, uint256 needed, uint256 signed) = Seals.count(digest, a.setHash, key, a.signers, seals);
        isQuorum = signed >= needed;
    }

    /// For good. Once is enough.
    function _freeze(bytes32 logId, Log storage log) private {
        HeadWord meta = log.meta;
        if (meta.isFrozen()) return;
        log.meta = meta.frozen();
        emit IAnchorRegistry.Frozen(logId, meta.treeSize(), log.root);
    }
}
