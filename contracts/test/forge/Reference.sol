// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// RFC 6962 §2.1 as it is written there, slowly and by recursion; no line is shared with src.
contract ReferenceTree {
    bytes32[] public leaves;

    function append(bytes32 leaf) external {
        leaves.push(leaf);
    }

    function size() external view returns (uint256) {
        return leaves.length;
    }

    /// MTH(D[0:n])
    function root(uint256 n) external view returns (bytes32) {
        return _mth(0, n);
    }

    /// PATH(m, D[0:n]), §2.1.1
    function inclusion(uint256 m, uint256 n) external view returns (bytes32[] memory) {
        (bytes32[] memory path, uint256 length) = _path(m, 0, n);
        return _cut(path, length);
    }

    /// PROOF(m, D[0:n]), §2.1.2
    function consistency(uint256 m, uint256 n) external view returns (bytes32[] memory) {
        if (m == n) return new bytes32[](0);
        (bytes32[] memory path, uint256 length) = _subproof(m, 0, n, true);
        return _cut(path, length);
    }

    function _mth(uint256 from, uint256 to) private view returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 k = from + _split(to - from);
        return sha256(abi.encodePacked(hex"01", _mth(from, k), _mth(k, to)));
    }

    /// The largest power of two smaller than n.
    function _split(uint256 n) private pure returns (uint256 k) {
        k = 1;
        while (2 * k < n) k *= 2;
    }

    function _path(uint256 m, uint256 from, uint256 to) private view returns (bytes32[] memory path, uint256 length) {
        if (to - from == 1) return (new bytes32[](64), 0);
        uint256 k = from + _split(to - from);
        bool left = m < k;
        (path, length) = left ? _path(m, from, k) : _path(m, k, to);
        path[length++] = left ? _mth(k, to) : _mth(from, k);
    }

    function _subproof(uint256 m, uint256 from, uint256 to, bool whole)
        private
        view
        returns (bytes32[] memory path, uint256 length)
    {
        if (m == to) {
            path = new bytes32[](64);
            if (!whole) path[length++] = _mth(from, to);
            return (path, length);
        }
        uint256 k = from + _split(to - from);
        bool left = m <= k;
        (path, length) = left ? _subproof(m, from, k, whole) : _subproof(m, k, to, false);
        path[length++] = left ? _mth(k, to) : _mth(from, k);
    }

    function _cut(bytes32[] memory path, uint256 length) private pure returns (bytes32[] memory short) {
        short = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            short[i] = path[i];
        }
    }
}
