"""Invoices: a creditor registers one, the debtor confirms it and thereby its labels, both may amend or cancel it.

``DECLARED → CONFIRMED → CANCELLED | CLOSED``. Source: SCENARIOS §2.1, 0x0101 to 0x0104.
"""

from dataclasses import replace

from hybrid_bridge.business.freeze import require_free
from hybrid_bridge.business.membership import require_member
from hybrid_bridge.business.receivables.objects import (
    ASSET,
    CANCELLED,
    CONFIRMED,
    DECLARED,
    Asset,
    open_asset,
    put_asset,
    require_new,
)
from hybrid_bridge.business.ruling import Act, refuse


def register(act: Act) -> None:
    """0x0101. A creditor declares an invoice; nothing rests on it until its debtor confirms.

    Raises:
        RuleRejected: authority, admission, exists, I4.
    """
    claims = act.claims
    asset = Asset(
        object_id=claims.text("object"),
        state=DECLARED,
        debtor=claims.text("debtor"),
        ccy=claims.text("ccy"),
        gross=claims.amount("gross"),
        creditor_key=claims.text("creditor_key"),
    )
    act.require_authorisers(asset.creditor_key, rule="authority", subject=asset.object_id)
    require_member(act.view, asset.debtor, act.moment.epoch)
    require_new(act.view, asset.object_id)
    if asset.gross == 0:
        refuse("I4", asset.object_id)
    _store(act, asset)


def confirm(act: Act) -> None:
    """0x0102. The debtor says that it owes this; the step inserts the identity labels that stand beside it.

    Raises:
        RuleRejected: unknown, I1, admission, I8, lifecycle, I4 (another sum or currency than declared).
    """
    asset = open_asset(act.view, act.claims.text("object"), act.moment.epoch)
    act.require_authorisers(asset.debtor, rule="I1", subject=asset.object_id)
    require_member(act.view, asset.debtor, act.moment.epoch)
    require_free(act, asset.object_id)
    _require_state(asset, DECLARED)
    if (act.claims.amount("gross"), act.claims.text("ccy")) != (asset.gross, asset.ccy):
        refuse("I4", asset.object_id)
    _store(act, replace(asset, state=CONFIRMED))


def amend(act: Act) -> None:
    """0x0103. Creditor and debtor change the sum, not below what notes already stand on.

    Raises:
        RuleRejected: unknown, authority, I8, lifecycle, I4.
    """
    asset, gross = _require_both(act), act.claims.amount("gross")
    if gross == 0 or gross < asset.allotted:
        refuse("I4", asset.object_id)
    _store(act, replace(asset, gross=gross))


def cancel(act: Act) -> None:
    """0x0104. Creditor and debtor withdraw an invoice that no note stands on.

    Raises:
        RuleRejected: unknown, authority, I8, lifecycle, I4.
    """
    asset = _require_both(act)
    if asset.allotted:
        refuse("I4", asset.object_id)
    _store(act, replace(asset, state=CANCELLED))


def _require_both(act: Act) -> Asset:
    asset = open_asset(act.view, act.claims.text("object"), act.moment.epoch)
    act.require_authorisers(asset.creditor_key, asset.debtor, rule="authority", subject=asset.object_id)
    require_free(act, asset.object_id)
    _require_state(asset, DECLARED, CONFIRMED)
    return asset


def _require_state(asset: Asset, *states: str) -> None:
    if asset.state not in states:
        refuse("lifecycle", asset.object_id)


def _store(act: Act, asset: Asset) -> None:
    put_asset(act.view, asset)
    act.happened(ASSET, asset.object_id, asset.summary())
