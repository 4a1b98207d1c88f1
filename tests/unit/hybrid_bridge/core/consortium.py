"""The fixture of SPEC §17: one small consortium, computed from the specification's inputs."""

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.secret import Secret, decoy_key_hash
from hybrid_bridge.units import Address, Digest, Height, Seconds, UnixSeconds

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC_KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
ORIGIN = "example.org/receivables"
K_1 = b"\x42" * 32
SECRET = Secret(K_1, origin_hash(ORIGIN))
SET_HASH = Digest(bytes.fromhex("8580f137e8cd84a70d66faed8b88a5c993138bc1b0169c2463505e3f2504c6d9"))
REGISTRY_ROOT_0 = Digest(bytes.fromhex("c40cacfb08a7fff466a9e3cf144b471e451a5928705e1b9d0e12e225a4b2734e"))

GENESIS = Genesis(
    origin_hash=origin_hash(ORIGIN),
    genesis_time=UnixSeconds(1_800_000_000),
    cadence=Seconds(600),
    grace=Seconds(1800),
    promise_delay=6,
    batch_ladder=0x440,
    registry_ladder=0x14,
    vrf_public_key=PUBLIC_KEY,
    registry_root=REGISTRY_ROOT_0,
    label_table_hash=sha256(b"label table"),
    set_hash=SET_HASH,
    decoy_key_hash=decoy_key_hash(K_1),
    log_key=PUBLIC_KEY,
    guardian=Address(bytes(20)),
    pause_max=Seconds(86_400),
    ledger_id=sha256(b"ledger"),
    first_block=Height(1),
    policy_hash=sha256(b"policy"),
)
