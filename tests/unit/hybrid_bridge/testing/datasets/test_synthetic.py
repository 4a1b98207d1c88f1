"""The generator's own check digits against the library's: two programs, one standard."""

from hybrid_bridge.core import identifiers
from hybrid_bridge.core.keys import PrivateKey, key_id_text
from hybrid_bridge.testing.datasets.stream import Stream
from hybrid_bridge.testing.datasets.synthetic import Keys, e_invoice, lei, uscc


def test_identifiers_pass_their_check_digits_and_belong_to_nobody():
    stream = Stream("seed", "identifiers")
    for _ in range(60):
        code, entity, number = uscc(stream), lei(stream), e_invoice(stream, 2026)
        assert identifiers.usci(code) == code
        assert code[2:8] == "990000"
        assert identifiers.lei(entity) == entity
        assert entity.startswith("9999")
        assert identifiers.cn_einv(number) == number
        assert number.startswith("2699")


def test_keys_come_from_the_seed_and_differ_by_name():
    keys = Keys("seed")
    assert keys.seed_of("a") == Keys("seed").seed_of("a")
    assert len({keys.seed_of("a"), keys.seed_of("b"), Keys("other").seed_of("a")}) == 3
    assert keys.key_id("a") == key_id_text(PrivateKey.from_seed(keys.seed_of("a")).public.key_id)
