"""Prints `hybrid-relayer.json`, the dashboard by the operator's questions (RELAYER §9).

python infra/grafana/dashboard.py > infra/grafana/hybrid-relayer.json

The data source is a variable, ids follow from names, and nothing else is chosen by hand: a change shows as a change.
"""

import json
import zlib

R, V = "hybrid_relayer_", "hybrid_validator_"
CHOSEN = ('chain=~"$chain"', 'log=~"$log"')
OTHER_HASH = 'class="other_hash"'
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 6, 7  # four panels a row of 24 columns


def one(metric, *selectors):
    """A metric of the chosen chains and logs."""
    return R + metric + "{" + ", ".join([*CHOSEN, *selectors]) + "}"


def rate(metric, *selectors):
    return f"rate({one(metric, *selectors)}[$__rate_interval])"


def quantile(q, metric, by):
    return f"histogram_quantile({q}, sum by (le, {by}) ({rate(metric + '_bucket')}))"


# question → panels: title, unit, what it says, (expression, legend) …
ROWS = {
    "Active?": (
        ("Last tick", "s", "Seconds since a tick ended, by whether it had an observation. Above five minutes somebody is woken.",
         (f"time() - {one('last_tick_timestamp_seconds')}", "{{chain}} {{result}}")),
        ("State", "short", "The state of the process: 1 for the one it is in.", (f"{one('process_state')} == 1", "{{chain}} {{state}}")),
        ("Lease and starts", "short", "1: the last tick prolonged the lease. Starts within an hour: each takes a new epoch of the lease.",
         (one("lease_held"), "{{chain}} held"), (f"changes({one('lease_epoch')}[1h])", "{{chain}} starts")),
        ("Brake", "short", "1 for the brake that is set.", (f"{one('brake')} == 1", "{{chain}} {{level}}")),
        ("Tick", "s", "How long ticks take: half of them, and all but one in a hundred.",
         (quantile(0.5, "tick_seconds", "chain"), "{{chain}} p50"), (quantile(0.99, "tick_seconds", "chain"), "{{chain}} p99")),
        ("Missed ticks", "short", "Ticks that did not begin in time within an hour: slow, or a machine that stood still.",
         (f"increase({one('ticks_missed_total')}[1h])", "{{chain}} {{reason}}")),
        ("Journal's database", "short", "1: it answers; 0: it is away and is waited for.", (one("journal_up"), "{{chain}}")),
        ("Journal", "s", "How long writes of the journal take, down to the disk.",
         (quantile(0.5, "journal_commit_seconds", "chain"), "{{chain}} p50"),
         (quantile(0.99, "journal_commit_seconds", "chain"), "{{chain}} p99")),
        ("Signatures", "s", "How long the place of the gas key takes to sign.",
         (quantile(0.5, "sign_seconds", "chain, backend"), "{{backend}} p50"),
         (quantile(0.99, "sign_seconds", "chain, backend"), "{{backend}} p99")),
    ),
    "Succeeding?": (
        ("Anchored size", "short", "The log's head in the contract.", (one("anchored_size"), "{{chain}} {{level}}")),
        ("Outcomes", "short", "What became of our transactions within a day, final.",
         (f"increase({one('attempts_final_total')}[1d]) > 0", "{{outcome}} {{reason}}")),
        ("Anchors, ours and others'", "short", "Final anchors within a day: ours that moved the head, and other operators'.",
         (f"increase({one('effective_anchors_total')}[1d])", "{{chain}} ours"),
         (f"increase({one('anchors_by_others_total')}[1d])", "{{chain}} others")),
        ("Attempts and raises", "short", "Transactions signed within an hour, and those of them that replaced an earlier one.",
         (f"increase({one('attempts_total')}[1h])", "{{kind}}"), (f"increase({one('bumps_total')}[1h])", "raised")),
    ),
    "Behind?": (
        ("Lag", "s", "Age of the oldest closed epoch that no anchor covers. The line is the grace after which the log is publicly overdue.",
         (one("anchor_lag_seconds"), "{{chain}} {{level}}"), (one("grace_seconds"), "grace")),
        ("Quorum missing", "short", "Attestations lacking for the newest due checkpoint, as far as members say.",
         (one("quorum_missing"), "{{chain}}")),
        ("Silent members", "short", "Due epochs that a member has not attested.", (f"{one('member_silent_epochs')} > 0", "{{member}}")),
        ("First in line", "short", "Public blocks that the lowest unmined nonce has waited, and how many nonces are open.",
         (one("first_in_line_age_blocks"), "{{chain}} blocks"), (one("slots_open"), "{{chain}} open")),
    ),
    "Safe?": (
        ("Endpoints that agree", "short", "Endpoints that serve our chain, and how many must agree.",
         (one("rpc_agreeing"), "{{chain}} agree"), (one("rpc_quorum"), "{{chain}} must")),
        ("Contradictions", "short", "Answers against the quorum's or a proof, and broadcasts answered with another hash, within an hour.",
         (f"increase({one('rpc_disagreements_total')}[1h]) > 0", "{{endpoint}} {{method}}"),
         (f"increase({one('send_results_total', OTHER_HASH)}[1h]) > 0", "{{endpoint}} broadcast")),
        ("Endpoints' answers", "s", "How long endpoints take: all but one answer in twenty.",
         (quantile(0.95, "rpc_seconds", "endpoint"), "{{endpoint}}")),
        ("Endpoints behind", "short", "Public blocks that an endpoint is behind the pinned one.", (one("rpc_head_lag_blocks"), "{{endpoint}}")),
        ("Reorganisations", "short", "Times that pinned public blocks were replaced, within a day, and how many at the most.",
         (f"increase({one('reorgs_total')}[1d])", "{{chain}} times"),
         (f"histogram_quantile(1, sum by (le, chain) (increase({one('reorg_depth_blocks_bucket')}[1d])))", "{{chain}} depth")),
        ("Finality", "short", "Public blocks from the final one read up to the pinned one.", (one("finality_lag_blocks"), "{{chain}}")),
        ("Foreign nonces", "short", "Nonces of our gas key used by transactions that the journal does not know, within a day. Any is an alarm.",
         (f"increase({one('foreign_nonces_total')}[1d])", "{{signer}}"),
         (one("nonce_unexplained"), "{{chain}} a nonce that the journal does not bear out now")),
        ("Guards", "short", "Validators: signatures refused within a day, contradictions held, and 1 for one that is halted.",
         (f'increase({V}guard_refused_total{{log=~"$log"}}[1d]) > 0', "{{validator}} refused {{reason}}"),
         (f'increase({V}equivocations_total{{log=~"$log"}}[1d]) > 0', "{{validator}} holds of {{member}}"),
         (f'{V}halted{{log=~"$log"}}', "{{validator}} halted")),
        ("Guards' signatures", "short", "Checkpoints that validators' guards permitted and their keys signed, within an hour.",
         (f'increase({V}guard_signed_total{{log=~"$log"}}[1h])', "{{validator}}")),
        ("Certificates", "s", "Until the certificate ends that is shown to members.", (one("certificate_expiry_seconds"), "{{peer}}")),
        ("Clock", "s", "Our clock against the newest public blocks: below 0 ours is behind.", (one("clock_skew_seconds"), "{{chain}}")),
    ),
    "Cost?": (
        ("Wei for an anchor", "short", "What a final anchor of ours cost on average over a week, in wei.",
         (f"increase({one('anchor_cost_wei_sum')}[7d]) / increase({one('anchor_cost_wei_count')}[7d])", "{{chain}}")),
        ("Against the calm price", "percentunit", "The price paid against usual base fee and tip, on average over a week. 115 % is the goal.",
         (f"increase({one('anchor_cost_ratio_sum')}[7d]) / increase({one('anchor_cost_ratio_count')}[7d])", "{{chain}}")),
        ("Ceiling and base fee", "short", "The most we offer for each gas now, and what the pinned public block asks, in wei.",
         (one("fee_ceiling_wei"), "{{chain}} ceiling"), (one("base_fee_wei"), "{{chain}} base fee"), (one("fee_cap_active"), "{{chain}} capped")),
        ("Budget", "percentunit", "How much of today's budget is committed (UTC).",
         (f"{one('budget_committed_wei')} / {one('budget_limit_wei')}", "{{chain}}")),
        ("Balance", "short", "What the gas key holds, and the reserve below which no new anchor is begun, in wei.",
         (one("signer_balance_wei"), "{{chain}} balance"), (one("reserve_wei"), "{{chain}} reserve")),
    ),
}  # fmt: skip


def id_of(name):
    """The same for the same name, whatever stands around it."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def panel(question, spec, x, y):
    title, unit, description, *targets = spec
    return {
        "id": id_of(f"{question} {title}"),
        "type": "timeseries",
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "gridPos": {"h": HEIGHT, "w": WIDTH, "x": x, "y": y},
        "fieldConfig": {"defaults": {"unit": unit, "custom": {"lineWidth": 1, "fillOpacity": 5}}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "none"},
        },
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": SOURCE, "editorMode": "code", "range": True, "expr": e, "legendFormat": legend}
            for n, (e, legend) in enumerate(targets)
        ],
    }  # fmt: skip


def panels():
    y = 0
    for question, specs in ROWS.items():
        place = {"h": 1, "w": 24, "x": 0, "y": y}
        yield {
            "id": id_of(question),
            "type": "row",
            "title": question,
            "collapsed": False,
            "gridPos": place,
            "panels": [],
        }
        y += 1
        for n, spec in enumerate(specs):
            yield panel(question, spec, WIDTH * (n % 4), y + HEIGHT * (n // 4))
        y += HEIGHT * -(-len(specs) // 4)


def chosen(name, query):
    """A variable whose values Prometheus knows."""
    return {
        "name": name, "label": name, "type": "query", "datasource": SOURCE, "query": {"query": query, "refId": name},
        "definition": query, "refresh": 2, "sort": 1, "multi": True, "includeAll": True, "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]}, "hide": 0, "options": [], "regex": "",
    }  # fmt: skip


def dashboard():
    source = {
        "name": "datasource", "label": "data source", "type": "datasource", "query": "prometheus", "refresh": 1,
        "current": {}, "hide": 0, "includeAll": False, "multi": False, "options": [], "regex": "",
    }  # fmt: skip
    return {
        "uid": "hybrid-relayer",
        "title": "hybrid relayer",
        "description": "Anchoring a log on public chains, by the operator's questions. Made by infra/grafana/dashboard.py.",
        "tags": ["hybrid-bridge"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "timezone": "utc",
        "time": {"from": "now-24h", "to": "now"},
        "timepicker": {},
        "annotations": {"list": []},
        "links": [],
        "templating": {
            "list": [
                source,
                chosen("chain", f"label_values({R}build_info, chain)"),
                chosen("log", f'label_values({R}build_info{{chain=~"$chain"}}, log)'),
            ]
        },
        "panels": list(panels()),
    }


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=1, ensure_ascii=False))
