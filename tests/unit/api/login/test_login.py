import asyncio
from concurrent.futures import Future

import pytest

from hanami_actors.api.login.passphrases import PassphraseChecker, hash_passphrase
from hanami_actors.api.login.tokens import TokenKeeper, caller_after_login
from hanami_actors.domain.base import Who
from hanami_actors.domain.user.aggregate import UserState
from hanami_actors.errors import LimitError, SettingsError, UnauthorizedError
from hanami_actors.ports import ManualClock, ManualEntropy
from tests.fakes import FakeGateway

KEY = bytes(range(32))


@pytest.fixture
def gateway():
    gateway = FakeGateway()
    gateway.add_user("asdf", hash_passphrase("asdfasdf"), is_admin=True)
    return gateway


def user_of(gateway):
    return gateway.tables.users["asdf"].state


def keeper_of(gateway, **options):
    return TokenKeeper(KEY, gateway.clock, expire_s=100, **options)


def test_a_short_signing_key_is_refused():
    with pytest.raises(SettingsError, match="31 bytes"):
        TokenKeeper(KEY[:31], ManualClock(), expire_s=1)


def test_an_issued_token_brings_the_caller_back(gateway):
    keeper = keeper_of(gateway)
    who = caller_after_login(user_of(gateway))
    assert keeper.verify(keeper.issue(user_of(gateway), who), gateway.tables) == who


def test_an_admin_starts_in_the_project_admin_and_others_nowhere(gateway):
    assert caller_after_login(user_of(gateway)) == Who(
        user_id="asdf", project_id="admin", role="admin", is_admin=True, is_project_admin=True
    )
    assert caller_after_login(UserState(id="other")) is None


def test_the_cache_forgets_after_its_time_and_holds_no_more_than_its_length(gateway):
    keeper = keeper_of(gateway, cache_len_max=2)
    who = caller_after_login(user_of(gateway))
    tokens = []
    for _ in range(3):
        gateway.clock.advance(1)
        tokens.append(keeper.issue(user_of(gateway), who))
        keeper.verify(tokens[-1], gateway.tables)
    assert list(keeper._cache) == tokens[1:]
    known = keeper._cache[tokens[2]]
    keeper.verify(tokens[2], gateway.tables)
    assert keeper._cache[tokens[2]] is known
    gateway.clock.advance(6)
    keeper.verify(tokens[2], gateway.tables)
    assert keeper._cache[tokens[2]] is not known


def test_refused_tokens_are_not_remembered(gateway):
    keeper = keeper_of(gateway)
    for token in (None, "", "nonsense", "x" * 100_000):
        with pytest.raises(UnauthorizedError):
            keeper.verify(token, gateway.tables)
    assert list(keeper._cache) == []


@pytest.fixture
def checker():
    checker = PassphraseChecker(ManualEntropy(), waiting_max=2)
    yield checker
    checker.close()


def test_a_passphrase_fits_as_text_and_as_bytes(gateway, checker):
    user = user_of(gateway)
    assert asyncio.run(checker.check(user, b"asdfasdf"))
    assert not asyncio.run(checker.check(user, b"asdfasdx"))
    assert not asyncio.run(checker.check(user, b""))


def test_an_unknown_user_never_fits_not_even_the_hash_that_stands_in_for_him(checker):
    checker._nobody = Future()
    checker._nobody.set_result(hash_passphrase("asdfasdf"))
    assert not asyncio.run(checker.check(None, b"asdfasdf"))


def test_logins_beyond_the_limit_are_refused_and_the_others_answered(gateway, checker):
    async def main():
        checks = [checker.check(user_of(gateway), b"asdfasdf") for _ in range(5)]
        return await asyncio.gather(*checks, return_exceptions=True)

    results = asyncio.run(main())
    assert results[:2] == [True, True]
    assert all(isinstance(result, LimitError) for result in results[2:])


def test_hashes_have_the_parameters_of_the_architecture():
    assert hash_passphrase("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
