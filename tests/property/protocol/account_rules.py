"""Users, projects, roles, tokens: rules of the machine."""

import base64
import time
from dataclasses import replace
from typing import Any

import jwt
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.property.protocol.model import Model, Owned, Person, Token
from tests.property.protocol.world import World
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE

__all__ = ["PROJECT", "SOMETIMES", "WHO", "AccountRules"]

ROLES = ("member", "member", "admin", "tester")
WHO = st.integers(0, 199)
PERSON = st.integers(0, 3)
PROJECT = st.integers(0, 2)

# Rules are chosen evenly; most steps shall be work, not changes of who may work.
SOMETIMES = precondition(lambda self: self.step_count % 4 == 0)


class AccountRules(RuleBasedStateMachine):
    """An admin and three users of two projects."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        world.example_count += 1
        self.prefix = f"m{world.example_count}"
        self.model = Model()
        self.step_count = 0
        self._begin()

    # What rules are made of.

    def who(self, number: int) -> Token:
        """Choose a token: mostly one that counts, sometimes one that once did."""
        valid = self.model.valid_tokens()
        tokens = self.model.tokens if number >= 190 else valid
        return tokens[number % len(tokens)]

    def who_for(self, number: int, owned: Owned) -> Token:
        """Choose a token that sees something, often; otherwise any."""
        seers = [token for token in self.model.valid_tokens() if self.sees(token, owned)]
        may_work = [token for token in seers if token.role != "tester"]
        return may_work[number % len(may_work)] if number < 150 else self.who(number)

    def sees(self, token: Token, owned: Owned) -> bool:
        return token.sees(owned.owner_id, owned.project_id)

    def person(self, number: int) -> Person:
        people = list(self.model.people.values())
        return people[number % len(people)]

    def project(self, number: int) -> str:
        return (*self.model.projects, "admin")[number % (len(self.model.projects) + 1)]

    @property
    def admin(self) -> Token:
        """The newest token of the admin, who never goes."""
        own = [token for token in self.model.valid_tokens() if token.person.id == ADMIN_ID]
        return next(token for token in reversed(own) if token.project_id == "admin")

    def as_admin(self, token: Token, expected: int, *, policy: bool = True) -> int:
        """Return 401 instead, if the token is none of an admin in the role of one."""
        if not token.person.is_admin or (policy and token.role != "admin"):
            return 401
        return expected

    def take_token(self, answer: Any, person: Person, project_id: str) -> Token:
        reply = answer.json()
        assert reply.keys() == {"id", "is_admin", "name", "token"}
        assert (reply["id"], reply["is_admin"], reply["name"]) == (
            person.id,
            person.is_admin,
            person.name,
        )
        role, is_project_admin = person.assignments.get(project_id, ("admin", True))
        token = Token(
            text=reply["token"],
            person=person,
            life=person.life,
            secret=person.secret,
            project_id=project_id,
            role=role,
            is_project_admin=is_project_admin,
        )
        self.model.tokens.append(token)
        return token

    def log_in_as(self, person: Person) -> None:
        body = {"id": person.id, "password": person.passphrase}
        start = "admin" if person.is_admin else next(iter(person.assignments), "")
        good = person.is_alive and start
        answer = self.world.call("POST", "token", 200 if good else 401, json=body)
        if good:
            self.take_token(answer, person, start)

    # Rules.

    @SOMETIMES
    @rule(person=PERSON)
    def log_in(self, person: int) -> None:
        self.log_in_as(self.person(person))

    @SOMETIMES
    @rule(person=PERSON)
    def log_in_with_a_wrong_passphrase(self, person: int) -> None:
        known = self.person(person)
        wrong = base64.b64encode(known.passphrase.encode()).decode()
        answer = self.world.call("POST", "token", 401, json={"id": known.id, "password": wrong})
        assert known.passphrase not in answer.text

    @SOMETIMES
    @rule(who=WHO, project=PROJECT)
    def switch_the_project(self, who: int, project: int) -> None:
        token, project_id = self.who(who), self.project(project)
        person = token.person
        may = project_id in person.assignments or (person.is_admin and project_id == "admin")
        body = {"project_id": project_id}
        answer = self.world.call_as(token, "PUT", "token", 200 if may else 401, json=body)
        if answer.status_code == 200:
            self.take_token(answer, person, project_id)

    @SOMETIMES
    @rule(who=WHO)
    def ask_who_i_am(self, who: int) -> None:
        token = self.who(who)
        answer = self.world.call_as(token, "GET", "auth", 200)
        if answer.status_code == 200:
            assert answer.json() == {
                "id": token.person.id,
                "name": token.person.name,
                "is_admin": token.person.is_admin,
                "project_id": token.project_id,
                "role": token.role,
                "is_project_admin": token.is_project_admin,
            }

    @SOMETIMES
    @rule(who=WHO)
    def come_with_a_token_that_has_run_out(self, who: int) -> None:
        token = self.expired(self.who(who))
        for path in ("auth", "cluster/all"):
            self.world.call("GET", path, 401, token=token.text)
        body = {"project_id": token.project_id}
        self.world.call("PUT", "token", 401, token=token.text, json=body)

    @SOMETIMES
    @rule(who=WHO, person=PERSON, project=PROJECT, role=st.sampled_from(ROLES), leads=st.booleans())
    def assign(self, who: int, person: int, project: int, role: str, leads: bool) -> None:
        token, whom, project_id = self.who(who), self.person(person), self.project(project)
        expected = 200
        if not whom.is_alive:
            expected = 404
        elif project_id == "admin" or project_id in whom.assignments:
            expected = 409
        body = {"id": whom.id, "project_id": project_id, "role": role, "is_project_admin": leads}
        expected = self.as_admin(token, expected, policy=False)
        answer = self.world.call_as(token, "POST", "user/project", expected, json=body)
        if answer.status_code == 200:
            whom.assignments[project_id] = (role, leads)
            self.check_user(answer.json(), whom)

    @SOMETIMES
    @rule(who=WHO, person=PERSON, project=PROJECT)
    def unassign(self, who: int, person: int, project: int) -> None:
        token, whom, project_id = self.who(who), self.person(person), self.project(project)
        known = whom.is_alive and project_id in whom.assignments
        query = {"id": whom.id, "project_id": project_id}
        expected = self.as_admin(token, 200 if known else 404, policy=False)
        answer = self.world.call_as(token, "DELETE", "user/project", expected, params=query)
        if answer.status_code == 200:
            del whom.assignments[project_id]
            self.check_user(answer.json(), whom)

    @SOMETIMES
    @rule(who=WHO, person=PERSON)
    def look_at_a_user(self, who: int, person: int) -> None:
        token, whom = self.who(who), self.person(person)
        expected = self.as_admin(token, 200 if whom.is_alive else 404)
        answer = self.world.call_as(token, "GET", "user", expected, params={"id": whom.id})
        if answer.status_code == 200:
            self.check_user(answer.json(), whom)

    @SOMETIMES
    @rule(who=WHO)
    def list_my_projects(self, who: int) -> None:
        token = self.who(who)
        answer = self.world.call_as(token, "GET", "user/project", 200)
        if answer.status_code == 200:
            everywhere = {"project_id": "admin", "role": "admin", "is_project_admin": True}
            more = [everywhere] if token.person.is_admin else []
            assert answer.json() == {"projects": token.person.shown() + more}

    @SOMETIMES
    @rule(who=WHO, person=PERSON)
    def delete_a_user(self, who: int, person: int) -> None:
        token, whom = self.who(who), self.person(person)
        expected = 200 if whom.is_alive else 404
        if token.person is whom:
            expected = 409
        expected = self.as_admin(token, expected)
        answer = self.world.call_as(token, "DELETE", "user", expected, params={"id": whom.id})
        if answer.status_code == 200:
            whom.is_alive = False
            whom.assignments = {}

    @SOMETIMES
    @rule(person=PERSON)
    def create_a_user(self, person: int) -> None:
        whom = self.person(person)
        self.create(whom, 409 if whom.is_alive else 200)

    @SOMETIMES
    @rule(who=WHO, right=st.booleans())
    def change_my_passphrase(self, who: int, right: bool) -> None:
        token = self.who(who)
        person = token.person
        if person.id == ADMIN_ID:
            return
        new = f"{person.passphrase}+"
        body = {
            "password": person.passphrase if right else "not the passphrase",
            "new_passphrase": base64.b64encode(new.encode()).decode(),
        }
        expected = 200 if right else 401
        answer = self.world.call_as(token, "PUT", "user/passphrase", expected, json=body)
        if answer.status_code == 200:
            person.passphrase = new
            person.secret += 1
            self.take_token(answer, person, token.project_id)

    @SOMETIMES
    @rule(project=PROJECT)
    def create_a_project(self, project: int) -> None:
        name = f"{self.prefix}_{('one', 'two')[project % 2]}"
        taken = name in self.model.projects
        body = {"id": name, "name": "Some Project"}
        expected = 409 if taken else 200
        answer = self.world.call_as(self.admin, "POST", "project", expected, json=body)
        if not taken:
            self.model.projects[name] = answer.json()["created_at"]

    # Helpers.

    def create(self, whom: Person, expected: int = 200) -> None:
        passphrase = f"secret {self.prefix} {whom.life}"
        body = {"id": whom.id, "name": "Some User", "password": passphrase, "is_admin": False}
        answer = self.world.call_as(self.admin, "POST", "user", expected, json=body)
        if answer.status_code == 200:
            whom.is_alive = True
            whom.life += 1
            whom.name, whom.passphrase = "Some User", passphrase
            whom.created_at = answer.json()["created_at"]
            self.check_user(answer.json(), whom)

    def check_user(self, shown: dict[str, Any], whom: Person) -> None:
        assert shown == {
            "created_at": whom.created_at,
            "creator_id": "HANAMI_INIT" if whom.id == ADMIN_ID else ADMIN_ID,
            "id": whom.id,
            "is_admin": whom.is_admin,
            "name": whom.name,
            "projects": whom.shown(),
        }

    def expired(self, token: Token) -> Token:
        """Return the token as it will be when its time is over: signed, and of the past."""
        key = (self.world.server.data_dir / "token.key").read_bytes()
        options: Any = {"verify_exp": False}
        claims = jwt.decode(token.text, key, algorithms=["HS256"], options=options)
        over_s = min(claims["exp"], int(time.time())) - 1
        text = jwt.encode(claims | {"exp": over_s}, key, algorithm="HS256", sort_headers=True)
        return replace(token, text=text)

    def _begin(self) -> None:
        admin = Person(
            id=ADMIN_ID, name="Admin", passphrase=ADMIN_PASSPHRASE, is_admin=True, is_alive=True
        )
        self.model.people[ADMIN_ID] = admin
        self.log_in_as(admin)
        users = self.world.call_as(self.admin, "GET", "user/all", 200).json()["body"]
        admin.created_at = users[0][0]
        hosts = self.world.call_as(self.admin, "GET", "host/all", 200).json()["body"]
        self.world.hosts = [uuid for uuid, _ in hosts]
        for project in (0, 1):
            self.create_a_project(project)
        one, two = self.model.projects
        work = {
            "alice": {one: ("member", False)},
            "bobby": {one: ("member", True), two: ("member", False)},
            "carol": {two: ("member", False)},
        }
        for name, assignments in work.items():
            person = Person(id=f"{self.prefix}_{name}")
            self.model.people[person.id] = person
            self.create(person)
            for project_id, (role, leads) in assignments.items():
                body = {
                    "id": person.id,
                    "project_id": project_id,
                    "role": role,
                    "is_project_admin": leads,
                }
                self.world.call_as(self.admin, "POST", "user/project", 200, json=body)
                person.assignments[project_id] = (role, leads)
            self.log_in_as(person)
