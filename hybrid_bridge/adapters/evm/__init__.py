"""Public chains with an EVM: the contract behind an endpoint, its evidence, its keys, its deployment, and a devnet.

`rpc.py` is the door to web3, `dev_chain.py` the door to py-evm. Everything here is an adapter: it fetches, translates
and converts; what a public chain's answer proves is decided in `core.anchor`.
"""
