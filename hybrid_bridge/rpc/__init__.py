"""The members' API on the wire: generated messages, and the few rules every call obeys on both sides.

`faults` carries our errors across, `server` decides who may call what, `channel` sets deadlines and limits.
No rule of the ledger lives here.
"""
