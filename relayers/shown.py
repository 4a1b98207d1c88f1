"""Settings as they hold, for people: every value with its default filled in, and no secret among them. Pure.

An address of an endpoint may hold a password anywhere behind its host; a place of a key names files, never what is in
them.
"""

from typing import Any
from urllib.parse import urlsplit

from relayers.settings import ChainSettings, Endpoint, LogSettings, Settings


def settings_shown(settings: Settings) -> dict[str, Any]:
    """Each key of the file with its effective value; unlike the file it holds no defaults back."""
    return {
        "journal": str(settings.journal),
        "tick_seconds": settings.tick_seconds,
        "listen": None if settings.listen is None else ":".join(map(str, settings.listen)),
        "log": _log(settings.log),
        "chain": _chain(settings.chain),
    }


def _log(log: LogSettings) -> dict[str, Any]:
    return {
        "id": f"0x{log.log_id.hex()}",
        "genesis": str(log.genesis),
        "anchor_every": log.anchor_every,
        "anchored_when": log.anchored_when,
        "delay_seconds": log.delay,
        "sets": [f"{item.set_id} from size {item.from_size}: {item.entries}" for item in log.sets],
        "tls.ca": str(log.tls.ca),
        "tls.certificate": str(log.tls.certificate),
        "tls.key": f"file:{log.tls.key}",
        **{f"members.{name}": address for name, address in log.members},
    }


def _chain(chain: ChainSettings) -> dict[str, Any]:
    fees = chain.fees
    return {
        "name": chain.name,
        "chain_id": chain.chain_id,
        "genesis_hash": f"0x{chain.genesis_hash.hex()}",
        "contract": f"0x{chain.contract.hex()}",
        "first_block": chain.first_number,
        "finality": "finalized" if chain.depth is None else f"depth {chain.depth}",
        "rpc_quorum": chain.rpc_quorum,
        "state_proofs": chain.state_proofs,
        **{f"endpoints.{endpoint.name}": address_shown(endpoint) for endpoint in chain.endpoints},
        "signer": str(chain.signer),
        "signer_address": f"0x{chain.signer_address.hex()}",
        "retiring": chain.is_retiring,
        "set_updates": None if chain.set_updates is None else str(chain.set_updates),
        "fees.max_fee_wei": fees.max_fee,
        "fees.tip_wei": fees.tip,
        "fees.max_cost_per_anchor_wei": fees.max_cost_per_anchor,
        "fees.reserve_wei": fees.reserve,
        "fees.daily_budget_wei": fees.daily_budget,
        "fees.max_gas": fees.max_gas,
        "fees.usual_gas": fees.usual_gas,
        "fees.bump_blocks": fees.bump_blocks,
        "turns.operators": [f"0x{operator.hex()}" for operator in chain.operators],
        "turns.grace_blocks": chain.grace_blocks,
    }


def address_shown(endpoint: Endpoint) -> str:
    """Scheme and host; the rest may be a password."""
    if not isinstance(endpoint.url, str):
        return f"file:{endpoint.url}"
    parts = urlsplit(endpoint.url)
    host = parts.netloc.rpartition("@")[2]
    hidden = "" if (parts.path, parts.query, parts.fragment) in {("", "", ""), ("/", "", "")} else "/…"
    return f"{parts.scheme}://{host}{hidden}"
