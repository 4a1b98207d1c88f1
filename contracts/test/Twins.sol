// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BelowQuorum, SealsMalformed, SetMismatch} from "../src/Errors.sol";
import {Attested} from "../src/Types.sol";
import {Seals} from "../src/libraries/Seals.sol";
import {Tree} from "../src/libraries/Tree.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {ValidatorSets} from "../src/libraries/ValidatorSets.sol";

/// Each block of assembly beside the same in plain Solidity. Tests ask both and compare; never deployed.
contract Twins {
    /// How far `plainQuorum` is.
    struct Walk {
        bytes32 digest;
        uint64 signers;
        uint256 members;
        uint256 signed;
        uint256 place;
        bytes packed;
    }

    function node(bytes32 left, bytes32 right) external view returns (bytes32) {
        return Tree.node(left, right);
    }

    function plainNode(bytes32 left, bytes32 right) external pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"01", left, right));
    }

    function climb(bytes32 seed, uint256 sides, bytes32[] calldata path, uint256 own)
        external
        view
        returns (bytes32 a, bytes32 b)
    {
        return Tree.climb(seed, sides, path, own);
    }

    /// own <= path.length.
    function plainClimb(bytes32 seed, uint256 sides, bytes32[] calldata path, uint256 own)
        external
        pure
        returns (bytes32 a, bytes32 b)
    {
        (a, b) = (seed, seed);
        for (uint256 k = own; k < path.length; ++k) {
            bool isLeft = sides >> (k - own) & 1 == 1;
            b = isLeft ? _plainNode(path[k], b) : _plainNode(b, path[k]);
            if (isLeft) a = _plainNode(path[k], a);
        }
    }

    function _plainNode(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"01", left, right));
    }

    function checkpoint(bytes32 logId, Attested calldata to, uint256 time, uint256 setId)
        external
        pure
        returns (bytes32)
    {
        return TypedData.checkpoint(logId, to, time, setId);
    }

    function plainCheckpoint(bytes32 logId, Attested calldata to, uint256 time, uint256 setId)
        external
        pure
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,bytes32 salt)"),
                keccak256("HybridBridge"),
                keccak256("1"),
                logId
            )
        );
        bytes32 structType = keccak256(
            "Checkpoint(bytes32 logId,uint64 treeSize,bytes32 rootHash,uint64 timestamp,uint64 validatorSetId,bytes32 validatorSetHash)"
        );
        bytes32 structHash = keccak256(abi.encode(structType, logId, to.treeSize, to.rootHash, time, setId, to.setHash));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function bits(uint64 x) external pure returns (uint256 length, uint256 count) {
        return (Tree.bitLength(x), Tree.popcount(x));
    }

    function plainBits(uint64 x) external pure returns (uint256 length, uint256 count) {
        for (; x != 0; x >>= 1) {
            ++length;
            count += x & 1;
        }
    }

    function list(uint256 setId, bytes calldata entries) external pure returns (bytes32 setHash, bytes memory packed) {
        return ValidatorSets.read(setId, entries);
    }

    /// Of good entries.
    function plainList(uint256 setId, bytes calldata entries)
        external
        pure
        returns (bytes32 setHash, bytes memory packed)
    {
        bytes32 typeHash = sha256("HybridBridge.ValidatorSet.v1(uint64 setId,uint64 n)");
        setHash = sha256(abi.encodePacked(typeHash, setId, entries.length / 128, entries));
        packed = abi.encodePacked(setHash);
        for (uint256 place = 0; place < entries.length; place += 128) {
            packed = bytes.concat(packed, entries[place + 12:place + 32]);
        }
    }

    function quorum(bytes32 digest, bytes32 setHash, bytes32 setKey, uint64 signers, bytes calldata seals)
        external
        view
        returns (bytes memory packed, bytes memory after_)
    {
        packed = Seals.requireQuorum(digest, setHash, setKey, signers, seals);
        after_ = "memory after the list is free"; // would spoil the list if its allocation were short
    }

    function plainQuorum(bytes32 digest, bytes32 setHash, bytes32 setKey, uint64 signers, bytes calldata seals)
        external
        pure
        returns (bytes memory packed, bytes memory after_)
    {
        Walk memory walk = Walk(digest, signers, 0, 0, 0, abi.encodePacked(setHash));
        while (walk.place < seals.length) {
            _next(walk, seals);
        }
        if (signers >> walk.members != 0) revert SealsMalformed(walk.members);
        if (keccak256(walk.packed) != setKey) revert SetMismatch(setKey, keccak256(walk.packed));
        uint256 needed = 2 * walk.members / 3 + 1;
        if (walk.signed < needed) revert BelowQuorum(needed, walk.signed);
        return (walk.packed, "memory after the list is free");
    }

    /// One more member.
    function _next(Walk memory walk, bytes calldata seals) private pure {
        bool hasSigned = walk.signers >> walk.members & 1 == 1;
        uint256 width = hasSigned ? 64 : 20;
        if (seals.length - walk.place < width) revert SealsMalformed(walk.members);
        bytes calldata seal = seals[walk.place:walk.place + width];
        bytes20 member = hasSigned ? bytes20(_signer(walk.digest, seal, walk.members)) : bytes20(seal);
        walk.packed = bytes.concat(walk.packed, member);
        walk.signed += hasSigned ? 1 : 0;
        walk.place += width;
        ++walk.members;
    }

    function _signer(bytes32 digest, bytes calldata seal, uint256 member) private pure returns (address) {
        uint256 vs = uint256(bytes32(seal[32:]));
        bytes32 s = bytes32(vs % 2 ** 255);
        if (uint256(s) > 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0) {
            revert SealsMalformed(member);
        }
        return ecrecover(digest, vs >> 255 == 0 ? 27 : 28, bytes32(seal[:32]), s);
    }
}
