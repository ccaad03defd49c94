"""How the `FakeGateway` answers about users, projects and calls: with the real state machines."""

from typing import TYPE_CHECKING, Any

from hanami_actors.domain.audit.messages import PAGE_LEN, NotedCall, ReadCalls
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.project import aggregate as project
from hanami_actors.domain.project.messages import ProjectMessage
from hanami_actors.domain.user import aggregate as user
from hanami_actors.domain.user.messages import UserMessage

if TYPE_CHECKING:
    from tests.fakes import FakeGateway

__all__ = ["answer_account"]


def answer_account(
    gateway: "FakeGateway", message: UserMessage | ProjectMessage | ReadCalls, who: Who
) -> Any:
    """Decide, record the events in the tables, return the state; no checks across streams."""
    if isinstance(message, ReadCalls):
        return _noted(gateway, message)
    stamp = Stamp(now_us=gateway.clock.now_us(), who=who)
    if isinstance(message, UserMessage):
        user_row = gateway.tables.users.get(message.id)
        user_state = user_row.state if user_row else user.initial()
        gateway.record(f"user/{message.id}", *user.decide(user_state, message, stamp))
        return gateway.tables.users[message.id].state
    row = gateway.tables.projects.get(message.id)
    state = row.state if row else project.initial()
    gateway.record(f"project/{message.id}", *project.decide(state, message, stamp))
    return gateway.tables.projects[message.id].state


def _noted(gateway: "FakeGateway", question: ReadCalls) -> tuple[NotedCall, ...]:
    found = [
        NotedCall(
            time_us=note.stamp.now_us,
            user_id=note.stamp.who.user_id,
            correlation_id=note.stamp.correlation_id,
            event=note.event,
        )
        for note in gateway.notes
        if question.stream in note.streams
    ]
    return tuple(found[question.page * PAGE_LEN :][:PAGE_LEN])
